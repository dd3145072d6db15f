"""The figures as tables: on the screen, and in ``docs/performance.md``."""

import os
import platform
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import aggregates, bombs, flames, handwritten_writes, importing, reads, sampling, shop, sweep, writes
from benchmarks.channels import CALLERS
from benchmarks.operations import COMMITTER, ONE_EACH, PLAIN_TORTOISE
from core.store.databases import Tables, connect

PAGE: Final = Path(__file__).parent.parent / "docs" / "performance.md"
NAMES: Final = {"sqlite": "SQLite", "postgres": "PostgreSQL", "mysql": "MariaDB"}
_ABOUT: Final = """\
# Performance

Written by `python -m benchmarks --write` (`make bench` prints the same); edit nothing here by hand.

Every figure is of one machine and one run, and other work may have gone on beside it: trust the ratios more than the
rates. Contenders take turns in rounds, ratios are taken inside a round, and the median counts. All commits are durable:
`synchronous` is FULL on SQLite, `synchronous_commit` on on PostgreSQL, `innodb_flush_log_at_trx_commit` 1 on MariaDB.
"""
_DURABILITY: Final = {
    "sqlite": "SELECT sqlite_version() AS version, 'synchronous FULL' AS durable",
    "postgres": (
        "SELECT current_setting('server_version') AS version, 'fsync ' || current_setting('fsync')"
        " || ', synchronous_commit ' || current_setting('synchronous_commit') AS durable"
    ),
    "mysql": (
        "SELECT version() AS version,"
        " CONCAT('innodb_flush_log_at_trx_commit ', @@innodb_flush_log_at_trx_commit) AS durable"
    ),
}
_PROMISED: Final = {
    "synchronous FULL",
    "fsync on, synchronous_commit on",
    "innodb_flush_log_at_trx_commit 1",
}


class Section(NamedTuple):
    """One table, and what to know before reading it."""

    title: str
    about: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


# -- where it was measured ----------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """The machine in general terms."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} on {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


async def check_durable(kind: str, url: str, apps: dict[str, Tables]) -> str:
    """The server's version. Ends the run when it does not keep what it acknowledges: its figures would mean nothing."""
    async with connect(url, apps) as context:
        [row] = await context.db("default").execute_query_dict(_DURABILITY[kind])
    if row["durable"] not in _PROMISED:
        raise SystemExit(f"{NAMES[kind]} is not durable ({row['durable']}), so it is not measured")
    return str(row["version"])


# -- what was measured --------------------------------------------------------------------------------


def sections(figures: dict[str, Any]) -> list[Section]:
    """A table for each part that was measured."""
    made: dict[str, Callable[[Any], Section]] = {
        "reads": _reads,
        "growth": _growth,
        "workers": _workers,
        "flames": _flames,
        "writes": _writes,
        "pages": _pages,
        "where": _where,
        "watching": _watching,
        "followers": _followers,
        "bombs": _bombs,
        "beside": _beside,
        "operations": _operations,
        "channels": _channels,
        "aggregates": _aggregates,
        "statements": _statements,
        "sweeps": _sweeps,
        "lapsed": _lapsed,
        "reviews": _reviews,
        "leaderboards": _leaderboards,
        "dashboard": _dashboard,
        "imports": _imports,
        "lanes": _lanes,
        "memory": _memory,
    }
    return [make(figures[part]) for part, make in made.items() if figures.get(part)]


def _reads(figures: dict[str, list[dict[str, Any]]]) -> Section:
    return Section(
        "Reads of a large shop",
        f"Over HTTP, by {reads.CALLERS} connections at once; each contender is one process, over the same database of"
        f" {shop.FULL.members:,} members, two million entries and two million lots (`benchmarks/shop.py`), and answers"
        " the same JSON, which is compared before. Laurel is `laurel serve` with all limits on. By hand is an endpoint"
        " that asks the driver one prepared statement, looks at no token and limits nothing"
        " (`benchmarks/handwritten.py`). The history is of a member with a million entries, its first page and one half"
        " a million entries deep. `Laurel's times` is how many times as many requests a second Laurel answers as that"
        " contender, in the median of the rounds; by processor is the same of the serving process's time, with SQLite"
        " in it and PostgreSQL not, which says more when others work on the machine.",
        (
            "database", "read", "contender", "a second", "Laurel's times", "p50 ms", "p99 ms", "processor µs",
            "Laurel's times by processor",
        ),
        [
            [
                NAMES[kind], one["read"], name, f"{by['rate']:,}", f"{by['of_it']:.2f}", f"{by['p50_ms']:,}",
                f"{by['p99_ms']:,}", f"{by['cpu_us']:,}", f"{by['of_it_by_cpu']:.2f}",
            ]
            for kind, measured in figures.items()
            for one in measured
            for name, by in one["by"].items()
        ],
    )  # fmt: skip


