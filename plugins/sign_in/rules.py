"""The channel's section of the programme, and the calendar of a member's days. Everything is pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, NamedTuple

from pydantic import Field

from core.rulebook.document import Count, Section
from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import Activity, RuleSet, UnitName
from core.time.calendar import month_end
from core.wording.facts import FactWords, TallyWords, Wording
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "sign_in"
SIGN_INS: Final = "sign_ins"

ONE_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class EventFacts:
    """``event``: the visit. ``streak`` counts the unbroken days *before* it."""

    streak: int
    at: datetime


@dataclass(slots=True)
class MemberFacts:
    """``member``: who signs in."""

    tier: str


class MakeUp(Section):
    """A missed day can be bought for ``cost`` points, up to ``days`` back, at most ``a_month`` in a month."""

    cost: Count
    days: Annotated[int, Field(strict=True, ge=1, le=366)]
    a_month: Annotated[int, Field(strict=True, ge=1, le=31)]


class SignInSettings(ChannelSettings):
    """The programme's section ``channels: sign_in:``. Without ``make_up`` a missed day is missed."""

    called = ("Sign-in", "签到")

    facts: ClassVar[Mapping[str, Any]] = {"event": EventFacts, "member": MemberFacts}
    wording: ClassVar[Wording] = Wording(
        occasion=("each sign-in", "每次签到"),
        facts={
            "event.streak": FactWords(
                ("the number of days in a row before it", "此前连续签到的天数"),
                some=("you signed in the day before", "前一天也已签到"),
                per=("for each day in a row before it", "for every {n} days in a row before it", "此前每连续 {n} 天"),
                every=("it is the {nth} day in a row, the same again every {n} days", "每连续第 {n} 天"),
                count_from=1,
            ),
            "event.at": FactWords(("the time of the sign-in", "签到时间")),
        },
        tallies={
            SIGN_INS: TallyWords("a sign-in", "{n} sign-ins", "签到 {n} 天", ("sign-ins", "签到天数"), "签到"),
            "sign_ins_made_up": TallyWords("a day made up", "{n} days made up", "补签 {n} 天"),
        },
    )

    earn: dict[UnitName, RuleSet] = Field(min_length=1)
    make_up: MakeUp | None = None

    def adds_to(self) -> Collection[str]:
        return {*super().adds_to(), SIGN_INS}

    def brings_on(self, streak: int, at: datetime, tier: str) -> dict[str, int]:
        """What a visit brings after so many unbroken days, by unit, if limits over time leave room for it."""
        activity = Activity(CHANNEL, at, {"event": EventFacts(streak, at), "member": MemberFacts(tier)})
        return {unit: rules.award(activity).points for unit, rules in self.earn.items()}

    def says(self, words: Words) -> Iterable[Said]:
        yield from super().says(words)
        text = words.say("You can sign in once a day.", "每日可签到一次。")
        yield Said(Topic.EARNING, text, ("earn",))
        if self.make_up is not None:
            text = words.say(
                "A missed day can be made up within {days}, {times} a month, for {cost}.",
                "漏签可在{days}内补签，每月最多{times}，每次{cost}。",
                days=words.days(self.make_up.days), times=words.times(self.make_up.a_month),
                cost=words.points(self.make_up.cost),
            )  # fmt: skip
            yield Said(Topic.EARNING, text, ("make_up",))


class Month(NamedTuple):
    """The days of a month as bits, the first day the lowest; ``made_up`` are those that were bought."""

    days: int = 0
    made_up: int = 0


class Days:
    """The days on which a member signed in."""

    def __init__(self, months: Mapping[int, Month]) -> None:
        self._months = months

    def __contains__(self, day: date) -> bool:
        return bool(self.month(day).days & bit(day))

    def month(self, day: date) -> Month:
        """The month in which ``day`` lies."""
        return self._months.get(month_number(day), Month())

    def streak(self, until: date) -> int:
        """How many days in an unbroken row end with ``until``; 0 when it is not among them.

        >>> Days({202602: Month(0b1111 << 24), 202603: Month(0b0111)}).streak(date(2026, 3, 3))
        7
        """
        length = 0
        while True:
            gaps = ~self.month(until).days & ((1 << until.day) - 1)
            length += until.day - gaps.bit_length()
            if gaps:
                return length
            until = until.replace(day=1) - ONE_DAY

    def longest(self, year: int) -> int:
        """The longest unbroken row of days in a year, of the days that lie in it.

        >>> Days({202512: Month(1 << 30), 202601: Month(0b1011)}).longest(2026)
        2
        """
        longest = length = 0
        day = date(year, 1, 1)
        while day.year == year:
            length = length + 1 if day in self else 0
            longest = max(longest, length)
            day += ONE_DAY
        return longest

    def of_month(self, day: date) -> Iterator[tuple[date, bool]]:
        """The days of a month on which the member signed in, and whether each was made up."""
        month = self.month(day)
        for number in range(1, month_end(day).day + 1):
            day = day.replace(day=number)
            if month.days & bit(day):
                yield day, bool(month.made_up & bit(day))


def days_of(rows: Iterable[Any]) -> Days:
    """The days in the channel's rows."""
    return Days({row.month: Month(row.days, row.made_up) for row in rows})


def missed(days: Days, make_up: MakeUp, today: date, enrolled: date) -> list[date]:
    """The days that can be made up today, the earliest first: none before the member enrolled."""
    back = (today - timedelta(days=number) for number in range(make_up.days, 0, -1))
    return [day for day in back if day >= enrolled and day not in days]


def month_number(day: date) -> int:
    """The month as it is stored.

    >>> month_number(date(2026, 6, 30))
    202606
    """
    return day.year * 100 + day.month


def bit(day: date) -> int:
    """The day in its month's bits."""
    return 1 << (day.day - 1)
