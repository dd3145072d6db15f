"""What points are worth, what is outstanding, and what they cost."""
