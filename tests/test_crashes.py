"""What was acknowledged is there, and the books are in order, whatever dies: the process, the connection, the disk."""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import pytest
from tortoise.context import TortoiseContext

from core.books.lots import Lot
from core.books.members import ByExternalId
from core.channels.corrections import AdjustPoints
from core.channels.redemption import RedeemPoints
from core.engine.operations import Outcome
from core.errors import DatabaseFull, DatabaseUnreachable
from core.oversight.verify import verify
from core.people.membership import EnrolMember
from core.store.databases import Database, connect
from tests.core.committing import APPS, Desk, desk_at, open_desk
from tests.databases import Server
from tests.processes.load import MEMBERS

HERE = Path(__file__).parents[1]
KILLS = int(os.environ.get("LAUREL_TEST_KILLS", "10"))


@pytest.fixture
def server_only(database_server: Server, fresh_database: str) -> str:
    """A fresh database that is reached through a connection."""
    if Database.from_url(fresh_database).dialect == "sqlite":
        pytest.skip("there is no connection that could break")
    return fresh_database


# -- the process dies ---------------------------------------------------------------------------------


async def test_what_was_acknowledged_survives_a_kill_at_any_moment(fresh_database: str, tmp_path: Path) -> None:
    if Database.from_url(fresh_database).dialect == "mysql":
        pytest.skip("a killed client is the same to both servers")
    async with desk_at(fresh_database) as desk:
        for number in range(MEMBERS):
            await desk.enrol(f"member {number}")
    file = tmp_path / "acknowledged"
    file.touch()
    load = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.processes.load", fresh_database, str(file),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=HERE,
    )  # fmt: skip
    assert load.stdin
    assert load.stdout

    for _ in range(KILLS):
        load.stdin.write(b"again\n")
        process = int(await load.stdout.readline())
        await asyncio.sleep(random.uniform(0, 0.4))
        os.kill(process, signal.SIGKILL)
        assert await load.stdout.readline() == b"gone\n"
        await check_acknowledged(fresh_database, file)

    load.stdin.close()
    assert await load.wait() == 0


def told(file: Path) -> list[list[Any]]:
    """What was acknowledged: member, key, id, and whether it was accepted."""
    return [json.loads(line) for line in file.read_text().splitlines()]


async def check_acknowledged(url: str, file: Path) -> None:
    """Every operation that was told is there with the id that was told, and nothing is wrong."""
    async with connect(url, APPS), open_desk(programme="") as desk:
        rows = await desk.store.reader().query("SELECT member_id, idempotency_key, id, accepted FROM operation")
        known = {(member, key): (operation, bool(accepted)) for member, key, operation, accepted in rows}
        missing = [said for said in told(file) if known.get((said[0], said[1])) != (said[2], said[3])]
        assert missing == []
        assert await verify(desk.store.reader()) == []


async def test_a_sweep_whose_process_is_killed_is_finished_by_others_and_nothing_is_lost_twice(
    fresh_database: str,
) -> None:
    async with desk_at(fresh_database) as desk:
        members = await asyncio.gather(*(desk.enrol(f"m{number}") for number in range(120)))
        await asyncio.gather(*(desk.give(member, 10) for member in members))
        await asyncio.gather(*(desk.hold(member, 3) for member in members[:40]))

        async def written_down() -> int:
            ((count,),) = await desk.store.reader().query("SELECT COUNT(*) FROM operation WHERE kind = 'expire'")
            return int(count)

        async def sweeping() -> asyncio.subprocess.Process:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.processes.sweeping", fresh_database,
                stdout=asyncio.subprocess.PIPE, cwd=HERE,
            )  # fmt: skip

        first = await sweeping()
        assert first.stdout
        # The holds are five batches; what lapsed comes after them.
        for _ in range(7):
            await first.stdout.readline()
        first.kill()
        await first.wait()
        half_way = await written_down()
        others = [await sweeping() for _ in range(3)]
        told = [(await other.communicate())[0] for other in others]

        assert 0 < half_way < 120
        assert [other.returncode for other in others] == [0, 0, 0]
        assert any(told)
        assert await written_down() == 120
        for member in members:
            assert await desk.lots(member) == [0]
            (lot,) = await desk.rows(Lot, member)
            assert lot.expired == 10
        assert await verify(desk.store.reader()) == []


# -- the connection dies ------------------------------------------------------------------------------


