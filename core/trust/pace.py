"""How often a member is active in a channel: watched at the end of each operation, where the programme has a rule.

What counts is what the member, a partner or the brand's backend does: not what operators and jobs do, not what takes
something back, and not a replay of the past. An activity counts at the time when it happened, so that a backlog which
is worked off in a minute is not taken for a machine.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from core.telling.events import MEMBER_FLAGGED
from core.time.clock import microseconds
from core.trust.flags import OPERATIONS_MAX, Flag, FlagState, HeldLot, Pace
from core.trust.settings import PaceRule

if TYPE_CHECKING:
    from core.engine.work import Work

Seen = tuple[int, str]
"""When, in microseconds since 1970, and the operation."""

_PUTTING_RIGHT: Final = ("operator:", "admin:", "job ")
_NEWEST: Final = "t.number = (SELECT MAX(f.number) FROM flag f WHERE f.bucket = t.bucket AND f.member_id = t.member_id)"


async def watch(work: "Work") -> bool:
    """Count what the operation did, and raise a flag or add to one if that is too often; whether it did."""
    rules = work.programme.paces.get(work.operation.channel)
    if not rules or not _counts(work):
        return False
    at = microseconds(work.happened_at)
    recent = await _remember(work, rules, at)
    # What holds comes first: an operation is in one flag only, so that its points wait for one decision.
    for rule in sorted(rules, key=lambda rule: rule.then != "hold"):
        if stretch := crowded(recent, at, rule):
            await _flag(work, rule, [operation for _, operation in stretch])
            return True
    return False


def crowded(recent: Sequence[Seen], at: int, rule: PaceRule) -> list[Seen]:
    """The activities of the fullest stretch of ``within_minutes`` around ``at``; none if it is not too full.

    >>> rule = PaceRule(channel="purchase", more_than=2, within_minutes=1)
    >>> crowded([(0, "a"), (60_000_000, "b"), (80_000_000, "c"), (119_000_000, "d")], 80_000_000, rule)
    [(60000000, 'b'), (80000000, 'c'), (119000000, 'd')]
    """
    span = timedelta(minutes=rule.within_minutes) // timedelta(microseconds=1)
    fullest: list[Seen] = []
    # An activity that comes late may fill a stretch that others have ended.
    for end, _ in recent:
        if at <= end < at + span:
            stretch = [one for one in recent if end - span < one[0] <= end]
            fullest = max(fullest, stretch, key=len)
    return fullest if len(fullest) > rule.more_than else []


def _counts(work: "Work") -> bool:
    operation = work.operation
    if operation.at is not None or work.reverses is not None or operation.actor.startswith(_PUTTING_RIGHT):
        return False
    # What is left in the books of who was merged goes on at once.
    return work.member.merged_into is None


async def _remember(work: "Work", rules: Sequence[PaceRule], at: int) -> list[Seen]:
    """Add the operation to what is known of late, and forget what no rule can ask for any more."""
    channel = work.operation.channel
    found: list[Pace] = await work.rows(Pace, channel=channel)
    known: list[Seen] = [(int(when), str(operation)) for when, operation in (found[0].recent if found else ())]
    recent = sorted([*known, (at, work.operation_id)])
    span = timedelta(minutes=max(rule.within_minutes for rule in rules)) // timedelta(microseconds=1)
    # Twice as much as in-order arrival would need, for what comes late.
    recent = [one for one in recent if one[0] > recent[-1][0] - 2 * span]
    recent = recent[-2 * max(rule.more_than for rule in rules) - 1 :]
    work.keep(Pace(channel, recent))
    return recent


async def _flag(work: "Work", rule: PaceRule, operations: list[str]) -> None:
    """Put it before somebody; what the operation gave is held back where the rule says so."""
    flags: list[Flag] = await work.rows(Flag, _NEWEST)
    flags = await work.rows(Flag, "state = 'open'")
    about = (rule.channel, rule.more_than, rule.within_minutes, rule.then == "hold")
    ours = [flag for flag in flags if flag.state == FlagState.OPEN and flag[2:6] == about]
    lots: list[list[str | int]] = [[*lot] for lot in await _hold_back(work)] if rule.then == "hold" else []
    latest = ours[-1] if ours else None
    if latest is not None and len(latest.operations) < OPERATIONS_MAX:
        added = [*latest.operations, work.operation_id]
        work.keep(latest._replace(operations=added, lots=[*latest.lots, *lots]))
        return
    flag = Flag(
        number=max((flag.number for flag in flags), default=0) + 1,
        id=work.operation_id,
        channel=rule.channel,
        more_than=rule.more_than,
        within_minutes=rule.within_minutes,
        holds=rule.then == "hold",
        state=FlagState.OPEN,
        operations=[work.operation_id] if ours else operations,
        lots=lots,
        raised_at=work.now,
    )
    work.keep(flag)
    work.tell(
        MEMBER_FLAGGED,
        flag=flag.number,
        channel=flag.channel,
        more_than=flag.more_than,
        within_minutes=flag.within_minutes,
        holds=flag.holds,
    )


async def _hold_back(work: "Work") -> list[HeldLot]:
    """Let nobody spend what the operation gave of units that can be spent."""
    held = []
    for lot in work.given():
        if work.programme.unit(lot.unit).spendable and lot.remaining and not lot.lapsed(work.now):
            held.append(HeldLot(lot.unit, lot.seq, microseconds(lot.available_from), microseconds(work.now)))
            await work.open_account(lot.unit)
            work.ledger.hold_back(lot)
    return held
