"""Staking points on projects: what is taken, what comes back and where to, and a settlement that is interrupted."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.books.members import ById
from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from core.units import AMOUNT_MAX
from graph.ids import read_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.investment.operations import PayBack
from plugins.investment.rules import FAILED, SUCCEEDED, paid_back
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse, standing

PLUGINS: Final = only("investment")
ROOT: Final = Path(__file__).parents[2]
HEAD: Final = "id: ecosystem\ncurrency: CNY\ntimezone: Asia/Shanghai\n"
PROGRAMME: Final = f"""{HEAD}
expiry: {{mode: per_lot, months: 12}}
channels:
  investment:
    projects:
      - id: roastery
        title: A roastery
        goal: 2000
        window: {{to: "2026-07-01T00:00:00+08:00"}}
        least: 100
        most: 600
        success: "1.2"
        failure: "0.5"
        cancellable: true
      - {{id: boat, title: A boat, goal: 1000, window: {{to: "2026-07-01T00:00:00+08:00"}}, success: "1"}}
      - {{id: past, title: A shop, goal: 9, window: {{to: "2026-06-01T20:00:00+08:00"}}, success: "2", failure: "0"}}
      - id: future
        title: A farm
        goal: 9
        window: {{from: "2026-06-01T20:00:01+08:00", to: "2026-07-01T00:00:00+08:00"}}
        success: "2"
"""

STAKE: Final = """mutation ($input: StakePointsInput!) { stakePoints(input: $input) {
  stake { id project points success failure state paidBack gained }
  project { raised mine state waiting }
  member { points { available } }
  transaction { id kind channel }
  replayed
  errors {
    code
    ... on InvestmentProjectNotFound { project }
    ... on InvestmentNotYetOpen { opensAt }
    ... on InvestmentClosed { closedAt }
    ... on InvestmentTooSmall { needed }
    ... on InvestmentTooLarge { left }
    ... on InvestmentGoalReached { goalLeft }
    ... on InvestmentSettled { outcome }
    ... on InsufficientPoints { needed available }
    ... on InvalidAmount { value }
    ... on MemberNotActive { status }
  }
} }"""
CANCEL: Final = """mutation ($input: CancelStakeInput!) { cancelStake(input: $input) {
  stake { state paidBack } member { points { available } }
  errors {
    code ... on StakeNotOpen { state } ... on StakeNotCancellable { project } ... on InvestmentClosed { closedAt }
  }
} }"""
SETTLE: Final = """mutation ($input: SettleInvestmentInput!) { settleInvestment(input: $input) {
  settled waiting
  errors {
    code ... on InvestmentStillOpen { closesAt } ... on InvestmentSettled { outcome } ... on InvalidValue { field }
  }
} }"""
PROJECTS: Final = (
    "query ($member: MemberByInput) { investmentProjects(member: $member) { id raised mine state waiting } }"
)
STAKES: Final = """query ($id: ID!) { node(id: $id) { ... on Member {
  stakes { nodes { id project points state paidBack gained transaction { kind } } }
  points { available } lots { nodes { remaining expiresAt source } }
} } }"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def town(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    """A brand with projects, on SQLite."""
    url = sqlite_folder.migrated(apps)
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop
    sqlite_folder.done(url)


@pytest.fixture
async def every_town(fresh_database: str) -> AsyncIterator[Shop]:
    """The same, on every database: the pot is shared, and the stakes that wait are found through an index."""
    async with open_shop(fresh_database, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop


async def with_points(shop: Shop, name: str, points: int = 1_000) -> str:
    member = await shop.enrol(name)
    await shop.give(member, points, f"opening {name}")
    return member


async def stake(shop: Shop, member: str, points: int, project: str = "roastery", key: str = "") -> dict[str, Any]:
    asked = {"member": {"id": member}, "project": project, "points": points, "idempotencyKey": key or f"on {project}"}
    payload: dict[str, Any] = (await shop.ask(STAKE, {"input": asked}))["stakePoints"]
    return payload


async def cancel(shop: Shop, stake_id: str, key: str = "cancel", member: str | None = None) -> dict[str, Any]:
    asked = {"stake": stake_id, "idempotencyKey": key}
    payload: dict[str, Any] = (await shop.ask(CANCEL, {"input": asked}, member=member))["cancelStake"]
    return payload


async def settle(shop: Shop, outcome: str, project: str = "roastery", key: str = "end", **more: str) -> dict[str, Any]:
    asked = {"project": project, "outcome": outcome, "reason": "it has ended", "idempotencyKey": key, **more}
    payload: dict[str, Any] = (await shop.ask(SETTLE, {"input": asked}, role=Role.OPERATOR))["settleInvestment"]
    return payload


async def project(shop: Shop, name: str = "roastery", member: str | None = None) -> dict[str, Any]:
    data = await shop.ask(PROJECTS, {"member": {"id": member} if member else None})
    (found,) = [each for each in data["investmentProjects"] if each.pop("id") == name]
    return dict(found)


async def stakes(shop: Shop, member: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await shop.ask(STAKES, {"id": member}))["node"]["stakes"]["nodes"]
    return nodes


async def sound(shop: Shop) -> bool:
    """Whether the ledger's own check finds nothing."""
    return await verify(shop.laurel.store.reader()) == []


