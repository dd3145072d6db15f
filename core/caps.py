"""What caps that count over time leave of a rule set, by what it has given: a member's tallies, and the shared budget.

Both only grow: what is taken back of an award makes no new room. A member's caps cost nothing beside the tallies; a
budget is a row that members share, so whoever earns by a rule that has one waits for the others who do.
"""

from datetime import date, datetime

from core.calendar import local_day, month_end, month_start
from core.models import BudgetRow
from core.rules import NO_CAPS, Budget, CapRoom, Caps
from core.work import Work


async def room(work: Work, channel: str, unit: str, caps: Caps, day: date) -> CapRoom:
    """What the caps leave the member on that local day; NO_CAPS when none of them counts over time.

    The programme's budget is the member's from here until the operation ends.
    """
    left = await _left(work, f"{channel}:{unit}", caps.programme, day)
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
    """Count what was given in the room of these caps, on the local day of ``at``."""
    if not points:
        return
    if caps.over_time:
        work.count(_tally(channel, unit), points, at=at)
    await _take(work, f"{channel}:{unit}", caps.programme, local_day(at or work.now, work.programme.zone), points)


async def draw(work: Work, name: str, budget: Budget, points: int) -> int:
    """Take points out of a budget today, as many as it has; how many. Of fifty who want the last ones one gets them."""
    left = await _left(work, name, budget, work.today)
    granted = points if left is None else min(points, left)
    if granted:
        await _take(work, name, budget, work.today, granted)
    return granted


async def _left(work: Work, name: str, budget: Budget, day: date) -> int | None:
    """What the tightest of the budget's periods has left; None when there is no budget."""
    left = None
    for period, most in _periods(budget, day):
        row = await work.shared(BudgetRow, name=name, period=period)
        here = max(most - (row.used if row else 0), 0)
        left = here if left is None else min(left, here)
    return left


async def _take(work: Work, name: str, budget: Budget, day: date, points: int) -> None:
    for period, _ in _periods(budget, day):
        row = await work.shared(BudgetRow, name=name, period=period)
        if row is None:
            work.add(BudgetRow, name=name, period=period, used=points)
        else:
            row.used += points
            work.save(row)


def _periods(budget: Budget, day: date) -> list[tuple[str, int]]:
    """The budget's periods that the day lies in, by name, in the order in which everybody claims them."""
    names = (day.isoformat(), f"{day:%Y-%m}", "lifetime")
    limits = (budget.day, budget.month, budget.lifetime)
    return [(name, most) for name, most in zip(names, limits, strict=True) if most is not None]


def _tally(channel: str, unit: str) -> str:
    return f"cap:{channel}:{unit}"
