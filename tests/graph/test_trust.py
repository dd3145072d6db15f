"""Members frozen for a while, let go on, and closed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from core.oversight.verify import verify
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins, find_offers, load_plugins
from tests.databases import SqliteFolder

PLUGINS: Plugins = load_plugins(offers=[offer for offer in find_offers() if offer.name == "purchase"])
PROGRAMME = """
id: counter
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 12}
channels:
  purchase:
    earn:
      points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}
trust:
  velocity: [{channel: purchase, more_than: 2, within_minutes: 10, then: hold}]
"""

FREEZE = """mutation ($input: FreezeMemberInput!) { freezeMember(input: $input) {
  member { status freeze { scope until } } transaction { kind channel reason }
  errors { code ... on MemberFrozen { frozen frozenUntil } } } }"""
UNFREEZE = """mutation ($input: UnfreezeMemberInput!) { unfreezeMember(input: $input) {
  member { status freeze { scope } } errors { code ... on MemberNotFrozen { status } } } }"""
CLOSE = """mutation ($input: CloseMembershipInput!) { closeMembership(input: $input) {
  forfeited member { status points { available held balance } } errors { code } } }"""
REDEEM = """mutation ($m: ID!, $key: String!) { redeemPoints(input: {member: {id: $m}, points: 1, idempotencyKey: $key})
  { errors { code ... on MemberFrozen { frozen frozenUntil } ... on MemberNotActive { status } } } }"""
MEMBER = "query ($m: ID!) { member(by: {id: $m}) { status freeze { scope until } points { available balance debt } } }"


BUY = """mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) {
  transaction { id } errors { code ... on MemberFrozen { frozen frozenUntil } } } }"""


@pytest.fixture
async def counter(sqlite_folder: SqliteFolder) -> AsyncIterator[Shop]:
    """A shop with orders, of which the third within ten minutes is looked at."""
    url = sqlite_folder.migrated(tables(PLUGINS))
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop
    sqlite_folder.done(url)


async def buy(shop: Shop, member: str, reference: str, amount: int = 5) -> dict[str, Any]:
    """Record an order that brings as many points as it costs."""
    paid = {"amount": str(amount), "currency": "CNY"}
    order = {"member": {"id": member}, "reference": reference, "amount": paid, "idempotencyKey": f"order:{reference}"}
    payload: dict[str, Any] = (await shop.ask(BUY, {"input": order}))["recordPurchase"]
    return payload


async def do(shop: Shop, mutation: str, member: str, key: str, **input: Any) -> dict[str, Any]:
    given = {"member": {"id": member}, "idempotencyKey": key, "reason": "a bot?", **input}
    (payload,) = (await shop.ask(mutation, {"input": given}, role=Role.OPERATOR)).values()
    answer: dict[str, Any] = payload
    return answer


async def redeem(shop: Shop, member: str, key: str) -> list[dict[str, Any]]:
    errors: list[dict[str, Any]] = (await shop.ask(REDEEM, {"m": member, "key": key}))["redeemPoints"]["errors"]
    return errors


async def standing(shop: Shop, member: str) -> dict[str, Any]:
    found: dict[str, Any] = (await shop.ask(MEMBER, {"m": member}))["member"]
    return found


async def test_a_freeze_ends_at_its_instant_by_itself(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 10, "g")
    until = shop.clock.now() + timedelta(hours=2)

    frozen = await do(shop, FREEZE, anna, "f", until=until.isoformat())
    refused = await redeem(shop, anna, "r1")
    shop.clock.set(until - timedelta(microseconds=1))
    refused_still = await redeem(shop, anna, "r2")
    shop.clock.set(until)

    said = until.isoformat().replace("+00:00", "Z")
    assert frozen == {
        "member": {"status": "FROZEN", "freeze": {"scope": "BOTH", "until": said}},
        "transaction": {"kind": "freeze", "channel": "trust", "reason": "a bot?"},
        "errors": [],
    }
    assert refused == refused_still == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]
    assert (await standing(shop, anna))["status"] == "ACTIVE"
    assert await redeem(shop, anna, "r3") == []
    assert (await do(shop, UNFREEZE, anna, "u"))["errors"] == [{"code": "MEMBER_NOT_FROZEN", "status": "active"}]
    assert await verify(shop.laurel.store.reader()) == []


@pytest.mark.parametrize(("scope", "earns"), [("EARNING", False), ("SPENDING", True)])
async def test_a_freeze_of_one_leaves_the_other(counter: Shop, scope: str, earns: bool) -> None:
    anna = await counter.enrol("anna")
    await counter.give(anna, 10, "g")
    assert (await do(counter, FREEZE, anna, "f", scope=scope))["member"]["status"] == "ACTIVE"

    spent = await redeem(counter, anna, "r")
    earned = (await buy(counter, anna, "1"))["errors"]

    refused = [{"code": "MEMBER_FROZEN", "frozen": scope.lower(), "frozenUntil": None}]
    assert (earned, spent) == (([], refused) if earns else (refused, []))


async def test_freezing_the_frozen_and_the_closed_is_refused_with_facts(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await do(shop, FREEZE, anna, "f1", scope="SPENDING", until="2026-07-01T00:00:00Z")

    again = await do(shop, FREEZE, anna, "f2")
    past = await do(shop, FREEZE, await shop.enrol("bert"), "f3", until="2026-06-01T12:00:00Z")
    thawed = await do(shop, UNFREEZE, anna, "u")
    await do(shop, CLOSE, anna, "c")
    closed = await do(shop, FREEZE, anna, "f4")
    closed_again = await do(shop, CLOSE, anna, "c2")

    assert again["errors"] == [{"code": "MEMBER_FROZEN", "frozen": "spending", "frozenUntil": "2026-07-01T00:00:00Z"}]
    assert [error["code"] for error in past["errors"]] == ["INVALID_INSTANT"]
    assert thawed == {"member": {"status": "ACTIVE", "freeze": None}, "errors": []}
    assert closed["errors"] == closed_again["errors"] == [{"code": "MEMBER_NOT_ACTIVE"}]


async def test_a_membership_that_ends_leaves_nothing_behind(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    await shop.give(anna, 10, "g")
    await shop.give(anna, 7, "h", unit="growth")
    await shop.ask(
        'mutation ($m: ID!) { holdPoints(input: {member: {id: $m}, points: 4, idempotencyKey: "k"}) '
        "{ errors { code } } }",
        {"m": anna},
    )
    await do(shop, FREEZE, anna, "f")

    closed = await do(shop, CLOSE, anna, "c")

    nothing = {"available": 0, "held": 0, "balance": 0}
    assert closed == {"forfeited": 10, "member": {"status": "CLOSED", "points": nothing}, "errors": []}
    assert await verify(shop.laurel.store.reader()) == []
