"""Key figures of two real shops by month, guests too, beside a recomputation straight from the files with DuckDB.

    python -m examples.data.key_figures          # some minutes
    python -m examples.data.key_figures --part   # every twentieth customer

Each shop's orders are lived through with a programme of its own, and the figures are asked of the daily aggregates.
The same is computed by DuckDB from the CSV files, which knows nothing of Laurel; exit status 1 says that a figure is
another, by so little as a cent or a point.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from core.files.importing import Reject, examine, import_rows, read
from core.key_figures.cohorts import cohorts
from core.key_figures.figures import key_figures
from core.key_figures.guests import guest_figures
from core.key_figures.periods import Granularity, Period, cut
from core.oversight.verify import verify
from core.rulebook.publishing import publish
from core.scheduling.sweep import sweep
from core.store.migrating import migrate
from core.time.calendar import local_day
from examples.data import prepare
from graph.commands.importing import columns_of, maker
from graph.laurel import open_laurel, tables
from graph.settings import Settings
from plugins.manager import find_offers, load_plugins

HERE: Final = Path(__file__).parent
PART: Final = ("17", "37", "57", "77", "97")
_PROGRAMME: Final = """
id: shop
currency: {currency}
timezone: {zone}
point_value: "0.01"
expiry: {expiry}
claw_back: lots_then_debt
channels:
  purchase:
    earn: {{points: {{groups: [{{id: base, add: sum, rules: [{{id: spend, points: "order.amount"}}]}}]}}}}
tiers:
  ladder: [{{id: regular}}, {{id: silver, all: [{{fact: spend, at_least: "100"}}]}}]
"""

_COLUMNS: Final = {"reference": "order_id", "member": "customer_id", "at": "order_date", "amount": "amount"}

Figures = dict[tuple[date, str], Decimal]
"""By the first day of the month and the name of the figure: its numerator, or a tier's members."""


class Case(NamedTuple):
    """A shop: its programme, its months, its events, and how DuckDB computes the same from its files."""

    name: str
    programme: str
    period: Period
    names: frozenset[str]
    sql: str
    guests: bool = False
    """Whether customers whose last digit but one is 1, 5 or 9 are guests. The files say of nobody that they are: it
    is our choice, to see what guests' figures come to, and says nothing of members against others."""


_BY_MONTH: Final = {
    "members", "new_members", "active_earners", "points_issued", "points_expired", "points_clawed_back", "orders",
    "revenue", "order_frequency", "repurchase_rate", "retention_rate", "retention_rate of", "order_frequency of",
    "lifetime_value", "lifetime_value of",
    "cohort members", "cohort ordered", "cohort orders", "cohort revenue", "cohort points",
}  # fmt: skip

