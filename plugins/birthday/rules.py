"""The channel's section of the programme, and when a birthday's gift can be had. Everything is pure."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.channels.coupons import Coupons, unknown_coupons
from core.ladder.benefits import Benefit, BenefitKind, BenefitPeriod, BirthdayWindow
from core.rulebook.document import Count, Identifier
from core.rulebook.programme import ChannelSettings, Misfit, Programme, unknown_tiers
from core.rulebook.rules import Budget
from core.time.calendar import add_months, month_end, month_start
from core.units import AMOUNT_MAX, POINTS
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "birthday"

DAYS_BETWEEN: Final = 300
"""Between two gifts: fewer than from the end of a month to its beginning a year later, and more than any change of the
birthday can gain."""

Gift = Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
Days = Annotated[int, Field(strict=True, ge=1, le=3660)]


class Window(NamedTuple):
    """The days on which a year's gift can be had, both included."""

    first: date
    last: date


class BirthdaySettings(ChannelSettings):
    """The programme's section ``channels: birthday:``.

    The gift is ``points``, or what ``tier_points`` says for the member's tier, and ``coupons``. It can be had
    ``within`` the birthday or its month, by who has been a member for ``member_days``; the points live for
    ``expires_days`` at most. All members together get what ``budget`` has. With ``automatic`` nobody has to claim it.
    """

    called = ("Birthday", "生日")

    points: Count = 0
    coupons: Coupons = ()
    budget: Budget = Budget()
    tier_points: dict[Identifier, Gift] = Field(default_factory=dict)
    within: Literal["day", "month"] = "day"
    expires_days: Days | None = None
    member_days: Days | None = None
    automatic: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _gives_something(self) -> Self:
        if not self.points and not self.coupons:
            raise PydanticCustomError("gift", "a gift has points, or coupons, or both")
        return self

    def check(self, programme: Programme) -> Iterable[Misfit]:
        yield from unknown_tiers(programme, [(("tier_points", tier), tier) for tier in self.tier_points])
        yield from unknown_coupons(programme, [(("coupons", at), name) for at, name in enumerate(self.coupons)])

    def brings(self, programme: Programme, tier: str) -> Iterable[Benefit]:
        yield Benefit(
            CHANNEL, "gift", "Birthday gift", BenefitKind.GIFT, BenefitPeriod.YEAR, 1,
            coupons=self.coupons, points=self.gift(tier) or None, birthday=BirthdayWindow(self.within),
        )  # fmt: skip

    def gift(self, tier: str) -> int:
        return self.tier_points.get(tier, self.points)

    def window(self, birthday: date, year: int) -> Window:
        """When the gift of that year can be had."""
        day = birthday_in(birthday, year)
        return Window(day, day) if self.within == "day" else Window(month_start(day), month_end(day))

    def next_window(self, birthday: date, day: date) -> Window:
        """The window that is open on ``day``, or the first after it."""
        window = self.window(birthday, day.year)
        return window if day <= window.last else self.window(birthday, day.year + 1)

    def says(self, words: Words) -> Iterable[Said]:
        when = (
            words.say("On your birthday", "生日当天")
            if self.within == "day"
            else words.say("In the month of your birthday", "生日当月")
        )
        gift = words.gift({POINTS: self.points}, self.coupons)
        text = (
            words.say("{when} you get {gift}, once a year.", "{when}获赠{gift}，每年一次。", when=when, gift=gift)
            if self.automatic
            else words.say(
                "{when} you can claim {gift}, once a year.", "{when}可领取{gift}，每年一次。", when=when, gift=gift
            )
        )
        yield Said(Topic.BENEFITS, text, ("points",))
        for tier, points in self.tier_points.items():
            instead = words.say(
                "For {who} it is {gift}.", "{who}为{gift}。",
                who=words.members([tier]), gift=words.gift({POINTS: points}, self.coupons),
            )  # fmt: skip
            yield Said(Topic.BENEFITS, instead, ("tier_points", tier))
        if self.member_days is not None:
            days = words.days(self.member_days)
            text = words.say("It is for whoever has been a member for {days}.", "须入会满{days}。", days=days)
            yield Said(Topic.BENEFITS, text, ("member_days",))
        if self.expires_days is not None:
            days = words.days(self.expires_days)
            text = words.say("Birthday points are lost after {days}.", "生日积分{days}内有效。", days=days)
            yield Said(Topic.EXPIRY, text, ("expires_days",))
        if shared := words.budget(self.budget):
            yield Said(Topic.BENEFITS, shared, ("budget",))


def birthday_in(birthday: date, year: int) -> date:
    """The birthday in a year; who was born on 29 February has it on the month's last day.

    >>> birthday_in(date(2000, 2, 29), 2026)
    datetime.date(2026, 2, 28)
    """
    return add_months(birthday, 12 * (year - birthday.year))


def month_day(birthday: date) -> int:
    """The day without its year, as it is stored and looked for.

    >>> month_day(date(2000, 2, 29))
    229
    """
    return birthday.month * 100 + birthday.day


def born_on(window: Window) -> list[int]:
    """The ``month_day`` of everybody who has a birthday in the window."""
    days = [window.first + timedelta(days=number) for number in range((window.last - window.first).days + 1)]
    # In a year without a 29 February those who were born on one are not left out.
    leap = [229] if any(month_day(day) == 228 and month_end(day) == day for day in days) else []
    return [*map(month_day, days), *leap]
