"""``python -m benchmarks``: see ``--help``. SQLite always; PostgreSQL and MariaDB where the tests have an address."""

import argparse
import asyncio
import json
import pstats
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from cProfile import Profile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvloop

from benchmarks import (
    aggregates,
    bombs,
    channels,
    comparing,
    dashboard,
    flames,
    followers,
    importing,
    leaderboards,
    operations,
    pages,
    reads,
    report,
    reviews,
    shop,
    sweep,
    writes,
)
from graph.collecting import collect_rarely
from graph.laurel import tables
from tests.databases import KINDS, Server, open_server, server_address

PARTS = (
    "reads",
    "growth",
    "workers",
    "flames",
    "writes",
    "pages",
    "where",
    "watching",
    "followers",
    "bombs",
    "operations",
    "channels",
    "aggregates",
    "statements",
    "sweeps",
    "lapsed",
    "reviews",
    "leaderboards",
    "dashboard",
    "imports",
    "lanes",
    "memory",
)


def address_of(kind: str) -> str:
    """Where databases of a kind can be made, of which somebody has said so."""
    address = server_address(kind)
    assert address is not None
    return address


@contextmanager
def _server(kind: str) -> Iterator[Server]:
    address = address_of(kind)
    # Beside the data of everybody else rather than in a temporary folder, which may be in memory.
    with TemporaryDirectory(dir=".", prefix=".benchmarks-", ignore_cleanup_errors=True) as folder:
        server = open_server(kind, address, Path(folder))
        try:
            yield server
        finally:
            server.close()


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Everything that was asked for, by part."""
    collect_rarely()  # as a server does; the plain implementation profits too
    kinds = [kind for kind in KINDS if kind in asked.databases and server_address(kind)]
    rounds, seconds, rows = (1, 0.3, 2_000) if asked.quick else (asked.rounds, 1.0, asked.rows or None)
    members = 200 if asked.quick else channels.MEMBERS
    sized = shop.QUICK if asked.quick else shop.FULL
    figures: dict[str, Any] = {
        "machine": report.machine(),
        "settings": {"rounds": rounds, "seconds": seconds, "rows": rows},
        "versions": {},
        "reads": {},
        "growth": {},
        "workers": {},
        "writes": {},
        "pages": {},
        "operations": {},
        "channels": {},
        "aggregates": {},
        "sweeps": [],
        "reviews": [],
        "leaderboards": [],
        "dashboard": [],
        "imports": [],
    }
    with TemporaryDirectory() as files:
        for kind in kinds:
            with _server(kind) as server:
                _say(f"{kind} …")
                url = server.empty()
                figures["versions"][kind] = asyncio.run(report.check_durable(kind, url, operations.CORE))
                server.done(url)
                # Reads by hand are written for two dialects.
                if "reads" in asked.parts and kind != "mysql":
                    _say(f"{kind}: reads …")
                    figures["reads"][kind] = uvloop.run(
                        comparing.measure_reads(kind, address_of(kind), rounds=rounds, seconds=seconds, size=sized)
                    )
                if "growth" in asked.parts and kind != "mysql":
                    _say(f"{kind}: growth …")
                    figures["growth"][kind] = uvloop.run(
                        comparing.measure_growth(kind, address_of(kind), rounds=rounds, seconds=seconds, size=sized)
                    )
                if "workers" in asked.parts and kind != "mysql":
                    _say(f"{kind}: workers …")
                    figures["workers"][kind] = uvloop.run(
                        comparing.measure_workers(kind, address_of(kind), rounds=rounds, seconds=seconds, size=sized)
                    )
                if "writes" in asked.parts and kind in writes.WRITES:
                    _say(f"{kind}: writes …")
                    figures["writes"][kind] = asyncio.run(
                        writes.measure_writes(server, kind, rounds=rounds, seconds=seconds)
                    )
                if "pages" in asked.parts and kind != "mysql":
                    _say(f"{kind}: pages …")
                    figures["pages"][kind] = asyncio.run(pages.measure_pages(server, rounds=rounds, seconds=seconds))
                if "operations" in asked.parts:
                    figures["operations"][kind] = asyncio.run(
                        operations.measure_rates(server, rounds=rounds, seconds=seconds)
                    )
                if "channels" in asked.parts:
                    _say(f"{kind}: channels …")
                    figures["channels"][kind] = asyncio.run(
                        channels.measure_channels(server, rounds=rounds, members=members)
                    )
                if "aggregates" in asked.parts:
                    _say(f"{kind}: daily aggregates …")
                    figures["aggregates"][kind] = asyncio.run(
                        aggregates.measure_aggregates(server, rounds=rounds, seconds=seconds)
                    )
                if "imports" in asked.parts:
                    for name, file, programme in importing.real_files(Path(files), rows):
                        _say(f"{kind}: {name}, {programme} …")
                        one = importing.measure(server, file, programme)
                        figures["imports"].append({"database": kind, "file": name, "programme": programme, **one})
                if "lanes" in asked.parts and kind == "postgres":
                    orders = importing.QUICK if asked.quick else importing.ORDERS
                    _say(f"{kind}: {orders:,} orders in two lanes …")
                    file, turns = importing.repeated_cdnow(Path(files), orders), 1 if asked.quick else importing.ROUNDS
                    figures["lanes"] = asyncio.run(importing.compare(server, file, orders, turns))
                # Filled by hand for two dialects.
                if "sweeps" in asked.parts and kind != "mysql":
                    for members in sweep.QUICK if asked.quick else sweep.SIZES:
                        _say(f"{kind}: a sweep of {members * sweep.LOTS:,} lots …")
                        due = min(sweep.DUE, members // 10)
                        figures["sweeps"].append(asyncio.run(sweep.measure(server, members, due)))
                if "lapsed" in asked.parts and kind == "postgres":
                    members = sweep.QUICK[0] if asked.quick else sweep.EVERYBODY
                    _say(f"{kind}: a sweep of {members * sweep.LOTS:,} lots that have all lapsed …")
                    figures["lapsed"] = asyncio.run(sweep.compare(server, members, 1 if asked.quick else sweep.ROUNDS))
                if "reviews" in asked.parts and kind != "mysql":
                    for members in reviews.QUICK if asked.quick else reviews.SIZES:
                        _say(f"{kind}: a review of {members:,} members …")
                        figures["reviews"].append(asyncio.run(reviews.measure(server, members)))
                if "leaderboards" in asked.parts and kind != "mysql":
                    for members in leaderboards.QUICK if asked.quick else leaderboards.SIZES:
                        _say(f"{kind}: a leaderboard of {members:,} members …")
                        figures["leaderboards"].append(asyncio.run(leaderboards.measure(server, members)))
                if "dashboard" in asked.parts and kind != "mysql":
                    members = dashboard.QUICK if asked.quick else dashboard.MEMBERS
                    _say(f"{kind}: the dashboard over {members * dashboard.EACH:,} orders …")
                    figures["dashboard"].append(asyncio.run(dashboard.measure(server, members)))
        if "flames" in asked.parts:
            kind = "postgres" if "postgres" in kinds else "sqlite"
            _say(f"{kind}: flame graphs …")
            figures["flames"] = uvloop.run(
                flames.measure_flames(kind, address_of(kind), seconds=5 * seconds, size=sized, write=asked.write)
            )
        with _server("sqlite") as server:
            if "where" in asked.parts:
                _say("where the time goes …")
                figures["where"] = asyncio.run(reads.measure_where(server, seconds=5 * seconds))
            if "watching" in asked.parts:
                _say("watching …")
                figures["watching"] = asyncio.run(reads.measure_watching(server, rounds=rounds, seconds=seconds))
            if "followers" in asked.parts:
                _say("followers …")
                many = 20 if asked.quick else followers.FOLLOWERS
                figures["followers"] = asyncio.run(followers.measure(server, followers=many))
            if "bombs" in asked.parts:
                _say("bombs …")
                figures["bombs"], figures["beside"] = asyncio.run(bombs.measure_bombs(server, rounds=rounds))
            if "statements" in asked.parts:
                figures["statements"] = asyncio.run(operations.count_statements(server))
            if "memory" in asked.parts:
                figures["memory"] = []
                for size in importing.SIZES[:1] if asked.quick else (*importing.SIZES, asked.most):
                    _say(f"memory: {size} orders …")
                    file = importing.repeated_cdnow(Path(files), size)
                    figures["memory"].append(importing.measure(server, file, "cdnow"))
    return figures


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def profile(asked: argparse.Namespace) -> None:
    """Print where an import spends its time. The profile weighs calls too heavily; look for what stands out."""
    profiled = Profile()
    with TemporaryDirectory() as files, _server("sqlite") as server:
        url = server.migrated(tables(importing.purchases_only()))
        file = importing.repeated_cdnow(Path(files), asked.orders)
        figures = asyncio.run(importing.import_once(url, file, asked.programme, profiled))
    print(f"{figures['rows']:,} orders, {figures['rate']:,} a second while profiled")
    pstats.Stats(profiled).strip_dirs().sort_stats(asked.sort).print_stats(asked.top)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--databases", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of operations (default 3)")
    parser.add_argument(
        "--rows", type=int, default=30_000, help="import so many rows of each file at most (default 30000; 0: all)"
    )
    parser.add_argument(
        "--most",
        type=int,
        default=importing.MOST,
        help=f"orders of the largest file whose memory is measured (default {importing.MOST})",
    )
    parser.add_argument("--quick", action="store_true", help="small samples, to see that it works")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--write", action="store_true", help=f"write docs/{report.PAGE.name}")
    commands = parser.add_subparsers(title="instead")
    profiling = commands.add_parser("profile", help="where an import spends its time")
    profiling.add_argument("--orders", type=int, default=10_000)
    profiling.add_argument("--programme", default="first-shop")
    profiling.add_argument("--sort", choices=("tottime", "cumtime", "ncalls"), default="tottime")
    profiling.add_argument("--top", type=int, default=40)
    profiling.set_defaults(run=profile)
    asked = parser.parse_args()
    if "run" in asked:
        asked.run(asked)
        return
    figures = measure(asked)
    if asked.write:
        report.write(figures, whole=set(asked.parts) == set(PARTS))
    if asked.json:
        json.dump(figures, sys.stdout, indent=2)
        print()
    else:
        report.show(figures)


if __name__ == "__main__":
    main()
