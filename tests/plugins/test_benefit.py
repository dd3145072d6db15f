"""Benefits: who has them, how often, what they take off, what becomes of them when tiers, orders and members change."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ProgrammeInvalid
from core.ladder.benefits import Benefit, BenefitKind
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from core.scheduling.jobs import Jobs
from graph.laurel import tables
from graph.testing import Shop
from graph.tokens import Role
from plugins.benefit.refusals import BenefitWorthNothing
from plugins.benefit.rules import Order, worth
from tests.databases import Apps, SqliteFolder
from tests.graph.test_statements import statements
from tests.plugins.channel import freeze, only, reverse
from tests.plugins.orders import buy, document, of_member, send_back, shop_at

PLUGINS: Final = only("purchase", "coupon", "benefit", "sign_in")
TIERS: Final = """tiers:
  ladder:
    - {id: regular}
    - {id: silver, all: [{fact: spend, at_least: 1000}]}
    - {id: gold, all: [{fact: spend, at_least: 5000}]}
"""
COUPONS: Final = """
  coupon:
    coupons:
      - {id: five, name: Five off, amount: "5.00"}
      - {id: fifth, name: A fifth off, ratio: "0.20", days: 10}
"""
BENEFITS: Final = """
  benefit:
    benefits:
      - {id: discount, name: Price, kind: discount, tiers: {silver: {price: "0.95"}, gold: {price: "0.92"}}}
      - {id: shipping, name: Shipping, kind: free_shipping, per: month, tiers: {silver: {quota: 1}, gold: {quota: 2}}}
      - {id: large, name: Large orders, kind: free_shipping, least_order: "100.00", amount_max: "12.00", from: gold}
      - {id: day, name: Day, kind: member_day, price: "0.80", month_days: [8, 31], amount_max: "50.00", from: silver}
      - {id: monthly, name: A coupon a month, kind: coupon, coupons: [five], per: month, from: silver, automatic: true}
      - {id: birthday, name: Birthday, kind: coupon, coupons: [fifth], per: year, birthday: month}
      - {id: gift, name: A gift, kind: gift, per: year, quota: 1, from: gold}
      - {id: lounge, name: Lounge, kind: partner, partner: Airline, valid: {to: "2026-03-01T00:00:00+08:00"}}
      - {id: soon, name: Soon, kind: service, valid: {from: "2027-01-01T00:00:00+08:00"}}
      - {id: ahead, name: First, kind: early_access, hours_ahead: 24, tiers: [gold]}
"""
FACTS: Final = """
  ... on BenefitNotFound { benefit } ... on BenefitNotForUse { benefitKind } ... on BenefitOfOtherTier { tier tiers }
  ... on BenefitNotYetOpen { opensAt } ... on BenefitLapsed { expiredAt } ... on BenefitNotToday { opensOn }
  ... on BenefitUsedUp { quota timesUsed resetsAt } ... on BenefitAlreadyUsed { benefit order }
  ... on BenefitOrderTooSmall { amount leastOrder } ... on MemberNotActive { status } ... on CurrencyMismatch { given }
  ... on InvalidValue { field } ... on BenefitUseNotFound { order }
