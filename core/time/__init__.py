"""Days, months and windows as the programme's people live them, and the one clock."""
