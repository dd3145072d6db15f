"""Text that comes in: how long it may be, and what not every database can keep."""

from typing import Final

from core.errors import InvalidValue

REFERENCE_MAX: Final = 200
NUL: Final = "\0"
"""PostgreSQL has no word for it."""


def check_text(field: str, text: str, longest: int = REFERENCE_MAX, *, shortest: int = 1) -> str:
    """The text, if it has ``shortest`` to ``longest`` characters, none of them U+0000. Raises InvalidValue."""
    if not shortest <= len(text) <= longest:
        raise InvalidValue(field=field, reason=f"it must have {shortest} to {longest} characters")
    if NUL in text:
        raise InvalidValue(field=field, reason="it holds the character U+0000")
    return text
