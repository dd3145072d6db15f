"""Joining and the profile through the schema, with the numbers of the documents, on every database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from core.books.members import bucket_of
from core.books.tallies import Tally
from core.errors import ProgrammeInvalid
from core.rulebook.programme import load_programme
from core.store.tables import table_of
from graph.ids import read_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from tests.databases import Apps
from tests.plugins.channel import freeze, only, reverse, standing

PLUGINS: Final = only("profile")
TOP: Final = "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n"
# The beauty brand: join 50, skin profile 30; with two more sections and a bonus for all of them.
PROGRAMME: Final = f"""{TOP}
channels:
  profile:
    join: 50
    sections: {{skin_type: 30, phone: 10, address: 0}}
    complete: 20
"""

COMPLETE: Final = """
mutation ($input: CompleteProfileSectionInput!) {
  completeProfileSection(input: $input) {
    replayed
    transaction { id channel kind entries { unit amount } }
    member { profile { sections { id done points } complete bonus bonusEarned } }
    errors {
      code
      ... on ProfileSectionAlreadyCompleted { section completedAt }
      ... on ProfileSectionNotFound { section }
      ... on ProfileNotOffered { at }
      ... on MemberNotActive { status }
      ... on MemberNotFound { member }
    }
  }
}"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    async with open_shop(fresh_database, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop


async def complete(shop: Shop, member: str, section: str, key: str = "") -> dict[str, Any]:
    variables = {"input": {"member": {"id": member}, "section": section, "idempotencyKey": key or section}}
    answer: dict[str, Any] = (await shop.ask(COMPLETE, variables))["completeProfileSection"]
    return answer


async def tallies(shop: Shop, member: str) -> dict[str, int]:
    """What was counted of the member's profile."""
    table, member_id = table_of(Tally), read_id(member)[1]
    rows = await shop.laurel.store.reader().select(table, ("bucket", "member_id"), [(bucket_of(member_id), member_id)])
    counts = [table.of(table.decode(row)) for row in rows]
    return {count.name: count.amount for count in counts if count.name.startswith("profile")}


