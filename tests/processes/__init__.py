"""Programs that tests start beside themselves: processes that race one another, and processes that are killed."""
