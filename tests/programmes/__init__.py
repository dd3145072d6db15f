"""A scenario for the example programmes, with the numbers of their documents."""