def close(shop: Shop) -> None:
    """Let the projects' time run out."""
    shop.clock.advance(timedelta(days=30))


# -- the rules ----------------------------------------------------------------------------------------


@given(
    points=st.integers(1, 10**12), success=st.decimals("1", "100", places=4), failure=st.decimals("0", "1", places=4)
)
def test_success_never_costs_a_point_and_failure_never_gives_one(
    points: int, success: Decimal, failure: Decimal
) -> None:
    own, gained = paid_back(points, SUCCEEDED, success, failure)
    assert own == points
    assert own + gained <= points * success < own + gained + 1
    own, gained = paid_back(points, FAILED, success, failure)
    assert (0 <= own <= points, gained) == (True, 0)


WINDOW: Final = 'window: {to: "2027-01-01T00:00:00Z"}'


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("{}", "projects: is missing"),
        ("{projects: []}", "at least 1"),
        ('{projects: [{id: a, title: A, goal: 5, success: "1.2"}]}', "window: is missing"),
        ('{projects: [{id: a, title: A, goal: 5, success: "1.2", window: {}}]}', "to is missing"),
        (f"{{projects: [{{id: a, title: A, goal: 5, {WINDOW}}}]}}", "success: is missing"),
        (f'{{projects: [{{id: a, title: A, goal: 5, success: "0.9", {WINDOW}}}]}}', "1 to 100"),
        (f'{{projects: [{{id: a, title: A, goal: 5, success: "1.00001", {WINDOW}}}]}}', "at most 4 places"),
        (f"{{projects: [{{id: a, title: A, goal: 5, success: 1.2, {WINDOW}}}]}}", "quoted"),
        (f'{{projects: [{{id: a, title: A, goal: 5, success: "1", failure: "1.1", {WINDOW}}}]}}', "at most 1"),
        (f'{{projects: [{{id: a, title: A, goal: 5, success: "1", least: 6, {WINDOW}}}]}}', "more than the most"),
        (f'{{projects: [{{id: a, title: A, goal: 5, success: "1", most: 2, least: 3, {WINDOW}}}]}}', "more than"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(section: str, says: str) -> None:
    with pytest.raises(ProgrammeInvalid, match=says):
        load_programme(f"{HEAD}channels: {{investment: {section}}}", PLUGINS.settings)


# -- staking ------------------------------------------------------------------------------------------


async def test_points_are_staked(every_town: Shop) -> None:
    ann = await with_points(every_town, "ann")

    payload = await stake(every_town, ann, 300)

    payload["transaction"].pop("id")
    payload["stake"].pop("id")
    assert payload == {
        "stake": {
            "project": "roastery", "points": 300, "success": "1.2", "failure": "0.5", "state": "OPEN", "paidBack": 0,
            "gained": 0,
        },
        "project": {"raised": 300, "mine": 300, "state": "OPEN", "waiting": 1},
        "member": {"points": {"available": 700}},
        "transaction": {"kind": "stake", "channel": "investment"},
        "replayed": False,
        "errors": [],
    }  # fmt: skip
    again = await stake(every_town, ann, 300)
    assert (again["replayed"], again["project"]["raised"]) == (True, 300)


async def test_of_many_who_want_the_last_of_a_project_only_as_many_stake_as_it_takes(every_town: Shop) -> None:
    members = [await with_points(every_town, f"member {n}") for n in range(6)]
    payloads = await asyncio.gather(*(stake(every_town, member, 500) for member in members))
    refused = [payload["errors"] for payload in payloads if payload["errors"]]
    assert refused == [[{"code": "INVESTMENT_GOAL_REACHED", "goalLeft": 0}]] * 2
    assert await project(every_town) == {"raised": 2_000, "mine": None, "state": "GOAL_REACHED", "waiting": 4}


async def test_a_member_stakes_no_fewer_and_no_more_than_one_may_in_all(town: Shop) -> None:
    ann, bob = await with_points(town, "ann"), await with_points(town, "bob")
    assert (await stake(town, ann, 99))["errors"] == [{"code": "INVESTMENT_TOO_SMALL", "needed": 100}]
    assert (await stake(town, ann, 601, key="2"))["errors"] == [{"code": "INVESTMENT_TOO_LARGE", "left": 600}]
    assert (await stake(town, ann, 100, key="3"))["errors"] == []
    assert (await stake(town, ann, 1, key="4"))["errors"] == []
    assert (await stake(town, ann, 500, key="5"))["errors"] == [{"code": "INVESTMENT_TOO_LARGE", "left": 499}]
    assert (await project(town, member=ann))["mine"] == 101
    assert (await project(town, member=bob))["mine"] == 0


@pytest.mark.parametrize(
    ("name", "points", "error"),
    [
        ("moon", 100, {"code": "INVESTMENT_PROJECT_NOT_FOUND", "project": "moon"}),
        ("past", 1, {"code": "INVESTMENT_CLOSED", "closedAt": "2026-06-01T12:00:00Z"}),
        ("future", 1, {"code": "INVESTMENT_NOT_YET_OPEN", "opensAt": "2026-06-01T12:00:01Z"}),
        ("boat", 1_000, {"code": "INSUFFICIENT_POINTS", "needed": 1_000, "available": 900}),
        ("boat", 0, {"code": "INVALID_AMOUNT", "value": "0"}),
        ("boat", -5, {"code": "INVALID_AMOUNT", "value": "-5"}),
        ("boat", 2**53 - 1, {"code": "INSUFFICIENT_POINTS", "needed": 2**53 - 1, "available": 900}),
    ],
)
async def test_what_cannot_be_staked_stays_with_the_member(
    town: Shop, name: str, points: int, error: dict[str, Any]
) -> None:
    ann = await with_points(town, "ann", 900)
    payload = await stake(town, ann, points, name, "refused")
    assert (payload["errors"], payload["stake"]) == ([error], None)
    assert await standing(town, ann) == (900, 2)
    assert await stakes(town, ann) == []


async def test_a_member_sees_and_stakes_their_own_points_only(town: Shop) -> None:
    ann, bob = await with_points(town, "ann"), await with_points(town, "bob")
    asked = {"member": {"id": ann}, "project": "boat", "points": 10, "idempotencyKey": "1"}
    answer = await town.post(STAKE, {"input": asked}, member=bob)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    staked = (await town.ask(STAKE, {"input": asked}, member=ann))["stakePoints"]["stake"]["id"]
    look = "query ($id: ID!) { node(id: $id) { ... on InvestmentStake { points } } }"
    assert await town.ask(look, {"id": staked}, member=ann) == {"node": {"points": 10}}
    assert await town.ask(look, {"id": staked}, member=bob) == {"node": None}
    assert (await cancel(town, staked, member=bob))["errors"] == [{"code": "STAKE_NOT_FOUND"}]
    ending = {"project": "boat", "outcome": "FAILED", "reason": "mine", "idempotencyKey": "1"}
    answer = await town.post(SETTLE, {"input": ending}, member=ann)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_frozen_member_stakes_nothing(town: Shop) -> None:
    ann = await with_points(town, "ann")
    await freeze(town, ann)
    assert (await stake(town, ann, 100))["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]


# -- taking a stake away ------------------------------------------------------------------------------


async def test_a_stake_can_be_taken_away_once_and_while_the_project_is_open(town: Shop) -> None:
    ann = await with_points(town, "ann")
    first = (await stake(town, ann, 200))["stake"]["id"]
    second = (await stake(town, ann, 200, key="second"))["stake"]["id"]

    assert await cancel(town, first, member=ann) == {
        "stake": {"state": "CANCELLED", "paidBack": 200}, "member": {"points": {"available": 800}}, "errors": []
    }  # fmt: skip
    assert (await cancel(town, first, "once more"))["errors"] == [{"code": "STAKE_NOT_OPEN", "state": "cancelled"}]
    assert await project(town, member=ann) == {"raised": 200, "mine": 200, "state": "OPEN", "waiting": 1}

    close(town)
    assert (await cancel(town, second, "too late"))["errors"] == [
        {"code": "INVESTMENT_CLOSED", "closedAt": "2026-06-30T16:00:00Z"}
    ]


async def test_where_the_programme_does_not_say_so_a_stake_stays(town: Shop) -> None:
    ann = await with_points(town, "ann")
    staked = (await stake(town, ann, 200, "boat"))["stake"]["id"]
    assert (await cancel(town, staked))["errors"] == [{"code": "STAKE_NOT_CANCELLABLE", "project": "boat"}]


# -- settling -----------------------------------------------------------------------------------------


async def test_on_success_points_go_back_to_their_lots_and_the_return_is_a_new_one(every_town: Shop) -> None:
    ann = await with_points(every_town, "ann")
    before: list[Any] = (await every_town.ask(STAKES, {"id": ann}))["node"]["lots"]["nodes"]
    await stake(every_town, ann, 301)
    close(every_town)

    assert await settle(every_town, "SUCCEEDED") == {"settled": 1, "waiting": 0, "errors": []}

    node = (await every_town.ask(STAKES, {"id": ann}))["node"]
    (ended,) = node["stakes"]["nodes"]
    ended.pop("id")
    assert ended == {
        "project": "roastery", "points": 301, "state": "SUCCEEDED", "paidBack": 301, "gained": 60,
        "transaction": {"kind": "stake"},
    }  # fmt: skip
    own, gained = node["lots"]["nodes"]
    assert ([own], node["points"]["available"]) == (before, 1_060)
    assert (gained["remaining"], gained["source"]) == (60, "investment")
    assert gained["expiresAt"] > own["expiresAt"]
    assert await project(every_town, member=ann) == {"raised": 301, "mine": 0, "state": "SUCCEEDED", "waiting": 0}
    assert await sound(every_town)


async def test_on_failure_the_promised_share_comes_back_rounded_down(town: Shop) -> None:
    ann = await with_points(town, "ann")
    await stake(town, ann, 301)
    close(town)
    assert await settle(town, "FAILED") == {"settled": 1, "waiting": 0, "errors": []}
    assert await standing(town, ann) == (849, 4)
    assert (await stakes(town, ann))[0]["paidBack"] == 150
    assert await sound(town)


async def test_a_settlement_that_was_interrupted_goes_on_and_pays_nobody_twice(every_town: Shop) -> None:
    members = [await with_points(every_town, f"member {n}") for n in range(4)]
    staked = [(await stake(every_town, member, 100))["stake"]["id"] for member in members]
    close(every_town)
    # All that the first request came to do before its process was killed.
    _, member_id, stake_id = read_id(staked[2])
    await every_town.laurel.committer.submit(
        PayBack(
            member=ById(member_id),
            idempotency_key=f"end:{stake_id}",
            actor="an operator",
            stake=stake_id,
            outcome=SUCCEEDED,
            reason="it has ended",
        )
    )
    assert (await project(every_town))["waiting"] == 3

    assert (await settle(every_town, "FAILED", key="no, the other"))["errors"] == [
        {"code": "INVESTMENT_SETTLED", "outcome": "succeeded"}
    ]
    both = await asyncio.gather(
        settle(every_town, "SUCCEEDED"), settle(every_town, "SUCCEEDED", key="another operator")
    )
    assert (sum(each["settled"] for each in both), [each["errors"] for each in both]) == (3, [[], []])
    assert await settle(every_town, "SUCCEEDED") == {"settled": 0, "waiting": 0, "errors": []}
    assert [await standing(every_town, member) for member in members] == [(1_020, 4)] * 4
    assert await sound(every_town)


async def test_more_stakes_than_a_page_are_settled_by_one_request(town: Shop) -> None:
    ann = await with_points(town, "ann")
    for number in range(103):
        await stake(town, ann, 1, "boat", f"{number}")
    close(town)
    assert await settle(town, "SUCCEEDED", "boat") == {"settled": 103, "waiting": 0, "errors": []}
    assert (await standing(town, ann))[0] == 1_000


async def test_a_project_is_settled_when_its_time_is_over_or_its_goal_is_reached(town: Shop) -> None:
    ann = await with_points(town, "ann")
    await stake(town, ann, 999, "boat")
    assert (await settle(town, "FAILED", "boat"))["errors"] == [
        {"code": "INVESTMENT_STILL_OPEN", "closesAt": "2026-06-30T16:00:00Z"}
    ]
    assert await standing(town, ann) == (1, 3)
    await stake(town, ann, 1, "boat", "the last")
    assert (await settle(town, "FAILED", "boat", key="now"))["settled"] == 2


async def test_what_is_settled_takes_no_points_and_lets_none_go(town: Shop) -> None:
    members = [await with_points(town, f"member {n}") for n in range(4)]
    staked = [await stake(town, member, 500) for member in members]
    _, member_id, stake_id = read_id(staked[0]["stake"]["id"])
    await town.laurel.committer.submit(
        PayBack(
            member=ById(member_id), idempotency_key="1", actor="a", stake=stake_id, outcome=FAILED, reason="it burnt"
        )
    )
    assert (await stake(town, members[0], 100, key="late"))["errors"] == [
        {"code": "INVESTMENT_SETTLED", "outcome": "failed"}
    ]
    assert (await cancel(town, staked[1]["stake"]["id"]))["errors"] == [{"code": "INVESTMENT_SETTLED"}]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"project": "moon"}, {"code": "INVESTMENT_PROJECT_NOT_FOUND"}),
        ({"project": "past"}, {"code": "INVESTMENT_WITHOUT_STAKES"}),
        ({"reason": "  "}, {"code": "INVALID_VALUE", "field": "reason"}),
        ({"reason": ""}, {"code": "INVALID_VALUE", "field": "reason"}),
        ({"key": "k" * 161}, {"code": "INVALID_VALUE", "field": "idempotencyKey"}),
    ],
)
async def test_what_cannot_be_settled_pays_nobody(town: Shop, asked: dict[str, str], error: dict[str, Any]) -> None:
    ann = await with_points(town, "ann")
    await stake(town, ann, 100)
    close(town)
    assert (await settle(town, "SUCCEEDED", **asked))["errors"] == [error]
    assert await standing(town, ann) == (900, 3)
    # The key of a request that was refused does not stand in the way of a better one.
    assert (await settle(town, "SUCCEEDED", key="better"))["settled"] == 1


