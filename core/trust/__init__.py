"""Trust: members frozen, gains taken back, and what looks suspicious put before somebody."""
