"""The ladder of tiers: who stands where, and how far the next one is.

Criteria are facts with thresholds, not expressions, so that progress can be computed from them. A fact
is counted over a window of the programme's days; counting is the caller's affair, who asks the ladder
what it needs (``needs``) and hands the figures to ``evaluate`` and ``progress``. Spending never enters:
tiers stand on what was earned, bought and paid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from functools import cached_property
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from core.ladder.keeping import Keep
from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.language import NUMBERS
from core.suggest import did_you_mean
from core.time.windows import LIFETIME, Window, WindowField

Number = Decimal | int

_PLACES = Decimal("0.0001")
_ONE = Decimal(1)
_MET = _ONE.quantize(_PLACES)
_ZERO = Decimal(0)
_NONE = _ZERO.quantize(_PLACES)


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
    """How far the next tier is, or another one, or how far what keeps this one.

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
    """The tiers from the lowest up. The first is where everyone starts.

    Without ``keep`` a tier is reached for ever. ``replaces`` says, of tiers that former versions had and this one has
    not, on which their members stand from now on.
    """

    window: WindowField = LIFETIME
    ladder: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=20)]
    keep: Keep | None = None
    replaces: Annotated[dict[Identifier, Identifier], Field(max_length=50)] = Field(default_factory=dict)

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
            for need, required in ((measure.need, measure.required) for measure in measures):
                below, owner = highest.get(need, (_ZERO, ""))
                if required < below:
                    self._refuse(
                        f"tier {tier.id!r} asks for {need.fact} of {required}, "
                        f"less than {owner!r} below it with {below}"
                    )
                highest[need] = (required, tier.id)
        self._leaves_room()
        if self.keep is not None and len(self.ladder) == 1:
            self._refuse("keep: there is one tier, and nobody can fall")
        for former, tier_id in self.replaces.items():
            if former in self._measures:
                self._refuse(f"replaces: {former!r} is on the ladder itself")
            if tier_id not in self._measures:
                self._refuse(f"replaces: no tier {tier_id!r} on the ladder{did_you_mean(tier_id, self._measures)}")
        return self

    def _leaves_room(self) -> None:
        """Refuse a tier on which nobody can stand, as whoever meets it meets a higher one."""
        for at, lower in enumerate(self.ladder):
            for higher in self.ladder[at + 1 :]:
                if lower.mode is not None and self._implies(lower, higher):
                    self._refuse(
                        f"nobody could stand on tier {lower.id!r}: whoever meets it meets {higher.id!r} above it"
                    )

    def _implies(self, lower: Tier, higher: Tier) -> bool:
        given, asked = self._measures[lower.id], self._measures[higher.id]
        enough = all if higher.mode == "all" else any
        # One criterion that is met, or all of them, and what follows from that.
        cases = [given] if lower.mode == "all" else [(one,) for one in given]
        return all(enough(any(self._covers(one, other) for one in case) for other in asked) for case in cases)

    def _covers(self, given: "_Measure", asked: "_Measure") -> bool:
        """Whether who meets the one criterion is sure to meet the other."""
        if given.need.fact != asked.need.fact or given.required < asked.required:
            return False
        # Nothing counts less than nothing on a day, so a longer window holds as much; an average is another matter.
        longer = len(given.figures) == 1 and asked.need.window.is_longer(given.need.window)
        return given.need.window == asked.need.window or longer

    @staticmethod
    def _refuse(reason: str) -> None:
        raise PydanticCustomError("ladder", "{reason}", {"reason": reason})

    @cached_property
    def _measures(self) -> Mapping[str, tuple["_Measure", ...]]:
        """The criteria of each tier, ready to be judged by every operation that counts something."""
        return {
            tier.id: tuple(self._measure(one, self.window, _ONE) for one in tier.all_of or tier.any_of or ())
            for tier in self.ladder
        }

    @cached_property
    def _kept_by(self) -> Mapping[str, tuple["_Measure", ...]]:
        """What keeps each tier: of its criteria so much as the programme says, over the window that it says."""
        keep = self.keep
        if keep is None:
            return self._measures
        window = keep.window or self.window
        return {
            tier.id: tuple(self._measure(one, window, keep.ratio) for one in tier.all_of or tier.any_of or ())
            for tier in self.ladder
        }

    def _measure(self, criterion: Criterion, window: Window, ratio: Decimal) -> "_Measure":
        need = Need(criterion.fact, criterion.window or window)
        required = criterion.at_least
        if ratio != _ONE:
            # Of what is counted in whole numbers the next one up.
            places = _PLACES if self._facts[need.fact].fractional else _ONE
            required = (required * ratio).quantize(places, ROUND_CEILING)
        figures = self._facts[need.fact].quotient_of or (need.fact,)
        return _Measure.of(need, tuple(Need(fact, need.window) for fact in figures), required)

    @cached_property
    def _needs(self) -> frozenset[Need]:
        return frozenset(figure for of_tier in self._measures.values() for one in of_tier for figure in one.figures)

    @cached_property
    def _keep_needs(self) -> frozenset[Need]:
        return frozenset(figure for of_tier in self._kept_by.values() for one in of_tier for figure in one.figures)

    @cached_property
    def _needs_by_tier(self) -> Mapping[str, frozenset[Need]]:
        return {
            tier_id: frozenset(need for one in measures for need in one.figures)
            for tier_id, measures in self._measures.items()
        }

    @cached_property
    def _ways(self) -> dict[tuple[str, str | None], "Way"]:
        return {}

    @cached_property
    def _ranks(self) -> Mapping[str, int]:
        return {tier.id: place for place, tier in enumerate(self.ladder)}

    @property
    def entry(self) -> str:
        """The tier where everyone starts."""
        return self.ladder[0].id

    def tier(self, tier_id: str) -> Tier:
        """Raises KeyError when the ladder has no such tier."""
        return self.ladder[self._ranks[tier_id]]

    def rank(self, tier_id: str) -> int:
        """Its place on the ladder, 0 the lowest; -1 for a tier that the ladder has not."""
        return self._ranks.get(tier_id, -1)

    def needs(self, *, keeping: bool = False) -> frozenset[Need]:
        """The figures that ``evaluate`` wants to be given, and ``progress`` towards any tier."""
        return self._keep_needs if keeping else self._needs

    def needs_of(self, tier_id: str) -> frozenset[Need]:
        """The figures that ``progress`` towards this tier wants. Raises KeyError when the ladder has no such tier."""
        return self._needs_by_tier[tier_id]

    def above(self, tier_id: str) -> str | None:
        """The next tier up, None at the top. Raises KeyError when the ladder has no such tier."""
        following = self._ranks[tier_id] + 1
        return self.ladder[following].id if following < len(self.ladder) else None

    def between(self, lower: str, upper: str) -> list[str]:
        """The tiers from the upper one down to the lower, both included; nothing when that is the higher."""
        return [tier.id for tier in reversed(self.ladder[self.rank(lower) : self.rank(upper) + 1])]

    def evaluate(self, facts: Mapping[Need, Number], *, keeping: bool = False) -> str:
        """The highest tier whose criteria hold; tiers on the way to it may be skipped.

        With ``keeping`` it is the highest that would be kept, by what is asked for at a review.
        """
        measures = self._kept_by if keeping else self._measures
        for tier in reversed(self.ladder):
            met = (one.current(*[facts[need] for need in one.figures]) >= one.required for one in measures[tier.id])
            if tier.mode is None or (all(met) if tier.mode == "all" else any(met)):
                return tier.id
        raise AssertionError("the first tier has no criteria")

    def fall(self, tier_id: str, held: str, steps_down: str, floor: str | None = None) -> str:
        """Where a member of a tier stands who holds another one only: there, or one tier down; not below ``floor``."""
        rank = self.rank(tier_id)
        if self.rank(held) >= rank:
            return tier_id
        below = self.rank(held) if steps_down == "match" else rank - 1
        if floor is not None:
            below = max(below, min(self.rank(floor), rank))
        return self.ladder[below].id

    def way(self, tier_id: str, *, towards: str | None = None) -> "Way":
        """From ``tier_id`` to the next one up, or towards another. Raises KeyError when the ladder has no such tier."""
        following = self.above(tier_id) if towards is None else towards
        found = self._ways.get((tier_id, following))
        if found is None:
            # There are no more than pairs of tiers.
            measures = () if following is None else self._measures[following]
            found = self._ways[tier_id, following] = self._way(tier_id, following, measures)
        return found

    def progress(self, facts: Mapping[Need, Number], tier_id: str, *, towards: str | None = None) -> Progress:
        """How far that way is gone. Raises KeyError when the ladder has no such tier."""
        way = self.way(tier_id, towards=towards)
        return way.progress([facts[need] for need in way.needs])

    def keeping(self, facts: Mapping[Need, Number], tier_id: str) -> Progress:
        """How far what keeps the tier is met. Raises KeyError when the ladder has no such tier."""
        way = self._way(tier_id, tier_id, self._kept_by[tier_id])
        return way.progress([facts[need] for need in way.needs])

    def _way(self, tier_id: str, towards: str | None, measures: Sequence["_Measure"]) -> "Way":
        mode = None if towards is None else self.tier(towards).mode
        return Way(tier_id, towards, mode, measures, [self._facts[one.need.fact].description for one in measures])


