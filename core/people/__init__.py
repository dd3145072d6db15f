"""People: two members who are one, and those who want to be forgotten."""
