"""X9: the template plan. Ann spends in all three ways, Bob sends goods back, Carl lets a machine share."""

from typing import Any

from graph.tokens import Role
from tests.programmes.conftest import Tell
from tests.programmes.draws import draws, is_genuine
from tests.programmes.till import holds, pays


async def test_members_of_the_template_plan(tell: Tell) -> None:
    async with tell("template-plan", "2026-01-05") as story:
        await story.operates("stockReward", reward="gift", quantity=10)

        # What there is to earn without buying.
        ann = await story.joins("Ann")
        bob = await story.joins("Bob", mark=False)
        assert (ann.balance, bob.balance) == (50, 50)
        assert (await ann.completes("profile", "completes her profile")).points == 30
        again = "PROFILE_SECTION_ALREADY_COMPLETED"
        await ann.does("completes it again", "completeProfileSection", section="profile", refused=again)
        shared = await ann.does("shares a kettle on the social media", "recordShare", "share { code }", item="kettle")
        assert ann.last.points == 0
        link: dict[str, Any] = {"named": False, "code": shared["share"]["code"]}
        await ann.does("follows her own link", "confirmShare", visitor="ann", refused="OWN_VISIT", **link)
        await ann.does("a friend follows her link: it was shared with success", "confirmShare", visitor="f1", **link)
        assert ann.last.points == 10

        # Ten yuan bring a point, and nothing is given for less.
        assert (await ann.buys("9.99")).points == 0
        assert (await ann.buys("10.00")).points == 1
        assert (await ann.buys("99.90")).points == 9
        assert (await bob.buys("500.00", reference="B1")).points == 50

        # 1000 points buy a gift worth 50 CNY.
        await story.until("2026-02-10")
        await bob.redeems("gift", "would like the gift worth 50 CNY", refused="INSUFFICIENT_POINTS")
        assert (await ann.buys("9015.00", "furnishes her flat for 9,015.00", mark=True)).points == 901
        assert ann.balance == 1001
        assert (await ann.redeems("gift", "takes the gift worth 50 CNY", mark=True)).points == -1000

        # 100 points pay 1 CNY, and what they pay for earns nothing.
        await story.until("2026-03-02")
        held = await holds(bob, "sets aside all of his points for a basket of 50.00", "50.00", "B2")
        assert (held.points, held.money) == (100, "1.00")
        paid = await pays(bob, "pays 1.00 with points and 49.00 with money", held)
        assert paid.points == -100 + 4
        assert bob.balance == 4

        # 100 points are a draw.
        await story.until("2026-03-20")
        assert (await ann.buys("4000.00", "buys a washing machine for 4,000.00", mark=True)).points == 400
        draw = await draws(ann, "draw", "voucher", "draws, and wins a voucher over 100 CNY", mark=True)
        assert ann.last.points == -100
        await story.until("2026-04-01", "00:10")
        assert await is_genuine(ann, draw)

        # What comes back takes its points with it, and gives those back that paid for it.
        await bob.sends_back("B2", "sends the basket back: the points return, what it brought goes")
        assert bob.last.points == 100 - 4
        half = story.money("250.00")
        assert (await bob.sends_back("B1", "sends back half of his order for 500.00", amount=half)).points == -25
        assert bob.balance == 75

        # Whoever cheats is frozen, and what was gained is taken.
        await story.until("2026-05-04")
        carl = await story.joins("Carl", mark=False)
        codes = []
        async with story.together(carl, "a machine shares eight things for him and follows three of its own links"):
            for number in range(8):
                shared = await carl.does("shares", "recordShare", "share { code }", item=f"thing {number}")
                codes.append(shared["share"]["code"])
            for code in codes[:3]:
                await carl.does("follows", "confirmShare", named=False, code=code, visitor=f"machine {code}")
        assert carl.balance == 50 + 3 * 10
        data = await story.shop.ask("{ flags { nodes { id moreThan withinMinutes } } }", role=Role.OPERATOR)
        (flag,) = data["flags"]["nodes"]
        assert (flag["moreThan"], flag["withinMinutes"]) == (10, 10)
        await carl.does(
            "an operator freezes the account and takes what was gained",
            "decideFlag", role=Role.OPERATOR, named=False, flag=flag["id"], decision="CONFIRM", reason="a machine",
            freeze="BOTH", forfeit=True,
        )  # fmt: skip
        assert carl.balance == 50
        refused: dict[str, Any] = {"amount": story.money("99.00"), "reference": "C1", "refused": "MEMBER_NOT_ACTIVE"}
        await carl.does("buys for 99.00", "recordPurchase", **refused)

        # The member sees at any time what there is, where it is from, and until when.
        seen = await ann.has(
            "points { available } transactions(first: 1) { nodes { channel entries { amount } } }"
            " lots { nodes { remaining expiresAt } }"
        )
        assert seen["points"]["available"] == 301
        assert seen["transactions"]["nodes"] == [{"channel": "lottery", "entries": [{"amount": -100}]}]
        left = [lot for lot in seen["lots"]["nodes"] if lot["remaining"]]
        assert left == [{"remaining": 301, "expiresAt": "2027-03-19T16:00:00Z"}]

        # A year after they were earned points are gone, to the day.
        await story.until("2027-01-04", "23:59")
        assert bob.balance == 75
        await story.until("2027-01-05", "00:00")
        assert bob.balance == 0
        await story.until("2027-02-18")
        await story.until("2027-03-19", "23:59")
        assert ann.balance == 301
        await story.until("2027-03-20", "00:00")
        assert ann.balance == 0
        await story.until("2027-04-01")
