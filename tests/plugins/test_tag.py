"""Tags through the schema: given by rules and by hand, lapsing by themselves, asked for by rules and in lists."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Final

import pytest

from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from core.rulebook.publishing import publish
from graph.laurel import tables
from graph.testing import Shop
from graph.tokens import Role
from tests.databases import Apps, SqliteFolder
from tests.graph.test_statements import statements
from tests.plugins.channel import only, standing, told
from tests.plugins.orders import BEGIN, balance, buy, of_member, send_back, shop_at

PLUGINS: Final = only("purchase", "life_cycle", "tag")
DAY: Final = timedelta(days=1)
TAGS: Final = """
  tag:
    tags:
      - {id: frequent, name: Comes often, all: [{fact: orders, window: {months: 1}, at_least: 3}]}
      - {id: sleeper, all: [{days_since: [orders], at_least: 60}]}
      - {id: vip}
"""
STAGES: Final = """
  life_cycle:
    stages: [{id: growing, all: [{fact: orders, at_least: 1}]}, {id: fresh}]
"""
RULES: Final = (
    "{groups: [{id: base, add: sum, rules: [{id: spend, points: order.amount}]},"
    " {id: tags, multiply: product, rules: [{id: often, when: \"'frequent' in member.tags\", factor: 2},"
    " {id: vip, when: \"'vip' in member.tags\", factor: 10},"
    " {id: stage, when: \"'growing' in member.tags\", factor: 5}]}]}"
)
SHOWN: Final = "tags { tag name source since until }"
FACTS: Final = """code ... on TagNotFound { tag tags } ... on TagAlreadyGiven { tag givenAt } ... on TagNotGiven { tag }
  ... on InvalidInstant { value } ... on MemberNotActive { status } ... on InvalidValue { field }"""


def programme(channels: str = TAGS) -> str:
    return (
        "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n"
        f"channels:\n  purchase: {{earn: {{points: {RULES}}}}}\n{channels}\n"
    )


def opened(url: str, channels: str = TAGS) -> AbstractAsyncContextManager[Shop]:
    return shop_at(url, programme(channels), PLUGINS)


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def quick_url(sqlite_folder: SqliteFolder, apps: Apps) -> str:
    return sqlite_folder.migrated(apps)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    async with opened(fresh_database) as shop:
        yield shop


async def tags(shop: Shop, member: str) -> list[str]:
    found = (await of_member(shop, member, SHOWN))["tags"]
    return [one["tag"] if one["source"] == "RULE" else f"{one['tag']} by hand" for one in found]


async def listed(shop: Shop, **wanted: Any) -> list[str]:
    data = await shop.ask(
        "query ($filter: MembersFilter) { members(filter: $filter) { totalCount nodes { externalId } } }",
        {"filter": {"tag": wanted}},
    )
    names = [node["externalId"] for node in data["members"]["nodes"]]
    assert data["members"]["totalCount"] == len(names)
    return names


async def by_hand(shop: Shop, name: str, member: str, tag: str, *, role: Role = Role.OPERATOR, **more: Any) -> Any:
    kind = f"{name[0].upper()}{name[1:]}Input"
    given = {"member": {"id": member}, "tag": tag, "reason": "a test", "idempotencyKey": f"{name}:{tag}", **more}
    data = await shop.ask(
        f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ replayed errors {{ {FACTS} }} }} }}",
        {"input": given},
        role=role,
    )
    return data[name]


async def judge(shop: Shop) -> int:
    return await shop.laurel.jobs.run("judge")


async def test_three_orders_a_month_make_a_frequent_buyer_until_the_month_is_over(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    for number in range(3):
        assert await tags(shop, ann) == []
        await buy(shop, ann, f"A{number}", "10.00")

    assert (await of_member(shop, ann, SHOWN))["tags"] == [
        {
            "tag": "frequent",
            "name": "Comes often",
            "source": "RULE",
            "since": "2026-01-05T04:00:00Z",
            "until": "2026-02-04T16:00:00Z",
        }
    ]
    assert await listed(shop, eq="frequent") == ["ann"]
    shop.clock.advance(31 * DAY - timedelta(hours=12, microseconds=1))
    assert await tags(shop, ann) == ["frequent"]
    shop.clock.advance(timedelta(microseconds=1))
    assert await tags(shop, ann) == []
    assert await judge(shop) == 1
    assert await listed(shop, eq="frequent") == []
    assert await judge(shop) == 0
    assert await verify(shop.laurel.store.reader()) == []


async def test_what_comes_back_takes_the_tag_along(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    for number in range(3):
        await buy(shop, ann, f"A{number}", "10.00")
    await send_back(shop, ann, "A1")

    assert await tags(shop, ann) == []
    assert await listed(shop, eq="frequent") == []


@pytest.mark.parametrize("by_job", [True, False])
async def test_rules_see_the_tags_of_the_moment_whether_or_not_a_job_has_run(quick_url: str, by_job: bool) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        points: list[int] = []
        for wait in (0, 0, 0, 1, 29, 1, 70):
            shop.clock.advance(wait * DAY)
            if by_job:
                await judge(shop)
            before = await balance(shop, ann)
            await buy(shop, ann, f"A{len(points)}", "10.00")
            points.append(await balance(shop, ann) - before)

    # The fourth and the fifth find three orders of one month, the sixth only those of the last two days.
    assert points == [10, 10, 10, 20, 20, 10, 10]


async def test_rules_see_tags_by_hand_and_the_stage_of_life(quick_url: str) -> None:
    async with opened(quick_url, TAGS + STAGES) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "1.00")
        await buy(shop, ann, "A2", "1.00")
        assert await balance(shop, ann) == 1 + 5
        assert (await by_hand(shop, "tagMember", ann, "vip"))["errors"] == []
        await buy(shop, ann, "A3", "1.00")
        assert await balance(shop, ann) == 6 + 50
        await buy(shop, ann, "A4", "1.00")
        assert await balance(shop, ann) == 56 + 2 * 5 * 10
        assert await listed(shop, eq="growing") == ["ann"]
        assert await listed(shop, eq="fresh") == []
        assert await tags(shop, ann) == ["frequent", "vip by hand"]


async def test_a_tag_by_hand_ends_at_its_instant(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    until = (BEGIN + 2 * DAY).isoformat()
    assert (await by_hand(shop, "tagMember", ann, "vip", until=until))["errors"] == []
    assert (await by_hand(shop, "tagMember", ann, "vip", until=until))["replayed"]
    assert (await of_member(shop, ann, SHOWN))["tags"][0]["until"] == "2026-01-07T04:00:00Z"
    shop.clock.advance(2 * DAY - timedelta(microseconds=1))
    assert await tags(shop, ann) == ["vip by hand"]
    shop.clock.advance(timedelta(microseconds=1))
    assert await tags(shop, ann) == []
    assert await judge(shop) == 1
    assert await listed(shop, eq="vip") == []

    assert (await by_hand(shop, "tagMember", ann, "vip", idempotencyKey="again"))["errors"] == []
    shop.clock.advance(400 * DAY)
    await judge(shop)
    assert await tags(shop, ann) == ["sleeper", "vip by hand"]
    assert (await by_hand(shop, "untagMember", ann, "vip"))["errors"] == []
    assert await tags(shop, ann) == ["sleeper"]


async def test_a_tag_can_be_given_by_rule_and_by_hand_and_each_is_taken_by_its_own(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        await by_hand(shop, "tagMember", ann, "frequent", role=Role.SERVICE)
        for number in range(3):
            await buy(shop, ann, f"A{number}", "10.00")
        assert await tags(shop, ann) == ["frequent", "frequent by hand"]
        assert await listed(shop, **{"in": ["frequent", "vip"]}) == ["ann"]
        await by_hand(shop, "untagMember", ann, "frequent")
        assert await tags(shop, ann) == ["frequent"]


async def test_wrong_tags_are_refused_and_leave_nothing(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        before = await standing(shop, ann)
        past = (BEGIN - DAY).isoformat()
        cases: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
            ("tagMember", "vpi", {}, {"code": "TAG_NOT_FOUND", "tag": "vpi", "tags": "frequent, sleeper, vip"}),
            ("tagMember", "x" * 500, {}, {"code": "TAG_NOT_FOUND", "tag": "x" * 64, "tags": "frequent, sleeper, vip"}),
            ("tagMember", "vip", {"until": past}, {"code": "INVALID_INSTANT", "value": "2026-01-04T04:00:00+00:00"}),
            ("tagMember", "vip", {"reason": "x"}, {"code": "INVALID_VALUE", "field": "reason"}),
            ("untagMember", "vip", {}, {"code": "TAG_NOT_GIVEN", "tag": "vip"}),
            ("untagMember", "sleeper", {"reason": ""}, {"code": "INVALID_VALUE", "field": "reason"}),
        ]
        for number, (name, tag, more, error) in enumerate(cases):
            answer = await by_hand(shop, name, ann, tag, **{"idempotencyKey": f"wrong:{number}", **more})
            assert answer["errors"] == [error]
        await by_hand(shop, "tagMember", ann, "vip")
        again = await by_hand(shop, "tagMember", ann, "vip", idempotencyKey="again")
        assert again["errors"] == [{"code": "TAG_ALREADY_GIVEN", "tag": "vip", "givenAt": "2026-01-05T04:00:00Z"}]
        assert await standing(shop, ann) == (before[0], before[1] + 1)


async def test_who_left_has_no_tags(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        await by_hand(shop, "tagMember", ann, "vip")
        close = {"member": {"id": ann}, "status": "CLOSED", "reason": "a test", "idempotencyKey": "close"}
        query = "mutation ($input: ChangeMemberStatusInput!) { changeMemberStatus(input: $input) { errors { code } } }"
        await shop.ask(query, {"input": close}, role=Role.OPERATOR)
        shop.clock.advance(100 * DAY)

        assert await judge(shop) == 0
        assert await tags(shop, ann) == []
        assert await listed(shop, eq="vip") == []
        refused = await by_hand(shop, "tagMember", ann, "vip", idempotencyKey="late")
        assert refused["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "closed"}]


async def test_a_version_with_other_tags_gives_them_to_everybody_and_takes_those_that_are_gone(quick_url: str) -> None:
    async with opened(quick_url, "") as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        shop.clock.advance(70 * DAY)
        await publish(programme(), author="a test", reason="tags", load=shop.laurel.load, clock=shop.clock)
        await shop.laurel.programmes.refresh(shop.laurel.store.reader())
        assert await tags(shop, ann) == ["sleeper"]
        assert await judge(shop) == 2
        assert await listed(shop, eq="sleeper") == ["ann", "bob"]
        await by_hand(shop, "tagMember", bob, "vip")
        shop.clock.advance(DAY)
        fewer = "\n  tag: {tags: [{id: frequent, all: [{fact: orders, at_least: 3}]}]}"
        await publish(programme(fewer), author="a test", reason="fewer", load=shop.laurel.load, clock=shop.clock)
        assert await judge(shop) == 2

        assert await listed(shop, **{"in": ["sleeper", "vip"]}) == []


async def test_orders_at_once_give_a_tag_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    await asyncio.gather(*(buy(shop, ann, f"A{number}", "10.00") for number in range(6)))

    assert await tags(shop, ann) == ["frequent"]
    assert await balance(shop, ann) == 3 * 10 + 3 * 20


async def test_a_page_of_members_costs_a_fixed_number_of_statements(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        for number in range(30):
            await buy(shop, await shop.enrol(f"m{number}"), f"A{number}", "10.00")
        counted = []
        for first in (1, 30):
            async with statements() as seen:
                await shop.ask(
                    f"query ($first: Int!) {{ members(first: $first) {{ nodes {{ {SHOWN} }} }} }}", {"first": first}
                )
            counted.append(len(seen))

    assert counted[0] == counted[1] <= 4


async def test_members_are_not_told_how_they_are_tagged(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        answer = await shop.post("query ($id: ID!) { member(by: {id: $id}) { tags { tag } } }", {"id": ann}, member=ann)

    assert answer["data"] == {"member": {"tags": None}}
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("[{id: a}, {id: a}]", "id 'a' is used twice"),
        ("[{id: A}]", "not a name of lower-case"),
        ("[{id: a, all: []}]", "at least 1"),
        ("[{id: a, all: [{fact: ordres, at_least: 1}]}]", "did you mean 'orders'"),
        ("[{id: a, when: x}]", "unknown key 'when'"),
        ("[]", "at least 1"),
    ],
)
def test_a_section_that_cannot_be_meant_is_not_published(made: str, said: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme(programme(f"  tag: {{tags: {made}}}"), PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)

    (problem,) = refused.value.problems
    assert problem.path.startswith("channels.tag")
    assert said in problem.message


async def test_who_was_merged_is_due_no_more(quick_url: str) -> None:
    async with opened(quick_url, TAGS + STAGES) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        await buy(shop, bob, "B1", "10.00")
        merge = "mutation ($input: MergeMembersInput!) { mergeMembers(input: $input) { errors { message } } }"
        given = {"from": {"id": bob}, "into": {"id": ann}, "reason": "the same person", "idempotencyKey": "m"}
        assert (await shop.ask(merge, {"input": given}, role=Role.OPERATOR))["mergeMembers"]["errors"] == []
        await told(shop)
        await judge(shop)
        shop.clock.advance(DAY)
        await judge(shop)

        reader = shop.laurel.store.reader()
        # Else the job would try it each minute, with all who ever were merged.
        due = await reader.query(
            "SELECT j.channel FROM judgement j JOIN member m ON m.id = j.member_id"
            " WHERE m.merged_into IS NOT NULL AND j.due_at IS NOT NULL"
        )
        assert due == []

        undo = "mutation ($input: UndoMergeInput!) { undoMerge(input: $input) { errors { message } } }"
        back = {"member": {"id": bob}, "reason": "not the same", "idempotencyKey": "u"}
        assert (await shop.ask(undo, {"input": back}, role=Role.OPERATOR))["undoMerge"]["errors"] == []
        await told(shop)
        shop.clock.advance(60 * DAY)
        await judge(shop)
        assert (await tags(shop, ann), await tags(shop, bob)) == (["sleeper"], ["sleeper"])
