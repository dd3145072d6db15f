"""Sandboxes: databases whose clock is moved, to see at once what will be in a year."""
