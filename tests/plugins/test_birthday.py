"""Birthday gifts through the schema: once a year, by the birthday that was known first, on every database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest

from core.engine.operations import Outcome
from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from core.rulebook.publishing import publish
from graph.laurel import tables
from graph.testing import Shop
from graph.tokens import Role
from plugins.birthday.operations import gifts_due
from plugins.birthday.rules import Window, born_on
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, standing
from tests.plugins.orders import balance, document, of_member, shop_at

PLUGINS: Final = only("purchase", "birthday")
DAY: Final = timedelta(days=1)

CLAIM: Final = """
mutation ($input: ClaimBirthdayGiftInput!) {
  claimBirthdayGift(input: $input) {
    replayed
    errors {
      code
      ... on BirthdaysNotOffered { at }
      ... on NotTheBirthday { opensOn closesOn }
      ... on BirthdayGiftAlreadyGiven { givenAt opensOn }
      ... on MemberTooNew { days enrolledAt }
      ... on MemberNotActive { status }
    }
  }
}"""
CHANGE: Final = """
mutation ($input: ChangeBirthdayInput!) {
  changeBirthday(input: $input) {
    member { birthday }
    errors { code ... on BirthdayChangedLately { changedAt opensAt } ... on InvalidValue { field } }
  }
}"""


def programme(settings: str = "") -> str:
    return document(f"  birthday: {{points: 88{settings and ', '}{settings}}}")


def opened(url: str, settings: str = "") -> AbstractAsyncContextManager[Shop]:
    return shop_at(url, programme(settings), PLUGINS)


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def quick_url(sqlite_folder: SqliteFolder, apps: Apps) -> str:
    return sqlite_folder.migrated(apps)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """88 points on the day, on every database."""
    async with opened(fresh_database) as shop:
        yield shop


async def born(shop: Shop, name: str, birthday: str | None) -> str:
    """A new member with that birthday."""
    given = {"externalId": name, "birthday": birthday, "idempotencyKey": f"enrol:{name}"}
    data = await shop.ask(
        "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { member { id } errors { message } } }",
        {"input": {key: value for key, value in given.items() if value is not None}},
    )
    assert data["enrolMember"]["errors"] == []
    member: str = data["enrolMember"]["member"]["id"]
    return member


async def update(shop: Shop, member: str, birthday: str) -> None:
    """Change the birthday in the profile, as the brand's backend can."""
    given = {"member": {"id": member}, "birthday": birthday, "idempotencyKey": f"born {birthday}"}
    data = await shop.ask(
        "mutation ($input: UpdateMemberInput!) { updateMember(input: $input) { errors { message } } }",
        {"input": given},
    )
    assert data["updateMember"]["errors"] == []


async def change(shop: Shop, member: str, birthday: str) -> list[dict[str, Any]]:
    """Correct it, as an operator."""
    given = {"member": {"id": member}, "birthday": birthday, "reason": "her passport", "idempotencyKey": birthday}
    answer = (await shop.ask(CHANGE, {"input": given}, role=Role.OPERATOR))["changeBirthday"]
    errors: list[dict[str, Any]] = answer["errors"]
    assert errors or answer["member"] == {"birthday": birthday}
    return errors


async def claim(shop: Shop, member: str, key: str | None = None) -> list[dict[str, Any]]:
    given = {"member": {"id": member}, "idempotencyKey": key or f"at {shop.clock.now().isoformat()}"}
    errors: list[dict[str, Any]] = (await shop.ask(CLAIM, {"input": given}))["claimBirthdayGift"]["errors"]
    return errors


async def refused(shop: Shop, member: str) -> dict[str, Any]:
    """The refusal of a claim, which must leave everything as it was."""
    before = await standing(shop, member)
    (error,) = await claim(shop, member)
    assert await standing(shop, member) == before
    return error


