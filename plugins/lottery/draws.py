"""The number of a draw: made of a seed that was fixed beforehand, so that everybody can compute it afterwards.

    message  "<pool>/<period>/<member id>/<number>/<attempt>", as UTF-8; attempt begins at 0
    digest   HMAC-SHA256 with the seed as key
    value    the digest's first eight bytes, most significant first
    roll     value modulo the pool's total; but when value lies in the last, incomplete run of totals below 2**64,
             which would favour small numbers, the next attempt is made

README.md has a program that does the same and nothing else.
"""

import hashlib
import hmac
from itertools import count
from typing import Final

_VALUES: Final = 2**64


def commitment_of(seed: bytes) -> str:
    """SHA-256 of the seed, in hexadecimal: what is published before the first draw."""
    return hashlib.sha256(seed).hexdigest()


def roll(seed: bytes, place: str, total: int) -> int:
    """The number below ``total`` that is drawn at that place, each equally likely.

    >>> roll(bytes(32), place_of("wheel", "day", "ann", 1), 6)
    0
    """
    assert 0 < total <= _VALUES
    fair = _VALUES - _VALUES % total
    for attempt in count():
        digest = hmac.digest(seed, f"{place}/{attempt}".encode(), "sha256")
        value = int.from_bytes(digest[:8])
        if value < fair:
            return value % total
    raise AssertionError("some attempt is fair")


def place_of(pool: str, period: str, member_id: str, number: int) -> str:
    """The name of a draw: the ``number``-th of that member from that pool."""
    return f"{pool}/{period}/{member_id}/{number}"
