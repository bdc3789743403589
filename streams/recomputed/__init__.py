"""What a rule saw at a grid point of the past, out of what the topics still hold."""
