"""Budgets: the most that all members together are given by a rule in a day, a month or ever; values only.

What is done with them is in ``core.channels.caps``. Each period of a budget is a row that members share
(``core.engine.shared``), so that of fifty who want the last points one gets them, and that it is told of once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple

from tortoise.models import Model

from core.models import BudgetRow
from core.rulebook.rules import Budget, Caps
from core.time.calendar import month_start

BUDGET_LOW: Final = "budget.low"
BUDGET_EXHAUSTED: Final = "budget.exhausted"


class Period(StrEnum):
    """For how long a budget has to last."""

    DAY = "day"
    MONTH = "month"
    LIFETIME = "lifetime"


@dataclass(frozen=True)
class Purse:
    """A budget of one day, one month, or for ever: the most of it, and the row that counts what was given."""

    name: str
    period: Period
    since: date | None
    most: int
    model: type[Model]
    key: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The period as it is told and stored: 2026-01-31, 2026-01 or lifetime."""
        return _label(self.period, self.since)

    def is_low(self, used: int, terms: Budget) -> bool:
        return used * 100 >= self.most * terms.alarm_at

    def is_exhausted(self, used: int) -> bool:
        return used >= self.most


def _label(period: Period, since: date | None) -> str:
    if since is None:
        return period
    return since.isoformat() if period is Period.DAY else f"{since:%Y-%m}"


class NamedBudget(NamedTuple):
    """A budget as a channel's section has it, and by which name it is counted; what it counts is of one unit.

    With ``own`` what was ever given is counted in a row of the channel's own: the table, and the row's key.
    """

    name: str
    unit: str
    terms: Budget
    own: tuple[type[Model], Mapping[str, Any]] | None = None

    def purses(self, day: date) -> list[Purse]:
        """The budget's periods that the day lies in, in the order in which everybody claims them."""
        terms = self.terms
        wanted = (
            (Period.DAY, day, terms.day),
            (Period.MONTH, month_start(day), terms.month),
            (Period.LIFETIME, None, terms.lifetime),
        )
        found = []
        for period, since, most in wanted:
            if most is not None:
                model, key = self.own or (BudgetRow, {"name": self.name, "period": _label(period, since)})
                found.append(Purse(self.name, period, since, most, model, key))
        return found


def budget_of(channel: str, unit: str, caps: Caps) -> NamedBudget:
    """The budget of a rule set, by the name under which it is counted."""
    return NamedBudget(f"{channel}:{unit}", unit, caps.programme)
