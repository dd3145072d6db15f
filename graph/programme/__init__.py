"""The programme: what is in force, what was and will be, and how people change it."""
