"""Groups through the schema: who may belong, who lets them in, and what becomes of it when the tier is lost."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import pytest

from core.books.members import ById
from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.people.membership import UpdateMember
from graph.ids import read_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import only, standing, told

PLUGINS: Final[Plugins] = only("group", "tier_gift")
NOON: Final = datetime(2027, 3, 10, 4, tzinfo=UTC)
DAY: Final = timedelta(days=1)
PROGRAMME: Final = """
id: club
currency: CNY
timezone: Asia/Shanghai
channels:
  group:
    groups:
      - {id: readers, title: The readers}
      - {id: circle, title: The circle, tiers: [gold, platinum], entry: application, grace_days: 30}
      - {id: salon, title: The salon, tiers: [platinum], when: "'baker' in member.tags"}
      - {id: alumni, title: The alumni, tiers: [platinum], tier_lost: stay}
tiers:
  ladder:
    - {id: regular}
    - {id: gold, all: [{fact: points_earned, at_least: 1000}]}
    - {id: platinum, all: [{fact: points_earned, at_least: 5000}]}
"""
JOIN: Final = """mutation ($input: JoinGroupInput!) { joinGroup(input: $input) {
  membership { code title status joinedAt note mayJoin } replayed errors { code
  ... on GroupNotFound { group groups } ... on GroupTierMissing { tier tiers }
  ... on GroupConditionNotMet { condition } ... on AlreadyInGroup { joinedAt }
  ... on GroupApplicationPending { appliedAt } ... on InvalidValue { field } ... on MemberNotActive { status }
  ... on GroupsNotOffered { at } } } }"""
LEAVE: Final = """mutation ($input: LeaveGroupInput!) { leaveGroup(input: $input) {
  membership { status } errors { code ... on NotInGroup { group } } } }"""
APPROVE: Final = """mutation ($input: ApproveGroupApplicationInput!) { approveGroupApplication(input: $input) {
  membership { status } errors { code ... on NoGroupApplication { group } ... on GroupTierMissing { tier } } } }"""
DECLINE: Final = """mutation ($input: DeclineGroupApplicationInput!) { declineGroupApplication(input: $input) {
  membership { status reason } errors { code } } }"""
REMOVE: Final = """mutation ($input: RemoveFromGroupInput!) { removeFromGroup(input: $input) {
  membership { status reason } errors { code } } }"""
GROUPS: Final = """query ($id: ID!) { node(id: $id) { ... on Member { groups {
  code title status joinedAt endsAt changedAt mayJoin group { tiers condition entry } } } } }"""
LIST: Final = """query ($group: String!, $status: GroupStatus, $after: String) {
  groupMembers(group: $group, status: $status, first: 2, after: $after) {
    totalCount nodes { status member { externalId } } pageInfo { endCursor hasNextPage } } }"""
SET: Final = """mutation ($input: SetTierInput!) { setTier(input: $input) { errors { message } } }"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def club(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    async with open_shop(sqlite_folder.migrated(apps), PROGRAMME, plugins=PLUGINS, now=NOON) as shop:
        yield shop
        assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


@pytest.fixture
async def every_club(fresh_database: str) -> AsyncIterator[Shop]:
    """The same, on every database."""
    async with open_shop(fresh_database, PROGRAMME, plugins=PLUGINS, now=NOON) as shop:
        yield shop
        assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


async def do(shop: Shop, mutation: str, member: str, group: str, key: str, **more: Any) -> dict[str, Any]:
    given = {"member": {"id": member}, "group": group, "idempotencyKey": key, **more}
    (payload,) = (await shop.ask(mutation, {"input": given}, role=Role.OPERATOR)).values()
    answer: dict[str, Any] = payload
    return answer


async def done(shop: Shop, mutation: str, member: str, group: str, key: str, **more: Any) -> Any:
    """The membership after what must not be refused."""
    payload = await do(shop, mutation, member, group, key, **more)
    assert payload["errors"] == []
    return payload["membership"]


async def refused(shop: Shop, mutation: str, member: str, group: str, key: str = "r", **more: Any) -> dict[str, Any]:
    """The refusal, which must leave everything as it was."""
    before = await groups(shop, member), await standing(shop, member)
    payload = await do(shop, mutation, member, group, f"{key} {group} {len(mutation)}", **more)
    (error,) = payload["errors"]
    assert (await groups(shop, member), await standing(shop, member)) == before
    found: dict[str, Any] = error
    return found


