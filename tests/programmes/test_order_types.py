"""X6, the worked calculation: every type of order at every tier, and amounts at which floats go wrong."""

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from itertools import islice
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.shop import earn, example, purchase
from tests.programmes.conftest import Tell
from tests.programmes.story import Life

TYPES: Final = {None: "1", "mother_baby": "1.2", "big_sale": "1.1"}
TIERS: Final = {"regular": "1", "gold": "1.05", "platinum": "1.1"}
PREVIEW: Final = """query ($input: PreviewPurchaseInput!) { previewPurchase(input: $input) {
  awards { given } errors { code } } }"""
RULES: Final = earn(example("order-types"))


def worth(amount: str, kind: str | None, tier: str) -> int:
    """int(amount x type x tier), as the source writes it, in exact numbers."""
    exact = Decimal(amount) * Decimal(TYPES[kind]) * Decimal(TIERS[tier])
    return int(exact.to_integral_value(ROUND_FLOOR))


def traps(kind: str | None, tier: str) -> Iterator[tuple[int, str]]:
    """So many articles at a price for which the source's own code, in floats, gives one point less or more."""
    factors = [factor for factor in (TYPES[kind], TIERS[tier]) if factor != "1"]
    hundredths = int(Decimal(TYPES[kind]) * 100) * int(Decimal(TIERS[tier]) * 100)
    for pieces in range(2, 31):
        for cents in range(1, 1_000):
            points = sum([cents / 100] * pieces)
            for factor in factors:
                points *= float(factor)
            if int(points) != pieces * cents * hundredths // 1_000_000:
                yield pieces, f"{cents // 100}.{cents % 100:02}"


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("kind", TYPES)
@given(cents=st.integers(0, 10**11))
def test_every_amount_is_worth_what_exact_numbers_say(kind: str | None, tier: str, cents: int) -> None:
    amount = f"{cents // 100}.{cents % 100:02}"

    assert RULES.award(purchase(amount, kind=kind, tier=tier)).points == worth(amount, kind, tier)


async def previewed(life: Life, pieces: int, price: str, kind: str | None) -> int:
    """What an order of so many lines, each of one price, would bring."""
    line = {"sku": "one", "amount": price}
    amount = life.story.money(str(pieces * Decimal(price)))
    said = {"member": {"id": life.id}, "amount": amount, "kind": kind, "lines": [line] * pieces}
    answer = (await life.story.shop.ask(PREVIEW, {"input": said}))["previewPurchase"]
    assert answer["errors"] == []
    return int(answer["awards"][0]["given"])


async def test_every_type_of_order_at_every_tier(tell: Tell) -> None:
    async with tell("order-types", "2026-05-04") as story:
        wen = await story.joins("Wen", "registers: regular")
        climbs = {"regular": None, "gold": "4100.30", "platinum": "14100.30"}
        expected = {
            "regular": {None: 299, "mother_baby": 359, "big_sale": 329},
            "gold": {None: 314, "mother_baby": 377, "big_sale": 346},
            "platinum": {None: 329, "mother_baby": 395, "big_sale": 362},
        }
        for tier, amount in climbs.items():
            if amount is not None:
                await story.days(30)
                await wen.buys(amount, mark=True)
            assert wen.tier == tier
            for kind, points in expected[tier].items():
                await story.days(7)
                words = {None: "", "mother_baby": " for mother and baby", "big_sale": " in a big sale"}[kind]
                row = await wen.buys("299.90", f"buys for 299.90{words} at {tier}", kind=kind, mark=kind is not None)
                assert row.points == points == worth("299.90", kind, tier)
                wrong = list(islice(traps(kind, tier), 5))
                assert bool(wrong) == (kind is None or tier == "regular")
                for pieces, price in wrong:
                    total = str(pieces * Decimal(price))
                    assert await previewed(wen, pieces, price, kind) == worth(total, kind, tier), (pieces, price)
        pieces, price = next(traps(None, "regular"))
        total = str(pieces * Decimal(price))
        floats = int(sum([float(price)] * pieces))
        story.facts.update(pieces=pieces, price=price, total=total, floats=floats, exact=worth(total, None, "regular"))