# Orders as they are, and what became of each: both shops end in `sales`, `earned` and `taken`.
_MONTHS: Final = """
month AS (SELECT CAST(unnest(generate_series(DATE '{since}', DATE '{until}', INTERVAL 1 MONTH)) AS DATE) AS m),
bought AS (
  SELECT customer, date_trunc('month', day)::DATE AS m, SUM(counts) AS orders FROM sales GROUP BY ALL HAVING orders > 0
),
joined AS (SELECT customer, MIN(moment)::DATE AS day FROM sales GROUP BY customer),
earners AS (
  SELECT m, COUNT(*) AS n FROM (
    SELECT customer, date_trunc('month', day)::DATE AS m, SUM(points_left) AS p FROM sales GROUP BY ALL HAVING p > 0
  ) GROUP BY m
),
figure AS (
  SELECT m, 'members' AS name, (SELECT COUNT(*) FROM joined WHERE day < m + INTERVAL 1 MONTH) AS amount FROM month
  UNION ALL SELECT m, 'new_members',
    (SELECT COUNT(*) FROM joined WHERE day >= m AND day < m + INTERVAL 1 MONTH) FROM month
  UNION ALL SELECT m, 'active_earners', n FROM earners
  UNION ALL SELECT date_trunc('month', day)::DATE, 'points_issued', SUM(points) FROM sales GROUP BY ALL
  UNION ALL SELECT date_trunc('month', day)::DATE, 'points_expired', SUM(points) FROM lost GROUP BY ALL
  UNION ALL SELECT date_trunc('month', day)::DATE, 'points_clawed_back', SUM(points) FROM taken GROUP BY ALL
  UNION ALL SELECT date_trunc('month', day)::DATE, 'orders', SUM(counts) FROM sales GROUP BY ALL
  UNION ALL SELECT date_trunc('month', day)::DATE, 'revenue', SUM(left_over) FROM sales GROUP BY ALL
  UNION ALL SELECT m, 'order_frequency', SUM(orders) FROM bought GROUP BY m
  UNION ALL SELECT m, 'order_frequency of', COUNT(*) FROM bought GROUP BY m
  UNION ALL SELECT m, 'repurchase_rate', COUNT(*) FROM bought WHERE orders > 1 GROUP BY m
  UNION ALL SELECT b.m, 'retention_rate', COUNT(*) FROM bought b
    JOIN bought f ON f.customer = b.customer AND f.m = b.m - INTERVAL 1 MONTH GROUP BY b.m
  UNION ALL SELECT (m + INTERVAL 1 MONTH)::DATE, 'retention_rate of', COUNT(*) FROM bought GROUP BY m
  UNION ALL SELECT m, 'lifetime_value',
    (SELECT SUM(left_over) FROM sales WHERE day < m + INTERVAL 1 MONTH) FROM month
  UNION ALL SELECT m, 'lifetime_value of', (SELECT COUNT(*) FROM joined WHERE day < m + INTERVAL 1 MONTH) FROM month
  {more}
)
SELECT m, name, CAST(SUM(amount) AS DECIMAL(18, 2)) FROM (
  SELECT * FROM figure
  UNION ALL SELECT m, 'cohort ' || strftime(j, '%Y-%m') || ' ' || what, amount FROM (
    UNPIVOT (
      SELECT j, m, COUNT(*) FILTER (orders > 0)::DECIMAL(18, 2) AS ordered, SUM(orders)::DECIMAL(18, 2) AS orders,
        SUM(revenue)::DECIMAL(18, 2) AS revenue, SUM(points)::DECIMAL(18, 2) AS points
      FROM (
        SELECT customer, date_trunc('month', any_value(joined.day))::DATE AS j,
          date_trunc('month', sales.day)::DATE AS m, SUM(counts) AS orders, SUM(left_over) AS revenue,
          SUM(points_left) AS points
        FROM sales JOIN joined USING (customer) GROUP BY customer, date_trunc('month', sales.day)
      ) GROUP BY j, m
    ) ON ordered, orders, revenue, points INTO NAME what VALUE amount
  )
  UNION ALL SELECT date_trunc('month', day)::DATE, 'cohort ' || strftime(day, '%Y-%m') || ' members', COUNT(*)
    FROM joined GROUP BY ALL
)
WHERE m BETWEEN DATE '{since}' AND DATE '{until}' GROUP BY m, name HAVING SUM(amount) <> 0
"""

