"""The channel that is examined, and the shops in which its call is tried."""

import importlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

import graphql
import yaml
from graphql import GraphQLSchema

from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.store.migrating import migrate
from core.telling.outbox import settled
from graph.laurel import load_document, tables
from graph.schema import compose_schema
from graph.testing import NOON, Shop, open_shop
from graph.tokens import Role
from plugins.manager import Offer, Plugins, load_plugins

from .readme import Call, Fails, NotTried, block, readme_section

GIVEN: Final = 100_000
_SECONDS_TOLD: Final = 10.0
ZONES: Final = ("Asia/Shanghai", "America/New_York", "UTC")


@dataclass
class Subject:
    """The channel that is examined."""

    offer: Offer
    others: Sequence[Offer]
    folder: Path
    _shops: Iterator[int] = field(default_factory=count)

    @property
    def name(self) -> str:
        return self.offer.name

    @cached_property
    def module(self) -> ModuleType:
        module = self.offer.load()
        assert isinstance(module, ModuleType)
        return module

    @cached_property
    def plugins(self) -> Plugins:
        """The channel and no other."""
        return load_plugins(offers=[self.offer])

    @cached_property
    def company(self) -> Plugins:
        """The channel, and the others where its section names what they count, or stands on theirs."""
        try:
            load_document(self.plugins, self.programme(self.section))
        except ProgrammeInvalid:
            return load_plugins(offers=[self.offer, *self.others])
        return self.plugins

    @cached_property
    def schema(self) -> GraphQLSchema:
        return _graphql(self.plugins)

    @property
    def bare(self) -> GraphQLSchema:
        """The schema without any plugin."""
        return _bare()

    @cached_property
    def _document(self) -> Any:
        return yaml.safe_load(readme_section(self.module))

    @cached_property
    def section(self) -> dict[str, Any]:
        """The channel's section of the programme, as its README shows it."""
        if self.name not in self.plugins.settings:
            raise NotTried("it is no channel: it has no settings")
        try:
            section: dict[str, Any] = self._document["channels"][self.name]
        except (KeyError, TypeError):
            raise Fails(f"the yaml block of its README has no channels: {self.name}:") from None
        return section

    def programme(self, section: Mapping[str, Any] | None, zone: str = ZONES[0]) -> str:
        """A programme with that section, or without; and with what else the README shows that it stands on."""
        shown = self._document if self.name in self.plugins.settings else {"channels": {}}
        beside = {name: other for name, other in shown["channels"].items() if name != self.name}
        tiers = ("regular", "silver", "gold", "platinum", "diamond")
        steps = [{"fact": "points_earned", "at_least": 10**9 * number} for number in range(1, len(tiers))]
        document = {
            "id": "conformance",
            "currency": "CNY",
            "timezone": zone,
            "tiers": {
                "ladder": [{"id": tiers[0]}]
                + [{"id": tier, "all": [step]} for tier, step in zip(tiers[1:], steps, strict=True)]
            },
            **{key: shown[key] for key in ("point_value",) if key in shown},
            "channels": beside if section is None else {**beside, self.name: section},
        }
        return yaml.safe_dump(document, sort_keys=False)

    @asynccontextmanager
    async def shop(self, programme: str, now: datetime = NOON) -> AsyncIterator["Trial"]:
        """A shop with that programme, the call of the README, and the members whom it names."""
        empty = self.folder / "empty.sqlite3"
        if not empty.exists():
            await migrate(f"sqlite://{empty}", tables(self.company))
        file = shutil.copy(empty, self.folder / f"{next(self._shops)}.sqlite3")
        async with open_shop(f"sqlite://{file}", programme, plugins=self.company, now=now) as shop:
            prepare = preparation(self.module)
            prepared = None if prepare is None else await prepare(shop)
            call = Call.of(prepared or block(self.module, "graphql"))
            if call.field.name.value not in new_fields(self, "Mutation"):
                raise NotTried("its README shows no mutation of its own")
            trial = Trial(shop, call)
            for member in call.members():
                await trial.have_member(member)
            yield trial


def preparation(module: ModuleType) -> Callable[[Shop], Awaitable[str | None]] | None:
    name = f"{module.__name__}.conformance"
    try:
        found = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            return None
        raise
    prepare: Callable[[Shop], Awaitable[str | None]] = found.prepare
    return prepare


def _graphql(plugins: Plugins) -> GraphQLSchema:
    return graphql.build_schema(compose_schema(plugins).as_str())


@cache
def _bare() -> GraphQLSchema:
    """Built once for all that are examined."""
    return _graphql(Plugins())


@dataclass
class Trial:
    """A shop in which the call is tried."""

    shop: Shop
    call: Call

    async def have_member(self, external_id: str) -> None:
        """A member of that id, with points to spend."""
        found = await self.shop.ask(
            "query ($m: String!) { member(by: {externalId: $m}) { id } }", {"m": external_id}, role=Role.ADMIN
        )
        member = found["member"]["id"] if found["member"] else await self.shop.enrol(external_id)
        await self.shop.give(member, GIVEN, f"conformance:{external_id}")

    async def send(self, key: str) -> dict[str, Any]:
        """The payload that the call is answered with under that key. Raises Fails when it is an error."""
        answer = await self.shop.post(self.call.with_key(key), role=Role.ADMIN)
        if "errors" in answer:
            raise Fails(f"the call of its README is answered with an error: {answer['errors'][0]['message']}")
        payload: dict[str, Any] = answer["data"]["answer"]
        return payload

    async def done(self, key: str) -> dict[str, Any]:
        """The payload of a call that must be done."""
        payload = await self.send(key)
        if payload["errors"]:
            raise NotTried(f"the call of its README is refused: {payload['errors'][0]['message']}")
        return payload

    async def tables_at_rest(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows as in ``tables``, once all that happened has been told, which changes them."""
        await settled(self.shop.laurel.deliverer, self.shop.laurel.machine, patience=_SECONDS_TOLD)
        return await self.tables()

    async def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables, but for the record of what was asked."""
        reader = self.shop.laurel.store.reader()
        names = await reader.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return {
            str(name): sorted((tuple(row) for row in await reader.query(f'SELECT * FROM "{name}"')), key=repr)
            for (name,) in names
            if name != "operation"
        }

    async def balances(self) -> list[tuple[Any, ...]]:
        """What every member has, by unit."""
        reader = self.shop.laurel.store.reader()
        rows = await reader.query(
            "SELECT member_id, unit, credited - debited, held, debt FROM account ORDER BY member_id, unit"
        )
        # A unit that was opened and is empty is as good as none.
        return [tuple(row) for row in rows if any(row[2:])]

    async def check_books(self) -> None:
        """Raise Fails when an invariant of the ledger is broken."""
        store, own = self.shop.laurel.store.reader(), self.shop.laurel.plugins.invariants
        for finding in await verify(store, own):
            raise Fails(f"the books are wrong afterwards: {finding.invariant.says}")


def new_fields(subject: Subject, name: str) -> dict[str, graphql.GraphQLField]:
    before = cast(graphql.GraphQLObjectType, subject.bare.type_map[name]).fields
    after = cast(graphql.GraphQLObjectType, subject.schema.type_map[name]).fields
    return {label: of for label, of in after.items() if label not in before}
