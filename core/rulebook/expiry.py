"""When a lot stops being usable, what moves that date, and when a member is told beforehand.

An expiry is an instant and it is exclusive: a lot with ``expires_at`` t can be spent until just before
t and not at t. It falls on 00:00 of a day in the programme's zone. A date that was promised only ever moves
to a later one, and only while the lot can still be used.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from core.books.tallies import ORDERS
from core.rulebook.rules import Countable
from core.time.calendar import add_months, day_start, local_day, month_end, next_day, quarter_end, year_end

Months = Annotated[int, Field(strict=True, ge=1, le=1200)]

_ENDS: Final[Mapping[str, Callable[[date], date]]] = {"month": month_end, "quarter": quarter_end, "year": year_end}
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "per_lot": ("months",),
    "calendar": ("end_of",),
    "activity": ("months", "window_months", "extend_months"),
    "renewed": ("months",),
    "never": (),
}
_MAY_HAVE: Final[Mapping[str, tuple[str, ...]]] = {
    "calendar": ("after_months",),
    "activity": ("by",),
    "renewed": ("by",),
}


class ExpiryTerms(BaseModel):
    """How long what was earned lasts.

    ``per_lot``   each lot ``months`` after the day it was earned, a month's end clamped
    ``calendar``  all lots of a period together, at the ``end_of`` it, or ``after_months`` more
    ``activity``  as ``per_lot``; who is active in the last ``window_months`` of a lot gives it ``extend_months`` more
    ``renewed``   all lots together, ``months`` after the day on which the member was last active
    ``never``     kept for ever

    Active is who does what is counted under one of the names in ``by``: an order, if nothing else is said.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["per_lot", "calendar", "activity", "renewed", "never"]
    months: Months | None = None
    end_of: Literal["month", "quarter", "year"] | None = None
    after_months: Months | None = None
    window_months: Months | None = None
    extend_months: Months | None = None
    by: Annotated[tuple[Countable, ...], Field(min_length=1, max_length=20)] | None = None

    @model_validator(mode="after")
    def _each_mode_has_its_own_settings(self) -> Self:
        needs = _NEEDS[self.mode]
        takes = {*needs, *_MAY_HAVE.get(self.mode, ())}
        of_a_mode = {name for names in (*_NEEDS.values(), *_MAY_HAVE.values()) for name in names}
        given = {name for name in of_a_mode if getattr(self, name) is not None}
        if extra := sorted(given - takes):
            raise PydanticCustomError(
                "expiry", "mode {mode} takes no {extra}", {"mode": self.mode, "extra": ", ".join(extra)}
            )
        if missing := [name for name in needs if name not in given]:
            raise PydanticCustomError(
                "expiry", "mode {mode} needs {missing}", {"mode": self.mode, "missing": ", ".join(missing)}
            )
        if self.mode == "activity":
            assert self.window_months is not None
            assert self.extend_months is not None
            # Else the same activity would lie in the last months of the longer life, too.
            if self.extend_months < self.window_months:
                raise PydanticCustomError("expiry", "extend_months is at least window_months")
        return self

    @property
    def activities(self) -> tuple[str, ...]:
        """The tallies whose counting moves the date; none where nothing does."""
        if self.mode not in {"activity", "renewed"}:
            return ()
        return self.by or (ORDERS,)


RemindDays = Annotated[int, Field(strict=True, ge=1, le=366)]


class ExpiryPolicy(ExpiryTerms):
    """How long a unit lasts, what becomes of what returns too late, and when members are told what they will lose."""

    # What returns (a released hold, a refund) into a lot that has expired meanwhile: gone, or usable for
    # ``grace_days`` more.
    returned: Literal["lapse", "grace"] = "lapse"
    grace_days: Annotated[int, Field(strict=True, ge=1, le=366)] | None = None
    # So many days before the day on which it is lost.
    remind_days: Annotated[tuple[RemindDays, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _grace_has_its_days(self) -> Self:
        if (self.returned == "grace") != (self.grace_days is not None):
            raise PydanticCustomError("expiry", "returned: grace and grace_days belong together")
        if self.mode == "never" and self.remind_days:
            raise PydanticCustomError("expiry", "mode never takes no remind_days")
        if len(set(self.remind_days)) < len(self.remind_days):
            raise PydanticCustomError("expiry", "remind_days has a number twice")
        return self


NEVER = ExpiryPolicy(mode="never")


def expires_at(terms: ExpiryTerms, earned_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant at which what was earned at ``earned_at`` cannot be used; None for never."""
    if terms.mode == "never":
        return None
    day = local_day(earned_at, zone)
    if terms.mode == "calendar":
        assert terms.end_of is not None
        last = _ENDS[terms.end_of](day)
        if terms.after_months is not None:
            # The end of June and three months is the end of September, not the 30th of whatever comes.
            last = month_end(add_months(last, terms.after_months))
        return day_start(next_day(last), zone)
    assert terms.months is not None
    return day_start(add_months(day, terms.months), zone)


def moved(terms: ExpiryTerms, expires_at: datetime, active_on: date, zone: ZoneInfo) -> datetime:
    """When what would expire at ``expires_at`` does, now that the member was active on that day; never sooner."""
    if terms.mode == "renewed":
        assert terms.months is not None
        return max(expires_at, day_start(add_months(active_on, terms.months), zone))
    if terms.mode == "activity":
        assert terms.window_months is not None
        assert terms.extend_months is not None
        lost_on = local_day(expires_at, zone)
        if add_months(lost_on, -terms.window_months) <= active_on < lost_on:
            return day_start(add_months(lost_on, terms.extend_months), zone)
    return expires_at
