"""Telling what has happened: to reactions, plugins, other systems and whoever watches."""