async def groups(shop: Shop, member: str) -> dict[str, Any]:
    found = (await shop.ask(GROUPS, {"id": member}))["node"]["groups"]
    return {group.pop("code"): group for group in found}


async def status(shop: Shop, member: str, group: str) -> Any:
    return (await groups(shop, member))[group]["status"]


async def set_tier(shop: Shop, member: str, tier: str, key: str) -> None:
    given = {"member": {"id": member}, "tier": tier, "reason": "a test", "idempotencyKey": key}
    assert (await shop.ask(SET, {"input": given}, role=Role.OPERATOR))["setTier"]["errors"] == []


async def listed(shop: Shop, group: str, status: str) -> list[str]:
    found = (await shop.ask(LIST, {"group": group, "status": status}))["groupMembers"]
    names = [node["member"]["externalId"] for node in found["nodes"]]
    assert found["totalCount"] == len(names)
    return names


async def events(shop: Shop) -> list[str]:
    """What was told of groups, in order."""
    rows = await shop.laurel.store.reader().query("SELECT result FROM operation ORDER BY id")
    found = []
    for (result,) in rows:
        found += [event["name"] for event in orjson.loads(result).get("events", ()) if "group." in event["name"]]
    return found


async def test_a_member_of_the_tier_joins_at_once_or_applies_and_others_do_not(every_club: Shop) -> None:
    club = every_club
    ann, bob = await club.enrol("ann"), await club.enrol("bob")
    await club.give(ann, 1_000, "gold")

    assert await done(club, JOIN, bob, "readers", "1") == {
        "code": "readers",
        "title": "The readers",
        "status": "JOINED",
        "joinedAt": "2027-03-10T04:00:00Z",
        "note": None,
        "mayJoin": False,
    }
    assert await refused(club, JOIN, bob, "circle") == {
        "code": "GROUP_TIER_MISSING",
        "tier": "regular",
        "tiers": "gold, platinum",
    }
    applied = await done(club, JOIN, ann, "circle", "2", note="I bake.")
    assert (applied["status"], applied["note"]) == ("APPLIED", "I bake.")
    assert await listed(club, "circle", "APPLIED") == ["ann"]
    assert await listed(club, "circle", "JOINED") == []
    assert await done(club, APPROVE, ann, "circle", "3") == {"status": "JOINED"}
    assert await listed(club, "circle", "JOINED") == ["ann"]
    assert {name: (group["status"], group["mayJoin"]) for name, group in (await groups(club, ann)).items()} == {
        "readers": (None, True),
        "circle": ("JOINED", False),
        "salon": (None, False),
        "alumni": (None, False),
    }


async def test_a_request_that_is_sent_again_is_answered_as_before(club: Shop) -> None:
    ann = await club.enrol("ann")

    first, again = await do(club, JOIN, ann, "readers", "1"), await do(club, JOIN, ann, "readers", "1")

    assert again == {**first, "replayed": True}


async def test_what_is_asked_for_is_refused_with_why(club: Shop) -> None:
    ann = await club.enrol("ann")
    await club.give(ann, 5_000, "platinum")
    await done(club, JOIN, ann, "readers", "1")
    await done(club, JOIN, ann, "circle", "2")

    assert await refused(club, JOIN, ann, "singers") == {
        "code": "GROUP_NOT_FOUND",
        "group": "singers",
        "groups": "readers, circle, salon, alumni",
    }
    assert await refused(club, JOIN, ann, "salon") == {
        "code": "GROUP_CONDITION_NOT_MET",
        "condition": "'baker' in member.tags",
    }
    at = "2027-03-10T04:00:00Z"
    assert await refused(club, JOIN, ann, "readers") == {"code": "ALREADY_IN_GROUP", "joinedAt": at}
    assert await refused(club, JOIN, ann, "circle") == {"code": "GROUP_APPLICATION_PENDING", "appliedAt": at}
    assert await refused(club, JOIN, ann, "alumni", note="") == {"code": "INVALID_VALUE", "field": "note"}
    assert await refused(club, JOIN, ann, "alumni", "n", note="x" * 501) == {"code": "INVALID_VALUE", "field": "note"}
    assert await refused(club, LEAVE, ann, "salon") == {"code": "NOT_IN_GROUP", "group": "salon"}
    assert await refused(club, APPROVE, ann, "readers") == {"code": "NO_GROUP_APPLICATION", "group": "readers"}
    assert await refused(club, DECLINE, ann, "readers", reason="why") == {"code": "NO_GROUP_APPLICATION"}
    assert await refused(club, DECLINE, ann, "circle", "s", reason="") == {"code": "INVALID_VALUE"}
    assert await refused(club, REMOVE, ann, "circle", reason="why") == {"code": "NOT_IN_GROUP"}