CDNOW: Final = Case(
    "cdnow",
    _PROGRAMME.format(currency="USD", zone="America/New_York", expiry="{mode: per_lot, months: 6}"),
    Period(date(1997, 1, 1), date(1998, 6, 30)),
    frozenset({*_BY_MONTH, "upgrade_rate", "tier silver", "tier regular"}),
    """
WITH sales AS (
  SELECT customer_id AS customer, order_date AS day, order_date AS moment, amount AS left_over,
    CAST(floor(amount) AS BIGINT) AS points, CAST(floor(amount) AS BIGINT) AS points_left,
    CASE WHEN amount > 0 THEN 1 ELSE 0 END AS counts, order_id
  FROM read_csv('{folder}/cdnow/orders.csv.gz',
    columns={{'order_id': 'VARCHAR', 'customer_id': 'VARCHAR', 'order_date': 'DATE', 'units': 'INT',
      'amount': 'DECIMAL(12, 2)'}}, header=true)
  WHERE {part}
),
lost AS (SELECT (day + INTERVAL 6 MONTH)::DATE AS day, points FROM sales),
taken AS (SELECT DATE '1997-01-01' AS day, 0 AS points),
climbed AS (
  SELECT customer, MIN(day) AS day FROM (
    SELECT customer, day, SUM(left_over) OVER (PARTITION BY customer ORDER BY day, order_id) AS spent FROM sales
  ) WHERE spent >= 100 GROUP BY customer
),
"""
    + _MONTHS.replace(
        "{more}",
        """
  UNION ALL SELECT date_trunc('month', day)::DATE, 'upgrade_rate', COUNT(*) FROM climbed GROUP BY ALL
  UNION ALL SELECT m, 'tier silver', (SELECT COUNT(*) FROM climbed WHERE day < m + INTERVAL 1 MONTH) FROM month
  UNION ALL SELECT m, 'tier regular', (SELECT COUNT(*) FROM joined WHERE day < m + INTERVAL 1 MONTH)
    - (SELECT COUNT(*) FROM climbed WHERE day < m + INTERVAL 1 MONTH) FROM month
""",
    ),
)
ONLINE_RETAIL: Final = Case(
    "online_retail",
    _PROGRAMME.format(currency="GBP", zone="Europe/London", expiry="{mode: never}"),
    Period(date(2010, 12, 1), date(2011, 12, 31)),
    frozenset(_BY_MONTH),
    """
WITH invoice AS (
  SELECT order_id, kind, customer_id AS customer, CAST(order_ts AS TIMESTAMP) AS moment
  FROM read_csv('{folder}/online_retail/orders.csv.gz', all_varchar=true, header=true) WHERE {part}
),
piece AS (
  SELECT order_id, stock_code, CAST(unit_price AS DECIMAL(12, 3)) AS price, SUM(CAST(quantity AS BIGINT)) AS quantity
  FROM read_csv('{folder}/online_retail/lines.csv.gz', all_varchar=true, header=true)
  WHERE order_id NOT LIKE 'C%' GROUP BY ALL
),
sold AS (
  SELECT order_id, SUM(CAST(round(price * quantity, 2) AS DECIMAL(18, 2))) AS amount, SUM(quantity) AS quantity
  FROM piece GROUP BY order_id
),
back AS (
  SELECT sale_order_id AS order_id, return_order_id AS refund, SUM(quantity) AS quantity,
    SUM(CAST(round(price * quantity, 2) AS DECIMAL(18, 2))) AS amount
  FROM (
    SELECT sale_order_id, return_order_id, stock_code, CAST(unit_price AS DECIMAL(12, 3)) AS price,
      SUM(CAST(quantity AS BIGINT)) AS quantity
    FROM read_csv('{folder}/online_retail/return_matches.csv.gz', all_varchar=true, header=true)
    WHERE sale_order_id <> '' GROUP BY ALL
  ) GROUP BY ALL
),
back_in_all AS (SELECT order_id, SUM(amount) AS amount, SUM(quantity) AS quantity FROM back GROUP BY order_id),
sales AS (
  SELECT i.customer, i.moment::DATE AS day, i.moment, s.amount - COALESCE(b.amount, 0) AS left_over,
    CAST(floor(s.amount) AS BIGINT) AS points, CAST(floor(s.amount - COALESCE(b.amount, 0)) AS BIGINT) AS points_left,
    CASE WHEN s.amount > 0 AND s.quantity > COALESCE(b.quantity, 0) THEN 1 ELSE 0 END AS counts
  FROM invoice i JOIN sold s USING (order_id) LEFT JOIN back_in_all b USING (order_id) WHERE i.kind = 'sale'
),
lost AS (SELECT DATE '2010-12-01' AS day, 0 AS points),
taken AS (
  SELECT moment::DATE AS day, CAST(floor(amount - was) - floor(amount - is_now) AS BIGINT) AS points FROM (
    SELECT r.moment, s.amount, SUM(b.amount) OVER w - b.amount AS was, SUM(b.amount) OVER w AS is_now
    FROM back b JOIN invoice r ON r.order_id = b.refund JOIN sold s ON s.order_id = b.order_id
    WINDOW w AS (PARTITION BY b.order_id ORDER BY r.moment, b.refund)
  )
),
"""
    + _MONTHS.replace("{more}", ""),
)
_OF_GUESTS: Final = {
    "orders", "revenue", "order_frequency", "order_frequency of", "repurchase_rate", "retention_rate",
    "retention_rate of",
}  # fmt: skip
_SHARES: Final = {"members_order_share": "orders", "members_revenue_share": "revenue"}
WITH_GUESTS: Final = ONLINE_RETAIL._replace(
    name="online_retail, guests",
    names=frozenset(
        {
            *_BY_MONTH,
            *(f"guests {name}" for name in _OF_GUESTS),
            *(f"guests {share}{of}" for share in _SHARES for of in ("", " of")),
        }
    ),
    guests=True,
)
CASES: Final = (CDNOW, ONLINE_RETAIL, WITH_GUESTS)
_GUEST_DIGITS: Final = "159"


