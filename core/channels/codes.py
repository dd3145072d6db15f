"""Codes that people read out and type: letters of chance, and a last one that finds a slip of the finger."""

import hashlib
from typing import Final

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none that looks like another
_LOOKALIKES: Final = str.maketrans("OIL", "011", "- ")
_BASE: Final = len(_LETTERS)


def code_of(source: str, length: int) -> str:
    """The code of so many letters that is made of ``source``, and tells nothing about it.

    >>> code_of("ann:0", 10)
    'QFBM48ZKMD'
    """
    digest = int.from_bytes(hashlib.blake2b(source.encode(), digest_size=16).digest())
    letters = ""
    for _ in range(length - 1):
        digest, at = divmod(digest, _BASE)
        letters += _LETTERS[at]
    return letters + _check(letters)


def read_code(given: str, length: int) -> str | None:
    """The code as it is stored, whatever case, dashes and lookalikes it was typed with; None if it cannot be one."""
    code = given[: 4 * length].upper().translate(_LOOKALIKES)
    if len(code) != length or not set(code) <= set(_LETTERS):
        return None
    return code if _check(code[:-1]) == code[-1] else None


def _check(letters: str) -> str:
    """Luhn's check, in base 32: every single wrong letter shows."""
    total = 0
    for place, letter in enumerate(reversed(letters)):
        value = _LETTERS.index(letter) * (2 - place % 2)
        total += value // _BASE + value % _BASE
    return _LETTERS[-total % _BASE]
