"""The channel's section of the programme, and how a code is written. Everything is pure."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from core.channels import codes
from core.rulebook.document import Count, QuotedDecimal
from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import Budget

CHANNEL: Final = "referral"

Days = Annotated[int, Field(strict=True, ge=1, le=3660)]


class ReferralSettings(ChannelSettings):
    """The programme's section ``channels: referral:``.

    ``inviter`` and ``invitee`` are paid for the friend's first order of ``order_at_least`` in money, at the latest
    ``complete_days`` after the code was accepted, and can be spent after ``pending_days``. A code can be accepted up to
    ``accept_days`` after joining, by at most ``a_month`` friends of one inviter, and for ``code_days`` once it was
    issued. With ``partial_refund: minimum`` both bonuses go when what is left of the order is below ``order_at_least``.
    Inviters and invitees together get what ``budget`` has.
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
    budget: Budget = Budget()


_LENGTH: Final = 10


def code_of(member_id: str, number: int = 0) -> str:
    """A member's code, the same each time. ``number`` counts up where somebody else has the code already."""
    return codes.code_of(f"{member_id}:{number}", _LENGTH)


def read_code(given: str) -> str | None:
    """The code as it is stored, however it was typed; None if it cannot be one."""
    return codes.read_code(given, _LENGTH)


def month_number(day: date) -> int:
    """The month as it is stored.

    >>> month_number(date(2026, 6, 30))
    202606
    """
    return day.year * 100 + day.month
