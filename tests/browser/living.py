"""A shop that has lived for a year, month by month: what the pictures and tests of the dashboard look at.

Its orders are those of one in sixteen customers of the Online Retail data, moved to the present; one in sixty-four are
guests. At the end of each month some redeem, some open a ticket and some use a benefit, and what has lapsed is written
down.
"""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from core.books.members import ByExternalId
from core.channels.redemption import RedeemPoints
from core.engine.operations import Operation
from core.files.importing import Line, Reject, import_rows
from core.scheduling.sweep import sweep
from examples.data.prepare import HERE, penny, rows
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.hookspecs import Importing
from plugins.purchase.guests import GuestRequest, RecordGuestOrder

NOW: Final = datetime(2026, 6, 30, 12, tzinfo=UTC)
PROGRAMME: Final = """
id: corner-shop
name: Corner Shop
currency: CNY
timezone: Asia/Shanghai
lang: rex/1
rounding: {mode: floor}
expiry: {mode: per_lot, months: 6}
point_value: "0.01"
redemption_cost: {at_least: "0.002", at_most: "0.006", days: 30}
claw_back: lots_then_debt
channels:
  ticket: {}
  benefit:
    benefits: [{id: wrapping, name: Gift wrapping, kind: service, from: silver}]
  purchase:
    earn:
      points:
        caps: {order: 2500, programme: {month: 400000, alarm_at: 80}}
        groups:
          - id: base
            add: sum
            rules: [{id: spend, points: "order.amount"}, {id: first, when: order.first, points: 100}]
          - id: tier
            multiply: best
            rules:
              - {id: gold, when: "member.tier == 'gold'", factor: "1.05"}
              - {id: platinum, when: "member.tier == 'platinum'", factor: "1.1"}
tiers:
  window: {months: 12}
  ladder:
    - {id: regular, name: Regular}
    - {id: silver, name: Silver, all: [{fact: spend, at_least: "500"}]}
    - {id: gold, name: Gold, all: [{fact: spend, at_least: "2000"}]}
    - {id: platinum, name: Platinum, all: [{fact: spend, at_least: "6000"}]}
"""

DATA: Final = HERE / "online_retail"
_LAST_DAY: Final = date(2011, 12, 9)
_EVERY: Final = 16
_EVERY_GUEST: Final = 64


@asynccontextmanager
async def living_shop(url: str) -> AsyncIterator[Shop]:
    """The shop at noon UTC of its last day, on a migrated database."""
    async with open_shop(url, PROGRAMME, now=NOW) as shop:
        events = await asyncio.to_thread(list, _events())
        for month, of_month in groupby(events, key=lambda event: event["at"][:7]):
            end = min(_month_end(month), NOW)
            shop.clock.set(end)
            await _month(shop, month, list(of_month))
        guests = await asyncio.to_thread(list, _guests())
        await GuestRequest.perform_all(guests, shop.laurel.committer.rules)
        await shop.laurel.jobs.run("predict")
        yield shop


def _events() -> Iterator[Mapping[str, Any]]:
    """Sales, and refunds of an amount: the articles would take longer to read than all else here."""
    shift = NOW.date() - _LAST_DAY
    returned: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for match in rows(DATA / "return_matches.csv.gz"):
        if match["sale_order_id"]:
            amount = penny(Decimal(match["unit_price"]) * int(match["quantity"]))
            returned[match["return_order_id"]][match["sale_order_id"]] += amount
    for order in rows(DATA / "orders.csv.gz"):
        member, reference = order["customer_id"], order["order_id"]
        if zlib.crc32(member.encode()) % _EVERY:
            continue
        at = (datetime.fromisoformat(order["order_ts"]) + shift).isoformat()
        if order["kind"] == "sale":
            yield {"kind": "sale", "reference": reference, "member": member, "at": at, "amount": order["amount"]}
        for sale, back in returned[reference].items():
            refund = {"reference": f"{reference}/{sale}", "order": sale, "amount": str(back)}
            yield {"kind": "refund", "member": member, "at": at, **refund}


def _guests() -> Iterator[RecordGuestOrder]:
    shift = NOW.date() - _LAST_DAY
    for order in rows(DATA / "orders.csv.gz"):
        if order["kind"] == "sale" and zlib.crc32(order["customer_id"].encode()) % _EVERY_GUEST == 1:
            at = datetime.fromisoformat(order["order_ts"]) + shift
            yield RecordGuestOrder(
                actor="the tests",
                reference=order["order_id"],
                amount=Decimal(order["amount"]),
                occurred_at=at if at.tzinfo else at.replace(tzinfo=UTC),
                customer=order["customer_id"],
            )


def _month_end(month: str) -> datetime:
    """The last second of the month in Shanghai."""
    first = date.fromisoformat(f"{month}-01")
    following = (first + timedelta(days=31)).replace(day=1)
    return datetime(following.year, following.month, 1, tzinfo=UTC) - timedelta(hours=8, seconds=1)


async def _month(shop: Shop, month: str, events: list[Mapping[str, Any]]) -> None:
    laurel = shop.laurel
    importer = laurel.plugins.importers["orders"]
    version = laurel.programmes.at(laurel.clock.now())
    importing = Importing(zone=version.programme.zone, actor="the tests", replaying=True)
    lines = (Line("orders", 0, event, None, "") for event in events)
    await import_rows(lines, lambda row: importer.operation(row, importing), laurel.committer, reject=_impossible)
    await sweep(laurel.store.reader(), laurel.committer, laurel.clock.now(), actor="the tests")
    buyers = sorted({event["member"] for event in events})
    spending: list[Operation] = [
        RedeemPoints(
            member=ByExternalId(member),
            actor="the tests",
            idempotency_key=f"gift:{month}",
            points=400 + 100 * (int(member) % 7),
            reference="a gift",
        )
        for member in buyers[:: 2 if month < "2026-01" else 1]
    ]
    await laurel.committer.submit_many(spending)
    for member in buyers[::15]:
        await _do(shop, "openTicket", month, member, subject="A question", text="Where is my parcel?")
    for member in buyers[::9]:
        await _do(shop, "useBenefit", month, member, benefit="wrapping", reference=f"{month}:{member}")


async def _do(shop: Shop, mutation: str, month: str, member: str, **asked: str) -> None:
    """Somebody who has no tier for it is refused, as in life."""
    kind = mutation[0].upper() + mutation[1:]
    document = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
    key = f"{mutation}:{month}:{member}"
    await shop.ask(
        document, {"input": {"member": {"externalId": member}, "idempotencyKey": key, **asked}}, role=Role.SERVICE
    )


def _impossible(reject: Reject) -> None:
    raise RuntimeError(reject.reason)
