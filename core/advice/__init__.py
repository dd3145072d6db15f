"""What is worth a second look before a programme is published: what it cannot mean, and what it changes."""
