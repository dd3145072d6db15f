"""How often Python looks for garbage, which a process decides for itself and no part of it for the others."""

import gc


def collect_rarely() -> None:
    """Let the cycle collector leave alone what start-up has made, and come every 500,000 objects.

    A batch makes many small values that no cycle holds; as Python comes, the collector goes through them so often that
    it takes a third of an import's time. Only for a process that opens one Laurel and ends with it: what exists now is
    never freed.
    """
    gc.freeze()
    gc.set_threshold(500_000, 20, 10)
