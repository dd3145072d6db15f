"""Drafts of the programme: how a document is worked on, by several and over days, until it is published."""
