"""Files of events and members: in and out."""
