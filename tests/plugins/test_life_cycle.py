"""The life cycle through the schema: who is in which stage, what entering one brings, and that it needs no job."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from core.rulebook.publishing import publish
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from tests.databases import Apps, SqliteFolder
from tests.graph.test_statements import statements
from tests.plugins.channel import freeze, only, reverse, told
from tests.plugins.orders import BEGIN, balance, buy, document, of_member, send_back, shop_at
from tests.plugins.receiver import receiving
from tests.plugins.test_message import SECRET

PLUGINS: Final = only("purchase", "coupon", "life_cycle", "message")
DAY: Final = timedelta(days=1)
STAGES: Final = """
  coupon: {coupons: [{id: back, name: Come back}]}
  life_cycle:
    stages:
      - {id: lost, all: [{days_since: [orders], at_least: 180}]}
      - {id: dormant, all: [{days_since: [orders], at_least: 90}], enter: {coupons: [back], pack: {points: 7}}}
      - id: declining
        name: On the wane
        all: [{fact: orders, window: {days: 60}, below: 1}, {fact: orders, at_least: 3}]
      - {id: mature, all: [{fact: orders, at_least: 3}]}
      - {id: growing, all: [{fact: orders, at_least: 1}], enter: {pack: {points: 50, growth: 5}, every_months: 6}}
      - {id: new}
