"""Daily aggregates: what all members together did on a local day, kept up with the rows that say so.

An aggregate is the sum of what rows of the ledger add to it, and nothing else: a batch adds what it inserts, in its
own transaction and with one statement, so that what is refused or tried again leaves nothing. Each process adds to
rows of its own, its ``shard``, as a row that all add to would make each wait for the other's commit.

=============  ======================  ==============  =================  =========================================
name           unit                    channel         part               amount
=============  ======================  ==============  =================  =========================================
credited       the entry's             the operation's the contra         what entries credited
debited        the entry's             the operation's the contra         what entries debited, as a positive number
credits        the entry's             the operation's the contra         how many entries credited
tally                                                  the tally's name   what was counted
operations                             its channel     its kind           operations that were accepted
joined                                                                    members who enrolled
tier                                   the cause       former>tier        steps of members' tier histories
=============  ======================  ==============  =================  =========================================

Tallies are of the day that they are counted on, so that a refund takes away on the day of the sale. All else is of
the local day at which it was effective, by the zone of the version in force then.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from core.books.accounts import Entry
from core.books.members import Member, TierChange
from core.books.sheet import Sheet
from core.books.tallies import Count, day_number
from core.engine.operations import Recorded
from core.time.calendar import local_day

SHARDS: Final = 1_024
"""Among so many rows two processes seldom choose the same."""

CREDITED: Final = "credited"
DEBITED: Final = "debited"
CREDITS: Final = "credits"
TALLY: Final = "tally"
OPERATIONS: Final = "operations"
JOINED: Final = "joined"
TIER: Final = "tier"


class Daily(NamedTuple):
    """What a process has added to an aggregate of a day."""

    name: str
    day: int
    unit: str
    channel: str
    part: str
    shard: int
    amount: int


Place = tuple[str, int, str, str, str]
"""Name, day, unit, channel, part: an aggregate, whoever has added to it."""


class LocalDays:
    """Which local day it was at an instant, by the zone of the version in force then, or of the first one before."""

    __slots__ = ("zones",)

    def __init__(self, zones: Sequence[tuple[datetime, ZoneInfo]]) -> None:
        self.zones = zones
        """The zones that were ever in force, each with its start, the earliest first."""

    def number(self, at: datetime) -> int:
        zones = self.zones
        zone = zones[0][1]
        if len(zones) > 1:
            zone = next((zone for starts_at, zone in reversed(zones) if starts_at <= at), zone)
        return day_number(local_day(at, zone))


class Additions:
    """What the rows of a batch add, by aggregate."""

    __slots__ = ("_days", "_sums")

    def __init__(self, days: LocalDays) -> None:
        self._days = days
        self._sums: defaultdict[Place, int] = defaultdict(int)

    def take(self, sheet: Sheet) -> None:
        """Take what the rows of a member add that are to be inserted, and what those took that are to be deleted."""
        sums, number = self._sums, self._days.number
        entries: list[Entry] = []
        channels: dict[str, str] = {}
        for kind, _, value in sheet.inserts():
            if kind is Entry:
                entries.append(value)
            elif kind is Count:
                sums[TALLY, value.day, "", "", value.name] += value.amount
            elif kind is Recorded:
                channels[value.id] = value.channel
                if value.accepted:
                    sums[OPERATIONS, number(value.effective_at), "", value.channel, value.kind] += 1
            elif kind is Member:
                sums[JOINED, number(value.enrolled_at), "", "", ""] += 1
            elif kind is TierChange:
                sums[TIER, number(value.at), "", value.cause, f"{value.former or ''}>{value.tier}"] += 1
        for kind, value in sheet.deletes():
            # An operation whose key tells who the member was, when they are erased: it is inserted under another.
            if kind is Recorded and value.accepted:
                sums[OPERATIONS, number(value.effective_at), "", value.channel, value.kind] -= 1
        for entry in entries:
            if entry.amount:
                place = (number(entry.effective_at), entry.unit, channels[entry.operation_id], entry.contra)
                sums[(CREDITED if entry.amount > 0 else DEBITED), *place] += abs(entry.amount)
                if entry.amount > 0:
                    sums[CREDITS, *place] += 1

    def rows(self, shard: int) -> list[Daily]:
        """What is to be added, in the order of its keys, so that nobody waits in another."""
        return [Daily(*place, shard, amount) for place, amount in sorted(self._sums.items()) if amount]
