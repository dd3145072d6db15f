"""Suggestions: what fits a member now, and why, from whichever channel has something to offer.

A channel answers for itself (``register_suggestions``), of what it knows; nobody needs to know the channel.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

OF_CHANNEL_MAX: Final = 5
"""How many suggestions of one channel are looked at, so that no channel takes all the room."""
SUITS: Final = 20
"""How much more something weighs that is meant for members with a tag that the member has."""
WEIGHT_MAX: Final = 100

_SUITS: Final = {"en": "It is meant for members like you.", "zh": "专为像您这样的会员准备。"}


class SuggestionKind(StrEnum):
    """What the member would do."""

    EARN = "earn"
    SPEND = "spend"
    USE = "use"


class Suggestion(NamedTuple):
    """Something to do: ``subject`` is its id in the channel's section of the programme.

    ``weight`` is from 0 to 100, the most fitting the greatest. ``points`` are what it brings or costs, ``until`` when
    it is too late. ``suits`` are tags of members for whom it is meant. It ``saves`` points if it can be done at once,
    and takes some that are lost otherwise.
    """

    kind: SuggestionKind
    subject: str
    title: str
    reason: str
    reason_zh: str
    weight: int
    points: int | None = None
    until: datetime | None = None
    suits: Collection[str] = ()
    saves: bool = False

    def suited(self, tags: Collection[str], predicted: Collection[str]) -> "Suggestion":
        """The same, and more so if it is meant for members with a tag that this one has.

        One by prediction weighs as much, and nothing is said of it: the member is told of no prediction.
        """
        weight = min(self.weight + SUITS, WEIGHT_MAX)
        if set(self.suits).isdisjoint(tags):
            return self if set(self.suits).isdisjoint(predicted) else self._replace(weight=weight)
        return self._replace(
            weight=weight,
            reason=f"{self.reason} {_SUITS['en']}",
            reason_zh=f"{self.reason_zh}{_SUITS['zh']}",
        )


Suggester = Callable[[Any, Any], Awaitable[Sequence[Suggestion]]]
"""Answers for a request and a member of the schema, with a fixed number of statements for all members of a page."""


def place(suggestion: Suggestion) -> tuple[int, bool, float, str]:
    """Its place among others: the most fitting first; of equally fitting ones those that are over soonest."""
    until = suggestion.until
    return -suggestion.weight, until is None, until.timestamp() if until else 0.0, suggestion.subject
