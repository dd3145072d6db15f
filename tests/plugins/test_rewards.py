"""The store through the schema: what it offers, what it costs, what is left, and how an order ends."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from core.errors import ProgrammeInvalid
from core.rulebook.programme import load_programme
from graph.ids import global_id, read_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.rewards.rules import RewardsSettings
from tests.databases import Apps
from tests.plugins.channel import freeze, only, reverse, standing

PROGRAMME = """
id: mall
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 12}
channels:
  rewards:
    cancelled_codes: CODES
    tier_prices: {diamond: "0.90"}
    items:
      - {id: credit, name: Phone credit 10 CNY, kind: voucher, category: phone, price: 1000, codes: true}
      - {id: cinema, name: Cinema, kind: voucher, price: 205, codes: true}
      - {id: flask, name: Flask, kind: goods, category: home, price: 5000, stock: true, limits: {month: 2, lifetime: 3}}
      - {id: speaker, name: Smart speaker, kind: goods, category: home, price: 20000, tiers: [gold, diamond]}
      - {id: coffee, name: Coffee, kind: voucher, price: 300, limits: {day: 1}}
      - {id: dessert, name: Dessert, kind: voucher, price: 205}
      - {id: summer, name: Summer bag, kind: goods, price: 10, valid: {to: "2026-06-01T00:00:00+08:00"}}
      - {id: winter, name: Winter bag, kind: goods, price: 10, valid: {from: "2026-12-01T00:00:00+08:00"}}
      - {id: cut, name: Haircut, kind: service, price: 205, tier_prices: {diamond: "0.50"}}
tiers:
  ladder:
    - {id: regular}
    - {id: gold, all: [{fact: points_earned, at_least: 30000}]}
    - {id: diamond, all: [{fact: points_earned, at_least: 90000}]}
