"""X13, the fraud case: machines watch lessons for points. They are noticed, stopped and undone, and everybody is told.

A platform for courses finds that some members let machines watch lessons. It freezes their accounts at once, takes the
points back, and publishes that points are for those who learn.
"""

from datetime import datetime, timedelta
from typing import Any

from graph.tokens import Role
from tests.programmes.conftest import Tell
from tests.programmes.story import Life, Story


async def watches(
    life: Life, what: str, lessons: int, every: timedelta, *, since: datetime | None = None, mark: bool = False
) -> None:
    """So many lessons, each watched to its end: told of as they end, or, from ``since`` on, all at once."""
    story = life.story
    async with story.together(life, what, mark=mark):
        for number in range(lessons):
            ended = story.shop.clock.now() if since is None else since + number * every
            await life.buys(
                "0.00", "a lesson", reference=f"lesson {ended}", kind="lesson", occurredAt=ended.isoformat()
            )
            if since is None:
                story.shop.clock.advance(every)


async def points(life: Life) -> dict[str, int]:
    found: dict[str, int] = (await life.has("points { available pending debt balance }"))["points"]
    return found


async def queue(story: Story) -> list[dict[str, Any]]:
    query = """{ flags(filter: {state: {eq: OPEN}}) { nodes { id moreThan withinMinutes raisedAt pointsHeld
      member { externalId } transactions { totalCount } } } }"""
    nodes: list[dict[str, Any]] = (await story.shop.ask(query, role=Role.OPERATOR))["flags"]["nodes"]
    return nodes


async def notices(life: Life) -> list[dict[str, str]]:
    nodes: list[dict[str, str]] = (await life.is_asked("{ notices { nodes { title } } }"))["notices"]["nodes"]
    return nodes


