"""Buying tiers: which of them, for how much, and where a member stands when that is taken back."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from core.errors import ProgrammeInvalid
from core.rulebook.programme import load_programme
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse, standing

PLUGINS: Final = only("tier_purchase")
ROOT: Final = Path(__file__).parents[2]
LADDER: Final = """
id: club
currency: CNY
timezone: Asia/Shanghai
tiers:
  ladder:
    - {id: regular}
    - {id: silver, name: Silver, all: [{fact: points_earned, at_least: 10000}]}
    - {id: gold, all: [{fact: points_earned, at_least: 50000}]}
    - {id: crown, all: [{fact: points_earned, at_least: 90000}]}
"""
PROGRAMME: Final = f"{LADDER}channels: {{tier_purchase: {{prices: {{silver: 2000, gold: 5000}}}}}}"
FAR: Final = f"{LADDER}channels: {{tier_purchase: {{prices: {{silver: 2000, gold: 5000}}, steps: 2}}}}"

BUY: Final = """mutation ($input: BuyTierInput!) { buyTier(input: $input) {
  member { tier { code } points { available } tierHistory { former { code } tier { code } } }
  transaction { id kind channel }
  replayed
  errors {
    code
    ... on TierNotForSale { tier tiers }
    ... on TierAlreadyReached { tier tierReached }
    ... on TierTooHigh { tier tierMax }
    ... on TierPriceChanged { priceExpected price }
    ... on InsufficientPoints { needed available }
    ... on MemberNotActive { status }
  }
} }"""
WHERE: Final = """query ($id: ID!) { node(id: $id) { ... on Member {
  tier { code } tierHistory { tier { code } } tierOffers { tier name price refusal { code } }
} } }"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def club(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    """A brand that sells two of its tiers, the next one up only."""
    url = sqlite_folder.migrated(apps)
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop
    sqlite_folder.done(url)


async def with_points(shop: Shop, name: str, points: int = 9_000) -> str:
    member = await shop.enrol(name)
    await shop.give(member, points, f"opening {name}")
    return member


async def buy(shop: Shop, member: str, tier: str, price: int, key: str = "") -> dict[str, Any]:
    asked = {"member": {"id": member}, "tier": tier, "price": price, "idempotencyKey": key or f"buy {tier}"}
    payload: dict[str, Any] = (await shop.ask(BUY, {"input": asked}))["buyTier"]
    return payload


async def stands(shop: Shop, member: str) -> tuple[str, list[str]]:
    """The member's tier, and all tiers that they have had."""
    node = (await shop.ask(WHERE, {"id": member}))["node"]
    return node["tier"]["code"], [step["tier"]["code"] for step in node["tierHistory"]]


