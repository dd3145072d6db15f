"""X8, the beauty brand's own site: Mina tells of her skin, buys, writes, shares, and spends what that brings."""

from decimal import Decimal

from tests.programmes.conftest import Tell


async def test_members_of_the_beauty_brand(tell: Tell) -> None:
    async with tell("beauty-brand", "2026-03-01") as story:
        await story.operates("addVoucherCodes", reward="voucher", codes=["V1", "V2"])
        await story.operates("stockReward", reward="sample", quantity=5)
        mina = await story.joins("Mina")
        assert mina.balance == 50
        assert (await mina.completes("skin", "tells of her skin", mark=True)).points == 30
        assert (await mina.buys("899.90", reference="M1", mark=True)).points == 899
        assert (await mina.reviews("M1", "reviews the order, which is approved")).points == 20
        assert (await mina.shares("the serum")).points == 10
        assert mina.balance == 1009

        # 1000 points buy a voucher over 50 CNY, or a sample.
        await story.until("2026-04-01")
        shown = await mina.is_asked("{ programme { pointValue } rewards { id name price } }")
        assert {"id": "voucher", "name": "Voucher over 50 CNY", "price": 1000} in shown["rewards"]
        assert 1000 * Decimal(shown["programme"]["pointValue"]) == 50
        assert (await mina.redeems("voucher", "takes a voucher over 50 CNY", mark=True)).points == -1000
        await mina.redeems("voucher", "asks for another", refused="INSUFFICIENT_POINTS")
        await story.until("2026-06-18")
        assert (await mina.buys("2500.00", reference="M2", mark=True)).points == 2500
        assert (await mina.redeems("sample", "takes a sample", mark=True)).points == -1000
        back = await mina.sends_back("M2", "sends half of it back", amount=story.money("1250.00"), mark=True)
        assert (back.points, mina.balance) == (-1250, 259)

        # A draw costs 100. What is drawn is chance, so Nora draws off the picture.
        nora = await story.shop.enrol("nora")
        await story.shop.give(nora, 450, "opening")
        drawn = await story.asks(
            "drawLottery", "draws { points } member { points { available } }",
            member={"id": nora}, pool="beauty", count=5,
        )  # fmt: skip
        won = sum(draw["points"] for draw in drawn["draws"])
        assert len(drawn["draws"]) == 5
        assert drawn["member"]["points"]["available"] == 500 - 5 * 100 + won
        assert won % 20 == 0

        # What is left is lost twelve months after its day.
        await story.until("2027-03-31")
        assert mina.balance == 259
        await story.until("2027-06-18")
        assert mina.balance == 0
