"""What a programme says of keeping a tier: ``tiers: keep:``. When it is judged, how strictly, and what follows.

A tier is judged by whole days: at 00:00 of a day of the programme, by what was counted until the day before. So the
answer is the same whenever somebody comes to ask for it.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from core.rulebook.document import QuotedDecimal, Section
from core.time.calendar import add_months, month_end, next_day, quarter_end, year_end
from core.time.windows import WindowField

_ENDS: Final[Mapping[str, Callable[[date], date]]] = {"month": month_end, "quarter": quarter_end, "year": year_end}
_SHORTEST: Final = {"month": 28, "quarter": 90, "year": 365}


class Period(NamedTuple):
    """How long a tier is kept before it is judged.

    So many months from the day on which it was reached or last kept, or to the end of a month, a quarter or a year.
    """

    months: int | None = None
    end_of: str | None = None

    def next(self, day: date) -> date:
        """The day on which a tier is judged that was reached, or kept, on ``day``.

        >>> Period(months=12).next(date(2028, 2, 29)), Period(end_of="year").next(date(2027, 3, 10))
        (datetime.date(2029, 2, 28), datetime.date(2028, 1, 1))
        """
        if self.months is not None:
            return add_months(day, self.months)
        assert self.end_of is not None
        return next_day(_ENDS[self.end_of](day))

    @property
    def days_least(self) -> int:
        """How many days it has at least."""
        return _SHORTEST[self.end_of] if self.end_of else 28 * (self.months or 0)


def _period(value: Any) -> Period:
    match value:
        case Period():
            return value
        case "yearly":
            return Period(months=12)
        case {"months": int(months)} if len(value) == 1 and months is not True and 1 <= months <= 120:
            return Period(months=months)
        case {"end_of": "month" | "quarter" | "year" as end} if len(value) == 1:
            return Period(end_of=end)
        case _:
            raise PydanticCustomError("period", "a review is yearly, {months: n} or {end_of: month | quarter | year}")


Days = Annotated[int, Field(strict=True, ge=0, le=366)]


class Keep(Section):
    """How a tier is kept."""

    review: Annotated[Period, PlainValidator(_period)]
    # What of a tier's thresholds is enough to keep it, and how far back is counted where a criterion does not say it.
    ratio: QuotedDecimal = Decimal(1)
    window: WindowField | None = None
    # Who does not keep it falls one tier, or to the highest whose thresholds are met.
    steps_down: Literal["one", "match"] = "one"
    # So many days before, who would fall is warned.
    warn_days: Days = 0
    # So many days longer, who did not keep it has for a last spurt.
    grace_days: Days = 0
    # What becomes of a tier when what it was reached with is taken back.
    taken_back: Literal["at_review", "one", "match"] = "at_review"

    @model_validator(mode="after")
    def _is_meant(self) -> Self:
        if not 0 < self.ratio <= 1:
            raise PydanticCustomError("keep", "ratio must be more than 0 and at most 1")
        for name, days in (("warn_days", self.warn_days), ("grace_days", self.grace_days)):
            if days >= self.review.days_least:
                reason = f"{name} must be less than the {self.review.days_least} days from one review to the next"
                raise PydanticCustomError("keep", "{reason}", {"reason": reason})
        return self

    def warned_on(self, day: date) -> date:
        """The day on which who is judged on ``day`` is warned."""
        return day - timedelta(days=self.warn_days)

    def lost_on(self, day: date) -> date:
        """The day on which a tier is lost that was judged on ``day`` and not kept."""
        return day + timedelta(days=self.grace_days)