# -- the rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("{}", "prices or keep is missing"),
        ("{prices: {}}", "prices or keep is missing"),
        ("{keep: {prices: {gold: 10}}}", "keep.months: is missing"),
        ("{keep: {prices: {}, months: 1}}", "at least 1"),
        ("{keep: {prices: {glod: 10}, months: 1}}", "keep.prices.glod: no tier 'glod'"),
        ("{prices: {regular: 10}}", "everybody begins there"),
        ("{prices: {silver: 0}}", "greater than or equal to 1"),
        ("{prices: {silver: 1.5}}", "must be quoted"),
        ("{prices: {silver: 10}, steps: 0}", "greater than or equal to 1"),
        ("{prices: {glod: 10}}", "prices.glod: no tier 'glod' on the ladder, did you mean 'gold'?"),
        ("{prices: {silver: 10}, kept: true}", "unknown key 'kept', did you mean 'keep'"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(section: str, says: str) -> None:
    with pytest.raises(ProgrammeInvalid, match=says):
        load_programme(f"{LADDER}channels: {{tier_purchase: {section}}}", PLUGINS.settings)


# -- buying -------------------------------------------------------------------------------------------


async def test_who_buys_a_tier_stands_on_it_and_its_history_says_so(club: Shop) -> None:
    ann = await with_points(club, "ann")

    payload = await buy(club, ann, "silver", 2_000)

    payload["transaction"].pop("id")
    assert payload == {
        "member": {
            "tier": {"code": "silver"},
            "points": {"available": 7_000},
            "tierHistory": [
                {"former": None, "tier": {"code": "regular"}},
                {"former": {"code": "regular"}, "tier": {"code": "silver"}},
            ],
        },
        "transaction": {"kind": "buy_tier", "channel": "tier_purchase"},
        "replayed": False,
        "errors": [],
    }
    again = await buy(club, ann, "silver", 2_000)
    assert (again["replayed"], again["member"]["points"]) == (True, {"available": 7_000})


async def test_the_offers_say_what_stands_in_the_way(club: Shop) -> None:
    ann = await with_points(club, "ann")
    too_high = {"tier": "gold", "name": "gold", "price": 5_000, "refusal": {"code": "TIER_TOO_HIGH"}}
    silver = {"tier": "silver", "name": "Silver", "price": 2_000, "refusal": None}
    assert (await club.ask(WHERE, {"id": ann}))["node"]["tierOffers"] == [silver, too_high]

    await buy(club, ann, "silver", 2_000)
    assert (await club.ask(WHERE, {"id": ann}))["node"]["tierOffers"] == [
        silver | {"refusal": {"code": "TIER_ALREADY_REACHED"}},
        too_high | {"refusal": None},
    ]


async def test_spending_lowers_no_tier_and_a_purchase_counts_for_none(club: Shop) -> None:
    ann = await with_points(club, "ann", 12_000)
    assert await stands(club, ann) == ("silver", ["regular", "silver"])
    await buy(club, ann, "gold", 5_000)
    await club.give(ann, -7_000, "all of it")
    await club.give(ann, 10, "a little")
    assert await stands(club, ann) == ("gold", ["regular", "silver", "gold"])


async def test_where_two_steps_are_allowed_a_tier_can_be_skipped(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), FAR, plugins=PLUGINS) as club:
        ann = await with_points(club, "ann")
        assert (await buy(club, ann, "gold", 5_000))["errors"] == []
        assert await stands(club, ann) == ("gold", ["regular", "gold"])


# -- taking back --------------------------------------------------------------------------------------


async def test_a_purchase_that_is_taken_back_gives_the_points_and_takes_the_tier(club: Shop) -> None:
    ann = await with_points(club, "ann")
    bought = await buy(club, ann, "silver", 2_000)

    await reverse(club, bought["transaction"]["id"])

    assert await stands(club, ann) == ("regular", ["regular", "silver", "regular"])
    assert (await standing(club, ann))[0] == 9_000


async def test_a_tier_that_was_earned_meanwhile_is_not_taken(club: Shop) -> None:
    ann = await with_points(club, "ann")
    bought = await buy(club, ann, "silver", 2_000)
    await club.give(ann, 1_000, "enough for silver")

    await reverse(club, bought["transaction"]["id"])
    assert await stands(club, ann) == ("silver", ["regular", "silver"])


async def test_who_has_earned_some_of_the_way_falls_to_what_they_have_earned(
    sqlite_folder: SqliteFolder, apps: Apps
) -> None:
    async with open_shop(sqlite_folder.migrated(apps), FAR, plugins=PLUGINS) as club:
        ann = await with_points(club, "ann")
        bought = await buy(club, ann, "gold", 5_000)
        await club.give(ann, 1_000, "enough for silver")
        await reverse(club, bought["transaction"]["id"])
        assert await stands(club, ann) == ("silver", ["regular", "gold", "silver"])