def _writes(figures: dict[str, list[dict[str, Any]]]) -> Section:
    return Section(
        "Writes a second",
        f"Over HTTP, by {writes.CALLERS} callers at once, each commit durable: mutations of Laurel with all limits on,"
        " and endpoints written by hand (`benchmarks/handwritten_writes.py`), each in one process on a database of its"
        " own. On PostgreSQL the endpoint calls one stored function a request on"
        f" {handwritten_writes.CONNECTIONS} connections; on SQLite one thread writes all that waits in one transaction."
        " Both answer the same and leave the same rows in all tables, which is looked at before, and `laurel verify`"
        " finds nothing wrong with either afterwards; by hand nobody is asked for a token, and the programme's rule is"
        " a constant. `times` is how many times as many requests a second Laurel answers. The processor time is the"
        " serving process's. Statements are Laurel's for a request, BEGIN and COMMIT not counted.",
        (
            "database", "write", "GraphQL", "by hand", "times", "processor µs", "by hand", "times",
            "p50 ms", "by hand", "p99 ms", "by hand", "statements",
        ),
        [
            [
                NAMES[kind], one["write"], *(f"{one[name]['rate']:,}" for name in (writes.GRAPHQL, writes.BY_HAND)),
                f"{one['times']:.2f}", *(f"{one[name]['cpu_us']:,}" for name in (writes.GRAPHQL, writes.BY_HAND)),
                f"{one['cpu_times']:.2f}",
                *(f"{one[name]['p50_ms']:,}" for name in (writes.GRAPHQL, writes.BY_HAND)),
                *(f"{one[name]['p99_ms']:,}" for name in (writes.GRAPHQL, writes.BY_HAND)),
                f"{one['statements']:g}",
            ]
            for kind, measured in figures.items()
            for one in measured
        ],
    )  # fmt: skip


def _growth(figures: dict[str, list[dict[str, Any]]]) -> Section:
    return Section(
        "Reads of more and more",
        "Pages of more members, and what is asked of members with more entries, in the same shop: `times` is how many"
        " times as long as the first of its kind a request takes by the clock, in the median of the rounds, and by the"
        " serving process's processor. A history is of ten transactions: the member with twenty entries has no more.",
        ("database", "read", "of", "contender", "p50 ms", "times", "processor µs", "times by processor"),
        [
            [
                NAMES[kind], one["read"], f"of {one['of']}", one["contender"], f"{one['p50_ms']:,}",
                f"{one['times']:.2f}", f"{one['cpu_us']:,}", f"{one['cpu_times']:.2f}",
            ]
            for kind, measured in figures.items()
            for one in measured
        ],
    )  # fmt: skip


def _workers(figures: dict[str, list[dict[str, Any]]]) -> Section:
    return Section(
        "Two workers",
        "`laurel serve --workers 2` against one worker, sixteen connections each, over the same database. Who asks and"
        " the database have the same cores, so two workers cannot be twice as fast.",
        ("database", "read", "one worker, a second", "two workers, a second", "times"),
        [
            [NAMES[kind], one["read"], *(f"{rate:,}" for rate in one["rates"].values()), f"{one['times']:.2f}"]
            for kind, measured in figures.items()
            for one in measured
        ],
    )


