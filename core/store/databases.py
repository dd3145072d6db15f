"""Where the data is: one URL to a connection, and what its driver says when something goes wrong.

::

    sqlite://laurel.sqlite3        a file; sqlite:///var/lib/laurel.sqlite3 when absolute
    postgres://user:password@host:5432/laurel?maxsize=10
    mysql://user:password@host:3306/laurel?maxsize=10          MariaDB too

``minsize`` and ``maxsize`` bound the pool of each process; ``ssl`` (PostgreSQL) is asyncpg's.
Commits are durable on all three, and every transaction sees what was committed when its statement began.
"""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.context import TortoiseContext
from tortoise.exceptions import DBConnectionError, OperationalError
from tortoise.transactions import in_transaction

from core.errors import DatabaseUnreachable, LaurelError
from core.store.sqlite_immediate import CHECKPOINT_BYTES, SqliteImmediateClient

T = TypeVar("T")
Dialect = Literal["sqlite", "postgres", "mysql"]

BUSY_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_SECONDS = 5
STATEMENT_TIMEOUT_SECONDS = 60
CHECKPOINT_WAIT_MS = 2_000
SQLITE_OLDEST = (3, 37, 0)  # has RETURNING, STRICT and the UPSERT forms that we write


class DatabaseUrlInvalid(LaurelError):
    """The address of the database cannot be understood."""


class SqliteUnsafe(LaurelError):
    """This SQLite, or the place of its file, cannot keep what it acknowledges."""


@dataclass(frozen=True)
class Tables:
    """Where the tables of one app are declared: modules of models, and the package of their migrations."""

    models: tuple[str, ...]
    migrations: str


@dataclass(frozen=True)
class Database:
    """An address, taken apart. ``name`` is the path of the file on SQLite."""

    dialect: Dialect
    name: str
    host: str
    port: int
    user: str
    password: str
    options: Mapping[str, str]

    @classmethod
    def from_url(cls, url: str) -> "Database":
        """Read an address. Raises DatabaseUrlInvalid, which never repeats the password.

        >>> Database.from_url("postgres://laurel@db.example/points").port
        5432
        """
        parts = urlsplit(url)
        if parts.scheme not in _OPTIONS:
            known = ", ".join(f"{scheme}://" for scheme in _OPTIONS)
            raise DatabaseUrlInvalid(f"a database address begins with {known}; this one with {parts.scheme!r}")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := options.keys() - _OPTIONS[parts.scheme]:
            raise DatabaseUrlInvalid(f"unknown options for {parts.scheme}: {', '.join(sorted(unknown))}")
        dialect = _DIALECTS[parts.scheme]
        if dialect == "sqlite":
            name = unquote(parts.netloc + parts.path)
            if not name or ":memory:" in name:
                raise DatabaseUrlInvalid("SQLite needs a file: what is in memory is gone with its first connection")
            return cls(dialect, name, "", 0, "", "", options)
        name = unquote(parts.path.removeprefix("/"))
        if not name or not parts.hostname:
            raise DatabaseUrlInvalid(f"{parts.scheme}:// needs a host and a database: host/database")
        try:
            port = parts.port or _PORTS[dialect]
        except ValueError as error:
            raise DatabaseUrlInvalid(f"the port of the database must be a number: {error}") from error
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(dialect, name, parts.hostname, port, user, password, options)

    @property
    def label(self) -> str:
        """The address without its password, for messages."""
        if self.dialect == "sqlite":
            return f"sqlite://{self.name}"
        return f"{self.dialect}://{self.user}@{self.host}:{self.port}/{self.name}"

    def connection(self, *, migrating: bool = False) -> dict[str, Any]:
        """Tortoise's settings for this database.

        A migration may run for as long as it needs, and on SQLite must not have its rebuilt tables
        cascade into their children.
        """
        make = {"sqlite": self._sqlite, "postgres": self._postgres, "mysql": self._mysql}[self.dialect]
        return make(migrating)

    def _sqlite(self, migrating: bool) -> dict[str, Any]:
        return {
            "engine": "core.store.sqlite_immediate",
            # Each of these becomes a PRAGMA, in this order: the timeout first, as the next waits for locks.
            "credentials": {
                "file_path": self.name,
                "busy_timeout": str(BUSY_TIMEOUT_MS),
                "journal_mode": "WAL",
                "synchronous": "FULL",
                "wal_autocheckpoint": "0",  # see checkpoint_when_due
                "cache_size": "-65536",  # 64 MiB: a batch changes more pages than the usual 2 MB hold
                "foreign_keys": "OFF" if migrating else "ON",
            },
        }

    def _postgres(self, migrating: bool) -> dict[str, Any]:
        statement_timeout = 0 if migrating else STATEMENT_TIMEOUT_SECONDS * 1000
        return {
            "engine": "core.store.asyncpg_kept",
            "credentials": {
                **self._account(),
                "reset": _keep_session,
                "server_settings": {
                    "application_name": "laurel",
                    "default_transaction_isolation": "read committed",
                    "idle_in_transaction_session_timeout": str(STATEMENT_TIMEOUT_SECONDS * 1000),
                    "lock_timeout": str(LOCK_TIMEOUT_SECONDS * 1000),
                    "statement_timeout": str(statement_timeout),
                    "synchronous_commit": "on",
                    "jit": "off",  # compiling costs more than any statement of ours takes
                },
            },
        }

    def _mysql(self, migrating: bool) -> dict[str, Any]:
        max_statement_time = 0 if migrating else STATEMENT_TIMEOUT_SECONDS
        return {
            "engine": "tortoise.backends.mysql",
            "credentials": {
                **self._account(),
                # MariaDB reads the first comment, MySQL the second: they name the isolation differently.
                "init_command": (
                    "SET SESSION"
                    f" /*M! tx_isolation='READ-COMMITTED', max_statement_time={max_statement_time}, */"
                    " /*!80003 transaction_isolation='READ-COMMITTED', */"
                    f" innodb_lock_wait_timeout={LOCK_TIMEOUT_SECONDS}, time_zone='+00:00'"
                ),
                # With quotation marks of its own, as asyncmy adds none.
                "sql_mode": "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
            },
        }

    def _account(self) -> dict[str, Any]:
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.name,
            "minsize": 1,
            "maxsize": 10,
            **{k: int(v) if k in {"minsize", "maxsize"} else v for k, v in self.options.items()},
        }