@pytest.mark.parametrize(
    ("order", "tiers"),
    [(["gold", "silver"], ["gold", "silver", "regular"]), (["silver", "gold"], ["gold", "gold", "regular"])],
)
async def test_of_two_purchases_each_takes_only_what_it_gave(club: Shop, order: list[str], tiers: list[str]) -> None:
    ann = await with_points(club, "ann")
    bought = {tier: await buy(club, ann, tier, price) for tier, price in [("silver", 2_000), ("gold", 5_000)]}
    seen = [(await stands(club, ann))[0]]
    for tier in order:
        await reverse(club, bought[tier]["transaction"]["id"])
        seen.append((await stands(club, ann))[0])
    assert seen == tiers
    assert (await standing(club, ann))[0] == 9_000


async def test_a_tier_that_was_given_back_can_be_bought_anew(club: Shop) -> None:
    ann = await with_points(club, "ann")
    first = await buy(club, ann, "silver", 2_000)
    await reverse(club, first["transaction"]["id"])
    second = await buy(club, ann, "silver", 2_000, "again")
    assert (await stands(club, ann))[0] == "silver"
    await reverse(club, second["transaction"]["id"])
    assert (await stands(club, ann))[0] == "regular"


async def test_half_a_tier_is_not_given_back(club: Shop) -> None:
    ann = await with_points(club, "ann")
    bought = await buy(club, ann, "silver", 2_000)
    data = await club.ask(
        "mutation ($input: ReverseTransactionInput!) { reverseTransaction(input: $input) {"
        " errors { code ... on NotReversible { reason } } } }",
        {
            "input": {
                "transaction": bought["transaction"]["id"], "points": 1_000, "reason": "half", "idempotencyKey": "half"
            }
        },
        role=Role.OPERATOR,
    )  # fmt: skip
    assert data["reverseTransaction"]["errors"] == [
        {"code": "NOT_REVERSIBLE", "reason": "a tier is given back as a whole"}
    ]
    assert await standing(club, ann) == (7_000, 3)


# -- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tier", "price", "error"),
    [
        ("silver", 1_999, {"code": "TIER_PRICE_CHANGED", "priceExpected": 1_999, "price": 2_000}),
        ("silver", -1, {"code": "TIER_PRICE_CHANGED", "priceExpected": -1, "price": 2_000}),
        ("gold", 5_000, {"code": "TIER_TOO_HIGH", "tier": "gold", "tierMax": "silver"}),
        ("crown", 1, {"code": "TIER_NOT_FOR_SALE", "tier": "crown", "tiers": "silver, gold"}),
        ("regular", 1, {"code": "TIER_NOT_FOR_SALE", "tier": "regular", "tiers": "silver, gold"}),
        ("", 1, {"code": "TIER_NOT_FOR_SALE", "tier": "", "tiers": "silver, gold"}),
    ],
)
async def test_what_cannot_be_bought_leaves_member_and_points_alone(
    club: Shop, tier: str, price: int, error: dict[str, Any]
) -> None:
    ann = await with_points(club, "ann")
    payload = await buy(club, ann, tier, price, "refused")
    assert (payload["errors"], payload["transaction"]) == ([error], None)
    assert await standing(club, ann) == (9_000, 2)
    assert await stands(club, ann) == ("regular", ["regular"])


async def test_a_tier_is_bought_once_and_by_who_can_pay(club: Shop) -> None:
    ann, bob = await with_points(club, "ann"), await with_points(club, "bob", 1_999)
    await buy(club, ann, "silver", 2_000)
    assert (await buy(club, ann, "silver", 2_000, "another tap"))["errors"] == [
        {"code": "TIER_ALREADY_REACHED", "tier": "silver", "tierReached": "silver"}
    ]
    assert (await buy(club, bob, "silver", 2_000))["errors"] == [
        {"code": "INSUFFICIENT_POINTS", "needed": 2_000, "available": 1_999}
    ]
    assert (await stands(club, bob))[0] == "regular"


