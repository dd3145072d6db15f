"""A shop of a size, kept between runs: ``python -m benchmarks`` fills it once, and finds it there from then on.

The books are written past the committer, by COPY or executemany, as it would have written them: operations with what
rules gave, entries with running balances and digests, lots with what was spent of them and lapsed, accounts, tallies,
tiers with their history, daily aggregates. ``core.oversight.verify`` finds nothing wrong with them. What no read of
these benchmarks looks at is left out: the orders of the purchase channel.

Most members bought a few times in the last ten months, and some have spent points. The first three are a member who
has bought all the time for 27 years, whose points are spent every hundred orders and whose growth lapses; one with a
thousand entries, and one with twenty. All three are gold, so that the same is to be told of each.
"""

import asyncio
import sqlite3
from collections import defaultdict, deque
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import asyncpg

from benchmarks.importing import LONG_AGO
from core.books.members import bucket_of
from core.books.tallies import day_number
from core.rulebook.publishing import publish
from core.store.migrating import migrate
from core.time.calendar import add_months, day_start
from core.time.clock import microseconds
from graph.laurel import open_laurel, tables
from graph.settings import Settings
from plugins.manager import load_plugins

ROOT: Final = Path(__file__).parent.parent
DOCUMENT: Final = ROOT / "examples" / "programmes" / "first-shop.yaml"
FOLDER: Final = ROOT / "var" / "benchmarks"

_ZONE: Final = ZoneInfo("Asia/Shanghai")
_EAST: Final = 8 * 3_600 * 1_000_000
_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_YEARS: Final = 27
_SPENT_A_YEAR: Final = 18_500_00
"""What the first member spends, in cents: enough for gold, too little for platinum."""
_AT_ONCE: Final = 100_000
_ORDERS: Final = (1, 2, 2, 3, 3, 4, 5, 6, 12, 12)
"""How often others have bought, five times on average; one of a thousand forty times."""
_COLUMNS: Final = {
    "member": "bucket id external_id status tier tier_since tier_changes attributes enrolled_at tier_from",
    "account": "bucket member_id unit credited debited held debt seq lot_seq hold_seq next_due expiring expires_at"
    " digest",
    "operation": "bucket member_id channel idempotency_key id kind request_hash accepted result actor"
    " programme_version effective_at recorded_at",
    "entry": "bucket member_id unit seq operation_id amount held contra balance effective_at recorded_at digest",
    "lot": "bucket member_id unit seq operation_id source amount remaining held expired clawed forgiven earned_at"
    " available_from expires_at fixed",
    "lot_move": "bucket member_id unit seq lot_seq kind amount",
    "tally": "bucket member_id name day amount",
    "tier_change": "bucket member_id number former tier operation_id at cause",
    "daily_aggregate": "name day unit channel part shard amount times",
}
_FACTORS: Final = {"regular": 100, "silver": 100, "gold": 105, "platinum": 110}


class Size(NamedTuple):
    """How many members there are, and how often the first of them has bought."""

    members: int
    orders: int


FULL: Final = Size(100_000, 493_000)
"""Two million entries and as many lots, half of them one member's."""
QUICK: Final = Size(1_000, 4_930)

Rows = defaultdict[str, list[tuple[Any, ...]]]
Daily = defaultdict[tuple[str, int, str, str, str], list[int]]
"""Daily aggregates: an amount, and how many times, by place."""


def member_id(number: int) -> str:
    """The id of the member ``m<number>``: as ids are made, in the order of time."""
    return _id(_ENROLLED + number * _SECOND, number)


def _id(at: int, number: int) -> str:
    text = f"{at // 1_000 << 80 | 0x7 << 76 | 0b10 << 62 | number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_ENROLLED: Final = microseconds(datetime(1999, 1, 4, tzinfo=UTC))


# -- one member's books -------------------------------------------------------------------------------


@cache
def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)


@cache
def _number(day: int) -> int:
    return day_number(_date(day))


@cache
def _expiry(day: int) -> int:
    return microseconds(day_start(add_months(_date(day), 12), _ZONE))


@cache
def _year_ago(day: int) -> int:
    return (add_months(_date(day), -12) - date(1970, 1, 1)).days


class _Account:
    """A unit of a member: its lots that have something left, the oldest first, and what its row will say."""

    __slots__ = ("credited", "debited", "digest", "lots", "lots_made", "seq", "unit")

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.credited = self.debited = self.seq = self.lots_made = 0
        self.digest = ""
        self.lots: deque[list[Any]] = deque()


