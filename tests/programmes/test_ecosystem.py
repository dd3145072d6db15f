"""X7, the ecosystem: Min grows by what she writes, comes for and buys, stakes, gives, and speaks for the brand."""

from graph.tokens import Role
from tests.programmes.conftest import Tell


async def test_members_of_the_ecosystem(tell: Tell) -> None:
    async with tell("ecosystem", "2026-03-02") as story:
        min_ = await story.joins("Min")
        # Growth comes from several sides: being there, writing, buying.
        assert await min_.signs_in(7) == [2] * 7
        assert min_.grown == 7
        assert (await min_.reviews("M0", "writes a review")).growth == 10
        assert (await min_.shares("her review")).points == 10
        assert (await min_.reviews("M1", "writes a second review")).points == 20
        third = await min_.reviews("M2", "writes a third one: the month's quest, and a badge", mark=True)
        assert (third.points, third.growth) == (20 + 30, 10)
        badges = (await min_.has("badges { name level }"))["badges"]
        assert {"name": "voice", "level": 1} in badges
        silver = await min_.buys("963.00", "buys for 963.00: growth of 1,000", mark=True)
        assert (silver.grown, silver.tier) == (1000, "silver")

        # What partners give, and a group for silver and gold.
        await min_.does("has a month of films of a partner", "useBenefit", benefit="films", reference="films 2026")
        await min_.does("asks for another", "useBenefit", benefit="films", reference="again", refused="BENEFIT_USED_UP")
        await min_.does("joins those who write", "joinGroup", group="writers")
        await min_.does("asks to be a friend of the brand", "joinGroup", group="friends", refused="GROUP_TIER_MISSING")

        # Points pay for a tenth of an order; they are staked and given away.
        paid, money, points = await min_.pays_with_points("90.00", "buys for 90.00 and pays with points what she may")
        assert (money, points, paid.points) == ("9.00", 900, 81 - 900)
        await story.until("2026-04-01")
        gold = await min_.buys("4000.00", "buys for 4,000.00", mark=True)
        assert (gold.grown, gold.tier, gold.points) == (5081, "gold", 4000)
        await min_.does("stakes 2,000 on a roastery", "stakePoints", project="roastery", points=2000, mark=True)
        assert min_.last.points == -2000
        await min_.does("asks to stake 3,001 more", "stakePoints", project="roastery", points=3001,
                        refused="INSUFFICIENT_POINTS")  # fmt: skip
        given = await min_.does("gives 500 to a library", "donatePoints", "project { raised added }",
                                project="library", points=500, mark=True)  # fmt: skip
        assert given["project"] == {"raised": 750, "added": 250}
        await min_.does("has a ride of a partner for nothing", "useBenefit", benefit="rides", reference="ride")

        # The friends of the brand, and an ambassador's commission on what a friend buys.
        await min_.does("applies to be a friend of the brand", "joinGroup", group="friends")
        await min_.does("is let in", "approveGroupApplication", group="friends", role=Role.OPERATOR)
        await min_.does("applies as an ambassador", "applyAsAmbassador")
        await min_.does("is appointed", "approveAmbassador", role=Role.OPERATOR)
        code = (await min_.does("has a code for friends", "issueReferralCode", "referralCode"))["referralCode"]
        await story.until("2026-04-10")
        fen = await story.joins("Fen", mark=False)
        await fen.does("accepts Min's code", "acceptReferral", code=code)
        assert (await fen.buys("200.00", "buys for 200.00 for the first time")).points == 200 + 50
        assert (await fen.buys("300.00")).points == 300
        await story.settle()
        commissions = [row.points for row in story.rows if row.who == "Min" and "commission" in row.what]
        assert commissions == [1000, 1500]  # a twentieth of the money, at 100 points for 1 CNY

        # March's and April's board: the first of a month is given 2,000.
        await story.until("2026-05-09")
        awards = (await min_.has("leaderboardAwards { leaderboard period place }"))["leaderboardAwards"]
        assert [(award["leaderboard"], award["place"]) for award in awards] == [("spenders", 1), ("spenders", 1)]

        # The roastery succeeds: a fifth more than was staked.
        await story.until("2027-01-05")
        before = min_.balance
        await story.operates("settleInvestment", project="roastery", outcome="SUCCEEDED", reason="it roasts")
        await story.settle()
        assert min_.balance == before + 2400
        await story.until("2027-04-30")