"""
SHOWN: Final = """lifeCycle { stage name since next { stage at } entries(first: 50) { nodes {
  stage former enteredAt cause pack { unit amount } coupons isTakenBack transaction { kind } } } }"""


def programme(stages: str = STAGES) -> str:
    return document(stages)


def opened(url: str, stages: str = STAGES) -> AbstractAsyncContextManager[Shop]:
    return shop_at(url, programme(stages), PLUGINS)


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


async def stands(shop: Shop, member: str) -> Any:
    """Where the member stands, the stages that were entered the oldest first."""
    found = (await of_member(shop, member, SHOWN))["lifeCycle"]
    found["entries"] = found["entries"]["nodes"][::-1]
    return found


async def way(shop: Shop, member: str) -> list[tuple[str, str, str]]:
    return [(one["stage"], one["cause"], one["enteredAt"]) for one in (await stands(shop, member))["entries"]]


async def judge(shop: Shop) -> int:
    return await shop.laurel.jobs.run("judge")


async def renew(shop: Shop, stages: str) -> None:
    """Publish a version with other stages, from now on."""
    await publish(programme(stages), author="a test", reason="other", load=shop.laurel.load, clock=shop.clock)
    await shop.laurel.programmes.refresh(shop.laurel.store.reader())


async def test_a_member_is_new_then_grows_and_gets_what_growing_brings_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    assert await stands(shop, ann) == {
        "stage": "new",
        "name": "new",
        "since": "2026-01-05T04:00:00Z",
        "next": {"stage": "dormant", "at": "2026-04-04T16:00:00Z"},
        "entries": [
            {
                "stage": "new",
                "former": None,
                "enteredAt": "2026-01-05T04:00:00Z",
                "cause": "ENROLMENT",
                "pack": [],
                "coupons": [],
                "isTakenBack": False,
                "transaction": {"kind": "enrol"},
            }
        ],
    }
    shop.clock.advance(DAY)
    await buy(shop, ann, "A1", "10.00")
    await buy(shop, ann, "A2", "10.00")

    found = await stands(shop, ann)
    assert (found["stage"], found["since"]) == ("growing", "2026-01-06T04:00:00Z")
    assert found["entries"][1:] == [
        {
            "stage": "growing",
            "former": "new",
            "enteredAt": "2026-01-06T04:00:00Z",
            "cause": "COUNTED",
            "pack": [{"unit": "growth", "amount": 5}, {"unit": "points", "amount": 50}],
            "coupons": [],
            "isTakenBack": False,
            "transaction": {"kind": "record"},
        }
    ]
    assert await balance(shop, ann) == 70
    assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


@pytest.mark.parametrize(("days", "stage"), [(89, "growing"), (90, "dormant"), (179, "dormant"), (180, "lost")])
async def test_a_stage_begins_on_its_day_and_not_one_earlier(quick_url: str, days: int, stage: str) -> None:
    async with opened(quick_url) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        await buy(shop, ann, "A1", "10.00")
        await buy(shop, bob, "B1", "10.00")
        shop.clock.advance(days * DAY - timedelta(hours=12))  # 00:00 in Shanghai

        seen = await stands(shop, ann)
        await judge(shop)

        assert seen["stage"] == stage
        # What was seen before it was written down is what was written down.
        assert [(await stands(shop, ann))[key] for key in ("stage", "name", "since", "next")] == [
            seen[key] for key in ("stage", "name", "since", "next")
        ]


async def live(shop: Shop, member: str, name: str, days: list[int], *, often: bool) -> Any:
    """Buy after so many days each, with or without a job every few days between; then look half a year later."""
    for number, wait in enumerate([*days, 200]):
        while wait > 0:
            step = min(wait, 13) if often else wait
            wait -= step
            shop.clock.advance(step * DAY)
            if often:
                await judge(shop)
        if number < len(days):
            await buy(shop, member, f"{name}{number}", "10.00")
    if not often:
        await judge(shop)
    return (
        await stands(shop, member),
        await balance(shop, member),
        (await of_member(shop, member, "coupons { nodes { status } }")),
    )


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([1, 30, 59, 60, 61, 89, 90, 91, 185]), min_size=1, max_size=5))
async def test_with_a_job_now_and_then_and_with_none_at_all_the_history_is_the_same(
    sqlite_folder: SqliteFolder, apps: Apps, days: list[int]
) -> None:
    lived = []
    for often in (True, False):
        url = sqlite_folder.migrated(apps)
        async with opened(url) as shop:
            ann = await shop.enrol("ann")
            lived.append(await live(shop, ann, "A", days, often=often))
            assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []
            assert await judge(shop) == 0
        sqlite_folder.done(url)
    assert lived[0] == lived[1]


async def test_what_is_due_is_done_before_the_order_that_comes_later(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "10.00")
    shop.clock.advance(200 * DAY)

    await buy(shop, ann, "A2", "10.00")

    assert await way(shop, ann) == [
        ("new", "ENROLMENT", "2026-01-05T04:00:00Z"),
        ("growing", "COUNTED", "2026-01-05T04:00:00Z"),
        ("dormant", "TIME", "2026-04-04T16:00:00Z"),
        ("lost", "TIME", "2026-07-03T16:00:00Z"),
        ("growing", "COUNTED", "2026-07-24T04:00:00Z"),
    ]
    assert await balance(shop, ann) == 10 + 50 + 7 + 10 + 50
    assert len((await of_member(shop, ann, "coupons { nodes { status } }"))["coupons"]["nodes"]) == 1


async def test_there_is_one_gift_in_so_many_months(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "10.00")
        shop.clock.advance(95 * DAY)
        await buy(shop, ann, "A2", "10.00")

        gifts = [(one["stage"], len(one["pack"])) for one in (await stands(shop, ann))["entries"]]

    assert gifts == [("new", 0), ("growing", 2), ("dormant", 1), ("growing", 0)]


async def test_what_comes_back_takes_the_stage_and_its_gift_along(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "10.00")
    await send_back(shop, ann, "A1", "4.00")
    assert await balance(shop, ann) == 6 + 50
    await send_back(shop, ann, "A1")

    found = await stands(shop, ann)
    assert (found["stage"], await balance(shop, ann)) == ("new", 0)
    assert [(one["stage"], one["isTakenBack"]) for one in found["entries"]] == [
        ("new", False),
        ("growing", True),
        ("new", False),
    ]
    await buy(shop, ann, "A2", "10.00")
    assert await balance(shop, ann) == 10 + 50
    await buy(shop, ann, "A3", "10.00")
    await send_back(shop, ann, "A2")
    assert await balance(shop, ann) == 10 + 50, "A3 is still there"
    assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


async def test_what_time_has_brought_is_nobody_s_to_take(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "10.00")
        shop.clock.advance(95 * DAY)
        assert await judge(shop) == 1
        await reverse(shop, await buy(shop, ann, "A2", "10.00"))
        await send_back(shop, ann, "A1")

        entries = (await stands(shop, ann))["entries"]
        assert [one["stage"] for one in entries] == ["new", "growing", "dormant", "growing", "dormant"]
        assert [one["isTakenBack"] for one in entries] == [False, True, False, False, False]


async def test_orders_at_once_enter_a_stage_once(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    shop.clock.advance(100 * DAY)

    await asyncio.gather(*(buy(shop, ann, f"A{number}", "10.00") for number in range(5)), judge(shop))

    assert [stage for stage, *_ in await way(shop, ann)] == ["new", "dormant", "growing", "mature"]
    assert await balance(shop, ann) == 50 + 50 + 7


async def test_jobs_at_once_enter_a_stage_once(shop: Shop) -> None:
    members = [await shop.enrol(f"m{number}") for number in range(12)]
    shop.clock.advance(100 * DAY)

    await asyncio.gather(
        *(shop.laurel.committer.submit_many([]) for _ in range(2)), judge(shop), return_exceptions=True
    )
    await judge(shop)

    for member in members:
        assert [stage for stage, *_ in await way(shop, member)] == ["new", "dormant"]
        assert await balance(shop, member) == 7


async def test_who_may_not_earn_enters_and_gets_nothing(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        await freeze(shop, ann)
        shop.clock.advance(100 * DAY)
        await judge(shop)

        found = await stands(shop, ann)
        assert (found["stage"], found["entries"][1]["pack"], found["entries"][1]["coupons"]) == ("dormant", [], [])
        assert await balance(shop, ann) == 0


async def test_who_left_is_not_judged_any_more(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        close = {"member": {"id": ann}, "status": "CLOSED", "reason": "a test", "idempotencyKey": "close"}
        query = "mutation ($input: ChangeMemberStatusInput!) { changeMemberStatus(input: $input) { errors { code } } }"
        await shop.ask(query, {"input": close}, role=Role.OPERATOR)
        shop.clock.advance(100 * DAY)

        assert await judge(shop) == 0
        found = await stands(shop, ann)
        assert (found["stage"], found["next"], len(found["entries"])) == ("new", None, 1)


async def test_who_is_brought_over_stands_where_they_stand_and_gets_nothing(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        joined = {"externalId": "ann", "enrolledAt": "2025-08-01T00:00:00Z", "idempotencyKey": "enrol:ann"}
        query = "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { member { id } errors { code } } }"
        ann = (await shop.ask(query, {"input": joined}))["enrolMember"]["member"]["id"]

        assert await way(shop, ann) == [("dormant", "PROGRAMME", "2026-01-05T04:00:00Z")]
        assert await balance(shop, ann) == 0


@pytest.mark.parametrize("by_job", [True, False])
async def test_a_version_that_begins_to_judge_finds_everybody_and_gives_nobody_anything(
    quick_url: str, by_job: bool
) -> None:
    async with opened(quick_url, "") as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        await buy(shop, ann, "A1", "10.00")
        assert await of_member(shop, ann, "lifeCycle { stage }") == {"lifeCycle": None}
        await judge(shop)
        shop.clock.advance(50 * DAY)
        await renew(shop, STAGES)
        shop.clock.advance(DAY)
        seen = await stands(shop, ann)
        if by_job:
            assert await judge(shop) == 2
            assert await judge(shop) == 0
        await buy(shop, ann, "A2", "10.00")
        await buy(shop, bob, "B1", "10.00")

        assert (seen["stage"], seen["since"]) == ("growing", "2026-02-24T04:00:00Z")
        assert await way(shop, ann) == [("growing", "PROGRAMME", "2026-02-24T04:00:00Z")]
        assert await way(shop, bob) == [
            ("new", "PROGRAMME", "2026-02-24T04:00:00Z"),
            ("growing", "COUNTED", "2026-02-25T04:00:00Z"),
        ]
        assert (await balance(shop, ann), await balance(shop, bob)) == (20, 10 + 50)


async def test_a_version_with_other_rules_judges_anew_from_its_start_and_a_version_without_stops(
    quick_url: str,
) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        await buy(shop, ann, "A1", "10.00")
        for stages in (STAGES.replace("at_least: 90", "at_least: 10"), ""):
            shop.clock.advance(20 * DAY)
            await renew(shop, stages)
        shop.clock.advance(100 * DAY)
        await buy(shop, ann, "A2", "10.00")
        assert await of_member(shop, ann, "lifeCycle { stage }") == {"lifeCycle": None}
        assert await judge(shop) == 0
        await renew(shop, STAGES)
        await buy(shop, ann, "A3", "10.00")

        assert await way(shop, ann) == [
            ("new", "ENROLMENT", "2026-01-05T04:00:00Z"),
            ("growing", "COUNTED", "2026-01-05T04:00:00Z"),
            ("dormant", "PROGRAMME", "2026-01-25T04:00:00Z"),
            ("growing", "PROGRAMME", "2026-05-25T04:00:00Z"),
            ("mature", "COUNTED", "2026-05-25T04:00:00Z"),
        ]


async def test_entering_a_stage_can_be_told_to_the_member(quick_url: str) -> None:
    message = """
  message:
    locale: en
    topics: {stages: {kind: marketing}}
    messages:
      - id: dormant
        event: life_cycle.entered
        topic: stages
        carriers: [webhook]
        when: event.stage == "dormant"
        texts: {en: {subject: Come back, text: "{{ event.former }}, {{ event.pack.points }}"}}
