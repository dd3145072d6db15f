"""X3, the general mall: Hao saves for a speaker, bids for two seats and pays with points; Tao outbids and is outbid."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.programmes.conftest import Tell


async def test_members_of_the_mall(tell: Tell) -> None:
    async with tell("mall", "2026-05-20") as story:
        await story.operates("addVoucherCodes", reward="phone_credit", codes=["P1", "P2"])
        for reward in ("flask", "speaker"):
            await story.operates("stockReward", reward=reward, quantity=2)
        hao, tao = await story.joins("Hao"), await story.joins("Tao", mark=False)
        assert (await hao.buys("1288.00", "buys a telephone for 1,288.00", mark=True)).points == 1288
        shown = await hao.is_asked("{ programme { pointValue } rewards { id name price } }")
        assert {"id": "phone_credit", "name": "Phone credit over 10 CNY", "price": 1000} in shown["rewards"]
        assert 1000 * Decimal(shown["programme"]["pointValue"]) == 10
        assert (await hao.redeems("phone_credit", "takes phone credit over 10 CNY", mark=True)).points == -1000
        await hao.redeems("flask", "asks for a flask", refused="INSUFFICIENT_POINTS")
        assert (await tao.buys("800.00", "buys for 800.00")).points == 800

        # An auction: bids are set aside, and the lower one comes back.
        await story.until("2026-06-02")
        assert (await hao.buys("6499.00", "buys a computer for 6,499.00", mark=True)).points == 6499
        await tao.does("bids 499 for two seats", "placeBid", auction="concert", points=499, refused="BID_TOO_LOW")
        await tao.does("bids 500 for two seats", "placeBid", auction="concert", points=500)
        await hao.does("bids 549", "placeBid", auction="concert", points=549, refused="BID_TOO_LOW")
        await hao.does("bids 550", "placeBid", auction="concert", points=550)
        free = (await tao.has("points { available held }"))["points"]
        assert free == {"available": 800, "held": 0}
        await story.until("2026-06-08", "20:01")
        assert (hao.balance, tao.balance) == (288 + 6499 - 550, 800)

        # Points pay for up to 50 CNY an order.
        assert (await hao.redeems("flask", "takes a flask", mark=True)).points == -5000
        await story.until("2026-09-10")
        assert (await hao.buys("24000.00", "furnishes a flat for 24,000.00", mark=True)).points == 24000
        paid, money, points = await hao.pays_with_points("399.00", "buys for 399.00 and pays with points what he may")
        assert (money, points, paid.points) == ("50.00", 5000, 349 - 5000)
        assert (await hao.redeems("speaker", "takes a smart speaker", mark=True)).points == -20000
        await hao.redeems("speaker", "asks for a second one", refused="REWARD_LIMIT_REACHED")

        # A turn of the wheel costs 10. What is drawn is chance, so Rui turns it off the picture.
        rui = await story.shop.enrol("rui")
        await story.shop.give(rui, 100, "opening")
        drawn = await story.asks(
            "drawLottery", "draws { points } member { points { available } }",
            member={"id": rui}, pool="wheel", count=10,
        )  # fmt: skip
        won = sum(draw["points"] for draw in drawn["draws"])
        assert drawn["member"]["points"]["available"] == 100 - 10 * 10 + won
        again: dict[str, Any] = {"member": {"id": rui}, "pool": "wheel", "count": 1}
        await story.asks("drawLottery", refused="LOTTERY_LIMIT_REACHED", **again)

        # What is left is lost twelve months after its day.
        await story.until("2027-05-19", "23:59")
        assert tao.balance == 800
        await story.until("2027-09-11", stride=timedelta(days=30))
        assert (hao.balance, tao.balance) == (0, 0)
