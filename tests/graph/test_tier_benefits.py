"""What a tier brings, from whichever channel: of each tier, and what the next one has more."""

from pathlib import Path
from typing import Any, Final

from graph.testing import open_shop
from graph.tokens import Role

PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
channels:
  coupon: {coupons: [{id: pack, name: A tasting pack}]}
  birthday: {points: 10, tier_points: {gold: 50}, within: month}
  tier_gift: {gifts: {gold: {pack: {points: 100}, coupons: [pack]}}}
  rewards:
    tier_prices: {gold: "0.90"}
    items: [{id: cup, name: A cup, kind: goods, price: 100}]
tiers: {ladder: [{id: regular}, {id: gold, all: [{fact: points_earned, at_least: 100}]}]}
"""
BRINGS: Final = "{ channel code kind period quota price points coupons birthday }"


async def test_a_tier_shows_what_each_channel_brings_and_progress_what_the_next_one_has_more(tmp_path: Path) -> None:
    async with open_shop(tmp_path, PROGRAMME) as shop:
        ann = await shop.enrol("ann")
        asked = f"progress {{ nextTier {{ code }} brings {BRINGS} }} tier {{ code benefits {BRINGS} }}"
        query = f"query ($id: ID!) {{ node(id: $id) {{ ... on Member {{ {asked} }} }} }}"
        regular = (await shop.ask(query, {"id": ann}))["node"]
        await shop.ask(
            "mutation ($input: SetTierInput!) { setTier(input: $input) { errors { code } } }",
            {"input": {"member": {"id": ann}, "tier": "gold", "reason": "a test", "idempotencyKey": "1"}},
            role=Role.OPERATOR,
        )
        gold = (await shop.ask(query, {"id": ann}))["node"]

    assert regular["tier"] == {"code": "regular", "benefits": [birthday(10)]}
    brings = [
        birthday(50),
        {**NOTHING, "channel": "rewards", "code": "price", "kind": "REWARD_PRICE", "price": "0.90"},
        {
            **NOTHING, "channel": "tier_gift", "code": "gold", "kind": "GIFT", "period": "MEMBERSHIP", "quota": 1,
            "points": 100, "coupons": ["pack"],
        },
    ]  # fmt: skip
    assert regular["progress"] == {"nextTier": {"code": "gold"}, "brings": brings}
    assert gold["tier"] == {"code": "gold", "benefits": brings}
    assert gold["progress"] == {"nextTier": None, "brings": []}


NOTHING: Final[dict[str, Any]] = {
    "period": None, "quota": None, "price": None, "points": None, "coupons": [], "birthday": None
}  # fmt: skip


def birthday(points: int) -> dict[str, Any]:
    return {
        **NOTHING, "channel": "birthday", "code": "gift", "kind": "GIFT", "period": "YEAR", "quota": 1,
        "points": points, "birthday": "MONTH",
    }  # fmt: skip
