"""X2, the mother and baby shop: Lin has a child and comes every day, and Mei misses one."""

from tests.programmes.conftest import Tell
from tests.programmes.story import Life


async def test_members_of_the_mother_and_baby_shop(tell: Tell) -> None:
    async with tell("mother-baby", "2026-05-01") as story:
        # Newcomers are given 200 in all: for joining, for the profile, and for the first order.
        lin, mei = await story.joins("Lin"), await story.joins("Mei", mark=False)
        told = await lin.does("completes her profile", "recordQuestEvent", event="profile", object="all")
        assert (told["errors"], lin.balance) == ([], 0)
        first = await lin.buys(
            "299.90", "buys milk powder for 299.90, and has done all of a newcomer", category="milk_powder", mark=True
        )
        assert first.points == 359 + 200
        assert (await mei.buys("299.90", "buys toys for 299.90, without a profile", category="toys")).points == 299

        # Every seventh day in a row brings fifty more; who misses a day begins anew.
        async with story.together(mei, "signs in on 6 days, misses the 7th and signs in on 7 more"):
            days = [await signs_in_once(mei) for _ in range(6)]
            await story.days(1)
            days += [await signs_in_once(mei) for _ in range(7)]
        assert days == [5] * 12 + [55]
        assert await lin.signs_in(14, mark=True) == [*[5] * 6, 55, *[5] * 6, 55]
        assert (await lin.reviews("L1", "reviews an order with a picture", pictures=1)).points == 20
        assert (await lin.reviews("L2", "reviews another without one")).points == 0

        # 618 brings a tenth more on each order, on top of the category, rounded down once.
        await story.until("2026-05-31", "23:59")
        assert (await lin.buys("100.00", "buys toys for 100.00 a minute before 618", category="toys")).points == 100
        await story.until("2026-06-18")
        assert (await lin.buys("100.00", "buys toys for 100.00 during 618", category="toys")).points == 110
        sale = await lin.buys("299.90", "buys milk powder for 299.90 during 618", category="milk_powder", mark=True)
        assert sale.points == 395  # 299.90 x 1.2 x 1.1 = 395.868
        await story.until("2026-06-21", "00:00")
        assert (await lin.buys("100.00", "buys toys for 100.00 when it is over", category="toys")).points == 100

        # Points pay for a fifth of a basket at most, and for 50 CNY.
        paid, money, points = await lin.pays_with_points("30.00", "buys for 30.00 and pays with points what she may")
        assert (money, points, paid.points) == ("6.00", 600, 24 - 600)
        silver = await lin.buys("200.00", "buys nappies for 200.00: 1,000 growth", category="nappies", mark=True)
        assert (silver.points, silver.tier) == (240, "silver")
        await story.until("2026-09-01")
        gold = await lin.buys("4000.00", "buys a pram and much else for 4,000.00", category="prams", mark=True)
        assert (gold.points, gold.tier) == (4000, "silver")
        await story.until("2026-10-01")
        await lin.buys("100.00", "buys toys for 100.00", category="toys")
        assert (await lin.buys("100.00", "buys toys for 100.00: the tenth order", category="toys")).tier == "gold"
        powder = await lin.buys("299.90", "buys milk powder for 299.90 at gold", category="milk_powder", mark=True)
        assert powder.points == 377  # 299.90 x 1.2 x 1.05 = 377.874
        paid, money, points = await lin.pays_with_points(
            "400.00", "buys for 400.00 and pays with points what she may, at gold", mark=True
        )
        assert (money, points, paid.points) == ("50.00", 4500, 367 - 4500)  # 350.00 x 1.05 = 367.5
        story.facts.update(gold_points=points, sale=sale.points, first=first.points - 200)

        # Twelve months later what was not spent is lost, a day's points each on their day.
        await story.until("2027-04-30", "23:59")
        assert mei.balance == 299 + 115
        await story.until("2027-06-20")
        assert mei.balance == 0


async def signs_in_once(life: Life) -> int:
    (brought,) = await life.signs_in(1)
    await life.story.days(1)
    return brought