async def _keep_session(connection: object) -> None:
    """What asyncpg is to do when a connection goes back to the pool, beside rolling back: nothing.

    Its own way asks the server to reset the session, which takes as long as a read. Ours never leaves anything in it.
    """


_DIALECTS: dict[str, Dialect] = {
    "sqlite": "sqlite",
    "postgres": "postgres",
    "postgresql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
}
_OPTIONS: dict[str, frozenset[str]] = {
    scheme: {
        "sqlite": frozenset[str](),
        "postgres": frozenset({"minsize", "maxsize", "ssl"}),
        "mysql": frozenset({"minsize", "maxsize"}),
    }[dialect]
    for scheme, dialect in _DIALECTS.items()
}
_PORTS = {"postgres": 5432, "mysql": 3306}


def tortoise_config(url: str, apps: Mapping[str, Tables], *, migrating: bool = False) -> dict[str, Any]:
    """Tortoise's configuration of one database and the apps whose tables it holds, by label."""
    return {
        "connections": {"default": Database.from_url(url).connection(migrating=migrating)},
        "apps": {
            label: {
                "models": list(tables.models),
                "migrations": tables.migrations,
                "default_connection": "default",
            }
            for label, tables in apps.items()
        },
        "use_tz": True,
        "timezone": "UTC",
    }


@asynccontextmanager
async def connect(
    url: str, apps: Mapping[str, Tables], *, migrating: bool = False, every_task: bool = False
) -> AsyncIterator[TortoiseContext]:
    """Open the database for the tasks below this one, or for all of the process with ``every_task``.

    Raises DatabaseUnreachable and SqliteUnsafe at once rather than with the first request.
    """
    database = Database.from_url(url)
    if database.dialect == "sqlite":
        _check_before(database)
    # Tortoise keeps the SQL of each table by the name of the connection, and ours always has the same name.
    EXECUTOR_CACHE.clear()
    async with TortoiseContext() as context:
        await context.init(tortoise_config(url, apps, migrating=migrating), _enable_global_fallback=every_task)
        client = context.db("default")
        try:
            await client.execute_query("SELECT 1")
        except (DBConnectionError, OperationalError, asyncpg.PostgresError, OSError, sqlite3.Error) as error:
            raise DatabaseUnreachable(f"{database.label} cannot be reached: {_reason(error)}") from error
        if isinstance(client, SqliteImmediateClient):
            await _check_opened(client)
        yield context