async def test_joining_brings_fifty(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    assert await standing(shop, ann) == (50, 1)


async def test_joining_with_a_first_order_brings_fifty_as_well(tmp_path: Path) -> None:
    rules = '{groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}'
    document = f"{PROGRAMME}  purchase: {{earn: {{points: {rules}}}}}\n"
    order = {
        "member": {"externalId": "ann"},
        "enrolIfUnknown": True,
        "reference": "A1",
        "idempotencyKey": "order:A1",
        "amount": {"amount": "9.90", "currency": "CNY"},
    }
    async with open_shop(tmp_path, document, plugins=only("profile", "purchase")) as shop:
        data = await shop.ask(
            "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { member { id } } }",
            {"input": order},
        )

        assert await standing(shop, data["recordPurchase"]["member"]["id"]) == (50 + 9, 1)


async def test_who_was_a_member_elsewhere_before_is_not_welcomed_again(shop: Shop) -> None:
    enrolment = {"externalId": "old", "idempotencyKey": "enrol", "enrolledAt": "2020-05-01T00:00:00Z"}
    data = await shop.ask(
        "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { member { id } errors { code } } }",
        {"input": enrolment},
    )

    assert data["enrolMember"]["errors"] == []
    assert await standing(shop, data["enrolMember"]["member"]["id"]) == (0, 1)


async def test_the_skin_profile_brings_thirty(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    answer = await complete(shop, ann, "skin_type")

    answer["transaction"].pop("id")
    assert answer == {
        "replayed": False,
        "transaction": {"channel": "profile", "kind": "complete", "entries": [{"unit": "points", "amount": 30}]},
        "member": {
            "profile": {
                "sections": [
                    {"id": "skin_type", "done": True, "points": 30},
                    {"id": "phone", "done": False, "points": 10},
                    {"id": "address", "done": False, "points": 0},
                ],
                "complete": False,
                "bonus": 20,
                "bonusEarned": False,
            }
        },
        "errors": [],
    }


async def test_the_last_section_brings_the_bonus_of_the_whole(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    brought = [
        sum(entry["amount"] for entry in (await complete(shop, ann, section))["transaction"]["entries"])
        for section in ("phone", "address", "skin_type")
    ]

    assert brought == [10, 0, 50]
    assert await standing(shop, ann) == (110, 4)


async def test_a_section_is_rewarded_once_in_a_life(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await complete(shop, ann, "phone", "first")
    before = await standing(shop, ann)

    again = await complete(shop, ann, "phone", "second")
    replayed = await complete(shop, ann, "phone", "first")

    assert again["transaction"] is None
    assert again["errors"] == [
        {
            "code": "PROFILE_SECTION_ALREADY_COMPLETED",
            "section": "phone",
            "completedAt": "2026-06-01T12:00:00Z",
        }
    ]
    assert replayed["replayed"]
    assert await standing(shop, ann) == before == (60, 2)


async def test_a_section_that_is_reversed_can_be_completed_anew_and_the_whole_with_it(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await complete(shop, ann, "phone")
    await complete(shop, ann, "address")
    last = await complete(shop, ann, "skin_type")

    await reverse(shop, last["transaction"]["id"])
    taken_back = await standing(shop, ann)
    answer = await complete(shop, ann, "skin_type", "again")

    assert taken_back == (60, 5)
    assert answer["errors"] == []
    assert answer["member"]["profile"]["bonusEarned"]
    assert await standing(shop, ann) == (110, 6)


async def test_the_bonus_is_not_given_again_for_one_section_that_was_reversed(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    first = await complete(shop, ann, "phone")
    await complete(shop, ann, "address")
    await complete(shop, ann, "skin_type")

    await reverse(shop, first["transaction"]["id"])
    answer = await complete(shop, ann, "phone", "again")

    assert answer["transaction"]["entries"] == [{"unit": "points", "amount": 10}]
    assert await standing(shop, ann) == (110, 6)


async def test_what_is_completed_is_counted_and_a_reversal_uncounts_it(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    for section in ("phone", "address"):
        await complete(shop, ann, section)
    last = await complete(shop, ann, "skin_type")
    counted = await tallies(shop, ann)

    await reverse(shop, last["transaction"]["id"])

    assert PLUGINS.countables.keys() >= {"profile_sections", "profile_completed"}
    assert counted == {"profile_sections": 3, "profile_completed": 1}
    assert await tallies(shop, ann) == {"profile_sections": 2, "profile_completed": 0}


@pytest.mark.parametrize("section", ["shoe_size", "", "*", "x" * 70])
async def test_a_section_that_the_programme_does_not_know_is_refused(shop: Shop, section: str) -> None:
    ann = await shop.enrol("ann")

    answer = await complete(shop, ann, section, "unknown")

    assert answer["errors"] == [{"code": "PROFILE_SECTION_NOT_FOUND", "section": section}]
    assert await standing(shop, ann) == (50, 1)


async def test_a_frozen_member_completes_nothing(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await freeze(shop, ann)
    before = await standing(shop, ann)

    answer = await complete(shop, ann, "phone")

    assert answer["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]
    assert await standing(shop, ann) == before


async def test_an_unknown_member_completes_nothing(shop: Shop) -> None:
    variables = {"input": {"member": {"externalId": "nobody"}, "section": "phone", "idempotencyKey": "x"}}

    answer = (await shop.ask(COMPLETE, variables))["completeProfileSection"]

    assert answer["errors"] == [{"code": "MEMBER_NOT_FOUND", "member": "nobody"}]


async def test_only_the_brand_vouches_for_a_section(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    variables = {"input": {"member": {"id": ann}, "section": "phone", "idempotencyKey": "mine"}}

    by_ann = await shop.post(COMPLETE, variables, member=ann)
    by_analyst = await shop.post(COMPLETE, variables, role=Role.ANALYST)
    by_operator = await shop.ask(COMPLETE, variables, role=Role.OPERATOR)

    assert by_ann["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert by_analyst["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert by_operator["completeProfileSection"]["errors"] == []


async def test_a_programme_without_the_section_rewards_no_profile(fresh_database: str) -> None:
    async with open_shop(fresh_database, TOP, plugins=PLUGINS, now=datetime(2026, 6, 1, tzinfo=UTC)) as shop:
        ann = await shop.enrol("ann")

        answer = await complete(shop, ann, "phone")

        assert await standing(shop, ann) == (0, 1)
    assert answer["errors"] == [{"code": "PROFILE_NOT_OFFERED", "at": "2026-06-01T00:00:00Z"}]
    assert answer["member"]["profile"] is None


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{join: -1}", "join"),
        ("{join: true}", "join"),
        ("{complete: 20}", "complete needs sections"),
        ("{sections: {Phone: 10}}", "sections"),
        ('{sections: {"*": 10}}', "sections"),
        ("{sections: {phone: '10'}}", "sections.phone"),
        ("{joining: 50}", "joining"),
    ],
)
def test_a_section_that_cannot_be_meant_is_not_published(section: str, problem: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme(f"{TOP}channels:\n  profile: {section}\n", PLUGINS.settings)

    assert problem in str(refused.value)
