"""Carries changes between the processes of one database: through PostgreSQL's NOTIFY, or through Redis.

A change is sent after its commit and on a connection of its own: a NOTIFY inside the ledger's transaction would have
all commits of the database wait for one lock. What is lost with a process that dies between the two is told by the
next change, or when the client comes back.
"""

import asyncio
import contextlib
import importlib
import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Final, Protocol, Self

import asyncpg

from core.errors import LaurelError
from core.store.databases import Database
from core.telling.changes import Changes

log = logging.getLogger("laurel.changes")

CHANNEL: Final = "laurel_changes"
IDS_MAX: Final = 200
"""Ids in one notice: PostgreSQL carries 8,000 bytes."""
EVERYBODY: Final = "*"
"""In a notice: whoever waits, as nobody knows for whom."""
_LAST_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 1.0
_AGAIN_SECONDS_MAX: Final = 30.0

Heard = Callable[[str], None]


class CannotCarry(LaurelError):
    """There is nothing through which processes could tell one another of changes."""


class Sender(Protocol):
    """Tells all processes, this one included."""

    async def __call__(self, notice: str) -> None: ...


class Line(Protocol):
    """Something that all processes are connected to. What ends the connection is raised by whatever is awaited next."""

    def connected(self, heard: Heard) -> AbstractAsyncContextManager[Sender]:
        """A connection that hears of every notice."""
        ...


class PostgresLine:
    """NOTIFY and LISTEN, over a connection that does nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def connected(self, heard: Heard) -> AsyncGenerator[Sender, None]:
        where = self._database
        options = {"ssl": where.options["ssl"]} if "ssl" in where.options else {}
        connection = await asyncpg.connect(
            host=where.host,
            port=where.port,
            user=where.user or None,
            password=where.password or None,
            database=where.name,
            server_settings={"application_name": "laurel changes"},
            timeout=10,
            command_timeout=10,
            **options,
        )
        try:
            await connection.add_listener(CHANNEL, lambda *notice: heard(notice[3]))

            async def send(notice: str) -> None:
                await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, notice)

            yield send
        finally:
            with contextlib.suppress(Exception):  # it is lost, or it was closed by now
                await connection.close(timeout=2)


class RedisLine:
    """PUBLISH and SUBSCRIBE, under a name that belongs to the database."""

    def __init__(self, url: str, database: Database) -> None:
        self._url = url
        self._channel = f"{CHANNEL}:{database.name}"

    @asynccontextmanager
    async def connected(self, heard: Heard) -> AsyncGenerator[Sender, None]:
        client = importlib.import_module("redis.asyncio").from_url(self._url, socket_connect_timeout=10)
        async with client, client.pubsub(ignore_subscribe_messages=True) as hearing:
            await hearing.subscribe(self._channel)
            listening = asyncio.create_task(_listen(hearing, heard))

            async def send(notice: str) -> None:
                if listening.done():
                    listening.result()
                await client.publish(self._channel, notice)

            try:
                yield send
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


async def _listen(hearing: Any, heard: Heard) -> None:
    async for message in hearing.listen():
        heard(message["data"].decode())
    raise ConnectionResetError("Redis has closed the connection")


def line_of(database_url: str, redis_url: str) -> Line:
    """What the processes of a database are connected by. Raises CannotCarry."""
    database = Database.from_url(database_url)
    if redis_url:
        return RedisLine(redis_url, database)
    if database.dialect == "postgres":
        return PostgresLine(database)
    raise CannotCarry("changes are carried between processes by PostgreSQL, or by the Redis of LAUREL_REDIS_URL")


def can_carry(database_url: str, redis_url: str) -> bool:
    """Whether the processes of a database are connected by anything."""
    try:
        line_of(database_url, redis_url)
    except CannotCarry:
        return False
    return True


class Carrier:
    """Keeps a line open for as long as it is entered, and tries again when it is cut. Nobody waits for it."""

    def __init__(self, changes: Changes, line: Line, *, still_there_seconds: float = 15.0) -> None:
        self._changes = changes
        self._line = line
        self._still_there_seconds = still_there_seconds
        self._origin = secrets.token_hex(8)
        self._pending: set[str] = set()
        self._arrived = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._ending = False
        self.connected = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._changes.carry = self._take
        self._runner = asyncio.create_task(self._run(), name="carrier")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._changes.carry = None
        assert self._runner is not None
        if self._pending:
            self._ending = True
            await asyncio.wait([self._runner], timeout=_LAST_SECONDS)
        # Said again until it is heard: before Python 3.12 a wait that ends at this very moment loses the cancellation.
        while not self._runner.done():
            self._runner.cancel()
            await asyncio.wait([self._runner], timeout=_LAST_SECONDS)

    def _take(self, member_ids: Collection[str]) -> None:
        if self.connected.is_set():
            self._pending.update(member_ids)
            self._arrived.set()

    def _heard(self, notice: str) -> None:
        origin, *member_ids = notice.split()
        if origin == self._origin:
            return
        if EVERYBODY in member_ids:
            self._changes.heard_all()
        else:
            self._changes.heard(member_ids)

    async def _run(self) -> None:
        again = _AGAIN_SECONDS
        while not self._ending:
            try:
                async with self._line.connected(self._heard) as send:
                    again = _AGAIN_SECONDS
                    self.connected.set()
                    # Nobody knows what was told while there was no line, here or there.
                    self._changes.heard_all()
                    await send(f"{self._origin} {EVERYBODY}")
                    await self._send_all(send)
                    continue
            except Exception as error:
                log.warning("changes are not carried between processes: %s: %s", type(error).__name__, error)
            self.connected.clear()
            self._pending.clear()
            await asyncio.sleep(again)
            again = min(again * 2, _AGAIN_SECONDS_MAX)

    async def _send_all(self, send: Sender) -> None:
        while True:
            try:
                async with asyncio.timeout(self._still_there_seconds):
                    await self._arrived.wait()
            except TimeoutError:
                # A line that is cut is found out only by using it.
                await send(self._origin)
            self._arrived.clear()
            pending, self._pending = sorted(self._pending), set()
            for start in range(0, len(pending), IDS_MAX):
                await send(" ".join((self._origin, *pending[start : start + IDS_MAX])))
            if self._ending:
                return