class Way:
    """From a tier towards another one: what is asked for on it, all decided, for however many members are there.

    ``next`` is None on the highest tier. ``needs`` are the figures that it is given, in this order.
    ``criteria`` are what is asked for, each with its description.
    """

    __slots__ = ("__weakref__", "_measures", "criteria", "mode", "needs", "next", "tier")

    def __init__(
        self,
        tier: str,
        following: str | None,
        mode: Literal["all", "any"] | None,
        measures: Sequence["_Measure"],
        descriptions: Sequence[str],
    ) -> None:
        self.tier = tier
        self.next = following
        self.mode = mode
        self.needs: Sequence[Need] = tuple(dict.fromkeys(need for one in measures for need in one.figures))
        self.criteria: Sequence[tuple[Need, str]] = tuple(
            (one.need, description) for one, description in zip(measures, descriptions, strict=True)
        )
        self._measures = tuple((one, tuple(self.needs.index(need) for need in one.figures)) for one in measures)

    def ratio(self, figures: Sequence[Number]) -> Decimal:
        """How far it is gone, as ``Progress`` says it."""
        # Nothing is asked of who is to reach the tier where everyone starts, nor on the highest.
        ratios = [
            one.ratio(figures[places[0]] if len(places) == 1 else one.current(*[figures[at] for at in places]))
            for one, places in self._measures
        ] or [_ONE]
        return min(ratios) if self.mode == "all" else max(ratios)

    def progress(self, figures: Sequence[Number]) -> Progress:
        """How far it and each of its criteria is met."""
        criteria = tuple(
            [
                one.progress(figures[places[0]]) if len(places) == 1 else one.progress(*[figures[at] for at in places])
                for one, places in self._measures
            ]
        )
        ratios = [criterion.ratio for criterion in criteria] or [_ONE]
        return Progress(self.tier, self.next, self.mode, criteria, min(ratios) if self.mode == "all" else max(ratios))


