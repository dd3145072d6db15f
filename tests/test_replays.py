"""Years of real purchases through the running system, and every point of them accounted for.

What Laurel reports is compared with a recomputation in plain Python, straight from the published files. Every
twentieth customer is replayed on each database; ``LAUREL_TEST_WHOLE_REPLAYS=1`` replays them all, for minutes.
"""

import asyncio
import csv
import gzip
import json
import os
import random
import subprocess
import sys
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.files.importing import Figures, Reject, examine, import_rows, read
from core.oversight.verify import verify
from core.rulebook.publishing import publish
from core.scheduling.sweep import sweep
from core.time.calendar import month_end
from core.value.liability import Liability, Outstanding, liability
from core.value.redemption_cost import redemption_cost
from core.value.report import Report, UnitFigures, end_of_day, report
from examples.data import prepare
from graph.commands.importing import columns_of, maker
from graph.laurel import Laurel, load_document, open_laurel, tables
from graph.settings import Settings
from plugins.manager import load_plugins
from tests.databases import Apps, SqliteFolder

EXAMPLES = Path(__file__).parents[1] / "examples"
CDNOW = EXAMPLES / "data" / "cdnow"
RETAIL = EXAMPLES / "data" / "online_retail"
WHOLE = os.environ.get("LAUREL_TEST_WHOLE_REPLAYS") == "1"


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(load_plugins())


def chosen(customer: str) -> bool:
    return WHOLE or customer.endswith(("17", "37", "57", "77", "97"))


@asynccontextmanager
async def opened(url: str, programme: str) -> AsyncIterator[Laurel]:
    """Laurel with a programme that has been in force for ever."""
    async with open_laurel(Settings(database_url=url)) as laurel:
        await publish(
            programme,
            author="test",
            reason="a replay",
            load=laurel.load,
            clock=laurel.clock,
            starts_at=datetime(1990, 1, 1, tzinfo=UTC),
            in_the_past=True,
        )
        await laurel.programmes.refresh(laurel.store.reader())
        yield laurel


async def reported(laurel: Laurel, at: date) -> Report:
    """The figures at the end of a day; the books must be in order, too."""
    reader, zone = laurel.store.reader(), laurel.programmes.versions[0].programme.zone
    assert await verify(reader) == []
    return await report(reader, end_of_day(at, zone), zone, ["points", "growth"])


async def replay(
    url: str, programme: str, orders: Path, mapping: Path | None, at: date
) -> tuple[Figures, Report, Liability]:
    """Import a file with each row's time as the clock, and report; then sweep and report again.

    What is outstanding is that of the day ``at`` where nothing in the file comes after it.
    """
    async with opened(url, programme) as laurel:
        importer = laurel.plugins.importers["orders"]
        columns = columns_of(importer, mapping)
        make = maker(importer, laurel, actor="test", as_of="row")
        file = examine(orders, columns)
        figures = await import_rows(read(file, columns), make, laurel.committer, reject=unexpected)
        found = await reported(laurel, at)
        in_force = laurel.programmes.versions[0].programme
        owed = await liability(laurel.store.reader(), in_force, end_of_day(at, in_force.zone))
        # Whether anybody has written down what lapsed makes no difference.
        await sweep(laurel.store.reader(), laurel.committer, laurel.clock.now(), actor="test")
        assert await reported(laurel, at) == found
        return figures, found, owed


def owed_by_month(lots: Iterable[tuple[date, int]], at: date) -> dict[date | None, Outstanding]:
    """What is left at the end of a day of lots that are lost on a day each, by month."""
    months: Counter[date | None] = Counter()
    for until, left in lots:
        if until > at and left:
            months[until.replace(day=1)] += left
    return {month: Outstanding(available=left) for month, left in months.items()}


def check_owed(owed: Liability, months: dict[date | None, Outstanding], points: UnitFigures) -> None:
    """The liability is what the lots of the files add up to, a hundred points for one of the currency."""
    assert owed.months == months
    assert (owed.outstanding.total, owed.debt) == (points.available, points.debt)
    worths = {month: owed.worth(part.total) for month, part in months.items()}
    assert worths == {month: Decimal(part.total) / 100 for month, part in months.items()}
    assert owed.worth(owed.net) == sum(filter(None, worths.values()), -Decimal(points.debt) / 100)


def unexpected(reject: Reject) -> None:
    raise AssertionError(f"line {reject.line.number}: {reject.reason}: {reject.line.text}")


