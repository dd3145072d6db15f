"""X10: the coffee shop. Ann comes every day and brings Bob; points become coffee, dessert, money and the golden cup."""

from typing import Any

from tests.programmes.conftest import Tell
from tests.programmes.draws import draws, is_genuine
from tests.programmes.story import Life, Row
from tests.programmes.till import holds, pays


def cups(number: int, *, cakes: int = 0) -> tuple[str, dict[str, Any]]:
    """What so many cups cost, at 20 CNY each, and a cake or two at 25; and the lines of the order."""
    lines = [{"sku": "latte", "category": "coffee", "quantity": str(number), "amount": f"{20 * number}.00"}]
    if cakes:
        lines.append({"sku": "cake", "category": "food", "quantity": str(cakes), "amount": f"{25 * cakes}.00"})
    return f"{20 * number + 25 * cakes}.00", {"lines": lines}


async def drinks(life: Life, what: str, number: int, *, cakes: int = 0, mark: bool = False, reference: str = "") -> Row:
    amount, order = cups(number, cakes=cakes)
    return await life.buys(amount, what, mark=mark, reference=reference, **order)


async def test_guests_of_the_coffee_shop(tell: Tell) -> None:
    async with tell("coffee-shop", "2026-01-05") as story:
        ann = await story.joins("Ann")
        assert ann.balance == 50

        # 5 for the first day, one more each day in a row, 15 at most; a missed day begins anew.
        assert await ann.signs_in(13, mark=True) == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15, 15]
        await story.days(2)
        assert await ann.signs_in(1, "has missed a day, and signs in") == [5]

        # Ten a cup: what else is bought brings nothing.
        assert (await drinks(ann, "has a coffee", 1)).points == 10
        assert (await drinks(ann, "has two coffees and a cake", 2, cakes=1)).points == 20

        # A friend: 80 for each of them when he buys for the first time, and not before.
        given = await ann.does("asks for a code to give to friends", "issueReferralCode", "referralCode")
        code = given["referralCode"]
        await ann.does("uses her own code", "acceptReferral", code=code, refused="SELF_REFERRAL")
        await story.until("2026-02-01")
        bob = await story.joins("Bob", "joins with Ann's code", mark=False)
        await bob.does("accepts it", "acceptReferral", code=code)
        assert (bob.balance, ann.last.points) == (50, 0)
        before = ann.balance
        assert (await drinks(bob, "has his first coffee", 1)).points == 10 + 80
        assert ann.balance == before + 80
        assert (await drinks(bob, "has his second coffee", 1)).points == 10
        assert ann.balance == before + 80

        # 300 are a coffee, 200 a dessert.
        assert (await drinks(ann, "treats the office to twenty coffees", 20, mark=True)).points == 200
        assert (await ann.redeems("coffee", "takes a coffee for her points", mark=True)).points == -300
        assert (await ann.redeems("dessert", "takes a dessert for her points", mark=True)).points == -200
        await ann.redeems("dessert", "would like another", refused="INSUFFICIENT_POINTS")

        # 100 are 10 CNY at the till. A cup is a cup, however it is paid.
        await story.until("2026-03-16")
        assert (await drinks(ann, "treats the office to ten coffees", 10)).points == 100
        amount, order = cups(2)
        held = await holds(ann, "sets 100 points aside at the till", amount, "P1", amount="10.00")
        assert (held.points, held.money) == (100, "10.00")
        paid = await pays(ann, "pays two coffees with 10.00 in points and 30.00 in money", held, mark=True, **order)
        assert paid.points == -100 + 20

        # What comes back takes its points with it.
        await drinks(ann, "has two coffees", 2, reference="R1")
        back = await ann.sends_back(
            "R1", "one of them was cold, and is paid back", lines=[{"sku": "latte", "quantity": "1"}]
        )
        assert back.points == -10

        # 150 are a draw of the golden cup.
        await story.until("2026-06-01")
        assert (await drinks(ann, "treats the office to fifteen coffees", 15)).points == 150
        draw = await draws(ann, "cup", "beans", "draws the golden cup, and wins a box of coffee beans", mark=True)
        assert ann.last.points == -150
        await story.until("2026-06-02", "00:05")
        assert await is_genuine(ann, draw)
        story.facts["left"] = ann.balance

        # Bob has not come back: points live for nine months, to the day.
        await story.until("2026-10-02", "10:00")
        await story.until("2026-10-31", "23:59")
        assert bob.balance == 50 + 10 + 80 + 10
        await story.until("2026-11-01", "00:00")
        assert bob.balance == 0
        await story.until("2027-03-15")
        assert ann.balance == 0
