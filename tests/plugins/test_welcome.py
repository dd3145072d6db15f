"""The welcome pack through the schema, on every database."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import pytest

from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from graph.laurel import tables
from graph.testing import Shop
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import only
from tests.plugins.orders import BEGIN, balance, document, of_member, shop_at

PLUGINS: Final = only("purchase", "welcome")
PACK: Final = "  welcome: {pack: {points: 50, growth: 10}, expires_days: 30}"
POINTS: Final = "points { available expiring { points at } } growth { available expiring { at } }"
FULL: Final = {
    "points": {"available": 50, "expiring": {"points": 50, "at": "2026-02-03T16:00:00Z"}},
    "growth": {"available": 10, "expiring": {"at": "2027-01-04T16:00:00Z"}},
}
ENROL: Final = "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { member { id } errors { code } } }"


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def quick_url(sqlite_folder: SqliteFolder, apps: Apps) -> str:
    return sqlite_folder.migrated(apps)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    async with shop_at(fresh_database, document(PACK), PLUGINS) as shop:
        yield shop


async def test_who_joins_gets_the_pack_once_with_its_own_expiry(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    assert await shop.enrol("ann") == ann  # replayed

    assert await of_member(shop, ann, POINTS) == FULL
    again = {"externalId": "ann", "idempotencyKey": "another key"}
    answer = (await shop.ask(ENROL, {"input": again}))["enrolMember"]
    assert answer["errors"] == [{"code": "MEMBER_ALREADY_ENROLLED"}]
    assert await balance(shop, ann) == 50
    assert await verify(shop.laurel.store.reader()) == []


async def test_who_joins_with_an_order_gets_the_pack(shop: Shop) -> None:
    order: dict[str, Any] = {
        "member": {"externalId": "ann"},
        "amount": {"amount": "30.00", "currency": "CNY"},
        "reference": "A1",
        "enrolIfUnknown": True,
        "idempotencyKey": "order:A1",
    }
    data = await shop.ask(
        "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { member { id } } }", {"input": order}
    )

    assert await balance(shop, data["recordPurchase"]["member"]["id"]) == 30 + 50


@pytest.mark.parametrize(("ago", "points"), [(timedelta(hours=24), 50), (timedelta(hours=24, seconds=1), 0)])
async def test_who_is_brought_over_from_elsewhere_is_no_newcomer(quick_url: str, ago: timedelta, points: int) -> None:
    async with shop_at(quick_url, document(PACK), PLUGINS) as shop:
        given = {"externalId": "ann", "enrolledAt": (BEGIN - ago).isoformat(), "idempotencyKey": "x"}
        ann = (await shop.ask(ENROL, {"input": given}))["enrolMember"]["member"]["id"]

        assert await balance(shop, ann) == points


async def test_a_pack_may_have_to_wait(quick_url: str) -> None:
    async with shop_at(quick_url, document("  welcome: {pack: {points: 50}, pending_days: 7}"), PLUGINS) as shop:
        ann = await shop.enrol("ann")

        assert (await of_member(shop, ann, "points { available pending }"))["points"] == {
            "available": 0,
            "pending": 50,
        }


async def test_without_the_section_there_is_no_pack(quick_url: str) -> None:
    async with shop_at(quick_url, document(""), PLUGINS) as shop:
        assert await balance(shop, await shop.enrol("ann")) == 0


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("{}", "a pack, or coupons, or both"),
        ("{pack: {}}", "a pack, or coupons, or both"),
        ("{pack: {points: 0}}", "greater than or equal to 1"),
        ("{pack: {point: 50}}", "unknown unit 'point', did you mean 'points'?"),
        ("{pack: {points: 50}, expires_days: 0}", "greater than or equal to 1"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(section: str, said: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_programme(document(f"  welcome: {section}"), PLUGINS.settings)

    assert said in str(refused.value)
