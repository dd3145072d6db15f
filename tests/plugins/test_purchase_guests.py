"""Orders of guests: recorded once, refunded, claimed by purchases of members, forgotten, and among key figures."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from core.files.importing import Figures, Reject, examine, import_rows, read
from core.key_figures.recomputing import differences
from core.oversight.verify import verify
from core.time.clock import SystemClock
from graph.commands.importing import columns_of, maker
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.purchase.guests import INVARIANTS
from tests.core.committing import statements
from tests.databases import Apps
from tests.plugins.channel import only
from tests.plugins.orders import buy, document, send_back, shop_at
from tests.processes.racing import Racers

PLUGINS: Final = only("purchase")
PROGRAMME: Final = document("")
RECORD: Final = """
mutation ($input: RecordGuestOrderInput!) { recordGuestOrder(input: $input) {
  order { reference status customer occurredAt amount { amount currency } amountLeft { amount } } replayed
  errors { code message ... on GuestOrderDiffers { reference field } ... on OrderOfMember { reference } } } }
"""
REFUND: Final = """
mutation ($input: RefundGuestOrderInput!) { refundGuestOrder(input: $input) {
  order { status amountLeft { amount } refunds { reference amount { amount } } } replayed errors { code message } } }
"""
FORGET: Final = """
mutation ($input: ForgetGuestInput!) { forgetGuest(input: $input) { orders errors { code message } } }
"""
FIGURES: Final = """
query ($since: Day!, $until: Day!) { figures(since: $since, until: $until, compareToPrevious: true) {
  orders { now { value } } revenue { now { value } }
  guests {
    orders { now { value } previous { value } } revenue { now { value } previous { value } }
    averageOrderValue { now { value numerator denominator } } orderFrequency { now { value numerator denominator } }
    repurchaseRate { now { value numerator denominator } } retentionRate { now { value numerator denominator } }
    membersOrderShare { now { value numerator denominator } }
    membersRevenueShare { now { value numerator denominator } }
  } } }
