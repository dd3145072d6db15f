"""Simulations of a programme over what happened: a process of its own that replays, and whoever waits for it."""