def noon(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T12:00:00+08:00")


async def due(shop: Shop) -> list[Outcome | BaseException]:
    """What becomes of the gifts that are due today."""
    now = shop.clock.now()
    version = shop.laurel.programmes.at(now)
    gifts = await gifts_due(shop.laurel.store.reader(), version.programme, now)
    return list(await shop.laurel.committer.submit_many(gifts)) if gifts else []


# -- the gift -----------------------------------------------------------------------------------------


async def test_the_gift_can_be_had_on_the_day_once_a_year(shop: Shop) -> None:
    ann = await born(shop, "ann", "1990-03-08")
    early = {"code": "NOT_THE_BIRTHDAY", "opensOn": "2026-03-08", "closesOn": "2026-03-08"}
    shop.clock.set(datetime(2026, 3, 7, 15, 59, tzinfo=UTC))  # 23:59 in Shanghai
    assert await refused(shop, ann) == early
    shop.clock.set(datetime(2026, 3, 7, 16, 1, tzinfo=UTC))
    assert await claim(shop, ann) == []
    assert await balance(shop, ann) == 88

    given = {"code": "BIRTHDAY_GIFT_ALREADY_GIVEN", "givenAt": "2026-03-07T16:01:00Z", "opensOn": "2027-03-08"}
    shop.clock.set(noon("2026-03-08"))
    assert await refused(shop, ann) == given

    shop.clock.set(noon("2027-03-08"))
    assert await claim(shop, ann) == []
    assert await verify(shop.laurel.store.reader()) == []


async def test_a_double_tap_is_one_gift(shop: Shop) -> None:
    ann = await born(shop, "ann", "1990-03-08")
    shop.clock.set(noon("2026-03-08"))

    taps = await asyncio.gather(*(claim(shop, ann, f"tap {number}") for number in range(5)))

    assert sorted(len(tap) for tap in taps) == [0, 1, 1, 1, 1]
    assert await balance(shop, ann) == 88


async def test_a_missed_birthday_is_gone(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann = await born(shop, "ann", "1990-03-08")
        shop.clock.set(noon("2026-03-09"))

        assert await refused(shop, ann) == {
            "code": "NOT_THE_BIRTHDAY", "opensOn": "2027-03-08", "closesOn": "2027-03-08",
        }  # fmt: skip


async def test_the_gift_can_be_had_in_the_whole_month(quick_url: str) -> None:
    async with opened(quick_url, "within: month") as shop:
        ann = await born(shop, "ann", "1990-03-08")
        shop.clock.set(noon("2026-02-28"))
        assert (await refused(shop, ann))["code"] == "NOT_THE_BIRTHDAY"
        shop.clock.set(noon("2026-03-31"))
        assert await claim(shop, ann) == []
        shop.clock.set(noon("2027-03-01"))
        assert await claim(shop, ann) == []

        assert await balance(shop, ann) == 88 + 88


@pytest.mark.parametrize(("today", "taken"), [("2026-02-28", True), ("2028-02-28", False), ("2028-02-29", True)])
async def test_who_was_born_on_29_february_has_a_birthday_every_year(quick_url: str, today: str, taken: bool) -> None:
    async with opened(quick_url) as shop:
        ann = await born(shop, "ann", "2000-02-29")
        shop.clock.set(noon(today))

        assert (await claim(shop, ann) == []) is taken


async def test_a_tier_has_its_own_gift_which_can_have_its_own_expiry(quick_url: str) -> None:
    top = "tiers: {window: lifetime, ladder: [{id: regular}, {id: gold, all: [{fact: points_earned, at_least: 100}]}]}"
    text = document("  birthday: {points: 88, tier_points: {gold: 200}, expires_days: 30}", top=top)
    async with shop_at(quick_url, text, PLUGINS) as shop:
        ann, bob = await born(shop, "ann", "1990-03-08"), await born(shop, "bob", "1991-03-08")
        await shop.give(ann, 100, "to gold")
        shop.clock.set(noon("2026-03-08"))
        assert await claim(shop, ann) == await claim(shop, bob) == []

        expiring = "points { available expiring { points at } }"
        soon = "2026-04-06T16:00:00Z"
        assert (await of_member(shop, ann, expiring))["points"] == {
            "available": 300, "expiring": {"points": 200, "at": soon},
        }  # fmt: skip
        assert (await of_member(shop, bob, expiring))["points"] == {
            "available": 88, "expiring": {"points": 88, "at": soon},
        }  # fmt: skip


async def test_a_member_sees_when_the_next_gift_can_be_had(shop: Shop) -> None:
    ann, bob = await born(shop, "ann", "1990-03-08"), await born(shop, "bob", None)
    fields = "birthdayGift { birthday points opensOn closesOn isOpen givenAt }"
    ahead = {
        "birthday": "1990-03-08", "points": 88, "opensOn": "2026-03-08", "closesOn": "2026-03-08", "isOpen": False,
        "givenAt": None,
    }  # fmt: skip
    assert (await of_member(shop, ann, fields))["birthdayGift"] == ahead
    shop.clock.set(noon("2026-03-08"))
    assert (await of_member(shop, ann, fields))["birthdayGift"] == {**ahead, "isOpen": True}
    await claim(shop, ann)
    assert (await of_member(shop, ann, fields))["birthdayGift"] == {
        **ahead, "opensOn": "2027-03-08", "closesOn": "2027-03-08", "givenAt": "2026-03-08T04:00:00Z",
    }  # fmt: skip
    assert (await of_member(shop, bob, fields))["birthdayGift"] is None


# -- two birthdays a year -----------------------------------------------------------------------------


async def test_a_birthday_that_is_changed_in_the_profile_earns_no_second_gift(shop: Shop) -> None:
    ann = await born(shop, "ann", "1990-03-08")
    shop.clock.set(noon("2026-03-08"))
    assert await claim(shop, ann) == []
    for birthday in ("1990-03-09", "1990-03-10"):
        await update(shop, ann, birthday)
        shop.clock.advance(DAY)
        assert (await refused(shop, ann))["code"] == "BIRTHDAY_GIFT_ALREADY_GIVEN"

    shop.clock.set(noon("2027-03-10"))
    assert await refused(shop, ann) == {"code": "NOT_THE_BIRTHDAY", "opensOn": "2028-03-08", "closesOn": "2028-03-08"}


async def test_a_birthday_that_is_told_later_counts_from_then_on(shop: Shop) -> None:
    ann = await born(shop, "ann", None)
    assert await refused(shop, ann) == {"code": "BIRTHDAY_UNKNOWN"}
    await update(shop, ann, "1990-03-08")
    await update(shop, ann, "1990-01-05")  # today
    shop.clock.advance(timedelta(hours=1))
    assert (await refused(shop, ann))["code"] == "NOT_THE_BIRTHDAY"
    shop.clock.set(noon("2026-03-08"))

    assert await claim(shop, ann) == []


async def test_an_operator_corrects_a_birthday_once_a_year(shop: Shop) -> None:
    ann = await born(shop, "ann", "1990-03-08")
    assert await change(shop, ann, "1990-05-01") == []
    lately = {
        "code": "BIRTHDAY_CHANGED_LATELY", "changedAt": "2026-01-05T04:00:00Z", "opensAt": "2027-01-05T04:00:00Z",
    }  # fmt: skip
    assert await change(shop, ann, "1990-06-01") == [lately]

    shop.clock.set(noon("2026-03-08"))
    assert (await refused(shop, ann))["code"] == "NOT_THE_BIRTHDAY"
    shop.clock.set(noon("2026-05-01"))
    assert await claim(shop, ann) == []
    shop.clock.set(noon("2027-01-05"))
    assert await change(shop, ann, "1990-02-01") == []


async def test_a_correction_around_the_new_year_brings_no_second_gift(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann = await born(shop, "ann", "1990-12-31")
        shop.clock.set(noon("2026-12-31"))
        assert await claim(shop, ann) == []
        assert await change(shop, ann, "1990-01-01") == []
        shop.clock.set(noon("2027-01-01"))

        assert await refused(shop, ann) == {
            "code": "BIRTHDAY_GIFT_ALREADY_GIVEN", "givenAt": "2026-12-31T04:00:00Z", "opensOn": "2028-01-01",
        }  # fmt: skip


@pytest.mark.parametrize("birthday", ["1899-12-31", "2026-01-06", "9999-12-31"])
async def test_a_birthday_that_cannot_be_is_refused(quick_url: str, birthday: str) -> None:
    async with opened(quick_url) as shop:
        ann = await born(shop, "ann", "1990-03-08")

        assert await change(shop, ann, birthday) == [{"code": "INVALID_VALUE", "field": "birthday"}]


# -- who and when -------------------------------------------------------------------------------------


async def test_a_gift_is_not_for_who_has_joined_for_it(quick_url: str) -> None:
    async with opened(quick_url, "member_days: 30") as shop:
        shop.clock.set(noon("2026-03-07"))
        ann = await born(shop, "ann", "1990-03-08")
        shop.clock.set(noon("2026-03-08"))

        assert await refused(shop, ann) == {
            "code": "MEMBER_TOO_NEW", "days": 30, "enrolledAt": "2026-03-07T04:00:00Z",
        }  # fmt: skip


async def test_a_frozen_member_gets_no_gift(shop: Shop) -> None:
    ann = await born(shop, "ann", "1990-03-08")
    await freeze(shop, ann)
    shop.clock.set(noon("2026-03-08"))

    assert await refused(shop, ann) == {"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}


async def test_members_claim_for_themselves_and_only_operators_change_birthdays(shop: Shop) -> None:
    ann, bob = await born(shop, "ann", "1990-03-08"), await born(shop, "bob", "1990-03-08")
    shop.clock.set(noon("2026-03-08"))
    mine = {"input": {"member": {"id": ann}, "idempotencyKey": "x"}}
    changed = {"input": {**mine["input"], "birthday": "1990-03-09", "reason": "a test"}}

    for answer in (
        await shop.post(CLAIM, mine, member=bob),
        await shop.post(CHANGE, changed, member=ann),
        await shop.post(CHANGE, changed),
    ):
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await shop.ask(CLAIM, mine, member=ann))["claimBirthdayGift"]["errors"] == []


async def test_without_the_section_there_are_no_gifts(quick_url: str) -> None:
    async with shop_at(quick_url, document(""), PLUGINS) as shop:
        ann = await born(shop, "ann", "1990-01-05")

        assert await refused(shop, ann) == {"code": "BIRTHDAYS_NOT_OFFERED", "at": "2026-01-05T04:00:00Z"}
        assert await due(shop) == []


@pytest.mark.parametrize("settings", ["within: year", "expires_days: 0", "tier_points: {gold: 0}"])
def test_a_section_that_cannot_be_meant_is_refused(settings: str) -> None:
    with pytest.raises(ProgrammeInvalid):
        load_programme(programme(settings), PLUGINS.settings)


# -- the gifts that are due ---------------------------------------------------------------------------


async def test_gifts_that_are_due_are_given_once(shop: Shop) -> None:
    ann, bob = await born(shop, "ann", "1990-03-08"), await born(shop, "bob", "1992-03-08")
    cat, dan = await born(shop, "cat", "1990-03-09"), await born(shop, "dan", "1990-03-08")
    await change(shop, dan, "1990-07-01")
    shop.clock.set(noon("2026-03-08"))
    assert await claim(shop, bob) == []

    for _ in range(2):
        assert len(await due(shop)) == 2

    assert [await balance(shop, member) for member in (ann, bob, cat, dan)] == [88, 88, 0, 0]
    assert await verify(shop.laurel.store.reader()) == []


@pytest.mark.parametrize(
    ("window", "days"),
    [
        (Window(date(2026, 3, 8), date(2026, 3, 8)), [308]),
        (Window(date(2026, 2, 28), date(2026, 2, 28)), [228, 229]),
        (Window(date(2028, 2, 28), date(2028, 2, 28)), [228]),
        (Window(date(2028, 2, 29), date(2028, 2, 29)), [229]),
        (Window(date(2026, 2, 1), date(2026, 2, 28)), [*range(201, 229), 229]),
        (Window(date(2028, 2, 1), date(2028, 2, 29)), [*range(201, 230)]),
    ],
)
def test_who_was_born_in_a_window(window: Window, days: list[int]) -> None:
    assert born_on(window) == days


async def test_an_automatic_gift_is_given_by_the_job_once_and_others_are_claimed(shop: Shop) -> None:
    ann, bob = await born(shop, "ann", "1990-03-08"), await born(shop, "bob", "1990-03-08")
    shop.clock.set(noon("2026-03-08"))
    unless_it_is_said = await shop.laurel.jobs.run("birthday")
    await publish(
        programme("automatic: true"),
        author="a test",
        reason="nobody claims",
        load=shop.laurel.load,
        clock=shop.clock,
    )
    assert await claim(shop, ann) == []

    ran = [await shop.laurel.jobs.run("birthday") for _ in range(2)]

    assert (unless_it_is_said, ran) == (0, [1, 0])
    assert [await balance(shop, member) for member in (ann, bob)] == [88, 88]