def _reason(error: Exception) -> str:
    # Tortoise's message for MariaDB repeats its whole configuration, with the settings of the session.
    shown = error.__context__ if isinstance(error, DBConnectionError) and error.__context__ else error
    return str(shown) or type(shown).__name__


def _check_before(database: Database) -> None:
    if sqlite3.sqlite_version_info < SQLITE_OLDEST:
        oldest = ".".join(map(str, SQLITE_OLDEST))
        raise SqliteUnsafe(f"SQLite {sqlite3.sqlite_version} is too old: {oldest} or later is needed")
    folder = Path(database.name).absolute().parent
    if not folder.is_dir():
        raise DatabaseUnreachable(f"{database.label} cannot be reached: there is no folder {folder}")


async def _check_opened(client: SqliteImmediateClient) -> None:
    [journal] = await client.execute_query_dict("PRAGMA journal_mode")
    if journal["journal_mode"] != "wal":
        raise SqliteUnsafe(
            f"{client.filename} cannot keep a write-ahead log, as on a network drive (journal_mode is "
            f"{journal['journal_mode']})"
        )


async def checkpoint(client: BaseDBAsyncClient, *, wait_ms: int = CHECKPOINT_WAIT_MS) -> bool:
    """Move SQLite's write-ahead log into the database file; True if it is empty now. Not in a transaction.

    SQLite 3.7.0 to 3.51.2 can corrupt a database when one connection checkpoints while another commits the
    transaction that begins the log anew. So no connection of ours checkpoints by itself
    (``wal_autocheckpoint = 0``), and this asks for TRUNCATE, which takes the writer's lock first: nobody
    commits beside it, and a second checkpoint waits. The one that SQLite makes when the last connection
    closes is alone by nature.

    Its limits: if another process holds the writer's lock for all of ``wait_ms``, SQLite checkpoints without
    it. For harm that process would have to commit in those moments, just after another complete checkpoint.
    A program that is not ours and opens the file checkpoints as it likes. SQLite 3.51.3 has no such limits.
    """
    return await _sqlite(client).checkpoint(wait_ms)


async def checkpoint_when_due(client: BaseDBAsyncClient, *, wait_ms: int = CHECKPOINT_WAIT_MS) -> bool:
    """Checkpoint if SQLite's log has grown past 64 MiB; for writers to call after their commits.

    When a long reader in another process keeps the log from being emptied, the next attempt waits for
    64 MiB more, so that the writers don't stop for the reader again and again. Does nothing elsewhere.
    """
    if client.capabilities.dialect != "sqlite":
        return False
    sqlite = _sqlite(client)
    size = log_size(sqlite)
    if size < sqlite.checkpoint_due:
        return False
    emptied = await checkpoint(sqlite, wait_ms=wait_ms)
    sqlite.checkpoint_due = CHECKPOINT_BYTES + (0 if emptied else size)
    return emptied


def _sqlite(client: BaseDBAsyncClient) -> SqliteImmediateClient:
    assert isinstance(client, SqliteImmediateClient), "only SQLite, and only outside of a transaction"
    return client


