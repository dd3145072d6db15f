"""What all members are likely to lose of their points, by the month in which they would: an estimate of a run."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from core.models import PredictionModelRow


class Losses(NamedTuple):
    """Points by the first day of the month; ``until`` is the last day that the run looked at."""

    until: date
    months: Mapping[date, int]


async def losses() -> Losses | None:
    """Those of the latest run that had a model of redemptions; None before there is one."""
    row = await PredictionModelRow.filter(losses__isnull=False).order_by("-id").first()
    if row is None:
        return None
    return Losses(row.until, {date.fromisoformat(f"{month}-01"): points for month, points in row.losses.items()})
