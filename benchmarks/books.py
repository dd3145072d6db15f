"""What two contenders have written, reduced to figures that differ if any row does, so that one is fair to the other.

A row is told by its member's external id and by all that does not differ between two runs: neither by ids that are made
anew, nor by when it was recorded, nor by digests, which hold both. The chains are gone through instead.
"""

from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from core.oversight.verify import verify
from core.store import Store
from core.store.databases import Tables, connect

_ROWS: Final = {
    "account": "unit, credited, debited, held, debt, seq, lot_seq, hold_seq, next_due, pending, expiring, expires_at",
    "entry": "unit, seq, amount, held, contra, balance, effective_at",
    "lot": "unit, seq, source, amount, remaining, held, expired, clawed, forgiven, earned_at, available_from,"
    " expires_at, fixed",
    "lot_move": "unit, seq, lot_seq, kind, amount",
    "operation": "channel, idempotency_key, kind, accepted, reverses, actor, programme_version",
    "tally": "name, day, amount",
    "tier_change": "number, former, tier, at, cause, version",
}
_MEMBERS: Final = (
    "external_id, status, tier, tier_since, tier_changes, enrolled_at, tier_from, tier_review_at, tier_due_at"
)
_AGGREGATES: Final = (
    # How many times something was tallied depends on what came in one transaction.
    "SELECT name, day, unit, channel, part, sum(amount), sum(times) FILTER (WHERE name <> 'tally') FROM daily_aggregate"
    " GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
)


async def books_of(url: str, **more: str) -> dict[str, Any]:
    """The figures of a database on PostgreSQL; ``more`` are columns of other tables of members."""
    connection = await asyncpg.connect(url)
    try:
        figures: dict[str, Any] = {}
        for table, columns in {**_ROWS, **more}.items():
            named = ", ".join(f"t.{column}" for column in columns.split(", "))
            figures[table] = await connection.fetchrow(
                f"SELECT count(*), sum(hashtextextended(concat_ws('|', m.external_id, {named}), 0)::numeric)"
                f" FROM {table} t JOIN member m ON m.bucket = t.bucket AND m.id = t.member_id",
                timeout=3_600,
            )
        figures["member"] = await connection.fetchrow(
            f"SELECT count(*), sum(hashtextextended(concat_ws('|', {_MEMBERS}), 0)::numeric) FROM member"
        )
        figures["daily_aggregate"] = await connection.fetch(_AGGREGATES)
        return figures
    finally:
        await connection.close()


async def broken(url: str, apps: Mapping[str, Tables]) -> list[tuple[str, int]]:
    """Which invariants of the books do not hold, chains included, and in how many places."""
    async with connect(url, apps):
        findings = await verify(Store().reader())
    return [(finding.invariant.name, finding.places) for finding in findings]
