"""Daily aggregates: what all members together did on a local day, kept up with the rows that say so.

An aggregate is the sum of what rows of the ledger add to it, and nothing else: a batch adds what it inserts, in its
own transaction and with one statement, so that what is refused or tried again leaves nothing. Each process adds to
rows of its own, its ``shard``, as a row that all add to would make each wait for the other's commit.

=============  ======================  ==============  =================  =========================================
name           unit                    channel         part               amount, and times
=============  ======================  ==============  =================  =========================================
credited       the entry's             the operation's the contra         what entries credited, and how many did
debited        the entry's             the operation's the contra         the same of debits, as a positive number
rule           the award's             the operation's of>group>rule      what a rule gave, and in how many awards
rule           the award's             the operation's of>>why            what a cap took, below zero, and how often
tally                                                  the tally's name   what was counted, and how often
operations                             its channel     its kind           operations that were accepted
joined                                                                    members who enrolled
tier                                   the cause       former>tier        steps of members' tier histories
guests                                                 orders, spend      orders of guests, and what they paid
=============  ======================  ==============  =================  =========================================

Tallies and guests' orders are of the day that they are counted on, so that a refund takes away on the day of the sale.
All else is of the local day at which it was effective, by the zone of the version in force then.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from core.books.accounts import Entry
from core.books.members import Member, TierChange
from core.books.tallies import ORDERS, SPEND, Count, day_number
from core.engine.operations import BY_RULE, Recorded
from core.time.calendar import local_day

SHARDS: Final = 1_024
"""Among so many rows two processes seldom choose the same."""

CREDITED: Final = "credited"
DEBITED: Final = "debited"
RULE: Final = "rule"
TALLY: Final = "tally"
OPERATIONS: Final = "operations"
JOINED: Final = "joined"
TIER: Final = "tier"
GUESTS: Final = "guests"


class Daily(NamedTuple):
    """What a process has added to an aggregate of a day."""

    name: str
    day: int
    unit: str
    channel: str
    part: str
    shard: int
    amount: int
    times: int


Place = tuple[str, int, str, str, str]
"""Name, day, unit, channel, part: an aggregate, whoever has added to it."""


Placed = tuple[int, str, Any]
"""The bucket and the id of a member, and a row of theirs."""


class LocalDays:
    """Which local day it was at an instant, by the zone of the version in force then, or of the first one before."""

    __slots__ = ("_numbers", "zones")

    def __init__(self, zones: Sequence[tuple[datetime, ZoneInfo]]) -> None:
        self.zones = zones
        """The zones that were ever in force, each with its start, the earliest first."""
        # Nearly all of a batch is of one instant.
        self._numbers: dict[datetime, int] = {}

    def number(self, at: datetime) -> int:
        found = self._numbers.get(at)
        if found is None:
            zones = self.zones
            zone = zones[0][1]
            if len(zones) > 1:
                zone = next((zone for starts_at, zone in reversed(zones) if starts_at <= at), zone)
            found = self._numbers[at] = day_number(local_day(at, zone))
        return found


class Additions:
    """What the rows of a batch add, by aggregate."""

    __slots__ = ("_days", "_sums")

    def __init__(self, days: LocalDays) -> None:
        self._days = days
        self._sums: dict[Place, list[int]] = {}
        """The amount and the times, by aggregate."""

    def take(self, new: Mapping[type, Sequence[Placed]], gone: Mapping[type, Sequence[Placed]]) -> None:
        """Take what rows add that are to be inserted, and what those took that are to be deleted, by their kind."""
        add, number = self._add, self._days.number
        channels: dict[str, str] = {}
        done: Recorded
        for _, _, done in new.get(Recorded, ()):
            channels[done.id] = done.channel
            self._take_operation(done, 1)
        # Operations whose key tells who the member was, when they are erased: they are inserted under others.
        for _, _, done in gone.get(Recorded, ()):
            self._take_operation(done, -1)
        counted: dict[tuple[str, int], list[int]] = defaultdict(list)
        for _, _, (tally, day, amount) in new.get(Count, ()):
            counted[tally, day].append(amount)
        for (tally, day), amounts in counted.items():
            add((TALLY, day, "", "", tally), sum(amounts), len(amounts))
        for _, _, member in new.get(Member, ()):
            add((JOINED, number(member.enrolled_at), "", "", ""), 1, 0)
        for _, _, change in new.get(TierChange, ()):
            add((TIER, number(change.at), "", change.cause, f"{change.former or ''}>{change.tier}"), 1, 0)
        entry: Entry
        for _, _, entry in new.get(Entry, ()):
            if amount := entry.amount:
                name = CREDITED if amount > 0 else DEBITED
                place = (name, number(entry.effective_at), entry.unit, channels[entry.operation_id], entry.contra)
                add(place, abs(amount), 1)

    def _add(self, place: Place, amount: int, times: int) -> None:
        both = self._sums.get(place)
        if both is None:
            self._sums[place] = [amount, times]
        else:
            both[0] += amount
            both[1] += times

    def _take_operation(self, done: Recorded, times: int) -> None:
        if not done.accepted:
            return
        day, channel = self._days.number(done.effective_at), done.channel
        self._add((OPERATIONS, day, "", channel, done.kind), times, 0)
        for unit, part, points in done.result.get(BY_RULE, ()):
            self._add((RULE, day, unit, channel, part), points * times, times)

    def take_guests(self, former: Any, order: Any) -> None:
        """Take what a row of a guest's order adds beyond what it added before; None where there was none."""
        for value, sign in ((former, -1), (order, 1)):
            if value is not None:
                self._add((GUESTS, value.day, "", "", ORDERS), sign * value.orders, 0)
                self._add((GUESTS, value.day, "", "", SPEND), sign * value.paid, 0)

    def rows(self, shard: int) -> list[Daily]:
        """What is to be added, in the order of its keys, so that nobody waits in another."""
        summed = sorted(self._sums.items())
        return [Daily(*place, shard, amount, times) for place, (amount, times) in summed if amount or times]