def _flames(figures: dict[str, Any]) -> Section:
    ways = {way: figures[way] for way in flames.WAYS}
    totals = {way: sum(one["counted"].values()) for way, one in ways.items()}
    parts = {
        part: {way: one["cpu_us"] * one["counted"][part] / totals[way] for way, one in ways.items()}
        for part in sampling.PARTS
    }
    most = sorted(parts, key=lambda part: -parts[part]["after"])[:3]
    rest = ", ".join(f"{parts[part]['after'] / figures['after']['cpu_us']:.0%} in {part}" for part in most)
    return Section(
        "The progress bar before plans, and after",
        f"Flame graphs of the serving process on {NAMES[figures['database']]}, of what it ran at every millisecond of"
        f" its time: [without plans]({flames.picture_of('before').name}), [with them]"
        f"({flames.picture_of('after').name}); open them by themselves, and point at a call to read its name."
        f" A request takes {figures['before']['cpu_us']:,} µs without plans and {figures['after']['cpu_us']:,} with"
        f" them, sampling included. What is left is {rest}. In microseconds of a request:",
        ("part", "without plans", "with plans"),
        [[part, f"{us['before']:,.0f}", f"{us['after']:,.0f}"] for part, us in parts.items()],
    )


def _pages(figures: dict[str, list[dict[str, Any]]]) -> Section:
    return Section(
        "A page of members with all there is to show",
        "By one caller over HTTP: tier, points and what expires next, progress with its criteria, what keeps the tier,"
        " benefits with what is left of them, badges with progress (`benchmarks/pages.py`). The statements are those"
        " that one request waits for, however many members its page has.",
        ("database", "members", "ms", "p99 ms", "processor ms", "statements"),
        [
            [NAMES[kind], *(str(one[name]) for name in ("members", "ms", "p99_ms", "cpu_ms", "statements"))]
            for kind, measured in figures.items()
            for one in measured
        ],
    )


def _where(figures: list[dict[str, Any]]) -> Section:
    parts = [part for part in sampling.PARTS if any(part in one["counted"] for one in figures)]
    return Section(
        "Where the time of a read goes",
        "By GraphQL on SQLite again: every millisecond of the serving process's time was noted whose code ran, in"
        " microseconds of a request. `the request` is finding and checking it and writing the answer, of which"
        " documents are parsed and validated once; `graphql-core` and Strawberry are what"
        " [plans](../graph/plans/README.md) leave to them.",
        ("read", "processor µs", *parts),
        [
            [
                one["read"],
                f"{one['cpu_us']:,}",
                *(
                    f"{one['cpu_us'] * one['counted'].get(part, 0) / sum(one['counted'].values()):,.0f}"
                    for part in parts
                ),
            ]
            for one in figures
        ],
    )


def _watching(figures: list[dict[str, Any]]) -> Section:
    return Section(
        "What watching costs",
        "The progress bar on SQLite again, by servers that are watched more and more.",
        ("watched", "processor µs a request", "more than unwatched"),
        [[one["watched"], f"{one['cpu_us']:,}", f"{one['more_us']:,}"] for one in figures],
    )


def _bombs(figures: list[dict[str, Any]]) -> Section:
    brought = figures[0]["cpu_ms"]
    return Section(
        "Bombs",
        f"What is small to send and would be long to answer (`tests/graph/limits/bombs.py`), with every channel"
        f" installed: milliseconds of the processor until it is refused, the least of {bombs.ATTEMPTS}, with what the"
        " sender in the same process takes, by what brings it.",
        ("bomb", "bytes", "code", *brought),
        [
            [one["bomb"], f"{one['bytes']:,}", f"`{one['code']}`", *(f"{one['cpu_ms'][name]}" for name in brought)]
            for one in figures
        ],
    )


def _beside(figures: list[dict[str, Any]]) -> Section:
    return Section(
        "Beside bombs",
        f"A progress bar, asked for again and again, while every {bombs.EACH}th request comes with one of those bombs"
        " in turn: what it waits in the median, and the processor's time of a request on average, the bombs' among it,"
        " against the same without bombs.",
        ("bombs by", "alone ms", "beside bombs ms", "times", "processor, times"),
        [
            [one["transport"], *(f"{one[name]}" for name in ("alone_ms", "beside_ms", "times", "cpu_times"))]
            for one in figures
        ],
    )