async def test_who_was_frozen_meanwhile_is_paid_what_was_promised(town: Shop) -> None:
    ann = await with_points(town, "ann")
    await stake(town, ann, 100)
    await freeze(town, ann)
    close(town)
    assert await settle(town, "SUCCEEDED") == {"settled": 1, "waiting": 0, "errors": []}
    assert (await standing(town, ann))[0] == 1_020


async def test_who_has_no_room_for_more_points_holds_up_nobody_else(town: Shop) -> None:
    ann, bob = await with_points(town, "ann"), await with_points(town, "bob")
    await stake(town, ann, 100)
    await stake(town, bob, 100)
    await town.give(ann, AMOUNT_MAX - 900, "all there is")
    close(town)
    assert await settle(town, "SUCCEEDED") == {
        "settled": 1, "waiting": 1, "errors": [{"code": "BALANCE_LIMIT_EXCEEDED"}]
    }  # fmt: skip
    assert (await standing(town, bob))[0] == 1_020
    await town.give(ann, -1_000, "room")
    assert await settle(town, "SUCCEEDED", key="another") == {"settled": 1, "waiting": 0, "errors": []}
    assert (await standing(town, ann))[0] == AMOUNT_MAX - 1_000 + 120


# -- an operator takes a stake back -------------------------------------------------------------------