def log_size(client: SqliteImmediateClient) -> int:
    """The bytes in SQLite's write-ahead log."""
    try:
        return Path(f"{client.filename}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all behind it: Tortoise wraps the driver's, and a failed rollback hides the first one."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        wrapped = current.args[0] if current.args and isinstance(current.args[0], BaseException) else None
        waiting += [wrapped, current.__cause__, current.__context__]


def _code(error: BaseException) -> object:
    return error.args[0] if error.args else None


# 40001 serialization, 40P01 deadlock, 55P03 lock timeout
_RETRY_SQLSTATES = {"40001", "40P01", "55P03"}
# 1020 changed since last read (MariaDB's snapshot isolation), 1205 lock timeout, 1213 deadlock
_RETRY_MYSQL = {1020, 1205, 1213}
_RETRY_SQLITE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

# class 08: connection exceptions; 57P01 to 57P05: shut down, crashed, not yet up, dropped, idle too long;
# 53300: too many clients already
_LOST_SQLSTATES = {"57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "53300"}
# 0 not connected, 1040 too many clients, 1053 shutting down, 1927 killed, 2003 refused, 2006 gone away,
# 2013 lost in a query, 2055 lost in a read
_LOST_MYSQL = {0, 1040, 1053, 1927, 2003, 2006, 2013, 2055}

# 57014 statement_timeout, or an administrator has cancelled it
_TOO_LONG_SQLSTATES = {"57014"}
# 1969 MariaDB's max_statement_time, 3024 MySQL's
_TOO_LONG_MYSQL = {1969, 3024}

# 1021 the disk is full, 1041 no memory left, 1114 the table is full
_FULL_MYSQL = {1021, 1041, 1114}


def retryable(error: BaseException) -> bool:
    """Whether the transaction was rolled back for the sake of another one, and may simply be run again.

    ============ =======================================================================
    PostgreSQL   asyncpg's own error, unwrapped, with ``sqlstate``
    MariaDB      OperationalError around asyncmy's, whose first argument is the number
    SQLite       OperationalError around sqlite3's, with ``sqlite_errorcode``
    ============ =======================================================================
    """
    return any(
        getattr(cause, "sqlstate", None) in _RETRY_SQLSTATES
        or (getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF in _RETRY_SQLITE
        or (_from_asyncmy(cause) and _code(cause) in _RETRY_MYSQL)
        for cause in _causes(error)
    )


def lost_connection(error: BaseException) -> bool:
    """Whether the server went away. Then nobody knows whether a COMMIT under way has happened.

    Seen when connections were killed at each of these moments:

    ==================== ============================================ =======================================
    killed               PostgreSQL                                   MariaDB
    ==================== ============================================ =======================================
    idle in the pool     nothing: the pool makes another              the same
    between statements   InterfaceError "released back to the pool",  2006 in Tortoise's OperationalError,
                         then InterfaceError "connection is closed"   then asyncmy's InterfaceError 0
                         from the rollback, hiding it
    during a statement   InterfaceError "connection is closed" from   asyncmy's OperationalError 2006 from the
                         the rollback, hiding 57P01                   rollback, hiding 2013
    at COMMIT            InterfaceError "connection is closed"        asyncmy's OperationalError 2006
    not there at all     ConnectionRefusedError                       DBConnectionError
    ==================== ============================================ =======================================
    """
    return any(
        # Any OSError: asyncio has a plain one for "localhost" when neither of its addresses answers.
        isinstance(cause, OSError | EOFError | DBConnectionError)
        or getattr(cause, "sqlstate", None) in _LOST_SQLSTATES
        or (getattr(cause, "sqlstate", None) or "").startswith("08")
        # It has read the server's farewell on an idle connection, and the end of the stream not yet.
        or isinstance(cause, asyncpg.InternalClientError)
        # asyncpg uses this one class for wrong calls as well; only its words tell them apart.
        or (
            isinstance(cause, asyncpg.InterfaceError)
            and any(words in str(cause) for words in ("is closed", "released back to the pool"))
        )
        or (_from_asyncmy(cause) and _code(cause) in _LOST_MYSQL)
        for cause in _causes(error)
    )


def took_too_long(error: BaseException) -> bool:
    """Whether the statement was given up as it took longer than one may, which it would again."""
    return any(
        getattr(cause, "sqlstate", None) in _TOO_LONG_SQLSTATES
        or (_from_asyncmy(cause) and _code(cause) in _TOO_LONG_MYSQL)
        for cause in _causes(error)
    )


def full(error: BaseException) -> bool:
    """Whether the database has no room: SQLITE_FULL, PostgreSQL's disk_full, MariaDB's full disk or table."""
    return any(
        (getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF == sqlite3.SQLITE_FULL
        or getattr(cause, "sqlstate", None) == "53100"
        or (_from_asyncmy(cause) and _code(cause) in _FULL_MYSQL)
        for cause in _causes(error)
    )


def _from_asyncmy(error: BaseException) -> bool:
    return type(error).__module__.startswith("asyncmy")


_in_unit = ContextVar("_in_unit", default=False)


async def unit_of_work(write: Callable[[], Awaitable[T]], *, attempts: int = 5) -> T:
    """Run ``write`` in a transaction of its own, or in the one that is open; again if another was in its way.

    For all that moves no points; what moves points goes through the committer. ``write`` may run several
    times, so it touches nothing but the database. A cancelled caller never cuts a commit in half: the
    transaction ends first. A task that outlives ``write`` must not be started in it.
    """
    if _in_unit.get():
        return await write()

    async def run() -> T:
        _in_unit.set(True)
        for attempt in range(1, attempts + 1):
            try:
                async with in_transaction("default"):
                    return await write()
            except Exception as error:
                if attempt == attempts or not retryable(error):
                    raise
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise AssertionError("the last attempt returns or raises")

    task = asyncio.create_task(run())
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # retrieved, so that it is not logged as lost
        raise
