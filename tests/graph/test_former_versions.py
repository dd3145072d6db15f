"""A former version that this installation does not understand any more: its channel is gone, and life goes on."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from core.errors import ProgrammeInvalid
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins

WITHOUT: Final = """id: shop
currency: CNY
timezone: Asia/Shanghai
channels:
  purchase: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: spend, points: order.amount}]}]}}}
"""
WITH: Final = WITHOUT + "  share: {points: 10, limits: {month: 3}}\n"
WHY: Final = "channels.share: channel 'share' is not installed"
BUYS: Final = """mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) {
  member { points { balance } } errors { code message } } }"""


async def operates(shop: Shop, mutation: str, selected: str, **said: Any) -> dict[str, Any]:
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {selected} errors {{ code message }} }} }}"
    payload: dict[str, Any] = (await shop.ask(query, {"input": said}, role=Role.OPERATOR))[mutation]
    return payload


@pytest.fixture
async def lived(tmp_path: Path) -> str:
    """The address of a shop that had a channel until its second version, and a member."""
    async with open_shop(tmp_path, WITH) as shop:
        published = await operates(shop, "publishProgramme", "programme { version }", document=WITHOUT, reason="less")
        assert published["programme"] == {"version": 2}
        await shop.enrol("ann")
    return f"sqlite://{tmp_path / 'shop.sqlite3'}"


@pytest.fixture
async def fewer(lived: str) -> AsyncIterator[Shop]:
    """The same shop, with an installation that has the channel no longer."""
    async with open_shop(lived, None, plugins=load_plugins(("share",))) as shop:
        yield shop


async def test_what_is_understood_is_in_force_and_judges(fewer: Shop) -> None:
    said = {"member": {"externalId": "ann"}, "amount": {"amount": "25.00", "currency": "CNY"}}

    now = await fewer.ask(BUYS, {"input": {**said, "reference": "A1", "idempotencyKey": "1"}})
    before = {**said, "reference": "A2", "idempotencyKey": "2", "occurredAt": "2026-05-01T00:00:00Z"}
    then = await fewer.ask(BUYS, {"input": before})

    assert now["recordPurchase"] == {"member": {"points": {"balance": 25}}, "errors": []}
    (error,) = then["recordPurchase"]["errors"]
    assert (error["code"], WHY in error["message"]) == ("PROGRAMME_INVALID", True)


async def test_no_way_leads_back_but_a_draft_that_says_what_is_to_be_mended(fewer: Shop) -> None:
    refused = await operates(fewer, "rollBackProgramme", "programme { version }", version=1, reason="as it was")
    begun = await operates(
        fewer, "createProgrammeDraft", "draft { problems { path line } }", version=1, title="as it was"
    )

    (error,) = refused["errors"]
    assert (error["code"], WHY in error["message"]) == ("ROLLBACK_IMPOSSIBLE", True)
    assert begun["draft"]["problems"] == [{"path": "channels.share", "line": 6}]
    assert await fewer.ask("{ programme { version } }") == {"programme": {"version": 2}}


async def test_what_it_judged_cannot_be_simulated(fewer: Shop) -> None:
    range_ = {"since": "2026-01-01T00:00:00Z", "until": "2026-06-01T12:00:00Z"}

    refused = await operates(fewer, "simulateProgramme", "simulation { id }", programme={"version": 2}, **range_)

    (error,) = refused["errors"]
    assert (error["code"], f"version 1: {WHY}" in error["message"]) == ("PROGRAMME_INVALID", True)


async def test_the_next_version_has_the_next_number(fewer: Shop) -> None:
    other = WITHOUT.replace("order.amount", "2 * order.amount")

    published = await operates(fewer, "publishProgramme", "programme { version }", document=other, reason="more")

    assert published == {"programme": {"version": 3}, "errors": []}


async def test_nobody_starts_whose_version_in_force_is_not_understood(tmp_path: Path) -> None:
    async with open_shop(tmp_path, WITH):
        pass

    with pytest.raises(ProgrammeInvalid, match="channel 'share' is not installed"):
        async with open_shop(f"sqlite://{tmp_path / 'shop.sqlite3'}", None, plugins=load_plugins(("share",))):
            pass


async def test_who_was_judged_by_it_is_judged_by_the_next(tmp_path: Path) -> None:
    stages = "  life_cycle: {stages: [{id: buyer, all: [{fact: orders, at_least: 1}]}, {id: new}]}\n"
    async with open_shop(tmp_path, WITH + stages) as shop:
        await shop.enrol("ann")
        await shop.enrol("bob")
        await shop.laurel.jobs.run("judge")
        shop.clock.advance(timedelta(seconds=20))
        await operates(shop, "publishProgramme", "programme { version }", document=WITHOUT + stages, reason="less")
        reopened, later = f"sqlite://{tmp_path / 'shop.sqlite3'}", shop.clock.now() + timedelta(minutes=1)
    async with open_shop(reopened, None, plugins=load_plugins(("share",)), now=later) as shop:
        said = {"member": {"externalId": "ann"}, "amount": {"amount": "25.00", "currency": "CNY"}}
        bought = await shop.ask(BUYS, {"input": {**said, "reference": "A1", "idempotencyKey": "1"}})

        assert bought["recordPurchase"] == {"member": {"points": {"balance": 25}}, "errors": []}
        assert await shop.laurel.jobs.run("judge") == 1
        for member, stage in (("ann", "buyer"), ("bob", "new")):
            asked = await shop.ask(f'{{ member(by: {{externalId: "{member}"}}) {{ lifeCycle {{ stage }} }} }}')
            assert asked == {"member": {"lifeCycle": {"stage": stage}}}


async def test_one_that_has_yet_to_begin_is_replaced(tmp_path: Path) -> None:
    async with open_shop(tmp_path, WITHOUT) as shop:
        begins = (shop.clock.now() + timedelta(days=1)).isoformat()
        await operates(shop, "publishProgramme", "programme { version }", document=WITH, reason="more", startsAt=begins)
    other = WITHOUT.replace("order.amount", "2 * order.amount")
    async with open_shop(f"sqlite://{tmp_path / 'shop.sqlite3'}", None, plugins=load_plugins(("share",))) as shop:
        refused = await operates(
            shop, "publishProgramme", "programme { version }", document=other.replace("CNY", "EUR"), reason="far away"
        )
        published = await operates(shop, "publishProgramme", "programme { version }", document=other, reason="more")
        rolled_back = await operates(
            shop, "rollBackProgramme", "programme { version }", version=1, reason="as it was", startsAt=begins
        )
        again = await operates(
            shop,
            "rollBackProgramme",
            "programme { version }",
            version=1,
            reason="as it was",
            startsAt=(shop.clock.now() + timedelta(days=1, microseconds=1)).isoformat(),
        )

    assert [error["code"] for error in refused["errors"]] == ["PROGRAMME_INVALID"]
    assert published == {"programme": {"version": 3}, "errors": []}
    assert [error["code"] for error in rolled_back["errors"]] == ["START_TAKEN"]
    assert again == {"programme": {"version": 4}, "errors": []}


async def test_what_was_due_in_its_time_is_done_when_the_next_begins(tmp_path: Path) -> None:
    kept = """tiers:
  keep: {review: {months: 1}}
  ladder: [{id: regular}, {id: silver, all: [{fact: spend, window: {days: 30}, at_least: 20}]}]