"""
JANUARY: Final = ("2026-01-01", "2026-01-31")
FEBRUARY: Final = ("2026-02-01", "2026-02-28")


@pytest.fixture(scope="module")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """A shop on each database, at noon of the fifth of January."""
    async with shop_at(fresh_database, PROGRAMME, PLUGINS) as shop:
        yield shop


async def record(shop: Shop, reference: str, amount: str = "10.00", currency: str = "CNY", **more: Any) -> Any:
    asked = {"reference": reference, "amount": {"amount": amount, "currency": currency}, **more}
    return (await shop.ask(RECORD, {"input": asked}))["recordGuestOrder"]


async def recorded(shop: Shop, reference: str, amount: str = "10.00", **more: Any) -> None:
    answer = await record(shop, reference, amount, **more)
    assert (answer["errors"], answer["replayed"]) == ([], False)


async def refund(shop: Shop, order: str, reference: str, amount: str | None = None) -> Any:
    asked: dict[str, Any] = {"order": order, "reference": reference}
    if amount is not None:
        asked["amount"] = {"amount": amount, "currency": "CNY"}
    return (await shop.ask(REFUND, {"input": asked}))["refundGuestOrder"]


async def figures(shop: Shop, period: tuple[str, str]) -> Any:
    (found,) = (await shop.ask(FIGURES, {"since": period[0], "until": period[1]}, role=Role.ANALYST))["figures"]
    return found


async def guests(shop: Shop, period: tuple[str, str] = JANUARY) -> tuple[str, str]:
    """How many orders guests had in the period, and what they paid."""
    found = (await figures(shop, period))["guests"]
    return found["orders"]["now"]["value"], found["revenue"]["now"]["value"]


async def in_order(shop: Shop) -> None:
    assert await verify(shop.laurel.store.reader(), INVARIANTS) == []


async def test_an_order_is_recorded_once_and_told_otherwise_refused(shop: Shop) -> None:
    facts = {"customer": "g-1", "occurredAt": "2026-01-04T23:30:00+08:00"}
    first = await record(shop, "A1", "99.90", **facts)
    again = await record(shop, "A1", "99.9", **facts)

    assert first == {
        "order": {
            "reference": "A1",
            "status": "RECORDED",
            "customer": "g-1",
            "occurredAt": "2026-01-04T15:30:00Z",
            "amount": {"amount": "99.90", "currency": "CNY"},
            "amountLeft": {"amount": "99.90"},
        },
        "replayed": False,
        "errors": [],
    }
    assert again == {**first, "replayed": True}
    tellings: tuple[tuple[str, dict[str, Any]], ...] = (
        ("amount", {**facts, "amount": "99.91"}),
        ("customer", {**facts, "customer": "g-2"}),
        ("customer", {**facts, "customer": None}),
        ("occurredAt", {**facts, "occurredAt": "2026-01-04T23:30:01+08:00"}),
    )
    for field, more in tellings:
        answer = await record(shop, "A1", **{"amount": "99.90", **more})
        assert [(e["code"], e["reference"], e["field"]) for e in answer["errors"]] == [
            ("GUEST_ORDER_DIFFERS", "A1", field)
        ]
    assert await guests(shop) == ("1", "99.90")
    assert (await shop.ask("{ members(first: 1) { nodes { id } } }", role=Role.OPERATOR))["members"]["nodes"] == []
    await in_order(shop)


async def test_an_order_without_a_time_is_of_now_however_often_it_is_told(shop: Shop) -> None:
    await recorded(shop, "A1")
    shop.clock.advance(timedelta(days=40))

    assert (await record(shop, "A1"))["replayed"] is True
    assert await guests(shop) == ("1", "10.00")
    assert await guests(shop, FEBRUARY) == ("0", "0.00")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"customer": "ann@example.org"}, "INVALID_VALUE"),
        ({"customer": "+86 138 0013 8000"}, "INVALID_VALUE"),
        ({"customer": "erased:1"}, "INVALID_VALUE"),
        ({"customer": ""}, "INVALID_VALUE"),
        ({"customer": "g" * 65}, "INVALID_VALUE"),
        ({"reference": ""}, "INVALID_VALUE"),
        ({"reference": "r" * 129}, "INVALID_VALUE"),
        ({"reference": " A1"}, "INVALID_VALUE"),
        ({"reference": "A\0"}, "INVALID_VALUE"),
        ({"amount": "-1.00"}, "INVALID_AMOUNT"),
        ({"amount": "1.005"}, "INVALID_AMOUNT"),
        ({"currency": "USD"}, "CURRENCY_MISMATCH"),
        ({"occurredAt": "2026-01-05T05:00:00Z"}, "INVALID_INSTANT"),
        ({"occurredAt": "1000-01-05T05:00:00Z"}, "PROGRAMME_NOT_FOUND"),
    ],
)
async def test_what_cannot_be_meant_is_refused_and_nothing_is_kept(
    quick: Shop, more: dict[str, Any], code: str
) -> None:
    answer = await record(quick, **{"reference": "A1", **more})

    assert [error["code"] for error in answer["errors"]] == [code]
    assert answer["order"] is None
    assert await quick.laurel.store.reader().query("SELECT * FROM guest_order") == []
    assert await differences(quick.laurel.store.reader()) == {}


@pytest.fixture
async def quick(sqlite_folder: Any, apps: Apps) -> AsyncIterator[Shop]:
    """A shop on SQLite."""
    async with shop_at(sqlite_folder.migrated(apps), PROGRAMME, PLUGINS) as shop:
        yield shop


async def test_refunds_count_on_the_day_of_the_sale(shop: Shop) -> None:
    await recorded(shop, "A1", "30.00", customer="g-1")
    await recorded(shop, "A2", "5.00")
    shop.clock.advance(timedelta(days=40))

    part = await refund(shop, "A1", "R1", "10.00")
    assert part["order"] == {
        "status": "RECORDED",
        "amountLeft": {"amount": "20.00"},
        "refunds": [{"reference": "R1", "amount": {"amount": "10.00"}}],
    }
    assert (await refund(shop, "A1", "R1", "10.00"))["replayed"] is True
    assert await guests(shop) == ("2", "25.00")
    assert [e["code"] for e in (await refund(shop, "A1", "R1", "11.00"))["errors"]] == ["GUEST_ORDER_DIFFERS"]
    assert [e["code"] for e in (await refund(shop, "A1", "R2", "20.01"))["errors"]] == ["EXCEEDS_REFUNDABLE"]
    assert [e["code"] for e in (await refund(shop, "A1", "R2", "0.00"))["errors"]] == ["INVALID_AMOUNT"]
    assert [e["code"] for e in (await refund(shop, "A9", "R2"))["errors"]] == ["ORDER_NOT_FOUND"]

    whole = await refund(shop, "A1", "R2")
    assert whole["order"]["status"] == "REFUNDED"
    assert (await refund(shop, "A1", "R2"))["replayed"] is True
    assert [e["code"] for e in (await refund(shop, "A1", "R3"))["errors"]] == ["NOTHING_TO_REFUND"]
    assert await guests(shop) == ("1", "5.00")
    assert await guests(shop, FEBRUARY) == ("0", "0.00")
    assert (await record(shop, "A1", "30.00", customer="g-1"))["replayed"] is True
    await in_order(shop)


async def test_an_order_of_a_member_is_theirs_alone_whichever_was_told_first(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "M1", "40.00")
    assert [e["code"] for e in (await record(shop, "M1", "40.00"))["errors"]] == ["ORDER_OF_MEMBER"]
    await recorded(shop, "A1", "30.00", customer="g-1")
    await recorded(shop, "A2", "7.00", customer="g-1")
    await refund(shop, "A1", "R1", "10.00")

    # The guest has joined, and the shop claims the order for them; M2 was never a guest's.
    await buy(shop, ann, "A1", "30.00")
    await buy(shop, ann, "M2", "2.00")

    assert await guests(shop) == ("1", "7.00")
    for order in ("A1", "M1", "M2"):
        assert [e["code"] for e in (await record(shop, order, "30.00"))["errors"]] == ["ORDER_OF_MEMBER"]
    assert [e["code"] for e in (await refund(shop, "A1", "R2"))["errors"]] == ["ORDER_OF_MEMBER"]
    found = await figures(shop, JANUARY)
    assert (found["orders"]["now"]["value"], found["revenue"]["now"]["value"]) == ("3", "72.00")
    assert found["guests"]["membersOrderShare"]["now"] == {"value": "0.750000", "numerator": "3", "denominator": "4"}
    await send_back(shop, ann, "A1")
    assert await guests(shop) == ("1", "7.00")
    await in_order(shop)


async def test_purchases_pay_no_statement_while_no_guest_has_ordered(quick: Shop) -> None:
    ann = await quick.enrol("ann")

    async def cost(reference: str) -> int:
        with statements() as seen:
            await buy(quick, ann, reference, "1.00")
        assert seen
        return len([sql for sql in seen if "guest_order" in sql and "programme_version" not in sql])

    await cost("M0")
    assert await cost("M1") == 0
    await recorded(quick, "A1")
    # One to look whose it is, one to take its place.
    assert await cost("M2") == 2
    # One to look, one to write what it is by now.
    assert await cost("A1") == 2
    await in_order(quick)


async def test_for_a_guests_order_that_is_refused_nobody_waits(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "M1", "60.00")
    kept, answered = asyncio.Event(), asyncio.Event()

    async def keep_rules() -> None:
        # On SQLite there is one writer anyway.
        if shop.laurel.store.reader().client.capabilities.dialect != "sqlite":
            async with shop.laurel.store.transaction() as writer:
                await writer.keep_rules()
                kept.set()
                await answered.wait()
        kept.set()

    keeping = asyncio.create_task(keep_rules())
    await kept.wait()
    try:
        async with asyncio.timeout(60):
            answers = [await record(shop, order, amount) for order, amount in {"M1": "60.00", "A1": "1.005"}.items()]
    finally:
        answered.set()
        await keeping

    assert [answer["errors"][0]["code"] for answer in answers] == ["ORDER_OF_MEMBER", "INVALID_AMOUNT"]
    await recorded(shop, "A1", "1.00")
    assert await guests(shop) == ("1", "1.00")
    await in_order(shop)


async def test_figures_stand_beside_those_of_members(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "M1", "60.00")
    for number, (amount, guest) in enumerate(
        [("10.00", "g-1"), ("20.00", "g-1"), ("30.00", "g-2"), ("40.00", None), ("0.00", "g-3")]
    ):
        await recorded(shop, f"A{number}", amount, customer=guest)
    shop.clock.advance(timedelta(days=31))
    await recorded(shop, "B1", "5.00", customer="g-1")
    await recorded(shop, "B2", "6.00", customer="g-4")

    january, february = (await figures(shop, JANUARY))["guests"], (await figures(shop, FEBRUARY))["guests"]

    def now(of: Any, name: str) -> tuple[Any, ...]:
        return tuple(of[name]["now"].values())

    assert january["orders"] == {"now": {"value": "4"}, "previous": {"value": "0"}}
    assert february["orders"] == {"now": {"value": "2"}, "previous": {"value": "4"}}
    assert february["revenue"] == {"now": {"value": "11.00"}, "previous": {"value": "100.00"}}
    assert now(january, "averageOrderValue") == ("25.000000", "100.00", "4")
    assert now(january, "orderFrequency") == ("1.500000", "3", "2")
    assert now(january, "repurchaseRate") == ("0.500000", "1", "2")
    assert now(january, "retentionRate") == (None, "0", "0")
    assert now(february, "retentionRate") == ("0.500000", "1", "2")
    assert now(january, "membersOrderShare") == ("0.200000", "1", "5")
    assert now(january, "membersRevenueShare") == ("0.375000", "60.00", "160.00")
    assert now(february, "membersRevenueShare") == ("0.000000", "0.00", "11.00")
    await in_order(shop)


async def test_a_guest_is_forgotten_and_no_figure_changes(shop: Shop) -> None:
    for number in range(3):
        await recorded(shop, f"A{number}", customer="g-1")
    await recorded(shop, "B", customer="g-2")
    before = await figures(shop, JANUARY)

    answer = await shop.ask(FORGET, {"input": {"customer": "g-1"}}, role=Role.OPERATOR)
    assert answer["forgetGuest"] == {"orders": 3, "errors": []}
    again = await shop.ask(FORGET, {"input": {"customer": "g-1"}}, role=Role.OPERATOR)
    assert again["forgetGuest"] == {"orders": 0, "errors": []}

    assert await figures(shop, JANUARY) == before
    rows = await shop.laurel.store.reader().query("SELECT reference, customer FROM guest_order ORDER BY reference")
    assert [len({customer for _, customer in rows[:3]}), rows[0][1][:7], rows[3][1]] == [1, "erased:", "g-2"]
    # A file that is imported again tells nobody anything.
    assert (await record(shop, "A1", customer="g-1"))["replayed"] is True
    answer = await shop.ask('{ guestOrder(reference: "A1") { customer status } }')
    assert answer["guestOrder"] == {"customer": rows[1][1], "status": "RECORDED"}
    await in_order(shop)


async def test_a_question_costs_two_statements_more_however_many_periods(quick: Shop) -> None:
    await recorded(quick, "A1")
    asked = {"since": "2026-01-01", "until": "2026-01-31"}

    async def cost(document: str) -> int:
        with statements() as seen:
            await quick.ask(document, asked, role=Role.ANALYST)
        return len(seen)

    body = "orders { now { value } }"
    guests = "guests { orders { now { value } } }"
    head = "query ($since: Day!, $until: Day!) { figures(since: $since, until: $until"
    without = await cost(f"{head}) {{ {body} }} }}")
    assert await cost(f"{head}) {{ {body} {guests} }} }}") == without + 2
    assert await cost(f"{head}, granularity: DAY, compareToPrevious: true) {{ {body} {guests} }} }}") == without + 2


@pytest.mark.parametrize(
    ("damage", "names"),
    [
        ("UPDATE daily_aggregate SET amount = amount + 1 WHERE name = 'guests'", {"daily aggregates"}),
        ("UPDATE guest_order SET paid = paid - 1", {"daily aggregates"}),
        ("DELETE FROM guest_order WHERE status = 'members'", set()),
        ("UPDATE guest_order SET status = 'recorded' WHERE status = 'members'", {"purchase of a guest"}),
    ],
)
async def test_what_is_out_of_order_is_found(quick: Shop, damage: str, names: set[str]) -> None:
    ann = await quick.enrol("ann")
    await recorded(quick, "A1")
    await buy(quick, ann, "M1", "2.00")
    async with quick.laurel.store.transaction() as writer:
        await writer.query(damage)

    findings = await verify(quick.laurel.store.reader(), INVARIANTS)

    assert {finding.invariant.name for finding in findings} == names


async def test_one_order_told_at_once_by_many_is_one_and_a_members_where_it_is_any_members(
    fresh_database: str, racers: Racers
) -> None:
    async with shop_at(fresh_database, PROGRAMME, PLUGINS):
        pass

    became = Counter(await racers.run("guests", fresh_database, processes=4, orders=20))

    assert (became["member recorded"], became["member replayed"], became["member refused"]) == (10, 10, 0)
    assert became["guest recorded"] >= 10
    assert became.total() == 4 * 20 + 2 * 10
    async with open_shop(fresh_database, None, plugins=PLUGINS, now=SystemClock().now()) as shop:
        assert await guests(shop) == ("10", "100.00")
        assert (await figures(shop, JANUARY))["orders"]["now"] == {"value": "10"}
        await in_order(shop)


FILE: Final = """kind,reference,order,member,customer,at,amount
sale,A1,,,g-1,2026-01-01T10:00,30.00
sale,A2,,ann,g-9,2026-01-01T11:00,20.00
sale,A3,,,,2026-01-02T11:00,5.00
refund,R1,A1,,,2026-01-03T11:00,10.00
cancellation,C3,A3,,,2026-01-03T11:00,
sale,A4,,,bob@example.org,2026-01-03T12:00,1.00
sale,A2,,,g-1,2026-01-03T12:00,20.00
refund,R9,A9,,,2026-01-03T12:00,1.00
adjustment,J1,,,,2026-01-03T12:00,
"""


async def bring_in(shop: Shop, path: Path, *, guests: bool) -> tuple[Figures, list[str]]:
    importer = shop.laurel.plugins.importers["orders"]
    columns, rejects = columns_of(importer, None, guests=guests), list[Reject]()
    make = maker(importer, shop.laurel, actor="a file", as_of="row", guests=guests)
    lines = read(examine(path, columns), columns)
    figures = await import_rows(lines, make, shop.laurel.committer, reject=rejects.append)
    return figures, [f"{reject.line.number} {reject.reason}" for reject in rejects]


async def test_rows_without_a_member_are_of_guests_where_that_is_said(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(FILE)

    without, _ = await bring_in(shop, path, guests=False)
    assert (without.imported, without.rejected) == (1, 8)
    first, rejects = await bring_in(shop, path, guests=True)
    again, rejects_again = await bring_in(shop, path, guests=True)

    assert (first.imported, first.replayed, first.refused, first.rejected) == (4, 1, 3, 1)
    assert (again.imported, again.replayed, again.refused, again.rejected) == (0, 5, 3, 1)
    assert rejects == rejects_again
    assert rejects == [
        "7 customer is not valid: it must be a key of letters, digits and ._:/=- that tells nobody who the guest is",
        "8 order A2 is a member's purchase",
        "9 no order A9",
        "10 kind is not valid: a guest's order is a sale, a refund or a cancellation",
    ]
    assert await guests(shop) == ("1", "20.00")
    await in_order(shop)
