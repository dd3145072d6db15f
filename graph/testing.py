"""What a plugin's tests are written with: a schema of just these plugins, a fresh ledger, a clock that stands still.

::

    @pytest.fixture
    async def shop(tmp_path):
        async with open_shop(tmp_path, PROGRAMME, plugins=load_plugins()) as shop:
            yield shop

    async def test_a_visit_earns_five_points(shop):
        await shop.enrol("anna")
        answer = await shop.ask("mutation { recordSignIn(input: {…}) { … } }")
        assert answer == {"recordSignIn": {…}}
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx
from starlette.applications import Starlette

from core.rulebook.publishing import publish
from core.sandbox.clock import make_sandbox
from core.store.databases import Tables
from core.store.migrating import migrate
from core.time.clock import StoppedClock
from graph.app import create_app
from graph.ids import read_id
from graph.laurel import Laurel, tables
from graph.schema import LaurelSchema, build_schema
from graph.settings import Settings
from graph.tokens import Role, issue_token
from plugins.manager import Plugins, load_plugins

SECRET = "a secret of the tests, and of nothing else"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Shop:
    """A brand with a programme, its members, and the HTTP client of its backend."""

    laurel: Laurel
    clock: StoppedClock
    client: httpx.AsyncClient
    app: Starlette

    def token(
        self, role: Role = Role.SERVICE, member_id: str | None = None, channels: Collection[str] | None = None
    ) -> str:
        """A token for an hour of the stopped clock. A partner's reaches all channels unless ``channels`` says which."""
        if role is Role.PARTNER and channels is None:
            channels = self.laurel.plugins.names
        return issue_token(
            SECRET,
            role=role,
            subject=f"a {role}",
            now=self.clock.now(),
            lifetime=timedelta(hours=1),
            member_id=member_id,
            channels=channels or (),
        )

    async def post(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        role: Role | None = Role.SERVICE,
        member: str | None = None,
    ) -> dict[str, Any]:
        """The whole answer to that role, or to a ``member`` named by global id; None asks without a token."""
        headers = {}
        if member is not None:
            headers["Authorization"] = f"Bearer {self.token(Role.MEMBER, read_id(member)[1])}"
        elif role is not None:
            headers["Authorization"] = f"Bearer {self.token(role)}"
        response = await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        answer: dict[str, Any] = response.json()
        return answer

    async def ask(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        role: Role | None = Role.SERVICE,
        member: str | None = None,
    ) -> dict[str, Any]:
        """The data of an answer that must have no errors."""
        answer = await self.post(query, variables, role=role, member=member)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def enrol(self, external_id: str) -> str:
        """Enrol somebody; their global id."""
        data = await self.ask(
            "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { member { id } errors { message } } }",
            {"input": {"externalId": external_id, "idempotencyKey": f"enrol:{external_id}"}},
        )
        assert data["enrolMember"]["errors"] == []
        member_id: str = data["enrolMember"]["member"]["id"]
        return member_id

    async def give(self, member: str, points: int, key: str, unit: str = "points") -> str:
        """Give a member points (or take some), as an operator; the transaction's global id."""
        data = await self.ask(
            "mutation ($input: AdjustPointsInput!)"
            " { adjustPoints(input: $input) { transaction { id } errors { message } } }",
            {
                "input": {
                    "member": {"id": member},
                    "points": points,
                    "unit": unit,
                    "reason": "a test",
                    "idempotencyKey": key,
                }
            },
            role=Role.OPERATOR,
        )
        assert data["adjustPoints"]["errors"] == []
        transaction_id: str = data["adjustPoints"]["transaction"]["id"]
        return transaction_id


_built: Final[deque[tuple[object, LaurelSchema]]] = deque(maxlen=4)


def _schema_of(plugins: Plugins, settings: Settings) -> LaurelSchema:
    """The schema of these plugins, built once for shops that are opened one after another: it takes half a second."""
    offered = (plugins.queries, plugins.mutations, plugins.subscriptions, plugins.member_fields, plugins.refusals)
    for known, schema in _built:
        if known == (offered, settings.subgraph):
            return schema
    schema = build_schema(plugins, settings.subgraph)
    _built.append(((offered, settings.subgraph), schema))
    return schema


_all_plugins: Final = cache(load_plugins)

_files: Final[dict[str, bytes]] = {}


async def _make_file(file: Path, apps: Mapping[str, Tables]) -> str:
    """The address of a file with these tables. Those of Laurel are made once and copied: it takes half a second."""
    url, wanted = f"sqlite://{file}", repr(apps)
    # A stranger's migrations may be others the next time.
    if not all(each.migrations.startswith(("core.", "plugins.")) for each in apps.values()):
        await migrate(url, apps)
        return url
    if wanted not in _files:
        with TemporaryDirectory() as folder:
            template = Path(folder, "shop.sqlite3")
            await migrate(f"sqlite://{template}", apps)
            _files[wanted] = await asyncio.to_thread(template.read_bytes)
    try:
        with file.open("xb") as new:
            new.write(_files[wanted])
    except FileExistsError:
        await migrate(url, apps)
    return url


@asynccontextmanager
async def open_shop(
    where: Path | str,
    programme: str | None,
    *,
    plugins: Plugins | None = None,
    now: datetime = NOON,
    variables: Mapping[str, str] | None = None,
    sandbox: bool = False,
) -> AsyncIterator[Shop]:
    """A shop on a new SQLite file in the folder ``where``, or on the migrated database of that address.

    ``programme`` is published before anything else, to judge from 1970 on; None publishes none. ``variables`` are
    what the environment says besides. The clock of a ``sandbox`` is ahead of the shop's, which is the machine's.
    """
    plugins = plugins or _all_plugins()
    url = where
    if isinstance(where, Path):
        url = await _make_file(where / "shop.sqlite3", tables(plugins))
    assert isinstance(url, str)
    clock = StoppedClock(now)
    environment = {
        "LAUREL_DATABASE_URL": url,
        "LAUREL_SECRET": SECRET,
        "LAUREL_LIVE": "no",
        "LAUREL_JOBS": "no",
        **(variables or {}),
    }
    settings = Settings.from_environment(environment)
    app = create_app(settings, plugins=plugins, clock=clock, schema=_schema_of(plugins, settings))
    async with app.router.lifespan_context(app):
        laurel: Laurel = app.state.laurel
        if sandbox:
            await make_sandbox()
            await laurel.clock.look(laurel.store.reader())
        if programme is not None:
            await publish(
                programme,
                author="the tests",
                reason="to begin",
                load=laurel.load,
                clock=clock,
                starts_at=datetime(1970, 1, 1, tzinfo=UTC),
                in_the_past=True,
            )
            await laurel.programmes.refresh(laurel.store.reader())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
            yield Shop(laurel, clock, client, app)
