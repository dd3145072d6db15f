"""``python -m graph`` is ``laurel``."""

from graph.cli import main

# The process of a lane imports this as well.
if __name__ == "__main__":
    main()
