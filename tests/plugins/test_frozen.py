"""Who is frozen for earning, or for spending only: which channels stop, and what goes on.

The calls are those of the channels' READMEs, so that a new channel takes part by itself.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from core.oversight.verify import verify
from graph.conformance.conduct import freeze
from graph.conformance.subject import Subject
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import find_offers, load_plugins
from tests.databases import SqliteFolder
from tests.plugins.channel import WITHOUT_A_CALL, standing, told

OFFERS: Final = {offer.name: offer for offer in find_offers()}

STOPS: Final[dict[str, tuple[bool, bool]]] = {
    "ambassador": (False, False),
    "auction": (False, True),
    "benefit": (False, True),
    "birthday": (True, False),
    "checkout": (False, True),
    "coupon": (False, True),
    "donation": (False, True),
    "gift": (False, True),
    "group": (False, False),
    "investment": (False, True),
    "lottery": (True, True),
    "profile": (True, False),
    "purchase": (True, False),
    "quest": (True, False),
    "referral": (True, False),
    "review": (True, False),
    "rewards": (False, True),
    "share": (True, False),
    "sign_in": (True, False),
    "ticket": (False, False),
    "tier_purchase": (False, True),
}
"""Whether the call of a channel's README is refused while the member is frozen for earning, and for spending."""


def test_every_plugin_is_looked_at() -> None:
    assert STOPS.keys() | WITHOUT_A_CALL == OFFERS.keys()


@pytest.mark.parametrize("name", STOPS)
async def test_a_freeze_stops_what_it_is_for(tmp_path: Path, name: str) -> None:
    subject = Subject(OFFERS[name], [offer for offer in OFFERS.values() if offer.name != name], tmp_path)

    for scope, stops in zip(("EARNING", "SPENDING"), STOPS[name], strict=True):
        async with subject.shop(subject.programme(subject.section)) as trial:
            await freeze(trial, scope)
            before = await trial.tables()
            payload = await trial.send("1")

            assert [error["code"] for error in payload["errors"]] == (["MEMBER_FROZEN"] if stops else []), scope
            assert not stops or await trial.tables() == before
            await trial.check_books()


# -- what happens in passing --------------------------------------------------------------------------

PLUGINS: Final = load_plugins()
_KEYS: Final = count()

PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
channels:
  purchase: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}}}
  donation: {projects: [{id: trees, title: Trees, goal: 100000}]}
  win_back: {points: 30, dormant_days: 90, activities: [points_donated]}
  quest: {quests: [{id: giver, title: Give, count: {points_donated: 50}, points: 20}]}
  gift: {}
  checkout: {points_per_unit: {default: 100}}
  rewards: {items: [{id: tea, name: Tea, kind: service, price: 40}]}
  investment:
    projects:
      - id: roastery
        title: A roastery
        goal: 1000
        window: {to: "2027-01-01T00:00:00+08:00"}
        success: "1.2"
        cancellable: true
  tier_purchase: {prices: {silver: 100}}
  tier_gift: {gifts: {silver: {pack: {points: 25}}}}
tiers:
  ladder: [{id: regular}, {id: silver, all: [{fact: points_earned, at_least: 100000}]}]
