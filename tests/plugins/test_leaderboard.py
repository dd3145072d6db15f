"""Leaderboards through the schema: who stands where, who is named, what is won, and that an index finds it all."""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.connection import get_connection

from core.books.members import bucket_of
from core.errors import ProgrammeInvalid
from core.models import JobRow
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from core.store.dialect import Reader
from core.time.periods import PeriodKind, period_after, period_named, period_of
from graph.ids import read_id, seal, unseal
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.leaderboard.rules import places
from plugins.manager import load_plugins
from tests.databases import Apps, SqliteFolder
from tests.graph.test_statements import statements
from tests.plugins.channel import freeze, only, reverse, standing, told
from tests.plugins.orders import balance, buy, document, of_member, send_back, shop_at

PLUGINS: Final = only("coupon", "leaderboard", "purchase")
ROOT: Final = Path(__file__).parents[2]
DAY: Final = timedelta(days=1)
MONTH: Final = (
    "{id: spenders, title: Spenders, count: spend, period: month, settles_days: 2, at_least: 10,"
    " prizes: [{up_to: 1, award: {pack: {points: 1000}}}, {up_to: 3, award: {pack: {points: 300}, coupons: [tea]}}]}"
)
POINTS: Final = "{id: points, title: Points, count: points_earned, period: quarter}"
DAILY: Final = (
    "{id: orders, title: Orders, count: orders, period: day, prizes: [{up_to: 1, award: {pack: {points: 7}}}]}"
)
NAMES: Final = "names: {attribute: nickname}"

BOARD: Final = """query ($name: String!, $period: String, $first: Int, $after: String, $last: Int) {
  leaderboard(name: $name, period: $period) {
    period { name isClosed }
    places(first: $first, after: $after, last: $last) {
      nodes { place score name isOwn member { externalId } } pageInfo { endCursor hasNextPage }
    }
  }
}"""
OWN: Final = """query ($name: String!, $by: MemberByInput) { leaderboard(name: $name) {
  place(member: $by) { place score isOwn }
  neighbours(member: $by, each: 2) { place score isOwn }
} }"""


def programme(*boards: str, names: str = NAMES) -> str:
    section = f"  leaderboard: {{{names}{', ' if names else ''}boards: [{', '.join(boards)}]}}\n" if boards else ""
    return document(f"  coupon: {{coupons: [{{id: tea, name: Tea}}]}}\n{section}")


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def opened(sqlite_folder: SqliteFolder, apps: Apps) -> Any:
    def at(*boards: str, names: str = NAMES) -> AbstractAsyncContextManager[Shop]:
        return shop_at(sqlite_folder.migrated(apps), programme(*boards, names=names), PLUGINS)

    return at


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """On every database, at noon of 5 January."""
    async with shop_at(fresh_database, programme(MONTH, POINTS, DAILY), PLUGINS) as shop:
        yield shop


async def ask(shop: Shop, name: str, role: Role = Role.SERVICE, member: str | None = None, **more: Any) -> Any:
    variables = {"name": name, "first": None if "last" in more else 20, **more}
    found = await shop.ask(BOARD, variables, **({"member": member} if member else {"role": role}))
    return found["leaderboard"]


async def board(shop: Shop, name: str, **more: Any) -> list[tuple[int | None, str, str]]:
    """Each place: which, the score, and whose."""
    nodes = (await ask(shop, name, **more))["places"]["nodes"]
    return [(node["place"], node["score"], node["member"]["externalId"]) for node in nodes]


async def own(shop: Shop, name: str, external_id: str) -> Any:
    return (await shop.ask(OWN, {"name": name, "by": {"externalId": external_id}}))["leaderboard"]


async def crowd(shop: Shop, *amounts: str) -> list[str]:
    """Members, each with an order of that amount: ann, bob, cid …"""
    members = [
        await shop.enrol(name) for name, _ in zip(("ann", "bob", "cid", "dan", "eve", "fay"), amounts, strict=False)
    ]
    for number, (member, amount) in enumerate(zip(members, amounts, strict=True)):
        await buy(shop, member, f"first {number}", amount)
    return members


async def call(shop: Shop, name: str, role: Any = Role.OPERATOR, **input: Any) -> Any:
    kind = name[0].upper() + name[1:]
    data = await shop.ask(
        f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ errors {{ code message }} }} }}",
        {"input": input},
        role=role,
    )
    return data[name]["errors"]


async def change(shop: Shop, *boards: str, names: str = NAMES) -> None:
    """Publish the programme with these boards instead."""
    text = programme(*boards, names=names)
    assert await call(shop, "publishProgramme", Role.ADMIN, document=text, reason="a test") == []


async def close(shop: Shop, to: int) -> int:
    """Go on to noon of that day of January, or of February, and let the job run; how many things it did."""
    shop.clock.advance(to * DAY)
    return await shop.laurel.jobs.run("leaderboard")


