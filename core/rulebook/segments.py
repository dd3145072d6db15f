"""Segments: who is meant by what they did of late, or have not done for long; and when that can next change.

Criteria are figures with limits, not expressions, as those of tiers are: so the next day on which one can begin or
cease to hold follows from what was counted, and whoever is concerned is looked at on that day and on no other. All is
pure: what holds on a day depends on the day and on what was counted until then, whoever asks, and whenever.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from typing import Annotated, Any, Final, NamedTuple, Self, TypeVar

from pydantic import Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from core.books.tallies import SPEND, Count, Tally, day_number, day_of, fact_value
from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.rules import check_countable
from core.time.calendar import add_months
from core.time.windows import LIFETIME, Window, WindowField

_DAYS_MAX: Final = 36_600
_ONE_DAY: Final = timedelta(days=1)

T = TypeVar("T")


class History:
    """What was counted of a member, by day, ready to be added up."""

    __slots__ = ("_days", "_sums", "currency", "enrolled_on")

    def __init__(self, enrolled_on: date, currency: str, counted: Iterable[Tally | Count]) -> None:
        self.enrolled_on = enrolled_on
        self.currency = currency
        by_name: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for name, day, amount in counted:
            by_name[name][day] += amount
        self._days: dict[str, list[int]] = {}
        self._sums: dict[str, list[int]] = {}
        for name, amounts in by_name.items():
            days = sorted(day for day, amount in amounts.items() if amount)
            self._days[name] = days
            self._sums[name] = list(accumulate((amounts[day] for day in days), initial=0))

    def total(self, name: str, first: date | None, last: date) -> int:
        """What was counted on the days from ``first`` to ``last``, both included."""
        days, sums = self._days.get(name, ()), self._sums.get(name, (0,))
        begin = 0 if first is None else bisect_left(days, day_number(first))
        return sums[max(bisect_right(days, day_number(last)), begin)] - sums[begin]

    def days(self, name: str, first: date | None) -> Iterator[date]:
        """The days from ``first`` on for which something is counted."""
        days: Sequence[int] = self._days.get(name, ())
        begin = 0 if first is None else bisect_left(days, day_number(first))
        return map(day_of, days[begin:])

    def latest(self, names: Iterable[str], until: date) -> date:
        """The last day until then on which more was done of one of these than taken away; joining is the first."""
        latest = self.enrolled_on
        for name in names:
            days, sums = self._days.get(name, ()), self._sums.get(name, (0,))
            for at in range(bisect_right(days, day_number(until)) - 1, -1, -1):
                if sums[at + 1] > sums[at]:
                    latest = max(latest, day_of(days[at]))
                    break
        return latest


class SegmentCriterion(Section):
    """A figure, and between what it must lie: ``at_least`` so much, and ``below``.

    The figure is a ``fact`` over a ``window``, the number of days ``days_since`` the member last did one of these (or
    joined), or with ``as_member`` that of the days since the member joined.
    """

    fact: str | None = None
    window: WindowField | None = None
    days_since: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)] | None = None
    as_member: Annotated[bool, Field(strict=True)] = False
    at_least: QuotedDecimal | None = None
    below: QuotedDecimal | None = None

    @model_validator(mode="after")
    def _can_hold(self, info: ValidationInfo) -> Self:
        if (self.fact is not None) + (self.days_since is not None) + self.as_member != 1:
            _refuse("asks for one of fact, days_since and as_member")
        if self.window is not None and self.fact is None:
            _refuse("a window is of a fact")
        for name in (*(self.days_since or ()), *([self.fact] if self.fact is not None else ())):
            check_countable(name, info, (SPEND,))
        if self.at_least is None and self.below is None:
            _refuse("needs at_least, or below, or both")
        if self.at_least is not None and self.below is not None and self.at_least >= self.below:
            _refuse("nothing is both at_least and below that")
        if self.below == 0 or (self.at_least == 0 and self.below is None):
            _refuse("holds for nobody, or for everybody")
        for limit in self._limits:
            if self.fact != SPEND and limit != int(limit):
                _refuse("is counted in whole numbers")
            if self.fact is None and limit > _DAYS_MAX:
                _refuse(f"days are {_DAYS_MAX} at most")
        return self

    @property
    def _limits(self) -> list[Decimal]:
        return [limit for limit in (self.at_least, self.below) if limit is not None]

    @cached_property
    def names(self) -> frozenset[str]:
        """The tallies that it looks at."""
        return frozenset(self.days_since or ([self.fact] if self.fact is not None else ()))

    def since(self, on: date) -> date | None:
        """The first day that can matter to it on a day; None when all do."""
        if self.fact is not None:
            return (self.window or LIFETIME).start(on)
        # Longer ago than the larger limit is as long ago as need be.
        return on - timedelta(days=int(max(self._limits)))

    def figure(self, history: History, on: date) -> Decimal:
        """What it is on a day."""
        if self.fact is not None:
            amount = history.total(self.fact, (self.window or LIFETIME).start(on), on)
            return fact_value(self.fact, amount, history.currency)
        since = history.enrolled_on if self.as_member else history.latest(self.days_since or (), on)
        return Decimal((on - since).days)

    def holds(self, history: History, on: date) -> bool:
        """Whether it holds on a day."""
        figure = self.figure(history, on)
        return (self.at_least is None or figure >= self.at_least) and (self.below is None or figure < self.below)

    def turns(self, history: History, after: date) -> Iterator[date]:
        """The days after one on which it can begin or cease to hold, if nothing more is counted."""
        if self.fact is not None:
            window = self.window or LIFETIME
            for day in history.days(self.fact, window.start(after)):
                if day > after:
                    yield day
                if window != LIFETIME:
                    yield _leaves(window, day)
            return
        begins = [history.enrolled_on if self.as_member else history.latest(self.days_since or (), after)]
        # Clocks of other systems may be a little ahead.
        begins += (day for name in self.names for day in history.days(name, after + _ONE_DAY))
        for since in begins:
            for day in (since, *(since + timedelta(days=int(limit)) for limit in self._limits)):
                if day > after:
                    yield day


def _leaves(window: Window, day: date) -> date:
    """The first day on which the window has not that day any more."""
    if window.days is not None:
        return day + timedelta(days=window.days)
    # Months have no one length: it is near to the same day of a later one.
    left = add_months(day, window.months or 0) - 4 * _ONE_DAY
    while (start := window.start(left)) is not None and start <= day:
        left += _ONE_DAY
    return left


class Segment(Section):
    """A name, and what holds for who belongs to it: all of the criteria, or any of them."""

    id: Identifier
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    all_of: "Criteria | None" = Field(default=None, alias="all")
    any_of: "Criteria | None" = Field(default=None, alias="any")

    @model_validator(mode="after")
    def _all_or_any(self) -> Self:
        if self.all_of is not None and self.any_of is not None:
            raise PydanticCustomError("segment", "has criteria under all or under any, not both")
        return self

    @property
    def criteria(self) -> tuple[SegmentCriterion, ...]:
        return self.all_of or self.any_of or ()

    def has(self, history: History, on: date) -> bool:
        """Whether who has this history belongs to it on a day; everybody does where nothing is asked for."""
        met = (criterion.holds(history, on) for criterion in self.criteria)
        return any(met) if self.any_of is not None else all(met)


Criteria = Annotated[tuple[SegmentCriterion, ...], Field(min_length=1, max_length=10)]
Segment.model_rebuild()


class Look(NamedTuple):
    """How it is on a day, and the first day after on which it is otherwise if nothing more is counted."""

    now: Any
    turns_on: date | None


class Segments:
    """Several segments looked at together: which tallies they need, and when what they say changes."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._criteria = tuple(criterion for segment in segments for criterion in segment.criteria)
        self.names = frozenset(name for criterion in self._criteria for name in criterion.names)

    def since(self, on: date) -> date | None:
        """The first day that can matter to any of them on a day; None when all do."""
        firsts = [criterion.since(on) for criterion in self._criteria]
        return None if None in firsts else min((first for first in firsts if first is not None), default=on)

    def look(self, said: Callable[[date], T], history: History, on: date) -> Look:
        """What is ``said`` of a day, and when that changes."""
        now = said(on)
        days = {day for criterion in self._criteria for day in criterion.turns(history, on)}
        return Look(now, next((day for day in sorted(days) if said(day) != now), None))


def _refuse(reason: str) -> None:
    raise PydanticCustomError("segment", "{reason}", {"reason": reason})
