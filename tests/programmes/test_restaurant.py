"""X12: the restaurant. The bill earns, points pay part of it or become a dish, and six visits make a regular guest."""

from typing import Any

from graph.tokens import Role
from tests.programmes.conftest import Tell
from tests.programmes.till import holds, pays, quotes


async def test_guests_of_the_restaurant(tell: Tell) -> None:
    async with tell("restaurant", "2026-01-10") as story:
        await story.operates("addVoucherCodes", reward="dumplings", codes=["D-001", "D-002"])
        await story.operates("addVoucherCodes", reward="duck", codes=["E-001"])
        ann = await story.joins("Ann")
        bob = await story.joins("Bob", mark=False)

        # The bill brings a point a yuan as it is paid.
        assert (await ann.buys("288.50", "eats for 288.50", mark=True)).points == 288
        await bob.redeems("dumplings", "would like a voucher for dumplings", refused="INSUFFICIENT_POINTS")
        assert (await bob.buys("158.00", "eats for 158.00")).points == 158

        # As they order they see what points may pay: 30 % of the bill, 100 CNY at most, 50 points for each.
        await story.until("2026-02-07")
        assert (await ann.buys("212.00", "eats for 212.00")).points == 212
        assert await quotes(ann, "20.00") == {
            "amount": {"amount": "6.00"}, "points": 300, "limitedBy": "RATIO", "errors": []
        }  # fmt: skip
        assert (await quotes(ann, "200.00"))["points"] == 500
        held = await holds(ann, "orders for 60.00 and sets points aside", "60.00", "T1", amount="6.00")
        assert (held.points, held.money) == (300, "6.00")
        await story.until("2026-02-07", "10:50")
        paid = await pays(ann, "pays 6.00 with 300 points and 54.00 with money", held, mark=True)
        assert paid.points == -300 + 54

        # A voucher for a dish has a code, which is good once.
        await story.until("2026-03-07")
        assert (await ann.buys("346.00", "eats for 346.00", mark=True)).points == 346
        await ann.redeems("duck", "would like the duck, which is for regular guests", refused="REWARD_OF_OTHER_TIER")
        taken = await ann.does(
            "takes a voucher for dumplings", "redeemReward", "order { id codes status }", reward="dumplings", mark=True
        )
        assert ann.last.points == -300
        assert (taken["order"]["codes"], taken["order"]["status"]) == (["D-001"], "FULFILLED")
        dish: dict[str, Any] = {"order": taken["order"]["id"], "role": Role.OPERATOR, "named": False}
        await ann.does("eats the dumplings: the voucher D-001 is used", "deliverReward", **dish)
        back: dict[str, Any] = {"refused": "REWARD_ORDER_NOT_OPEN", "reason": "not hungry"}
        await ann.does("would like her points back", "cancelReward", **dish, **back)
        other = await ann.does("takes another", "redeemReward", "order { id codes }", reward="dumplings")
        assert other["order"]["codes"] == ["D-002"]
        cancelled: dict[str, Any] = {"order": other["order"]["id"], "role": Role.OPERATOR, "named": False}
        await ann.does(
            "gives the voucher back: the points return, its code is void",
            "cancelReward",
            reason="moves away",
            **cancelled,
        )
        assert ann.last.points == 300
        await ann.redeems("dumplings", "takes another: there are none left", refused="REWARD_SOLD_OUT")

        # The sixth visit makes a regular guest, whose bill brings a fifth more.
        assert ann.tier == "guest"
        await story.until("2026-04-04")
        await ann.buys("180.00", "eats for 180.00")
        sixth = await ann.buys("180.00", "eats for 180.00, her sixth visit", reference="T6", mark=True)
        assert (sixth.points, sixth.tier) == (180, "regular")
        await story.until("2026-05-02")
        seventh = await ann.buys("199.00", "eats for 199.00 as a regular guest", reference="T7", mark=True)
        assert seventh.points == 238  # 238.8, rounded down
        await ann.does("sits by the window", "useBenefit", benefit="window", reference="T7")

        # A dish was bad, and is paid back: what it brought goes, a fifth more included.
        part = await ann.sends_back("T7", "is paid back 49.00 for a dish that was cold", amount=story.money("49.00"))
        assert part.points == -58  # 150 x 1.2 = 180 are left of 238

        # Bob's points, corrected by an operator: the waiter had forgotten his card.
        await bob.does(
            "has forgotten his card: 142 points of that evening are added", "adjustPoints", role=Role.OPERATOR,
            points=142, reason="the bill of 2 May, 142.00",
        )  # fmt: skip
        assert bob.balance == 300

        # A wedding: the most that points pay.
        await story.until("2026-10-03")
        assert (await ann.buys("8000.00", "gives a banquet for 8,000.00", mark=True)).points == 9600
        held = await holds(ann, "orders another for 2,000.00 and sets points aside", "2000.00", "T9")
        assert (held.points, held.money) == (5000, "100.00")
        assert (await pays(ann, "pays 100.00 with points, the most there is", held, mark=True)).points == -5000 + 2280
        duck = await ann.does("takes the duck", "redeemReward", "order { codes }", reward="duck", mark=True)
        assert (duck["order"]["codes"], ann.last.points) == (["E-001"], -2500)

        # What it costs the house, in the report of the quarter.
        report = await story.shop.ask(
            '{ redemptionCost(since: "2026-10-01", until: "2026-10-03") {'
            " net cost { amount } revenue { amount } share } }",
            role=Role.ANALYST,
        )
        assert report["redemptionCost"] == {
            "net": 7500, "cost": {"amount": "150.00"}, "revenue": {"amount": "9900.00"}, "share": "0.015152"
        }  # fmt: skip

        # A year: Bob's points end; Ann is judged.
        await story.until("2027-01-10", "00:00")
        assert bob.balance == 142
        await story.until("2027-04-03")
        assert ann.tier == "regular"
        await story.until("2027-04-05")
        story.facts["judged"] = ann.tier
        await story.until("2028-04-10")
        assert (ann.tier, ann.balance) == ("guest", 0)
