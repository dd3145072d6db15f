"""Real orders imported a second, and the memory it takes: each import in a process of its own, as `laurel import` is.

``python -m benchmarks.importing URL FILE PROGRAMME`` is that process; it prints its figures as JSON.
"""

import asyncio
import csv
import gzip
import json
import os
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from cProfile import Profile
from datetime import UTC, datetime
from functools import partial
from itertools import count, islice, pairwise
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from benchmarks.books import books_of, broken
from benchmarks.rounds import Sample, ratio, take_turns
from benchmarks.set_import import import_in_lanes
from core.files.importing import Figures, Reject, examine
from core.rulebook.publishing import publish
from core.store.migrating import migrate
from examples.data import prepare
from graph.collecting import collect_rarely
from graph.commands.importing import Asked, columns_of, import_lane, run_lane
from graph.commands.lanes import LANES, Lane, Others, Work
from graph.laurel import tables
from plugins.manager import Plugins, find_offers, load_plugins
from tests.databases import Server, run_now

EXAMPLES = Path(prepare.__file__).parent.parent
CDNOW = EXAMPLES / "data" / "cdnow" / "orders.csv.gz"
MAPPING = EXAMPLES / "data" / "cdnow" / "mapping.yaml"
SIZES = (10_000, 70_000)
MOST = 200_000
SLICE = 5_000
ORDERS = 100_000
QUICK = 2_000
ROUNDS = 3
LEFT_OUT = "grounds of a tier history"
"""What the reference does not write."""
LAUREL = "laurel"
SET_BASED = "set-based"
LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)


def purchases_only() -> Plugins:
    """The one plugin that an import of orders needs, so that the figures don't change with every new one."""
    return load_plugins(offers=[offer for offer in find_offers() if offer.name == "purchase"])


# -- in the process that imports ----------------------------------------------------------------------


async def import_once(
    url: str, file: Path, programme: str, profile: Profile | None = None, lanes: int = 1
) -> dict[str, Any]:
    """Import the file by the programme, each order at its own time; what became of it and how long it took."""
    os.environ["LAUREL_DISABLED_PLUGINS"] = " ".join({offer.name for offer in find_offers()} - {"purchase"})
    mapping = MAPPING if ".csv" in file.suffixes else None
    asked = Asked(url, "orders", mapping, as_of="row", guests=False, actor="bench", rows_at_once=None)
    async with asked.opened() as laurel:
        document = (EXAMPLES / "programmes" / f"{programme}.yaml").read_text(encoding="utf-8")
        await publish(
            document,
            author="bench",
            reason="to measure an import",
            load=laurel.load,
            clock=laurel.clock,
            starts_at=LONG_AGO,
            in_the_past=True,
        )
        await laurel.programmes.refresh(laurel.store.reader())
        checked = [examine(file, columns_of(asked.importer(laurel), mapping))]
        times, cpu, figures = [perf_counter()], process_time(), Figures()
        if profile is not None:
            profile.enable()
        with Others(lanes, Work(run_lane, (asked, checked))) as others:
            first = Lane(0, lanes)
            await import_lane(asked, laurel, checked, first, _refused, figures, partial(_time, figures, times))
            await asyncio.to_thread(others.wait)
            for other in others.figures:
                figures.add(other)
        if profile is not None:
            profile.disable()
        seconds, cpu = perf_counter() - times[0], process_time() - cpu
    rates = [SLICE / (after - before) for before, after in pairwise(times)]
    return {
        "rows": figures.rows,
        "imported": figures.imported,
        "rate": round(figures.rows / seconds),
        "cpu_us": round(cpu / figures.rows * 1_000_000),
        "median_rate": round(median(rates)) if rates else None,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> int:
    """The most memory this process ever had."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's getrusage would tell what the process that started this one had, if that was more.
        [peak] = [line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:")]
        return round(int(peak.split()[1]) / 1024)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20))


def _time(figures: Figures, times: list[float], _: int) -> None:
    """Note the time whenever another slice of the first lane's rows is in."""
    while figures.rows >= SLICE * len(times):
        times.append(perf_counter())


def _refused(reject: Reject) -> None:
    """Real files hold rows that are refused; the figures count them."""


# -- in the process that compares ---------------------------------------------------------------------


def measure(server: Server, file: Path, programme: str) -> dict[str, Any]:
    """The figures of an import into a fresh database."""
    url = server.migrated(tables(purchases_only()))
    try:
        return _import(url, file, programme)
    finally:
        server.done(url)


def _import(url: str, file: Path, programme: str, lanes: int = 1) -> dict[str, Any]:
    asked = [sys.executable, "-m", "benchmarks.importing", url, str(file), programme, str(lanes)]
    answer = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, Any] = json.loads(answer)
    return figures


async def compare(server: Server, file: Path, orders: int, rounds: int) -> dict[str, Any]:
    """Import so many orders into PostgreSQL, in two lanes each, and see that the books are the same."""
    apps = tables(purchases_only())
    books: list[Any] = []

    async def fresh(take: Callable[[str], Awaitable[float]]) -> Sample:
        # A database of its own each time: what one has left for the vacuum would be the next one's.
        url = server.empty()
        await asyncio.to_thread(run_now, migrate(url, apps))
        rate = await take(url)
        wrong = await broken(url, apps) if orders <= QUICK else []
        books.append((await books_of(url), [each for each in wrong if each[0] != LEFT_OUT]))
        server.done(url)
        return Sample(rate, ())

    async def laurel(url: str) -> float:
        figures = await asyncio.to_thread(_import, url, file, "first-shop", LANES)
        assert figures["imported"] == orders
        return float(figures["rate"])

    async def set_based(url: str) -> float:
        return orders / await import_in_lanes(url, file)

    turns = {LAUREL: partial(fresh, laurel), SET_BASED: partial(fresh, set_based)}
    samples = await take_turns(turns, rounds)
    assert all(each == books[0] for each in books), "the books differ"
    return {
        "orders": orders,
        "rates": {name: round(median(sample.rate for sample in samples[name])) for name in turns},
        "times": round(ratio(samples, SET_BASED, LAUREL), 2),
    }


def real_files(folder: Path, rows: int | None) -> Iterator[tuple[str, Path, str]]:
    """The name, the file and the programme of each import that is measured; ``rows`` of each file at most."""
    cdnow = CDNOW if rows is None else repeated_cdnow(folder, rows)
    yield "CDNOW, no lines", cdnow, "cdnow"
    yield "CDNOW, no lines", cdnow, "first-shop"
    retail = folder / "online_retail.jsonl"
    prepare.write(islice(prepare.online_retail(), rows), retail)
    yield "Online Retail, 20 lines an order, refunds", retail, "online-retail"


def repeated_cdnow(folder: Path, orders: int) -> Path:
    """So many orders: CDNOW's again and again, with other members and references each time."""
    path = folder / f"cdnow-{orders}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(islice(_repeated(), orders + 1))
    return path


def _repeated() -> Iterator[list[str]]:
    for copy in count():
        with gzip.open(CDNOW, "rt", encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            header = next(rows)
            if copy == 0:
                yield header
            for reference, member, *rest in rows:
                yield [f"{copy}-{reference}", f"{copy}-{member}", *rest]


if __name__ == "__main__":
    collect_rarely()  # as `laurel` does
    print(json.dumps(asyncio.run(import_once(sys.argv[1], Path(sys.argv[2]), sys.argv[3], lanes=int(sys.argv[4])))))
