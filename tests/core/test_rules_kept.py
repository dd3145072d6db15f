"""Nobody judges while a version is published, and nobody publishes while a batch is judged: whoever waited for whom."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext

from core.models import ProgrammeVersionRow
from core.rulebook.programme import load_programme
from core.rulebook.programmes import Version
from core.rulebook.publishing import publish
from core.rulebook.reading import Reading
from core.store import Store
from core.time.clock import StoppedClock
from tests.core.committing import open_desk


async def write_version(number: int) -> None:
    """A version, in the transaction that is open."""
    at = datetime(2026, 1, number, tzinfo=UTC)
    await ProgrammeVersionRow.create(
        number=number, document="", digest="", author="", reason="", starts_at=at, published_at=at
    )


async def is_held_up(waiting: asyncio.Task[Any]) -> bool:
    """Whether it does not get the rules in a time in which anybody gets what is free."""
    done, _ = await asyncio.wait([waiting], timeout=0.5)
    return not done


@pytest.mark.parametrize("first", ["keep_rules", "change_rules"])
async def test_who_has_waited_for_a_version_holds_the_rules_as_whoever_comes_after_it(
    connected: TortoiseContext, first: str
) -> None:
    if get_connection("default").capabilities.dialect == "sqlite":
        pytest.skip("there is one writer at a time")
    store = Store()
    await write_version(1)
    has_begun, may_end = asyncio.Event(), asyncio.Event()

    async def publishes() -> None:
        async with store.transaction() as writer:
            await writer.change_rules()
            has_begun.set()
            await may_end.wait()
            await write_version(2)

    async def takes(lock: str, got: asyncio.Event, until: asyncio.Event) -> None:
        async with store.transaction() as writer:
            await getattr(writer, lock)()
            got.set()
            await until.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publishes())
        await has_begun.wait()
        got, until, other, at_once = (asyncio.Event() for _ in range(4))
        waiting = tasks.create_task(takes(first, got, until))
        assert await is_held_up(waiting)
        may_end.set()
        await got.wait()
        at_once.set()
        second = "keep_rules" if first == "change_rules" else "change_rules"
        later = tasks.create_task(takes(second, other, at_once))

        assert await is_held_up(later)

        until.set()
        await later


async def test_an_operation_that_comes_while_a_version_is_published_is_judged_by_it(connected: TortoiseContext) -> None:
    if get_connection("default").capabilities.dialect == "sqlite":
        pytest.skip("there is one writer at a time")
    async with open_desk() as desk:
        ann = await desk.enrol("ann")
        async with desk.store.transaction() as writer:
            await writer.change_rules()
            giving = asyncio.create_task(desk.give(ann, 10))

            assert await is_held_up(giving)

        assert await giving
        assert (await desk.account(ann)).balance == 10


async def test_of_two_that_publish_first_one_begins_on_the_first_day_and_the_other_now(
    connected: TortoiseContext,
) -> None:
    def document(name: str) -> str:
        return f"id: {name}\ncurrency: CNY\ntimezone: Asia/Shanghai\nstarts_on: 2020-01-01\n"

    load = Reading(lambda text: load_programme(text, {}))
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    async def publishes(name: str) -> Version:
        return await publish(document(name), author="a test", reason="a test", load=load, clock=StoppedClock(now))

    both = await asyncio.gather(publishes("one"), publishes("other"))

    first_day = datetime(2019, 12, 31, 16, tzinfo=UTC)
    assert sorted((version.number, version.starts_at) for version in both) == [(1, first_day), (2, now)]