def _followers(figures: list[dict[str, Any]]) -> Section:
    measured = ("memory_kb", "idle_ms", "purchase_us", "p50_ms", "p99_ms")
    return Section(
        "Following a member",
        "`memberProgress` over WebSockets on SQLite: each follower has a connection and a member of their own, and is"
        " idle but when that member buys. Memory is the serving process's, for each follower; idle is its processor"
        " time in a second in which nothing happens. A purchase's time is the whole of the process, the frame to the"
        " follower with it; the wait is from sending the purchase to having both its answer and the frame. Nobody else"
        " is told anything.",
        ("followers", "KB each", "idle ms a second", "purchase µs", "frame p50 ms", "p99 ms", "frames to others"),
        [
            [
                f"{one['followers']:,}",
                *("" if one[key] is None else f"{one[key]:,}" for key in measured),
                str(one["strangers"]),
            ]
            for one in figures
        ],
    )  # fmt: skip


def _operations(figures: dict[str, list[dict[str, Any]]]) -> Section:
    rows = []
    for kind, measured in figures.items():
        for one in measured:
            rates = [f"{one[name]['rate']:,}" for name in (COMMITTER, ONE_EACH, PLAIN_TORTOISE)]
            latency = [f"{one[name]['p50_ms']:,} / {one[name]['p99_ms']:,}" for name in (COMMITTER, PLAIN_TORTOISE)]
            times = [f"{one['times'][name]}" for name in (ONE_EACH, PLAIN_TORTOISE)]
            rows.append([NAMES[kind], str(one["callers"]), *rates, *times, *latency])
    return Section(
        "Operations a second",
        "Each caller has a member who earns and spends ten points in turn, and calls again as soon as it is answered."
        " The committer is compared with itself at one operation a transaction, and with a plain Tortoise"
        " implementation (`benchmarks/plain.py`) on a pool of ten connections, which keeps no hash chain, no tallies"
        " and no moves. At one caller there is nothing to gather, so nothing is gained.",
        (
            "database", "callers", "committer", "one each", "plain", "times one each", "times plain",
            "committer p50 / p99 ms", "plain p50 / p99 ms",
        ),
        rows,
    )  # fmt: skip


def _channels(figures: dict[str, list[dict[str, Any]]]) -> Section:
    return Section(
        "Channels",
        "The mutations' operations through the committer, with every channel installed: one of each of 1,000 members a"
        f" round, by {CALLERS} callers at once. The ratio is to a purchase without lines in the same round."
        " All rewards are pieces of one stock, all donations go to one pot: everybody shares these rows.",
        ("database", "mutation", "a second", "p99 ms", "times a purchase", "why below half"),
        [
            [
                NAMES[kind],
                one["mutation"],
                f"{one['rate']:,}",
                f"{one['p99_ms']:,}",
                f"{one['times']:.2f}",
                one["why"],
            ]
            for kind, measured in figures.items()
            for one in measured
        ],
    )


def _aggregates(figures: dict[str, list[dict[str, Any]]]) -> Section:
    return Section(
        "Daily aggregates",
        "Purchases through the committer with daily aggregates and the indexes of key figures, and without, in turns."
        " The share is what keeping them takes of a purchase's time: by the clock, in the median of the rounds, and of"
        " this process's processor. Both compare turns, and differ from run to run by a tenth.",
        (
            "database", "callers", "with, a second", "without", "share",
            "processor µs with", "without", "processor's share",
        ),
        [
            [
                NAMES[kind], str(one["callers"]), f"{one[aggregates.WITH]:,}", f"{one[aggregates.WITHOUT]:,}",
                f"{one['share']:.1%}", f"{one['cpu_us'][aggregates.WITH]:,}", f"{one['cpu_us'][aggregates.WITHOUT]:,}",
                f"{one['cpu_share']:.1%}",
            ]
            for kind, measured in figures.items()
            for one in measured
        ],
    )  # fmt: skip


def _statements(figures: list[dict[str, Any]]) -> Section:
    return Section(
        "Statements an operation",
        "The same earning and spending; BEGIN and COMMIT are counted. A statement here is one call of the driver.",
        ("batch", "statements", "rows read", "rows written"),
        [
            [
                str(one["batch"]),
                f"{one['statements']:g}",
                f"{one.get('rows_read', '')}",
                f"{one.get('rows_written', '')}",
            ]
            for one in figures
        ],
    )


