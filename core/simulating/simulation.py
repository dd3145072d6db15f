"""A simulation from end to end: gather, replay under the rules that were in force, replay under others, compare."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.models import ProgrammeVersionRow
from core.rulebook.programme import Programme
from core.simulating import comparing
from core.simulating.comparing import BOOKS, DRAFT, TODAY
from core.simulating.figures import figures
from core.simulating.history import History
from core.simulating.own import OWN
from core.simulating.scratch import Document, Lived, Parts, Scratch, open_scratch
from core.store import Store
from core.store.databases import connect
from core.store.dialect import Reader
from core.time.clock import instant, microseconds

STEPS: Final = ("gather", TODAY, DRAFT, "compare")
Advance = Callable[[str, int, int], None]
"""Told the step, how much of it is done, and how much there is."""


class Request(NamedTuple):
    """What is asked: what would have come of it, had this document judged from ``since`` on, until ``until``.

    What was recorded after ``begun`` is left out. What each member would have is written to ``members``.
    """

    document: str
    since: datetime
    until: datetime
    begun: datetime
    members: Path | None = None


async def simulate(url: str, parts: Parts, request: Request, folder: Path, advance: Advance) -> dict[str, Any]:
    """The result, as plain JSON. The database is only read; all else is in the folder."""
    history = History(folder / "history.sqlite3")
    try:
        programme = parts.load(request.document)
        documents = await _gather(url, parts, request, history, advance)
        lived: dict[str, Lived] = {}
        runs: dict[str, Any] = {}
        numbers = {number for number, _, _ in documents}
        draft = Document(max(numbers, default=0) + 1, request.since, request.document)
        before = [each for each in documents if each.starts_at < request.since]
        units = _units(parts, [*documents, draft])
        for run, versions in ((TODAY, documents), (DRAFT, [*before, draft])):
            async with open_scratch(folder, run, parts, versions) as scratch:
                await scratch.live(history, request.until, partial(_tell, advance, run, history))
                lived[run] = scratch.lived
                runs[run] = await _figures(scratch, units, request)
                await comparing.note(history, run, scratch.store.reader(), request.until)
        advance("compare", 0, 1)
        if request.members is not None:
            comparing.write_members(history, request.members)
        ranks = _ranks(parts, documents, programme)
        return {
            "since": request.since.isoformat(),
            "until": request.until.isoformat(),
            "currency": programme.currency,
            "units": list(units),
            "ladder": sorted(ranks, key=lambda tier: ranks[tier]),
            "operations": {
                "anew": _counted(history.anew),
                "carried": _counted(history.carried),
                "left": _counted(history.left),
            },
            TODAY: {**runs[TODAY], **_told(lived[TODAY])},
            DRAFT: {**runs[DRAFT], **_told(lived[DRAFT])},
            "migration": comparing.migration(history),
            "members": comparing.changed(history, ranks),
            "fidelity": comparing.fidelity(history, units),
        }
    finally:
        history.close()


def _tell(advance: Advance, run: str, history: History, done: int) -> None:
    advance(run, done, history.count)


async def _gather(url: str, parts: Parts, request: Request, history: History, advance: Advance) -> list[Document]:
    judged = frozenset((kind.channel, kind.kind) for kind in parts.judges.values())
    async with connect(url, parts.apps, every_task=True):
        reader = Store().reader()
        documents = [
            Document(row.number, row.starts_at, row.document)
            for row in await ProgrammeVersionRow.filter(starts_at__lt=request.until).order_by("number")
        ]
        await history.gather(
            reader,
            [*OWN, *parts.anew],
            begun=request.begun,
            until=request.until,
            judged=judged,
            advance=lambda done, total: advance("gather", done, total),
        )
        await comparing.note(history, BOOKS, reader, request.until)
        return documents


async def _figures(scratch: Scratch, units: Sequence[str], request: Request) -> dict[str, Any]:
    version = scratch.programmes.latest(request.until)
    assert version is not None, "a version judges at the end, or there is nothing to simulate"
    reader, programme = scratch.store.reader(), version.programme
    known = [unit for unit in units if unit in programme.unit_names]
    run = await figures(reader, programme, known, request.since, request.until)
    return run.to_json(programme.currency)


def _units(parts: Parts, documents: Sequence[Document]) -> list[str]:
    """The units that any of the versions has, in their order."""
    return list(dict.fromkeys(unit for each in documents for unit in parts.load(each.document).unit_names))


def _ranks(parts: Parts, documents: Sequence[Document], programme: Programme) -> dict[str, int]:
    """How high the tiers are: as the draft has them, and those that only the present rules have by their place."""
    ranks: dict[str, int] = {}
    former = parts.load(max(documents, key=lambda each: each.starts_at).document) if documents else None
    for each in (former, programme):
        if each is not None and each.tiers is not None:
            ranks |= {tier.id: place for place, tier in enumerate(each.tiers.ladder)}
    return ranks


def _counted(counts: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    return [{"channel": channel, "kind": kind, "count": count} for (channel, kind), count in sorted(counts.items())]


def _told(lived: Lived) -> dict[str, Any]:
    return {
        "refused": dict(sorted(lived.refused.items())),
        "failed": dict(sorted(lived.failed.items())),
        "short": {
            unit: {"points": points, "times": lived.short_times[unit]} for unit, points in sorted(lived.short.items())
        },
    }


async def has_history(reader: Reader, since: datetime, until: datetime) -> bool:
    """Whether anything happened in the range."""
    rows = await reader.query(
        f"SELECT 1 FROM operation WHERE effective_at >= {microseconds(since)}"
        f" AND effective_at < {microseconds(until)} LIMIT 1"
    )
    return bool(rows)


async def span(reader: Reader) -> tuple[datetime, datetime] | None:
    """The first and the last instant of which anything is known."""
    ((first, last),) = await reader.query("SELECT MIN(effective_at), MAX(effective_at) FROM operation")
    return None if first is None else (instant(first), instant(last))