# -- the programme ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("boards", "says"),
    [
        ("{id: a, title: A, count: spned, period: month}", "nobody counts 'spned', did you mean 'spend'"),
        ("{id: a, title: A, count: average_order, period: month}", "nobody counts 'average_order'"),
        ("{id: a, title: A, count: spend, period: year}", "'day', 'week', 'month' or 'quarter'"),
        ("{id: a, title: A, count: orders, period: day, at_least: 0}", "more than 0"),
        ('{id: a, title: A, count: orders, period: day, at_least: "1.5"}', "whole numbers"),
        ('{id: a, title: A, count: spend, period: day, at_least: "1.555"}', "minor unit of CNY"),
        ("{id: a, title: A, count: spend, period: day, settles_days: 61}", "less than or equal to 60"),
        (
            "{id: a, title: A, count: spend, period: day, prizes: [{up_to: 0, award: {pack: {points: 1}}}]}",
            "equal to 1",
        ),
        ("{id: a, title: A, count: spend, period: day, prizes: [{up_to: 1, award: {}}]}", "a pack, or coupons"),
        (
            "{id: a, title: A, count: spend, period: day, prizes: [{up_to: 1, award: {pack: {pionts: 1}}}]}",
            "unknown unit 'pionts'",
        ),
        (
            "{id: a, title: A, count: spend, period: day, prizes: [{up_to: 1, award: {coupons: [tae]}}]}",
            "no coupon 'tae' in the programme",
        ),
        (
            "{id: a, title: A, count: spend, period: day, prizes: [&, &]}".replace(
                "&", "{up_to: 3, award: {coupons: [tea]}}"
            ),
            "after those of the one before",
        ),
        (f"{POINTS}, {POINTS}", "used twice"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(boards: str, says: str) -> None:
    with pytest.raises(ProgrammeInvalid, match=says):
        load_programme(programme(boards), PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)


@pytest.mark.parametrize(
    ("name", "period", "code", "facts"),
    [
        ("nobody", None, "LEADERBOARD_NOT_FOUND", {"leaderboard": "nobody"}),
        ("spenders", "2026-02", "LEADERBOARD_PERIOD_AHEAD", {"opensAt": "2026-01-31T16:00:00Z"}),
        ("orders", "2026-01-06", "LEADERBOARD_PERIOD_AHEAD", {"opensAt": "2026-01-05T16:00:00Z"}),
        ("spenders", "1969-12", "LEADERBOARD_PERIOD_UNKNOWN", {"periodNow": "2026-01"}),
        ("spenders", "2026-13", "LEADERBOARD_PERIOD_UNKNOWN", {"periodNow": "2026-01"}),
        ("spenders", "2026-01-05", "LEADERBOARD_PERIOD_UNKNOWN", {"period": "2026-01-05"}),
        ("spenders", "january", "LEADERBOARD_PERIOD_UNKNOWN", {"period": "january"}),
        ("points", "2026-Q5", "LEADERBOARD_PERIOD_UNKNOWN", {"periodNow": "2026-Q1"}),
        ("points", "9999-Q4", "LEADERBOARD_PERIOD_AHEAD", {"period": "9999-Q4"}),
    ],
)
async def test_a_board_or_period_that_there_is_not_is_refused(
    opened: Any, name: str, period: str | None, code: str, facts: dict[str, str]
) -> None:
    async with opened(MONTH, POINTS, DAILY) as shop:
        answer = await shop.post(BOARD, {"name": name, "period": period, "first": 1})

    (error,) = answer["errors"]
    assert answer["data"] == {"leaderboard": None}
    assert error["extensions"]["code"] == code
    assert facts.items() <= error["extensions"].get("facts", facts).items()


async def test_a_programme_without_boards_says_so(opened: Any) -> None:
    async with opened() as shop:
        ann = await shop.enrol("ann")
        before = await standing(shop, ann)

        answer = await shop.post(BOARD, {"name": "spenders", "first": 1})
        errors = await hide(shop, ann)

        assert (await shop.ask("{ leaderboards { name } }"))["leaderboards"] == []
        assert answer["errors"][0]["extensions"]["code"] == "LEADERBOARDS_NOT_OFFERED"
        assert [error["code"] for error in errors] == ["LEADERBOARDS_NOT_OFFERED"]
        assert await standing(shop, ann) == before


# -- places -------------------------------------------------------------------------------------------


async def test_members_stand_by_what_they_have_spent_and_those_who_are_level_share_a_place(shop: Shop) -> None:
    await crowd(shop, "40.00", "50.00", "40.00", "10.01")

    found = await board(shop, "spenders")

    assert found[0] == (1, "50.00", "bob")
    assert {found[1], found[2]} == {(2, "40.00", "ann"), (2, "40.00", "cid")}
    assert found[3:] == [(4, "10.01", "dan")]
    assert await board(shop, "points") == [(place, score.partition(".")[0], who) for place, score, who in found]
    for who, place, score in (("bob", 1, "50.00"), ("ann", 2, "40.00"), ("cid", 2, "40.00"), ("dan", 4, "10.01")):
        assert (await own(shop, "spenders", who))["place"] == {"place": place, "score": score, "isOwn": False}
    assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


async def test_pages_neither_overlap_nor_skip_and_go_on_counting(shop: Shop) -> None:
    await crowd(shop, "30.00", "20.00", "20.00", "20.00", "10.00")
    whole = await board(shop, "spenders")
    assert [place for place, _, _ in whole] == [1, 2, 2, 2, 5]

    paged, after = [], None
    for _ in whole:
        page = (await ask(shop, "spenders", first=1, after=after))["places"]
        paged += [(node["place"], node["score"], node["member"]["externalId"]) for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert paged == whole
    assert page["pageInfo"]["hasNextPage"] is False
    assert await board(shop, "spenders", last=2) == whole[-2:]


async def test_neighbours_are_those_right_before_and_after(opened: Any) -> None:
    async with opened(MONTH) as shop:
        await crowd(shop, "60.00", "50.00", "40.00", "30.00", "20.00", "10.00")

        found = [await own(shop, "spenders", who) for who in ("ann", "dan", "fay")]

    assert [[place["place"] for place in each["neighbours"]] for each in found] == [
        [1, 2, 3],
        [2, 3, 4, 5, 6],
        [4, 5, 6],
    ]


async def test_who_has_nothing_stands_nowhere(opened: Any) -> None:
    async with opened(MONTH) as shop:
        await crowd(shop, "60.00")
        await shop.enrol("zoe")

        assert await own(shop, "spenders", "zoe") == {"place": None, "neighbours": []}
        assert await own(shop, "spenders", "nobody") == {"place": None, "neighbours": []}
        answer = await shop.post(OWN.replace("each: 2", "each: 11"), {"name": "spenders", "by": {"externalId": "ann"}})
        assert answer["errors"][0]["extensions"]["code"] == "INVALID_VALUE"


async def test_refunds_and_claw_backs_lower_a_score_and_spending_and_expiry_do_not(shop: Shop) -> None:
    ann, bob, _ = await crowd(shop, "50.00", "40.00", "30.00")
    spent = 'mutation { redeemPoints(input: {member: {externalId: "bob"}, points: 40, idempotencyKey: "r"})'
    assert (await shop.ask(spent + " { errors { code } } }", role=Role.OPERATOR))["redeemPoints"]["errors"] == []

    await send_back(shop, ann, "first 0", "15.00")

    assert await board(shop, "spenders") == [(1, "40.00", "bob"), (2, "35.00", "ann"), (3, "30.00", "cid")]
    assert await board(shop, "points") == [(1, "40", "bob"), (2, "35", "ann"), (3, "30", "cid")]
    gift = await shop.give(ann, 100, "gift")
    assert (await board(shop, "points"))[0] == (1, "135", "ann")
    await reverse(shop, gift)
    await send_back(shop, ann, "first 0", "35.00")
    assert await board(shop, "points") == [(1, "40", "bob"), (2, "30", "cid")]
    assert bob


async def test_points_that_expire_have_still_been_earned(opened: Any) -> None:
    document_ = programme(POINTS).replace("{mode: per_lot, months: 12}", "{mode: per_lot, months: 1}")
    async with opened(POINTS) as shop:
        assert await call(shop, "publishProgramme", Role.ADMIN, document=document_, reason="a test") == []
        (ann,) = await crowd(shop, "50.00")
        shop.clock.advance(40 * DAY)
        await shop.laurel.jobs.run("expire")
        assert await balance(shop, ann) == 0

        await buy(shop, ann, "A2", "1.00")

        assert await board(shop, "points") == [(1, "51", "ann")]


@pytest.mark.parametrize(
    ("count", "period", "next_day", "name"),
    [
        ("day", "2026-01-05", 1, "2026-01-06"),
        ("week", "2026-W02", 7, "2026-W03"),
        ("month", "2026-01", 27, "2026-02"),
        ("quarter", "2026-Q1", 86, "2026-Q2"),
    ],
)
async def test_a_period_begins_at_its_first_midnight_and_past_boards_stay(
    opened: Any, count: str, period: str, next_day: int, name: str
) -> None:
    async with opened(f"{{id: o, title: O, count: orders, period: {count}}}") as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "1.00")
        # A second before midnight in Shanghai, and at midnight.
        shop.clock.advance((next_day - 1) * DAY + timedelta(hours=11, minutes=59, seconds=59))
        await buy(shop, ann, "A2", "1.00")
        assert (await ask(shop, "o"))["period"] == {"name": period, "isClosed": False}
        assert await board(shop, "o", period=period) == [(1, "2", "ann")]
        shop.clock.advance(timedelta(seconds=1))
        await buy(shop, ann, "A3", "1.00")

        assert (await ask(shop, "o"))["period"] == {"name": name, "isClosed": False}
        assert await board(shop, "o") == [(1, "1", "ann")]
        assert await board(shop, "o", period=period) == [(1, "2", "ann")]


async def test_what_is_told_late_counts_until_the_period_has_closed(opened: Any) -> None:
    async with opened(MONTH) as shop:
        ann = await shop.enrol("ann")
        yesterday = {"occurredAt": "2026-01-31T12:00:00+08:00"}
        # Noon of 2 February: the last half day in which January is open.
        shop.clock.advance(28 * DAY)
        await buy(shop, ann, "A1", "10.00", **yesterday)
        assert await board(shop, "spenders", period="2026-01") == [(1, "10.00", "ann")]
        shop.clock.advance(timedelta(hours=12))

        await buy(shop, ann, "A2", "10.00", **yesterday)
        await send_back(shop, ann, "A1")

        assert await board(shop, "spenders", period="2026-01") == [(1, "10.00", "ann")]
        assert (await ask(shop, "spenders", period="2026-01"))["period"]["isClosed"] is True


# -- prizes -------------------------------------------------------------------------------------------


async def test_the_first_places_win_at_the_close_and_just_once(shop: Shop) -> None:
    members = await crowd(shop, "50.00", "40.00", "40.00", "30.00", "9.99")
    shop.clock.advance(28 * DAY)
    assert await shop.laurel.jobs.run("leaderboard") == 5
    before = [await balance(shop, member) for member in members]
    # What is told late changes who has won; a moment after the close it does not.
    await send_back(shop, members[0], "first 0", "15.00", reference="late")
    shop.clock.advance(timedelta(hours=12, minutes=5))

    assert await shop.laurel.jobs.run("leaderboard") == 3
    for _ in range(2):
        shop.clock.advance(DAY)
        assert await shop.laurel.jobs.run("leaderboard") == 0

    after = [await balance(shop, member) for member in members]
    assert [now - was for was, now in zip(before, after, strict=True)] == [300 - 15, 1000, 1000, 0, 0]
    shown = await of_member(
        shop, members[0], "leaderboardAwards { leaderboard period place pack { unit amount } coupons }"
    )
    assert shown["leaderboardAwards"][0] == {
        "leaderboard": "spenders",
        "period": "2026-01",
        "place": 3,
        "pack": [{"unit": "points", "amount": 300}],
        "coupons": ["tea"],
    }
    assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


@pytest.mark.parametrize("days", [29, 60, 200])
async def test_a_job_that_runs_late_gives_what_it_would_have_given_in_time(opened: Any, days: int) -> None:
    async with opened(MONTH) as shop:
        members = await crowd(shop, "50.00", "40.00", "30.00", "20.00")
        shop.clock.advance(29 * DAY)
        if days > 29:
            # All of it happens after the close.
            await send_back(shop, members[0], "first 0")
            await buy(shop, members[3], "A2", "500.00", occurredAt="2026-01-31T12:00:00+08:00")
            await change(shop, POINTS)
        shop.clock.advance((days - 29) * DAY)
        before = [await balance(shop, member) for member in members]

        assert await shop.laurel.jobs.run("leaderboard") >= 3

        after = [await balance(shop, member) for member in members]
        assert [now - was for was, now in zip(before, after, strict=True)] == [1000, 300, 300, 0]


async def test_each_of_several_periods_that_closed_meanwhile_has_its_winner(opened: Any) -> None:
    async with opened(DAILY) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        for number, member in enumerate((ann, bob, ann)):
            await buy(shop, member, f"A{number}", "1.00")
            shop.clock.advance(DAY)

        assert await shop.laurel.jobs.run("leaderboard") == 3

        won = await of_member(shop, ann, "leaderboardAwards { period }")
    assert won == {"leaderboardAwards": [{"period": "2026-01-07"}, {"period": "2026-01-05"}]} or won == {
        "leaderboardAwards": [{"period": "2026-01-05"}, {"period": "2026-01-07"}]
    }


async def test_a_period_is_of_the_programme_in_which_it_ended(opened: Any) -> None:
    """One that changed while scores settled is closed once, by the former rules; one that ends later by the new."""
    async with opened(MONTH) as shop:
        (ann,) = await crowd(shop, "50.00")
        shop.clock.advance(27 * DAY)
        await change(shop, MONTH.replace("settles_days: 2, ", "").replace("1000", "1"))
        shop.clock.advance(4 * DAY)
        await buy(shop, ann, "A2", "50.00")
        assert await shop.laurel.jobs.run("leaderboard") >= 1
        assert await balance(shop, ann) == 100 + 1000

        shop.clock.advance(30 * DAY)
        await shop.laurel.jobs.run("leaderboard")

        assert await balance(shop, ann) == 100 + 1000 + 1
        assert await board(shop, "spenders", period="2026-01") == [(1, "50.00", "ann")]


async def test_who_may_not_earn_wins_nothing_and_nobody_moves_up(opened: Any) -> None:
    async with opened(MONTH) as shop:
        ann, bob = await crowd(shop, "50.00", "40.00")
        await freeze(shop, ann)

        await close(shop, 30)

        assert (await balance(shop, ann), await balance(shop, bob)) == (50, 340)


async def test_the_budget_of_a_prize_is_shared_by_those_who_are_level(opened: Any) -> None:
    prize = "{up_to: 1, award: {pack: {points: 100}, budget: {lifetime: 150}}}"
    async with opened(f"{{id: o, title: O, count: orders, period: day, prizes: [{prize}]}}") as shop:
        members = await crowd(shop, "1.00", "1.00", "1.00")

        await close(shop, 1)

        assert sorted([await balance(shop, member) for member in members]) == [1, 51, 101]


async def test_a_reversed_prize_is_won_no_more(opened: Any) -> None:
    async with opened(DAILY) as shop:
        (ann,) = await crowd(shop, "1.00")
        await close(shop, 1)
        assert await balance(shop, ann) == 8
        last = await of_member(shop, ann, "transactions(first: 1) { nodes { id kind } }")

        assert last["transactions"]["nodes"][0]["kind"] == "prize"
        await reverse(shop, last["transactions"]["nodes"][0]["id"])

        assert await balance(shop, ann) == 1
        assert (await of_member(shop, ann, "leaderboardAwards { place }")) == {"leaderboardAwards": []}
        assert await close(shop, 1) == 0


# -- boards that are new ------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
async def test_a_new_board_counts_what_was_before_it(opened: Any, late: bool) -> None:
    async with opened() as shop:
        members = await crowd(shop, "50.00", "40.00", "30.00")
        await change(shop, MONTH)
        await buy(shop, members[2], "A2", "5.00")
        if late:
            # It has closed by the time that the job runs for the first time.
            shop.clock.advance(30 * DAY)

        await shop.laurel.jobs.run("leaderboard")

        found = await board(shop, "spenders", period="2026-01")
        assert found == [(1, "50.00", "ann"), (2, "40.00", "bob"), (3, "35.00", "cid")]
        assert (await balance(shop, members[0])) == 50 + 1000 * late
        async with statements() as seen:
            await shop.laurel.jobs.run("leaderboard")
        assert not any("FROM tally" in sql for sql in seen)


async def test_a_board_that_went_and_came_again_has_missed_nothing(opened: Any) -> None:
    async with opened(MONTH) as shop:
        ann, bob = await crowd(shop, "50.00", "40.00")
        await shop.laurel.jobs.run("leaderboard")
        shop.clock.advance(DAY)
        await change(shop, POINTS)
        await buy(shop, bob, "B2", "20.00")
        shop.clock.advance(DAY)
        await change(shop, MONTH)

        await shop.laurel.jobs.run("leaderboard")

        assert await board(shop, "spenders") == [(1, "60.00", "bob"), (2, "50.00", "ann")]
        assert ann


# -- names, and whom they belong to -------------------------------------------------------------------


async def name(shop: Shop, member: str, nickname: str) -> None:
    assert (
        await call(
            shop,
            "updateMember",
            Role.SERVICE,
            member={"id": member},
            idempotencyKey=f"name {nickname}",
            attributes=[{"name": "nickname", "value": nickname}],
        )
        == []
    )


async def hide(shop: Shop, member: str, hidden: bool = True, key: str = "1") -> Any:
    data = await shop.ask(
        "mutation ($input: ChangeLeaderboardNameInput!) { changeLeaderboardName(input: $input) { errors { code } } }",
        {"input": {"member": {"id": member}, "isHidden": hidden, "idempotencyKey": key}},
        member=member,
    )
    return data["changeLeaderboardName"]["errors"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("", [None, None, None]),
        ("names: {attribute: nickname}", [None, "Bobby", None]),
        ("names: {attribute: nickname, hidden: true}", [None, None, None]),
    ],
)
async def test_a_name_is_read_where_the_programme_and_the_member_let_it(
    opened: Any, names: str, expected: list[str | None]
) -> None:
    async with opened(MONTH, names=names) as shop:
        ann, bob, cid = await crowd(shop, "50.00", "40.00", "30.00")
        await name(shop, ann, "Annie")
        await name(shop, bob, "Bobby")
        assert await hide(shop, ann) == []

        nodes = (await ask(shop, "spenders", member=cid))["places"]["nodes"]
        assert [node["name"] for node in nodes] == expected
        assert [node["isOwn"] for node in nodes] == [False, False, True]
        # Of others there is no more to be read; staff read who it is, and not the name either.
        assert [node["member"] for node in nodes] == [None, None, {"externalId": "cid"}]
        assert [node["name"] for node in (await ask(shop, "spenders"))["places"]["nodes"]] == expected

        # It is the member's to say.
        assert await hide(shop, ann, hidden=False, key="2") == []
        nodes = (await ask(shop, "spenders", member=cid))["places"]["nodes"]
        assert nodes[0]["name"] == ("Annie" if names else None)
        hidden = await of_member(shop, ann, "isLeaderboardNameHidden")
        assert hidden == {"isLeaderboardNameHidden": not names}


async def test_nobody_chooses_for_another_member_or_reads_their_place(opened: Any) -> None:
    async with opened(MONTH) as shop:
        ann, bob = await crowd(shop, "50.00", "40.00")
        answer = await shop.post(
            "mutation ($input: ChangeLeaderboardNameInput!)"
            " { changeLeaderboardName(input: $input) { errors { code } } }",
            {"input": {"member": {"id": ann}, "isHidden": True, "idempotencyKey": "x"}},
            member=bob,
        )
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        place = 'query ($by: MemberByInput) { leaderboard(name: "spenders") { place(member: $by) { place } } }'
        assert await shop.ask(place, {"by": {"id": ann}}, member=bob) == {"leaderboard": {"place": None}}
        assert await shop.ask(place, {"by": None}, member=bob) == {"leaderboard": {"place": {"place": 2}}}
        assert (await shop.post("{ leaderboards { name } }", role=Role.PARTNER))["errors"]


async def test_cursors_tell_nobodys_id(opened: Any) -> None:
    async with opened(MONTH) as shop:
        ann, bob, _ = await crowd(shop, "50.00", "50.00", "40.00")
        ids = [read_id(member)[1] for member in (ann, bob)]
        names, after = [], None
        for _ in range(3):
            found = (await ask(shop, "spenders", member=ann, first=1, after=after))["places"]
            after = found["pageInfo"]["endCursor"]
            names += [node["score"] for node in found["nodes"]]
            text = urlsafe_b64decode(after + "=" * (-len(after) % 4))[6:]
            inner = urlsafe_b64decode(text)
            assert not any(each.encode() in text + inner for each in ids)
        assert names == ["50.00", "50.00", "40.00"]


def test_a_key_is_unsealed_by_who_has_sealed_it_for_that_list_alone() -> None:
    sealed = seal("a secret", "spenders", '[5000,"x"]')

    assert unseal("a secret", "spenders", sealed) == '[5000,"x"]'
    for secret, place, said in (
        ("another", "spenders", sealed),
        ("a secret", "others", sealed),
        ("a secret", "spenders", sealed[:-4]),
        ("a secret", "spenders", '[5000,"x"]'),
        ("a secret", "spenders", ""),
    ):
        assert unseal(secret, place, said) == ""


async def test_who_has_left_stands_on_no_board_and_who_is_erased_has_no_name(opened: Any) -> None:
    async with opened(MONTH) as shop:
        ann, bob = await crowd(shop, "50.00", "40.00")
        await name(shop, ann, "Annie")
        shop.clock.advance(30 * DAY)
        await buy(shop, ann, "A2", "50.00")
        assert (
            await call(
                shop, "eraseMember", Role.ADMIN, member={"id": ann}, reason="she asked for it", idempotencyKey="e"
            )
            == []
        )

        assert (await ask(shop, "spenders"))["places"]["nodes"] == []
        former = (await ask(shop, "spenders", period="2026-01", member=bob))["places"]["nodes"]
        assert [(node["place"], node["name"]) for node in former] == [(1, None), (2, None)]


async def test_a_merged_members_score_goes_with_them_and_comes_back(shop: Shop) -> None:
    ann, bob, _ = await crowd(shop, "50.00", "40.00", "60.00")
    pair = {"from": {"id": ann}, "into": {"id": bob}}
    assert await call(shop, "mergeMembers", **pair, reason="the same person", idempotencyKey="m") == []
    await told(shop)
    assert await board(shop, "spenders") == [(1, "90.00", "bob"), (2, "60.00", "cid")]
    await send_back(shop, ann, "first 0", "20.00")
    await told(shop)
    assert await board(shop, "spenders") == [(1, "70.00", "bob"), (2, "60.00", "cid")]

    assert await call(shop, "undoMerge", member={"id": ann}, reason="they are two", idempotencyKey="u") == []
    await told(shop)

    assert {who for _, _, who in await board(shop, "spenders")} == {"ann", "bob", "cid"}
    reader = shop.laurel.store.reader()
    assert (
        await reader.query(
            "SELECT s.member_id FROM leaderboard_score s WHERE s.measure = 'spend/month/2' AND s.score <> (SELECT"
            " COALESCE(SUM(t.amount), 0) FROM tally t WHERE t.bucket = s.bucket AND t.member_id = s.member_id"
            " AND t.name = 'spend')"
        )
        == []
    )


async def test_a_winner_who_was_merged_after_the_close_wins_for_the_other(opened: Any) -> None:
    async with opened(MONTH) as shop:
        ann, bob = await crowd(shop, "50.00", "40.00")
        shop.clock.advance(30 * DAY)
        assert (
            await call(
                shop,
                "mergeMembers",
                **{"from": {"id": ann}, "into": {"id": bob}},
                reason="the same",
                idempotencyKey="m",
            )
            == []
        )
        await told(shop)

        assert await shop.laurel.jobs.run("leaderboard") >= 2

        assert await balance(shop, bob) == 90 + 1000 + 300
        won = await of_member(shop, bob, "leaderboardAwards { place }")
        assert sorted(each["place"] for each in won["leaderboardAwards"]) == [1, 2]


async def merge(shop: Shop, one: str, other: str) -> None:
    ids = {"from": {"id": one}, "into": {"id": other}}
    assert await call(shop, "mergeMembers", **ids, reason="the same", idempotencyKey="m") == []
    await told(shop)


async def test_a_winner_who_was_merged_twice_after_the_close_wins_for_the_last_one(opened: Any) -> None:
    async with opened(MONTH) as shop:
        ann, bob, cid = await crowd(shop, "50.00", "40.00", "5.00")
        shop.clock.advance(30 * DAY)
        await merge(shop, ann, bob)
        await merge(shop, bob, cid)

        assert await shop.laurel.jobs.run("leaderboard") >= 2

        assert await balance(shop, cid) == 95 + 1000 + 300


@pytest.mark.parametrize("undone", [False, True])
async def test_a_merge_between_two_runs_of_which_one_was_cut_short_brings_no_prize_twice(
    opened: Any, undone: bool
) -> None:
    async with opened(MONTH) as shop:
        ann, bob = await crowd(shop, "50.00", "40.00")
        shop.clock.advance(30 * DAY)
        if undone:
            await merge(shop, ann, bob)
        await shop.laurel.jobs.run("leaderboard")
        if undone:
            assert await call(shop, "undoMerge", member={"id": ann}, reason="they differ", idempotencyKey="u") == []
            await told(shop)
        else:
            await merge(shop, ann, bob)
        had = await balance(shop, ann), await balance(shop, bob)

        # It had given all prizes, and was killed before it could say so.
        await JobRow.filter(name="leaderboard").update(succeeded_at=None)
        await shop.laurel.jobs.run("leaderboard")

        assert (await balance(shop, ann), await balance(shop, bob)) == had


# -- at the same time, and with very many -------------------------------------------------------------


async def test_orders_of_many_members_at_once_are_all_counted(shop: Shop) -> None:
    members = await crowd(shop, "1.00", "1.00", "1.00", "1.00", "1.00", "1.00")

    await asyncio.gather(
        *(buy(shop, member, f"{member} {number}", "1.00") for number in range(5) for member in members)
    )

    found = await board(shop, "spenders")
    assert [(place, score) for place, score, _ in found] == [(1, "6.00")] * 6
    assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


async def fill(shop: Shop, members: int) -> None:
    """So many others on the board of spenders in January, the n-th with a score of n."""
    for first in range(0, members, 5_000):
        numbers = range(first + 1, min(first + 5_000, members) + 1)
        rows = ", ".join(
            f"({bucket_of(f'{number:036}')}, '{number:036}', 'spend/month/2', 20260101, {number})" for number in numbers
        )
        client = shop.laurel.store.reader().client
        await client.execute_query(
            f"INSERT INTO leaderboard_score (bucket, member_id, measure, period, score) VALUES {rows}"
        )


async def plans(shop: Shop, seen: list[tuple[str, list[Any]]]) -> list[str]:
    """How the database goes about each of these statements."""
    client: Any = get_connection("default")
    found = []
    dialect = client.capabilities.dialect
    for sql, values in seen:
        if dialect == "sqlite":
            rows = await client.execute_query_dict(f"EXPLAIN QUERY PLAN {sql}", values)
            found.append(" / ".join(row["detail"] for row in rows))
        elif dialect == "postgres":
            rows = await client.execute_query_dict(f"EXPLAIN (COSTS OFF) {sql}", values)
            found.append(" / ".join(row["QUERY PLAN"] for row in rows))
    return found


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[Any]]]:
    """The statements about scores that are sent meanwhile, with their values."""
    seen: list[tuple[str, list[Any]]] = []
    query = Reader.query

    async def note(self: Reader, sql: str, values: Any = ()) -> Any:
        if "leaderboard_score" in sql:
            seen.append((sql, list(values)))
        return await query(self, sql, values)

    monkeypatch.setattr(Reader, "query", note)
    return seen


