"""Windows: how far back something is counted, in days of the programme's zone."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from core.time.calendar import add_months, month_end


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

    def is_longer(self, other: "Window") -> bool:
        """Whether it surely holds every day that the other does."""
        most = None if other == LIFETIME else other.days or 31 * (other.months or 0)
        least = None if self == LIFETIME else self.days or 28 * (self.months or 0)
        return least is None or (most is not None and least >= most)

    def __str__(self) -> str:
        if self.days is not None:
            return f"{self.days} days"
        return "lifetime" if self.months is None else f"{self.months} months"


LIFETIME: Final = Window()


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
