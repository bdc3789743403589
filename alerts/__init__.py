"""What a change means: conditions and their transitions, pure."""
