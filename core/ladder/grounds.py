"""What a change of tier was decided by: each criterion with its figure, kept with the change for ever.

What was counted on a day changes when an order of that day is refunded later. So the figures of the moment are written
down with what followed from them, and are never computed again.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Self

from core.ladder.tiers import Ladder, Need, Number
from core.time.windows import Window


class JudgedCriterion(NamedTuple):
    """A criterion, and the figure that was held against it."""

    fact: str
    window: Window
    current: Decimal
    required: Decimal
    met: bool


class JudgedTier(NamedTuple):
    """A tier that was asked about: all of its criteria had to be met, or any, by its ``mode``."""

    tier: str
    mode: Literal["all", "any"]
    criteria: tuple[JudgedCriterion, ...]

    @property
    def met(self) -> bool:
        """Whether the criteria were met, in the way they belong together."""
        return (all if self.mode == "all" else any)(one.met for one in self.criteria)


class Grounds(NamedTuple):
    """The tiers that were asked about, those that ask for anything, by windows that ended on the day ``on``.

    ``keeping``: by what keeps them, at a review. ``until`` is the last day that counted, later than ``on`` in days of
    grace; None for all that was counted by then.
    """

    on: date
    until: date | None
    keeping: bool
    tiers: tuple[JudgedTier, ...]

    @classmethod
    def of(
        cls,
        ladder: Ladder,
        tiers: Iterable[str],
        facts: Mapping[Need, Number],
        on: date,
        until: date | None = None,
        *,
        keeping: bool = False,
    ) -> Self:
        """What the ladder says of these tiers by the figures."""
        judged = []
        for tier in tiers:
            found = ladder.keeping(facts, tier) if keeping else ladder.progress(facts, tier, towards=tier)
            criteria = [JudgedCriterion(*one[:4], met=one.ratio == 1) for one in found.criteria]
            if found.mode is not None:
                judged.append(JudgedTier(tier, found.mode, tuple(criteria)))
        return cls(on, until, keeping, tuple(judged))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What ``to_json`` wrote."""
        until = stored["until"]
        return cls(
            date.fromisoformat(stored["on"]),
            None if until is None else date.fromisoformat(until),
            stored["keeping"],
            tuple(
                JudgedTier(
                    tier["tier"],
                    tier["mode"],
                    tuple(
                        JudgedCriterion(
                            one["fact"],
                            Window(**one["window"]),
                            Decimal(one["current"]),
                            Decimal(one["required"]),
                            one["met"],
                        )
                        for one in tier["criteria"]
                    ),
                )
                for tier in stored["tiers"]
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "on": self.on.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "keeping": self.keeping,
            "tiers": [
                {
                    "tier": tier.tier,
                    "mode": tier.mode,
                    "criteria": [
                        {
                            "fact": one.fact,
                            "window": {
                                unit: number
                                for unit, number in (("months", one.window.months), ("days", one.window.days))
                                if number is not None
                            },
                            "current": format(one.current, "f"),
                            "required": format(one.required, "f"),
                            "met": one.met,
                        }
                        for one in tier.criteria
                    ],
                }
                for tier in self.tiers
            ],
        }
