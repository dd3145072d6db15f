"""The two runs side by side, and the present rules beside the real books."""

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.simulating import figures
from core.simulating.history import History
from core.store.dialect import Reader
from core.units import POINTS

MOST: Final = 10
"""How many of the members who are hurt most, and who are helped most, are named."""

BOOKS: Final = "books"
TODAY: Final = "today"
DRAFT: Final = "draft"


async def note(history: History, run: str, reader: Reader, until: datetime) -> None:
    """Keep how each member stood at the end, so that runs can be compared without both in memory."""
    async for stood in figures.balances(reader, until):
        history.db.execute("BEGIN")
        history.db.executemany("INSERT INTO stood VALUES (?, ?, ?, ?, ?)", [(run, *each) for each in stood])
        history.db.execute("COMMIT")
    async for steps in figures.tiers(reader, until):
        history.db.execute("BEGIN")
        history.db.executemany("INSERT INTO tier VALUES (?, ?, ?, ?)", [(run, *each) for each in steps])
        history.db.execute("COMMIT")


_BOTH: Final = """
  SELECT member, MAX(external) AS external, SUM(one) AS one, SUM(other) AS other FROM (
    SELECT member, external, balance AS one, 0 AS other FROM stood WHERE run = :one AND unit = :unit
    UNION ALL SELECT member, external, 0, balance FROM stood WHERE run = :other AND unit = :unit)
  GROUP BY member"""
_TIERS: Final = """
  SELECT member, MAX(external) AS external, MAX(one) AS one, MAX(other) AS other FROM (
    SELECT member, external, tier AS one, '' AS other FROM tier WHERE run = :one
    UNION ALL SELECT member, external, '', tier FROM tier WHERE run = :other)
  GROUP BY member"""


def migration(history: History) -> list[dict[str, Any]]:
    """How many members stand on which tier under today's rules and on which under the draft."""
    rows = history.db.execute(
        f"SELECT one, other, COUNT(*) FROM ({_TIERS}) GROUP BY one, other ORDER BY one, other",
        {"one": TODAY, "other": DRAFT},
    )
    return [{"today": one, "draft": other, "members": count} for one, other, count in rows]


def changed(history: History, ranks: Mapping[str, int]) -> dict[str, Any]:
    """How many are worse and better off, and the ten whom it hurts and helps most: points first, then the tier."""
    history.db.create_function("rank", 1, lambda tier: ranks.get(tier, -1), deterministic=True)
    both = f"""
      SELECT p.member, p.external, p.one, p.other, t.one AS tier_one, t.other AS tier_other,
        p.other - p.one AS more, rank(t.other) - rank(t.one) AS steps
      FROM (SELECT member, MAX(external) AS external, SUM(one) AS one, SUM(other) AS other FROM (
          SELECT member, external, one, other FROM ({_BOTH})
          UNION ALL SELECT member, external, 0, 0 FROM tier WHERE run IN (:one, :other)) GROUP BY member) p
      LEFT JOIN ({_TIERS}) t ON t.member = p.member"""
    names = {"one": TODAY, "other": DRAFT, "unit": POINTS}

    def some(where: str, order: str) -> list[dict[str, Any]]:
        rows = history.db.execute(
            f"SELECT member, external, one, other, tier_one, tier_other FROM ({both})"
            f" WHERE {where} ORDER BY {order}, external LIMIT {MOST}",
            names,
        )
        return [
            {
                "member": member,
                "external_id": external,
                "points": {"today": one, "draft": other},
                "tier": {"today": tier_one or "", "draft": tier_other or ""},
            }
            for member, external, one, other, tier_one, tier_other in rows
        ]

    [(worse, better, same)] = history.db.execute(
        "SELECT COALESCE(SUM(more < 0 OR (more = 0 AND steps < 0)), 0),"
        " COALESCE(SUM(more > 0 OR (more = 0 AND steps > 0)), 0), COALESCE(SUM(more = 0 AND steps = 0), 0)"
        f" FROM ({both})",
        names,
    )
    return {
        "worse": worse,
        "better": better,
        "same": same,
        "hurt": some("more < 0 OR (more = 0 AND steps < 0)", "more, steps"),
        "helped": some("more > 0 OR (more = 0 AND steps > 0)", "more DESC, steps DESC"),
    }


def write_members(history: History, file: Path) -> None:
    """A row for each member: what they would have under either rules, of each unit, and their tier."""
    units = [unit for (unit,) in history.db.execute("SELECT DISTINCT unit FROM stood ORDER BY unit")]
    of_unit = "COALESCE((SELECT balance FROM stood s WHERE s.run = '{0}' AND s.unit = ? AND s.member = m.member), 0)"
    columns = [of_unit.format(run) for _ in units for run in (TODAY, DRAFT)]
    columns += [
        f"COALESCE((SELECT tier FROM tier t WHERE t.run = '{run}' AND t.member = m.member), '')"
        for run in (TODAY, DRAFT)
    ]
    named = [unit for unit in units for _ in (TODAY, DRAFT)]
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        header = [f"{unit}_{run}" for unit in units for run in (TODAY, DRAFT)]
        writer.writerow(["member", "external_id", *header, "tier_today", "tier_draft"])
        writer.writerows(
            history.db.execute(
                f"SELECT m.member, m.external, {', '.join(columns)} FROM (SELECT DISTINCT member, external FROM tier)"
                " m ORDER BY m.external",
                named,
            )
        )


def fidelity(history: History, units: Sequence[str]) -> dict[str, Any]:
    """How far the replay under the rules that were in force is from the books."""
    names = {"one": BOOKS, "other": TODAY}
    [(members, tiers)] = history.db.execute(f"SELECT COUNT(*), COALESCE(SUM(one <> other), 0) FROM ({_TIERS})", names)
    found = {}
    for unit in units:
        [(differ, apart, books, replayed)] = history.db.execute(
            "SELECT COALESCE(SUM(one <> other), 0), COALESCE(SUM(ABS(one - other)), 0),"
            f" COALESCE(SUM(one), 0), COALESCE(SUM(other), 0) FROM ({_BOTH})",
            {**names, "unit": unit},
        )
        found[unit] = {"members": differ, "apart": apart, "books": books, "replayed": replayed}
    return {"members": members, "tiers": tiers, "units": found}
