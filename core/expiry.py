"""When a lot stops being usable.

An expiry is an instant and it is exclusive: a lot with ``expires_at`` t can be spent until just before
t and not at t. It always falls on 00:00 of a day in the programme's zone.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from core.calendar import add_months, day_start, local_day, month_end, next_day, quarter_end, year_end

Months = Annotated[int, Field(strict=True, ge=1, le=1200)]

_ENDS: Final[Mapping[str, Callable[[date], date]]] = {"month": month_end, "quarter": quarter_end, "year": year_end}


class ExpiryPolicy(BaseModel):
    """How long a unit lasts, and what becomes of what returns too late.

    ``per_lot``   each lot ``months`` after the day it was earned, a month's end clamped
    ``calendar``  all lots of a period together, at the ``end_of`` it, or ``after_months`` more
    ``never``     kept for ever
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["per_lot", "calendar", "never"]
    months: Months | None = None
    end_of: Literal["month", "quarter", "year"] | None = None
    after_months: Months | None = None
    # What returns (a released hold, a refund) into a lot that has expired meanwhile: gone, or usable for
    # ``grace_days`` more.
    returned: Literal["lapse", "grace"] = "lapse"
    grace_days: Annotated[int, Field(strict=True, ge=1, le=366)] | None = None

    @model_validator(mode="after")
    def _each_mode_has_its_own_settings(self) -> Self:
        takes = {"per_lot": {"months"}, "calendar": {"end_of", "after_months"}, "never": set[str]()}[self.mode]
        given = {name for name in ("months", "end_of", "after_months") if getattr(self, name) is not None}
        if extra := sorted(given - takes):
            raise PydanticCustomError(
                "expiry", "mode {mode} takes no {extra}", {"mode": self.mode, "extra": ", ".join(extra)}
            )
        if self.mode == "per_lot" and self.months is None:
            raise PydanticCustomError("expiry", "mode per_lot needs months")
        if self.mode == "calendar" and self.end_of is None:
            raise PydanticCustomError("expiry", "mode calendar needs end_of")
        if (self.returned == "grace") != (self.grace_days is not None):
            raise PydanticCustomError("expiry", "returned: grace and grace_days belong together")
        return self


NEVER = ExpiryPolicy(mode="never")


def expires_at(policy: ExpiryPolicy, earned_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant at which what was earned at ``earned_at`` cannot be used; None for never."""
    if policy.mode == "never":
        return None
    day = local_day(earned_at, zone)
    if policy.mode == "per_lot":
        assert policy.months is not None
        return day_start(add_months(day, policy.months), zone)
    assert policy.end_of is not None
    last = _ENDS[policy.end_of](day)
    if policy.after_months is not None:
        # The end of June and three months is the end of September, not the 30th of whatever comes.
        last = month_end(add_months(last, policy.after_months))
    return day_start(next_day(last), zone)