async def take_back(shop: Shop, transaction: str, points: int) -> list[dict[str, Any]]:
    data = await shop.ask(
        "mutation ($input: ReverseTransactionInput!) { reverseTransaction(input: $input) { errors { code } } }",
        {
            "input": {
                "transaction": transaction,
                "points": points,
                "reason": "a test",
                "idempotencyKey": f"part {points}",
            }
        },
        role=Role.OPERATOR,
    )
    errors: list[dict[str, Any]] = data["reverseTransaction"]["errors"]
    return errors


async def test_what_an_operator_takes_back_while_it_waits_leaves_the_project(town: Shop) -> None:
    ann = await with_points(town, "ann")
    staked = await stake(town, ann, 300)
    assert await take_back(town, staked["transaction"]["id"], 100) == []
    assert await project(town, member=ann) == {"raised": 200, "mine": 200, "state": "OPEN", "waiting": 1}

    await reverse(town, staked["transaction"]["id"])
    assert await project(town, member=ann) == {"raised": 0, "mine": 0, "state": "OPEN", "waiting": 0}
    assert [each["state"] for each in await stakes(town, ann)] == ["REVERSED"]
    assert (await standing(town, ann))[0] == 1_000


async def test_a_stake_that_was_taken_back_in_part_is_paid_back_for_the_rest(town: Shop) -> None:
    ann = await with_points(town, "ann")
    staked = await stake(town, ann, 300)
    await take_back(town, staked["transaction"]["id"], 100)
    close(town)
    await settle(town, "SUCCEEDED")
    assert (await standing(town, ann))[0] == 1_040
    assert await take_back(town, staked["transaction"]["id"], 1) == [{"code": "EXCEEDS_REVERSIBLE"}]