async def test_machines_are_noticed_stopped_undone_and_told_of(tell: Tell) -> None:
    async with tell("course-platform", "2026-06-01") as story:
        ann, lina, max_, bot, pal = [
            await story.joins(name, mark=name == "Bot") for name in ("Ann", "Lina", "Max", "Bot", "Pal")
        ]
        story.pictured = "bot"
        monday = story.shop.clock.now()

        # Monday: Ann buys a course and learns. A machine watches a lesson every ten minutes, which somebody might.
        assert (await ann.buys("199.00", "buys a course for 199.00")).points == 199
        await watches(ann, "watches four lessons", 4, timedelta(minutes=20))
        assert ann.balance == 199 + 4 * 5
        await watches(
            bot, "lets a machine watch thirty lessons, one in ten minutes", 30, timedelta(minutes=10), mark=True
        )
        assert bot.balance == 150
        assert await queue(story) == []
        assert (await bot.redeems("lecture", "takes a lecture of one's choice", points=100, mark=True)).points == -100
        await bot.does("gives Pal 20 points", "giftPoints", to="pal", points=20, mark=True)
        assert (bot.balance, pal.balance) == (30, 20)

        # Tuesday: Lina's app has been without a network, and tells of a whole day at once. The machine gets greedy.
        await story.until("2026-06-02")
        tuesday = story.shop.clock.now()
        await watches(lina, "her app tells of twelve lessons of yesterday", 12, timedelta(minutes=30), since=monday)
        await watches(bot, "the machine watches ten lessons in five minutes", 10, timedelta(seconds=30), mark=True)
        await watches(max_, "watches seven short lessons, one in five minutes", 7, timedelta(minutes=5))
        assert await points(lina) == {"available": 60, "pending": 0, "debt": 0, "balance": 60}
        assert await points(bot) == {"available": 60, "pending": 20, "debt": 0, "balance": 80}
        await bot.redeems(
            "lecture",
            "would like another lecture: four lessons are held back",
            points=100,
            refused="INSUFFICIENT_POINTS",
        )

        # Wednesday: an operator looks. Max watches at double speed, which is allowed.
        await story.until("2026-06-03")
        first, second = await queue(story)
        assert first == {
            "id": first["id"],
            "moreThan": 6,
            "withinMinutes": 60,
            "raisedAt": "2026-06-02T02:03:00Z",
            "pointsHeld": 20,
            "member": {"externalId": "bot"},
            "transactions": {"totalCount": 10},
        }
        assert (second["member"], second["pointsHeld"]) == ({"externalId": "max"}, 5)
        as_operator: dict[str, Any] = {"role": Role.OPERATOR, "named": False}
        cleared = await max_.does(
            "an operator finds nothing wrong: he watches at double speed", "decideFlag", "released",
            flag=second["id"], decision="CLEAR", reason="double speed", **as_operator,
        )  # fmt: skip
        assert cleared["released"] == 5
        assert await points(max_) == {"available": 35, "pending": 0, "debt": 0, "balance": 35}

        # The machine's account is frozen and Tuesday's points are taken, at one stroke.
        confirmed = await bot.does(
            "an operator freezes the account and takes Tuesday's points", "decideFlag", "forfeited member { status }",
            flag=first["id"], decision="CONFIRM", reason="a lesson every thirty seconds", freeze="BOTH", forfeit=True,
            mark=True, **as_operator,
        )  # fmt: skip
        assert (confirmed["forfeited"], confirmed["member"]) == (50, {"status": "FROZEN"})
        more: dict[str, Any] = {"reference": "lesson", "kind": "lesson", "amount": story.money("0.00")}
        await bot.does("the machine goes on", "recordPurchase", refused="MEMBER_NOT_ACTIVE", **more)
        assert await points(bot) == {"available": 30, "pending": 0, "debt": 0, "balance": 30}

        # Whoever cheated on Tuesday cheated on Monday: what did that buy?
        machine: dict[str, Any] = {
            "channel": "purchase",
            "from": monday.isoformat(),
            "before": tuesday.isoformat(),
        }
        preview = await story.shop.ask(
            """query ($input: PreviewForfeitInput!) { previewForfeit(input: $input) { errors { code }
              units { unit demanded taken debt } gains(first: 50) { nodes { amount left
                spent { amount transaction { channel kind } givenTo { externalId } } } } } }""",
            {"input": {"member": {"id": bot.id}, **machine}},
            role=Role.OPERATOR,
        )
        gains = preview["previewForfeit"]["gains"]["nodes"]
        assert [gain["amount"] for gain in gains] == [5] * 30
        bought: dict[str, int] = {}
        for spent_on in [one for gain in gains for one in gain["spent"]]:
            whose = (spent_on["givenTo"] or {}).get("externalId", "")
            what = f"{spent_on['transaction']['channel']} {whose}".strip()
            bought[what] = bought.get(what, 0) + spent_on["amount"]
        assert bought == {"rewards": 100, "gift pal": 20}
        assert sum(gain["left"] for gain in gains) == 30

        undone = await bot.does(
            "an operator takes Monday's points: 150, of which 120 are spent and become a debt", "forfeitGains",
            "units { unit demanded taken debt }", role=Role.OPERATOR, reason="a machine", mark=True, **machine,
        )  # fmt: skip
        assert undone["units"] == preview["previewForfeit"]["units"]
        assert undone["units"] == [{"unit": "points", "demanded": 150, "taken": 30, "debt": 120}]
        await bot.does("and once more", "forfeitGains", role=Role.OPERATOR, reason="once more",
                       refused="NOTHING_TO_FORFEIT", **machine)  # fmt: skip
        await pal.does("an operator takes the points that the machine gave", "forfeitGains", role=Role.OPERATOR,
                       channel="gift", reason="from a machine")  # fmt: skip
        assert pal.balance == 0

        # Everybody is told, and the membership ends.
        await story.operates(
            "publishNotice",
            title="Points are for those who learn",
            text="Points that machines had made were taken back, and the accounts were closed.",
            endsAt=(story.shop.clock.now() + timedelta(days=30)).isoformat(),
        )
        closed = await bot.does(
            "the membership is closed, as the case is a grave one", "closeMembership", "member { status }",
            role=Role.OPERATOR, reason="machines", mark=True,
        )  # fmt: skip
        assert closed["member"] == {"status": "CLOSED"}
        assert await notices(ann) == await notices(bot) == [{"title": "Points are for those who learn"}]
        log = await story.shop.ask("{ auditLog { nodes { mutation reason } } }", role=Role.OPERATOR)
        assert [entry["mutation"] for entry in log["auditLog"]["nodes"]] == [
            "closeMembership",
            "publishNotice",
            "forfeitGains",
            "forfeitGains",
            "decideFlag",
            "decideFlag",
        ]

        # The honest ones have what they had, and go on.
        assert await points(ann) == {"available": 219, "pending": 0, "debt": 0, "balance": 219}
        await story.until("2026-07-03")
        assert await notices(ann) == []
        await watches(ann, "watches another lesson", 1, timedelta(minutes=40))
        assert (ann.balance, lina.balance, max_.balance) == (224, 60, 35)
        await story.until("2026-07-15")
