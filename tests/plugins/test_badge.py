"""Badges through the schema: given once in the transaction that earned them, to newcomers and to old members alike."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.books.tallies import day_number
from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import Programme, load_programme
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.badge.rules import BadgeSettings, judge
from plugins.manager import load_plugins
from tests.databases import Apps, SqliteFolder
from tests.graph.test_statements import statements
from tests.plugins.channel import only, reverse, told
from tests.plugins.orders import BEGIN, balance, buy, document, of_member, send_back, shop_at

PLUGINS: Final = only("badge", "coupon", "purchase", "sign_in")
ROOT: Final = Path(__file__).parents[2]
DAY: Final = timedelta(days=1)
OTHERS: Final = (
    "  sign_in: {make_up: {cost: 0, days: 7, a_month: 3},"
    " earn: {points: {groups: [{id: base, add: sum, rules: [{id: daily, points: 5}]}]}}}\n"
    "  coupon: {coupons: [{id: pack, name: A tasting pack}]}\n"
)
SPENDER: Final = "{id: spender, title: Big spender, count: spend, at_least: 100, award: {pack: {points: 7}}}"
ROW: Final = "{id: guest, title: Guest, count: [sign_ins, sign_ins_made_up], in_a_row: true, at_least: 3}"
BUYER: Final = (
    "{id: buyer, title: Buyer, count: orders, levels: [{at_least: 1, title: Bronze},"
    " {at_least: 3, title: Silver, award: {pack: {points: 10, growth: 2}, coupons: [pack]}}]}"
)


def programme(*badges: str) -> str:
    section = f"  badge: {{badges: [{', '.join(badges)}]}}\n" if badges else ""
    return document(f"{OTHERS}{section}")


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def opened(sqlite_folder: SqliteFolder, apps: Apps) -> Any:
    def at(*badges: str) -> AbstractAsyncContextManager[Shop]:
        return shop_at(sqlite_folder.migrated(apps), programme(*badges), PLUGINS)

    return at


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """On every database."""
    async with shop_at(fresh_database, programme(SPENDER, ROW, BUYER), PLUGINS) as shop:
        yield shop


async def change(shop: Shop, *badges: str) -> None:
    """Publish the programme with these badges instead."""
    data = await shop.ask(
        "mutation ($input: PublishProgrammeInput!) { publishProgramme(input: $input) { errors { message } } }",
        {"input": {"document": programme(*badges), "reason": "a test"}},
        role=Role.ADMIN,
    )
    assert data["publishProgramme"]["errors"] == []


async def badges(shop: Shop, member: str, fields: str = "level") -> dict[str, Any]:
    found = (await of_member(shop, member, f"badges {{ name {fields} }}"))["badges"]
    return {badge.pop("name"): badge.get("level") if fields == "level" else badge for badge in found}


async def visit(shop: Shop, member: str, key: str) -> None:
    data = await shop.ask(
        "mutation ($input: RecordSignInInput!) { recordSignIn(input: $input) { errors { message } } }",
        {"input": {"member": {"id": member}, "idempotencyKey": key}},
    )
    assert data["recordSignIn"]["errors"] == []


async def operate(shop: Shop, name: str, key: str, **input: Any) -> None:
    kind = name[0].upper() + name[1:]
    data = await shop.ask(
        f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ errors {{ message }} }} }}",
        {"input": {"reason": "a test", "idempotencyKey": key, **input}},
        role=Role.OPERATOR,
    )
    assert data[name]["errors"] == []


@pytest.mark.parametrize(
    ("badge", "says"),
    [
        ("{id: a, title: A, count: sing_ins, at_least: 1}", "nobody counts 'sing_ins', did you mean 'sign_ins'"),
        ("{id: a, title: A, count: average_order, at_least: 1}", "nobody counts 'average_order'"),
        ("{id: a, title: A, count: [], at_least: 1}", "at least 1 item"),
        ("{id: a, title: A, count: [orders, orders], at_least: 1}", "names something twice"),
        ("{id: a, title: A, count: [orders, spend], at_least: 1}", "money is not added to what is no money"),
        ("{id: a, title: A, count: orders}", "at_least, or levels"),
        ("{id: a, title: A, count: orders, at_least: 1, levels: [{at_least: 1}]}", "at_least, or levels"),
        ("{id: a, title: A, count: orders, levels: [{at_least: 3}, {at_least: 3}]}", "more than the one before"),
        ("{id: a, title: A, count: orders, at_least: 0}", "the first more than 0"),
        ('{id: a, title: A, count: orders, at_least: "1.5"}', "whole numbers"),
        ('{id: a, title: A, count: spend, at_least: "1.555"}', r"badge.badges\[a\].*minor unit of CNY"),
        ("{id: a, title: A, count: orders, in_a_row: true, window: {days: 9}, at_least: 2}", "no window"),
        ("{id: a, title: A, count: orders, at_least: 1, award: {pack: {pionts: 1}}}", "unknown unit 'pionts'"),
        ("{id: a, title: A, count: orders, at_least: 1, award: {coupons: [pakc]}}", "no coupon 'pakc'"),
        ("{id: a, title: A, count: orders, levels: [{at_least: 1}], award: {pack: {points: 1}}}", "what its levels do"),
        (f"{SPENDER}, {SPENDER}", "used twice"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(badge: str, says: str) -> None:
    with pytest.raises(ProgrammeInvalid, match=says):
        load_programme(programme(badge), PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)


@pytest.mark.parametrize(("amount", "level"), [("99.99", 0), ("100.00", 1), ("100.01", 1)])
async def test_a_badge_is_given_at_just_so_much_and_not_a_cent_below(opened: Any, amount: str, level: int) -> None:
    async with opened(SPENDER) as shop:
        ann = await shop.enrol("ann")

        await buy(shop, ann, "A1", amount)

        assert await badges(shop, ann) == {"spender": level}


async def test_levels_come_one_by_one_in_the_transaction_that_earned_them(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "1.00")
    await buy(shop, ann, "A2", "1.00")
    fields = "title level levels { level title required reachedOn pack { unit amount } coupons } progress { %s }"
    part = "level current required remaining ratio"

    before = (await badges(shop, ann, fields % part))["buyer"]
    transaction = await buy(shop, ann, "A3", "1.00")
    after = (await badges(shop, ann, fields % part))["buyer"]

    assert (before["title"], before["level"]) == ("Bronze", 1)
    assert before["progress"] == {
        "level": 2,
        "current": "2",
        "required": "3",
        "remaining": "1",
        "ratio": "0.6666",
    }
    assert (after["title"], after["level"], after["progress"]) == ("Silver", 2, None)
    assert after["levels"] == [
        {"level": 1, "title": "Bronze", "required": "1", "reachedOn": "2026-01-05", "pack": [], "coupons": []},
        {
            "level": 2,
            "title": "Silver",
            "required": "3",
            "reachedOn": "2026-01-05",
            "pack": [{"unit": "growth", "amount": 2}, {"unit": "points", "amount": 10}],
            "coupons": ["pack"],
        },
    ]
    assert await balance(shop, ann) == 3 + 10
    entries = await shop.ask(
        "query ($id: ID!) { node(id: $id) { ... on Transaction { entries { unit amount } } } }", {"id": transaction}
    )
    assert {"unit": "points", "amount": 10} in entries["node"]["entries"]
    assert (await of_member(shop, ann, "coupons { nodes { coupon } }"))["coupons"]["nodes"] == [{"coupon": "pack"}]
    assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


async def test_a_replayed_order_gives_nothing_again(opened: Any) -> None:
    async with opened(SPENDER) as shop:
        ann = await shop.enrol("ann")

        await asyncio.gather(*(buy(shop, ann, "A1", "100.00") for _ in range(5)))

        assert await balance(shop, ann) == 107


async def test_a_row_of_days_is_broken_by_a_missed_one_and_mended_by_one_that_is_bought(shop: Shop) -> None:
    ann, fields = await shop.enrol("ann"), "level progress { current }"
    for number in range(2):
        await visit(shop, ann, f"v{number}")
        shop.clock.advance(DAY)
    assert (await badges(shop, ann, fields))["guest"] == {"level": 0, "progress": {"current": "2"}}
    shop.clock.advance(DAY)
    assert (await badges(shop, ann, fields))["guest"] == {"level": 0, "progress": {"current": "0"}}

    data = await shop.ask(
        "mutation ($input: MakeUpSignInInput!) { makeUpSignIn(input: $input) { errors { message } } }",
        {"input": {"member": {"id": ann}, "day": "2026-01-07", "idempotencyKey": "make up"}},
    )

    assert data["makeUpSignIn"]["errors"] == []
    assert (await badges(shop, ann, fields))["guest"] == {"level": 1, "progress": None}


async def test_the_days_of_a_row_are_those_of_the_programmes_zone(opened: Any) -> None:
    async with opened(ROW) as shop:
        ann = await shop.enrol("ann")
        # A minute after midnight in Shanghai, three days in a row.
        shop.clock.advance(timedelta(hours=12, minutes=1))
        for number in range(3):
            await visit(shop, ann, f"v{number}")
            shop.clock.advance(DAY)

        assert await badges(shop, ann) == {"guest": 1}


@pytest.mark.parametrize(("apart", "level"), [(29, 1), (30, 0)])
async def test_a_window_holds_so_many_days(opened: Any, apart: int, level: int) -> None:
    async with opened("{id: busy, title: Busy, count: orders, window: {days: 30}, at_least: 2}") as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "1.00")
        shop.clock.advance(apart * DAY)
        await buy(shop, ann, "A2", "1.00")

        assert await badges(shop, ann) == {"busy": level}
        # What was had once is had, though the window has gone by.
        shop.clock.advance(365 * DAY)
        await buy(shop, ann, "A3", "1.00")
        assert await badges(shop, ann) == {"busy": level}


async def test_only_what_happens_on_the_days_of_a_badge_counts(opened: Any) -> None:
    sale = 'valid: {from: "2026-01-06T00:00:00+08:00", to: "2026-01-08T00:00:00+08:00"}'
    async with opened(f"{{id: sale, title: Sale, count: orders, at_least: 2, {sale}}}") as shop:
        ann = await shop.enrol("ann")
        for number in range(5):
            await buy(shop, ann, f"A{number}", "1.00")
            shop.clock.advance(DAY)
            assert await badges(shop, ann) == {"sale": int(number >= 2)}


async def test_a_refund_takes_no_badge_and_the_next_order_brings_none_again(opened: Any) -> None:
    async with opened(SPENDER) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "100.00")

        await send_back(shop, ann, "A1")
        await buy(shop, ann, "A2", "100.00")

        assert await badges(shop, ann) == {"spender": 1}
        assert await balance(shop, ann) == 107


async def test_a_badge_that_is_taken_back_goes_with_its_award_and_can_be_had_again(opened: Any) -> None:
    award = "award: {pack: {points: 7}, coupons: [pack]}"
    async with opened(f"{{id: spender, title: S, count: spend, at_least: 100, taken_back: true, {award}}}") as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "100.00")
        await send_back(shop, ann, "A1", "0.01")
        assert (await badges(shop, ann), await balance(shop, ann)) == ({"spender": 0}, 99)
        coupons = (await of_member(shop, ann, "coupons { nodes { status } }"))["coupons"]["nodes"]
        assert coupons == [{"status": "WITHDRAWN"}]

        await buy(shop, ann, "A2", "1.00")

        assert (await badges(shop, ann), await balance(shop, ann)) == ({"spender": 1}, 107)
        assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


async def test_a_reversed_order_takes_the_badge_for_which_there_is_no_ground_left(opened: Any) -> None:
    async with opened(SPENDER) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        transaction = await buy(shop, ann, "A1", "100.00")
        await reverse(shop, transaction)
        assert (await badges(shop, ann), await balance(shop, ann)) == ({"spender": 0}, 0)
        await buy(shop, ann, "A2", "100.00")
        assert (await badges(shop, ann), await balance(shop, ann)) == ({"spender": 1}, 107)

        transaction = await buy(shop, bob, "B1", "100.00")
        await buy(shop, bob, "B2", "100.00")
        await reverse(shop, transaction)

        # What it brought went with the transaction, and is given once in a life.
        assert (await badges(shop, bob), await balance(shop, bob)) == ({"spender": 1}, 100)
        await buy(shop, bob, "B3", "100.00")
        assert await balance(shop, bob) == 200


@pytest.mark.parametrize("how", ["job", "job twice", "next operation", "a refund", "a refund after the job"])
async def test_a_badge_that_comes_later_is_given_to_who_had_earned_it(shop: Shop, how: str) -> None:
    await change(shop)
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    await buy(shop, ann, "A1", "100.00")
    await buy(shop, bob, "B1", "99.99")
    shop.clock.advance(DAY)
    await change(shop, SPENDER)
    due = (await badges(shop, ann, "level progress { current ratio }"))["spender"]
    assert due == {"level": 0, "progress": {"current": "100", "ratio": "1.0000"}}

    if "job" in how:
        assert await shop.laurel.jobs.run("badge") == 1
    if how == "job twice":
        shop.clock.advance(DAY)
        assert await shop.laurel.jobs.run("badge") == 0
    if how == "next operation":
        await shop.give(ann, 0 + 1, "g")
    if "refund" in how:
        await send_back(shop, ann, "A1", "50.00")

    shown = (await badges(shop, ann, "level levels { reachedOn }"))["spender"]
    assert shown == {"level": 1, "levels": [{"reachedOn": "2026-01-05"}]}
    assert await balance(shop, ann) == 107 + (how == "next operation") - 50 * ("refund" in how)
    assert await badges(shop, bob) == {"spender": 0}
    assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


async def test_looking_for_old_members_is_done_once_and_comes_to_those_who_may_have_it(opened: Any) -> None:
    async with opened() as shop:
        for number in range(30):
            member = await shop.enrol(f"m{number}")
            await buy(shop, member, f"A{number}", "100.00" if number % 10 == 0 else "1.00")
        await change(shop, SPENDER, ROW)

        assert await shop.laurel.jobs.run("badge") == 3
        async with statements() as seen:
            assert await shop.laurel.jobs.run("badge") == 0
        assert not any("FROM tally" in sql for sql in seen)
        # Nobody is asked anew who has nothing coming: other words alone change no terms.
        await change(shop, SPENDER.replace("Big spender", "Great spender"), ROW)
        assert await shop.laurel.jobs.run("badge") == 0


async def test_lower_terms_reach_old_members_and_former_badges_stay(opened: Any) -> None:
    async with opened(SPENDER, "{id: one, title: Once, count: orders, at_least: 1}") as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "50.00")
        await change(shop, SPENDER.replace("at_least: 100", "at_least: 50"))

        await visit(shop, ann, "v")

        assert await badges(shop, ann, "level title window") == {
            "spender": {"level": 1, "title": "Big spender", "window": "lifetime"},
            "one": {"level": 1, "title": "Once", "window": None},
        }
        await change(shop)
        assert await badges(shop, ann) == {"one": 1, "spender": 1}


async def test_who_is_frozen_gets_it_with_the_first_thing_that_happens_afterwards(opened: Any) -> None:
    async with opened() as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "100.00")
        await change(shop, SPENDER)
        await operate(shop, "changeMemberStatus", "f", member={"id": ann}, status="FROZEN")
        assert await shop.laurel.jobs.run("badge") == 1
        assert await badges(shop, ann) == {"spender": 0}

        await operate(shop, "changeMemberStatus", "u", member={"id": ann}, status="ACTIVE")

        assert (await badges(shop, ann), await balance(shop, ann)) == ({"spender": 1}, 107)


async def test_badges_go_with_a_merged_member_and_bring_nothing_again(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    await buy(shop, ann, "A1", "100.00")
    await buy(shop, bob, "B1", "60.00")

    await operate(shop, "mergeMembers", "m", **{"from": {"id": ann}, "into": {"id": bob}})
    await told(shop)

    assert (await badges(shop, bob), await balance(shop, bob)) == ({"spender": 1, "guest": 0, "buyer": 1}, 107 + 60)
    await buy(shop, bob, "B2", "100.00")
    # Three orders together, of which one was the other's.
    assert (await badges(shop, bob), await balance(shop, bob)) == ({"spender": 1, "guest": 0, "buyer": 2}, 277)

    await operate(shop, "undoMerge", "u", member={"id": ann})
    await told(shop)
    assert await badges(shop, ann) == {"spender": 1, "guest": 0, "buyer": 1}
    assert (await badges(shop, bob), await balance(shop, bob)) == ({"spender": 0, "guest": 0, "buyer": 2}, 170)
    await visit(shop, bob, "v")
    # He has spent 160 himself, and has had nothing for it.
    assert (await badges(shop, bob), await balance(shop, bob)) == ({"spender": 1, "guest": 0, "buyer": 2}, 170 + 7 + 5)
    assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


async def test_a_badge_that_came_with_a_merge_is_lost_and_had_again_without_a_second_award(opened: Any) -> None:
    badge = "{id: spender, title: S, count: spend, at_least: 100, taken_back: true, award: {pack: {points: 7}}}"
    async with opened(badge) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        await buy(shop, ann, "A1", "100.00")
        await operate(shop, "mergeMembers", "m", **{"from": {"id": ann}, "into": {"id": bob}})
        await told(shop)
        await send_back(shop, ann, "A1", "1.00")
        await told(shop)
        await visit(shop, bob, "v")
        assert await badges(shop, bob) == {"spender": 0}
        await buy(shop, bob, "B1", "1.00")
        assert (await badges(shop, bob), await balance(shop, bob)) == ({"spender": 1}, 99 + 7 + 5 + 1)

        await operate(shop, "undoMerge", "u", member={"id": ann})
        await told(shop)
        await visit(shop, ann, "v")
        assert (await badges(shop, ann))["spender"] == 0
        # He has what he has himself an award for, and that once.
        await buy(shop, bob, "B2", "99.00")
        assert (await badges(shop, bob), await balance(shop, bob)) == ({"spender": 1}, 5 + 1 + 99 + 7)
        assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


async def test_what_is_told_outside_says_which_badge(opened: Any) -> None:
    async with opened(BUYER) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "1.00")

        rows = await shop.laurel.store.reader().query("SELECT result FROM operation WHERE channel = 'purchase'")

    assert '"badge":"buyer"' in rows[0][0]
    told = PLUGINS.event_types["badge.unlocked"]
    assert set(told.schema()["properties"]) == {"badge", "level", "title", "reachedOn", "pack", "coupons"}


async def test_badges_of_a_page_of_members_are_a_fixed_number_of_statements(opened: Any) -> None:
    async with opened(SPENDER, ROW, BUYER) as shop:
        for number in range(50):
            member = await shop.enrol(f"m{number}")
            await buy(shop, member, f"A{number}", f"{number}.00" if number else "1.00")
        document = (
            "query ($first: Int!) { members(first: $first) { nodes { badges { name level levels { unlockedAt }"
            " progress { ratio } } } } }"
        )
        counted = {}
        for first in (1, 10, 50):
            async with statements() as seen:
                answer = await shop.ask(document, {"first": first})
            assert len(answer["members"]["nodes"]) == first
            counted[first] = len(seen)

    assert counted[1] == counted[10] == counted[50] <= 4, seen


async def test_a_member_sees_their_own_and_nobody_elses(opened: Any) -> None:
    async with opened(BUYER) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        await buy(shop, ann, "A1", "1.00")

        own = await shop.ask("{ viewer { member { badges { level } } } }", member=ann)
        others = await shop.ask(
            "query ($id: ID!) { node(id: $id) { ... on Member { badges { level } } } }", {"id": ann}, member=bob
        )

    assert own["viewer"]["member"]["badges"] == [{"level": 1}]
    assert others == {"node": None}


async def test_what_the_readme_shows_loads_and_can_be_pasted(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    text = (ROOT / "plugins" / "badge" / "README.md").read_text(encoding="utf-8")
    section = text.split("```yaml\nchannels:\n")[1].split("```")[0]
    async with shop_at(sqlite_folder.migrated(apps), document(section), PLUGINS) as shop:
        ann = await shop.enrol("ann")
        for number in range(3):
            await buy(shop, ann, f"A{number}", "1.00")

        shown = await shop.ask(text.split("```graphql\n")[1].split("```")[0])

    found = {badge["name"]: (badge["level"], badge["title"]) for badge in shown["member"]["badges"]}
    assert found == {
        "regular_guest": (0, "30 days in a row"),
        "big_spender": (0, "10 000 spent"),
        "buyer": (1, "Bronze buyer"),
    }


async def test_the_document_of_the_ecosystem_has_badges_for_who_spends_and_who_speaks(tmp_path: Path) -> None:
    document = (ROOT / "examples" / "programmes" / "ecosystem.yaml").read_text(encoding="utf-8")
    async with open_shop(tmp_path, document, plugins=load_plugins()) as shop:
        ann = await shop.enrol("ann")

        await buy(shop, ann, "A1", "9999.99")
        before = await badges(shop, ann)
        await buy(shop, ann, "A2", "0.01")

        assert before == {"big_spender": 0, "voice": 0}
        assert await badges(shop, ann) == {"big_spender": 1, "voice": 0}


# -- what holds whatever was counted ------------------------------------------------------------------

COUNTED: Final = st.dictionaries(st.integers(0, 60), st.integers(-3, 3), max_size=30)


def _settings(badge: str) -> tuple[Programme, BadgeSettings]:
    loaded = load_programme(programme(badge), PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)
    settings = loaded.channels["badge"]
    assert isinstance(settings, BadgeSettings)
    return loaded, settings


WINDOWED: Final = _settings(
    "{id: a, title: A, count: orders, window: {days: 7}, levels: [{at_least: 2}, {at_least: 5}]}"
)
IN_A_ROW: Final = _settings("{id: a, title: A, count: orders, in_a_row: true, levels: [{at_least: 2}, {at_least: 4}]}")
FIRST: Final = date(2026, 1, 20)


def _numbered(counted: Mapping[int, int]) -> dict[int, int]:
    return {day_number(FIRST + number * DAY): amount for number, amount in counted.items()}


@given(COUNTED)
def test_a_level_is_reached_on_the_first_day_on_which_its_window_has_enough(counted: dict[int, int]) -> None:
    loaded, settings = WINDOWED
    expected = [
        next(
            (
                FIRST + day * DAY
                for day in sorted(counted)
                if sum(counted.get(each, 0) for each in range(day - 6, day + 1)) >= need
            ),
            None,
        )
        for need in (2, 5)
    ]

    found = judge(settings.badges[0], _numbered(counted), FIRST + 61 * DAY, loaded)

    assert list(found.reached_on) == expected


@given(COUNTED, st.integers(0, 62))
def test_a_row_is_as_long_as_its_days_and_alive_until_a_day_is_over(counted: dict[int, int], today: int) -> None:
    loaded, settings = IN_A_ROW
    counted = {day: amount for day, amount in counted.items() if day <= today}
    done = {day for day, amount in counted.items() if amount > 0}

    found = judge(settings.badges[0], _numbered(counted), FIRST + today * DAY, loaded)

    run, day = 0, today if today in done else today - 1
    while day in done:
        run, day = run + 1, day - 1
    assert found.current == run
    for need, on in zip((2, 4), found.reached_on, strict=True):
        ends = [day for day in sorted(done) if all(day - back in done for back in range(need))]
        assert on == (FIRST + ends[0] * DAY if ends else None)


async def test_looking_at_it_later_finds_the_same(opened: Any) -> None:
    """What was enough in its window is enough for the job, however late it runs."""
    async with opened() as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "1.00")
        await buy(shop, ann, "A2", "1.00")
        await change(shop, "{id: busy, title: Busy, count: orders, window: {days: 7}, at_least: 2}")
        shop.clock.advance(100 * DAY)

        assert await shop.laurel.jobs.run("badge") == 1

        shown = await badges(shop, ann, "level levels { reachedOn }")
        assert shown == {"busy": {"level": 1, "levels": [{"reachedOn": BEGIN.date().isoformat()}]}}
