"""Key figures of the programme: daily aggregates that operations keep up, and what they say of a period.

``aggregates`` says what each row of the ledger adds, ``recomputing`` finds the same out of all rows anew, and
``periods`` and ``figures`` answer what is asked. Definitions and formulas are in docs/figures.md.
"""
