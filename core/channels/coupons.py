"""Coupons as gifts: a channel grants one, and the channel that keeps coupons issues it, in the same ``Work``.

No channel knows the other. A programme in which a coupon is granted that nobody keeps is refused (``unknown_coupons``).
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from core.engine.work import Work
from core.rulebook.document import Identifier
from core.rulebook.programme import ChannelSettings, Misfit, Path, Programme
from core.suggest import did_you_mean

COUPON_GRANTED: Final = "coupon.granted"
"""The member is to have a coupon. Payload: ``coupon``, its id in the programme, ``occasion``, and ``until`` where it
lapses then at the latest."""

COUPONS_REVOKED: Final = "coupon.revoked"
"""What was granted for an ``occasion`` is theirs no more, unless it was used."""

Coupons = Annotated[tuple[Identifier, ...], Field(max_length=20)]
"""The ids of coupons that are granted together."""


class CouponBook(ChannelSettings):
    """The section of the channel that keeps coupons."""

    def coupon_ids(self) -> Collection[str]:
        """The ids of the coupons that there are."""
        raise NotImplementedError

    def coupon_name(self, coupon: str) -> str:
        """What members call a coupon of the book."""
        raise NotImplementedError


def book_of(programme: Programme) -> CouponBook | None:
    """The section in which the programme's coupons stand; None when it has none."""
    return next((section for section in programme.channels.values() if isinstance(section, CouponBook)), None)


def unknown_coupons(programme: Programme, named: Iterable[tuple[Path, str]]) -> Iterator[Misfit]:
    """Those of the coupons that a section grants, each at its path, which the programme does not have."""
    book = book_of(programme)
    known = book.coupon_ids() if book else ()
    for path, coupon in named:
        if coupon not in known:
            yield Misfit(path, f"no coupon {coupon!r} in the programme{did_you_mean(coupon, known)}")


def grant(work: Work, coupons: Iterable[str], occasion: str, until: datetime | None = None) -> None:
    """Let the member have these coupons, until then at the latest.

    ``occasion`` names what they were granted for, once in the member's life.
    """
    ends: dict[str, Any] = {} if until is None else {"until": until.isoformat()}
    for coupon in coupons:
        work.tell(COUPON_GRANTED, coupon=coupon, occasion=occasion, **ends)


def revoke(work: Work, occasion: str) -> None:
    """Take away what was granted for that occasion and not used."""
    work.tell(COUPONS_REVOKED, occasion=occasion)
