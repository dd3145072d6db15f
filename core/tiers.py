"""The ladder of tiers: who stands where, and how far the next one is.

Criteria are facts with thresholds, not expressions, so that progress can be computed from them. A fact
is counted over a window of the programme's days; counting is the caller's affair, who asks the ladder
what it needs (``needs``) and hands the figures to ``evaluate`` and ``progress``. Spending never enters:
tiers stand on what was earned, bought and paid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import cached_property
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import Field, PlainValidator, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from core.calendar import add_months, month_end
from core.document import Identifier, QuotedDecimal, Section
from core.language import NUMBERS
from core.suggest import did_you_mean

Number = Decimal | int

_PLACES = Decimal("0.0001")
_ONE = Decimal(1)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Window:
    """How far back a fact is counted: some months, some days, or the whole life."""

    months: int | None = None
    days: int | None = None

    def start(self, on: date) -> date | None:
        """The first day that counts on the day ``on``; None when all days do.

        >>> Window(months=12).start(date(2026, 11, 22))
        datetime.date(2025, 11, 23)

        What happened on day d counts on every day before d + window. That is how long a lot with an
        expiry of as many months lives, so a balance that lapses and a sum over a window agree.
        """
        if self.days is not None:
            return on - timedelta(days=self.days - 1)
        if self.months is None:
            return None
        gone = add_months(on, -self.months)
        if on == month_end(on):
            gone = month_end(gone)  # the 31st and a month is the 28th as well
        return gone + timedelta(days=1)

    def __str__(self) -> str:
        if self.days is not None:
            return f"{self.days} days"
        return "lifetime" if self.months is None else f"{self.months} months"


LIFETIME: Final = Window()


class Need(NamedTuple):
    """A figure the ladder asks for: a fact over a window."""

    fact: str
    window: Window


@dataclass(frozen=True, slots=True)
class FactKind:
    """A fact that tiers can ask for. One with ``quotient_of`` is the first of the two over the second."""

    description: str
    fractional: bool = False
    quotient_of: tuple[str, str] | None = None


FACTS: Final[Mapping[str, FactKind]] = {
    "points_earned": FactKind("points earned, net of refunds, whatever became of them"),
    "growth_earned": FactKind("growth earned, net of refunds"),
    "spend": FactKind("money paid, net of refunds", fractional=True),
    "orders": FactKind("orders paid and not wholly refunded"),
    "average_order": FactKind("money paid an order", fractional=True, quotient_of=("spend", "orders")),
}
"""The facts every programme has; channels may register more."""


def _window(value: Any) -> Window:
    match value:
        case Window():
            return value
        case "lifetime":
            return LIFETIME
        case {"months": int(months)} if len(value) == 1 and months is not True and 1 <= months <= 1200:
            return Window(months=months)
        case {"days": int(days)} if len(value) == 1 and days is not True and 1 <= days <= 36600:
            return Window(days=days)
        case _:
            raise PydanticCustomError("window", "a window is lifetime, {months: n} or {days: n}")


WindowField = Annotated[Window, PlainValidator(_window)]


class Criterion(Section):
    """A fact and the least that it must be. Without a window of its own it takes the ladder's."""

    fact: str
    at_least: QuotedDecimal
    window: WindowField | None = None

    @model_validator(mode="after")
    def _asks_for_a_fact_there_is(self, info: ValidationInfo) -> Self:
        facts: Mapping[str, FactKind] = FACTS if info.context is None else info.context
        if self.fact not in facts:
            reason = f"unknown fact {self.fact!r}{did_you_mean(self.fact, facts)}"
            raise PydanticCustomError("fact", "{reason}", {"reason": reason})
        if self.at_least <= 0:
            raise PydanticCustomError("fact", "at_least must be more than 0")
        if not facts[self.fact].fractional and self.at_least != int(self.at_least):
            raise PydanticCustomError("fact", "{reason}", {"reason": f"{self.fact} is counted in whole numbers"})
        return self


Criteria = Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=10)]


class Tier(Section):
    """A tier, and what one must meet to reach it: all of the criteria or any of them."""

    id: Identifier
    name: str | None = None
    all_of: Criteria | None = Field(default=None, alias="all")
    any_of: Criteria | None = Field(default=None, alias="any")

    @model_validator(mode="after")
    def _asks_for_all_or_any(self) -> Self:
        if self.all_of is not None and self.any_of is not None:
            raise PydanticCustomError("tier", "has criteria under all or under any, not both")
        return self

    @cached_property
    def mode(self) -> Literal["all", "any"] | None:
        if self.all_of is not None:
            return "all"
        return None if self.any_of is None else "any"


class CriterionProgress(NamedTuple):
    """How far one criterion of the next tier is met. ``ratio`` is 0 to 1, four places, rounded down."""

    fact: str
    window: Window
    current: Decimal
    required: Decimal
    remaining: Decimal
    ratio: Decimal


class Progress(NamedTuple):
    """How far the next tier is.

    Where all criteria must be met ``ratio`` is the smallest of theirs, because the tier is as far away
    as its farthest criterion, and the bar is full exactly when the tier is reached; where any of them
    is enough it is the largest. On the highest tier ``next`` is None and the bar is full.
    """

    tier: str
    next: str | None
    mode: Literal["all", "any"] | None
    criteria: tuple[CriterionProgress, ...]
    ratio: Decimal


