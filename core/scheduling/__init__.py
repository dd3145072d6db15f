"""What is to be done when nobody asks, and finding for whom it is due."""
