"""X12: the supermarket. The till quotes, sets aside, is paid, takes back; Ann shops for a family, Bob for his shop."""

from typing import Any

from tests.programmes.conftest import Tell
from tests.programmes.till import holds, pays, quotes


def line(sku: str, category: str, amount: str, quantity: str = "1") -> dict[str, str]:
    return {"sku": sku, "category": category, "amount": amount, "quantity": quantity}


async def test_customers_of_the_supermarket(tell: Tell) -> None:
    async with tell("supermarket", "2026-01-08") as story:
        await story.operates("stockReward", reward="rice", quantity=1)
        ann = await story.joins("Ann")
        bob = await story.joins("Bob", mark=False)

        # The eighth is the members' day: what is fresh counts twice, tobacco never.
        basket: dict[str, Any] = {
            "lines": [line("apples", "fruit", "60.00"), line("soap", "home", "40.90"), line("T1", "tobacco", "99.10")]
        }
        day = await ann.buys("200.00", "buys fruit for 60.00, soap for 40.90, tobacco, on the members' day", **basket)
        assert day.points == 160  # 2 x 60 + 40.90, rounded down once
        await story.until("2026-01-09")
        assert (await ann.buys("200.00", "buys the same a day later", **basket)).points == 100

        # Nobody's household needs so much: an order brings 2000 at most, and a day 4000.
        crates: dict[str, Any] = {"lines": [line("oil", "food", "3000.00", "60")]}
        brought = [(await bob.buys("3000.00", "buys oil for 3,000.00", **crates)).points for _ in range(3)]
        assert brought == [2000, 2000, 0]

        # Points pay for up to half of a basket. What the app shows is what the till takes.
        await story.until("2026-03-08")
        assert (
            await ann.buys("500.00", "buys for 500.00", mark=True, lines=[line("A", "home", "500.00")])
        ).points == 500
        assert await quotes(ann, "10.00") == {
            "amount": {"amount": "5.00"}, "points": 500, "limitedBy": "RATIO", "errors": []
        }  # fmt: skip
        assert (await quotes(ann, "80.00"))["amount"] == {"amount": "7.60"}
        held = await holds(ann, "has the till set points aside for a basket of 10.00", "10.00", "K1")
        assert (held.points, held.money) == (500, "5.00")
        assert (await ann.has("points { available balance }"))["points"] == {"available": 260, "balance": 760}
        paid = await pays(
            ann,
            "pays half with 500 points and half with money",
            held,
            mark=True,
            lines=[line("bread", "food", "10.00")],
        )
        assert paid.points == -500 + 5
        assert ann.balance == 265

        # She thinks better of it: the points are given back by the till, or by themselves after ten minutes.
        held = await holds(ann, "has points set aside for 4.00", "4.00", "K2")
        await ann.does("leaves the basket where it is", "releaseCheckout", hold=held.id, named=False)
        held = await holds(ann, "has points set aside for 4.00 at another till", "4.00", "K3")
        await story.until("2026-03-08", "10:11")
        assert (await ann.has("points { available }"))["points"]["available"] == 265
        await ann.does(
            "is too slow: after ten minutes the points are hers again", "recordPurchase",
            amount=story.money("4.00"), reference="K3",
            paidWithPoints={"hold": held.id, "points": held.points, "amount": held.money}, refused="HOLD_NOT_OPEN",
        )  # fmt: skip

        # Whoever only wears the member's card cannot spend: the till captures, not the app.
        captured = await holds(
            ann, "has points set aside for a parcel of 4.00, which another system sells", "4.00", "K4"
        )
        refused = await story.shop.post(
            "mutation ($input: CaptureCheckoutInput!) { captureCheckout(input: $input) { errors { code } } }",
            {"input": {"hold": captured.id, "idempotencyKey": "her own"}},
            member=ann.id,
        )
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        await ann.does("the parcel is handed over", "captureCheckout", hold=captured.id, named=False)
        assert ann.last.points == -200
        assert ann.balance == 65

        # Goods come back: the part that points paid for comes back as points, and what it brought goes.
        await ann.sends_back("K1", "brings the bread back: half of it is paid back in points", mark=True)
        assert ann.last.points == 500 - 5
        assert ann.balance == 560

        # A sack of rice, and there was one.
        await bob.redeems("rice", "takes a sack of rice for his points")
        assert bob.last.points == -3000
        await bob.buys("2000.00", "buys for 2,000.00", lines=[line("oil", "food", "2000.00")])
        await bob.redeems("rice", "would like another", refused="REWARD_SOLD_OUT")

        # What a year brought lives until the end of March.
        await story.until("2026-12-31", "20:00")
        assert (
            await ann.buys("300.00", "buys for 300.00", mark=True, lines=[line("wine", "food", "300.00")])
        ).points == 300
        await story.until("2027-01-01")
        assert (
            await ann.buys("100.00", "buys for 100.00", mark=True, lines=[line("A", "home", "100.00")])
        ).points == 100
        await story.until("2027-03-31", "23:59")
        assert (ann.balance, bob.balance) == (960, 3000)
        await story.until("2027-04-01", "00:00")
        assert (ann.balance, bob.balance) == (100, 0)
        await story.until("2027-04-15")
