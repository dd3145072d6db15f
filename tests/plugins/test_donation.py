"""Giving points to projects: how far they are, what the brand adds, and what no project takes."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ProgrammeInvalid
from core.rulebook.programme import load_programme
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.donation.refusals import DonationGoalReached
from plugins.donation.rules import Project
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse, standing

PLUGINS: Final = only("donation")
ROOT: Final = Path(__file__).parents[2]
PROGRAMME: Final = """
id: ecosystem
currency: CNY
timezone: Asia/Shanghai
channels:
  donation:
    projects:
      - {id: library, title: A library for the village, goal: 1000, least: 10}
      - {id: trees, title: A thousand trees, goal: 1000, match: "0.50"}
      - {id: stray, title: A home for strays, goal: 100, beyond_goal: true, match: "1"}
      - {id: past, title: Winter coats, goal: 100, valid: {to: "2026-06-01T20:00:00+08:00"}}
      - {id: future, title: School bags, goal: 100, valid: {from: "2026-06-01T20:00:01+08:00"}}
"""

DONATE: Final = """mutation ($input: DonatePointsInput!) { donatePoints(input: $input) {
  donation { project title points added }
  project { raised added ratio donors mine least most refusal { code } }
  member { points { available } }
  transaction { id kind channel }
  replayed
  errors {
    code
    ... on DonationProjectNotFound { project }
    ... on DonationNotYetOpen { opensAt }
    ... on DonationClosed { closedAt }
    ... on DonationTooSmall { points needed }
    ... on DonationGoalReached { goal goalLeft }
    ... on InsufficientPoints { needed available }
    ... on InvalidAmount { value }
    ... on MemberNotActive { status }
  }
} }"""
PROJECTS: Final = """query ($member: MemberByInput) { donationProjects(member: $member) {
  id goal raised ratio donors mine refusal { code }
} }"""


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
    """The same, on every database: the pot is a row that members share."""
    async with open_shop(fresh_database, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop


async def with_points(shop: Shop, name: str, points: int = 2_000) -> str:
    member = await shop.enrol(name)
    await shop.give(member, points, f"opening {name}")
    return member


async def donate(shop: Shop, member: str, project: str, points: int, key: str = "") -> dict[str, Any]:
    asked = {"member": {"id": member}, "project": project, "points": points, "idempotencyKey": key or f"to {project}"}
    payload: dict[str, Any] = (await shop.ask(DONATE, {"input": asked}))["donatePoints"]
    return payload


async def projects(shop: Shop, member: str | None = None) -> dict[str, dict[str, Any]]:
    data = await shop.ask(PROJECTS, {"member": {"id": member} if member else None})
    return {project.pop("id"): project for project in data["donationProjects"]}


# -- the rules ----------------------------------------------------------------------------------------


def project(**section: Any) -> Project:
    return Project.model_validate({"id": "library", "title": "A library", "goal": 1_000, **section})


@given(
    points=st.integers(1, 2_000),
    raised=st.integers(0, 1_200),
    match=st.sampled_from(["0", "0.1", "0.50", "1", "3"]),
    least=st.integers(1, 1_000),
)
def test_what_is_taken_never_passes_the_goal_and_something_can_be_given_until_it_is_reached(
    points: int, raised: int, match: str, least: int
) -> None:
    library = project(match=match, least=least)
    left = max(1_000 - raised, 0)
    assert 0 < library.least_now(raised) <= left or left == 0
    if library.least_now(raised) <= points <= left:
        library.check_points(points, raised)
        assert 0 <= library.added(points, raised) <= left - points
    elif points > left:
        with pytest.raises(DonationGoalReached):
            library.check_points(max(points, library.least_now(raised)), raised)


@pytest.mark.parametrize(
    ("points", "raised", "match", "beyond_goal", "added"),
    [
        (100, 0, "0", False, 0),
        (100, 0, "0.50", False, 50),
        (101, 0, "0.50", False, 50),
        (100, 850, "1", False, 50),
        (100, 900, "1", False, 0),
        (100, 900, "1", True, 100),
    ],
)
def test_the_brand_adds_its_part_as_far_as_the_goal_needs_it(
    points: int, raised: int, match: str, beyond_goal: bool, added: int
) -> None:
    assert project(match=match, beyond_goal=beyond_goal).added(points, raised) == added


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("{}", "projects: is missing"),
        ("{projects: []}", "at least 1"),
        ("{projects: [{id: a, title: A, goal: 0}]}", "greater than or equal to 1"),
        ("{projects: [{id: a, title: A, goal: 5, least: 6}]}", "more than the goal"),
        ('{projects: [{id: a, title: A, goal: 5, match: "101"}]}', "at most 100"),
        ("{projects: [{id: a, title: A, goal: 5}, {id: a, title: B, goal: 5}]}", "used twice"),
        ("{projects: [{id: a, title: A, goal: 5, end: never}]}", "unknown key 'end'"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(section: str, says: str) -> None:
    with pytest.raises(ProgrammeInvalid, match=says):
        load_programme(f"id: x\ncurrency: CNY\ntimezone: UTC\nchannels: {{donation: {section}}}", PLUGINS.settings)


# -- giving -------------------------------------------------------------------------------------------


async def test_points_that_are_given_move_the_bar(every_town: Shop) -> None:
    ann = await with_points(every_town, "ann")

    payload = await donate(every_town, ann, "library", 333)

    payload["transaction"].pop("id")
    assert payload == {
        "donation": {"project": "library", "title": "A library for the village", "points": 333, "added": 0},
        "project": {
            "raised": 333, "added": 0, "ratio": "0.3330", "donors": 1, "mine": 333, "least": 10, "most": 667,
            "refusal": None,
        },
        "member": {"points": {"available": 1_667}},
        "transaction": {"kind": "donate", "channel": "donation"},
        "replayed": False,
        "errors": [],
    }  # fmt: skip


async def test_the_projects_show_what_all_gave_and_what_was_mine(town: Shop) -> None:
    ann, bob = await with_points(town, "ann"), await with_points(town, "bob")
    await donate(town, ann, "trees", 100)
    await donate(town, ann, "trees", 100, "again")
    await donate(town, bob, "trees", 101)
    await donate(town, bob, "stray", 150)

    assert await projects(town, ann) == {
        "library": {"goal": 1_000, "raised": 0, "ratio": "0.0000", "donors": 0, "mine": 0, "refusal": None},
        "trees": {"goal": 1_000, "raised": 451, "ratio": "0.4510", "donors": 2, "mine": 200, "refusal": None},
        "stray": {"goal": 100, "raised": 300, "ratio": "3.0000", "donors": 1, "mine": 0, "refusal": None},
        "past": {
            "goal": 100, "raised": 0, "ratio": "0.0000", "donors": 0, "mine": 0, "refusal": {"code": "DONATION_CLOSED"}
        },
        "future": {
            "goal": 100, "raised": 0, "ratio": "0.0000", "donors": 0, "mine": 0,
            "refusal": {"code": "DONATION_NOT_YET_OPEN"},
        },
    }  # fmt: skip
    assert (await projects(town))["trees"]["mine"] is None
    data = await town.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member { donations { nodes {"
        " id project points added transaction { kind } } } } } }",
        {"id": bob},
    )
    newest, oldest = data["node"]["donations"]["nodes"]
    node = newest.pop("id")
    assert newest == {"project": "stray", "points": 150, "added": 150, "transaction": {"kind": "donate"}}
    assert (oldest["project"], oldest["points"], oldest["added"]) == ("trees", 101, 50)
    ask_for_it = "query ($id: ID!) { node(id: $id) { ... on Donation { points } } }"
    assert await town.ask(ask_for_it, {"id": node}, member=bob) == {"node": {"points": 150}}
    assert await town.ask(ask_for_it, {"id": node}, member=ann) == {"node": None}


async def test_the_same_request_again_is_the_same_donation(town: Shop) -> None:
    ann = await with_points(town, "ann")
    first = await donate(town, ann, "library", 100)
    again = await donate(town, ann, "library", 100)
    assert (first.pop("replayed"), again.pop("replayed")) == (False, True)
    assert again == first


async def test_the_last_points_may_be_fewer_than_usual_and_then_the_goal_is_reached(town: Shop) -> None:
    ann = await with_points(town, "ann")
    await donate(town, ann, "library", 995)

    payload = await donate(town, ann, "library", 5, "last")
    assert (payload["errors"], payload["project"]["ratio"], payload["project"]["most"]) == ([], "1.0000", 0)
    assert payload["project"]["refusal"] == {"code": "DONATION_GOAL_REACHED"}
    late = await donate(town, ann, "library", 5, "late")
    assert late["errors"] == [{"code": "DONATION_GOAL_REACHED", "goal": 1_000, "goalLeft": 0}]


async def test_of_many_who_want_to_give_the_last_points_as_many_do_as_are_needed(every_town: Shop) -> None:
    donors = [await with_points(every_town, f"donor {n}", 300) for n in range(8)]

    payloads = await asyncio.gather(*(donate(every_town, donor, "library", 250) for donor in donors))

    refused = [payload["errors"] for payload in payloads if payload["errors"]]
    assert refused == [[{"code": "DONATION_GOAL_REACHED", "goal": 1_000, "goalLeft": 0}]] * 4
    library = (await projects(every_town))["library"]
    assert (library["raised"], library["donors"]) == (1_000, 4)
    assert sorted([await standing(every_town, donor) for donor in donors]) == [(50, 3)] * 4 + [(300, 2)] * 4


# -- taking back --------------------------------------------------------------------------------------


async def test_what_an_operator_reverses_leaves_the_pot_with_what_was_added(every_town: Shop) -> None:
    ann = await with_points(every_town, "ann")
    first = await donate(every_town, ann, "trees", 100)
    second = await donate(every_town, ann, "trees", 201, "second")
    assert (await projects(every_town, ann))["trees"]["raised"] == 100 + 50 + 201 + 100

    await take_back(every_town, second["transaction"]["id"], 100)
    trees = (await projects(every_town, ann))["trees"]
    # Of 100 added to 201 points 50.2 belong to the 101 that stay.
    assert (trees["raised"], trees["mine"], trees["donors"]) == (150 + 101 + 50, 201, 1)

    await reverse(every_town, second["transaction"]["id"])
    await reverse(every_town, first["transaction"]["id"])
    trees = (await projects(every_town, ann))["trees"]
    assert (trees["raised"], trees["mine"], trees["donors"]) == (0, 0, 0)
    assert (await standing(every_town, ann))[0] == 2_000


async def take_back(shop: Shop, transaction: str, points: int) -> None:
    """Take back part of a transaction, as an operator."""
    data = await shop.ask(
        "mutation ($input: ReverseTransactionInput!) { reverseTransaction(input: $input) { errors { message } } }",
        {"input": {"transaction": transaction, "points": points, "reason": "a test", "idempotencyKey": "part"}},
        role=Role.OPERATOR,
    )
    assert data["reverseTransaction"]["errors"] == []


# -- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("project", "points", "error"),
    [
        ("moon", 10, {"code": "DONATION_PROJECT_NOT_FOUND", "project": "moon"}),
        ("", 10, {"code": "DONATION_PROJECT_NOT_FOUND", "project": ""}),
        ("past", 10, {"code": "DONATION_CLOSED", "closedAt": "2026-06-01T12:00:00Z"}),
        ("future", 10, {"code": "DONATION_NOT_YET_OPEN", "opensAt": "2026-06-01T12:00:01Z"}),
        ("library", 9, {"code": "DONATION_TOO_SMALL", "points": 9, "needed": 10}),
        ("library", 1_001, {"code": "DONATION_GOAL_REACHED", "goal": 1_000, "goalLeft": 1_000}),
        ("library", 0, {"code": "INVALID_AMOUNT", "value": "0"}),
        ("library", -10, {"code": "INVALID_AMOUNT", "value": "-10"}),
        ("stray", 2_001, {"code": "INSUFFICIENT_POINTS", "needed": 2_001, "available": 2_000}),
        ("stray", 2**53 - 1, {"code": "INSUFFICIENT_POINTS", "needed": 2**53 - 1, "available": 2_000}),
    ],
)
async def test_what_a_project_does_not_take_stays_with_the_member(
    town: Shop, project: str, points: int, error: dict[str, Any]
) -> None:
    ann = await with_points(town, "ann")
    payload = await donate(town, ann, project, points, "refused")
    assert (payload["donation"], payload["project"], payload["transaction"]) == (None, None, None)
    assert payload["errors"] == [error]
    assert await standing(town, ann) == (2_000, 2)
    assert {each["raised"] for each in (await projects(town)).values()} == {0}


async def test_a_project_opens_at_its_instant(town: Shop) -> None:
    ann = await with_points(town, "ann")
    town.clock.advance(timedelta(seconds=1))
    assert (await donate(town, ann, "future", 10))["errors"] == []


async def test_a_frozen_member_gives_nothing(town: Shop) -> None:
    ann = await with_points(town, "ann")
    await freeze(town, ann)
    assert (await donate(town, ann, "library", 10))["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]
    assert (await projects(town, ann))["library"]["refusal"] == {"code": "MEMBER_NOT_ACTIVE"}


async def test_a_member_gives_their_own_points_only(town: Shop) -> None:
    ann, bob = await with_points(town, "ann"), await with_points(town, "bob")
    asked = {"member": {"id": ann}, "project": "library", "points": 10, "idempotencyKey": "1"}
    answer = await town.post(DONATE, {"input": asked}, member=bob)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    payload = (await town.ask(DONATE, {"input": asked}, member=ann))["donatePoints"]
    assert payload["project"]["mine"] == 10
    # A member's own token need not say whose project it asks for.
    own = await town.ask("{ donationProjects { id mine } }", member=ann)
    assert own["donationProjects"][0] == {"id": "library", "mine": 10}


async def test_without_the_section_there_is_nothing_to_give_to(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    bare = "id: x\ncurrency: CNY\ntimezone: UTC"
    async with open_shop(sqlite_folder.migrated(apps), bare, plugins=PLUGINS) as shop:
        ann = await with_points(shop, "ann")
        assert (await donate(shop, ann, "library", 10))["errors"] == [{"code": "DONATIONS_NOT_OFFERED"}]
        answer = await shop.post("{ donationProjects { id } }")
        assert answer["errors"][0]["extensions"]["code"] == "DONATIONS_NOT_OFFERED"


async def test_what_the_readme_shows_can_be_pasted(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    text = (ROOT / "plugins" / "donation" / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (mutation,) = re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)
    document = f"id: x\ncurrency: CNY\ntimezone: Asia/Shanghai\n{section}"
    async with open_shop(sqlite_folder.migrated(apps), document, plugins=PLUGINS) as shop:
        ann = await with_points(shop, "ann")
        (payload,) = (await shop.ask(mutation)).values()
        assert payload["errors"] == []
        assert (payload["project"]["raised"], await standing(shop, ann)) == (150, (1_900, 3))


async def test_in_the_ecosystem_the_brand_adds_half_to_a_library(tmp_path: Path) -> None:
    document = (ROOT / "examples" / "programmes" / "ecosystem.yaml").read_text(encoding="utf-8")
    async with open_shop(tmp_path, document) as shop:
        ann = await with_points(shop, "ann")
        payload = await donate(shop, ann, "library", 500)
        assert payload["donation"] == {
            "project": "library", "title": "A library for the village school", "points": 500, "added": 250
        }  # fmt: skip
        assert payload["project"]["ratio"] == "0.0007"
        assert (await donate(shop, ann, "trees", 99))["errors"] == [
            {"code": "DONATION_TOO_SMALL", "points": 99, "needed": 100}
        ]