async def test_a_page_a_place_and_neighbours_are_found_by_the_index(
    shop: Shop, noted: list[tuple[str, list[Any]]]
) -> None:
    ann, *_ = await crowd(shop, "100.00", "0.05")
    await fill(shop, 20_000)
    if shop.laurel.store.reader().client.capabilities.dialect == "postgres":
        await shop.laurel.store.reader().client.execute_script("ANALYZE leaderboard_score")
    noted.clear()

    page = await ask(shop, "spenders", first=50)
    await ask(shop, "spenders", first=50, after=page["places"]["pageInfo"]["endCursor"])
    await shop.ask(OWN, {"name": "spenders", "by": {"externalId": "bob"}})
    found = await own(shop, "spenders", "ann")
    shop.clock.advance(30 * DAY)
    await shop.laurel.jobs.run("leaderboard")

    # Beyond ten thousand nobody is counted; ann has 10 000 cents, and 10 000 are ahead.
    assert found["place"] == {"place": None, "score": "100.00", "isOwn": False}
    assert len(noted) >= 8
    ways = await plans(shop, noted)
    if shop.laurel.store.reader().client.capabilities.dialect == "sqlite":
        # No more are read than are shown, of those who are level neither, downwards or upwards.
        assert {sign for sign in "<>" if any(f"(score,member_id){sign}(?,?)" in way for way in ways)} == {"<", ">"}
        between = [way for (sql, _), way in zip(noted, ways, strict=True) if "(score, member_id)" in sql]
        assert all("(score,member_id)" in way for way in between)
    for plan in ways:
        assert "SCAN leaderboard_score" not in plan, plan
        assert "SCAN s" not in plan, plan
        assert "Seq Scan on leaderboard_score" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan
        assert "Sort" not in plan, plan
    assert ann


