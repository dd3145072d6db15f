"""X4, growth and frequency: Jin rises to platinum and slackens, Kai spends much on a day, Ling is saved in time."""

from tests.programmes.conftest import Tell


async def test_members_of_growth_and_frequency(tell: Tell) -> None:
    async with tell("growth-tiers", "2027-03-01") as story:
        jin, kai, ling = await story.joins("Jin"), await story.joins("Kai", mark=False), await story.joins("Ling")

        # Growth alone reaches nothing, and neither does frequency.
        assert (await kai.buys("25000.00", "buys for 25,000.00: growth for platinum, and one order")).tier == "regular"
        assert (await kai.buys("1.00")).tier == "regular"
        assert (await kai.buys("1.00", "buys for 1.00: three orders")).tier == "silver"
        assert kai.last.points == 1 + 100
        assert await jin.is_to_reach() == ("silver", [("growth_earned", "1000"), ("orders", "3")])
        for amount, growth, tier in (("499.00", 499, "regular"), ("500.00", 999, "regular"), ("1.00", 1000, "silver")):
            row = await jin.buys(amount, mark=tier == "silver")
            assert (row.grown, row.tier) == (growth, tier)
        assert jin.last.points == 1 + 100
        await story.until("2027-04-01")
        async with story.together(jin, "buys on six days more: 9 orders"):
            for _ in range(6):
                await jin.buys("600.00")
                await story.days(1)
        assert (jin.grown, jin.tier) == (4600, "silver")
        assert await jin.is_to_reach() == ("gold", [("growth_earned", "5000"), ("orders", "10")])
        gold = await jin.buys("400.00", "buys for 400.00: 5,000 growth by ten orders", mark=True)
        assert (gold.grown, gold.tier, gold.points) == (5000, "gold", 400 + 500)
        async with story.together(ling, "buys ten times for 500.00"):
            for _ in range(10):
                await ling.buys("500.00")
        assert (ling.tier, ling.last.points) == ("gold", 5000 + 100 + 500)
        assert (await ling.reviews("L1")).growth == 20

        # Thirty orders and 20,000 growth make platinum, with a gift of its own.
        await story.until("2027-09-10")
        async with story.together(jin, "buys nineteen times for 750.00"):
            for _ in range(19):
                await jin.buys("750.00")
        assert (jin.grown, jin.tier) == (19250, "gold")
        assert await jin.is_to_reach() == ("platinum", [("growth_earned", "20000"), ("orders", "30")])
        platinum = await jin.buys("750.00", "buys for 750.00: 20,000 growth by thirty orders", mark=True)
        assert (platinum.grown, platinum.tier, platinum.points) == (20000, "platinum", 750 + 2000)
        gifts = (await jin.has("tierGifts { tier pack { amount } coupons }"))["tierGifts"]
        assert [(gift["tier"], gift["pack"][0]["amount"], gift["coupons"]) for gift in gifts] == [
            ("silver", 100, []), ("gold", 500, ["gold"]), ("platinum", 2000, ["platinum", "salon"]),
        ]  # fmt: skip

        # Ling is warned, has days of grace, and uses the last spurt; Jin does not.
        await story.until("2028-10-09", "23:59")
        assert (jin.tier, ling.tier) == ("platinum", "gold")
        await story.until("2028-10-10", "00:05")
        assert jin.tier == "gold"
        await story.until("2029-04-20")
        assert ling.tier == "gold"
        async with story.together(ling, "buys ten times for 500.00 in the days of grace"):
            for _ in range(10):
                await ling.buys("500.00")
        await story.until("2029-12-31")
        assert (jin.tier, ling.tier) == ("silver", "gold")
        fell = [row for row in story.rows if row.who == "Jin" and "falls" in row.what]
        assert [(str(row.at.date()), row.tier) for row in fell] == [("2028-10-09", "gold"), ("2029-11-08", "silver")]
