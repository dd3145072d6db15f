"""Who did what, by which key, and whether the books are right."""