def recomputed(case: Case, *, part: bool) -> Figures:
    """The figures straight from the files."""
    if not case.guests:
        return _recomputed(case, part=part, only="true")
    # Of guests the same is computed as of members, from the files of other customers.
    guest = "substr(customer_id, -2, 1) IN ({})".format(", ".join(f"'{digit}'" for digit in _GUEST_DIGITS))
    members = _recomputed(case, part=part, only=f"NOT {guest}")
    guests = _recomputed(case, part=part, only=guest)
    found = {**members, **{(month, f"guests {name}"): n for (month, name), n in guests.items() if name in _OF_GUESTS}}
    for month in {month for month, _ in found}:
        for share, name in _SHARES.items():
            of_members, of_guests = members.get((month, name), Decimal(0)), guests.get((month, name), Decimal(0))
            found[month, f"guests {share}"] = of_members
            found[month, f"guests {share} of"] = of_members + of_guests
    return {place: amount for place, amount in found.items() if amount}


def _recomputed(case: Case, *, part: bool, only: str) -> Figures:
    where = "right(customer_id, 2) IN ({})".format(", ".join(f"'{ending}'" for ending in PART)) if part else "true"
    since, until = case.period.since, case.period.until.replace(day=1)
    sql = case.sql.format(folder=HERE.as_posix(), part=f"({where}) AND {only}", since=since, until=until)
    rows = duckdb.connect().execute(sql).fetchall()
    return {(month, name): amount for month, name, amount in rows if kind(name) in case.names}


def events(case: Case, *, part: bool) -> Iterator[prepare.Event]:
    """What happened in the shop, as an import takes it."""
    if case is not CDNOW:
        found: Iterable[prepare.Event] = prepare.online_retail()
    else:
        found = (
            {
                "reference": row["order_id"],
                "member": row["customer_id"],
                "at": row["order_date"],
                "amount": row["amount"],
            }
            for row in prepare.rows(HERE / "cdnow" / "orders.csv.gz")
        )
    found = (event for event in found if not part or event["member"].endswith(PART))
    return (_of_guest(event) if case.guests and event["member"][-2] in _GUEST_DIGITS else event for event in found)


def _of_guest(event: prepare.Event) -> prepare.Event:
    """The same of a customer who is no member."""
    return {name: value for name, value in event.items() if name != "member"} | {"customer": event["member"]}