class Line:
    """A wire to the server, which can be cut: now, or at the nth thing that the client says.

    With ``delivered`` what was said last still reaches the server and is done; only the answer is lost.
    """

    def __init__(self, url: str) -> None:
        database = Database.from_url(url)
        self.host, self.port, self.url = database.host, database.port, url
        self.cut_at: int | None = None
        self.delivered = False
        self.said = 0
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._here = 0

    async def __aenter__(self) -> Self:
        await self.mend()
        parts = urlsplit(self.url)
        user = f"{parts.username}@" if parts.username else ""
        self.url = urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{self._here}"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._here)
        self._here = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Everything that is open, and nobody gets through any more."""
        if self._server:
            self._server.close()
            self._server = None
        for end in list(self._ends):
            end.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        there_reader, there_writer = await asyncio.open_connection(self.host, self.port)
        self._ends |= {writer, there_writer}
        try:
            await self._carry(reader, writer, there_reader, there_writer)
        finally:
            for end in (writer, there_writer):
                self._ends.discard(end)
                end.transport.abort()
            self._tasks.discard(task)

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there_reader: asyncio.StreamReader,
        there_writer: asyncio.StreamWriter,
    ) -> None:
        async def answers() -> None:
            with suppress(ConnectionError):
                while data := await there_reader.read(65536):
                    writer.write(data)
            writer.transport.abort()

        back = asyncio.create_task(answers())
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65536):
                    self.said += 1
                    if self.said == self.cut_at:
                        if self.delivered:
                            back.cancel()
                            await asyncio.wait([back])
                            there_writer.write(data)
                            await there_reader.read(65536)
                        return
                    there_writer.write(data)
        finally:
            back.cancel()
            await asyncio.wait([back])


@asynccontextmanager
async def desk_on(line: Line, **how: Any) -> AsyncIterator[Desk]:
    """A desk at the other end of the line."""
    async with connect(line.url, APPS), open_desk(**how) as desk:
        yield desk


@pytest.mark.parametrize("delivered", [True, False])
async def test_a_line_cut_at_any_word_of_a_transaction_changes_no_outcome(server_only: str, delivered: bool) -> None:
    async with Line(server_only) as line, desk_on(line) as desk:
        ann = await desk.enrol("ann")
        await desk.adjust(ann, 10_000)
        line.delivered = delivered

        for cut_at in range(1, 40):
            line.said, line.cut_at = 0, cut_at
            operations = [
                RedeemPoints(**desk.request(ann, f"{cut_at}"), points=10),
                EnrolMember(**desk.request(ByExternalId(f"new {cut_at}"))),
            ]
            outcomes = await desk.committer.submit_many(operations)
            assert [isinstance(outcome, Outcome) and outcome.accepted for outcome in outcomes] == [True, True]
            if line.said < cut_at:
                break
        line.cut_at = None

        # As many words as a transaction has were cut, and each spent ten points once.
        assert 7 < cut_at < 39
        account = await desk.account(ann)
        assert (account.debited, account.seq) == (10 * cut_at, 1 + cut_at)
        assert await verify(desk.store.reader()) == []


async def test_connections_that_are_killed_under_load_change_no_outcome(server_only: str) -> None:
    name, postgres = Database.from_url(server_only).name, Database.from_url(server_only).dialect == "postgres"
    listing = (
        f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        if postgres
        else f"SELECT id FROM information_schema.processlist WHERE db = '{name}' AND id <> CONNECTION_ID()"
    )
    done = asyncio.Event()
    kills = 0

    async def kill() -> None:
        nonlocal kills
        async with connect(server_only, APPS) as context:
            client = context.db("default")
            while not done.is_set() and kills < 12:
                await asyncio.sleep(random.uniform(0.01, 0.08))
                _, rows = await client.execute_query(listing)
                for row in rows:
                    number = next(iter(dict(row).values()))
                    with suppress(Exception):  # it may have ended by itself
                        await client.execute_query(
                            f"SELECT pg_terminate_backend({number})" if postgres else f"KILL {number}"
                        )
                        kills += 1

    async with desk_at(server_only, batch_max=8) as desk:
        ann = await desk.enrol("ann")
        await desk.adjust(ann, 1_000)
        killer = asyncio.create_task(kill())
        outcomes: list[Outcome | BaseException] = []
        for turn in range(20):
            outcomes += await desk.committer.submit_many(
                AdjustPoints(**desk.request(ann, f"{turn}/{number}"), points=3, reason="a gift") for number in range(10)
            )
            outcomes += await desk.committer.submit_many(
                RedeemPoints(**desk.request(ann, f"{turn}/{number} back"), points=1) for number in range(10)
            )
            await asyncio.sleep(0.02)
        done.set()
        await killer

    assert kills > 5
    assert [outcome for outcome in outcomes if not isinstance(outcome, Outcome) or not outcome.accepted] == []
    async with desk_at(server_only, programme="") as desk:
        account = await desk.account(ann)
        assert (account.credited, account.debited, account.seq) == (1_600, 200, 401)
        assert await verify(desk.store.reader()) == []


async def test_a_database_that_goes_away_is_told_within_patience_and_taken_up_again(server_only: str) -> None:
    async with Line(server_only) as line, desk_on(line, patience=0.5) as desk:
        ann = await desk.enrol("ann")
        await desk.adjust(ann, 100)
        before = await desk.everything()

        await line.cut()
        async with asyncio.timeout(10):
            with pytest.raises(DatabaseUnreachable, match="same key"):
                await desk.committer.submit(RedeemPoints(**desk.request(ann, "spent"), points=10))

        await line.mend()
        assert await desk.everything() == before
        outcome = await desk.accepted(RedeemPoints(**desk.request(ann, "spent"), points=10))
        assert not outcome.replayed
        assert (await desk.account(ann)).balance == 90


# -- the disk is full ---------------------------------------------------------------------------------


async def test_a_full_database_says_so_and_goes_on_when_there_is_room(connected: TortoiseContext) -> None:
    client = connected.db("default")
    if client.capabilities.dialect != "sqlite":
        pytest.skip("a server's disk is its own")
    async with open_desk() as desk:
        ann = await desk.enrol("ann")
        await desk.adjust(ann, 100)
        [pages] = await client.execute_query_dict("PRAGMA page_count")
        await client.execute_script(f"PRAGMA max_page_count = {pages['page_count'] + 4}")

        before = await desk.everything()
        many = [EnrolMember(**desk.request(ByExternalId(f"member {number}"), "enrol")) for number in range(200)]
        outcomes = await desk.committer.submit_many(many)
        assert {type(outcome) for outcome in outcomes} == {DatabaseFull}
        assert await desk.everything() == before
        assert await verify(desk.store.reader()) == []

        await client.execute_script("PRAGMA max_page_count = 100000")
        outcomes = await desk.committer.submit_many(many)
        assert all(isinstance(outcome, Outcome) and outcome.accepted for outcome in outcomes)
        assert await verify(desk.store.reader()) == []
