"""Members give each other points: taken once, given once, or given back once; and what cannot be given."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from core.value.report import report
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse, standing, told

PLUGINS: Final = only("gift")
ROOT: Final = Path(__file__).parents[2]
PROGRAMME: Final = """
id: ecosystem
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 1}
channels:
  gift: {least: 10, limits: {day: 500, month: 800}}
"""

GIVE: Final = """mutation ($input: GiftPointsInput!) { giftPoints(input: $input) {
  gift { to points message state }
  member { points { available } }
  transaction { id kind channel }
  replayed
  errors {
    code
    ... on GiftReceiverUnavailable { receiver }
    ... on GiftToOneself { receiver }
    ... on GiftTooSmall { points needed }
    ... on GiftLimitReached { period limitLeft resetsAt }
    ... on InsufficientPoints { needed available }
    ... on InvalidAmount { value }
    ... on InvalidValue { field }
    ... on MemberNotActive { status }
  }
} }"""
GIFTS: Final = """query ($id: ID!) { node(id: $id) { ... on Member {
  gifts { sent { nodes { to points message state } } received { nodes { giver points message } } }
} } }"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def town(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    """A brand whose members give, on SQLite."""
    url = sqlite_folder.migrated(apps)
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop
    sqlite_folder.done(url)


@pytest.fixture
async def every_town(fresh_database: str) -> AsyncIterator[Shop]:
    """The same, on every database: one member's operation looks another up."""
    async with open_shop(fresh_database, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop


async def two(shop: Shop, points: int = 1_000) -> tuple[str, str]:
    """Ann, with points, and Bob, with none."""
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    await shop.give(ann, points, "opening")
    return ann, bob


async def give(
    shop: Shop, member: str, points: int, to: str = "bob", key: str = "1", message: str = ""
) -> dict[str, Any]:
    asked = {"member": {"id": member}, "to": to, "points": points, "message": message, "idempotencyKey": key}
    payload: dict[str, Any] = (await shop.ask(GIVE, {"input": asked}))["giftPoints"]
    return payload


async def gifts(shop: Shop, member: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a member has sent, and received."""
    found = (await shop.ask(GIFTS, {"id": member}))["node"]["gifts"]
    return found["sent"]["nodes"], found["received"]["nodes"]


async def lots(shop: Shop, member: str) -> list[dict[str, Any]]:
    data = await shop.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member { lots { nodes { remaining expiresAt } } } } }",
        {"id": member},
    )
    found: list[dict[str, Any]] = data["node"]["lots"]["nodes"]
    return found


# -- giving -------------------------------------------------------------------------------------------


async def test_points_leave_the_giver_and_reach_the_receiver_once(every_town: Shop) -> None:
    ann, bob = await two(every_town)

    payload = await give(every_town, ann, 300, message="谢谢 🎁")

    payload["transaction"].pop("id")
    assert payload.pop("gift").pop("state") in {"UNDER_WAY", "RECEIVED"}
    assert payload == {
        "member": {"points": {"available": 700}},
        "transaction": {"kind": "give", "channel": "gift"},
        "replayed": False,
        "errors": [],
    }
    await told(every_town)
    assert await standing(every_town, bob) == (300, 2)
    assert (await give(every_town, ann, 300, message="谢谢 🎁"))["replayed"] is True
    await told(every_town)
    assert (await standing(every_town, ann), await standing(every_town, bob)) == ((700, 3), (300, 2))
    sent = {"to": "bob", "points": 300, "message": "谢谢 🎁", "state": "RECEIVED"}
    assert await gifts(every_town, ann) == ([sent], [])
    assert await gifts(every_town, bob) == ([], [{"giver": "ann", "points": 300, "message": "谢谢 🎁"}])
    assert await verify(every_town.laurel.store.reader()) == []


async def test_of_twenty_gifts_at_once_with_points_for_one_one_is_given(every_town: Shop) -> None:
    ann, bob = await two(every_town, 100)

    payloads = await asyncio.gather(*(give(every_town, ann, 100, key=f"gift {n}") for n in range(20)))

    refused = [payload["errors"] for payload in payloads if payload["errors"]]
    assert refused == [[{"code": "INSUFFICIENT_POINTS", "needed": 100, "available": 0}]] * 19
    await told(every_town)
    assert (await standing(every_town, ann), await standing(every_town, bob)) == ((0, 3), (100, 2))


async def test_a_gift_expires_as_it_would_have_with_the_giver(town: Shop) -> None:
    ann, bob = await two(town, 100)
    town.clock.advance(timedelta(days=10))
    await town.give(ann, 100, "later")
    before = [lot["expiresAt"] for lot in await lots(town, ann)]

    await give(town, ann, 150)
    await told(town)

    assert [(lot["remaining"], lot["expiresAt"]) for lot in await lots(town, bob)] == [
        (100, before[0]),
        (50, before[1]),
    ]


async def test_what_the_receiver_cannot_take_comes_back_once(town: Shop) -> None:
    ann, bob = await two(town)
    before = await lots(town, ann)
    # Bob is frozen after the gift was given and before it reaches him: both wait in one batch.
    await asyncio.gather(give(town, ann, 300), freeze(town, bob))
    await told(town)

    assert (await standing(town, ann), (await standing(town, bob))[0]) == ((1_000, 4), 0)
    assert await lots(town, ann) == before
    assert [gift["state"] for gift in (await gifts(town, ann))[0]] == ["RETURNED"]
    # It counts towards no limit either.
    carl = await town.enrol("carl")
    assert (await give(town, ann, 500, "carl", "2"))["errors"] == []
    await told(town)
    assert await standing(town, carl) == (500, 2)
    assert await verify(town.laurel.store.reader()) == []


async def test_what_an_operator_gives_back_is_the_receivers_no_more(town: Shop) -> None:
    ann, bob = await two(town)
    payload = await give(town, ann, 300)
    await told(town)
    data = await town.ask(
        "mutation ($input: ReverseTransactionInput!) { reverseTransaction(input: $input) { errors { message } } }",
        {
            "input": {
                "transaction": payload["transaction"]["id"], "points": 100, "reason": "a test", "idempotencyKey": "part"
            }
        },
        role=Role.OPERATOR,
    )  # fmt: skip
    assert data["reverseTransaction"]["errors"] == []
    await told(town)
    assert ((await standing(town, ann))[0], (await standing(town, bob))[0]) == (800, 200)
    await reverse(town, payload["transaction"]["id"])
    await told(town)
    assert ((await standing(town, ann))[0], (await standing(town, bob))[0]) == (1_000, 0)
    assert [gift["state"] for gift in (await gifts(town, ann))[0]] == ["TAKEN_BACK"]
    assert await verify(town.laurel.store.reader()) == []


async def test_the_receivers_transaction_is_not_the_one_to_reverse(town: Shop) -> None:
    ann, bob = await two(town)
    await give(town, ann, 300)
    await told(town)
    data = await town.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member { transactions { nodes { id kind } } } } }", {"id": bob}
    )
    (taken,) = (each["id"] for each in data["node"]["transactions"]["nodes"] if each["kind"] == "take")
    answer = await town.ask(
        "mutation ($input: ReverseTransactionInput!) { reverseTransaction(input: $input) { errors { code } } }",
        {"input": {"transaction": taken, "reason": "a test", "idempotencyKey": "1"}},
        role=Role.OPERATOR,
    )
    assert answer["reverseTransaction"]["errors"] == [{"code": "NOT_REVERSIBLE"}]
    assert (await standing(town, bob))[0] == 300


# -- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "points", "message", "error"),
    [
        ("bob", 0, "", {"code": "INVALID_AMOUNT", "value": "0"}),
        ("bob", -300, "", {"code": "INVALID_AMOUNT", "value": "-300"}),
        ("bob", 9, "", {"code": "GIFT_TOO_SMALL", "points": 9, "needed": 10}),
        ("ann", 100, "", {"code": "GIFT_TO_ONESELF", "receiver": "ann"}),
        ("carl", 100, "", {"code": "GIFT_RECEIVER_UNAVAILABLE", "receiver": "carl"}),
        ("", 100, "", {"code": "GIFT_RECEIVER_UNAVAILABLE", "receiver": ""}),
        ("b" * 200, 100, "", {"code": "GIFT_RECEIVER_UNAVAILABLE", "receiver": "b" * 128}),
        ("bob", 401, "", {"code": "INSUFFICIENT_POINTS", "needed": 401, "available": 400}),
        (
            "bob", 501, "",
            {"code": "GIFT_LIMIT_REACHED", "period": "day", "limitLeft": 500, "resetsAt": "2026-06-01T16:00:00Z"},
        ),
        ("bob", 100, "a" * 201, {"code": "INVALID_VALUE", "field": "message"}),
        ("bob", 100, "a\tb", {"code": "INVALID_VALUE", "field": "message"}),
    ],
)  # fmt: skip
async def test_what_cannot_be_given_stays_with_the_giver(
    town: Shop, to: str, points: int, message: str, error: dict[str, Any]
) -> None:
    ann, bob = await two(town, 400)
    payload = await give(town, ann, points, to, message=message)
    assert (payload["gift"], payload["transaction"], payload["errors"]) == (None, None, [error])
    await told(town)
    assert (await standing(town, ann), await standing(town, bob)) == ((400, 2), (0, 1))


async def test_a_frozen_member_neither_gives_nor_gets(town: Shop) -> None:
    ann, bob = await two(town)
    await freeze(town, bob)
    assert (await give(town, ann, 100))["errors"] == [{"code": "GIFT_RECEIVER_UNAVAILABLE", "receiver": "bob"}]
    assert (await give(town, bob, 100, "ann"))["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]


async def test_the_limits_are_of_points_and_begin_anew(town: Shop) -> None:
    ann, _ = await two(town)
    assert (await give(town, ann, 300))["errors"] == []
    limit = {"code": "GIFT_LIMIT_REACHED", "period": "day", "limitLeft": 200, "resetsAt": "2026-06-01T16:00:00Z"}
    assert (await give(town, ann, 201, key="2"))["errors"] == [limit]
    town.clock.advance(timedelta(hours=4))
    assert (await give(town, ann, 400, key="3"))["errors"] == []
    monthly = {"code": "GIFT_LIMIT_REACHED", "period": "month", "limitLeft": 100, "resetsAt": "2026-06-30T16:00:00Z"}
    assert (await give(town, ann, 101, key="4"))["errors"] == [monthly]


async def test_a_member_gives_their_own_points_only(town: Shop) -> None:
    ann, bob = await two(town)
    asked = {"member": {"id": ann}, "to": "bob", "points": 10, "idempotencyKey": "1"}
    answer = await town.post(GIVE, {"input": asked}, member=bob)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    payload = (await town.ask(GIVE, {"input": asked}, member=ann))["giftPoints"]
    assert payload["errors"] == []
    found = await town.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member { gifts { sent { nodes { id } } } } } }", {"id": ann}
    )
    (gift,) = found["node"]["gifts"]["sent"]["nodes"]
    ask_for_it = "query ($id: ID!) { node(id: $id) { ... on SentGift { points transaction { kind } } } }"
    assert await town.ask(ask_for_it, gift, member=bob) == {"node": None}
    assert await town.ask(ask_for_it, gift, member=ann) == {"node": {"points": 10, "transaction": {"kind": "give"}}}


async def test_without_the_section_members_give_each_other_nothing(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    bare = "id: x\ncurrency: CNY\ntimezone: UTC"
    async with open_shop(sqlite_folder.migrated(apps), bare, plugins=PLUGINS) as shop:
        ann, _ = await two(shop)
        assert (await give(shop, ann, 100))["errors"] == [{"code": "GIFTS_NOT_OFFERED"}]


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("{least: 0}", "greater than or equal to 1"),
        ("{limits: {day: 0}}", "greater than or equal to 1"),
        ("{limits: {week: 5}}", "unknown key 'week'"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(section: str, says: str) -> None:
    with pytest.raises(ProgrammeInvalid, match=says):
        load_programme(f"id: x\ncurrency: CNY\ntimezone: UTC\nchannels: {{gift: {section}}}", PLUGINS.settings)


async def test_what_the_readme_shows_can_be_pasted(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    text = (ROOT / "plugins" / "gift" / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (mutation,) = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    document = f"id: x\ncurrency: CNY\ntimezone: Asia/Shanghai\n{section}"
    async with open_shop(sqlite_folder.migrated(apps), document, plugins=PLUGINS) as shop:
        _, bob = await two(shop)
        (payload,) = (await shop.ask(mutation)).values()
        assert (payload["errors"], payload["member"]["points"]["available"]) == ([], 950)
        await told(shop)
        assert (await standing(shop, bob))[0] == 50


async def test_in_the_ecosystem_members_give_up_to_five_hundred_a_day(tmp_path: Path) -> None:
    document = (ROOT / "examples" / "programmes" / "ecosystem.yaml").read_text(encoding="utf-8")
    async with open_shop(tmp_path, document) as shop:
        ann, _ = await two(shop)
        assert (await give(shop, ann, 500))["errors"] == []
        (error,) = (await give(shop, ann, 10, key="2"))["errors"]
        assert (error["code"], error["period"], error["limitLeft"]) == ("GIFT_LIMIT_REACHED", "day", 0)


async def test_what_was_given_was_earned_by_nobody_who_got_it(every_town: Shop) -> None:
    ladder = "tiers: {ladder: [{id: regular}, {id: silver, all: [{fact: points_earned, at_least: 100}]}]}"
    published = await every_town.ask(
        "mutation ($input: PublishProgrammeInput!) { publishProgramme(input: $input) { errors { message } } }",
        {"input": {"document": f"{PROGRAMME}{ladder}\n", "reason": "tiers from now on"}},
        role=Role.ADMIN,
    )
    assert published["publishProgramme"]["errors"] == []
    ann, bob = await two(every_town)
    transaction = await given(every_town, ann, 300)

    shown = await every_town.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member { tier { code } points { available }"
        " transactions(first: 1) { nodes { kind entries { amount contra } } } } } }",
        {"id": bob},
    )
    assert shown["node"] == {
        "tier": {"code": "regular"},
        "points": {"available": 300},
        "transactions": {"nodes": [{"kind": "take", "entries": [{"amount": 300, "contra": "TRANSFER"}]}]},
    }
    assert await figures(every_town) == (1_000, 0, 1_000)

    await reverse(every_town, transaction)
    await told(every_town)

    assert await figures(every_town) == (1_000, 0, 1_000)
    assert await verify(every_town.laurel.store.reader()) == []


async def given(shop: Shop, member: str, points: int) -> str:
    """The transaction of a gift that has reached Bob."""
    payload = await give(shop, member, points)
    await told(shop)
    transaction: str = payload["transaction"]["id"]
    return transaction


async def figures(shop: Shop) -> tuple[int, int, int]:
    """What all have earned or been adjusted, what is on its way between members, and what there is."""
    found = (await report(shop.laurel.store.reader(), shop.clock.now(), ZoneInfo("UTC"), ["points"])).units["points"]
    return found.earned + found.adjusted, found.transferred, found.available
