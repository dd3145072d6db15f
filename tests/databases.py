"""A fresh database for each test, of each kind that has an address.

SQLite is always there. ``LAUREL_TEST_POSTGRES`` and ``LAUREL_TEST_MYSQL`` hold the addresses of servers on
which databases may be made and dropped. A set of tables is migrated once a process: a file of SQLite is
copied for each test, a database of a server emptied. Names are of one run and one process, so that several
runs can share a server.

``python -m tests.databases`` says which kinds there are, and fails if one with an address doesn't answer.
"""

import asyncio
import os
import sys
import uuid
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

from core.errors import LaurelError
from core.store.databases import Database, Tables, connect
from core.store.migrating import migrate

T = TypeVar("T")
Apps = Mapping[str, Tables]

KINDS = ("sqlite", "postgres", "mysql")
ADDRESSES = {"postgres": "LAUREL_TEST_POSTGRES", "mysql": "LAUREL_TEST_MYSQL"}


def server_address(kind: str) -> str | None:
    """Where databases of this kind can be made; None when nobody has said."""
    return "sqlite://" if kind == "sqlite" else os.environ.get(ADDRESSES[kind])


class Server(Protocol):
    """Makes databases of one kind, and drops all it made when it is closed."""

    def empty(self) -> str:
        """The address of a database without tables."""

    def migrated(self, apps: Apps) -> str:
        """The address of a database with the apps' tables and no rows."""

    def done(self, url: str) -> None:
        """Take back what ``empty`` or ``migrated`` has given."""

    def close(self) -> None:
        """Drop everything."""


def open_server(kind: str, address: str, folder: Path) -> Server:
    return SqliteFolder(folder) if kind == "sqlite" else DatabaseServer(address)


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Wait for a coroutine in a thread of its own, whether or not a loop runs in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


class SqliteFolder:
    templates: ClassVar[dict[str, bytes]] = {}
    """Migrated files by their tables, for all folders of the process: to migrate takes seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[str] = []

    def empty(self) -> str:
        url = f"sqlite://{self.folder / uuid.uuid4().hex}.sqlite3"
        self.made.append(url)
        return url

    def migrated(self, apps: Apps) -> str:
        url = self.empty()
        file = Path(Database.from_url(url).name)
        template = self.templates.get(repr(apps))
        if template is None:
            run_now(migrate(url, apps))
            self.templates[repr(apps)] = file.read_bytes()
        else:
            file.write_bytes(template)
        return url

    def done(self, url: str) -> None:
        file = Path(Database.from_url(url).name)
        for leftover in file.parent.glob(f"{file.name}*"):
            leftover.unlink()

    def close(self) -> None:
        # Its own files alone: what else is in the folder is somebody else's.
        for url in self.made:
            self.done(url)


class DatabaseServer:
    """Databases on a server, by name. To make tables takes seconds, so what was migrated is emptied and lent again."""

    def __init__(self, address: str) -> None:
        self.address = address
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)[:8]
        self.prefix = f"laurel_test_{run}_{os.getpid()}"
        self.made: list[str] = []
        self.free: dict[str, list[str]] = {}
        self.lent: dict[str, str] = {}

    def empty(self) -> str:
        name = f"{self.prefix}_{uuid.uuid4().hex[:8]}"
        self._execute(f"CREATE DATABASE {name}")
        url = urlunsplit(urlsplit(self.address)._replace(path=f"/{name}"))
        self.made.append(url)
        return url

    def migrated(self, apps: Apps) -> str:
        free = self.free.setdefault(repr(apps), [])
        if free:
            url = free.pop()
        else:
            url = self.empty()
            run_now(migrate(url, apps))
        self.lent[url] = repr(apps)
        return url

    def done(self, url: str) -> None:
        apps = self.lent.pop(url, None)
        if apps is None:
            self._drop(url)
        else:
            run_now(_delete_rows(url))
            self.free[apps].append(url)

    def close(self) -> None:
        for url in list(self.made):
            self._drop(url)

    def _drop(self, url: str) -> None:
        database = Database.from_url(url)
        self._execute(f"DROP DATABASE {database.name}" + (" WITH (FORCE)" if database.dialect == "postgres" else ""))
        self.made.remove(url)

    def _execute(self, statement: str) -> None:
        async def execute() -> None:
            async with connect(self.address, NO_TABLES) as context:
                await context.db("default").execute_script(statement)

        run_now(execute())


async def _delete_rows(url: str) -> None:
    here, quote = {"postgres": ("current_schema()", '"'), "mysql": ("DATABASE()", "`")}[Database.from_url(url).dialect]
    async with connect(url, NO_TABLES) as context:
        client = context.db("default")
        tables = [
            f"{quote}{row['name']}{quote}"
            for row in await client.execute_query_dict(
                f"SELECT table_name AS name FROM information_schema.tables WHERE table_schema = {here}"
                " AND table_type = 'BASE TABLE' AND table_name <> 'tortoise_migrations'"
            )
        ]
        filled = " UNION ALL ".join(f"(SELECT '{table}' AS name FROM {table} LIMIT 1)" for table in tables)
        async with client._in_transaction() as transaction:
            for row in await transaction.execute_query_dict(filled) if filled else []:
                await transaction.execute_query(f"DELETE FROM {row['name']}")


# Tortoise opens no connection without an app; that these tables aren't there does not matter.
NO_TABLES: Apps = {"shelf": Tables(("tests.store.shelf.models",), "tests.store.shelf.migrations")}


async def _answers(url: str) -> str:
    async with connect(url, NO_TABLES) as context:
        client = context.db("default")
        [row] = await client.execute_query_dict("SELECT version() AS version")
        return str(row["version"])


def main() -> int:
    failed = False
    for kind, variable in ADDRESSES.items():
        address = server_address(kind)
        if address is None:
            print(f"{kind}: not tested, as {variable} is not set")
            continue
        try:
            print(f"{kind}: {run_now(_answers(address))}")
        except LaurelError as error:
            print(f"{kind}: {error}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
