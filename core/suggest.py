"""The end of a message about a misspelt name."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A clause to put behind the message; empty when nothing is near.

    >>> did_you_mean("teir", ["birthday", "tier"])
    ", did you mean 'tier'?"
    """
    near = get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f", did you mean {near[0]!r}?" if near else ""
