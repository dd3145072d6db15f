"""Points, growth, tiers and the ledger; knows nothing of GraphQL or of any plugin."""