async def test_who_has_the_tag_meets_the_condition(club: Shop) -> None:
    ann = await club.enrol("ann")
    await club.give(ann, 5_000, "platinum")
    await club.laurel.committer.submit(
        UpdateMember(
            member=ById(read_id(ann)[1]), idempotency_key="t", actor="test", attributes={"tags": ["new", "baker"]}
        )
    )

    assert (await groups(club, ann))["salon"]["mayJoin"] is True
    assert (await done(club, JOIN, ann, "salon", "1"))["status"] == "JOINED"


async def test_an_operator_declines_and_puts_out_and_only_an_operator_lets_back_in(club: Shop) -> None:
    ann = await club.enrol("ann")
    await club.give(ann, 1_000, "gold")
    await done(club, JOIN, ann, "circle", "1")
    declined = await done(club, DECLINE, ann, "circle", "2", reason="not yet, please")
    await done(club, JOIN, ann, "circle", "3")
    await done(club, APPROVE, ann, "circle", "4")
    removed = await done(club, REMOVE, ann, "circle", "5", reason="was rude")
    # Who was put out of a group that lets everybody in has to ask as well.
    await done(club, JOIN, ann, "readers", "6")
    await done(club, REMOVE, ann, "readers", "7", reason="was rude")
    asked = await done(club, JOIN, ann, "readers", "8")

    assert declined == {"status": "DECLINED", "reason": "not yet, please"}
    assert removed == {"status": "REMOVED", "reason": "was rude"}
    assert asked["status"] == "APPLIED"
    assert await done(club, LEAVE, ann, "readers", "9") == {"status": "LEFT"}
    # Taking the application back makes them nobody else.
    assert (await done(club, JOIN, ann, "readers", "10"))["status"] == "APPLIED"
    again = await done(club, DECLINE, ann, "readers", "11", reason="once is enough")
    assert again == {"status": "DECLINED", "reason": "once is enough"}
    assert (await done(club, JOIN, ann, "readers", "12"))["status"] == "APPLIED"
    await done(club, APPROVE, ann, "readers", "13")
    await done(club, LEAVE, ann, "readers", "14")
    assert (await done(club, JOIN, ann, "readers", "15"))["status"] == "JOINED"
    assert await events(club) == [
        "group.applied",
        "group.declined",
        "group.applied",
        "group.joined",
        "group.left",
        "group.joined",
        "group.left",
        "group.applied",
        "group.applied",
        "group.declined",
        "group.applied",
        "group.joined",
        "group.left",
        "group.joined",
    ]


@pytest.mark.parametrize("job", [True, False])
async def test_a_lost_tier_ends_it_after_the_days_of_grace_whether_or_not_the_job_runs(club: Shop, job: bool) -> None:
    ann = await club.enrol("ann")
    await club.give(ann, 1_000, "gold")
    await done(club, JOIN, ann, "circle", "1")
    await done(club, APPROVE, ann, "circle", "2")
    await set_tier(club, ann, "regular", "down")
    ending = (await groups(club, ann))["circle"]

    # The thirtieth day is over at midnight in Shanghai.
    club.clock.set(datetime(2027, 4, 8, 15, 59, tzinfo=UTC))
    last = await status(club, ann, "circle"), await listed(club, "circle", "JOINED")
    club.clock.set(datetime(2027, 4, 8, 16, tzinfo=UTC))
    if job:
        await club.laurel.jobs.run("group")
    over = (await groups(club, ann))["circle"]

    assert (ending["status"], ending["endsAt"]) == ("JOINED", "2027-04-08T16:00:00Z")
    assert last == ("JOINED", ["ann"])
    assert (over["status"], over["endsAt"], over["changedAt"]) == ("LAPSED", None, "2027-04-08T16:00:00Z")
    assert (await listed(club, "circle", "JOINED"), await listed(club, "circle", "LAPSED")) == ([], ["ann"])
    # A tier that comes back now brings nobody back.
    await set_tier(club, ann, "gold", "up")
    assert await status(club, ann, "circle") == "LAPSED"
    assert (await done(club, JOIN, ann, "circle", "3"))["status"] == "APPLIED"