def _sweeps(figures: list[dict[str, Any]]) -> Section:
    return Section(
        "A sweep",
        "Writing down what has expired of all members, ten lots each, of whom the stated number has one that is due."
        " For each of them an operation reads the account, the member and the open lots, and nothing of anybody else."
        " Rows are those that statements gave and, where the database counts them, those that it looked at. Memory is"
        " what the process grew by at most; another one had filled the database. The last column is a sweep with"
        " nothing to do. Time is from the first statement to the last commit.",
        ("database", "lots", "due", "rows given", "rows looked at", "seconds", "processor s", "memory", "nothing due"),
        [
            [
                NAMES[one["database"]], f"{one['lots']:,}", f"{one['due']:,}", f"{one['rows_given']:,}",
                "" if one["rows_looked_at"] is None else f"{one['rows_looked_at']:,}", f"{one['seconds']:.1f}",
                f"{one['cpu']:.1f}", f"+{one['megabytes']:.0f} MB", f"{one['idle_milliseconds']:.1f} ms",
            ]
            for one in figures
        ],
    )  # fmt: skip


def _lapsed(figures: dict[str, Any]) -> Section:
    return Section(
        "A sweep where everything has lapsed",
        f"{figures['members']:,} members, all ten lots of each lapsed at instants of their own, on PostgreSQL: against"
        " set-based SQL that goes through ranges of a thousand members, a statement and a transaction each, on one"
        " connection (`benchmarks/set_sweep.py`). Both begin with a copy of one database and leave the same rows:"
        " entries with their chain, moves, lots, accounts, operations, daily aggregates. `times as long` is taken"
        " inside a round, in the median. The longest transaction is how long a member was locked at most.",
        ("contender", "lots a second", "times as long", "longest transaction s"),
        [
            [name, f"{rate:,}", f"{figures['times']}" if name == sweep.LAUREL else "1", f"{figures['longest'][name]}"]
            for name, rate in figures["rates"].items()
        ],
    )


def _reviews(figures: list[dict[str, Any]]) -> Section:
    return Section(
        "A review of tiers",
        "Judging the tiers of one member in a hundred, half of whom fall; everybody has two counts a day on five days"
        " of the year. For each who is due an operation reads the account, the member and the year's counts, and"
        " nothing of anybody else. Memory is what the process grew by at most. The last column is a review with nothing"
        " to do.",
        ("database", "members", "counts", "due", "rows given", "seconds", "processor s", "memory", "nothing due"),
        [
            [
                NAMES[one["database"]], f"{one['members']:,}", f"{one['tallies']:,}", f"{one['due']:,}",
                f"{one['rows_given']:,}", f"{one['seconds']:.1f}", f"{one['cpu']:.1f}", f"+{one['megabytes']:.0f} MB",
                f"{one['idle_milliseconds']:.1f} ms",
            ]
            for one in figures
        ],
    )  # fmt: skip


def _leaderboards(figures: list[dict[str, Any]]) -> Section:
    return Section(
        "Leaderboards",
        "Milliseconds, in the median, of a request through the whole of a server in one process: the first page of 50,"
        " the one after it, a member's own place with ten neighbours (who is first, in the middle, last), and an order"
        " of a member of the board. Everybody stands on it. Places are counted up to 10,000, which is what who stands"
        " in the middle or last waits for.",
        ("database", "members", "page", "next page", "first", "in the middle", "last", "an order"),
        [
            [
                NAMES[one["database"]], f"{one['members']:,}",
                *(f"{one[name]:.1f}" for name in ("page", "next", "first", "middle", "last", "order")),
            ]
            for one in figures
        ],
    )  # fmt: skip


def _dashboard(figures: list[dict[str, Any]]) -> Section:
    names = list(figures[0]["ms"])
    return Section(
        "The dashboard",
        "Milliseconds, in the median, of every query that the page sends, and of the whole page, with all that it can"
        " show: a year by month beside the year before, cohorts of the year, and what is outstanding. It is asked"
        " through the whole of a server in one process that has been asked before; the page asks its sections at once,"
        " which wait for one another there, so that `page` is nearly their sum (`benchmarks/dashboard.py`).",
        ("query", *(f"{NAMES[one['database']]}, {one['orders']:,} orders" for one in figures)),
        [[name, *(f"{one['ms'][name]:,}" for one in figures)] for name in names],
    )