"""
SHOWN: Final = "benefit number quota period reference worth { amount } undoneAt"


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


def programme(benefits: str = BENEFITS) -> str:
    return document(COUPONS + benefits, top=TIERS)


def opened(url: str, benefits: str = BENEFITS) -> AbstractAsyncContextManager[Shop]:
    return shop_at(url, programme(benefits), PLUGINS)


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    async with opened(sqlite_folder.migrated(apps)) as shop:
        yield shop
        assert await verify(shop.laurel.store.reader(), shop.laurel.plugins.invariants) == []


async def ask(shop: Shop, name: str, member: str, role: Role = Role.SERVICE, **asked: Any) -> dict[str, Any]:
    input = {"member": {"id": member}, "idempotencyKey": repr(sorted(asked.items()))[-200:], **asked}
    kind = f"{name[0].upper()}{name[1:]}Input"
    asked_for = f"use {{ {SHOWN} }} replayed errors {{ code {FACTS} }}"
    text = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {asked_for} }} }}"
    payload: dict[str, Any] = (await shop.ask(text, {"input": input}, role=role))[name]
    return payload


def yuan(amount: str, currency: str = "CNY") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


async def use(shop: Shop, member: str, benefit: str, reference: str = "A1", **more: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        name: yuan(value) if name in ("amount", "shipping") else value for name, value in more.items()
    }
    return await ask(shop, "useBenefit", member, benefit=benefit, reference=reference, **asked)


async def put(shop: Shop, member: str, tier: str, key: str = "") -> None:
    """An operator puts a member into a tier."""
    input = {"member": {"id": member}, "tier": tier, "reason": "a test", "idempotencyKey": f"{tier} {key}"}
    text = "mutation ($input: SetTierInput!) { setTier(input: $input) { errors { message } } }"
    assert (await shop.ask(text, {"input": input}, role=Role.OPERATOR))["setTier"]["errors"] == []


async def at_tier(shop: Shop, tier: str, name: str = "ann") -> str:
    member = await shop.enrol(name)
    await put(shop, member, tier)
    return member


async def standing(shop: Shop, member: str) -> dict[str, tuple[int, int | None, str | None]]:
    """Of each benefit what was used, what is left, and why it cannot be used."""
    found = await of_member(shop, member, "benefits { benefit { code } used left refusal { code } }")
    return {
        one["benefit"]["code"]: (one["used"], one["left"], one["refusal"] and one["refusal"]["code"])
        for one in found["benefits"]
    }


async def coupons(shop: Shop, member: str) -> list[tuple[str, str, str]]:
    found = await of_member(shop, member, "coupons { nodes { coupon occasion expiresAt } }")
    return [(one["coupon"], one["occasion"], one["expiresAt"]) for one in reversed(found["coupons"]["nodes"])]


async def run_job(shop: Shop) -> int:
    laurel = shop.laurel
    jobs = Jobs(
        [job for job in laurel.plugins.jobs if job.name == "benefit"],
        laurel.store,
        laurel.committer,
        laurel.programmes,
        shop.clock,
    )
    done = await jobs.run("benefit")
    assert done is not None
    return done


def code(answer: dict[str, Any]) -> str | None:
    return answer["errors"][0]["code"] if answer["errors"] else None


# -- the rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "amount", "off"),
    [
        ("0.95", 19_999, 999),  # of 9.9995 the whole coins
        ("0.92", 10_000, 800),
        ("0.9", 1, None),
        ("0.9", 10, 1),
        ("0.999999999", 9_007_199_254_740_991, 9_007_199),
    ],
)
def test_a_price_takes_off_its_share_rounded_down_to_the_smallest_coin(
    price: str, amount: int, off: int | None
) -> None:
    benefit = Benefit("benefit", "discount", "Price", BenefitKind.DISCOUNT, price=Decimal(price))
    if off is None:
        with pytest.raises(BenefitWorthNothing):
            worth(benefit, Order(amount), "CNY")
    else:
        assert worth(benefit, Order(amount), "CNY") == off


@given(
    price=st.decimals("0.000000001", "0.999999999", places=9),
    amount=st.integers(1, 2**53 - 1),
    most=st.none() | st.integers(1, 10**6),
)
def test_what_is_taken_off_is_exact_and_never_more_than_the_order(
    price: Decimal, amount: int, most: int | None
) -> None:
    benefit = Benefit("benefit", "d", "D", BenefitKind.DISCOUNT, price=price, amount_max=most)
    exact = amount * (10**9 - int(price * 10**9)) // 10**9
    try:
        off = worth(benefit, Order(amount), "CNY")
    except BenefitWorthNothing:
        off = 0
    assert off == min(exact, exact if most is None else most)
    assert 0 <= off <= amount


RULE: Final = "rule: {channel: purchase, group: tier, id: gold}"


@pytest.mark.parametrize(
    ("benefit", "says"),
    [
        ("kind: discount", "discount needs price"),
        ('kind: discount, price: "1"', "more than 0 and less than 1"),
        ('kind: discount, price: "0.9", month_days: [0]', "greater than or equal to 1"),
        ("kind: discount, tiers: {silver: {}, gold: {price: '0.9'}}", "discount needs price, which 'silver' has not"),
        ('kind: service, price: "0.9"', "price is nothing that service has"),
        ('kind: service, tiers: {gold: {price: "0.9"}}', "price is nothing that service has"),
        ("kind: service, quota: 1", "a quota needs a period"),
        ("kind: service, per: month", "a period a quota"),
        ("kind: service, per: week, quota: 1", "'month', 'year' or 'membership'"),
        ("kind: service, quota: 0, per: month", "greater than or equal to 1"),
        ("kind: service, tiers: [silver, silver]", "a tier is named twice"),
        ("kind: service, tiers: [sliver]", r"benefits\[it\].tiers.sliver: no tier 'sliver' .*'silver'"),
        ("kind: service, from: golden", r"benefits\[it\].from: no tier 'golden' .*'gold'"),
        ("kind: service, valid: {from: 2026-02-01T00:00:00Z, to: 2026-01-01T00:00:00Z}", "ends before it begins"),
        ("kind: services", "must be 'discount'"),
        ("kind: reward_price", "no kind that can be offered here"),
        ("kind: coupon, coupons: [five]", "coupons need a period"),
        ("kind: coupon, per: month", "coupon needs coupons"),
        ("kind: coupon, per: month, coupons: [fife]", r"coupons\[0\]: no coupon 'fife' .*'five'"),
        ("kind: coupon, per: month, quota: 2, coupons: [five]", "they have no quota"),
        ("kind: coupon, per: month, coupons: [five], birthday: day", "per must be year"),
        ("kind: coupon, per: year, coupons: [five], birthday: day, automatic: true", "cannot be automatic"),
        ("kind: gift, automatic: true", "automatic is nothing that gift has"),
        ("kind: member_day, price: '0.9'", "member_day needs month_days"),
        ("kind: discount, price: '0.9', month_days: [1], birthday: day", "month_days or birthday, not both"),
        ("kind: service, hours_ahead: 2", "hours_ahead is nothing that service has"),
        ("kind: partner", "partner needs partner"),
        ('kind: free_shipping, least_order: "0.001"', r"benefits\[it\].least_order: .*finer than the minor unit"),
        ("kind: points_multiplier", "points_multiplier needs rule"),
        (f"kind: points_multiplier, {RULE}, quota: 1, per: month", "it has no quota"),
        (f"kind: points_multiplier, {RULE}", r"rule: no rule 'gold' in purchase.earn.points, group 'tier'"),
        ("kind: points_multiplier, rule: {channel: purchase, group: base, id: spend}", "adds points, and multiplies"),
    ],
)
def test_a_benefit_that_cannot_be_meant_is_refused(benefit: str, says: str) -> None:
    text = programme(f"  benefit: {{benefits: [{{id: it, name: It, {benefit}}}]}}")
    with pytest.raises(ProgrammeInvalid, match=says):
        load_programme(text, PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)


def test_two_benefits_of_one_id_and_a_tier_without_a_ladder_are_refused() -> None:
    twice = programme("  benefit: {benefits: [{id: a, name: A, kind: service}, {id: a, name: B, kind: service}]}")
    without = document("  benefit: {benefits: [{id: a, name: A, kind: service, from: gold}]}")
    for text, says in ((twice, "used twice"), (without, "no tier 'gold'")):
        with pytest.raises(ProgrammeInvalid, match=says):
            load_programme(text, PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)


MULTIPLIED: Final = """id: shop
currency: CNY
timezone: Asia/Shanghai
{tiers}
channels:
  benefit: {{benefits: [{{id: double, name: Double, kind: points_multiplier, tiers: [{of}], {rule}}}]}}
  purchase:
    earn:
      points:
        groups:
          - {{id: base, add: sum, rules: [{{id: spend, points: order.amount}}]}}
          - {{id: tier, multiply: best, rules: [{{id: gold, when: "{when}", factor: 2}}]}}