async def test_a_page_costs_as_many_statements_whoever_stands_on_it(opened: Any) -> None:
    async with opened(MONTH) as shop:
        ids = count()
        for _ in range(20):
            member = await shop.enrol(f"m{next(ids)}")
            await buy(shop, member, f"order of {member}", "10.00")
        counted: dict[str, set[int]] = {"top": set(), "further": set()}
        for first in (1, 5, 10):
            for which, after in (("top", None), ("further", "yes")):
                if after:
                    after = (await ask(shop, "spenders", first=2))["places"]["pageInfo"]["endCursor"]
                async with statements() as seen:
                    nodes = (await ask(shop, "spenders", first=first, after=after))["places"]["nodes"]
                assert len(nodes) == first
                counted[which].add(len(seen))

    # The page, who may be read, and the names; and where the page begins.
    assert counted == {"top": {3}, "further": {4}}


async def test_an_order_costs_three_statements_more_with_boards(opened: Any) -> None:
    costs = []
    for boards in ((), (MONTH, POINTS, DAILY)):
        async with opened(*boards) as shop:
            (ann,) = await crowd(shop, "1.00")
            async with statements() as seen:
                await buy(shop, ann, "A2", "1.00")
            # SQLite notes each row of what is written by one.
            costs.append([sql.partition("VALUES")[0] for sql in seen])

    more = set(costs[1]) - set(costs[0])
    assert sum(sql.startswith("SELECT") for sql in costs[1]) - sum(sql.startswith("SELECT") for sql in costs[0]) == 2
    assert [sql for sql in more if not sql.startswith("SELECT")] == [
        "INSERT INTO leaderboard_score (bucket, member_id, measure, period, score) "
    ]


