"""Earning by the rules of a channel: what its rule sets give for an activity, in the room that its caps leave."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from core.channels import caps
from core.engine.work import Work
from core.rulebook.explaining import keep
from core.rulebook.rules import NO_CAPS, Activity, CapRoom, Less, RuleSet, Step
from core.time.calendar import local_day


class Awarded(NamedTuple):
    """What was given, by unit, the lots it is in, and how it came about.

    ``trace`` and ``seen`` belong into the operation's result, so that the award can be explained for ever.
    """

    points: dict[str, int]
    lots: dict[str, list[int]]
    trace: dict[str, Sequence[Step]]
    seen: dict[str, Any]


async def earn_by_rules(
    work: Work,
    channel: str,
    earn: Mapping[str, RuleSet],
    facts: Mapping[str, Any],
    *,
    at: datetime | None = None,
    given: Mapping[str, int] | None = None,
    earned_at: datetime | None = None,
) -> Awarded:
    """Let the member earn what the rules give for an activity of now, or of ``at``, with these facts.

    ``given`` is what the same thing has brought already, by unit: only what goes beyond it is earned, and needs room.
    Lots live from ``earned_at``. Raises what ``Work.earn`` does.
    """
    at = at or work.now
    activity = Activity(channel, at, facts)
    awarded = Awarded({}, {}, {}, keep(activity))
    for unit, rules in earn.items():
        room = await caps.room(work, channel, unit, rules.caps, local_day(at, work.programme.zone))
        already = (given or {}).get(unit, 0)
        # What was given before has had its room.
        room = CapRoom(*(None if left is None else left + already for left in room))
        award = rules.award(activity, room)
        if room != NO_CAPS:
            awarded.seen["rooms"][unit] = list(room)
        points = max(award.points - already, 0)
        work.attribute(unit, award, less={Less.BEFORE: award.points - points})
        awarded.points[unit] = points
        awarded.lots[unit] = []
        awarded.trace[unit] = award.trace
        if points:
            days = rules.pending.days if rules.pending else 0
            lot = await work.earn(points, unit=unit, earned_at=earned_at, pending_days=days)
            awarded.lots[unit].append(lot.seq)
        await caps.use(work, channel, unit, rules.caps, points, at=at)
    return awarded
