"""Written by ``core.store.migrating.draft``."""
