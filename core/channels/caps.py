"""What caps that count over time leave of a rule set, by what it has given: a member's tallies, and the shared budget.

Both only grow: what is taken back of an award makes no new room. A member's caps cost nothing beside the tallies; a
budget is a row that members share, so whoever earns by a rule that has one waits for the others who do.
"""

from datetime import date, datetime
from typing import Any

from core.engine.work import Work
from core.rulebook.budgets import BUDGET_EXHAUSTED, BUDGET_LOW, NamedBudget, budget_of
from core.rulebook.rules import NO_CAPS, Budget, CapRoom, Caps
from core.time.calendar import local_day, month_end, month_start
from core.units import POINTS


async def room(work: Work, channel: str, unit: str, caps: Caps, day: date) -> CapRoom:
    """What the caps leave the member on that local day; NO_CAPS when none of them counts over time.

    The programme's budget is the member's from here until the operation ends.
    """
    if not caps.counts:
        return NO_CAPS
    left = await _left_of(work, budget_of(channel, unit, caps), day)
    if not caps.over_time:
        return NO_CAPS if left is None else caps.room(programme=left)
    name = _tally(channel, unit)
    return caps.room(
        day=0 if caps.day is None else await work.counted(name, since=day, until=day),
        month=0 if caps.month is None else await work.counted(name, since=month_start(day), until=month_end(day)),
        lifetime=0 if caps.lifetime is None else await work.counted(name),
        programme=left,
    )


async def use(work: Work, channel: str, unit: str, caps: Caps, points: int, *, at: datetime | None = None) -> None:
    """Count what was given in the room of these caps, on the local day of ``at``.

    Also when that is nothing: a budget that has nothing left is told of.
    """
    if points and caps.over_time:
        work.count(_tally(channel, unit), points, at=at)
    if caps.programme.is_limited:
        day = local_day(at or work.now, work.programme.zone)
        await _count(work, budget_of(channel, unit, caps), day, points)


async def draw(work: Work, name: str, budget: Budget, points: int, *, unit: str = POINTS) -> int:
    """Take points out of a budget today, as many as it has; how many. Of fifty who want the last ones one gets them."""
    return await draw_from(work, NamedBudget(name, unit, budget), points)


async def draw_from(work: Work, budget: NamedBudget, points: int) -> int:
    """The same, of a budget that is counted in a table of the channel's own, say."""
    left = await _left_of(work, budget, work.today)
    granted = points if left is None else min(points, left)
    await _count(work, budget, work.today, granted)
    return granted


async def _left_of(work: Work, budget: NamedBudget, day: date) -> int | None:
    """What the tightest of the budget's periods has left; None when nothing stops it.

    The budget is the member's from here until the operation ends.
    """
    left = None
    for purse in budget.purses(day):
        row: Any = await work.shared(purse.model, **purse.key)
        here = max(purse.most - (row.used if row else 0), 0)
        left = here if left is None else min(left, here)
    return left if budget.terms.stops else None


async def _count(work: Work, budget: NamedBudget, day: date, points: int) -> None:
    """Count what was given of it, or came back, and tell when it is low and when nothing is left.

    Each is told once for a period and its limit: again when another version has given it another limit.
    """
    for purse in budget.purses(day):
        row: Any = await work.shared(purse.model, **purse.key)
        used = points + (row.used if row else 0)
        told = {}
        for event, column, reached in (
            (BUDGET_LOW, "low_told", purse.is_low(used, budget.terms)),
            (BUDGET_EXHAUSTED, "exhausted_told", purse.is_exhausted(used)),
        ):
            if reached and (row is None or getattr(row, column) != purse.most):
                told[column] = purse.most
                work.tell(
                    event,
                    budget=purse.name,
                    unit=budget.unit,
                    period=purse.label,
                    limit=purse.most,
                    used=used,
                    stops=budget.terms.stops,
                )
        if row is None:
            if points or told:
                work.add(purse.model, **purse.key, used=used, **{"low_told": None, "exhausted_told": None, **told})
        elif points or told:
            row.used = used
            for column, most in told.items():
                setattr(row, column, most)
            work.save(row)


def _tally(channel: str, unit: str) -> str:
    return f"cap:{channel}:{unit}"
