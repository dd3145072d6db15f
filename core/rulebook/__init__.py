"""The programme document: its language, its rules, its versions, and what another version would change."""
