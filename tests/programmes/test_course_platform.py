"""X13, the fraud case: machines watch lessons for points. They are noticed, stopped and undone, and everybody is told.

A platform for courses finds that some members let machines watch lessons. It freezes their accounts at once, takes the
points back, and publishes that points are for those who learn.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from core.oversight.verify import verify
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import SqliteFolder

COURSES: Final = (Path(__file__).parents[2] / "examples" / "programmes" / "course-platform.yaml").read_text()
MONDAY: Final = datetime(2026, 6, 1, 2, tzinfo=UTC)
"""10:00 in Shanghai."""


@pytest.fixture(scope="module")
def sqlite_folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("courses"))


@pytest.fixture
async def courses(sqlite_folder: SqliteFolder) -> AsyncIterator[Shop]:
    plugins = load_plugins()
    url = sqlite_folder.migrated(tables(plugins))
    async with open_shop(url, COURSES, plugins=plugins, now=MONDAY) as shop:
        yield shop
        assert await verify(shop.laurel.store.reader()) == []
    sqlite_folder.done(url)


async def do(
    shop: Shop, mutation: str, selected: str = "", *, role: Role = Role.SERVICE, **said: Any
) -> dict[str, Any]:
    """The answer to a mutation, refused or not."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ errors {{ code }} {selected} }} }}"
    said = {"idempotencyKey": f"{mutation} {shop.clock.now()} {said}"[:200], **said}
    answer: dict[str, Any] = (await shop.ask(query, {"input": said}, role=role))[mutation]
    return answer


async def watches(shop: Shop, member: str, lessons: int, every: timedelta, at: datetime | None = None) -> list[str]:
    """So many lessons, each watched to its end, told as they end or, from ``at`` on, all at once; the refusals."""
    refused = []
    for number in range(lessons):
        ended = shop.clock.now() if at is None else at + number * every
        answer = await do(
            shop,
            "recordPurchase",
            member={"id": member},
            reference=f"lesson {ended}",
            amount={"amount": "0.00", "currency": "CNY"},
            kind="lesson",
            occurredAt=ended.isoformat(),
        )
        refused += [error["code"] for error in answer["errors"]]
        if at is None:
            shop.clock.advance(every)
    return refused


async def points(shop: Shop, member: str) -> dict[str, int]:
    query = "query ($m: ID!) { member(by: {id: $m}) { points { available pending debt balance } } }"
    found: dict[str, int] = (await shop.ask(query, {"m": member}, member=member))["member"]["points"]
    return found


async def queue(shop: Shop) -> list[dict[str, Any]]:
    query = """{ flags(filter: {state: {eq: OPEN}}) { nodes { id moreThan withinMinutes raisedAt pointsHeld
      member { externalId } transactions { totalCount } } } }"""
    nodes: list[dict[str, Any]] = (await shop.ask(query, role=Role.OPERATOR))["flags"]["nodes"]
    return nodes