async def test_what_the_readme_shows_loads_and_can_be_pasted(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    text = (ROOT / "plugins" / "leaderboard" / "README.md").read_text(encoding="utf-8")
    section = text.split("```yaml\nchannels:\n")[1].split("```")[0]
    async with shop_at(sqlite_folder.migrated(apps), document(section), PLUGINS) as shop:
        await crowd(shop, "50.00", "40.00")

        shown = await shop.ask(text.split("```graphql\n")[1].split("```")[0])

    assert [each["name"] for each in shown["leaderboards"]] == ["spenders", "collectors"]
    assert shown["leaderboard"]["place"] == {"place": 1, "score": "50.00"}
    assert len(shown["leaderboard"]["neighbours"]) == 2


async def test_the_document_of_the_ecosystem_has_a_board(tmp_path: Path) -> None:
    document = (ROOT / "examples" / "programmes" / "ecosystem.yaml").read_text(encoding="utf-8")
    async with open_shop(tmp_path, document, plugins=load_plugins()) as shop:
        (ann,) = await crowd(shop, "500.00")
        assert read_id(ann)

        assert await board(shop, "spenders") == [(1, "500.00", "ann")]


# -- what holds for all of them -----------------------------------------------------------------------


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(0, 11))
def test_a_place_is_one_more_than_there_are_better_ones(scores: list[int], start: int) -> None:
    scores.sort(reverse=True)
    expected = [1 + sum(other > score for other in scores) for score in scores]

    assert list(places(scores)) == expected
    # A page that begins in the midst of it goes on alike.
    if start < len(scores):
        assert list(places(scores[start:], expected[start], start)) == expected[start:]


@given(st.sampled_from(["day", "week", "month", "quarter"]), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_periods_have_their_names_and_follow_one_another(kind: PeriodKind, day: date) -> None:
    period = period_of(kind, day)

    assert period.first <= day <= period.last
    assert period_named(kind, period.name) == period
    assert period_after(kind, period).first == period.last + DAY
    assert {period_of(kind, period.first), period_of(kind, period.last)} == {period}
