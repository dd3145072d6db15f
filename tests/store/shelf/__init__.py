"""An app of three small tables, with one of everything that a migration of ours can make."""