class _Measure(NamedTuple):
    """A criterion with all decided. ``figures`` are its need itself, or a dividend and a divisor.

    ``is_fine``: what is counted or missing of it may have more than four places; whole numbers and money have not.
    """

    need: Need
    figures: tuple[Need, ...]
    required: Decimal
    is_fine: bool

    @classmethod
    def of(cls, need: Need, figures: tuple[Need, ...], required: Decimal) -> "_Measure":
        return cls(need, figures, required, len(figures) > 1 or _four_places(required) != required)

    def current(self, figure: Number, divisor: Number | None = None) -> Decimal:
        """What is judged, of its figures."""
        current = figure if isinstance(figure, Decimal) else Decimal(figure)
        if divisor is None:
            return current
        return NUMBERS.divide(current, Decimal(divisor)) if divisor > 0 else _ZERO

    def ratio(self, current: Number) -> Decimal:
        """How far it is met. More refunded than bought in the window is no progress, not less than none."""
        required = self.required
        if current >= required:
            return _MET
        return NUMBERS.divide(current, required).quantize(_PLACES, ROUND_DOWN) if current > 0 else _NONE

    def progress(self, *figures: Number) -> CriterionProgress:
        (fact, window), _, required, is_fine = self
        current = self.current(*figures)
        ratio = self.ratio(current)
        remaining = _ZERO if ratio is _MET else required - current
        if is_fine:
            current, remaining = _four_places(current), _four_places(remaining)
        return CriterionProgress(fact, window, current, required, remaining, ratio)


def _four_places(value: Decimal) -> Decimal:
    """Only a quotient has more; whole numbers and money stay as they are."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return value.quantize(_PLACES, ROUND_DOWN) if exponent < -4 else value
