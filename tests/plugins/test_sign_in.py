"""Signing in through the schema, with the numbers of the documents, on every database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from core.errors import ProgrammeInvalid
from core.rulebook.programme import load_programme
from graph.laurel import tables
from graph.testing import Shop, open_shop
from plugins.sign_in.rules import Days, Month, bit, days_of
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse, standing

PLUGINS: Final = only("sign_in")
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
NEW_YORK: Final = ZoneInfo("America/New_York")

MOTHER_BABY: Final = """[
  {id: base, add: sum, rules: [
    {id: daily, points: 5},
    {id: week, when: "(event.streak + 1) % 7 == 0", points: 50}]}]"""
COFFEE: Final = '[{id: base, add: sum, rules: [{id: rising, points: "min([5 + event.streak, 15])"}]}]'
SME: Final = '[{id: base, add: sum, rules: [{id: rising, points: "min([1 + event.streak, 5])"}]}]'

SIGN_IN: Final = """
mutation ($input: RecordSignInInput!) {
  recordSignIn(input: $input) {
    replayed
    transaction { channel kind entries { unit amount } }
    errors {
      code
      message
      ... on AlreadySignedIn { day streak resetsAt }
      ... on SignInNotOffered { at }
      ... on MemberNotActive { status }
    }
  }
}"""
MAKE_UP: Final = """
mutation ($input: MakeUpSignInInput!) {
  makeUpSignIn(input: $input) {
    transaction { id channel kind entries { unit amount } }
    errors {
      code
      ... on DayNotMissed { day }
      ... on DayOutOfReach { day earliest latest }
      ... on MakeUpsUsedUp { limit resetsAt }
      ... on MakeUpNotOffered { at }
      ... on InsufficientPoints { needed available }
      ... on MemberNotActive { status }
      ... on MemberNotFound { member }
    }
  }
}"""


def programme(groups: str, *, zone: str = "Asia/Shanghai", make_up: str = "") -> str:
    return (
        f"id: shop\ncurrency: CNY\ntimezone: {zone}\n"
        f"channels:\n  sign_in:\n    {make_up}\n    earn:\n      points:\n        groups: {groups}\n"
    )


def shop_with(url: str, document: str) -> AbstractAsyncContextManager[Shop]:
    # Members enrol on a first of January, long before they sign in.
    return open_shop(url, document, plugins=PLUGINS, now=datetime(2024, 1, 1, 12, tzinfo=UTC))


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def quick_url(sqlite_folder: SqliteFolder, apps: Apps) -> str:
    """A database on SQLite, for what is about days and not about storage."""
    return sqlite_folder.migrated(apps)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """The mother and baby shop, with make-ups, on every database."""
    document = programme(MOTHER_BABY, make_up="make_up: {cost: 20, days: 7, a_month: 2}")
    async with shop_with(fresh_database, document) as shop:
        yield shop


def noon(day: date, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=zone)


async def sign_in(shop: Shop, member: str, at: datetime, key: str | None = None) -> dict[str, Any]:
    """The answer to a visit at that moment."""
    shop.clock.set(at)
    variables = {"input": {"member": {"id": member}, "idempotencyKey": key or f"visit:{at.isoformat()}"}}
    answer: dict[str, Any] = (await shop.ask(SIGN_IN, variables))["recordSignIn"]
    return answer


async def earned(shop: Shop, member: str, at: datetime) -> int:
    """What a visit at that moment brings; it must not be refused."""
    answer = await sign_in(shop, member, at)
    assert answer["errors"] == []
    amount: int = answer["transaction"]["entries"][0]["amount"]
    return amount


async def make_up(shop: Shop, member: str, day: str, key: str = "") -> dict[str, Any]:
    variables = {"input": {"member": {"id": member}, "day": day, "idempotencyKey": key or f"make-up:{day}"}}
    answer: dict[str, Any] = (await shop.ask(MAKE_UP, variables))["makeUpSignIn"]
    return answer


async def status(shop: Shop, member: str, more: str = "") -> dict[str, Any]:
    query = (
        "query ($id: ID!) { node(id: $id) { ... on Member {"
        f" signIn {{ streak doneToday resetsAt makeUpCost makeUpsLeft missed {more} }} }} }} }}"
    )
    answer: dict[str, Any] = (await shop.ask(query, {"id": member}))["node"]["signIn"]
    return answer


# -- what a day brings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (MOTHER_BABY, {1: 5, 6: 5, 7: 55, 8: 5, 14: 55}),
        (COFFEE, {1: 5, 10: 14, 11: 15, 31: 15}),
        (SME, {1: 1, 2: 2, 4: 4, 5: 5, 6: 5}),
    ],
    ids=["mother-baby", "coffee-shop", "sme"],
)
async def test_a_day_brings_what_the_documents_say(quick_url: str, groups: str, expected: dict[int, int]) -> None:
    async with shop_with(quick_url, programme(groups)) as shop:
        ann = await shop.enrol("ann")

        brought = {
            number: await earned(shop, ann, noon(date(2026, 5, 20) + timedelta(days=number)))
            for number in range(1, max(expected) + 1)
        }

    assert {number: brought[number] for number in expected} == expected


async def test_a_visit_answers_with_what_it_brought(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    answer = await sign_in(shop, ann, noon(date(2026, 6, 1)))

    assert answer == {
        "replayed": False,
        "transaction": {"channel": "sign_in", "kind": "record", "entries": [{"unit": "points", "amount": 5}]},
        "errors": [],
    }
    assert await status(shop, ann, "calendar { day isMadeUp }") == {
        "streak": 1,
        "doneToday": True,
        "resetsAt": "2026-06-01T16:00:00Z",
        "makeUpCost": 20,
        "makeUpsLeft": 2,
        "missed": [f"2026-05-{day}" for day in range(25, 32)],
        "calendar": [{"day": "2026-06-01", "isMadeUp": False}],
    }


async def test_a_missed_day_begins_the_row_anew(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    for day in range(1, 7):
        await earned(shop, ann, noon(date(2026, 6, day)))

    seventh_visit = await earned(shop, ann, noon(date(2026, 6, 8)))

    assert seventh_visit == 5
    assert (await status(shop, ann))["streak"] == 1


async def test_the_row_shows_until_the_next_day_is_over(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await earned(shop, ann, noon(date(2026, 6, 1)))
    await earned(shop, ann, noon(date(2026, 6, 2)))

    shop.clock.set(noon(date(2026, 6, 3)))
    next_day = await status(shop, ann)
    shop.clock.set(noon(date(2026, 6, 4)))
    day_after = await status(shop, ann)

    assert (next_day["streak"], next_day["doneToday"]) == (2, False)
    assert (day_after["streak"], day_after["doneToday"]) == (0, False)


async def test_a_double_tap_earns_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await sign_in(shop, ann, noon(date(2026, 6, 1)), "first tap")
    before = await standing(shop, ann)

    tapped_again = await sign_in(shop, ann, noon(date(2026, 6, 1)), "second tap")
    sent_again = await sign_in(shop, ann, noon(date(2026, 6, 1)), "first tap")

    assert tapped_again == {
        "replayed": False,
        "transaction": None,
        "errors": [
            {
                "code": "ALREADY_SIGNED_IN",
                "message": "signed in on 2026-06-01 already; again from 2026-06-01 16:00:00+00:00",
                "day": "2026-06-01",
                "streak": 1,
                "resetsAt": "2026-06-01T16:00:00Z",
            }
        ],
    }
    assert (sent_again["replayed"], sent_again["errors"]) == (True, [])
    assert await standing(shop, ann) == before == (5, 2)


async def test_ten_taps_at_once_earn_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    at = noon(date(2026, 6, 1))

    answers = await asyncio.gather(*(sign_in(shop, ann, at, f"tap {number}") for number in range(10)))

    codes = [error["code"] for answer in answers for error in answer["errors"]]
    assert codes == ["ALREADY_SIGNED_IN"] * 9
    assert await standing(shop, ann) == (5, 2)


# -- days are the programme's -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "moments"),
    [
        # The same day in UTC, two days in the shop; and the reverse.
        (SHANGHAI, ["2026-06-01 23:59", "2026-06-02 00:01", "2026-06-03 00:01", "2026-06-04 23:59"]),
        (NEW_YORK, ["2026-06-01 23:59", "2026-06-02 00:01", "2026-06-03 23:59", "2026-06-04 00:01"]),
        # Clocks go forward on 8 March and back on 1 November 2026.
        (NEW_YORK, ["2026-03-07 23:59", "2026-03-08 00:01", "2026-03-09 23:59", "2026-03-10 00:01"]),
        (NEW_YORK, ["2026-10-31 23:59", "2026-11-01 23:59", "2026-11-02 00:01", "2026-11-03 00:01"]),
        # The end of a month, of a year, and a leap day.
        (SHANGHAI, ["2026-04-29 12:00", "2026-04-30 23:59", "2026-05-01 00:01", "2026-05-02 12:00"]),
        (SHANGHAI, ["2025-12-30 12:00", "2025-12-31 23:59", "2026-01-01 00:01", "2026-01-02 12:00"]),
        (SHANGHAI, ["2028-02-28 23:59", "2028-02-29 00:01", "2028-03-01 00:01", "2028-03-02 23:59"]),
        (NEW_YORK, ["2026-02-27 12:00", "2026-02-28 23:59", "2026-03-01 00:01", "2026-03-02 12:00"]),
    ],
)
async def test_four_days_in_a_row_are_a_row_wherever_the_shop_is(
    quick_url: str, zone: ZoneInfo, moments: list[str]
) -> None:
    async with shop_with(quick_url, programme(SME, zone=zone.key)) as shop:
        ann = await shop.enrol("ann")

        brought = [await earned(shop, ann, datetime.fromisoformat(moment).replace(tzinfo=zone)) for moment in moments]

    assert brought == [1, 2, 3, 4]


async def test_the_second_visit_of_a_day_with_an_hour_more_is_refused_until_it_ends(quick_url: str) -> None:
    async with shop_with(quick_url, programme(SME, zone=NEW_YORK.key)) as shop:
        ann = await shop.enrol("ann")
        await earned(shop, ann, datetime(2026, 11, 1, 0, 1, tzinfo=NEW_YORK))

        late = await sign_in(shop, ann, datetime(2026, 11, 1, 23, 59, tzinfo=NEW_YORK))

    assert late["errors"][0]["resetsAt"] == "2026-11-02T05:00:00Z"


async def test_a_row_goes_on_over_years(quick_url: str) -> None:
    async with shop_with(quick_url, programme(COFFEE)) as shop:
        ann = await shop.enrol("ann")
        for number in range(62):
            await earned(shop, ann, noon(date(2025, 12, 1) + timedelta(days=number)))

        held = await status(shop, ann, 'december: calendar(month: "2025-12-24") { day }')

    assert held["streak"] == 62
    assert len(held["december"]) == 31


def test_a_streak_ends_at_the_first_gap() -> None:
    days = Days({202602: Month(0b1111 << 24), 202603: Month(0b10111)})

    assert [days.streak(date(2026, 3, day)) for day in range(1, 7)] == [5, 6, 7, 0, 1, 0]
    assert date(2026, 3, 5) in days
    assert date(2026, 3, 4) not in days
    assert bit(date(2026, 3, 31)) == 1 << 30
    assert days_of([]).streak(date(2026, 3, 1)) == 0


# -- make-ups -----------------------------------------------------------------------------------------


async def test_a_missed_day_that_is_made_up_mends_the_row(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    for day in (1, 2, 3, 5, 6):
        await earned(shop, ann, noon(date(2026, 6, day)))
    before = await standing(shop, ann)
    shop.clock.set(noon(date(2026, 6, 7)))

    answer = await make_up(shop, ann, "2026-06-04")

    answer["transaction"].pop("id")
    assert answer == {
        "transaction": {"channel": "sign_in", "kind": "make_up", "entries": [{"unit": "points", "amount": -20}]},
        "errors": [],
    }
    assert await standing(shop, ann) == (before[0] - 20, before[1] + 1)
    held = await status(shop, ann, "calendar { day isMadeUp }")
    assert (held["streak"], held["makeUpsLeft"], held["missed"]) == (6, 1, ["2026-05-31"])
    assert [day["day"][-2:] for day in held["calendar"] if day["isMadeUp"]] == ["04"]
    assert await earned(shop, ann, noon(date(2026, 6, 7))) == 55


async def test_no_more_days_are_made_up_than_a_month_allows(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await shop.give(ann, 100, "gift")
    shop.clock.set(noon(date(2026, 6, 28)))
    await make_up(shop, ann, "2026-06-25")
    await make_up(shop, ann, "2026-06-26")
    before = await standing(shop, ann)

    refused = await make_up(shop, ann, "2026-06-27", "third")
    shop.clock.set(datetime(2026, 7, 1, 0, 1, tzinfo=SHANGHAI))
    next_month = await make_up(shop, ann, "2026-06-27", "in july")

    assert refused == {
        "transaction": None,
        "errors": [{"code": "MAKE_UPS_USED_UP", "limit": 2, "resetsAt": "2026-06-30T16:00:00Z"}],
    }
    assert before == (60, 4)
    assert next_month["errors"] == []


@pytest.mark.parametrize(
    ("day", "points", "error"),
    [
        ("2026-06-08", 50, {"code": "DAY_NOT_MISSED", "day": "2026-06-08"}),
        ("2026-06-10", 50, "out of reach"),
        ("2026-06-11", 50, "out of reach"),
        ("2026-06-02", 50, "out of reach"),
        ("0001-01-01", 50, "out of reach"),
        ("9999-12-31", 50, "out of reach"),
        ("2026-06-09", 10, {"code": "INSUFFICIENT_POINTS", "needed": 20, "available": 15}),
    ],
)
async def test_a_day_that_cannot_be_made_up_is_refused(
    shop: Shop, day: str, points: int, error: str | dict[str, Any]
) -> None:
    ann = await shop.enrol("ann")
    await shop.give(ann, points, "gift")
    await earned(shop, ann, noon(date(2026, 6, 8)))
    shop.clock.set(noon(date(2026, 6, 10)))
    before = await standing(shop, ann)

    answer = await make_up(shop, ann, day)

    if error == "out of reach":
        error = {"code": "DAY_OUT_OF_REACH", "day": day, "earliest": "2026-06-03", "latest": "2026-06-09"}
    assert answer == {"transaction": None, "errors": [error]}
    assert await standing(shop, ann) == before


async def test_no_day_before_the_membership_is_made_up(shop: Shop) -> None:
    shop.clock.set(noon(date(2026, 6, 8)))
    ann = await shop.enrol("ann")
    await shop.give(ann, 50, "gift")
    shop.clock.set(noon(date(2026, 6, 10)))

    before = await make_up(shop, ann, "2026-06-07")
    first = await make_up(shop, ann, "2026-06-08")

    assert before["errors"][0]["earliest"] == "2026-06-08"
    assert first["errors"] == []


async def test_where_the_programme_has_no_make_ups_there_are_none(quick_url: str) -> None:
    async with shop_with(quick_url, programme(SME)) as shop:
        ann = await shop.enrol("ann")

        answer = await make_up(shop, ann, "2023-12-31")
        held = await status(shop, ann)

    assert answer["errors"] == [{"code": "MAKE_UP_NOT_OFFERED", "at": "2024-01-01T12:00:00Z"}]
    assert (held["makeUpCost"], held["makeUpsLeft"], held["missed"]) == (None, 0, [])


# -- reversals ----------------------------------------------------------------------------------------


async def test_a_visit_that_is_reversed_has_never_been(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await earned(shop, ann, noon(date(2026, 6, 1)))
    answer = await shop.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member { transactions(first: 1) { nodes { id } } } } }", {"id": ann}
    )

    await reverse(shop, answer["node"]["transactions"]["nodes"][0]["id"])

    held = await status(shop, ann)
    assert (held["streak"], held["doneToday"]) == (0, False)
    assert (await standing(shop, ann))[0] == 0
    assert await earned(shop, ann, noon(date(2026, 6, 1)) + timedelta(minutes=5)) == 5


async def test_a_make_up_that_is_reversed_gives_the_points_back_and_the_gap(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await shop.give(ann, 30, "gift")
    shop.clock.set(noon(date(2026, 6, 3)))
    bought = await make_up(shop, ann, "2026-06-02")

    await reverse(shop, bought["transaction"]["id"])

    held = await status(shop, ann, "calendar { day }")
    assert (held["streak"], held["makeUpsLeft"], held["calendar"]) == (0, 2, [])
    assert (await standing(shop, ann))[0] == 30


# -- who, and when not --------------------------------------------------------------------------------


async def test_a_frozen_member_neither_signs_in_nor_makes_up(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await freeze(shop, ann)
    before = await standing(shop, ann)

    visit = await sign_in(shop, ann, noon(date(2026, 6, 1)))
    bought = await make_up(shop, ann, "2026-05-31")

    assert visit["errors"][0] == {"code": "MEMBER_NOT_ACTIVE", "message": "the member is frozen", "status": "frozen"}
    assert bought["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]
    assert await standing(shop, ann) == before


async def test_a_programme_without_the_section_knows_no_sign_in(quick_url: str) -> None:
    async with shop_with(quick_url, "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n") as shop:
        ann = await shop.enrol("ann")

        answer = await sign_in(shop, ann, noon(date(2026, 6, 1)))

        assert await status(shop, ann) is None
    assert answer["errors"] == [
        {
            "code": "SIGN_IN_NOT_OFFERED",
            "message": "the programme in force at 2026-06-01 04:00:00+00:00 knows no sign-in",
            "at": "2026-06-01T04:00:00Z",
        }
    ]


async def test_a_member_signs_in_for_themselves_only(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    variables = {"input": {"member": {"id": ann}, "idempotencyKey": "tap"}}

    by_bob = await shop.post(SIGN_IN, variables, member=bob)
    by_nobody = await shop.post(SIGN_IN, variables, role=None)
    before = await standing(shop, ann)
    by_ann = await shop.ask(SIGN_IN, variables, member=ann)

    assert by_bob["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert by_nobody["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert before == (0, 1)
    assert by_ann["recordSignIn"]["errors"] == []


async def test_nobody_makes_up_a_day_for_an_unknown_member(shop: Shop) -> None:
    variables = {"input": {"member": {"externalId": "nobody"}, "day": "2023-12-31", "idempotencyKey": "x"}}

    answer = (await shop.ask(MAKE_UP, variables))["makeUpSignIn"]

    assert answer == {"transaction": None, "errors": [{"code": "MEMBER_NOT_FOUND", "member": "nobody"}]}


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{}", "earn: is missing"),
        ("{earn: {}}", "earn"),
        ('{earn: {points: {groups: [{id: a, add: sum, rules: [{id: b, points: "event.row"}]}]}}}', "row"),
        (f"{{earn: {{points: {{groups: {SME}}}}}, make_up: {{cost: -1, days: 7, a_month: 3}}}}", "make_up.cost"),
        (f"{{earn: {{points: {{groups: {SME}}}}}, make_up: {{cost: 1, days: 0, a_month: 3}}}}", "make_up.days"),
        (f"{{earn: {{points: {{groups: {SME}}}}}, make_up: {{cost: 1, days: 7, a_month: 32}}}}", "make_up.a_month"),
    ],
)
def test_a_section_that_cannot_be_meant_is_not_published(section: str, problem: str) -> None:
    document = f"id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\nchannels:\n  sign_in: {section}\n"

    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme(document, PLUGINS.settings)

    assert problem in str(refused.value)


def test_signing_in_is_a_fact_that_tiers_can_ask_for() -> None:
    assert "sign_ins" in PLUGINS.facts


# -- what lies ahead ----------------------------------------------------------------------------------


async def test_the_calendar_says_what_each_day_continued_and_what_the_next_ones_bring(quick_url: str) -> None:
    document = programme(MOTHER_BABY, make_up="make_up: {cost: 1, days: 7, a_month: 2}")
    async with shop_with(quick_url, document) as shop:
        ann = await shop.enrol("ann")
        for number in (1, 2, 3, 5):
            await earned(shop, ann, noon(date(2026, 6, number)))
        assert (await make_up(shop, ann, "2026-06-04"))["errors"] == []
        shown = "calendar { day isMadeUp streak } ahead(days: 3) { day streak brings { unit amount } } longestStreak"
        held = await status(shop, ann, shown)

        assert [(day["day"][-2:], day["streak"]) for day in held["calendar"]] == [
            ("01", 1),
            ("02", 2),
            ("03", 3),
            ("04", 4),
            ("05", 5),
        ]
        assert held["ahead"] == [
            {"day": "2026-06-06", "streak": 6, "brings": [{"unit": "points", "amount": 5}]},
            {"day": "2026-06-07", "streak": 7, "brings": [{"unit": "points", "amount": 55}]},
            {"day": "2026-06-08", "streak": 8, "brings": [{"unit": "points", "amount": 5}]},
        ]
        assert held["longestStreak"] == 5
        shop.clock.set(noon(date(2026, 6, 6)))
        held = await status(shop, ann, "ahead(days: 1) { day streak }")
        assert held["ahead"] == [{"day": "2026-06-06", "streak": 6}]
        shop.clock.set(noon(date(2026, 6, 7)))
        held = await status(shop, ann, "ahead(days: 1) { day streak } y: longestStreak(year: 2025)")
        assert (held["ahead"], held["y"]) == ([{"day": "2026-06-07", "streak": 1}], 0)


async def test_what_lies_ahead_is_what_signing_in_then_brings(quick_url: str) -> None:
    async with shop_with(quick_url, programme(COFFEE)) as shop:
        ann = await shop.enrol("ann")
        shop.clock.set(noon(date(2026, 6, 1)))
        held = await status(shop, ann, "ahead(days: 13) { brings { amount } }")
        promised = [day["brings"][0]["amount"] for day in held["ahead"]]
        had = [await earned(shop, ann, noon(date(2026, 6, number))) for number in range(1, 14)]

    assert promised == had == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15, 15]


@pytest.mark.parametrize("wrong", ["ahead(days: 0) { day }", "ahead(days: 32) { day }", "longestStreak(year: 0)"])
async def test_what_cannot_be_looked_at_is_refused(quick_url: str, wrong: str) -> None:
    async with shop_with(quick_url, programme(COFFEE)) as shop:
        ann = await shop.enrol("ann")
        answer = await shop.post(
            f"query ($id: ID!) {{ member(by: {{id: $id}}) {{ signIn {{ {wrong} }} }} }}", {"id": ann}
        )

    assert answer["errors"][0]["extensions"]["code"] == "INVALID_VALUE"
