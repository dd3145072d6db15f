"""What a tag asks of a prediction: limits in the programme, and no more.

Nothing here, and nobody who imports it, sees what is predicted of anybody: the job that predicts compares the two, and
all that comes back is a tag.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from core.rulebook.document import QuotedDecimal, Section

KEPT_DAYS: Final = 7
"""For how many days a prediction goes on to say something, where no run makes a new one."""


class Limits(Section):
    """Between what a figure must lie: ``at_least`` so much, and ``below``."""

    at_least: QuotedDecimal | None = None
    below: QuotedDecimal | None = None

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        if self.at_least is None and self.below is None:
            _refuse("needs at_least, or below, or both")
        if self.at_least is not None and self.below is not None and self.at_least >= self.below:
            _refuse("nothing is both at_least and below that")
        if self.below == 0 or (self.at_least == 0 and self.below is None):
            _refuse("holds for nobody, or for everybody")
        return self

    def hold(self, figure: Decimal) -> bool:
        """Whether it lies between them."""
        return (self.at_least is None or figure >= self.at_least) and (self.below is None or figure < self.below)


class Predicted(Section):
    """What must be predicted of who has a tag, all of it: each figure for the next thirteen weeks.

    ``likely_gone`` is from 0 to 1, ``expected_orders`` days with an order, ``expected_value`` in the currency's unit.
    Of whom nothing is said of a figure, it lies between no limits.
    """

    likely_gone: Limits | None = None
    expected_orders: Limits | None = None
    expected_value: Limits | None = None
    points_likely_lost: Limits | None = None

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        if not dict(self.limits()):
            _refuse(f"asks for one at least of {', '.join(type(self).model_fields)}")
        for limit in (limit for limits in (self.likely_gone,) if limits for limit in (limits.at_least, limits.below)):
            if limit is not None and limit > 1:
                _refuse("likely_gone lies between 0 and 1")
        return self

    def limits(self) -> Iterator[tuple[str, Limits]]:
        """The figures that it asks for, by name, with their limits."""
        for name in type(self).model_fields:
            limits: Limits | None = getattr(self, name)
            if limits is not None:
                yield name, limits


def _refuse(reason: str) -> None:
    raise PydanticCustomError("predicted", "{reason}", {"reason": reason})