def balances(figures: UnitFigures) -> bool:
    """Whether what came in is what went out and what is there."""
    f = figures
    came = f.earned + f.adjusted + f.given_back
    return came == f.redeemed + f.clawed_back + f.expired + f.available + f.pending + f.held - f.debt


def year_later(day: date) -> date:
    return date(day.year + 1, day.month, min(day.day, monthrange(day.year + 1, day.month)[1]))


# -- CDNOW --------------------------------------------------------------------------------------------


def cdnow_orders() -> list[dict[str, str]]:
    return [row for row in prepare.rows(CDNOW / "orders.csv.gz") if chosen(row["customer_id"])]


def write_csv(path: Path, rows: Iterable[dict[str, str]]) -> Path:
    rows = list(rows)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def cdnow_recomputed(orders: list[dict[str, str]], at: date) -> Report:
    """A point a whole dollar, gone after twelve months; tiers by what was earned in twelve months, never falling."""
    earned = expired = 0
    lots: dict[str, list[tuple[date, int]]] = defaultdict(list)
    tiers: dict[str, int] = defaultdict(int)
    for order in orders:
        day, points, customer = (
            date.fromisoformat(order["order_date"]),
            int(Decimal(order["amount"])),
            order["customer_id"],
        )
        earned += points
        expired += points if year_later(day) <= at else 0
        lots[customer].append((year_later(day), points))
        in_window = sum(amount for until, amount in lots[customer] if until > day)
        tiers[customer] = max(tiers[customer], (in_window >= 100) + (in_window >= 500))
    names = ("listener", "collector", "connoisseur")
    return Report(
        at=end_of_day(at, ZoneInfo("America/New_York")),
        members=len(lots),
        orders=sum(Decimal(order["amount"]) > 0 for order in orders),
        units={
            "points": UnitFigures(earned=earned, expired=expired, available=earned - expired),
            "growth": UnitFigures(),
        },
        tiers={names[tier]: count for tier, count in Counter(tiers.values()).items()},
    )


@pytest.mark.timeout(600)
async def test_cdnow_reported_is_cdnow_recomputed(fresh_database: str, tmp_path: Path) -> None:
    orders = cdnow_orders()
    file = write_csv(tmp_path / "orders.csv.gz", orders)
    programme = (EXAMPLES / "programmes" / "cdnow.yaml").read_text()

    figures, found, owed = await replay(fresh_database, programme, file, CDNOW / "mapping.yaml", date(1998, 6, 30))

    lots = [(year_later(date.fromisoformat(row["order_date"])), int(Decimal(row["amount"]))) for row in orders]
    check_owed(owed, owed_by_month(lots, date(1998, 6, 30)), found.units["points"])
    assert found == cdnow_recomputed(orders, date(1998, 6, 30))
    assert figures.imported == len(orders)
    assert balances(found.units["points"])


def test_cdnow_recomputed_agrees_with_its_published_facts() -> None:
    facts = json.loads((CDNOW / "facts.json").read_text())
    orders = list(prepare.rows(CDNOW / "orders.csv.gz"))

    found = cdnow_recomputed(orders, date(1998, 6, 30))

    for_nothing = sum(not Decimal(order["amount"]) for order in orders)
    assert (found.members, found.orders + for_nothing) == (facts["customers"], facts["orders"])
    assert found.units["points"].earned == facts["sum_floor_per_order"] == 2_453_159


@pytest.mark.parametrize("at", [date(1997, 3, 31), date(1997, 12, 31), date(1998, 1, 31)])
async def test_a_report_of_the_past_is_the_report_that_was_made_then(tmp_path: Path, apps: Apps, at: date) -> None:
    url = SqliteFolder(tmp_path).migrated(apps)
    orders = [row for row in cdnow_orders() if row["customer_id"].endswith("77")]
    file = write_csv(tmp_path / "orders.csv.gz", orders)
    programme = (EXAMPLES / "programmes" / "cdnow.yaml").read_text()

    _, found, _ = await replay(url, programme, file, CDNOW / "mapping.yaml", at)

    assert found == cdnow_recomputed([row for row in orders if row["order_date"] <= at.isoformat()], at)


# -- Online Retail ------------------------------------------------------------------------------------


