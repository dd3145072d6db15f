import asyncio
import os
import secrets
from contextlib import AsyncExitStack

import pytest

from core.engine.operations import Outcome
from core.store.databases import Database
from core.telling.carrying import CannotCarry, Carrier, Line, PostgresLine, RedisLine, line_of
from core.telling.changes import Changes
from tests.databases import Server

REDIS = os.environ.get("LAUREL_TEST_REDIS")


def outcome(member_id: str | None, *, replayed: bool = False) -> Outcome:
    return Outcome(member_id=member_id, recorded=None, replayed=replayed)


async def told(changes: Changes, member_id: str) -> bool:
    """Whether who waits for a member is told of what has happened by now."""
    with changes.watch(member_id) as watch:
        changes.committed([outcome(None), outcome("anna"), outcome("bert", replayed=True), None])
        try:
            async with asyncio.timeout(0):
                await watch.changed()
        except TimeoutError:
            return False
        return True


@pytest.mark.parametrize(("member_id", "expected"), [("anna", True), ("bert", False), ("carl", False)])
async def test_who_waits_for_a_member_is_told_of_what_was_committed_for_them(member_id: str, expected: bool) -> None:
    assert await told(Changes(), member_id) is expected


async def test_nothing_is_kept_for_who_waits_no_more() -> None:
    changes = Changes()
    with changes.watch("anna"), changes.watch("anna"):
        pass

    assert changes._watches == {}


async def check_carried(line: Line) -> None:
    """What is committed in one process is told in the others, and once in its own."""
    here, there = Changes(), Changes()
    async with AsyncExitStack() as stack:
        carriers = [await stack.enter_async_context(Carrier(changes, line)) for changes in (here, there)]
        async with asyncio.timeout(10):
            for carrier in carriers:
                await carrier.connected.wait()
            names = [f"member {number}".replace(" ", "-") for number in range(500)]
            with there.watch(names[-1]) as watch:
                here.committed(outcome(name) for name in names)
                await watch.changed()
    assert here.carry is None


async def test_changes_are_carried_by_postgres(database_server: Server) -> None:
    url = database_server.empty()
    database = Database.from_url(url)
    try:
        if database.dialect != "postgres":
            with pytest.raises(CannotCarry):
                line_of(url, "")
            return
        assert isinstance(line_of(url, ""), PostgresLine)
        await check_carried(PostgresLine(database))
    finally:
        database_server.done(url)


@pytest.mark.skipif(REDIS is None, reason="LAUREL_TEST_REDIS is not set")
async def test_changes_are_carried_by_redis() -> None:
    assert REDIS is not None
    line = line_of(f"sqlite:///{secrets.token_hex(8)}", REDIS)

    assert isinstance(line, RedisLine)
    await check_carried(line)


class Cut:
    """A line that is cut when it is first used."""

    def __init__(self) -> None:
        self.times = 0
        self.told: list[str] = []

    def connected(self, heard: object) -> "Cut":
        return self

    async def __aenter__(self) -> "Cut":
        self.times += 1
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def __call__(self, notice: str) -> None:
        self.told.append(notice.partition(" ")[2])
        if self.times == 1 and len(self.told) > 1:
            raise ConnectionResetError("cut")


async def test_what_was_committed_last_is_told_before_the_end() -> None:
    changes, line = Changes(), Cut()
    line.times = 1
    async with Carrier(changes, line) as carrier:
        await carrier.connected.wait()
        changes.committed([outcome("anna")])

    assert line.told == ["*", "anna"]


class Deaf:
    """A line on which the first cancellation is lost, as it is in a wait that ends at that moment."""

    def __init__(self) -> None:
        self.lost = False

    def connected(self, heard: object) -> "Deaf":
        return self

    async def __aenter__(self) -> "Deaf":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def __call__(self, notice: str) -> None:
        if not self.lost:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.lost = True


async def test_it_ends_although_its_cancellation_is_lost() -> None:
    line = Deaf()

    async with asyncio.timeout(10), Carrier(Changes(), line) as carrier:
        await carrier.connected.wait()

    assert line.lost


async def test_who_waits_looks_again_when_the_line_was_cut(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("core.telling.carrying._AGAIN_SECONDS", 0.01)
    changes, line = Changes(), Cut()
    async with Carrier(changes, line) as carrier, asyncio.timeout(60):
        await carrier.connected.wait()
        with changes.watch("carl") as watch:
            changes.committed([outcome("anna")])
            await watch.changed()

    assert line.times == 2
    assert line.told == ["*", "anna", "*"]
    assert "not carried between processes: ConnectionResetError: cut" in caplog.text
