"""How often Python looks for garbage, which a process decides for itself and no part of it for the others."""

import gc

_rarely = False


def collect_rarely() -> None:
    """Let the cycle collector come every 500,000 objects only, and leave alone what ``settle`` finds.

    A batch makes many small values that no cycle holds; as Python comes, the collector goes through them so often that
    it takes a third of an import's time. Only for a process that opens one Laurel and ends with it: what exists once
    it is open is never freed.
    """
    global _rarely
    _rarely = True
    gc.set_threshold(500_000, 20, 10)


def settle() -> None:
    """A Laurel is open, and what was made for it stays: where garbage is collected rarely, nobody looks there again."""
    if _rarely:
        gc.collect()
        gc.freeze()
