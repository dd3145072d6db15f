"""``python -m graph`` is ``laurel``."""

from graph.cli import main

main()
