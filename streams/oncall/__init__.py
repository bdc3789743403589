"""Rotations for whoever asks: out of a policy file or out of what the topics hold, and to calendars and back."""
