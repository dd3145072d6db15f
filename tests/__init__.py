"""The tests; ``tests.databases`` gives each one a fresh database of its kind."""
