"""The ledger as values: members, their accounts, entries, lots and holds, and what moves them. No I/O."""
