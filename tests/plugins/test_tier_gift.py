"""Gifts for reaching a tier: once in a life, each of several at once, in the transaction that reached it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest

from core.books.members import ById
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from graph.ids import read_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import only, reverse, told
from tests.plugins.orders import balance, buy, document, of_member, send_back, shop_at

PLUGINS: Final = only("purchase", "tier_gift", "coupon")
ROOT: Final = Path(__file__).parents[2]
TIERS: Final = """tiers:
  ladder:
    - {id: regular}
    - {id: silver, all: [{fact: spend, at_least: 100}]}
    - {id: gold, all: [{fact: spend, at_least: 500}]}
"""
COUPON: Final = "\n  coupon: {coupons: [{id: pack, name: A tasting pack}]}"
GIFTS: Final = "silver: {pack: {points: 10}}, gold: {pack: {points: 50, growth: 5}, coupons: [pack]}"


@dataclass(frozen=True, kw_only=True)
class PutIntoTier(Operation):
    """What a review of tiers does."""

    channel: ClassVar[str] = "review of tiers"
    kind: ClassVar[str] = "put"

    tier: str

    async def perform(self, work: Work) -> dict[str, Any]:
        work.move_to_tier(self.tier)
        return {}


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


def programme(settings: str) -> str:
    return document(f"  tier_gift: {{{settings}}}{COUPON}", top=TIERS)


@pytest.fixture
def opened(sqlite_folder: SqliteFolder, apps: Apps) -> Any:
    def at(more: str = "") -> AbstractAsyncContextManager[Shop]:
        return shop_at(sqlite_folder.migrated(apps), programme(f"gifts: {{{GIFTS}}}{more}"), PLUGINS)

    return at


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """On every database."""
    async with shop_at(fresh_database, programme(f"gifts: {{{GIFTS}}}"), PLUGINS) as shop:
        yield shop


async def put(shop: Shop, member: str, *tiers: str) -> None:
    for tier in tiers:
        key = f"{tier} {await balance(shop, member)} {len(await history(shop, member))}"
        by = ById(read_id(member)[1])
        outcome = await shop.laurel.committer.submit(
            PutIntoTier(member=by, idempotency_key=key, actor="a test", tier=tier)
        )
        assert outcome.accepted


async def history(shop: Shop, member: str) -> list[str]:
    return [
        step["tier"]["code"] for step in (await of_member(shop, member, "tierHistory { tier { code } }"))["tierHistory"]
    ]


async def gifts(shop: Shop, member: str) -> list[tuple[str, bool, bool]]:
    """Each tier with a gift: whether the member has it, and whether it is ahead."""
    found = (await of_member(shop, member, "tierGifts { tier givenAt isAhead }"))["tierGifts"]
    return [(gift["tier"], gift["givenAt"] is not None, gift["isAhead"]) for gift in found]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("gifts: {}", "at least 1"),
        ("gifts: {silver: {}}", "a pack, or coupons, or both"),
        ("gifts: {silver: {pack: {points: 0}}}", "greater than or equal to 1"),
        ("gifts: {silver: {pack: {pionts: 1}}}", "unknown unit 'pionts'"),
        ("gifts: {sliver: {pack: {points: 1}}}", "tier_gift.gifts.sliver: no tier 'sliver' on the ladder.*'silver'"),
        ("gifts: {regular: {pack: {points: 1}}}", "everybody begins there"),
        ("gifts: {gold: {coupons: [pakc]}}", "no coupon 'pakc' in the programme, did you mean 'pack'"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(settings: str, says: str) -> None:
    with pytest.raises(ProgrammeInvalid, match=says):
        load_programme(programme(settings), PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)


async def test_each_tier_brings_its_gift_once_and_a_refund_takes_none(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    assert await gifts(shop, ann) == [("silver", False, True), ("gold", False, True)]

    await buy(shop, ann, "A1", "100.00")
    assert await balance(shop, ann) == 100 + 10
    assert await gifts(shop, ann) == [("silver", True, False), ("gold", False, True)]
    await buy(shop, ann, "A2", "400.00")
    await send_back(shop, ann, "A2")
    await buy(shop, ann, "A3", "400.00")

    assert await balance(shop, ann) == 500 + 10 + 50
    shown = await of_member(shop, ann, "growth { available } coupons { nodes { coupon occasion } }")
    assert shown == {
        "growth": {"available": 5},
        "coupons": {"nodes": [{"coupon": "pack", "occasion": "tier_gift:gold"}]},
    }
    assert await verify(shop.laurel.store.reader()) == []


@pytest.mark.parametrize(("more", "brings"), [("", 60), (", skipped: false", 50)])
async def test_who_rises_several_tiers_at_once_gets_each_gift_or_the_last(opened: Any, more: str, brings: int) -> None:
    async with opened(more) as shop:
        ann = await shop.enrol("ann")

        await buy(shop, ann, "A1", "500.00")

        assert await balance(shop, ann) == 500 + brings
        assert await history(shop, ann) == ["regular", "gold"]


@pytest.mark.parametrize(("more", "brings"), [("", 60), (", again: true", 60 + 60 + 50)])
async def test_after_a_fall_and_a_rise_nothing_is_given_again_unless_the_programme_says_so(
    opened: Any, more: str, brings: int
) -> None:
    async with opened(more) as shop:
        ann = await shop.enrol("ann")

        await put(shop, ann, "gold", "regular", "gold", "silver", "gold")

        assert await balance(shop, ann) == brings


async def test_a_reversed_rise_takes_its_gifts_and_they_come_with_the_next(opened: Any) -> None:
    async with opened() as shop:
        ann = await shop.enrol("ann")
        transaction = await buy(shop, ann, "A1", "500.00")

        await reverse(shop, transaction)
        assert await balance(shop, ann) == 0
        assert (await of_member(shop, ann, "coupons { nodes { status } }"))["coupons"]["nodes"] == [
            {"status": "WITHDRAWN"}
        ]
        await put(shop, ann, "regular")
        await buy(shop, ann, "A2", "500.00")

        assert await balance(shop, ann) == 500 + 60
        assert await gifts(shop, ann) == [("silver", True, False), ("gold", True, False)]


async def test_the_budget_of_a_tiers_gift_is_shared_by_all(
    opened: Any, sqlite_folder: SqliteFolder, apps: Apps
) -> None:
    gift = "gifts: {silver: {pack: {points: 10}, budget: {month: 15}}}"
    async with shop_at(sqlite_folder.migrated(apps), programme(gift), PLUGINS) as shop:
        members = [await shop.enrol(name) for name in ("ann", "bob", "cid")]
        for member in members:
            await buy(shop, member, f"order of {member}", "100.00")

        assert [await balance(shop, member) for member in members] == [110, 105, 100]


async def test_the_document_of_growth_and_frequency_has_gifts_for_its_tiers(tmp_path: Path) -> None:
    document = (ROOT / "examples" / "programmes" / "growth-tiers.yaml").read_text()
    async with open_shop(tmp_path, document, plugins=load_plugins()) as shop:
        ann = await shop.enrol("ann")

        for number in range(10):
            await buy(shop, ann, f"A{number}", "500.00")

        assert await history(shop, ann) == ["regular", "silver", "gold"]
        assert await balance(shop, ann) == 5000 + 100 + 500
        assert (await of_member(shop, ann, "coupons { nodes { coupon } }"))["coupons"]["nodes"] == [{"coupon": "gold"}]


async def operate(shop: Shop, name: str, **given: Any) -> None:
    """A mutation of operators', and all that it brings about."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    mutation = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ errors {{ message }} }} }}"
    more = {"reason": "a test", "idempotencyKey": f"{name} {given}"}
    assert (await shop.ask(mutation, {"input": {**given, **more}}, role=Role.OPERATOR))[name]["errors"] == []
    await told(shop)


async def test_a_gift_that_a_merged_member_has_had_is_not_given_again_after_a_fall_and_a_rise(opened: Any) -> None:
    async with opened() as shop:
        ann, bob, cid = [await shop.enrol(name) for name in ("ann", "bob", "cid")]
        await buy(shop, ann, "A1", "100.00")
        await operate(shop, "mergeMembers", **{"from": {"id": ann}, "into": {"id": bob}})
        assert (await balance(shop, bob), await history(shop, bob)) == (110, ["regular", "silver"])
        await put(shop, bob, "regular", "silver")
        assert await balance(shop, bob) == 110

        await operate(shop, "mergeMembers", **{"from": {"id": bob}, "into": {"id": cid}})
        await put(shop, cid, "regular", "silver")
        assert await balance(shop, cid) == 110

        # What they have by themselves is another's gift no more.
        await operate(shop, "undoMerge", member={"id": bob})
        await operate(shop, "undoMerge", member={"id": ann})
        await put(shop, bob, "regular")
        await buy(shop, bob, "B1", "100.00")
        assert (await balance(shop, ann), await balance(shop, bob)) == (110, 100 + 10)