async def test_machines_are_noticed_stopped_undone_and_told_of(courses: Shop) -> None:
    shop = courses
    ann, lina, max_, bot, pal = [await shop.enrol(name) for name in ("ann", "lina", "max", "bot", "pal")]

    # Monday: Ann buys a course and learns. A machine watches a lesson every ten minutes, which somebody might.
    await do(shop, "recordPurchase", member={"id": ann}, reference="C-1", amount={"amount": "199", "currency": "CNY"})
    assert await watches(shop, ann, 4, timedelta(minutes=20)) == []
    assert await watches(shop, bot, 30, timedelta(minutes=10)) == []
    assert await queue(shop) == []
    order = await do(shop, "redeemReward", member={"id": bot}, reward="lecture", points=100)
    gift = await do(shop, "giftPoints", member={"id": bot}, to="pal", points=20)
    assert order["errors"] == gift["errors"] == []
    await shop.laurel.deliverer.drain()

    # Tuesday: Lina's app has been without a network, and tells of a whole day at once. The machine gets greedy.
    tuesday = MONDAY + timedelta(days=1)
    shop.clock.set(tuesday)
    assert await watches(shop, lina, 12, timedelta(minutes=30), at=MONDAY) == []
    assert await watches(shop, bot, 10, timedelta(seconds=30)) == []
    assert await watches(shop, max_, 7, timedelta(minutes=5)) == []
    assert await points(shop, lina) == {"available": 60, "pending": 0, "debt": 0, "balance": 60}
    assert await points(shop, bot) == {"available": 60, "pending": 20, "debt": 0, "balance": 80}
    spent = await do(shop, "redeemReward", member={"id": bot}, reward="lecture", points=100)
    assert [error["code"] for error in spent["errors"]] == ["INSUFFICIENT_POINTS"]

    # Wednesday: an operator looks. Max watches at double speed, which is allowed.
    shop.clock.set(MONDAY + timedelta(days=2))
    first, second = await queue(shop)
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
    cleared = await do(
        shop, "decideFlag", "released", role=Role.OPERATOR, flag=second["id"], decision="CLEAR", reason="double speed"
    )
    assert cleared == {"errors": [], "released": 5}
    assert await points(shop, max_) == {"available": 35, "pending": 0, "debt": 0, "balance": 35}

    # The machine's account is frozen and Tuesday's points are taken, at one stroke.
    confirmed = await do(
        shop,
        "decideFlag",
        "forfeited member { status }",
        role=Role.OPERATOR,
        flag=first["id"],
        decision="CONFIRM",
        reason="a lesson every thirty seconds",
        freeze="BOTH",
        forfeit=True,
    )
    assert confirmed == {"errors": [], "forfeited": 50, "member": {"status": "FROZEN"}}
    assert await watches(shop, bot, 1, timedelta(minutes=1)) == ["MEMBER_NOT_ACTIVE"]
    assert await points(shop, bot) == {"available": 30, "pending": 0, "debt": 0, "balance": 30}

    # Whoever cheated on Tuesday cheated on Monday: what did that buy?
    machine: dict[str, Any] = {
        "member": {"id": bot},
        "channel": "purchase",
        "from": MONDAY.isoformat(),
        "before": tuesday.isoformat(),
    }
    preview = await shop.ask(
        """query ($input: PreviewForfeitInput!) { previewForfeit(input: $input) { errors { code }
          units { unit demanded taken debt } gains(first: 50) { nodes { amount left
            spent { amount transaction { channel kind } givenTo { externalId } } } } } }""",
        {"input": machine},
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

    undone = await do(
        shop, "forfeitGains", "units { unit demanded taken debt }", role=Role.OPERATOR, reason="a machine", **machine
    )
    assert undone["units"] == preview["previewForfeit"]["units"]
    assert undone["units"] == [{"unit": "points", "demanded": 150, "taken": 30, "debt": 120}]
    again = await do(shop, "forfeitGains", role=Role.OPERATOR, reason="once more", **machine)
    assert again["errors"] == [{"code": "NOTHING_TO_FORFEIT"}]
    await do(shop, "forfeitGains", role=Role.OPERATOR, member={"id": pal}, channel="gift", reason="from a machine")
    assert (await points(shop, pal))["balance"] == 0

    # Everybody is told, and the membership ends.
    await do(
        shop,
        "publishNotice",
        role=Role.OPERATOR,
        title="Points are for those who learn",
        text="Points that machines had made were taken back, and the accounts were closed.",
        endsAt=(shop.clock.now() + timedelta(days=30)).isoformat(),
    )
    closed = await do(
        shop, "closeMembership", "member { status }", role=Role.OPERATOR, member={"id": bot}, reason="machines"
    )
    assert closed["member"] == {"status": "CLOSED"}
    for whose in (ann, bot):
        read = await shop.ask("{ notices { nodes { title } } }", member=whose)
        assert read["notices"]["nodes"] == [{"title": "Points are for those who learn"}]
    assert await points(shop, ann) == {"available": 219, "pending": 0, "debt": 0, "balance": 219}
    log = await shop.ask("{ auditLog { nodes { mutation reason } } }", role=Role.OPERATOR)
    assert [entry["mutation"] for entry in log["auditLog"]["nodes"]] == [
        "closeMembership",
        "publishNotice",
        "forfeitGains",
        "forfeitGains",
        "decideFlag",
        "decideFlag",
    ]
    shop.clock.advance(timedelta(days=30))
    read = await shop.ask("{ notices { nodes { title } } }", member=ann)
    assert read["notices"]["nodes"] == []