async def test_a_frozen_member_buys_no_tier(club: Shop) -> None:
    ann = await with_points(club, "ann")
    await freeze(club, ann)
    assert (await buy(club, ann, "silver", 2_000))["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]


# -- keeping ------------------------------------------------------------------------------------------

KEEPING: Final = PROGRAMME.replace("gold: 5000}", "gold: 5000}, keep: {prices: {silver: 300}, months: 6}")
KEEP: Final = """mutation ($input: KeepTierInput!) { keepTier(input: $input) {
  member { tier { code } points { available } tierKeeping { tier price months keptUntil refusal { code } } }
  transaction { id }
  errors {
    code
    ... on TierNotKept { tier tiers }
    ... on TierNotHeld { tier tierReached }
    ... on TierKeptAlready { keptUntil }
    ... on TierPriceChanged { price }
    ... on InsufficientPoints { needed available }
    ... on MemberNotActive { status }
  }
} }"""


@pytest.fixture
async def keeping(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    """A brand that lets silver members keep their tier for half a year."""
    async with open_shop(sqlite_folder.migrated(apps), KEEPING, plugins=PLUGINS) as shop:
        yield shop


async def keep(shop: Shop, member: str, tier: str = "silver", price: int = 300, key: str = "keep") -> dict[str, Any]:
    asked = {"member": {"id": member}, "tier": tier, "price": price, "idempotencyKey": key}
    payload: dict[str, Any] = (await shop.ask(KEEP, {"input": asked}))["keepTier"]
    return payload


async def test_who_keeps_a_tier_is_not_put_below_it_until_the_lock_ends(keeping: Shop) -> None:
    ann = await with_points(keeping, "ann")
    bought = (await buy(keeping, ann, "silver", 2_000))["transaction"]["id"]

    payload = await keep(keeping, ann)

    payload.pop("transaction")
    assert payload == {
        "member": {
            "tier": {"code": "silver"},
            "points": {"available": 6_700},
            "tierKeeping": {
                "tier": "silver",
                "price": 300,
                "months": 6,
                "keptUntil": "2026-11-30T16:00:00Z",
                "refusal": {"code": "TIER_KEPT_ALREADY"},
            },
        },
        "errors": [],
    }
    again = await keep(keeping, ann, key="again")
    assert again["errors"] == [{"code": "TIER_KEPT_ALREADY", "keptUntil": "2026-11-30T16:00:00Z"}]
    await reverse(keeping, bought)
    assert (await stands(keeping, ann))[0] == "silver"
    keeping.clock.set(datetime(2026, 11, 30, 16, tzinfo=UTC))
    assert (await keep(keeping, ann, key="once more"))["errors"] == []


@pytest.mark.parametrize("order", [("bought", "kept"), ("kept", "bought")])
async def test_in_whatever_order_both_are_taken_back_no_tier_is_left_for_nothing(
    keeping: Shop, order: tuple[str, str]
) -> None:
    ann = await with_points(keeping, "ann")
    done = {
        "bought": (await buy(keeping, ann, "silver", 2_000))["transaction"]["id"],
        "kept": (await keep(keeping, ann))["transaction"]["id"],
    }

    for name in order:
        await reverse(keeping, done[name])

    assert await stands(keeping, ann) == ("regular", ["regular", "silver", "regular"])
    assert (await standing(keeping, ann))[0] == 9_000


async def test_when_keeping_is_taken_back_the_lock_goes_with_it(keeping: Shop) -> None:
    ann = await with_points(keeping, "ann")
    bought = (await buy(keeping, ann, "silver", 2_000))["transaction"]["id"]
    kept = (await keep(keeping, ann))["transaction"]["id"]

    await reverse(keeping, kept)
    assert (await keep(keeping, ann, key="anew"))["errors"] == []
    await reverse(keeping, (await keep(keeping, ann, key="anew"))["transaction"]["id"])
    await reverse(keeping, bought)

    assert await stands(keeping, ann) == ("regular", ["regular", "silver", "regular"])
    assert (await standing(keeping, ann))[0] == 9_000


@pytest.mark.parametrize(
    ("points", "asked", "error"),
    [
        (9_000, {"tier": "gold"}, {"code": "TIER_NOT_KEPT", "tier": "gold", "tiers": "silver"}),
        (9_000, {"tier": "none at all"}, {"code": "TIER_NOT_KEPT", "tier": "none at all", "tiers": "silver"}),
        (9_000, {"price": 299}, {"code": "TIER_PRICE_CHANGED", "price": 300}),
        (9_000, {"price": -300}, {"code": "TIER_PRICE_CHANGED", "price": 300}),
        (2_200, {}, {"code": "INSUFFICIENT_POINTS", "needed": 300, "available": 200}),
    ],
)
async def test_a_tier_that_cannot_be_kept_is_refused_and_nothing_changes(
    keeping: Shop, points: int, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    ann = await with_points(keeping, "ann", points)
    assert (await keep(keeping, ann, key="early"))["errors"] == [
        {"code": "TIER_NOT_HELD", "tier": "silver", "tierReached": "regular"}
    ]
    await buy(keeping, ann, "silver", 2_000)
    before = await standing(keeping, ann)

    payload = await keep(keeping, ann, **asked)

    assert payload["errors"] == [error]
    assert await standing(keeping, ann) == before


async def test_who_is_frozen_keeps_nothing(keeping: Shop) -> None:
    ann = await with_points(keeping, "ann")
    await buy(keeping, ann, "silver", 2_000)
    await freeze(keeping, ann)
    assert (await keep(keeping, ann))["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]


async def test_where_keeping_is_not_offered_nobody_keeps_a_tier(club: Shop) -> None:
    ann = await with_points(club, "ann")
    assert (await keep(club, ann))["errors"] == [{"code": "TIER_PURCHASE_NOT_OFFERED"}]


async def test_a_member_buys_for_nobody_else(club: Shop) -> None:
    ann, bob = await with_points(club, "ann"), await with_points(club, "bob")
    asked = {"member": {"id": ann}, "tier": "silver", "price": 2_000, "idempotencyKey": "1"}
    answer = await club.post(BUY, {"input": asked}, member=bob)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await club.ask(BUY, {"input": asked}, member=ann))["buyTier"]["errors"] == []


async def test_without_the_section_no_tier_is_sold(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), LADDER, plugins=PLUGINS) as club:
        ann = await with_points(club, "ann")
        assert (await buy(club, ann, "silver", 2_000))["errors"] == [{"code": "TIER_PURCHASE_NOT_OFFERED"}]
        assert (await club.ask(WHERE, {"id": ann}))["node"]["tierOffers"] == []


async def test_what_the_readme_shows_can_be_pasted(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    text = (ROOT / "plugins" / "tier_purchase" / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (mutation,) = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    document = f"id: x\ncurrency: CNY\ntimezone: Asia/Shanghai\n{section}"
    async with open_shop(sqlite_folder.migrated(apps), document, plugins=PLUGINS) as club:
        ann = await with_points(club, "ann")
        (payload,) = (await club.ask(mutation)).values()
        assert (payload["errors"], payload["member"]["tier"]) == ([], {"code": "silver"})
        assert await standing(club, ann) == (7_000, 3)


async def test_in_the_ecosystem_silver_can_be_bought(tmp_path: Path) -> None:
    document = (ROOT / "examples" / "programmes" / "ecosystem.yaml").read_text(encoding="utf-8")
    async with open_shop(tmp_path, document) as club:
        ann = await with_points(club, "ann")
        assert (await buy(club, ann, "silver", 3_000))["errors"] == []
        assert (await buy(club, ann, "gold", 9_000))["errors"] == [
            {"code": "TIER_NOT_FOR_SALE", "tier": "gold", "tiers": "silver"}
        ]