"""
    async with receiving() as receiver:
        variables = {
            "LAUREL_MESSAGE_WEBHOOK_URL": receiver.url,
            "LAUREL_MESSAGE_WEBHOOK_SECRET": SECRET,
            "LAUREL_MESSAGE_WEBHOOK_PRIVATE": "yes",
        }
        stages = programme(STAGES + message)
        async with open_shop(quick_url, stages, plugins=PLUGINS, now=BEGIN, variables=variables) as shop:
            await shop.laurel.deliverer.refresh()
            await buy(shop, await shop.enrol("ann"), "A1", "10.00")
            shop.clock.advance(100 * DAY)
            await judge(shop)
            await told(shop)

        assert [sent["data"]["text"] for sent in receiver.taken] == ["growing, 7"]


async def test_merging_moves_what_was_counted_and_rewards_nobody(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    for number in range(3):
        await buy(shop, ann, f"A{number}", "10.00")
    merge = {"from": {"id": ann}, "into": {"id": bob}, "reason": "a test", "idempotencyKey": "merge"}
    query = "mutation ($input: MergeMembersInput!) { mergeMembers(input: $input) { errors { code message } } }"
    assert (await shop.ask(query, {"input": merge}, role=Role.OPERATOR))["mergeMembers"]["errors"] == []
    await told(shop)

    assert (await stands(shop, bob))["stage"] == "mature"
    await judge(shop)

    assert [(stage, cause) for stage, cause, _ in await way(shop, bob)] == [
        ("new", "ENROLMENT"),
        ("mature", "PROGRAMME"),
    ]
    assert await judge(shop) == 0
    assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


async def test_a_page_of_members_costs_a_fixed_number_of_statements(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        for number in range(30):
            await buy(shop, await shop.enrol(f"m{number}"), f"A{number}", "10.00")
        counted = []
        for days in (0, 95):
            shop.clock.advance(days * DAY)
            for first in (1, 30):
                async with statements() as seen:
                    query = f"query ($first: Int!) {{ members(first: $first) {{ nodes {{ {SHOWN} }} }} }}"
                    query = query.replace("first: 50", "first: 3")
                    await shop.ask(query, {"first": first})
                counted.append(len(seen))

    assert counted[0] == counted[1] <= 7, counted
    assert counted[2] == counted[3] <= 7, counted


async def test_a_member_is_not_told_what_stage_they_are_in(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann = await shop.enrol("ann")
        answer = await shop.post(
            "query ($id: ID!) { member(by: {id: $id}) { lifeCycle { stage } } }", {"id": ann}, member=ann
        )

    assert answer["data"] == {"member": {"lifeCycle": None}}
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("stages", "path", "said"),
    [
        ("[{id: new}]", "", "there is one stage, which nobody leaves"),
        ("[{id: new}, {id: old}]", "", "nobody is in one that follows"),
        ("[{id: old, all: [{as_member: true, at_least: 9}]}, {id: old}]", "", "id 'old' is used twice"),
        (
            "[{id: a, all: [{as_member: true, at_least: 9}]}, {id: b, all: [{as_member: true, at_least: 5}]}]",
            "",
            "the last",
        ),
        ("[{id: a, all: [{fact: order, at_least: 9}]}, {id: b}]", "stages[a].all[0]", "did you mean 'orders'"),
        ("[{id: a, all: [{as_member: true, below: 9}], enter: {}}, {id: b}]", "enter", "a pack, or coupons, or both"),
        (
            "[{id: a, all: [{as_member: true, below: 9}], enter: {coupons: [bakc]}}, {id: b}]",
            "stages[a].enter.coupons[0]",
            "did you mean 'back'",
        ),
        (
            "[{id: a, all: [{as_member: true, below: 9}], enter: {pack: {pionts: 5}}}, {id: b}]",
            "enter.pack",
            "unknown unit",
        ),
        ("[{id: a, all: [{as_member: true, below: 9}], gift: {pack: {points: 5}}}, {id: b}]", "gift", "unknown key"),
    ],
)
def test_a_section_that_cannot_be_meant_is_not_published(stages: str, path: str, said: str) -> None:
    section = f"  coupon: {{coupons: [{{id: back, name: Come back}}]}}\n  life_cycle: {{stages: {stages}}}"
    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme(document(section), PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)

    (problem,) = refused.value.problems
    assert problem.path.startswith("channels.life_cycle")
    assert path in problem.path
    assert said in problem.message