class _Books:
    """Writes down what a member does, in the order of time."""

    def __init__(self, rows: Rows, daily: Daily, number: int, enrolled_at: int) -> None:
        self.rows = rows
        self.daily = daily
        self.id = member_id(number)
        self.bucket = bucket_of(self.id)
        self.number = number
        self.enrolled_at = enrolled_at
        self.tier = "regular"
        self.tier_since = enrolled_at
        self.tier_changes = 0
        self.done = 0
        self.accounts = {unit: _Account(unit) for unit in ("growth", "points")}
        self.tallies: defaultdict[tuple[str, int], int] = defaultdict(int)
        self.year: deque[tuple[int, int, int, int]] = deque()
        self.sums = [0, 0, 0]
        self._add("joined", enrolled_at, "", "", "", 1, 0)
        name = f"m{number}"
        enrolled = self._operation(
            enrolled_at, "membership", "enrol", "enrol",
            f'{{"events":[{{"external_id":"{name}","name":"member.enrolled","tier":"regular"}}]}}',
        )  # fmt: skip
        self._step(None, enrolled, enrolled_at, "enrolment")

    def buy(self, at: int, cents: int) -> None:
        """An order of one line of tea."""
        day = (at + _EAST) // _DAY
        reference = f"m{self.number}-{self.done:06}"
        first = self.done == 1
        former, factor = self.tier, _FACTORS[self.tier]
        exact = cents * 11 * factor
        points, growth = exact // 100_000 + (20 if first else 0), cents // 100
        self._count(day, points, growth, cents)
        tier = self._judge(day)
        category = cents * 11 // 1_000 - growth
        by_rule = []
        for unit, rule, gave in (
            ("points", ">base>spend", growth),
            ("points", ">category>pantry10", category),
            ("points", f">tier>{former}", exact // 100_000 - growth - category),
            ("points", ">welcome>first_order", 20 if first else 0),
            ("growth", ">base>spend", growth),
        ):
            if gave:
                by_rule.append(f'["{unit}","{rule}",{gave}]')
                self._add("rule", at, unit, "purchase", rule, gave, 1)
        paid = f"{cents // 100}.{cents % 100:02}"
        pantry = f"{cents * 11 // 1_000}.{cents * 11 % 1_000:03}"
        tiered = pantry if factor == 100 else f"{exact // 100_000}.{exact % 100_000:05}"
        hit = f'["{former}","1.{factor - 100:02}"]' if factor > 100 else ""
        whole, _, part = tiered.partition(".")
        welcomed = f"{int(whole) + 20}.{part}" if first else tiered
        greeting = '["first_order","20"]' if first else ""
        step = f',{{"cause":"earned","former":"{former}","name":"tier.changed","tier":"{tier}"}}' if tier else ""
        result = (
            f'{{"awards":{{"growth":{growth},"points":{points}}},"by_rule":[{",".join(by_rule)}],"events":[{{"awards":'
            f'{{"growth":{growth},"points":{points}}},"name":"order.paid","occurred_at":"{_said(at)}","paid":{cents},'
            f'"reference":"{reference}"}}{step}],"points_spent":0,"reference":"{reference}","trace":{{"growth":[["base",'
            f'[["spend","{paid}"]],"{paid}"],["rounding",[["floor","{paid}"]],"{growth}"]],"points":[["base",[["spend",'
            f'"{paid}"]],"{paid}"],["category",[["pantry10","1.1"]],"{pantry}"],["new_products",[],"{pantry}"],["tier",'
            f'[{hit}],"{tiered}"],["birthday",[],"{tiered}"],["welcome",[{greeting}],"{welcomed}"],["rounding",[["floor"'
            f',"{welcomed}"]],"{points}"]]}}}}'
        )
        operation = self._operation(at, "purchase", "record", f"order:{reference}", result)
        for unit, amount in (("points", points), ("growth", growth)):
            account = self.accounts[unit]
            account.lots_made += 1
            account.lots.append([account.lots_made, operation, amount, amount, 0, at, _expiry(day)])
            self._enter(account, operation, amount, "issuance", at, at)
        if tier:
            self._step(tier, operation, at, "earned")

    def redeem(self, at: int, points: int) -> None:
        """Spend so many, of the oldest lots."""
        account = self.accounts["points"]
        operation = self._operation(
            at, "ledger", "redeem", f"redeem:{self.done:06}", f'{{"points":{points},"reference":"R-{self.done:06}"}}'
        )
        self._enter(account, operation, -points, "redemption", at, at)
        while points:
            lot = account.lots[0]
            taken = min(lot[3], points)
            points -= taken
            lot[3] -= taken
            self._move(account, lot[0], "spend", taken)
            if lot[3] == 0:
                self._close(account, account.lots.popleft())

    def lapse(self, unit: str, before: int) -> None:
        """Write down what has lapsed until then, a minute after it has: all that lapses at one instant together."""
        account = self.accounts[unit]
        while account.lots and account.lots[0][6] < before:
            at = account.lots[0][6]
            lapsed = []
            while account.lots and account.lots[0][6] == at:
                lapsed.append(account.lots.popleft())
            amount = sum(lot[3] for lot in lapsed)
            operation = self._operation(
                at + 60 * _SECOND, "ledger", "expire", f"due:{unit}:{account.seq}:{at}",
                f'{{"expired":{{"{unit}":{amount}}},"released":0}}',
            )  # fmt: skip
            self._enter(account, operation, -amount, "breakage", at, at + 60 * _SECOND)
            for lot in lapsed:
                self._move(account, lot[0], "expire", lot[3])
                lot[3], lot[4] = 0, lot[3]
                self._close(account, lot)

    def close(self) -> None:
        """What stands in the rows that are changed, and not only inserted."""
        place = self.bucket, self.id
        self.rows["member"].append(
            (*place, f"m{self.number}", "active", self.tier, self.tier_since, self.tier_changes, "{}",
             self.enrolled_at, self.tier_since)
        )  # fmt: skip
        for unit, account in self.accounts.items():
            due = min((lot[6] for lot in account.lots), default=None)
            expiring = sum(lot[3] for lot in account.lots if lot[6] == due)
            self.rows["account"].append(
                (*place, unit, account.credited, account.debited, 0, 0, account.seq, account.lots_made, 0, due,
                 expiring, due, account.digest)
            )  # fmt: skip
            for lot in account.lots:
                self._close(account, lot)
        self.rows["tally"] += [(*place, name, _number(day), amount) for (name, day), amount in self.tallies.items()]

    def _operation(self, at: int, channel: str, kind: str, key: str, result: str) -> str:
        self.done += 1
        self._add("operations", at, "", channel, kind, 1, 0)
        operation = _id(at, self.number << 20 | self.done)
        request = sha256(key.encode()).hexdigest()
        self.rows["operation"].append(
            (self.bucket, self.id, channel, key, operation, kind, request, True, result, "bench", 1, at, at)
        )
        return operation

    def _enter(
        self, account: _Account, operation: str, amount: int, contra: str, effective_at: int, recorded_at: int
    ) -> None:
        account.seq += 1
        channel = "purchase" if contra == "issuance" else "ledger"
        if amount > 0:
            account.credited += amount
            self._add("credited", effective_at, account.unit, channel, contra, amount, 1)
        else:
            account.debited -= amount
            self._add("debited", effective_at, account.unit, channel, contra, -amount, 1)
        balance = account.credited - account.debited
        # As in core.books.accounts.chain, of a million rows.
        said = (
            f"{account.digest}|{self.id}|{account.unit}|{account.seq}|{operation}|{amount}|0|{contra}|{balance}|"
            f"{effective_at}|{recorded_at}"
        )
        account.digest = sha256(said.encode()).hexdigest()
        self.rows["entry"].append(
            (self.bucket, self.id, account.unit, account.seq, operation, amount, 0, contra, balance, effective_at,
             recorded_at, account.digest)
        )  # fmt: skip

    def _add(self, name: str, at: int, unit: str, channel: str, part: str, amount: int, times: int) -> None:
        """Add to an aggregate of the local day of that instant."""
        kept = self.daily[name, (at + _EAST) // _DAY, unit, channel, part]
        kept[0] += amount
        kept[1] += times

    def _move(self, account: _Account, lot: int, kind: str, amount: int) -> None:
        self.rows["lot_move"].append((self.bucket, self.id, account.unit, account.seq, lot, kind, -amount))

    def _close(self, account: _Account, lot: list[Any]) -> None:
        seq, operation, amount, remaining, expired, at, expires_at = lot
        self.rows["lot"].append(
            (self.bucket, self.id, account.unit, seq, operation, "purchase", amount, remaining, 0, expired, 0, 0, at,
             at, expires_at, False)
        )  # fmt: skip

    def _count(self, day: int, points: int, growth: int, cents: int) -> None:
        for name, amount in (
            ("cap:purchase:points", points),
            ("growth_earned", growth),
            ("orders", 1),
            ("points_earned", points),
            ("spend", cents),
        ):
            self.tallies[name, day] += amount
            self._add("tally", day * _DAY, "", "", name, amount, 1)
        self.year.append((day, points, growth, cents))
        since, sums = _year_ago(day), self.sums
        for at, amount in enumerate((points, growth, cents)):
            sums[at] += amount
        while self.year[0][0] <= since:
            _, *gone = self.year.popleft()
            for at, amount in enumerate(gone):
                sums[at] -= amount

    def _judge(self, day: int) -> str | None:
        """The tier that the order has brought, by the rules of the programme; None if it is what it was."""
        points, growth, cents = self.sums
        orders = len(self.year)
        reached = "regular"
        if points >= 500 or (orders >= 3 and self.year[-3][0] > day - 30):
            reached = "silver"
        if growth >= 5_000 and orders >= 10:
            reached = "gold"
        if cents >= 20_000_00 and orders >= 30:
            reached = "platinum"
        order = list(_FACTORS)
        return reached if order.index(reached) > order.index(self.tier) else None

    def _step(self, tier: str | None, operation: str, at: int, cause: str) -> None:
        former = None if tier is None else self.tier
        self.tier, self.tier_since = tier or self.tier, at
        self._add("tier", at, "", cause, f"{former or ''}>{self.tier}", 1, 0)
        self.tier_changes += 1
        self.rows["tier_change"].append(
            (self.bucket, self.id, self.tier_changes, former, self.tier, operation, at, cause)
        )


@cache
def _day_said(day: int) -> str:
    return _date(day).isoformat()


def _said(at: int) -> str:
    seconds = at % _DAY // _SECOND
    return f"{_day_said(at // _DAY)}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}+00:00"


# -- all members --------------------------------------------------------------------------------------


def _lives(size: Size, now: int, rows: Rows) -> Iterator[None]:
    """Write down what all members did, and stop now and then, so that the rows can be taken away."""
    daily: Daily = defaultdict(lambda: [0, 0])
    yield from _all_the_time(size.orders, now, rows, daily)
    # By bucket, as the tables are sorted: what is inserted in order is inserted quickly.
    for _, number in sorted((bucket_of(member_id(number)), number) for number in range(1, size.members)):
        enrolled_at = now - 320 * _DAY - number * _SECOND
        books = _Books(rows, daily, number, enrolled_at)
        match number:
            case 1:
                many, cents = 500, 20_00
            case 2:
                many, cents = 10, 600_00
            case _:
                many, cents = 40 if number % 1_000 == 999 else _ORDERS[number % 10], 0
        for order in range(many):
            at = now - (300 - 299 * order // many) * _DAY + number % 80_000 * _SECOND
            books.buy(at, cents or 990 * (1 + (number * 7 + order * 13) % 100))
        if number > 2 and number % 5 == 0:
            account = books.accounts["points"]
            books.redeem(now - _DAY // 2, (account.credited + 1) // 2)
        books.close()
        if len(rows["tally"]) > _AT_ONCE:
            yield
    rows["daily_aggregate"] += [
        (name, _number(day), unit, channel, part, 0, *added)
        for (name, day, unit, channel, part), added in daily.items()
    ]
    yield


def _all_the_time(orders: int, now: int, rows: Rows, daily: Daily) -> Iterator[None]:
    begun = now - _YEARS * 365 * _DAY
    cents, step = _SPENT_A_YEAR * _YEARS // orders, (now - begun) // orders
    books = _Books(rows, daily, 0, begun - _DAY)
    for order in range(orders):
        at = begun + order * step
        books.lapse("growth", at)
        books.buy(at, cents)
        if order % 100 == 99:
            points = books.accounts["points"]
            # What has come since the last time, but for the last order's.
            books.redeem(at + _SECOND, points.credited - points.debited - points.lots[-1][2])
        if len(rows["entry"]) > _AT_ONCE:
            yield
    books.close()


# -- the database -------------------------------------------------------------------------------------


def name_of(size: Size) -> str:
    """The name of the database: another one whenever what is written into it, or its tables, would be others."""
    rows: Rows = defaultdict(list)
    for _ in _lives(Size(40, 400), _ENROLLED + 30 * 365 * _DAY, rows):
        pass
    del rows["daily_aggregate"]  # which follow from the others
    said = sha256(repr(sorted(rows.items())).encode())
    said.update(DOCUMENT.read_bytes())
    for app in tables(load_plugins()).values():
        folder = ROOT.joinpath(*app.migrations.split("."))
        for migration in sorted(folder.glob("*.py")):
            said.update(migration.name.encode())
    return f"laurel_benchmarks_{size.members}_{said.hexdigest()[:8]}"


async def opened(kind: str, address: str, size: Size) -> str:
    """The address of the shop's database, filled now unless it is there; an older one of that size is dropped."""
    name = name_of(size)
    begins = name.rpartition("_")[0]
    if kind == "sqlite":
        FOLDER.mkdir(parents=True, exist_ok=True)
        file = FOLDER / f"{name}.sqlite3"
        if not file.exists():
            for former in FOLDER.glob(f"{begins}_*"):
                former.unlink()
            filled = FOLDER / f"{begins}_unfinished.sqlite3"
            await _fill(kind, f"sqlite://{filled}", size)
            filled.rename(file)
        return f"sqlite://{file}"
    server = await asyncpg.connect(address)
    try:
        found = [row["datname"] for row in await server.fetch("SELECT datname FROM pg_database")]
        if name not in found:
            for former in found:
                if former.startswith(f"{begins}_"):
                    await server.execute(f"DROP DATABASE {former} WITH (FORCE)")
            unfinished = f"{begins}_unfinished"
            await server.execute(f"CREATE DATABASE {unfinished}")
            await _fill(kind, _at(address, unfinished), size)
            await server.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")
    finally:
        await server.close()
    return _at(address, name)


def _at(address: str, name: str) -> str:
    return urlunsplit(urlsplit(address)._replace(path=f"/{name}"))


async def _fill(kind: str, url: str, size: Size) -> None:
    apps = tables(load_plugins())
    await migrate(url, apps)
    async with open_laurel(Settings(database_url=url, jobs=False)) as laurel:
        await publish(
            DOCUMENT.read_text(encoding="utf-8"),
            author="bench",
            reason="to measure reads",
            load=laurel.load,
            clock=laurel.clock,
            starts_at=LONG_AGO,
            in_the_past=True,
        )
    now = microseconds(datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0))
    await (_by_executemany if kind == "sqlite" else _by_copy)(url, size, now)
    if kind != "sqlite":
        connection = await asyncpg.connect(url)
        await connection.execute("VACUUM ANALYZE", timeout=3_600)
        await connection.close()


async def _by_copy(url: str, size: Size, now: int) -> None:
    connection = await asyncpg.connect(url)
    rows: Rows = defaultdict(list)
    indexes = await connection.fetch(
        "SELECT i.indexname, i.indexdef FROM pg_indexes i LEFT JOIN pg_constraint c ON c.conname = i.indexname"
        " WHERE i.schemaname = 'public' AND i.tablename = ANY($1) AND c.oid IS NULL",
        list(_COLUMNS),
    )
    # To sort all rows once is faster than to find each one's place.
    for index in indexes:
        await connection.execute(f'DROP INDEX "{index["indexname"]}"')

    async def flush() -> None:
        for table, values in rows.items():
            columns = _COLUMNS[table].split()
            await connection.copy_records_to_table(table, records=values, columns=columns, timeout=3_600)
            values.clear()

    for _ in _lives(size, now, rows):
        await flush()
    for index in indexes:
        await connection.execute(index["indexdef"], timeout=3_600)
    await connection.close()


async def _by_executemany(url: str, size: Size, now: int) -> None:
    with sqlite3.connect(url.removeprefix("sqlite://")) as connection:
        rows: Rows = defaultdict(list)
        marks = ", ".join(f"'{table}'" for table in _COLUMNS)
        indexes = connection.execute(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')

        def flush() -> None:
            for table, values in rows.items():
                names = _COLUMNS[table].split()
                connection.executemany(
                    f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", values
                )
                values.clear()
            connection.commit()

        for _ in _lives(size, now, rows):
            flush()
        for _, sql in indexes:
            connection.execute(sql)
    connection.close()


def main() -> None:
    """Fill the shop of the full size for the databases that have an address."""
    from tests.databases import server_address

    for kind in ("sqlite", "postgres"):
        if address := server_address(kind):
            print(asyncio.run(opened(kind, address, FULL)))


if __name__ == "__main__":
    main()