async def test_the_job_tells_once_who_has_left(club: Shop) -> None:
    ann = await club.enrol("ann")
    await club.give(ann, 1_000, "gold")
    await done(club, JOIN, ann, "circle", "1")
    await done(club, APPROVE, ann, "circle", "2")
    await set_tier(club, ann, "regular", "down")
    club.clock.advance(40 * DAY)
    for _ in range(2):
        await club.laurel.jobs.run("group")

    assert await events(club) == ["group.applied", "group.joined", "group.ending", "group.left"]


async def test_a_tier_that_comes_back_in_time_saves_it(club: Shop) -> None:
    ann = await club.enrol("ann")
    await club.give(ann, 1_000, "gold")
    await done(club, JOIN, ann, "circle", "1")
    await done(club, APPROVE, ann, "circle", "2")
    await set_tier(club, ann, "regular", "down")
    club.clock.advance(20 * DAY)
    await set_tier(club, ann, "platinum", "up")
    club.clock.advance(40 * DAY)

    found = (await groups(club, ann))["circle"]
    assert (found["status"], found["endsAt"]) == ("JOINED", None)


async def test_without_grace_it_ends_at_once_and_where_they_stay_never(club: Shop) -> None:
    ann = await club.enrol("ann")
    await club.give(ann, 5_000, "platinum")
    await done(club, JOIN, ann, "alumni", "1")
    await done(club, JOIN, ann, "circle", "2")
    await set_tier(club, ann, "regular", "down")

    # An application is not decided any more.
    assert (await status(club, ann, "alumni"), await status(club, ann, "circle")) == ("JOINED", "LAPSED")
    assert (await refused(club, APPROVE, ann, "circle"))["code"] == "NO_GROUP_APPLICATION"


async def test_a_page_goes_on_while_time_does(club: Shop) -> None:
    names = [f"m{number}" for number in range(5)]
    for name in names:
        await done(club, JOIN, await club.enrol(name), "readers", "1")
    seen: list[str] = []
    after = None
    while True:
        page = (await club.ask(LIST, {"group": "readers", "after": after}))["groupMembers"]
        seen += [node["member"]["externalId"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
        club.clock.advance(DAY)

    assert seen == names


async def test_a_merge_takes_the_groups_along_and_its_undoing_brings_them_back(club: Shop) -> None:
    ann, bob = await club.enrol("ann"), await club.enrol("bob")
    await done(club, JOIN, bob, "readers", "1")
    merge = "mutation ($input: MergeMembersInput!) { mergeMembers(input: $input) { errors { message } } }"
    undo = "mutation ($input: UndoMergeInput!) { undoMerge(input: $input) { errors { message } } }"
    given = {"from": {"id": bob}, "into": {"id": ann}, "reason": "the same person", "idempotencyKey": "m"}
    assert (await club.ask(merge, {"input": given}, role=Role.OPERATOR))["mergeMembers"]["errors"] == []
    await told(club)
    merged = await status(club, ann, "readers"), await status(club, bob, "readers")
    in_group = await listed(club, "readers", "JOINED")
    back = {"member": {"id": bob}, "reason": "not the same", "idempotencyKey": "u"}
    assert (await club.ask(undo, {"input": back}, role=Role.OPERATOR))["undoMerge"]["errors"] == []
    await told(club)

    assert (merged, in_group) == (("JOINED", "MERGED"), ["ann"])
    assert (await status(club, ann, "readers"), await status(club, bob, "readers")) == ("LEFT", "JOINED")


@pytest.mark.parametrize(("days", "now"), [(10, "JOINED"), (40, "LAPSED")])
async def test_days_of_grace_go_on_while_a_merge_stands_that_is_undone(club: Shop, days: int, now: str) -> None:
    ann, bob = await club.enrol("ann"), await club.enrol("bob")
    await set_tier(club, bob, "gold", "up")
    await done(club, JOIN, bob, "circle", "1")
    await done(club, APPROVE, bob, "circle", "2")
    await set_tier(club, bob, "regular", "down")
    merge = "mutation ($input: MergeMembersInput!) { mergeMembers(input: $input) { errors { message } } }"
    undo = "mutation ($input: UndoMergeInput!) { undoMerge(input: $input) { errors { message } } }"
    given = {"from": {"id": bob}, "into": {"id": ann}, "reason": "the same person", "idempotencyKey": "m"}
    assert (await club.ask(merge, {"input": given}, role=Role.OPERATOR))["mergeMembers"]["errors"] == []
    await told(club)
    assert (await groups(club, bob))["circle"]["endsAt"] is None
    club.clock.advance(days * DAY)
    back = {"member": {"id": bob}, "reason": "not the same", "idempotencyKey": "u"}
    assert (await club.ask(undo, {"input": back}, role=Role.OPERATOR))["undoMerge"]["errors"] == []
    await told(club)

    assert await status(club, bob, "circle") == now
    club.clock.advance(40 * DAY)
    found = (await groups(club, bob))["circle"]
    assert (found["status"], found["endsAt"], found["changedAt"]) == ("LAPSED", None, "2027-04-08T16:00:00Z")


async def test_a_closed_membership_leaves_and_an_erased_one_leaves_no_words(club: Shop) -> None:
    ann = await club.enrol("ann")
    await club.give(ann, 1_000, "gold")
    await done(club, JOIN, ann, "readers", "1")
    await done(club, JOIN, ann, "circle", "2", note="I live in Elm Street")
    erase = "mutation ($input: EraseMemberInput!) { eraseMember(input: $input) { errors { message } } }"
    given = {"member": {"id": ann}, "reason": "she asked for it", "idempotencyKey": "e"}
    assert (await club.ask(erase, {"input": given}, role=Role.OPERATOR))["eraseMember"]["errors"] == []

    assert {name: group["status"] for name, group in (await groups(club, ann)).items()} == {
        "readers": "LAPSED",
        "circle": "LAPSED",
        "salon": None,
        "alumni": None,
    }
    rows = await club.laurel.store.reader().query("SELECT note, reason FROM group_membership")
    assert set(rows) == {(None, None)}


async def test_members_see_and_do_what_is_theirs(club: Shop) -> None:
    ann, bob = await club.enrol("ann"), await club.enrol("bob")
    mine = {"member": {"id": ann}, "group": "readers", "idempotencyKey": "1"}

    assert (await club.ask(JOIN, {"input": mine}, member=ann))["joinGroup"]["errors"] == []
    assert (await club.post(JOIN, {"input": {**mine, "idempotencyKey": "2"}}, member=bob))["data"] != {
        "joinGroup": {"errors": []}
    }
    assert (await club.ask(GROUPS, {"id": ann}, member=bob)) == {"node": None}
    assert (await club.post(LIST, {"group": "readers"}, member=ann))["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_tier_shows_the_groups_that_it_brings(club: Shop) -> None:
    ann = await club.enrol("ann")
    await club.give(ann, 1_000, "gold")

    found = await club.ask("{ groups { code } viewer { role } }")
    tiers = await club.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member { tier { benefits { channel code name kind } } } } }",
        {"id": ann},
    )

    assert [group["code"] for group in found["groups"]] == ["readers", "circle", "salon", "alumni"]
    assert tiers["node"]["tier"]["benefits"] == [
        {"channel": "group", "code": "circle", "name": "The circle", "kind": "GROUP"}
    ]


