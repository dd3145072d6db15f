"""X1, the small business: Ann climbs to diamond and slackens, Bob keeps silver by a hair, and Cleo only joins."""

from typing import Any

from tests.programmes.conftest import Tell
from tests.programmes.story import Life

BASKET: dict[str, Any] = {
    "lines": [{"sku": "soap", "amount": "58.30"}, {"sku": "tea", "amount": "30.50", "tags": ["new"]}]
}


async def collects(life: Life, benefit: str, what: str, *, mark: bool = False) -> str:
    """The code of the coupon that a benefit brings."""
    selected = "member { coupons(status: OPEN) { nodes { code } } }"
    answer = await life.does(what, "collectBenefit", selected, benefit=benefit, mark=mark)
    code: str = answer["member"]["coupons"]["nodes"][0]["code"]
    return code


async def test_members_of_the_small_business(tell: Tell) -> None:
    async with tell("sme", "2026-01-05") as story:
        await story.operates("stockReward", reward="gift", quantity=10)
        await story.operates("addVoucherCodes", reward="voucher", codes=["V1", "V2", "V3"])

        # January: a member gets to know the programme.
        ann = await story.joins("Ann", birthday="1990-08-20")
        cleo = await story.joins("Cleo", mark=False)
        assert (ann.balance, cleo.balance, ann.tier) == (50, 50, "bronze")
        assert await ann.is_to_reach() == ("silver", [("points_earned", "501"), ("orders", "2")])
        assert await ann.signs_in(6) == [1, 2, 3, 4, 5, 5]
        assert (await ann.completes("basics", "completes her profile")).points == 20
        assert [(await ann.shares(item)).points for item in ("the tea", "the rice", "the soap")] == [10, 10, 10]
        assert (await ann.shares("the oil", refused="SHARES_USED_UP")).points == 0
        first = await ann.buys("88.80", "buys for 88.80, of which 30.50 is new goods, at bronze", mark=True, **BASKET)
        assert (first.points, first.tier) == (238, "bronze")
        story.facts["basket_bronze"] = first.points

        # Two orders within a month make silver; there the same basket brings half.
        await story.until("2026-02-03")
        assert (await ann.shares("the oil", "shares the oil in the new month")).points == 10
        second = await ann.buys("20.00", "buys for 20.00, the second order within a month", mark=True)
        assert (second.points, second.tier) == (40, "silver")
        assert await ann.is_to_reach() == ("gold", [("points_earned", "1501"), ("average_order", "200.0001")])
        coupon = await collects(ann, "monthly", "takes the month's coupon over 5 CNY")
        await ann.does("takes it again", "collectBenefit", benefit="monthly", refused="BENEFIT_USED_UP")
        await story.until("2026-03-05")
        late = story.money("88.80")
        await ann.does("uses it in March", "useCoupon", code=coupon, order="A3", amount=late, refused="COUPON_LAPSED")
        coupon = await collects(ann, "monthly", "takes March's coupon")
        used = await ann.does(
            "uses it on a basket of 93.80", "useCoupon", "coupon { discount { amount } }",
            code=coupon, order="A3", amount=story.money("93.80"),
        )  # fmt: skip
        assert used["coupon"]["discount"] == {"amount": "5.00"}
        third = await ann.buys(
            "88.80", "pays the other 88.80, the basket of January, at silver", reference="A3", **BASKET
        )
        assert third.points == 119
        story.facts["basket_silver"] = third.points

        # Points are spent: a voucher, and no more than a fifth of an order.
        voucher = await ann.redeems("voucher", "takes a voucher over 10 CNY", mark=True)
        assert voucher.points == -100
        paid, money, points = await ann.pays_with_points(
            "10.00", "buys for 10.00 and pays with as many points as she may"
        )
        assert (money, points, paid.points) == ("2.00", 200, 8 - 200)

        # An order of more than 200 on the average makes gold; Bob begins.
        bob = await story.joins("Bob", mark=False)
        assert (await bob.buys("150.00", "buys for 150.00 at bronze")).points == 300
        await story.until("2026-05-10")
        gold = await ann.buys("800.00", "buys for 800.00: 201.92 an order on the average", mark=True)
        assert (gold.points, gold.tier) == (800, "gold")
        shipping: dict[str, Any] = {"benefit": "shipping", "shipping": story.money("8.00")}
        await ann.does("asks for free shipping of an order of 99.99", "useBenefit", refused="BENEFIT_ORDER_TOO_SMALL",
                       reference="A6", amount=story.money("99.99"), **shipping)  # fmt: skip
        await ann.does("has an order of 100.00 sent for nothing", "useBenefit", reference="A6",
                       amount=story.money("100.00"), **shipping)  # fmt: skip
        assert (await ann.buys("100.00", "buys for 100.00", reference="A6")).points == 100
        second = await bob.buys("150.00", "buys for 150.00: 501 points and more are earned")
        assert (second.points, second.tier) == (300, "silver")

        # The birthday doubles; diamond begins at 3001.
        await story.until("2026-08-20")
        birthday = await ann.buys("500.00", "buys for 500.00 on her birthday", mark=True)
        assert (birthday.points, birthday.tier) == (1000, "gold")
        await story.until("2026-09-15")
        assert (await ann.buys("500.00", "buys for 500.00")).points == 500
        (earned,) = (await ann.has("progress { criteria { current required remaining } }"))["progress"]["criteria"]
        assert earned == {"current": "2935", "required": "3001", "remaining": "66"}
        assert (await ann.buys("65.00", "buys for 65.00: 3,000 points are earned")).tier == "gold"
        diamond = await ann.buys("1.00", "buys for 1.00: the 3,001st", mark=True)
        assert (diamond.points, diamond.tier) == (1, "diamond")
        assert (await ann.redeems("gift", "takes a gift at nine tenths of 500", mark=True)).points == -450
        assert (await ann.redeems("voucher", "takes a voucher at nine tenths of 100")).points == -90
        await ann.does("has the yearly gift", "useBenefit", benefit="gift", reference="2026")
        await ann.does("asks for it again", "useBenefit", benefit="gift", reference="again", refused="BENEFIT_USED_UP")

        # Cleo has never come back: what she was given for joining lives for twelve months.
        await story.until("2027-01-04", "23:59")
        assert cleo.balance == 50
        await story.until("2027-01-05", "00:15")
        assert cleo.balance == 0

        # Bob earns exactly four fifths of 501 in the year, and keeps silver.
        await story.until("2027-02-10")
        async with story.together(bob, "buys three times, for 401.00 in all"):
            for amount in ("150.00", "150.00", "101.00"):
                await bob.buys(amount)
        assert (bob.last.points, bob.last.tier) == (401, "silver")
        await story.until("2027-05-10", "00:00")
        assert (bob.tier, ann.tier) == ("silver", "diamond")
        await story.until("2028-02-10")
        assert (await bob.buys("100.00", "buys for 100.00")).points == 100

        # Ann has bought nothing for a year, and falls one tier a year.
        await story.until("2028-12-01")
        assert (ann.tier, bob.tier) == ("silver", "bronze")
