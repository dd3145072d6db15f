"""The channel's section of the programme, and who is dormant. Everything is pure."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.books.tallies import ORDERS
from core.channels.coupons import Coupons, unknown_coupons
from core.rulebook.document import Count
from core.rulebook.programme import ChannelSettings, Misfit, Programme
from core.rulebook.rules import Budget, Countable
from core.time.calendar import add_months
from core.units import POINTS
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "win_back"

Days = Annotated[int, Field(strict=True, ge=2, le=3660)]


class WinBackSettings(ChannelSettings):
    """The programme's section ``channels: win_back:``.

    Who has done none of the ``activities`` for ``dormant_days`` gets ``points`` and ``coupons`` with the next of them,
    at most once in ``every_months``. The points live for ``expires_days`` at most. All members together get what
    ``budget`` has.
    """

    called = ("Welcome back", "回归礼")

    points: Count = 0
    coupons: Coupons = ()
    budget: Budget = Budget()
    dormant_days: Days
    every_months: Annotated[int, Field(strict=True, ge=1, le=120)] = 12
    expires_days: Annotated[int, Field(strict=True, ge=1, le=3660)] | None = None
    activities: Annotated[tuple[Countable, ...], Field(min_length=1, max_length=20)] = (ORDERS,)

    @model_validator(mode="after")
    def _gives_something(self) -> Self:
        if not self.points and not self.coupons:
            raise PydanticCustomError("gift", "a gift has points, or coupons, or both")
        return self

    def check(self, programme: Programme) -> Iterable[Misfit]:
        return unknown_coupons(programme, [(("coupons", at), name) for at, name in enumerate(self.coupons)])

    def quiet(self, day: date) -> tuple[date, date]:
        """The first and the last day on which nothing may have been done by who comes back on ``day``."""
        return day - timedelta(days=self.dormant_days - 1), day - timedelta(days=1)

    def was_member(self, enrolled_on: date, day: date) -> bool:
        """Whether who joined on that day can have been dormant for long enough."""
        return enrolled_on <= day - timedelta(days=self.dormant_days)

    def is_free(self, last_gift: date | None, day: date) -> bool:
        """Whether enough months have gone by since the last gift."""
        return last_gift is None or add_months(last_gift, self.every_months) <= day

    def says(self, words: Words) -> Iterable[Said]:
        text = words.say(
            "Whoever comes back after {days} gets {gift} ({activity}), at most once in {months}.",
            "{days}未活动后再次活动（{activity}）获赠{gift}，每{months}最多一次。",
            days=words.days(self.dormant_days), gift=words.gift({POINTS: self.points}, self.coupons),
            activity=words.activity(self.activities), months=words.months(self.every_months),
        )  # fmt: skip
        yield Said(Topic.EARNING, text, ("points",))
        if self.expires_days is not None:
            days = words.days(self.expires_days)
            text = words.say("Points for coming back are lost after {days}.", "回归积分{days}内有效。", days=days)
            yield Said(Topic.EXPIRY, text, ("expires_days",))
        if shared := words.budget(self.budget):
            yield Said(Topic.EARNING, shared, ("budget",))
