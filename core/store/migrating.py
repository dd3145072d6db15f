"""Bringing a database to the tables that the code declares, by the migrations of its apps.

Any number of processes may start at once: the first migrates, the others wait and find nothing to do.
Migrations only ever add (tables, columns that may be null or have a default, indexes): Tortoise rebuilds a
SQLite table for anything else, and loses its indexes. ``core.store.drafting`` writes them.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256

import asyncmy
import asyncpg
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.schema_generator.state import State
from tortoise.migrations.schema_generator.state_apps import StateApps
from tortoise.models import Model

from core.errors import DatabaseUnreachable, LaurelError
from core.store.databases import Database, Tables, connect, tortoise_config

_LOCK_POLL_SECONDS = 0.1
_POSTGRES_LOCK = int.from_bytes(sha256(b"laurel.migrate").digest()[:8], signed=True)


class MigrationsPending(LaurelError):
    """The database is older than the code."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__(f"run `laurel migrate` first: {', '.join(names)} not applied")


async def migrate(url: str, apps: Mapping[str, Tables]) -> list[str]:
    """Apply what is pending, in the order that the migrations ask for; returns what was applied.

    A migration is one transaction on SQLite and PostgreSQL. MariaDB commits after each table, so one that
    broke off there is run again from its first operation.
    """
    async with _lock(Database.from_url(url)), connect(url, apps, migrating=True) as context:
        names = await _pending(context, url, apps)
        await _executor(context, url, apps).migrate(direction="forward")
        return names


async def pending(url: str, apps: Mapping[str, Tables]) -> list[str]:
    """The migrations that have not been applied, as ``app.name``."""
    async with connect(url, apps) as context:
        return await _pending(context, url, apps)


async def require_migrated(context: TortoiseContext, url: str, apps: Mapping[str, Tables]) -> None:
    """Raise MigrationsPending unless the connected database has all tables."""
    if names := await _pending(context, url, apps):
        raise MigrationsPending(names)


async def _pending(context: TortoiseContext, url: str, apps: Mapping[str, Tables]) -> list[str]:
    plan = await _executor(context, url, apps).plan()
    return [f"{step.migration.app_label}.{step.migration.name}" for step in plan]


def _executor(context: TortoiseContext, url: str, apps: Mapping[str, Tables]) -> MigrationExecutor:
    return _Executor(context.db("default"), tortoise_config(url, apps)["apps"])


class _Models(StateApps):
    """The models as migrations have left them, each of them built once.

    Tortoise builds those of all apps anew before and after each operation, which grows with the square of the tables:
    nine seconds for all channels of ours.
    """

    def __init__(self, former: StateApps) -> None:
        super().__init__(dict(former._default_connections), former._connections)
        self.apps = {label: dict(models) for label, models in former.apps.items()}
        self._built: set[type[Model]] = set(former._built) if isinstance(former, _Models) else set()

    def unregister_model(self, app_label: str, model_name: str) -> None:
        # The model itself stays as it is: the state before the operation has it still.
        self.apps.get(app_label, {}).pop(model_name, None)

    def _build_initial_querysets(self) -> None:
        whole = self.apps
        self.apps = {
            label: {name: model for name, model in models.items() if model not in self._built}
            for label, models in whole.items()
        }
        super()._build_initial_querysets()
        self._built.update(model for models in self.apps.values() for model in models.values() if model._meta._inited)
        self.apps = whole


class _State(State):
    """A state of which a copy shares the models that don't change."""

    def clone(self) -> "_State":
        return _State({key: model.clone() for key, model in self.models.items()}, _Models(self.apps))


class _Executor(MigrationExecutor):
    async def _project_state(self, applied: set[MigrationKey], *, upto: MigrationKey | None = None) -> State:
        state = _State({}, _Models(StateApps(dict.fromkeys(self.loader.apps_config, "default"))))
        for key in self._full_plan():
            if key == upto:
                break
            if key in applied and (migration := self.loader.graph.nodes[key]) is not None:
                await migration.apply(state, dry_run=True)
        return state


@asynccontextmanager
async def _lock(database: Database) -> AsyncIterator[None]:
    """Hold the database's one lock for migrating; given up by the system if this process dies."""
    make = {"sqlite": _file_lock, "postgres": _postgres_lock, "mysql": _mysql_lock}[database.dialect]
    async with make(database):
        yield


@asynccontextmanager
async def _file_lock(database: Database) -> AsyncIterator[None]:
    # A file beside the database: closing any handle on the database itself would drop SQLite's own locks.
    # It stays there, since a lock on a file that another process deletes excludes nobody.
    try:
        handle = os.open(f"{database.name}-migrating", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise DatabaseUnreachable(f"{database.label} cannot be reached: {error}") from error
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(handle)


@asynccontextmanager
async def _postgres_lock(database: Database) -> AsyncIterator[None]:
    try:
        connection = await asyncpg.connect(
            host=database.host,
            port=database.port,
            user=database.user or None,
            password=database.password or None,
            database=database.name,
            ssl=database.options.get("ssl"),
        )
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnreachable(f"{database.label} cannot be reached: {error}") from error
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _POSTGRES_LOCK)
        yield
    finally:
        await connection.close()


@asynccontextmanager
async def _mysql_lock(database: Database) -> AsyncIterator[None]:
    try:
        connection = await asyncmy.connect(
            host=database.host,
            port=database.port,
            user=database.user,
            password=database.password,
            db=database.name,
        )
    except (OSError, asyncmy.errors.MySQLError) as error:
        raise DatabaseUnreachable(f"{database.label} cannot be reached: {error}") from error
    # Locks of this kind belong to the whole server, and their names are at most 64 letters long.
    name = "laurel.migrate." + sha256(database.name.encode()).hexdigest()[:32]
    try:
        async with connection.cursor() as cursor:
            held = 0
            while held != 1:
                await cursor.execute("SELECT GET_LOCK(%s, 60)", (name,))
                (held,) = await cursor.fetchone()
        yield
    finally:
        connection.close()