async def test_after_a_failure_an_operator_can_give_back_what_was_lost(town: Shop) -> None:
    ann = await with_points(town, "ann")
    staked = await stake(town, ann, 300)
    close(town)
    await settle(town, "FAILED")
    await reverse(town, staked["transaction"]["id"])
    (ended,) = await stakes(town, ann)
    assert (ended["state"], ended["paidBack"], (await standing(town, ann))[0]) == ("FAILED", 300, 1_000)
    assert await sound(town)


# -- where it stands ----------------------------------------------------------------------------------


async def test_without_the_section_there_is_nothing_to_stake_on(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), HEAD, plugins=PLUGINS) as shop:
        ann = await with_points(shop, "ann")
        assert (await stake(shop, ann, 10))["errors"] == [{"code": "INVESTMENTS_NOT_OFFERED"}]
        answer = await shop.post("{ investmentProjects { id } }")
        assert answer["errors"][0]["extensions"]["code"] == "INVESTMENTS_NOT_OFFERED"


async def test_a_project_that_has_left_the_programme_can_be_settled(town: Shop) -> None:
    ann = await with_points(town, "ann")
    await stake(town, ann, 100)
    assert (await settle(town, "SUCCEEDED", key="early"))["errors"][0]["code"] == "INVESTMENT_STILL_OPEN"
    published = await town.ask(
        "mutation ($input: PublishProgrammeInput!) { publishProgramme(input: $input) { errors { message } } }",
        {"input": {"document": HEAD, "reason": "no more projects"}},
        role=Role.OPERATOR,
    )
    assert published["publishProgramme"]["errors"] == []
    assert await settle(town, "SUCCEEDED") == {"settled": 1, "waiting": 0, "errors": []}
    assert (await standing(town, ann))[0] == 1_020


async def test_what_the_readme_shows_can_be_pasted(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    text = (ROOT / "plugins" / "investment" / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (mutation,) = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    async with open_shop(sqlite_folder.migrated(apps), f"{HEAD}{section}", plugins=PLUGINS) as shop:
        ann = await with_points(shop, "ann")
        (payload,) = (await shop.ask(mutation)).values()
        assert (payload["errors"], payload["project"]["mine"]) == ([], 500)
        assert await standing(shop, ann) == (500, 3)


async def test_in_the_ecosystem_a_roastery_takes_stakes(tmp_path: Path) -> None:
    document = (ROOT / "examples" / "programmes" / "ecosystem.yaml").read_text(encoding="utf-8")
    async with open_shop(tmp_path, document) as shop:
        ann = await with_points(shop, "ann")
        assert (await stake(shop, ann, 99))["errors"] == [{"code": "INVESTMENT_TOO_SMALL", "needed": 100}]
        assert (await stake(shop, ann, 500, key="2"))["project"]["raised"] == 500
