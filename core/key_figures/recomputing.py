"""The daily aggregates out of all rows of the ledger anew, and where they differ from those that were kept up.

One statement reads both, so that it may be asked of a live database; what it costs is all that ever happened. To add
the differences makes the aggregates right, whatever others add meanwhile.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import yaml

from core.books.tallies import ORDERS, SPEND
from core.engine.operations import BY_RULE
from core.key_figures.aggregates import (
    CREDITED,
    DEBITED,
    GUESTS,
    JOINED,
    OPERATIONS,
    RULE,
    SHARDS,
    TALLY,
    TIER,
    Daily,
    LocalDays,
    Place,
)
from core.models import DailyAggregateRow
from core.store.dialect import Reader, Writer
from core.store.tables import table_of
from core.time.clock import instant, microseconds

TABLES: Final = ("entry", "tally", "operation", "rule", "member", "tier_change", "guest_order")
"""The tables whose rows are added up; what rules gave is in those of operations."""

_QUARTER: Final = 15 * 60 * 1_000_000
"""No zone's offset has been finer than a quarter of an hour since the zones are what they are."""

_BEGIN: Final = 62_135_596_800_000_000
"""From the year 1 to 1970, so that whole numbers are divided that are never negative."""

_CHUNK: Final = 500

# What each table adds: name, where it lies in time, its dimensions, how much and how often.
_ADDS: Final[Mapping[str, str]] = {
    "entry": (
        "SELECT CASE WHEN e.amount > 0 THEN 'credited' ELSE 'debited' END AS name, {slot} AS slot, {zone} AS zone,"
        " 0 AS day, e.unit AS unit, o.channel AS channel, e.contra AS part,"
        " SUM(ABS(e.amount)) AS amount, COUNT(*) AS times"
        " FROM entry e JOIN operation o ON o.bucket = e.bucket AND o.member_id = e.member_id AND o.id = e.operation_id"
        " WHERE e.amount <> 0 GROUP BY 1, 2, 3, 5, 6, 7"
    ),
    "tally": (
        "SELECT 'tally' AS name, 0 AS slot, 0 AS zone, day, '' AS unit, '' AS channel, name AS part,"
        " SUM(amount) AS amount, 0 AS times FROM tally t GROUP BY day, t.name"
    ),
    "operation": (
        "SELECT 'operations' AS name, {slot} AS slot, {zone} AS zone, 0 AS day, '' AS unit, channel, kind AS part,"
        " COUNT(*) AS amount, 0 AS times FROM operation WHERE accepted GROUP BY 2, 3, channel, kind"
    ),
    "rule": (
        "SELECT 'rule' AS name, {slot} AS slot, {zone} AS zone, 0 AS day, {by_unit} AS unit, o.channel AS channel,"
        " {rule} AS part, SUM({points}) AS amount, COUNT(*) AS times FROM operation o CROSS JOIN {by_rule}"
        " WHERE o.accepted GROUP BY 2, 3, 5, 6, 7"
    ),
    "member": (
        "SELECT 'joined' AS name, {slot} AS slot, {zone} AS zone, 0 AS day, '' AS unit, '' AS channel, '' AS part,"
        " COUNT(*) AS amount, 0 AS times FROM member GROUP BY 2, 3"
    ),
    "tier_change": (
        "SELECT 'tier' AS name, {slot} AS slot, {zone} AS zone, 0 AS day, COALESCE(former, '') AS unit,"
        " cause AS channel, tier AS part, COUNT(*) AS amount, 0 AS times FROM tier_change GROUP BY 2, 3, 5, 6, 7"
    ),
    "guest_order": " UNION ALL ".join(
        f"SELECT 'guests' AS name, 0 AS slot, 0 AS zone, day, '' AS unit, '' AS channel, '{part}' AS part,"
        f" SUM({column}) AS amount, 0 AS times FROM guest_order GROUP BY day"
        for part, column in ((ORDERS, "orders"), (SPEND, "paid"))
    ),
}
_WHEN: Final = {
    "entry": "e.effective_at",
    "tally": "0",
    "operation": "effective_at",
    "rule": "o.effective_at",
    "member": "enrolled_at",
    "tier_change": "at",
    "guest_order": "0",
}
_NAMES: Final = {
    "entry": (CREDITED, DEBITED),
    "tally": (TALLY,),
    "operation": (OPERATIONS,),
    "rule": (RULE,),
    "member": (JOINED,),
    "tier_change": (TIER,),
    "guest_order": (GUESTS,),
}

_NESTED: Final = r"(\[\[.*?\]\])"

