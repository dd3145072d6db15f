"""X11: the hotel, in both variants: each stay renews everything, or the last three months of life decide."""

from typing import Any

from tests.programmes.conftest import Tell
from tests.programmes.story import Life


async def left(life: Life) -> list[tuple[int, str]]:
    """What the guest's own app shows: how much is left, and from which instant on it cannot be used."""
    found = await life.has("lots(first: 50) { nodes { remaining expiresAt } }")
    nodes: list[dict[str, Any]] = found["lots"]["nodes"]
    return [(lot["remaining"], lot["expiresAt"]) for lot in nodes if lot["remaining"]]


async def test_guests_of_the_hotel(tell: Tell) -> None:
    async with tell("hotel", "2026-01-31") as story:
        ann = await story.joins("Ann", birthday="1990-08-20")
        bob = await story.joins("Bob", mark=False)
        assert (await ann.buys("1200.00", "stays for 1,200.00", mark=True)).points == 1200
        assert (await bob.buys("900.00", "stays for 900.00")).points == 900
        assert await left(ann) == [(1200, "2027-01-30T16:00:00Z")]

        # The present for the birthday keeps the date of its own.
        await story.until("2026-08-20")
        await ann.does("takes the present for her birthday", "claimBirthdayGift", mark=True)
        assert ann.last.points == 100

        # A stay on 31 August: all that there is, old and new, until a year from that stay.
        await story.until("2026-08-31")
        assert (
            await ann.buys("800.00", "stays for 800.00: all points live until a year from now", mark=True)
        ).points == 800
        assert sorted(await left(ann)) == [
            (100, "2026-09-18T16:00:00Z"),
            (800, "2027-08-30T16:00:00Z"),
            (1200, "2027-08-30T16:00:00Z"),
        ]
        await story.until("2026-09-19")
        assert ann.balance == 2000

        # Points are used, and what is used renews nothing.
        await story.until("2026-12-24")
        assert (await ann.redeems("breakfast", "has breakfast for two for her points", mark=True)).points == -800
        assert await left(ann) == [(400, "2027-08-30T16:00:00Z"), (800, "2027-08-30T16:00:00Z")]

        # Bob stays a day too late.
        await story.until("2027-01-01")
        await story.until("2027-01-30", "23:59")
        assert bob.balance == 900
        await story.until("2027-01-31", "00:00")
        assert bob.balance == 0
        await story.until("2027-01-31")
        assert (await bob.buys("500.00", "stays for 500.00, a day too late for his old points")).points == 500
        assert bob.balance == 500

        # Ann stays on the last day.
        await story.until("2027-08-30", "22:00")
        assert (await ann.buys("600.00", "stays for 600.00 on the last day of her points", mark=True)).points == 600
        assert {until for _, until in await left(ann)} == {"2028-08-29T16:00:00Z"}
        assert ann.balance == 1800

        # A stay that is refunded takes its own points; the date that was promised stays.
        await story.until("2027-10-01")
        await ann.buys("300.00", "stays for 300.00", reference="S-4", mark=True)
        assert (await ann.sends_back("S-4", "is given her money back, as there was no water", mark=True)).points == -300
        assert {until for _, until in await left(ann)} == {"2028-09-30T16:00:00Z"}

        # A year without a stay.
        await story.until("2028-09-01")
        await story.until("2028-09-30", "23:59")
        assert ann.balance == 1800
        await story.until("2028-10-01", "00:00")
        assert ann.balance == 0
        await story.until("2028-10-15")


async def test_guests_of_the_hotel_in_its_other_variant(tell: Tell) -> None:
    async with tell("hotel-activity", "2026-01-31") as story:
        ann = await story.joins("Ann")
        bob = await story.joins("Bob", mark=False)
        assert (await ann.buys("1000.00", "stays for 1,000.00", mark=True)).points == 1000
        assert (await bob.buys("1000.00", "stays for 1,000.00")).points == 1000
        end = "2027-01-30T16:00:00Z"
        assert await left(ann) == [(1000, end)]

        # Nine months: the last three months begin tomorrow, and the app is looked into too early.
        await story.until("2026-10-30", "23:59")
        await bob.does("looks into the app, a minute before the last three months", "recordSignIn")
        assert (1000, end) in await left(bob)
        await story.until("2026-10-31", "00:01")
        await ann.does("looks into the app in the last three months: six months more", "recordSignIn", mark=True)
        assert (1000, "2027-07-30T16:00:00Z") in await left(ann)
        assert ann.balance == 1001

        # What the app gave lives for three months, whatever is done.
        await story.until("2027-01-01")
        await story.until("2027-01-30", "23:59")
        assert (ann.balance, bob.balance) == (1001, 1000)
        await story.until("2027-01-31", "00:00")
        assert (ann.balance, bob.balance) == (1000, 0)

        # And once more, by a stay. The new points have their own year.
        await story.until("2027-04-29")
        assert (await ann.buys("150.00", "stays for 150.00, a day before the last three months")).points == 150
        assert sorted(await left(ann)) == [(150, "2028-04-28T16:00:00Z"), (1000, "2027-07-30T16:00:00Z")]
        await story.until("2027-04-30")
        assert (await ann.buys("200.00", "stays for 200.00: six months more", mark=True)).points == 200
        assert sorted(await left(ann)) == [
            (150, "2028-04-28T16:00:00Z"),
            (200, "2028-04-29T16:00:00Z"),
            (1000, "2028-01-30T16:00:00Z"),
        ]

        await story.until("2027-12-24")
        assert (await ann.redeems("breakfast", "has breakfast for two for her points", mark=True)).points == -800
        await story.until("2028-01-01")
        await story.until("2028-01-31", "00:00")
        assert ann.balance == 350
        await story.until("2028-04-30", "00:00")
        assert ann.balance == 0
        await story.until("2028-05-15")
