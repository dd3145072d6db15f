"""X5, the beauty shop: Yu rises by what she spends in a year and falls when she spends less; Bo stays regular."""

from typing import Any

from tests.programmes.conftest import Tell
from tests.programmes.story import Life

QUOTE = """query ($id: ID!, $amount: MoneyInput!) {
  benefitsFor(member: {id: $id}, amount: $amount) { toPay { amount } } }"""


async def to_pay(life: Life) -> str:
    """What an order of 199.99 costs them."""
    said = await life.is_asked(QUOTE, amount=life.story.money("199.99"))
    price: str = said["benefitsFor"]["toPay"]["amount"]
    return price


async def ships(life: Life, what: str, refused: str | None = None) -> None:
    said: dict[str, Any] = {"benefit": "shipping", "reference": life.story.reference()}
    money = life.story.money
    await life.does(what, "useBenefit", refused=refused, amount=money("50.00"), shipping=money("8.00"), **said)


async def test_members_of_the_beauty_shop(tell: Tell) -> None:
    async with tell("beauty-shop", "2026-01-10") as story:
        yu = await story.joins("Yu", birthday="1992-08-08")
        bo = await story.joins("Bo", birthday="1988-02-20", mark=False)
        assert await to_pay(yu) == "199.99"
        await ships(yu, "asks for free shipping at regular", "BENEFIT_OF_OTHER_TIER")

        # Silver from 1,000 in a year: 95 %, and free shipping once a month.
        assert (await yu.buys("999.99")).tier == "regular"
        assert (await yu.buys("0.01", "buys for 0.01: 1,000.00 in the year", mark=True)).tier == "silver"
        assert await to_pay(yu) == "190.00"
        await ships(yu, "has an order sent for nothing")
        await ships(yu, "asks for it a second time in the month", "BENEFIT_USED_UP")
        await bo.buys("300.00")

        # Everybody has a coupon of 20 % in the month of the birthday.
        await bo.does("asks for the coupon of his birthday in January", "collectBenefit", benefit="birthday",
                      refused="BENEFIT_NOT_TODAY")  # fmt: skip
        await story.until("2026-02-02")
        coupon = await bo.does("takes the coupon of his birthday", "collectBenefit",
                               "member { coupons { nodes { ratio code } } }", benefit="birthday")  # fmt: skip
        (given,) = coupon["member"]["coupons"]["nodes"]
        assert given["ratio"] == "0.20"
        used = await bo.does("uses it on a basket of 250.00", "useCoupon", "coupon { discount { amount } }",
                             code=given["code"], order="B2", amount=story.money("250.00"))  # fmt: skip
        assert used["coupon"]["discount"] == {"amount": "50.00"}
        assert (await bo.buys("200.00", "pays the other 200.00", reference="B2")).points == 200
        await ships(yu, "has an order sent for nothing in the new month")

        # Gold from 5,000: 92 %, twice a month, and double points in the month of the birthday.
        assert (await yu.buys("3999.99")).tier == "silver"
        assert (await yu.buys("0.01", "buys for 0.01: 5,000.00 in the year", mark=True)).tier == "gold"
        assert await to_pay(yu) == "184.00"
        await story.until("2026-03-01")
        await ships(yu, "has an order sent for nothing")
        await ships(yu, "and another")
        await ships(yu, "asks for it a third time", "BENEFIT_USED_UP")
        await story.until("2026-07-31")
        assert (await yu.buys("500.00", "buys for 500.00 on the last day of July")).points == 500
        await story.until("2026-08-31")
        birthday = await yu.buys("500.00", "buys for 500.00 in the month of her birthday", mark=True)
        assert birthday.points == 1000

        # Platinum from 20,000: 90 %, always sent for nothing, and salons.
        await story.until("2026-11-11")
        assert (await yu.buys("13999.99")).tier == "gold"
        assert (await yu.buys("0.01", "buys for 0.01: 20,000.00 in the year", mark=True)).tier == "platinum"
        assert await to_pay(yu) == "180.00"
        async with story.together(yu, "has five orders sent for nothing in a month"):
            for _ in range(5):
                await ships(yu, "has an order sent for nothing")
        await yu.does("comes to a salon", "useBenefit", benefit="salon", reference="winter salon")

        # A year with less than 20,000 is gold's; a year with nothing is silver's, one tier down at a time.
        await story.until("2027-08-01")
        assert (await yu.buys("5900.00", "buys for 5,900.00 in the month of her birthday")).points == 11800
        await story.until("2027-11-10", "23:59")
        assert yu.tier == "platinum"
        await story.until("2027-11-11", "00:05")
        assert yu.tier == "gold"
        await story.until("2029-01-31")
        assert (yu.tier, bo.tier) == ("silver", "regular")