# What rules gave, out of the results of operations. PostgreSQL reads no JSON in which there is a NUL anywhere.
_BY_RULE: Final[Mapping[str, Mapping[str, str]]] = {
    "sqlite": {
        "by_rule": f"json_each(o.result, '$.{BY_RULE}') g",
        **{name: f"json_extract(g.value, '$[{at}]')" for at, name in enumerate(("by_unit", "rule", "points"))},
    },
    "postgres": {
        "by_rule": f"json_array_elements(CAST(substring(o.result FROM '\"{BY_RULE}\":{_NESTED}') AS json)) g",
        "by_unit": "(g ->> 0)",
        "rule": "(g ->> 1)",
        "points": "CAST(g ->> 2 AS BIGINT)",
    },
    "mysql": {
        "by_rule": f"JSON_TABLE(o.result, '$.{BY_RULE}[*]' COLUMNS (unit VARCHAR(32) PATH '$[0]',"
        " part VARCHAR(224) PATH '$[1]', points BIGINT PATH '$[2]')) g",
        "by_unit": "g.unit",
        "rule": "g.part",
        "points": "g.points",
    },
}

Lacks = tuple[int, int]
"""An amount, and how many times."""


async def differences(reader: Reader, tables: Collection[str] = TABLES) -> dict[Place, Lacks]:
    """What each aggregate lacks (or has too much, below zero) by what the rows of these tables add up to."""
    days = LocalDays(await _zones(reader))
    if not days.zones:
        return {}
    names = ", ".join(f"'{name}'" for table in tables for name in _NAMES[table])
    arms = [_ADDS[table].format(**_in_words(reader, days, _WHEN[table])) for table in tables]
    arms.append(
        # How often a tally was changed is kept nowhere else.
        "SELECT name, 0 AS slot, -1 AS zone, day, unit, channel, part, -SUM(amount) AS amount,"
        f" -SUM(CASE WHEN name = '{TALLY}' THEN 0 ELSE times END) AS times"
        f" FROM {DailyAggregateRow._meta.db_table} WHERE name IN ({names}) GROUP BY name, day, unit, channel, part"
    )
    left: defaultdict[Place, list[int]] = defaultdict(lambda: [0, 0])
    for name, slot, zone, day, unit, channel, part, amount, times in await reader.query(" UNION ALL ".join(arms)):
        if zone >= 0 and name not in (TALLY, GUESTS):
            at = instant(int(slot) * _QUARTER - _BEGIN)
            # The slot in which a version of another zone begins is that zone's from there on.
            day = LocalDays([days.zones[int(zone)]]).number(at)
            if name == TIER:
                unit, part = "", f"{unit}>{part}"
        lacks = left[name, int(day), unit, channel, part]
        lacks[0] += int(amount)
        lacks[1] += int(times)
    return {place: (amount, times) for place, (amount, times) in left.items() if amount or times}


async def correct(writer: Writer, shard: int = SHARDS, tables: Collection[str] = TABLES) -> int:
    """Add what the aggregates lack, in the writer's transaction; how many were wrong."""
    lacking = await differences(writer, tables)
    table = table_of(Daily)
    rows = [table.row(0, "", Daily(*place, shard, *lacks)) for place, lacks in sorted(lacking.items())]
    for first in range(0, len(rows), _CHUNK):
        await writer.accumulate(table, rows[first : first + _CHUNK])
    return len(rows)


def _in_words(reader: Reader, days: LocalDays, when: str) -> dict[str, str]:
    """SQL for the quarter of an hour in which an instant lies, counted from the year 1, and for the zone then.

    And for what rules gave, beside the operation ``o``.
    """
    dialect = reader.client.capabilities.dialect
    divided = "DIV" if dialect == "mysql" else "/"
    since = [f" WHEN {when} >= {microseconds(days.zones[at][0])} THEN {at}" for at in range(len(days.zones) - 1, 0, -1)]
    return {
        "slot": f"({when} + {_BEGIN}) {divided} {_QUARTER}",
        "zone": f"CASE{''.join(since)} ELSE 0 END" if since else "0",
        **_BY_RULE[dialect],
    }


async def _zones(reader: Reader) -> list[tuple[datetime, ZoneInfo]]:
    rows = await reader.query("SELECT starts_at, number, document FROM programme_version")
    found: list[tuple[datetime, ZoneInfo]] = []
    for starts_at, _, document in sorted(rows):
        # Only the zone: a document of the past may name what this installation no longer has.
        zone = ZoneInfo(yaml.safe_load(document)["timezone"])
        if not found or found[-1][1] != zone:
            found.append((instant(starts_at), zone))
    return found
