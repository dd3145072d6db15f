"""Real orders imported a second, and the memory it takes: each import in a process of its own, as `laurel import` is.

``python -m benchmarks.importing URL FILE PROGRAMME`` is that process; it prints its figures as JSON.
"""

import asyncio
import csv
import gzip
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from cProfile import Profile
from datetime import UTC, datetime
from itertools import count, islice, pairwise
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from core.files.importing import Reject, examine, import_batch, import_rows, read
from core.rulebook.publishing import publish
from examples.data import prepare
from graph.commands.importing import columns_of, maker
from graph.laurel import open_laurel, tables
from graph.settings import Settings
from plugins.manager import Plugins, find_offers, load_plugins
from tests.databases import Server

EXAMPLES = Path(prepare.__file__).parent.parent
CDNOW = EXAMPLES / "data" / "cdnow" / "orders.csv.gz"
MAPPING = EXAMPLES / "data" / "cdnow" / "mapping.yaml"
SIZES = (10_000, 70_000)
MOST = 200_000
SLICE = 5_000
LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)


def purchases_only() -> Plugins:
    """The one plugin that an import of orders needs, so that the figures don't change with every new one."""
    return load_plugins(offers=[offer for offer in find_offers() if offer.name == "purchase"])


# -- in the process that imports ----------------------------------------------------------------------


async def import_once(url: str, file: Path, programme: str, profile: Profile | None = None) -> dict[str, Any]:
    """Import the file by the programme, each order at its own time; what became of it and how long it took."""
    plugins = purchases_only()
    async with open_laurel(Settings(database_url=url), plugins=plugins, batch_max=import_batch(url)) as laurel:
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
        importer = plugins.importers["orders"]
        columns = columns_of(importer, MAPPING if ".csv" in file.suffixes else None)
        checked = examine(file, columns)
        times, cpu = [perf_counter()], process_time()
        lines = _timed(read(checked, columns), times)
        make = maker(importer, laurel, actor="bench", as_of="row")
        if profile is not None:
            profile.enable()
        figures = await import_rows(lines, make, laurel.committer, reject=_refused)
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


def _timed(lines: Iterator[Any], times: list[float]) -> Iterator[Any]:
    """The lines; the time at every so many of them."""
    for number, line in enumerate(lines, 1):
        if number % SLICE == 0:
            times.append(perf_counter())
        yield line


def _refused(reject: Reject) -> None:
    """Real files hold rows that are refused; the figures count them."""


# -- in the process that compares ---------------------------------------------------------------------


def measure(server: Server, file: Path, programme: str) -> dict[str, Any]:
    """The figures of an import into a fresh database."""
    url = server.migrated(tables(purchases_only()))
    try:
        asked = [sys.executable, "-m", "benchmarks.importing", url, str(file), programme]
        answer = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True).stdout
    finally:
        server.done(url)
    figures: dict[str, Any] = json.loads(answer)
    return figures


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
    print(json.dumps(asyncio.run(import_once(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))))