"""


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder) -> AsyncIterator[Shop]:
    url = sqlite_folder.migrated(tables(PLUGINS))
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop
        assert not await verify(shop.laurel.store.reader())
    sqlite_folder.done(url)


async def do(shop: Shop, mutation: str, answer: str = "", role: Role = Role.ADMIN, **said: Any) -> dict[str, Any]:
    """The payload of a mutation, with a key of its own each time."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    data = await shop.ask(
        f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {answer} errors {{ code"
        " ... on MemberFrozen { frozen frozenUntil } } } }",
        {"input": {"idempotencyKey": f"{mutation} {next(_KEYS)}", **said}},
        role=role,
    )
    payload: dict[str, Any] = data[mutation]
    return payload


async def freeze_for(shop: Shop, member: str, scope: str) -> None:
    assert not (await do(shop, "freezeMember", member={"id": member}, scope=scope, reason="a test"))["errors"]


async def points(shop: Shop, member: str) -> int:
    return (await standing(shop, member))[0]


async def test_who_may_not_earn_spends_and_is_given_nothing_in_passing(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await shop.give(ann, 1_000, "to begin")
    shop.clock.advance(timedelta(days=200))
    await freeze_for(shop, ann, "EARNING")

    donated = await do(shop, "donatePoints", member={"id": ann}, project="trees", points=50)
    bought = await do(shop, "buyTier", "member { tier { code } }", member={"id": ann}, tier="silver", price=100)

    assert donated["errors"] == bought["errors"] == []
    assert bought["member"]["tier"]["code"] == "silver"
    assert await points(shop, ann) == 1_000 - 50 - 100  # no quest's 20, no 30 for coming back, no gift of 25

    await do(shop, "unfreezeMember", member={"id": ann}, reason="a test")
    await do(shop, "donatePoints", member={"id": ann}, project="trees", points=1)

    assert await points(shop, ann) == 850 - 1 + 20 + 30


async def test_who_may_not_earn_gets_no_order_and_no_bonus(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await freeze_for(shop, ann, "EARNING")
    before = await standing(shop, ann)
    order: dict[str, Any] = {"member": {"id": ann}, "reference": "A1", "amount": {"amount": "0.50", "currency": "CNY"}}

    refused = await do(shop, "recordPurchase", **order)  # worth no point, and yet it would count

    assert refused["errors"] == [{"code": "MEMBER_FROZEN", "frozen": "earning", "frozenUntil": None}]
    assert await standing(shop, ann) == before


async def test_nobody_gives_points_to_who_may_not_earn(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    await shop.give(ann, 100, "to begin")
    await freeze_for(shop, bob, "EARNING")

    refused = await do(shop, "giftPoints", member={"id": ann}, to="bob", points=10)
    await told(shop)

    assert [error["code"] for error in refused["errors"]] == ["GIFT_RECEIVER_UNAVAILABLE"]
    assert (await points(shop, ann), await points(shop, bob)) == (100, 0)


async def test_a_stake_is_paid_back_with_its_gain_to_who_may_not_earn(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await shop.give(ann, 1_000, "to begin")
    await do(shop, "stakePoints", member={"id": ann}, project="roastery", points=1_000)
    await freeze_for(shop, ann, "EARNING")

    settled = await do(
        shop, "settleInvestment", "settled waiting", project="roastery", outcome="SUCCEEDED", reason="it is built"
    )

    assert settled == {"settled": 1, "waiting": 0, "errors": []}
    assert await points(shop, ann) == 1_200


async def test_what_was_spent_comes_back_to_who_may_not_spend(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await shop.give(ann, 1_000, "to begin")
    me: dict[str, Any] = {"member": {"id": ann}}
    paid: dict[str, Any] = {"reference": "A1", "amount": {"amount": "100.00", "currency": "CNY"}}
    with_points = {"points": 200, "amount": "2.00"}
    await do(shop, "recordPurchase", **me, **paid, paidWithPoints=with_points)
    tea = await do(shop, "redeemReward", "order { id }", **me, reward="tea")
    stake = await do(shop, "stakePoints", "stake { id }", **me, project="roastery", points=100)
    basket: dict[str, Any] = {"reference": "B1", "basket": {"amount": "10.00", "currency": "CNY"}}
    hold = await do(shop, "holdCheckout", "hold { id }", **me, **basket)
    await freeze_for(shop, ann, "SPENDING")

    number = hold["hold"]["id"]
    captured = await do(shop, "captureCheckout", hold=number)
    released = await do(shop, "releaseCheckout", hold=number)
    cancelled = await do(shop, "cancelReward", order=tea["order"]["id"], reason="broken")
    taken = await do(shop, "cancelStake", stake=stake["stake"]["id"])
    refunded = await do(shop, "refundPurchase", **me, order="A1", reference="R1")

    assert captured["errors"] == [{"code": "MEMBER_FROZEN", "frozen": "spending", "frozenUntil": None}]
    assert released["errors"] == cancelled["errors"] == taken["errors"] == refunded["errors"] == []
    assert await points(shop, ann) == 1_000