"""


@pytest.mark.parametrize(
    ("when", "of", "says"),
    [
        ("member.tier == 'gold'", "gold", None),
        ("member.tier in ['gold', 'silver'] and member.birth_month_now", "silver, gold", None),
        ("member.tier == 'gold' and order.amount > 5", "silver", None),  # what else it asks for nobody can foresee
        ("member.tier == 'gold'", "silver, gold", "rule 'gold' is for gold, the benefit for silver, gold"),
        ("member.tier == 'golden'", "gold", "rule 'gold' is for nobody, the benefit for gold"),
    ],
)
async def test_a_multiplier_is_a_rule_of_the_channel_that_is_for_the_same_tiers(
    when: str, of: str, says: str | None
) -> None:
    text = MULTIPLIED.format(tiers=TIERS, when=when, of=of, rule=RULE)
    if says is not None:
        with pytest.raises(ProgrammeInvalid, match=says):
            load_programme(text, PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)
        return
    loaded = load_programme(text, PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)
    (brought,) = loaded.channels["benefit"].brings(loaded, of.split(", ", maxsplit=1)[0])
    assert brought.factor == 2


# -- using them ---------------------------------------------------------------------------------------


async def test_a_benefit_is_used_as_often_as_its_quota_and_begins_anew_with_the_month(shop: Shop) -> None:
    ann = await at_tier(shop, "gold")

    first = await use(shop, ann, "shipping", "A1", shipping="12.00")
    replay = await use(shop, ann, "shipping", "A1", shipping="12.00")
    second = await use(shop, ann, "shipping", "A2", shipping="10.00")
    third = await use(shop, ann, "shipping", "A3", shipping="10.00")

    told = {"benefit": "shipping", "quota": 2, "period": "2026-01", "undoneAt": None}
    assert first == {
        "use": {**told, "number": 1, "reference": "A1", "worth": {"amount": "12.00"}}, "replayed": False, "errors": []
    }  # fmt: skip
    assert replay == {**first, "replayed": True}
    assert second["use"]["number"] == 2
    assert third["errors"] == [
        {"code": "BENEFIT_USED_UP", "quota": 2, "timesUsed": 2, "resetsAt": "2026-01-31T16:00:00Z"}
    ]
    assert (await standing(shop, ann))["shipping"] == (2, 0, "BENEFIT_USED_UP")

    shop.clock.set(datetime(2026, 1, 31, 15, 59, 59, 999_999, tzinfo=UTC))
    assert code(await use(shop, ann, "shipping", "A4", shipping="10.00")) == "BENEFIT_USED_UP"
    shop.clock.set(datetime(2026, 1, 31, 16, tzinfo=UTC))  # 1 February in Shanghai
    assert (await standing(shop, ann))["shipping"] == (0, 2, None)
    assert (await use(shop, ann, "shipping", "A5", shipping="10.00"))["use"]["period"] == "2026-02"
    # What was not used in February is not added to March.
    shop.clock.set(datetime(2026, 3, 2, tzinfo=UTC))
    assert (await standing(shop, ann))["shipping"] == (0, 2, None)


async def test_after_a_rise_the_higher_quota_holds_and_after_a_fall_nothing_more_than_the_lower_one(shop: Shop) -> None:
    ann, bob = await at_tier(shop, "silver"), await at_tier(shop, "gold", "bob")
    assert code(await use(shop, ann, "shipping", "A1", shipping="10.00")) is None
    assert code(await use(shop, ann, "shipping", "A2", shipping="10.00")) == "BENEFIT_USED_UP"
    await put(shop, ann, "gold")
    assert (await standing(shop, ann))["shipping"] == (1, 1, None)
    assert (await use(shop, ann, "shipping", "A3", shipping="10.00"))["use"]["number"] == 2

    await put(shop, ann, "silver", "down")
    assert (await standing(shop, ann))["shipping"] == (2, 0, "BENEFIT_USED_UP")
    await put(shop, ann, "regular", "down")
    refused = await use(shop, ann, "shipping", "A4", shipping="10.00")
    assert refused["errors"] == [{"code": "BENEFIT_OF_OTHER_TIER", "tier": "regular", "tiers": "silver, gold"}]
    assert "shipping" not in await standing(shop, ann)

    # Who has used nothing yet can use what the lower tier has.
    await put(shop, bob, "silver", "down")
    assert (await standing(shop, bob))["shipping"] == (0, 1, None)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"benefit": "discounts"}, {"code": "BENEFIT_NOT_FOUND", "benefit": "discounts"}),
        ({"benefit": "x" * 500}, {"code": "BENEFIT_NOT_FOUND", "benefit": "x" * 64}),
        ({"benefit": "monthly"}, {"code": "BENEFIT_NOT_FOR_USE", "benefitKind": "coupon"}),
        ({"benefit": "gift"}, {"code": "BENEFIT_OF_OTHER_TIER", "tier": "silver", "tiers": "gold"}),
        ({"benefit": "soon"}, {"code": "BENEFIT_NOT_YET_OPEN", "opensAt": "2026-12-31T16:00:00Z"}),
        ({"benefit": "day"}, {"code": "BENEFIT_NOT_TODAY", "opensOn": "2026-01-08"}),
        ({"amount": None}, {"code": "INVALID_VALUE", "field": "amount"}),
        ({"benefit": "shipping"}, {"code": "INVALID_VALUE", "field": "shipping"}),
        ({"benefit": "shipping", "shipping": yuan("0")}, {"code": "BENEFIT_WORTH_NOTHING"}),
        ({"amount": yuan("0.19")}, {"code": "BENEFIT_WORTH_NOTHING"}),
        ({"amount": yuan("-1.00")}, {"code": "INVALID_AMOUNT"}),
        ({"amount": yuan("1.001")}, {"code": "INVALID_AMOUNT"}),
        ({"amount": yuan("99999999999999999")}, {"code": "INVALID_AMOUNT"}),
        ({"amount": yuan("100", "EUR")}, {"code": "CURRENCY_MISMATCH", "given": "EUR"}),
        ({"shipping": yuan("100", "EUR")}, {"code": "CURRENCY_MISMATCH", "given": "EUR"}),
        ({"reference": ""}, {"code": "INVALID_VALUE", "field": "reference"}),
        ({"reference": "x" * 129}, {"code": "INVALID_VALUE", "field": "reference"}),
        ({"reference": "a\nb"}, {"code": "INVALID_VALUE", "field": "reference"}),
    ],
)
async def test_a_wrong_use_is_refused_and_nothing_is_used(
    shop: Shop, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    ann = await at_tier(shop, "silver")
    input = {"benefit": "discount", "reference": "A1", "amount": yuan("100.00"), **asked}

    (found,) = (await ask(shop, "useBenefit", ann, **input))["errors"]

    assert found.items() >= error.items()
    uses = await of_member(shop, ann, "benefitUses { nodes { benefit } }")
    assert [one["benefit"] for one in uses["benefitUses"]["nodes"]] == ["monthly"]


async def test_an_order_has_one_benefit_off_its_price_and_one_off_its_shipping(shop: Shop) -> None:
    ann = await at_tier(shop, "gold")
    shop.clock.set(datetime(2026, 1, 8, 4, tzinfo=UTC))

    assert (await use(shop, ann, "discount", "A1", amount="200.00"))["use"]["worth"] == {"amount": "16.00"}
    for benefit, order in (("discount", "200.00"), ("day", "200.00")):
        again = await use(shop, ann, benefit, "A1", amount=order, idempotencyKey=f"again {benefit}")
        assert again["errors"] == [{"code": "BENEFIT_ALREADY_USED", "benefit": "discount", "order": "A1"}]
    small = await use(shop, ann, "large", "A1", amount="99.99", shipping="20.00")
    assert small["errors"] == [{"code": "BENEFIT_ORDER_TOO_SMALL", "amount": "99.99", "leastOrder": "100.00"}]
    assert (await use(shop, ann, "large", "A1", amount="100.00", shipping="20.00"))["use"]["worth"] == {
        "amount": "12.00"
    }
    assert code(await use(shop, ann, "shipping", "A1", shipping="20.00")) == "BENEFIT_ALREADY_USED"
    assert code(await use(shop, ann, "ahead", "A1")) is None
    assert code(await use(shop, ann, "day", "A2", amount="1000.00")) is None


async def test_a_benefit_lapses_with_its_end_and_days_are_the_months_last_where_it_is_shorter(shop: Shop) -> None:
    ann = await at_tier(shop, "gold")
    assert code(await use(shop, ann, "lounge", "flight 1")) is None
    shop.clock.set(datetime(2026, 2, 27, 16, tzinfo=UTC))  # 28 February
    assert code(await use(shop, ann, "day", "A1", amount="10.00")) is None
    shop.clock.set(datetime(2026, 2, 28, 16, tzinfo=UTC))  # 1 March

    lapsed = await use(shop, ann, "lounge", "flight 2")
    assert lapsed["errors"] == [{"code": "BENEFIT_LAPSED", "expiredAt": "2026-02-28T16:00:00Z"}]
    assert (await use(shop, ann, "day", "A2", amount="10.00"))["errors"] == [
        {"code": "BENEFIT_NOT_TODAY", "opensOn": "2026-03-08"}
    ]


async def test_who_is_frozen_uses_and_collects_nothing_and_no_member_uses_by_themselves(shop: Shop) -> None:
    ann = await at_tier(shop, "silver")
    text = "mutation ($input: UseBenefitInput!) { useBenefit(input: $input) { errors { code } } }"
    input = {"member": {"id": ann}, "benefit": "discount", "reference": "A1", "idempotencyKey": "x"}
    answer = await shop.post(text, {"input": input}, member=ann)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    await freeze(shop, ann)

    frozen = [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]
    assert (await use(shop, ann, "discount", amount="100.00"))["errors"] == frozen
    assert (await ask(shop, "collectBenefit", ann, benefit="monthly"))["errors"] == frozen
    assert {refusal for _, _, refusal in (await standing(shop, ann)).values()} == {"MEMBER_NOT_ACTIVE"}


async def test_where_the_programme_has_no_benefits_nobody_has_any_and_what_was_used_can_be_given_back(
    shop: Shop,
) -> None:
    ann = await at_tier(shop, "silver")
    await use(shop, ann, "shipping", "A1", shipping="10.00")
    published = await shop.ask(
        "mutation ($input: PublishProgrammeInput!) { publishProgramme(input: $input) { errors { message } } }",
        {"input": {"document": document(COUPONS, top=TIERS), "reason": "no more benefits"}},
        role=Role.ADMIN,
    )
    assert published["publishProgramme"]["errors"] == []

    for answer in (
        await use(shop, ann, "shipping", "A2", shipping="10.00"),
        await ask(shop, "collectBenefit", ann, benefit="monthly", idempotencyKey="none"),
    ):
        assert answer["errors"] == [{"code": "BENEFITS_NOT_OFFERED"}]
    quote = await shop.post(QUOTE, {"member": ann, "amount": yuan("50.00")})
    assert quote["errors"][0]["extensions"]["code"] == "BENEFITS_NOT_OFFERED"
    assert await standing(shop, ann) == {}
    undone = await ask(shop, "undoBenefitUse", ann, benefit="shipping", reference="A1", reason="never sent")
    assert undone["errors"] == []


# -- giving back --------------------------------------------------------------------------------------


async def test_a_refund_of_the_whole_order_gives_the_use_back_and_a_part_of_it_does_not(shop: Shop) -> None:
    ann = await at_tier(shop, "silver")
    await use(shop, ann, "shipping", "A1", shipping="10.00")
    await use(shop, ann, "discount", "A1", amount="110.00")
    await buy(shop, ann, "A1", "104.50")

    await send_back(shop, ann, "A1", "50.00")
    assert (await standing(shop, ann))["shipping"] == (1, 0, "BENEFIT_USED_UP")
    await send_back(shop, ann, "A1", reference="the rest")

    assert (await standing(shop, ann))["shipping"] == (0, 1, None)
    uses = await of_member(shop, ann, 'benefitUses(benefit: "shipping") { nodes { undoneAt } }')
    assert uses["benefitUses"]["nodes"] == [{"undoneAt": "2026-01-05T04:00:00Z"}]
    assert (await use(shop, ann, "shipping", "A2", shipping="10.00"))["use"]["number"] == 1


async def test_an_order_that_an_operator_reverses_gives_the_use_back(shop: Shop) -> None:
    ann = await at_tier(shop, "silver")
    await use(shop, ann, "shipping", "A1", shipping="10.00")
    await reverse(shop, await buy(shop, ann, "A1", "104.50"))

    assert (await standing(shop, ann))["shipping"] == (0, 1, None)


async def test_a_partner_of_the_channel_uses_benefits_and_sees_nothing_of_the_books(
    shop: Shop,
) -> None:
    ann = await at_tier(shop, "silver")
    text = """mutation ($input: UseBenefitInput!) { useBenefit(input: $input) {
      use { benefit transaction { id } } errors { code } } }"""
    input = {
        "member": {"id": ann}, "benefit": "shipping", "reference": "A1", "shipping": yuan("10.00"),
        "idempotencyKey": "partner",
    }  # fmt: skip

    async def answered(**reach: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {shop.token(Role.PARTNER, **reach)}"}
        response = await shop.client.post(
            "/graphql", json={"query": text, "variables": {"input": input}}, headers=headers
        )
        answer: dict[str, Any] = response.json()
        return answer

    refused = await answered(channels=["coupon"])
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    done = await answered(channels=["benefit"])
    assert done["data"]["useBenefit"] == {"use": {"benefit": "shipping", "transaction": None}, "errors": []}


async def test_where_the_programme_says_so_a_refund_gives_nothing_back(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    kept = "  benefit: {refunded: used, benefits: [{id: wrap, name: Wrap, kind: service, per: year, quota: 1}]}"
    async with opened(sqlite_folder.migrated(apps), kept) as shop:
        ann = await shop.enrol("ann")
        await use(shop, ann, "wrap", "A1")
        await buy(shop, ann, "A1", "10.00")
        await send_back(shop, ann, "A1")

        assert (await standing(shop, ann))["wrap"] == (1, 0, "BENEFIT_USED_UP")


async def test_a_use_is_undone_once_and_lasts_no_longer_than_its_period(shop: Shop) -> None:
    ann = await at_tier(shop, "silver")
    await use(shop, ann, "shipping", "A1", shipping="10.00")
    asked: dict[str, Any] = {"benefit": "shipping", "reference": "A1", "reason": "never sent"}

    undone = await ask(shop, "undoBenefitUse", ann, Role.OPERATOR, **asked)
    assert (undone["errors"], undone["use"]["undoneAt"]) == ([], "2026-01-05T04:00:00Z")
    again = await ask(shop, "undoBenefitUse", ann, Role.OPERATOR, **asked, idempotencyKey="again")
    assert again["errors"] == [{"code": "BENEFIT_USE_NOT_FOUND", "order": "A1"}]
    # The same order can have it after all.
    assert code(await use(shop, ann, "shipping", "A1", shipping="10.00", idempotencyKey="A1 after all")) is None

    shop.clock.set(datetime(2026, 2, 5, tzinfo=UTC))
    await use(shop, ann, "shipping", "B1", shipping="10.00")
    late = await ask(shop, "undoBenefitUse", ann, **asked, idempotencyKey="late")
    assert late["errors"] == []
    assert (await standing(shop, ann))["shipping"] == (1, 0, "BENEFIT_USED_UP")

    kept = await ask(shop, "undoBenefitUse", ann, benefit="monthly", reference="2026-01", reason="never used")
    assert kept["errors"] == [{"code": "BENEFIT_NOT_FOR_USE", "benefitKind": "coupon"}]


# -- coupons ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["the job", "the member"])
async def test_a_coupon_of_a_month_is_given_once_whoever_comes_first_and_lapses_with_it(shop: Shop, first: str) -> None:
    ann = await at_tier(shop, "silver")
    january = ("five", "benefit:monthly:2026-01", "2026-01-31T16:00:00Z")
    assert await coupons(shop, ann) == [january]  # by the rise itself
    assert await run_job(shop) == 0

    shop.clock.set(datetime(2026, 2, 3, tzinfo=UTC))
    if first == "the job":
        assert await run_job(shop) == 1
    collected = await ask(shop, "collectBenefit", ann, benefit="monthly", idempotencyKey="february")
    assert code(collected) == ("BENEFIT_USED_UP" if first == "the job" else None)
    assert await run_job(shop) == 0

    assert await coupons(shop, ann) == [january, ("five", "benefit:monthly:2026-02", "2026-02-28T16:00:00Z")]


async def test_who_rises_and_falls_in_a_month_gets_its_coupon_once(shop: Shop) -> None:
    ann = await at_tier(shop, "silver")
    for tier in ("regular", "silver", "gold", "silver"):
        await put(shop, ann, tier, f"step {tier}")
    await run_job(shop)

    assert [occasion for _, occasion, _ in await coupons(shop, ann)] == ["benefit:monthly:2026-01"]


async def test_the_job_gives_to_all_of_the_tiers_after_a_new_version_and_asks_nobody_else(
    sqlite_folder: SqliteFolder, apps: Apps
) -> None:
    without = "  benefit: {benefits: [{id: wrap, name: Wrap, kind: service}]}"
    async with opened(sqlite_folder.migrated(apps), without) as shop:
        ann, bob = await at_tier(shop, "silver"), await shop.enrol("bob")
        shop.clock.advance(timedelta(days=1))
        assert await run_job(shop) == 0
        published = await shop.ask(
            "mutation ($input: PublishProgrammeInput!) { publishProgramme(input: $input) { errors { message } } }",
            {"input": {"document": programme(), "reason": "coupons"}},
            role=Role.ADMIN,
        )
        assert published["publishProgramme"]["errors"] == []
        shop.clock.advance(timedelta(days=1))

        assert await run_job(shop) == 1
        assert (len(await coupons(shop, ann)), len(await coupons(shop, bob))) == (1, 0)


async def test_a_birthday_coupon_is_collected_in_the_month_of_the_birthday_once_a_year(shop: Shop) -> None:
    async def collect(key: str) -> dict[str, Any]:
        return await ask(shop, "collectBenefit", ann, benefit="birthday", idempotencyKey=key)

    ann = await shop.enrol("ann")
    assert code(await collect("unknown")) == "BENEFIT_BIRTHDAY_UNKNOWN"
    await shop.ask(
        "mutation ($input: UpdateMemberInput!) { updateMember(input: $input) { errors { message } } }",
        {"input": {"member": {"id": ann}, "birthday": "1992-02-29", "idempotencyKey": "birthday"}},
    )
    assert (await collect("early"))["errors"] == [{"code": "BENEFIT_NOT_TODAY", "opensOn": "2026-02-01"}]
    shop.clock.set(datetime(2026, 2, 27, 4, tzinfo=UTC))

    assert code(await collect("now")) is None
    assert code(await collect("again")) == "BENEFIT_USED_UP"
    # Ten days of its own, sooner than the year's end.
    assert await coupons(shop, ann) == [("fifth", "benefit:birthday:2026", "2026-03-08T16:00:00Z")]


# -- what is shown ------------------------------------------------------------------------------------

QUOTE: Final = """query ($member: ID!, $amount: MoneyInput!, $shipping: MoneyInput, $reference: String) {
  benefitsFor(member: {id: $member}, amount: $amount, shipping: $shipping, reference: $reference) {
    benefits { benefit { code } worth { amount } isBest refusal { code } }
    offPrice { amount } offShipping { amount } toPay { amount currency }
  } }"""


async def test_a_basket_is_told_what_applies_and_what_it_comes_to_exactly(shop: Shop) -> None:
    ann = await at_tier(shop, "gold")
    shop.clock.set(datetime(2026, 1, 8, 4, tzinfo=UTC))
    asked = {"member": ann, "amount": yuan("199.99"), "shipping": yuan("10.00"), "reference": "A1"}

    def told(quote: dict[str, Any]) -> dict[str, tuple[str, bool, str | None]]:
        return {
            one["benefit"]["code"]: (
                one["worth"]["amount"],
                one["isBest"],
                one["refusal"] and one["refusal"]["code"],
            )
            for one in quote["benefits"]
        }

    quote = (await shop.ask(QUOTE, asked))["benefitsFor"]
    # Of two that send it for nothing the one that uses up no quota.
    assert told(quote) == {
        "discount": ("15.99", False, None),
        "shipping": ("10.00", False, None),
        "large": ("10.00", True, None),
        "day": ("39.99", True, None),
    }
    assert (quote["offPrice"], quote["offShipping"]) == ({"amount": "39.99"}, {"amount": "10.00"})
    assert quote["toPay"] == yuan("160.00")

    used = await use(shop, ann, "day", "A1", amount="199.99")
    assert used["use"]["worth"] == {"amount": "39.99"}
    after = (await shop.ask(QUOTE, asked, member=ann))["benefitsFor"]
    assert told(after)["discount"] == told(after)["day"] == ("0.00", False, "BENEFIT_ALREADY_USED")
    small = (await shop.ask(QUOTE, {"member": ann, "amount": yuan("50.00")}))["benefitsFor"]
    assert told(small)["large"] == ("0.00", False, "BENEFIT_ORDER_TOO_SMALL")
    assert told(small)["shipping"] == ("0.00", False, "BENEFIT_WORTH_NOTHING")

    bob = await shop.enrol("bob")
    assert (await shop.ask(QUOTE, asked, member=bob))["benefitsFor"] is None
    wrong = await shop.post(QUOTE, {**asked, "shipping": yuan("10", "EUR")})
    assert wrong["errors"][0]["extensions"]["code"] == "CURRENCY_MISMATCH"


async def test_a_use_is_explained_and_a_refusal_as_well_in_both_languages(shop: Shop) -> None:
    ann = await at_tier(shop, "silver")
    await use(shop, ann, "shipping", "A1", shipping="10.00", idempotencyKey="one")
    await use(shop, ann, "shipping", "A2", shipping="10.00", idempotencyKey="two")
    query = """query ($member: MemberByInput!, $key: String!, $locale: Locale!) { whyNot(
      member: $member, channel: "benefit", idempotencyKey: $key, locale: $locale) { text refusal { code } } }"""

    async def why(key: str, locale: str) -> dict[str, Any]:
        asked = {"member": {"id": ann}, "key": key, "locale": locale}
        found: dict[str, Any] = (await shop.ask(query, asked, member=ann))["whyNot"]
        return found

    assert (await why("one", "EN"))["text"][1:] == [
        "Shipping is a benefit of the tier silver.",
        "It took 10.00 CNY off the order A1.",
        "It was use 1 of 1 in the period 2026-01; what is not used by its end lapses.",
    ]
    assert (await why("one", "ZH"))["text"][1:] == [
        "“Shipping”为等级 silver 的权益。",
        "订单 A1 因此减免 10.00 CNY。",
        "2026-01 周期内第 1 次，共 1 次；到期未用即失效。",
    ]
    refused = await why("two", "ZH")
    assert refused["refusal"] == {"code": "BENEFIT_USED_UP"}
    assert "权益 shipping 本期可用 1 次，已用 1 次" in refused["text"][0]


async def test_tiers_and_the_bar_tell_what_the_next_tier_brings(shop: Shop) -> None:
    ann = await at_tier(shop, "silver")

    found = await of_member(
        shop, ann, "tier { benefits { code quota price } } progress { brings { code quota price hoursAhead } }"
    )

    assert {"code": "discount", "quota": None, "price": "0.95"} in found["tier"]["benefits"]
    assert [each["code"] for each in found["progress"]["brings"]] == ["discount", "shipping", "large", "gift", "ahead"]
    assert found["progress"]["brings"][1] == {"code": "shipping", "quota": 2, "price": None, "hoursAhead": None}


async def test_a_page_of_members_with_their_benefits_costs_a_fixed_number_of_statements(shop: Shop) -> None:
    for number in range(12):
        member = await at_tier(shop, "gold", f"m{number}")
        await use(shop, member, "shipping", "A1", shipping="10.00")
    page = """query ($first: Int!) { members(first: $first) { nodes {
      benefits { benefit { code name kind quota price leastOrder { amount } } used left lapsesAt refusal { code } }
      benefitUses(first: 2) { nodes { benefit worth { amount } } } } } }"""

    counted = {}
    for first in (1, 5, 12):
        async with statements() as seen:
            answer = await shop.ask(page, {"first": first})
        assert len(answer["members"]["nodes"]) == first
        counted[first] = len(seen)

    assert counted[1] == counted[5] == counted[12] <= 5, seen
    asked = [sql for sql in seen if "benefit_" in sql]
    assert len(asked) == 2
    for sql in asked:
        plan = await shop.laurel.store.reader().query(f"EXPLAIN QUERY PLAN {sql}")
        assert not any("SCAN benefit" in str(step) for step in plan), plan


# -- at once, and when members change -----------------------------------------------------------------


async def test_the_last_of_a_quota_at_eight_tills_at_once_is_used_once_on_every_database(fresh_database: str) -> None:
    async with opened(fresh_database) as shop:
        ann = await at_tier(shop, "silver")

        answers = await asyncio.gather(*(use(shop, ann, "shipping", f"A{n}", shipping="10.00") for n in range(8)))

        assert sorted(code(answer) or "" for answer in answers) == ["", *["BENEFIT_USED_UP"] * 7]
        await run_job(shop)
        shop.clock.set(datetime(2026, 2, 3, tzinfo=UTC))
        collected = [ask(shop, "collectBenefit", ann, benefit="monthly", idempotencyKey=str(n)) for n in range(4)]
        await asyncio.gather(run_job(shop), *collected)
        assert len(await coupons(shop, ann)) == 2
        assert await verify(shop.laurel.store.reader(), shop.laurel.plugins.invariants) == []


MERGE: Final = "mutation ($input: MergeMembersInput!) { mergeMembers(input: $input) { errors { code message } } }"


async def test_what_a_merged_member_has_used_stays_there_and_can_be_given_back(shop: Shop) -> None:
    ann, old = await shop.enrol("ann"), await at_tier(shop, "silver", "old")
    await use(shop, old, "shipping", "A1", shipping="10.00")
    await buy(shop, old, "A1", "10.00")
    input = {"from": {"id": old}, "into": {"id": ann}, "reason": "one person", "idempotencyKey": "merge"}
    merged = await shop.ask(MERGE, {"input": input}, role=Role.OPERATOR)
    assert merged["mergeMembers"]["errors"] == []
    await shop.laurel.deliverer.drain()

    # The tier has come over; what it brings is used anew there, and no coupon came by itself.
    assert (await standing(shop, ann))["shipping"] == (0, 1, None)
    assert await coupons(shop, ann) == []
    assert code(await use(shop, old, "shipping", "A2", shipping="10.00")) == "MEMBER_MERGED"
    await send_back(shop, old, "A1")
    uses = await of_member(shop, old, 'benefitUses(benefit: "shipping") { nodes { undoneAt } }')
    assert uses["benefitUses"]["nodes"] == [{"undoneAt": "2026-01-05T04:00:00Z"}]
    assert (await standing(shop, ann))["shipping"] == (0, 1, None)


@pytest.mark.parametrize(
    ("damage", "broken"),
    [
        ("UPDATE benefit_entitlement SET used = 0", {"benefit uses"}),
        ("UPDATE benefit_entitlement SET quota = 0", {"benefit quotas"}),
        ("DELETE FROM benefit_entitlement", {"benefit entitlements"}),
        ("UPDATE benefit_use SET transaction_id = 'none'", {"benefit operations"}),
        ("UPDATE benefit_use SET reference = 'A1'", {"benefit orders"}),
    ],
)
async def test_verify_finds_what_is_wrong(
    sqlite_folder: SqliteFolder, apps: Apps, damage: str, broken: set[str]
) -> None:
    async with opened(sqlite_folder.migrated(apps)) as shop:
        ann = await at_tier(shop, "gold")
        for reference in ("A1", "A2"):
            await use(shop, ann, "shipping", reference, shipping="10.00")
        reader = shop.laurel.store.reader()
        assert await verify(reader, shop.laurel.plugins.invariants) == []

        await reader.query(damage)

        found = await verify(reader, shop.laurel.plugins.invariants)
        assert {finding.invariant.name for finding in found} == broken


# -- any way through a few months ---------------------------------------------------------------------

QUOTAS: Final = {"regular": None, "silver": 1, "gold": 2}


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_tiers_orders_and_months_do_a_model_of_a_few_lines_says_the_same(shop: Shop, seed: int) -> None:
    """Rising, falling, using, undoing and waiting, in any order."""
    random = Random(seed)
    ann = await shop.enrol("ann")
    tier, month, used, orders = "regular", 1, 0, dict[str, int]()
    for step in range(40):
        match random.choice(["tier", "use", "use", "use", "undo", "month"]):
            case "tier":
                tier = random.choice([other for other in QUOTAS if other != tier])
                await put(shop, ann, tier, str(step))
            case "use":
                order = f"A{random.randrange(12)}"
                answer = await use(shop, ann, "shipping", order, shipping="10.00", idempotencyKey=str(step))
                quota = QUOTAS[tier]
                if quota is None:
                    expected = "BENEFIT_OF_OTHER_TIER"
                elif order in orders:
                    expected = "BENEFIT_ALREADY_USED"
                elif used >= quota:
                    expected = "BENEFIT_USED_UP"
                else:
                    expected, orders[order], used = None, month, used + 1
                assert code(answer) == expected
            case "undo":
                order = f"A{random.randrange(12)}"
                asked = {"benefit": "shipping", "reference": order, "reason": "a test", "idempotencyKey": str(step)}
                answer = await ask(shop, "undoBenefitUse", ann, Role.OPERATOR, **asked)
                assert code(answer) == (None if order in orders else "BENEFIT_USE_NOT_FOUND")
                used -= orders.pop(order, 0) == month
            case "month":
                month, used = month + 1, 0
                shop.clock.set(datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=UTC))
        quota = QUOTAS[tier]
        if quota is not None:
            assert (await standing(shop, ann))["shipping"][:2] == (used, max(quota - used, 0))