def _imports(figures: list[dict[str, Any]]) -> Section:
    return Section(
        "Orders imported a second",
        "Public files of real orders (`examples/data`) through `laurel import orders` into an empty database, replayed"
        " at the orders' own times under the whole programme: rules, caps, tiers, growth, lots. A slice is 5,000 rows."
        " The processor time is the importing process's own, with SQLite in it; it says more than the rate when others"
        " work on the machine.",
        ("database", "file", "programme", "rows", "a second", "median slice", "processor µs a row", "peak memory"),
        [
            [
                NAMES[one["database"]], one["file"], one["programme"], f"{one['rows']:,}", f"{one['rate']:,}",
                f"{one['median_rate']:,}" if one["median_rate"] else "", str(one["cpu_us"]), f"{one['peak_mb']} MB",
            ]
            for one in figures
        ],
    )  # fmt: skip


def _lanes(figures: dict[str, Any]) -> Section:
    return Section(
        "An import in lanes",
        f"{figures['orders']:,} orders (CDNOW's again and again) with all rules of the programme first-shop on"
        " PostgreSQL, by `laurel import orders --lanes 2`, from the moment when the file is checked to the last commit,"
        " the start of the other process included: against set-based SQL in two lanes that evaluates the same rules"
        " over half of the file at once (`benchmarks/set_import.py` says what it takes for granted). Both leave"
        " the same rows. `times as long` is taken inside a round, in the median.",
        ("contender", "orders a second", "times as long"),
        [
            [name, f"{rate:,}", f"{figures['times']}" if name == importing.LAUREL else "1"]
            for name, rate in figures["rates"].items()
        ],
    )


def _memory(figures: list[dict[str, Any]]) -> Section:
    return Section(
        "Memory while importing",
        "The most memory that the importing process ever had, by the size of the file (CDNOW again and again, with"
        " other members each time) on SQLite.",
        ("orders", "peak memory", "a second"),
        [[f"{one['rows']:,}", f"{one['peak_mb']} MB", f"{one['rate']:,}"] for one in figures],
    )


# -- how it is shown ----------------------------------------------------------------------------------


def show(figures: dict[str, Any]) -> None:
    """Print the tables."""
    console = Console()
    for section in sections(figures):
        table = Table(title=section.title, title_justify="left")
        for at, name in enumerate(section.head):
            table.add_column(name, justify="right" if _is_number(section.rows[0][at]) else "left")
        for row in section.rows:
            table.add_row(*row)
        console.print(table)


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-")[:1].isdigit()


def write(figures: dict[str, Any], *, whole: bool) -> None:
    """Write the page; unless the ``whole`` of it was measured, only the sections that were."""
    where, how = figures["machine"], figures["settings"]
    versions = ", ".join(f"{NAMES[kind]} {version}" for kind, version in figures["versions"].items())
    measured_on = (
        f"Measured on {where['date']}: {where['cores']} cores, {where['memory_gb']} GB of memory, {where['system']},"
        f" Python {where['python']}, {versions}. The databases ran on the same cores."
        f" Rounds of operations: {how['rounds']}, of {how['seconds']:g} s each. Imports:"
        f" {'whole files' if how['rows'] is None else format(how['rows'], ',') + ' rows of each file at most'}."
    )
    texts = {section.title: _text(section) for section in sections(figures)}
    if whole or not PAGE.exists():
        head = f"{_ABOUT}\n{measured_on}\n\n"
    else:
        head, *former = PAGE.read_text(encoding="utf-8").split(_HEADING)
        kept = {text.partition("\n")[0]: f"{text.rstrip()}\n\n" for text in former}
        texts = kept | {title: f"{text}\n{measured_on}\n\n" for title, text in texts.items()}
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text((head + "".join(_HEADING + text for text in texts.values())).rstrip() + "\n", encoding="utf-8")


_HEADING: Final = "## "


def _text(section: Section) -> str:
    """A section from its title on."""
    lines = [section.title, "", section.about, ""]
    lines.append("| " + " | ".join(section.head) + " |")
    lines.append("|" + "|".join("---:" if _is_number(cell) else "---" for cell in section.rows[0]) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in section.rows]
    return "\n".join([*lines, "", ""])