async def test_a_programme_without_groups_says_so(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    bare = "id: x\ncurrency: CNY\ntimezone: UTC"
    async with open_shop(sqlite_folder.migrated(apps), bare, plugins=PLUGINS, now=NOON) as shop:
        ann = await shop.enrol("ann")

        assert await refused(shop, JOIN, ann, "readers") == {
            "code": "GROUPS_NOT_OFFERED",
            "at": "2027-03-10T04:00:00Z",
        }
        assert await shop.ask("{ groups { code } }") == {"groups": []}


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ("{id: a, title: A, tiers: [diamond]}", "no tier 'diamond' on the ladder"),
        ("{id: a, title: A, tier_lost: stay}", "tier_lost: the group is for members of every tier"),
        ("{id: a, title: A, grace_days: 3}", "grace_days: nobody has to leave"),
        ("{id: a, title: A, tiers: [gold], tier_lost: stay, grace_days: 3}", "grace_days: nobody has to leave"),
        ("{id: a, title: A, tiers: [gold], grace_days: 0}", "greater than or equal to 1"),
        ("{id: a, title: A, when: member.teir == 'gold'}", "unknown attribute 'teir'"),
        ("{id: a, title: A}, {id: a, title: B}", "two groups have one id"),
        ("{id: a, title: A, entry: never}", "at_once"),
        ("{id: a}", "title: is missing"),
    ],
)
async def test_a_group_that_cannot_be_meant_is_refused_on_publishing(club: Shop, group: str, message: str) -> None:
    head, tiers = PROGRAMME.split("  group:\n")[0], PROGRAMME[PROGRAMME.index("tiers:\n  ladder") :]

    with pytest.raises(ProgrammeInvalid) as refusal:
        await club.laurel.load(f"{head}  group: {{groups: [{group}]}}\n{tiers}")

    assert message in str(refusal.value)