"""

REDEEM = """mutation ($input: RedeemRewardInput!) { redeemReward(input: $input) {
  order { id reward kind quantity price points status codes }
  member { points { available } }
  transaction { kind channel }
  replayed
  errors {
    __typename code message
    ... on RewardLimitReached { period asked limitLeft resetsAt }
    ... on RewardSoldOut { asked stockLeft }
    ... on RewardNotYetOpen { opensAt }
    ... on RewardClosed { closedAt }
    ... on RewardOfOtherTier { tier tiers }
    ... on InsufficientPoints { needed available }
    ... on RewardPriceChanged { priceExpected price }
  }
} }"""


@pytest.fixture(scope="module")
def apps() -> Apps:
    return tables(only("rewards"))


@pytest.fixture
async def mall(fresh_database: str) -> AsyncIterator[Shop]:
    """A mall whose cancelled codes are void, on every database."""
    async with open_shop(fresh_database, PROGRAMME.replace("CODES", "void"), plugins=only("rewards")) as shop:
        yield shop


@pytest.fixture
async def frugal_mall(fresh_database: str) -> AsyncIterator[Shop]:
    """A mall that gives cancelled codes to the next who comes."""
    async with open_shop(fresh_database, PROGRAMME.replace("CODES", "back"), plugins=only("rewards")) as shop:
        yield shop


async def redeem(shop: Shop, member: str, reward: str, key: str = "1", **more: Any) -> dict[str, Any]:
    answer = {"member": {"id": member}, "reward": reward, "idempotencyKey": key, **more}
    data = await shop.ask(REDEEM, {"input": answer})
    payload: dict[str, Any] = data["redeemReward"]
    return payload


async def refusal(shop: Shop, member: str, reward: str, key: str = "refused", **more: Any) -> dict[str, Any]:
    """The one error of a redemption that must leave everything as it was."""
    before = await standing(shop, member)
    payload = await redeem(shop, member, reward, key, **more)
    assert payload["order"] is payload["transaction"] is None
    assert await standing(shop, member) == before
    (error,) = payload["errors"]
    error.pop("message")
    found: dict[str, Any] = error
    return found


async def with_points(shop: Shop, name: str, points: int) -> str:
    member = await shop.enrol(name)
    await shop.give(member, points, f"opening {name}")
    return member


async def stock(shop: Shop, reward: str, quantity: int, key: str = "delivery 1") -> dict[str, Any]:
    data = await shop.ask(
        "mutation ($input: StockRewardInput!) { stockReward(input: $input)"
        " { stockLeft replayed errors { code ... on RewardSoldOut { asked } } } }",
        {"input": {"reward": reward, "quantity": quantity, "idempotencyKey": key}},
        role=Role.OPERATOR,
    )
    payload: dict[str, Any] = data["stockReward"]
    return payload


async def add_codes(shop: Shop, codes: list[str], key: str = "codes 1", reward: str = "credit") -> dict[str, Any]:
    data = await shop.ask(
        "mutation ($input: AddVoucherCodesInput!) { addVoucherCodes(input: $input)"
        " { stockLeft replayed errors { code ... on VoucherCodeRepeated { voucherCode } } } }",
        {"input": {"reward": reward, "codes": codes, "idempotencyKey": key}},
        role=Role.OPERATOR,
    )
    payload: dict[str, Any] = data["addVoucherCodes"]
    return payload


async def handle(shop: Shop, what: str, order: str, **more: Any) -> dict[str, Any]:
    """Fulfil, deliver or cancel an order."""
    kind = what[0].upper() + what[1:]
    data = await shop.ask(
        f"mutation ($input: {kind}RewardInput!) {{ {what}Reward(input: $input) {{ order {{ status note codes }}"
        " member { points { available } } errors { code message ... on RewardOrderNotOpen { status } } } }",
        {"input": {"order": order, "idempotencyKey": f"{what}:{order}", **more}},
    )
    payload: dict[str, Any] = data[f"{what}Reward"]
    return payload


async def stock_left(shop: Shop, reward: str) -> int:
    data = await shop.ask("{ rewards { id stockLeft } }")
    (left,) = [each["stockLeft"] for each in data["rewards"] if each["id"] == reward]
    assert isinstance(left, int)
    return left


# -- redeeming ----------------------------------------------------------------------------------------


async def test_a_thousand_points_buy_ten_yuan_of_phone_credit_as_a_code(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 1_100)
    assert await add_codes(mall, ["AAA", "BBB"]) == {"stockLeft": 2, "replayed": False, "errors": []}

    payload = await redeem(mall, ann, "credit")

    payload["order"].pop("id")
    assert payload == {
        "order": {
            "reward": "credit",
            "kind": "VOUCHER",
            "quantity": 1,
            "price": 1000,
            "points": 1000,
            "status": "FULFILLED",
            "codes": ["AAA"],
        },
        "member": {"points": {"available": 100}},
        "transaction": {"kind": "redeem", "channel": "rewards"},
        "replayed": False,
        "errors": [],
    }


@pytest.mark.parametrize(
    ("reward", "points"), [("flask", 5_000), ("coffee", 300), ("dessert", 205), ("cut", 205)], ids=str
)
async def test_a_reward_costs_what_the_programme_says_and_then_waits(mall: Shop, reward: str, points: int) -> None:
    ann = await with_points(mall, "ann", points)
    await stock(mall, "flask", 1)

    payload = await redeem(mall, ann, reward)

    assert payload["errors"] == []
    assert payload["order"]["status"] == "REQUESTED"
    assert payload["order"]["points"] == points
    assert payload["member"]["points"]["available"] == 0


async def test_codes_are_handed_out_in_order_and_each_once(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 5_000)
    await add_codes(mall, ["C", "A"])
    await add_codes(mall, ["B", "D"], "codes 2")

    first = await redeem(mall, ann, "credit", "1", quantity=3)
    second = await redeem(mall, ann, "credit", "2")

    assert first["order"]["codes"] == ["C", "A", "B"]
    assert first["order"]["points"] == 3_000
    assert second["order"]["codes"] == ["D"]
    assert await refusal(mall, ann, "credit") == {
        "__typename": "RewardSoldOut", "code": "REWARD_SOLD_OUT", "asked": 1, "stockLeft": 0
    }  # fmt: skip


async def test_each_reward_has_codes_of_its_own(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 5_000)
    await add_codes(mall, ["A", "B"])

    added = await add_codes(mall, ["A", "C"], "codes 2", reward="cinema")

    assert added == {"stockLeft": 2, "replayed": False, "errors": []}
    assert (await redeem(mall, ann, "credit", "1"))["order"]["codes"] == ["A"]
    assert (await redeem(mall, ann, "cinema", "2", quantity=2))["order"]["codes"] == ["A", "C"]


async def test_the_same_request_again_is_the_same_order(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 5_000)
    await add_codes(mall, ["A", "B"])

    first = await redeem(mall, ann, "credit")
    again = await redeem(mall, ann, "credit")

    assert again.pop("replayed") is True
    assert first.pop("replayed") is False
    assert again == first
    assert await stock_left(mall, "credit") == 1


async def test_diamond_pays_ninety_percent_and_less_where_a_reward_says_so(mall: Shop) -> None:
    await stock(mall, "flask", 9)
    ann = await with_points(mall, "ann", 90_000)

    prices = [(await redeem(mall, ann, reward, reward))["order"]["points"] for reward in ("flask", "dessert", "cut")]

    # Nine tenths of 205 are 184.5 and half of it 102.5; the programme rounds down.
    assert prices == [4_500, 184, 102]


async def test_the_points_that_the_member_was_shown_are_what_is_spent(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 1_000)

    assert await refusal(mall, ann, "dessert", points=200) == {
        "__typename": "RewardPriceChanged", "code": "REWARD_PRICE_CHANGED", "priceExpected": 200, "price": 205
    }  # fmt: skip
    assert (await redeem(mall, ann, "dessert", points=205))["errors"] == []


# -- refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reward", "more", "expected"),
    [
        ("teapot", {}, {"__typename": "RewardNotFound", "code": "REWARD_NOT_FOUND"}),
        ("", {}, {"__typename": "RewardNotFound", "code": "REWARD_NOT_FOUND"}),
        ("coffee", {"quantity": 0}, {"__typename": "InvalidValue", "code": "INVALID_VALUE"}),
        ("coffee", {"quantity": -1}, {"__typename": "InvalidValue", "code": "INVALID_VALUE"}),
        ("coffee", {"quantity": 2_000_000_000}, {"__typename": "InvalidValue", "code": "INVALID_VALUE"}),
        (
            "flask",
            {},
            {"__typename": "RewardSoldOut", "code": "REWARD_SOLD_OUT", "asked": 1, "stockLeft": 0},
        ),
        (
            "speaker",
            {},
            {
                "__typename": "RewardOfOtherTier",
                "code": "REWARD_OF_OTHER_TIER",
                "tier": "regular",
                "tiers": "gold, diamond",
            },
        ),
        (
            "summer",
            {},
            {"__typename": "RewardClosed", "code": "REWARD_CLOSED", "closedAt": "2026-05-31T16:00:00Z"},
        ),
        (
            "winter",
            {},
            {"__typename": "RewardNotYetOpen", "code": "REWARD_NOT_YET_OPEN", "opensAt": "2026-11-30T16:00:00Z"},
        ),
        (
            "dessert",
            {"quantity": 50},
            {
                "__typename": "InsufficientPoints",
                "code": "INSUFFICIENT_POINTS",
                "needed": 10_250,
                "available": 10_000,
            },
        ),
        (
            "coffee",
            {"quantity": 2},
            {
                "__typename": "RewardLimitReached",
                "code": "REWARD_LIMIT_REACHED",
                "period": "day",
                "asked": 2,
                "limitLeft": 1,
                "resetsAt": "2026-06-01T16:00:00Z",
            },
        ),
    ],
)
async def test_what_cannot_be_redeemed_is_refused_with_the_facts_and_leaves_nothing(
    mall: Shop, reward: str, more: dict[str, Any], expected: dict[str, Any]
) -> None:
    ann = await with_points(mall, "ann", 10_000)

    assert await refusal(mall, ann, reward, **more) == expected


async def test_too_few_points_leave_the_stock_as_it_was(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 4_999)
    await stock(mall, "flask", 1)

    assert (await refusal(mall, ann, "flask"))["code"] == "INSUFFICIENT_POINTS"

    assert await stock_left(mall, "flask") == 1


async def test_a_frozen_member_redeems_nothing(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 1_000)
    await freeze(mall, ann)

    assert await refusal(mall, ann, "coffee") == {"__typename": "MemberNotActive", "code": "MEMBER_NOT_ACTIVE"}


async def test_limits_begin_anew_with_the_programmes_day_and_month_but_a_life_is_one(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 29_000)
    await stock(mall, "flask", 9)
    assert (await redeem(mall, ann, "flask", "1", quantity=2))["errors"] == []
    limit = {"__typename": "RewardLimitReached", "code": "REWARD_LIMIT_REACHED", "asked": 1, "limitLeft": 0}
    assert await refusal(mall, ann, "flask", "2") == {**limit, "period": "month", "resetsAt": "2026-06-30T16:00:00Z"}

    mall.clock.advance(timedelta(days=29, hours=4))  # it is July in Shanghai, and June elsewhere

    assert (await redeem(mall, ann, "flask", "3"))["errors"] == []
    assert await refusal(mall, ann, "flask", "4") == {**limit, "period": "lifetime", "resetsAt": None}


async def test_a_second_tap_with_another_key_meets_the_limit(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 1_000)
    assert (await redeem(mall, ann, "coffee", "tap 1"))["errors"] == []

    assert (await refusal(mall, ann, "coffee", "tap 2"))["code"] == "REWARD_LIMIT_REACHED"


async def test_without_a_rewards_section_nothing_is_offered(fresh_database: str) -> None:
    plain = "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n"
    async with open_shop(fresh_database, plain, plugins=only("rewards")) as shop:
        ann = await with_points(shop, "ann", 10)
        assert (await refusal(shop, ann, "coffee"))["code"] == "REWARDS_NOT_OFFERED"
        assert (await stock(shop, "coffee", 1))["errors"] == [{"code": "REWARDS_NOT_OFFERED"}]
        answer = await shop.post("{ rewards { id } }")
        assert answer["errors"][0]["extensions"]["code"] == "REWARDS_NOT_OFFERED"


async def test_a_member_redeems_for_themselves_and_for_nobody_else(mall: Shop) -> None:
    ann, bob = await with_points(mall, "ann", 1_000), await with_points(mall, "bob", 1_000)
    asked = {"input": {"member": {"id": bob}, "reward": "coffee", "idempotencyKey": "1"}}

    own = await mall.ask(REDEEM, asked, member=bob)
    other = await mall.post(REDEEM, asked, member=ann)

    assert own["redeemReward"]["errors"] == []
    assert other["errors"][0]["extensions"]["code"] == "FORBIDDEN"


# -- stock --------------------------------------------------------------------------------------------


async def test_a_delivery_is_added_once_however_often_it_is_told(mall: Shop) -> None:
    assert await stock(mall, "flask", 5) == {"stockLeft": 5, "replayed": False, "errors": []}
    assert await stock(mall, "flask", 5) == {"stockLeft": 5, "replayed": True, "errors": []}
    assert await stock(mall, "flask", 4) == {
        "stockLeft": None, "replayed": False, "errors": [{"code": "IDEMPOTENCY_KEY_MISMATCH"}]
    }  # fmt: skip
    assert (await stock(mall, "flask", -2, "broken"))["stockLeft"] == 3
    assert (await stock(mall, "flask", -4, "stolen"))["errors"] == [{"code": "REWARD_SOLD_OUT", "asked": 4}]
    assert await stock_left(mall, "flask") == 3


@pytest.mark.parametrize(
    ("reward", "quantity", "code"),
    [
        ("flask", 0, "INVALID_VALUE"),
        ("flask", 2_000_000_000, "INVALID_VALUE"),
        ("coffee", 1, "REWARD_HAS_NO_STOCK"),
        ("credit", 1, "REWARD_HAS_NO_STOCK"),
        ("teapot", 1, "REWARD_NOT_FOUND"),
    ],
)
async def test_what_cannot_be_stocked_is_refused(mall: Shop, reward: str, quantity: int, code: str) -> None:
    assert (await stock(mall, reward, quantity))["errors"] == [{"code": code}]


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        ([], {"code": "INVALID_VALUE"}),
        ([""], {"code": "INVALID_VALUE"}),
        ([" A"], {"code": "INVALID_VALUE"}),
        (["A\n"], {"code": "INVALID_VALUE"}),
        (["A" * 65], {"code": "INVALID_VALUE"}),
        (["A", "B", "A"], {"code": "VOUCHER_CODE_REPEATED", "voucherCode": "A"}),
        (["A", "OLD"], {"code": "VOUCHER_CODE_REPEATED", "voucherCode": "OLD"}),
        ([f"{number}" for number in range(1_001)], {"code": "INVALID_VALUE"}),
    ],
    ids=["none", "empty", "space", "unseen", "long", "twice", "known", "many"],
)
async def test_codes_that_cannot_be_are_refused_as_a_whole(mall: Shop, codes: list[str], error: dict[str, str]) -> None:
    await add_codes(mall, ["OLD"])

    assert await add_codes(mall, codes, "codes 2") == {"stockLeft": None, "replayed": False, "errors": [error]}
    assert await stock_left(mall, "credit") == 1


async def test_a_member_cannot_stock_the_store(mall: Shop) -> None:
    ann = await mall.enrol("ann")
    answer = await mall.post(
        "mutation ($input: StockRewardInput!) { stockReward(input: $input) { stockLeft } }",
        {"input": {"reward": "flask", "quantity": 1, "idempotencyKey": "mine"}},
        member=ann,
    )
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


# -- how an order ends --------------------------------------------------------------------------------


async def test_an_order_is_requested_fulfilled_and_delivered_and_then_stays(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 300)
    order = (await redeem(mall, ann, "coffee"))["order"]["id"]

    fulfilled = await handle(mall, "fulfil", order, note="parcel 17")
    assert fulfilled["order"] == {"status": "FULFILLED", "note": "parcel 17", "codes": []}
    assert (await handle(mall, "deliver", order))["order"]["status"] == "DELIVERED"

    for what in ({"what": "fulfil"}, {"what": "deliver"}, {"what": "cancel", "reason": "too late"}):
        (error,) = (await handle(mall, order=order, idempotencyKey=f"again {what}", **what))["errors"]
        assert (error["code"], error["status"]) == ("REWARD_ORDER_NOT_OPEN", "delivered")


async def test_cancelling_gives_back_points_pieces_and_the_limits_room(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 15_000)
    await stock(mall, "flask", 2)
    order = (await redeem(mall, ann, "flask", "1", quantity=2))["order"]["id"]
    await handle(mall, "fulfil", order)

    cancelled = await handle(mall, "cancel", order, reason="out of glass")

    assert cancelled["order"]["status"] == "CANCELLED"
    assert cancelled["member"]["points"]["available"] == 15_000
    assert await stock_left(mall, "flask") == 2
    assert (await redeem(mall, ann, "flask", "2", quantity=2))["errors"] == []


async def test_points_of_a_cancelled_order_expire_when_they_would_have(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 300)
    mall.clock.advance(timedelta(days=360))
    order = (await redeem(mall, ann, "coffee"))["order"]["id"]

    await handle(mall, "cancel", order, reason="out of beans")
    assert (await standing(mall, ann))[0] == 300

    mall.clock.advance(timedelta(days=10))
    assert (await standing(mall, ann))[0] == 0


@pytest.mark.parametrize("reversed_by_operator", [False, True])
async def test_a_void_code_is_given_to_nobody_again(mall: Shop, reversed_by_operator: bool) -> None:
    ann = await with_points(mall, "ann", 3_000)
    await add_codes(mall, ["A", "B"])
    order = (await redeem(mall, ann, "credit", "1"))["order"]["id"]

    await undo(mall, order, reversed_by_operator)

    assert await stock_left(mall, "credit") == 1
    assert (await redeem(mall, ann, "credit", "2"))["order"]["codes"] == ["B"]
    assert await order_of(mall, order) == {"status": "CANCELLED", "codes": ["A"]}


@pytest.mark.parametrize("reversed_by_operator", [False, True])
async def test_a_code_that_went_back_is_the_next_that_is_given(frugal_mall: Shop, reversed_by_operator: bool) -> None:
    ann = await with_points(frugal_mall, "ann", 9_000)
    await add_codes(frugal_mall, ["A", "B", "C"])
    order = (await redeem(frugal_mall, ann, "credit", "1", quantity=2))["order"]["id"]

    await undo(frugal_mall, order, reversed_by_operator)

    assert await stock_left(frugal_mall, "credit") == 3
    assert await order_of(frugal_mall, order) == {"status": "CANCELLED", "codes": []}
    given = [(await redeem(frugal_mall, ann, "credit", f"after {i}"))["order"]["codes"] for i in range(3)]
    assert given == [["A"], ["B"], ["C"]]
    assert (await refusal(frugal_mall, ann, "credit"))["code"] == "REWARD_SOLD_OUT"


async def undo(shop: Shop, order: str, reversed_by_operator: bool) -> None:
    if not reversed_by_operator:
        assert (await handle(shop, "cancel", order, reason="a mistake"))["errors"] == []
        return
    data = await shop.ask(
        "query ($id: ID!) { node(id: $id) { ... on RewardOrder { transaction { id } } } }", {"id": order}
    )
    await reverse(shop, data["node"]["transaction"]["id"])


async def order_of(shop: Shop, order: str) -> dict[str, Any]:
    data = await shop.ask("query ($id: ID!) { node(id: $id) { ... on RewardOrder { status codes } } }", {"id": order})
    node: dict[str, Any] = data["node"]
    return node


async def test_what_was_delivered_stays_so_when_an_operator_gives_the_points_back(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 5_000)
    await stock(mall, "flask", 1)
    order = (await redeem(mall, ann, "flask"))["order"]["id"]
    await handle(mall, "deliver", order)

    await undo(mall, order, reversed_by_operator=True)

    assert (await standing(mall, ann))[0] == 5_000
    assert (await order_of(mall, order))["status"] == "DELIVERED"
    assert await stock_left(mall, "flask") == 0


async def test_a_cancelled_order_is_not_paid_back_twice(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 300)
    payload = await redeem(mall, ann, "coffee")
    order = payload["order"]["id"]
    await handle(mall, "cancel", order, reason="a mistake")

    (error,) = (await handle(mall, "cancel", order, reason="a mistake", idempotencyKey="again"))["errors"]

    assert (error["code"], error["status"]) == ("REWARD_ORDER_NOT_OPEN", "cancelled")
    data = await mall.ask(
        "query ($id: ID!) { node(id: $id) { ... on RewardOrder { transaction { id } } } }", {"id": order}
    )
    answer = await mall.ask(
        "mutation ($input: ReverseTransactionInput!) { reverseTransaction(input: $input) { errors { code } } }",
        {"input": {"transaction": data["node"]["transaction"]["id"], "reason": "twice", "idempotencyKey": "reverse"}},
        role=Role.OPERATOR,
    )
    assert answer["reverseTransaction"]["errors"] == [{"code": "EXCEEDS_REVERSIBLE"}]
    assert (await standing(mall, ann))[0] == 300


async def test_another_members_order_and_one_that_never_was_are_not_found(mall: Shop) -> None:
    ann, bob = await with_points(mall, "ann", 300), await mall.enrol("bob")
    order = (await redeem(mall, ann, "coffee"))["order"]["id"]

    seen = await mall.ask("query ($id: ID!) { node(id: $id) { id } }", {"id": order}, member=bob)
    (error,) = (await handle(mall, "fulfil", ann))["errors"]

    assert seen == {"node": None}
    assert error["code"] == "INVALID_ID"


async def test_an_order_that_never_was_is_not_found_and_a_member_handles_none(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 300)
    order = (await redeem(mall, ann, "coffee"))["order"]["id"]
    never = global_id("RewardOrder", read_id(ann)[1], "never")

    (error,) = (await handle(mall, "cancel", never, reason="a mistake"))["errors"]
    answer = await mall.post(
        "mutation ($input: CancelRewardInput!) { cancelReward(input: $input) { order { status } } }",
        {"input": {"order": order, "reason": "give me my points", "idempotencyKey": "mine"}},
        member=ann,
    )

    assert error["code"] == "REWARD_ORDER_NOT_FOUND"
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_somebody_who_is_no_member_redeems_nothing(mall: Shop) -> None:
    asked = {"member": {"externalId": "nobody"}, "reward": "coffee", "idempotencyKey": "1"}
    payload = (await mall.ask(REDEEM, {"input": asked}))["redeemReward"]
    assert [error["code"] for error in payload["errors"]] == ["MEMBER_NOT_FOUND"]


# -- looking ------------------------------------------------------------------------------------------


async def test_the_store_shows_a_member_their_prices_limits_and_what_stands_in_the_way(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 5_500)
    await stock(mall, "flask", 7)
    await redeem(mall, ann, "coffee")
    fields = "id listPrice price stockLeft limitLeft limitResetsAt affordable refusal { code }"

    data = await mall.ask(f"{{ rewards {{ {fields} }} }}", member=ann)

    shown = {each.pop("id"): tuple(each.values()) for each in data["rewards"]}
    assert shown == {
        "credit": (1_000, 1_000, 0, None, None, True, {"code": "REWARD_SOLD_OUT"}),
        "flask": (5_000, 5_000, 7, 2, "2026-06-30T16:00:00Z", True, None),
        "speaker": (20_000, 20_000, None, None, None, False, {"code": "REWARD_OF_OTHER_TIER"}),
        "coffee": (300, 300, None, 0, "2026-06-01T16:00:00Z", True, {"code": "REWARD_LIMIT_REACHED"}),
        "dessert": (205, 205, None, None, None, True, None),
        "cinema": (205, 205, 0, None, None, True, {"code": "REWARD_SOLD_OUT"}),
        "summer": (10, 10, None, None, None, True, {"code": "REWARD_CLOSED"}),
        "winter": (10, 10, None, None, None, True, {"code": "REWARD_NOT_YET_OPEN"}),
        "cut": (205, 205, None, None, None, True, None),
    }


async def test_the_store_is_filtered_by_category_and_by_what_the_member_can_pay(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 5_000)
    query = (
        'query ($member: MemberByInput) { home: rewards(category: "home") { id affordable }'
        ' can: rewards(member: $member, affordable: true, category: "home") { id }'
        ' cannot: rewards(member: $member, affordable: false) { id } none: rewards(category: "garden") { id } }'
    )

    data = await mall.ask(query, {"member": {"id": ann}})

    assert data == {
        "home": [{"id": "flask", "affordable": None}, {"id": "speaker", "affordable": None}],
        "can": [{"id": "flask"}],
        "cannot": [{"id": "speaker"}],
        "none": [],
    }


async def test_what_a_hold_sets_aside_no_longer_can_be_paid_with(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 5_000)
    held = await mall.ask(
        "mutation ($input: HoldPointsInput!) { holdPoints(input: $input) { errors { code } } }",
        {"input": {"member": {"id": ann}, "points": 1, "seconds": 60, "idempotencyKey": "till"}},
    )
    assert held["holdPoints"]["errors"] == []
    look = 'query ($m: MemberByInput) { rewards(member: $m, affordable: true, category: "home") { id } }'

    meanwhile = await mall.ask(look, {"m": {"id": ann}})
    mall.clock.advance(timedelta(seconds=60))
    later = await mall.ask(look, {"m": {"id": ann}})

    assert meanwhile == {"rewards": []}
    assert later == {"rewards": [{"id": "flask"}]}


async def test_a_member_cannot_look_at_the_store_as_somebody_else(mall: Shop) -> None:
    ann, bob = await mall.enrol("ann"), await mall.enrol("bob")

    answer = await mall.post(
        "query ($member: MemberByInput) { rewards(member: $member) { id } }", {"member": {"id": ann}}, member=bob
    )

    assert answer["errors"][0]["extensions"]["code"] == "MEMBER_NOT_FOUND"


async def test_the_orders_of_a_member_are_the_newest_first(mall: Shop) -> None:
    ann = await with_points(mall, "ann", 1_000)
    for reward in ("coffee", "dessert", "cut"):
        await redeem(mall, ann, reward, reward)
    query = (
        "query ($id: ID!, $after: String) { node(id: $id) { ... on Member {"
        " rewardOrders(first: 2, after: $after) { nodes { reward name points status } pageInfo { endCursor } } } } }"
    )

    page = (await mall.ask(query, {"id": ann}))["node"]["rewardOrders"]
    rest = (await mall.ask(query, {"id": ann, "after": page["pageInfo"]["endCursor"]}))["node"]["rewardOrders"]

    assert [node["reward"] for node in page["nodes"]] == ["cut", "dessert"]
    assert rest["nodes"] == [{"reward": "coffee", "name": "Coffee", "points": 300, "status": "REQUESTED"}]


# -- the section of the programme ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("[]", "at least 1"),
        ("[{id: a, name: A, kind: goods}]", "is missing"),
        ("[{id: a, name: A, kind: goods, price: 0}]", "greater than or equal to 1"),
        ("[{id: a, name: A, kind: gods, price: 1}]", "goods"),
        ("[{id: a, name: A, kind: goods, price: 1, codes: true}]", "only a voucher has codes"),
        ("[{id: a, name: A, kind: voucher, price: 1, codes: true, stock: true}]", "leave stock out"),
        ("[{id: a, name: A, kind: goods, price: 1}, {id: a, name: B, kind: goods, price: 2}]", "used twice"),
        ('[{id: a, name: A, kind: goods, price: 1, tier_prices: {gold: "1.1"}}]', "at most 1"),
        ("[{id: a, name: A, kind: goods, price: 1, tier_prices: {gold: 0.9}}]", "quoted"),
        ("[{id: a, name: A, kind: goods, price: 1, limits: {week: 1}}]", "unknown key"),
        ("[{id: a, name: A, kind: goods, price: 1, limits: {day: 0}}]", "greater than or equal to 1"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(items: str, message: str) -> None:
    document = f"id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\nchannels: {{rewards: {{items: {items}}}}}\n"

    with pytest.raises(ProgrammeInvalid, match=message):
        load_programme(document, {"rewards": RewardsSettings})
