"""Sharing through the schema, with the numbers of the documents, on every database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from core.errors import ProgrammeInvalid
from core.rulebook.programme import load_programme
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse, standing

PLUGINS: Final = only("share")
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
TOP: Final = "id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n"
# The small business: 10 a time, at most 3 a month.
PLAIN: Final = f"{TOP}channels:\n  share: {{points: 10, limits: {{month: 3}}}}\n"
PROVED: Final = f"{TOP}channels:\n  share: {{points: 10, limits: {{month: 3}}, proof: {{days: 7, open: 5}}}}\n"

FIELDS: Final = """
    replayed
    transaction { id channel kind entries { unit amount } }
    share { id item status code expiresAt rewardedAt }
    errors {
      code
      ... on SharesNotOffered { at }
      ... on AlreadyShared { item resetsAt }
      ... on SharesUsedUp { period resetsAt }
      ... on TooManySharesOpen { limit resetsAt }
      ... on ShareNotFound { shareCode }
      ... on ShareAlreadyConfirmed { shareCode confirmedAt }
      ... on ShareCodeExpired { shareCode expiredAt }
      ... on OwnVisit { shareCode }
      ... on InvalidValue { field }
      ... on MemberNotActive { status }
      ... on MemberNotFound { member }
    }
"""
RECORD: Final = f"mutation ($input: RecordShareInput!) {{ recordShare(input: $input) {{ {FIELDS} }} }}"
CONFIRM: Final = f"mutation ($input: ConfirmShareInput!) {{ confirmShare(input: $input) {{ {FIELDS} }} }}"


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """A shop that wants no proof, on every database."""
    async with shop_with(fresh_database, PLAIN) as shop:
        yield shop


@pytest.fixture
async def proving_shop(fresh_database: str) -> AsyncIterator[Shop]:
    """A shop that wants proof, on every database."""
    async with shop_with(fresh_database, PROVED) as shop:
        yield shop


@pytest.fixture
def quick_url(sqlite_folder: SqliteFolder, apps: Apps) -> str:
    """A database on SQLite, for what is not about storage."""
    return sqlite_folder.migrated(apps)


def shop_with(url: str, document: str) -> AbstractAsyncContextManager[Shop]:
    return open_shop(url, document, plugins=PLUGINS)


async def share(shop: Shop, member: str, item: str = "product:tea", key: str = "") -> dict[str, Any]:
    variables = {"member": {"id": member}, "item": item, "idempotencyKey": key or f"share:{item}"}
    answer: dict[str, Any] = (await shop.ask(RECORD, {"input": variables}))["recordShare"]
    return answer


async def code(shop: Shop, member: str, item: str = "product:tea") -> str:
    """The code of a share that must not be refused."""
    answer = await share(shop, member, item, f"{item} at {shop.clock.now()}")
    assert answer["errors"] == []
    found: str = answer["share"]["code"]
    return found


async def confirm(shop: Shop, code: str, visitor: str = "bob", key: str = "") -> dict[str, Any]:
    variables = {"code": code, "visitor": visitor, "idempotencyKey": key or f"visit:{visitor}:{code}"}
    answer: dict[str, Any] = (await shop.ask(CONFIRM, {"input": variables}))["confirmShare"]
    return answer


async def sharing(shop: Shop, member: str) -> Any:
    data = await shop.ask(
        "query ($id: ID!) { node(id: $id) { ... on Member {"
        " sharing { points needsProof left resetsAt } shares { nodes { item status } } } } }",
        {"id": member},
    )
    return data["node"]


# -- without proof ------------------------------------------------------------------------------------


async def test_a_share_brings_ten(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    answer = await share(shop, ann)

    answer["transaction"].pop("id")
    answer["share"].pop("id")
    assert answer == {
        "replayed": False,
        "transaction": {"channel": "share", "kind": "record", "entries": [{"unit": "points", "amount": 10}]},
        "share": {
            "item": "product:tea",
            "status": "REWARDED",
            "code": None,
            "expiresAt": None,
            "rewardedAt": "2026-06-01T12:00:00Z",
        },
        "errors": [],
    }
    assert await sharing(shop, ann) == {
        "sharing": {"points": 10, "needsProof": False, "left": 2, "resetsAt": "2026-06-30T16:00:00Z"},
        "shares": {"nodes": [{"item": "product:tea", "status": "REWARDED"}]},
    }


async def test_at_most_three_shares_a_month_are_rewarded(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    shop.clock.set(datetime(2026, 6, 30, 23, 50, tzinfo=SHANGHAI))
    for item in ("tea", "rice", "soap"):
        await share(shop, ann, item)
    before = await standing(shop, ann)

    fourth = await share(shop, ann, "milk", "fourth")
    shop.clock.set(datetime(2026, 7, 1, 0, 1, tzinfo=SHANGHAI))
    next_month = await share(shop, ann, "milk", "in july")

    assert fourth["share"] is None
    assert fourth["errors"] == [{"code": "SHARES_USED_UP", "period": "month", "resetsAt": "2026-06-30T16:00:00Z"}]
    assert before == (30, 4)
    assert next_month["errors"] == []
    assert await standing(shop, ann) == (40, 5)


async def test_the_same_thing_is_shared_once_a_day(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await share(shop, ann, "tea", "first tap")
    before = await standing(shop, ann)

    tapped_again = await share(shop, ann, "tea", "second tap")
    sent_again = await share(shop, ann, "tea", "first tap")
    shop.clock.advance(timedelta(days=1))
    next_day = await share(shop, ann, "tea", "next day")

    assert tapped_again["errors"] == [{"code": "ALREADY_SHARED", "item": "tea", "resetsAt": "2026-06-01T16:00:00Z"}]
    assert (sent_again["replayed"], sent_again["errors"]) == (True, [])
    assert before == (10, 2)
    assert next_day["errors"] == []


async def test_a_share_that_is_reversed_leaves_room_for_another(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    first = await share(shop, ann, "tea")
    for item in ("rice", "soap"):
        await share(shop, ann, item)

    await reverse(shop, first["transaction"]["id"])
    reversed_ = await sharing(shop, ann)
    again = await share(shop, ann, "tea", "again")

    assert reversed_["sharing"]["left"] == 1
    assert reversed_["shares"]["nodes"][-1] == {"item": "tea", "status": "REVERSED"}
    assert again["errors"] == []
    assert (await standing(shop, ann))[0] == 30


async def test_a_life_long_limit_never_begins_anew(quick_url: str) -> None:
    document = f"{TOP}channels:\n  share: {{points: 10, limits: {{lifetime: 1}}}}\n"
    async with shop_with(quick_url, document) as shop:
        ann = await shop.enrol("ann")
        await share(shop, ann, "tea")

        refused = await share(shop, ann, "rice")

        assert (await sharing(shop, ann))["sharing"]["resetsAt"] is None
    assert refused["errors"] == [{"code": "SHARES_USED_UP", "period": "lifetime", "resetsAt": None}]


# -- with proof ---------------------------------------------------------------------------------------


async def test_a_share_waits_until_somebody_has_come_by_it(proving_shop: Shop) -> None:
    shop = proving_shop
    ann = await shop.enrol("ann")

    recorded = await share(shop, ann)
    waiting = await standing(shop, ann)
    confirmed = await confirm(shop, recorded["share"]["code"].upper())

    assert recorded["share"]["status"] == "PENDING"
    assert recorded["share"]["expiresAt"] == "2026-06-08T12:00:00Z"
    assert waiting == (0, 2)
    confirmed["transaction"].pop("id")
    assert confirmed == {
        "replayed": False,
        "transaction": {"channel": "share", "kind": "confirm", "entries": [{"unit": "points", "amount": 10}]},
        "share": {**recorded["share"], "status": "REWARDED", "rewardedAt": "2026-06-01T12:00:00Z"},
        "errors": [],
    }
    assert await standing(shop, ann) == (10, 3)


async def test_a_share_is_confirmed_once(proving_shop: Shop) -> None:
    shop = proving_shop
    ann = await shop.enrol("ann")
    shared = await code(shop, ann)
    await confirm(shop, shared, "bob")
    before = await standing(shop, ann)

    by_another = await confirm(shop, shared, "carl")

    assert by_another["errors"] == [
        {"code": "SHARE_ALREADY_CONFIRMED", "shareCode": shared, "confirmedAt": "2026-06-01T12:00:00Z"}
    ]
    assert await standing(shop, ann) == before


async def test_ten_visitors_at_once_prove_it_once(proving_shop: Shop) -> None:
    shop = proving_shop
    ann = await shop.enrol("ann")
    shared = await code(shop, ann)

    answers = await asyncio.gather(*(confirm(shop, shared, f"visitor {number}") for number in range(10)))

    codes = [error["code"] for answer in answers for error in answer["errors"]]
    assert codes == ["SHARE_ALREADY_CONFIRMED"] * 9
    assert await standing(shop, ann) == (10, 3)


@pytest.mark.parametrize("named", ["by external id", "by Laurel's id"])
async def test_the_sharers_own_visit_proves_nothing(proving_shop: Shop, named: str) -> None:
    shop = proving_shop
    ann = await shop.enrol("ann")
    shared = await code(shop, ann)

    answer = await confirm(shop, shared, "ann" if named == "by external id" else ann)

    assert answer["errors"] == [{"code": "OWN_VISIT", "shareCode": shared}]
    assert await standing(shop, ann) == (0, 2)
    assert (await confirm(shop, shared, "bob"))["errors"] == []


async def test_a_code_that_nobody_came_by_in_time_proves_nothing(proving_shop: Shop) -> None:
    shop = proving_shop
    ann = await shop.enrol("ann")
    in_time, late = await code(shop, ann, "tea"), await code(shop, ann, "rice")

    shop.clock.advance(timedelta(days=7, seconds=-1))
    at_the_last_moment = await confirm(shop, in_time)
    shop.clock.advance(timedelta(seconds=1))
    too_late = await confirm(shop, late)

    assert at_the_last_moment["errors"] == []
    assert too_late["errors"] == [
        {"code": "SHARE_CODE_EXPIRED", "shareCode": late, "expiredAt": "2026-06-08T12:00:00Z"}
    ]
    assert (await sharing(shop, ann))["shares"]["nodes"][0] == {"item": "rice", "status": "EXPIRED"}
    assert (await standing(shop, ann))[0] == 10


async def test_with_proof_the_month_counts_shares_that_somebody_came_by(proving_shop: Shop) -> None:
    shop = proving_shop
    ann = await shop.enrol("ann")
    shop.clock.set(datetime(2026, 6, 29, tzinfo=UTC))
    codes = [await code(shop, ann, item) for item in ("tea", "rice", "soap", "milk")]
    for shared in codes[:3]:
        assert (await confirm(shop, shared))["errors"] == []

    fourth = await confirm(shop, codes[3])
    fifth = await share(shop, ann, "oil")
    shop.clock.set(datetime(2026, 7, 2, tzinfo=UTC))
    next_month = await confirm(shop, codes[3], key="in july")

    used_up = {"code": "SHARES_USED_UP", "period": "month", "resetsAt": "2026-06-30T16:00:00Z"}
    assert fourth["errors"] == fifth["errors"] == [used_up]
    assert next_month["errors"] == []
    assert (await standing(shop, ann))[0] == 40


async def test_only_so_many_shares_wait_at_a_time(proving_shop: Shop) -> None:
    shop = proving_shop
    ann = await shop.enrol("ann")
    for number in range(5):
        await code(shop, ann, f"product:{number}")

    refused = await share(shop, ann, "product:6")
    shop.clock.advance(timedelta(days=7))
    later = await share(shop, ann, "product:6", "later")

    assert refused["errors"] == [{"code": "TOO_MANY_SHARES_OPEN", "limit": 5, "resetsAt": "2026-06-08T12:00:00Z"}]
    assert later["errors"] == []


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("a" * 16, {"code": "SHARE_NOT_FOUND", "shareCode": "a" * 16}),
        ("a" * 15, {"code": "INVALID_VALUE", "field": "code"}),
        ("a" * 17, {"code": "INVALID_VALUE", "field": "code"}),
        ("", {"code": "INVALID_VALUE", "field": "code"}),
        ("0123456789abcdef", {"code": "INVALID_VALUE", "field": "code"}),
        ("\uff41" * 16, {"code": "INVALID_VALUE", "field": "code"}),
    ],
)
async def test_a_code_that_there_is_not_is_refused(proving_shop: Shop, given: str, error: dict[str, str]) -> None:
    await proving_shop.enrol("ann")

    answer = await confirm(proving_shop, given, key="a key")

    assert answer["errors"] == [error]


async def test_a_visitor_has_a_name(proving_shop: Shop) -> None:
    shop = proving_shop
    shared = await code(shop, await shop.enrol("ann"))

    answer = await confirm(shop, shared, "", key="a key")

    assert answer["errors"] == [{"code": "INVALID_VALUE", "field": "visitor"}]


async def test_a_reward_that_is_reversed_is_not_confirmed_again(proving_shop: Shop) -> None:
    shop = proving_shop
    ann = await shop.enrol("ann")
    shared = await code(shop, ann)
    confirmed = await confirm(shop, shared)

    await reverse(shop, confirmed["transaction"]["id"])
    again = await confirm(shop, shared, "carl")

    assert again["errors"][0]["code"] == "SHARE_ALREADY_CONFIRMED"
    assert (await sharing(shop, ann))["shares"]["nodes"] == [{"item": "product:tea", "status": "REVERSED"}]
    assert (await sharing(shop, ann))["sharing"]["left"] == 3
    assert (await standing(shop, ann))[0] == 0


# -- who, and when not --------------------------------------------------------------------------------


@pytest.mark.parametrize("item", ["", " tea", "t\na", "x" * 129])
async def test_a_subject_that_cannot_be_meant_is_refused(quick_url: str, item: str) -> None:
    async with shop_with(quick_url, PLAIN) as shop:
        ann = await shop.enrol("ann")

        answer = await share(shop, ann, item, "a key")

        assert await standing(shop, ann) == (0, 1)
    assert answer["errors"] == [{"code": "INVALID_VALUE", "field": "item"}]


async def test_a_frozen_member_shares_nothing_and_is_paid_nothing(proving_shop: Shop) -> None:
    shop = proving_shop
    ann = await shop.enrol("ann")
    shared = await code(shop, ann)
    await freeze(shop, ann)
    before = await standing(shop, ann)

    refused = await share(shop, ann, "rice")
    unpaid = await confirm(shop, shared)

    assert refused["errors"] == unpaid["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]
    assert await standing(shop, ann) == before


async def test_an_unknown_member_shares_nothing(shop: Shop) -> None:
    variables = {"member": {"externalId": "nobody"}, "item": "tea", "idempotencyKey": "x"}

    answer = (await shop.ask(RECORD, {"input": variables}))["recordShare"]

    assert answer["errors"] == [{"code": "MEMBER_NOT_FOUND", "member": "nobody"}]


async def test_members_share_for_themselves_and_confirm_nothing(proving_shop: Shop) -> None:
    shop = proving_shop
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    shared = {"input": {"member": {"id": ann}, "item": "tea", "idempotencyKey": "mine"}}

    by_bob = await shop.post(RECORD, shared, member=bob)
    by_ann = await shop.ask(RECORD, shared, member=ann)
    visit = {"input": {"code": by_ann["recordShare"]["share"]["code"], "visitor": "bob", "idempotencyKey": "v"}}
    confirmed_by_ann = await shop.post(CONFIRM, visit, member=ann)
    confirmed_by_analyst = await shop.post(CONFIRM, visit, role=Role.ANALYST)
    seen_by_bob = await shop.ask(
        "query ($id: ID!) { node(id: $id) { id } }", {"id": by_ann["recordShare"]["share"]["id"]}, member=bob
    )

    assert by_bob["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert by_ann["recordShare"]["errors"] == []
    assert confirmed_by_ann["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert confirmed_by_analyst["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert seen_by_bob == {"node": None}


async def test_a_programme_without_the_section_rewards_no_shares(quick_url: str) -> None:
    async with shop_with(quick_url, TOP) as shop:
        ann = await shop.enrol("ann")

        answer = await share(shop, ann)

        assert await sharing(shop, ann) == {"sharing": None, "shares": {"nodes": []}}
    assert answer["errors"] == [{"code": "SHARES_NOT_OFFERED", "at": "2026-06-01T12:00:00Z"}]


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{}", "points: is missing"),
        ("{points: 0}", "points"),
        ("{points: '10'}", "points"),
        ("{points: 10, limits: {month: 0}}", "limits.month"),
        ("{points: 10, limits: {week: 3}}", "week"),
        ("{points: 10, proof: {days: 0}}", "proof.days"),
        ("{points: 10, proof: {open: 0}}", "proof.open"),
        ("{points: 10, proof: true}", "proof"),
    ],
)
def test_a_section_that_cannot_be_meant_is_not_published(section: str, problem: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme(f"{TOP}channels:\n  share: {section}\n", PLUGINS.settings)

    assert problem in str(refused.value)
