"""The tables of the core, step by step. Applied by `laurel migrate`; only ever added to."""