async def kept_up(url: str, case: Case, happened: Iterable[prepare.Event]) -> Figures:
    """Live through what happened, in a database with tables and nothing else, and ask for the figures."""
    plugins = load_plugins(offers=[offer for offer in find_offers() if offer.name == "purchase"])
    async with open_laurel(Settings(database_url=url), plugins=plugins) as laurel:
        await publish(
            case.programme,
            author="examples.data.key_figures",
            reason="a replay",
            load=laurel.load,
            clock=laurel.clock,
            starts_at=datetime(1990, 1, 1, tzinfo=UTC),
            in_the_past=True,
        )
        reader = laurel.store.reader()
        await laurel.programmes.refresh(reader)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "events.jsonl"
            prepare.write(happened, file)
            importer = laurel.plugins.importers["orders"]
            columns = columns_of(importer, None, guests=case.guests)
            make = maker(importer, laurel, actor="a replay", as_of="row", guests=case.guests)
            await import_rows(read(examine(file, columns), columns), make, laurel.committer, reject=_unexpected)
        await sweep(reader, laurel.committer, laurel.clock.now(), actor="a replay")
        if findings := await verify(reader):
            raise RuntimeError(f"the books are out of order: {findings}")
        programme = laurel.programmes.at(laurel.clock.now()).programme
        parts = cut(case.period, Granularity.MONTH)
        versions = laurel.programmes.versions
        found = await key_figures(reader, programme, versions, parts, compare=False)
        zones = [(version.starts_at, version.programme.zone) for version in versions]
        joined = await cohorts(reader, programme, zones, case.period, local_day(laurel.clock.now(), programme.zone))
        of_guests = await guest_figures(reader, programme.currency, found)
    figures: Figures = {}
    for each, of in zip(found, of_guests, strict=True):
        month = each.now.period.since
        of_both = {**each.now.figures, **{f"guests {name}": figure for name, figure in of.now.items()}}
        for name, figure in of_both.items():
            figures[month, name] = figure.numerator
            if figure.denominator is not None:
                figures[month, f"{name} of"] = figure.denominator
        for tier, members in each.now.tiers.items():
            figures[month, f"tier {tier}"] = Decimal(members)
    for cohort in joined:
        named = f"cohort {cohort.month:%Y-%m}"
        figures[cohort.month, f"{named} members"] = Decimal(cohort.members)
        for one in cohort.months:
            figures[one.month, f"{named} ordered"] = Decimal(one.ordered)
            figures[one.month, f"{named} orders"] = Decimal(one.orders)
            figures[one.month, f"{named} revenue"] = one.revenue
            figures[one.month, f"{named} points"] = Decimal(one.points_earned)
    return {place: amount for place, amount in figures.items() if amount and kind(place[1]) in case.names}


def kind(name: str) -> str:
    """A figure's name; a cohort's without its month.

    >>> kind("cohort 1997-01 orders")
    'cohort orders'
    """
    return f"cohort {name.rpartition(' ')[2]}" if name.startswith("cohort ") else name


def _unexpected(reject: Reject) -> None:
    raise RuntimeError(f"line {reject.line.number}: {reject.reason}: {reject.line.text}")


def lines(case: Case, found: Figures, expected: Figures) -> Iterator[str]:
    """What each figure adds up to over the months, and in how many months it is another."""
    yield f"{case.name:<22}{'Laurel':>16}{'DuckDB':>16}  months another"
    for name in sorted(case.names):
        ours = {place: amount for place, amount in found.items() if kind(place[1]) == name}
        theirs = {place: amount for place, amount in expected.items() if kind(place[1]) == name}
        others = sum(ours.get(place) != theirs.get(place) for place in ours.keys() | theirs.keys())
        yield f"{name:<22}{sum(ours.values()):>16,}{sum(theirs.values()):>16,}{others:>8}"


async def _run(part: bool) -> int:
    others = 0
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite://{folder}/replay.sqlite3"
            plugins = load_plugins(offers=[offer for offer in find_offers() if offer.name == "purchase"])
            await migrate(url, tables(plugins))
            found = await kept_up(url, case, events(case, part=part))
        expected = recomputed(case, part=part)
        others += found != expected
        print("\n".join(lines(case, found, expected)), end="\n\n")
    return int(others > 0)


def main() -> int:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", action="store_true", help="every twentieth customer only")
    return asyncio.run(_run(parser.parse_args().part))


if __name__ == "__main__":
    sys.exit(main())