"""
    stages = "  life_cycle: {stages: [{id: gone, all: [{days_since: [orders], at_least: 30}]}, {id: new}]}\n"
    async with open_shop(tmp_path, WITH + stages + kept) as shop:
        for name in ("ann", "bob"):
            await shop.enrol(name)
            said = {"member": {"externalId": name}, "amount": {"amount": "25.00", "currency": "CNY"}}
            await shop.ask(BUYS, {"input": {**said, "reference": name, "idempotencyKey": "1"}})
        begins = shop.clock.now() + timedelta(days=60)
        less = {"document": WITHOUT + stages + kept, "reason": "less", "startsAt": begins.isoformat()}
        await operates(shop, "publishProgramme", "programme { version }", **less)
    reopened, later = f"sqlite://{tmp_path / 'shop.sqlite3'}", begins + timedelta(days=1)
    async with open_shop(reopened, None, plugins=load_plugins(("share",)), now=later) as shop:
        said = {"member": {"externalId": "ann"}, "amount": {"amount": "1.00", "currency": "CNY"}}
        await shop.ask(BUYS, {"input": {**said, "reference": "A2", "idempotencyKey": "2"}})
        for job in ("judge", "tiers"):
            await shop.laurel.jobs.run(job)

        for member, stage in (("ann", "new"), ("bob", "gone")):
            asked = f'{{ member(by: {{externalId: "{member}"}}) {{ tier {{ name }} lifeCycle {{ stage }} }} }}'
            assert await shop.ask(asked) == {"member": {"tier": {"name": "regular"}, "lifeCycle": {"stage": stage}}}
