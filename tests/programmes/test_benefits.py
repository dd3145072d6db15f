"""What the tiers of ``beauty-shop`` and ``sme`` bring, with the numbers of their documents."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from core.oversight.verify import verify
from graph.testing import Shop, open_shop
from graph.tokens import Role
from tests.graph.test_statements import statements

PROGRAMMES: Final = Path(__file__).parents[2] / "examples" / "programmes"
JULY: Final = datetime(2026, 7, 2, 4, tzinfo=UTC)
QUOTE: Final = """query ($member: ID!, $amount: MoneyInput!, $shipping: MoneyInput!) {
  benefitsFor(member: {id: $member}, amount: $amount, shipping: $shipping) {
    offPrice { amount } offShipping { amount } toPay { amount } } }"""


async def at_tier(shop: Shop, tier: str, birthday: str | None = None, name: str | None = None) -> str:
    member = await shop.enrol(name or tier)
    text = "mutation ($input: SetTierInput!) { setTier(input: $input) { errors { message } } }"
    input = {"member": {"id": member}, "tier": tier, "reason": "a test", "idempotencyKey": "tier"}
    await shop.ask(text, {"input": input}, role=Role.OPERATOR)
    if birthday:
        born = {"member": {"id": member}, "birthday": birthday, "idempotencyKey": "birthday"}
        text = "mutation ($input: UpdateMemberInput!) { updateMember(input: $input) { errors { message } } }"
        await shop.ask(text, {"input": born})
    return member


def yuan(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "CNY"}


async def ship(shop: Shop, member: str, order: str, amount: str = "50.00") -> str | None:
    input = {
        "member": {"id": member}, "benefit": "shipping", "reference": order, "idempotencyKey": order,
        "amount": yuan(amount), "shipping": yuan("8.00"),
    }  # fmt: skip
    text = "mutation ($input: UseBenefitInput!) { useBenefit(input: $input) { errors { code } } }"
    errors = (await shop.ask(text, {"input": input}))["useBenefit"]["errors"]
    return errors[0]["code"] if errors else None


@pytest.mark.parametrize(
    ("tier", "off", "to_pay", "sent_free"),
    [
        ("regular", "0.00", "207.99", 0),
        ("silver", "9.99", "190.00", 1),
        ("gold", "15.99", "184.00", 2),
        ("platinum", "19.99", "180.00", 30),
    ],
)
async def test_tiers_of_the_beauty_shop_pay_95_92_and_90_percent_and_are_sent_things_for_nothing(
    tmp_path: Path, tier: str, off: str, to_pay: str, sent_free: int
) -> None:
    async with open_shop(tmp_path, (PROGRAMMES / "beauty-shop.yaml").read_text(), now=JULY) as shop:
        member = await at_tier(shop, tier)
        asked = {"member": member, "amount": yuan("199.99"), "shipping": yuan("8.00")}

        quote = (await shop.ask(QUOTE, asked))["benefitsFor"]

        free = "8.00" if sent_free else "0.00"
        assert quote == {
            "offPrice": {"amount": off}, "offShipping": {"amount": free}, "toPay": {"amount": to_pay}
        }  # fmt: skip
        sent = [await ship(shop, member, f"A{number}") for number in range(min(sent_free, 5))]
        assert sent == [None] * len(sent)
        if sent_free < 5:
            reason = "BENEFIT_USED_UP" if sent_free else "BENEFIT_OF_OTHER_TIER"
            assert await ship(shop, member, "one more") == reason
        assert await verify(shop.laurel.store.reader(), shop.laurel.plugins.invariants) == []


async def test_everybody_of_the_beauty_shop_has_a_coupon_for_the_birthday_and_gold_double_points(
    tmp_path: Path,
) -> None:
    async with open_shop(tmp_path, (PROGRAMMES / "beauty-shop.yaml").read_text(), now=JULY) as shop:
        regular, gold = await at_tier(shop, "regular", "1990-07-20"), await at_tier(shop, "gold")
        text = """mutation ($input: CollectBenefitInput!) { collectBenefit(input: $input) {
          member { coupons { nodes { coupon ratio } } } errors { code } } }"""
        input = {"member": {"id": regular}, "benefit": "birthday", "idempotencyKey": "birthday 2026"}

        collected = await shop.ask(text, {"input": input}, member=regular)

        assert collected["collectBenefit"] == {
            "member": {"coupons": {"nodes": [{"coupon": "birthday", "ratio": "0.20"}]}}, "errors": []
        }  # fmt: skip
        query = "query ($id: ID!) { node(id: $id) { ... on Member { tier { benefits { code factor } } } } }"
        benefits = (await shop.ask(query, {"id": gold}))["node"]["tier"]["benefits"]
        assert {"code": "birthday_points", "factor": "2"} in benefits


@pytest.mark.parametrize(
    ("tier", "has"),
    [
        ("bronze", ["double"]),
        ("silver", ["monthly", "trial"]),
        ("gold", ["monthly", "trial", "shipping", "birthday"]),
        ("diamond", ["monthly", "trial", "shipping", "service", "gift", "price"]),
    ],
)
async def test_tiers_of_the_small_business_have_what_its_document_says(
    tmp_path: Path, tier: str, has: list[str]
) -> None:
    async with open_shop(tmp_path, (PROGRAMMES / "sme.yaml").read_text(), now=JULY) as shop:
        member = await at_tier(shop, tier)
        query = """query ($id: ID!) { node(id: $id) { ... on Member {
          benefits { benefit { code } used refusal { code } } tier { benefits { code } } } } }"""

        found: dict[str, Any] = (await shop.ask(query, {"id": member}))["node"]

        assert [one["code"] for one in found["tier"]["benefits"]] == has
        assert [one["benefit"]["code"] for one in found["benefits"]] == [code for code in has if code != "price"]
        if tier == "gold":
            assert await ship(shop, member, "A1", "99.99") == "BENEFIT_ORDER_TOO_SMALL"
            assert await ship(shop, member, "A1 and more", "100.00") is None


BADGES: Final = """  badge: {badges: [{id: guest, title: A guest, count: orders, at_least: 3}]}
"""
PAGE: Final = """query ($first: Int!) { members(first: $first) { nodes {
  tier { code benefits { code kind quota price factor } }
  progress { ratio nextTier { code } brings { code } criteria { current required remaining } }
  keeping { state daysLeft projectedTier { code } }
  benefits { benefit { code name } used left lapsesAt refusal { code } }
  badges { name level progress { ratio } }
} } }"""


async def test_a_page_of_fifty_with_all_that_tiers_bring_costs_as_many_statements_as_one(tmp_path: Path) -> None:
    document = (PROGRAMMES / "sme.yaml").read_text().replace("channels:\n", f"channels:\n{BADGES}", 1)
    async with open_shop(tmp_path, document, now=JULY) as shop:
        for number in range(50):
            member = await at_tier(shop, "gold", name=f"m{number}")
            if number % 5 == 0:
                assert await ship(shop, member, "A1", "100.00") is None

        counted = {}
        for first in (1, 10, 50):
            async with statements() as seen:
                nodes = (await shop.ask(PAGE, {"first": first}))["members"]["nodes"]
            assert {node["tier"]["code"] for node in nodes} == {"gold"}
            counted[first] = len(seen)

        assert [len(node["benefits"]) for node in nodes] == [4] * 50
        assert sum(one["used"] for node in nodes for one in node["benefits"]) == 10
        assert counted[1] == counted[10] == counted[50] <= 8, seen