class Ladder(Section):
    """The tiers from the lowest up. The first is where everyone starts."""

    window: WindowField = LIFETIME
    ladder: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=20)]

    _facts: Mapping[str, FactKind] = PrivateAttr(default=FACTS)

    @model_validator(mode="after")
    def _climbs(self, info: ValidationInfo) -> Self:
        self._facts = FACTS if info.context is None else info.context
        if len(self._measures) != len(self.ladder):
            raise PydanticCustomError("ladder", "two tiers have one id")
        if self.ladder[0].mode is not None:
            raise PydanticCustomError("ladder", "the first tier is where everyone starts; it has no criteria")
        highest: dict[Need, tuple[Decimal, str]] = {}
        forms = set[Any]()
        for tier in self.ladder[1:]:
            if tier.mode is None:
                self._refuse(f"tier {tier.id!r} has no criteria")
            measures = self._measures[tier.id]
            form = (tier.mode, frozenset((measure.need, measure.required) for measure in measures))
            if form in forms:
                self._refuse(f"tier {tier.id!r} asks for the same as a tier below it, which no one could be in")
            forms.add(form)
            for need, _, required in measures:
                below, owner = highest.get(need, (_ZERO, ""))
                if required < below:
                    self._refuse(
                        f"tier {tier.id!r} asks for {need.fact} of {required}, "
                        f"less than {owner!r} below it with {below}"
                    )
                highest[need] = (required, tier.id)
        return self

    @staticmethod
    def _refuse(reason: str) -> None:
        raise PydanticCustomError("ladder", "{reason}", {"reason": reason})

    @cached_property
    def _measures(self) -> Mapping[str, tuple["_Measure", ...]]:
        """The criteria of each tier, ready to be judged by every operation that counts something."""
        return {tier.id: tuple(map(self._measure, tier.all_of or tier.any_of or ())) for tier in self.ladder}

    def _measure(self, criterion: Criterion) -> "_Measure":
        need = Need(criterion.fact, criterion.window or self.window)
        figures = self._facts[need.fact].quotient_of or (need.fact,)
        return _Measure(need, tuple(Need(fact, need.window) for fact in figures), criterion.at_least)

    @cached_property
    def _needs(self) -> frozenset[Need]:
        return frozenset(figure for of_tier in self._measures.values() for one in of_tier for figure in one.figures)

    @property
    def entry(self) -> str:
        """The tier where everyone starts."""
        return self.ladder[0].id

    def tier(self, tier_id: str) -> Tier:
        """Raises KeyError when the ladder has no such tier."""
        for tier in self.ladder:
            if tier.id == tier_id:
                return tier
        raise KeyError(tier_id)

    def rank(self, tier_id: str) -> int:
        """Its place on the ladder, 0 the lowest; -1 for a tier that the ladder has not."""
        return next((place for place, tier in enumerate(self.ladder) if tier.id == tier_id), -1)

    def needs(self) -> frozenset[Need]:
        """The figures that ``evaluate`` wants to be given, and ``progress`` from whichever tier."""
        return self._needs

    def needs_above(self, tier_id: str) -> frozenset[Need]:
        """The figures that ``progress`` from this tier wants. Raises KeyError when the ladder has no such tier."""
        following = self.ladder.index(self.tier(tier_id)) + 1
        if following == len(self.ladder):
            return frozenset()
        return frozenset(need for one in self._measures[self.ladder[following].id] for need in one.figures)

    def evaluate(self, facts: Mapping[Need, Number]) -> str:
        """The highest tier whose criteria hold; tiers on the way to it may be skipped."""
        for tier in reversed(self.ladder):
            met = (measure.current(facts) >= measure.required for measure in self._measures[tier.id])
            if tier.mode is None or (all(met) if tier.mode == "all" else any(met)):
                return tier.id
        raise AssertionError("the first tier has no criteria")

    def progress(self, facts: Mapping[Need, Number], tier_id: str) -> Progress:
        """From ``tier_id`` to the next one up. Raises KeyError when the ladder has no such tier."""
        position = self.ladder.index(self.tier(tier_id))
        if position == len(self.ladder) - 1:
            return Progress(tier_id, None, None, (), _ONE)
        following = self.ladder[position + 1]
        criteria = tuple(
            _criterion_progress(measure.need, measure.current(facts), measure.required)
            for measure in self._measures[following.id]
        )
        ratios = [criterion.ratio for criterion in criteria]
        ratio = min(ratios) if following.mode == "all" else max(ratios)
        return Progress(tier_id, following.id, following.mode, criteria, ratio)


class _Measure(NamedTuple):
    """A criterion with all decided. ``figures`` are its need itself, or a dividend and a divisor."""

    need: Need
    figures: tuple[Need, ...]
    required: Decimal

    def current(self, facts: Mapping[Need, Number]) -> Decimal:
        if len(self.figures) == 1:
            return Decimal(facts[self.need])
        dividend, divisor = (Decimal(facts[figure]) for figure in self.figures)
        return NUMBERS.divide(dividend, divisor) if divisor > 0 else _ZERO


def _criterion_progress(need: Need, current: Decimal, required: Decimal) -> CriterionProgress:
    if current >= required:
        remaining, ratio = _ZERO, _ONE
    else:
        remaining = required - current
        # More refunded than bought in the window is no progress, not less than none.
        ratio = NUMBERS.divide(max(current, _ZERO), required)
    shown, left = (_four_places(value) for value in (current, remaining))
    return CriterionProgress(need.fact, need.window, shown, required, left, ratio.quantize(_PLACES, ROUND_DOWN))


def _four_places(value: Decimal) -> Decimal:
    """Only a quotient has more; whole numbers and money stay as they are."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return value.quantize(_PLACES, ROUND_DOWN) if exponent < -4 else value