def penny(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass
class Sale:
    """What is left of a sale: quantity and money of each article at its price, and which are goods."""

    left: dict[tuple[str, str], list[Decimal]]
    goods: set[tuple[str, str]]
    lots: list[list[int]] = field(default_factory=list)
    is_free: bool = False

    @property
    def worth(self) -> int:
        return int(sum((self.left[key][1] for key in self.goods), Decimal(0)))

    @property
    def gone(self) -> bool:
        quantities, amounts = zip(*self.left.values(), strict=True)
        return not any(quantities) or not (self.is_free or any(amounts))


@dataclass
class Books:
    """One customer's points, by lots: [day of loss as ordinal, what is left]; and what is owed."""

    lots: list[list[int]] = field(default_factory=list)
    debt: int = 0
    earned: int = 0
    spent: int = 0
    clawed_back: int = 0

    def available(self, day: date) -> int:
        return sum(left for until, left in self.lots if until > day.toordinal())

    def spend(self, amount: int, day: date) -> None:
        self.spent += amount
        for lot in sorted((lot for lot in self.lots if lot[0] > day.toordinal()), key=lambda lot: lot[0]):
            taken = min(lot[1], amount)
            lot[1] -= taken
            amount -= taken

    def earn(self, amount: int, until: date) -> list[int]:
        repaid = min(self.debt, amount)
        lot = [until.toordinal(), amount - repaid]
        self.lots.append(lot)
        self.earned += amount
        self.debt -= repaid
        return lot

    def claw_back(self, lot: list[int], amount: int, day: date, policy: str) -> None:
        """From the lot itself, then others, soonest loss first, then as debt; what is lost already is not asked for."""
        today = day.toordinal()
        if lot[0] <= today:
            amount -= min(amount, lot[1])
        sources = sorted((each for each in self.lots if each[0] > today), key=lambda each: (each is not lot, each[0]))
        if policy == "lot_only":
            sources = [each for each in sources if each is lot]
        for source in sources:
            taken = min(source[1], amount)
            source[1] -= taken
            amount -= taken
            self.clawed_back += taken
        if policy == "lots_then_debt":
            self.debt += amount
            self.clawed_back += amount

    def figures(self, at: date) -> UnitFigures:
        return UnitFigures(
            earned=self.earned,
            adjusted=-self.spent,
            clawed_back=self.clawed_back,
            expired=sum(left for _, left in self.lots) - self.available(at),
            available=self.available(at),
            debt=self.debt,
        )


Rows = list[dict[str, str]]
Article = tuple[str, str]
"""Stock code and price."""


@cache
def retail_rows() -> tuple[Rows, Rows, Rows]:
    """Of the customers who were chosen: orders in the order of time, their lines, and what cancellations matched."""
    orders = [row for row in prepare.rows(RETAIL / "orders.csv.gz") if chosen(row["customer_id"])]
    orders.sort(key=lambda row: (row["order_ts"], row["kind"] != "sale"))
    names = {row["order_id"] for row in orders}
    lines = [row for row in prepare.rows(RETAIL / "lines.csv.gz") if row["order_id"] in names]
    matches = [row for row in prepare.rows(RETAIL / "return_matches.csv.gz") if row["return_order_id"] in names]
    return orders, lines, [row for row in matches if row["sale_order_id"]]


@cache
def retail_events() -> list[prepare.Event]:
    return [event for event in prepare.online_retail() if chosen(event["member"])]


@dataclass
class Retail:
    """What should come out, and what each customer was made to spend after which sale, so that points run short."""

    members: int
    orders: int
    points: UnitFigures
    growth: UnitFigures
    spent: dict[str, int]
    owed: dict[date | None, Outstanding]


def retail_recomputed(policy: str, at: date) -> Retail:
    """The figures from the three files. Growth is counted as points are, and never spent."""
    orders, lines, matches = retail_rows()
    left: dict[str, dict[Article, list[Decimal]]] = defaultdict(dict)
    goods: dict[str, set[Article]] = defaultdict(set)
    for row in lines:
        article = (row["stock_code"], row["unit_price"])
        left[row["order_id"]].setdefault(article, [Decimal(0), Decimal(0)])[0] += int(row["quantity"])
        if row["line_type"] == "goods":
            goods[row["order_id"]].add(article)
    returns: dict[str, dict[str, Counter[Article]]] = defaultdict(lambda: defaultdict(Counter))
    for row in matches:
        article = (row["stock_code"], row["unit_price"])
        returns[row["return_order_id"]][row["sale_order_id"]][article] += int(row["quantity"])

    sales: dict[str, Sale] = {}
    spent: dict[str, int] = {}
    books: dict[str, tuple[Books, Books]] = defaultdict(lambda: (Books(), Books()))
    for order in orders:
        name, day, accounts = order["order_id"], date.fromisoformat(order["order_ts"][:10]), books[order["customer_id"]]
        if order["kind"] == "sale":
            for (_, price), line in left[name].items():
                line[1] = penny(Decimal(price) * line[0])
            sale = sales[name] = Sale(left[name], goods[name])
            sale.is_free = not any(amount for _, amount in left[name].values())
            if sale.worth:
                sale.lots = [account.earn(sale.worth, year_later(day)) for account in accounts]
            points, _ = accounts
            if int(name) % 3 == 0 and (half := points.available(day) // 2):
                points.spend(half, day)
                spent[name] = half
            continue
        for of, back in returns[name].items():
            sale = sales[of]
            before = sale.worth
            for article, quantity in back.items():
                line = sale.left[article]
                line[0] -= quantity
                line[1] = line[1] - penny(Decimal(article[1]) * quantity) if line[0] else Decimal(0)
            if excess := before - sale.worth:
                for account, lot in zip(accounts, sale.lots, strict=True):
                    account.claw_back(lot, excess, day, policy)
    buyers = {order["customer_id"] for order in orders if order["kind"] == "sale"}
    totals = Counter[str](), Counter[str]()
    for accounts in books.values():
        for total, account in zip(totals, accounts, strict=True):
            total.update(vars(account.figures(at)))
    points_total, growth_total = (UnitFigures(**total) for total in totals)
    lots = [(date.fromordinal(until), left) for points, _ in books.values() for until, left in points.lots]
    kept = sum(not (sale.gone or sale.is_free) for sale in sales.values())
    return Retail(len(buyers), kept, points_total, growth_total, spent, owed_by_month(lots, at))


def with_spending(events: Iterable[prepare.Event], spent: dict[str, int]) -> Iterator[prepare.Event]:
    """The events, and after the sales that are named an adjustment that takes points."""
    for event in events:
        yield event
        if event["kind"] == "sale" and event["reference"] in spent:
            yield {
                "kind": "adjustment",
                "reference": f"spent/{event['reference']}",
                "member": event["member"],
                "at": event["at"],
                "points": -spent[event["reference"]],
                "reason": "spent elsewhere",
            }


@pytest.mark.timeout(900)
@pytest.mark.parametrize("policy", ["lot_only", "lots", "lots_then_debt"])
async def test_online_retail_with_its_refunds_is_accounted_for_under_any_policy(
    fresh_database: str, tmp_path: Path, policy: str
) -> None:
    expected = retail_recomputed(policy, date(2011, 12, 9))
    file = tmp_path / "events.jsonl"
    prepare.write(with_spending(retail_events(), expected.spent), file)
    programme = (EXAMPLES / "programmes" / "online-retail.yaml").read_text() + f"\nclaw_back: {policy}\n"

    _, found, owed = await replay(fresh_database, programme, file, None, date(2011, 12, 9))

    check_owed(owed, expected.owed, expected.points)
    assert (found.members, found.orders) == (expected.members, expected.orders)
    assert found.units == {"points": expected.points, "growth": expected.growth}
    assert expected.points.clawed_back > 0
    assert expected.points.expired > 0
    assert (expected.points.debt > 0) == (policy == "lots_then_debt")
    assert balances(expected.points)
    assert balances(expected.growth)


# -- X5 -----------------------------------------------------------------------------------------------


async def check_cost(url: str, programme: str, events: Iterable[prepare.Event]) -> None:
    """What redemption cost in each month is what the file's sales of that month add up to."""
    spent, paid = Counter[date](), Counter[date]()
    for event in events:
        if event["kind"] == "sale":
            month = date.fromisoformat(event["at"][:10]).replace(day=1)
            spent[month] += event["points_spent"]
            paid[month] += int(Decimal(event["amount"]) * 100)
    async with open_laurel(Settings(database_url=url)) as laurel:
        valued = load_document(laurel.plugins, programme + '\npoint_value: "0.1"\nredemption_cost: {}\n')
        for month in paid:
            found = await redemption_cost(laurel.store.reader(), valued, month, month_end(month))
            assert (found.redeemed, found.given_back, found.revenue) == (spent[month], 0, paid[month])
            share = Fraction(spent[month] * 10, paid[month])
            assert found.share is not None
            assert abs(Fraction(found.share) - share) <= Fraction(1, 2_000_000)
            assert found.standing == (
                "above" if share > Fraction(3, 100) else "below" if share < Fraction(1, 100) else "within"
            )


async def test_x5_replays_the_points_that_were_received_and_spent(fresh_database: str, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    events = list(prepare.x5_loyalty())
    prepare.write(events, file)
    programme = (EXAMPLES / "programmes" / "x5.yaml").read_text()

    figures, found, _ = await replay(fresh_database, programme, file, None, date(2019, 3, 16))
    await check_cost(fresh_database, programme, events)

    facts = json.loads((EXAMPLES / "data" / "x5_loyalty" / "facts.json").read_text())
    received, spent = (prepare.tenths(facts[f"regular_points_{name}"]) for name in ("received", "spent"))
    opening = prepare.tenths(facts["sum_min_opening_balance"])
    assert figures.imported == len(events)
    for_nothing = sum(event["kind"] == "sale" and not Decimal(event["amount"]) for event in events)
    assert (found.members, found.orders + for_nothing) == (facts["customers"], facts["orders"])
    assert found.units["points"] == UnitFigures(
        earned=received, adjusted=opening, redeemed=spent, available=opening + received - spent
    )
    assert balances(found.units["points"])


# -- broken off ---------------------------------------------------------------------------------------


def import_command(url: str, file: Path, folder: Path, *, disk: int | None = None) -> subprocess.Popen[bytes]:
    """``laurel import`` as an operator runs it. No file of it can grow beyond ``disk`` bytes."""
    command = [sys.executable, "-m", "graph", "--database", url, "import", "orders", str(file), "--as-of", "row"]
    command += ["--rows-at-once", "256"]
    command += ["--mapping", str(CDNOW / "mapping.yaml"), "--rejects", str(folder / "rejects.csv")]
    if disk is not None:
        command = ["bash", "-c", f'ulimit -f {disk // 1024} && exec "$@"', "-", *command]
    return subprocess.Popen(command, cwd=EXAMPLES.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.mark.timeout(300)
async def test_an_import_that_is_killed_and_started_again_ends_with_the_same_figures(
    fresh_database: str, tmp_path: Path
) -> None:
    orders = [row for row in prepare.rows(CDNOW / "orders.csv.gz") if row["customer_id"].endswith(("17", "57"))]
    file = write_csv(tmp_path / "orders.csv.gz", orders)
    dice = random.Random(7)

    async with opened(fresh_database, (EXAMPLES / "programmes" / "cdnow.yaml").read_text()) as laurel:
        killed = []
        for _ in range(4):
            process = import_command(fresh_database, file, tmp_path)
            begun = await imported(laurel)
            for _ in range(6_000):  # it may take long to begin
                if process.poll() is not None or await imported(laurel) > begun:
                    break
                await asyncio.sleep(0.01)
            await asyncio.sleep(dice.random() * 0.2)
            process.kill()
            process.communicate()
            killed.append(await imported(laurel))
        last = import_command(fresh_database, file, tmp_path)
        said, _ = last.communicate()

        assert 0 < killed[0] < len(orders)
        assert last.returncode == 0, said
        assert await reported(laurel, date(1998, 6, 30)) == cdnow_recomputed(orders, date(1998, 6, 30))


async def test_an_import_that_fills_the_disk_says_so_and_goes_on_when_there_is_room(tmp_path: Path, apps: Apps) -> None:
    url = SqliteFolder(tmp_path).migrated(apps)
    orders = [row for row in prepare.rows(CDNOW / "orders.csv.gz") if row["customer_id"].endswith("17")]
    file = write_csv(tmp_path / "orders.csv.gz", orders)

    async with opened(url, (EXAMPLES / "programmes" / "cdnow.yaml").read_text()) as laurel:
        first = import_command(url, file, tmp_path, disk=1_000_000)
        said, _ = first.communicate()

        assert first.returncode == 2
        assert said.splitlines()[-1].startswith(b"laurel: the database does not do it: ")
        assert 0 < await imported(laurel) < len(orders)
        last = import_command(url, file, tmp_path)
        said, _ = last.communicate()
        assert last.returncode == 0, said
        assert await reported(laurel, date(1998, 6, 30)) == cdnow_recomputed(orders, date(1998, 6, 30))
        assert not (tmp_path / "rejects.csv").exists()


async def imported(laurel: Laurel) -> int:
    ((count,),) = await laurel.store.reader().query("SELECT COUNT(*) FROM purchase_order")
    return int(count)
