"""The channel's section of the programme, and how a code is written. Everything is pure."""

import hashlib
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from core.document import Count, QuotedDecimal
from core.programme import ChannelSettings

CHANNEL: Final = "referral"

Days = Annotated[int, Field(strict=True, ge=1, le=3660)]


class ReferralSettings(ChannelSettings):
    """The programme's section ``channels: referral:``.

    ``inviter`` and ``invitee`` are paid for the friend's first order of ``order_at_least`` in money, at the latest
    ``complete_days`` after the code was accepted, and can be spent after ``pending_days``. A code can be accepted up to
    ``accept_days`` after joining, by at most ``a_month`` friends of one inviter, and for ``code_days`` once it was
    issued. With ``partial_refund: minimum`` both bonuses go when what is left of the order is below ``order_at_least``.
    """

    inviter: Count
    invitee: Count
    order_at_least: QuotedDecimal | None = None
    accept_days: Days = 30
    complete_days: Days | None = None
    pending_days: Days | None = None
    code_days: Days | None = None
    a_month: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    partial_refund: Literal["keep", "minimum"] = "keep"


# -- codes ------------------------------------------------------------------------------------------

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none that looks like another
_LOOKALIKES: Final = str.maketrans("OIL", "011", "- ")
_BASE: Final = len(_LETTERS)
_LENGTH: Final = 9


def code_of(member_id: str, number: int = 0) -> str:
    """A member's code, the same each time: nine letters of chance and one that finds a slip of the finger.

    ``number`` counts up where somebody else has the code already.
    """
    digest = int.from_bytes(hashlib.blake2b(f"{member_id}:{number}".encode(), digest_size=8).digest())
    letters = ""
    for _ in range(_LENGTH):
        digest, at = divmod(digest, _BASE)
        letters += _LETTERS[at]
    return letters + _check(letters)


def read_code(given: str) -> str | None:
    """The code as it is stored, whatever case, dashes and lookalikes it was typed with; None if it cannot be one."""
    code = given[:40].upper().translate(_LOOKALIKES)
    if len(code) != _LENGTH + 1 or not set(code) <= set(_LETTERS):
        return None
    return code if _check(code[:-1]) == code[-1] else None


def _check(letters: str) -> str:
    """Luhn's check, in base 32: every single wrong letter shows."""
    total = 0
    for place, letter in enumerate(reversed(letters)):
        value = _LETTERS.index(letter) * (2 - place % 2)
        total += value // _BASE + value % _BASE
    return _LETTERS[-total % _BASE]


def month_number(day: date) -> int:
    """The month as it is stored.

    >>> month_number(date(2026, 6, 30))
    202606
    """
    return day.year * 100 + day.month
