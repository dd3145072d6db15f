"""Schemathesis asks every field of Query and Mutation whatever the schema allows, as every role; nothing goes wrong.

The shop has every channel, and what each channel's README shows has been done in it. Ids are of what there is, and
names are mostly known ones. ``LAUREL_TEST_DEPTH`` says how many requests are made of each field, each by every caller.
"""

import asyncio
import importlib
import os
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import pytest
import schemathesis
import yaml
from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLObjectType,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    Visitor,
    get_introspection_query,
    get_named_type,
    is_required_argument,
    parse,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from core.verify import verify
from graph.conformance.readme import Call, NotTried, block, readme_section
from graph.conformance.subject import Trial, preparation
from graph.ids import read_id
from graph.laurel import tables
from graph.schema import LaurelSchema, build_schema
from graph.testing import NOON, Shop, open_shop
from graph.tokens import Role
from graph.transport.failures import Failure
from plugins.manager import Plugins, load_plugins
from tests.databases import SqliteFolder
from tests.graph.test_access_table import TYPES

DEPTH: Final = int(os.environ.get("LAUREL_TEST_DEPTH", "2"))
PLUGINS: Final[Plugins] = load_plugins()
SCHEMA: Final[LaurelSchema] = build_schema(PLUGINS)
LIFTED: Final = {
    # What one request may ask for is tested elsewhere: here everything is to be executed.
    **{f"LAUREL_{name}_MAX": "100000" for name in ("ALIASES", "DEPTH", "ROOT_FIELDS", "DIRECTIVES", "TOKENS")},
    "LAUREL_COSTS": ", ".join(f"{who}=900000000000" for who in ("nobody", *Role)),
    "LAUREL_RATES": ", ".join(f"{who}=none" for who in ("nobody", *Role)),
    "LAUREL_SECONDS_MAX": "60",
    "LAUREL_SLOW_MS": "0",
}
NUMBERS: Final = count()
DEFECTS: Final = {failure.name for failure in Failure if failure.status >= 500} | {"TIMEOUT", "RATE_LIMITED"}


# -- the shop -----------------------------------------------------------------------------------------


def every_channel() -> str:
    """A programme with the section of each channel's README."""
    tiers = ("regular", "silver", "gold", "platinum", "diamond")
    steps = [{"fact": "points_earned", "at_least": 10**9 * number} for number in range(1, len(tiers))]
    ladder = [{"id": tiers[0]}, *({"id": tier, "all": [step]} for tier, step in zip(tiers[1:], steps, strict=True))]
    channels: dict[str, Any] = {}
    for name in PLUGINS.settings:
        channels |= yaml.safe_load(readme_section(importlib.import_module(f"plugins.{name}")))["channels"]
    document = {"id": "storm", "currency": "CNY", "timezone": "Asia/Shanghai", "tiers": {"ladder": ladder}}
    return yaml.safe_dump({**document, "channels": channels}, sort_keys=False)


def names_in(value: Any) -> set[str]:
    """What a programme calls its rewards, projects, quests and so on: each id, and each name that has something."""
    if isinstance(value, list):
        return set().union(*map(names_in, value))
    if not isinstance(value, dict):
        return set()
    named = {value["id"]} if isinstance(value.get("id"), str) else set()
    return named | {name for name, of in value.items() if isinstance(of, dict)} | names_in(list(value.values()))


PROGRAMME: Final = every_channel()
NAMES: Final = sorted(names_in(yaml.safe_load(PROGRAMME)))


async def begin(shop: Shop) -> None:
    """Do what each channel's README shows."""
    for name in PLUGINS.settings:
        module = importlib.import_module(f"plugins.{name}")
        prepare = preparation(module)
        prepared = None if prepare is None else await prepare(shop)
        try:
            call = Call.of(prepared or block(module, "graphql"))
        except NotTried:
            continue  # it follows what others do, and has no mutation
        trial = Trial(shop, call)
        for member in call.members():
            await trial.have_member(member)
        await trial.send(f"begin:{name}")


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder) -> AsyncIterator[Shop]:
    url = sqlite_folder.migrated(tables(PLUGINS))
    async with open_shop(url, PROGRAMME, plugins=PLUGINS, variables=LIFTED) as shop:
        yield shop
    sqlite_folder.done(url)


def all_ids() -> str:
    """A document that asks for the ids of whatever there is a page of."""
    asked = " ".join(pages_of("Query", pages_of("Member", [])))
    return f"{{ {asked} }}"


def pages_of(name: str, of_member: Sequence[str]) -> list[str]:
    kind = SCHEMA.core.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    found = []
    for field, of in kind.fields.items():
        page = get_named_type(of.type)
        if not page.name.endswith("Connection") or any(map(is_required_argument, of.args.values())):
            continue
        assert isinstance(page, GraphQLObjectType)
        node = get_named_type(page.fields["nodes"].type)
        if isinstance(node, GraphQLObjectType) and "id" in node.fields:
            more = f"externalId {' '.join(of_member)}" if node.name == "Member" else ""
            found.append(f"{field}(first: 20) {{ nodes {{ id {more} }} }}")
    return found


def fields_of(name: str) -> set[str]:
    kind = SCHEMA.core.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    return set(kind.fields)


# -- what is asked --------------------------------------------------------------------------------------

NASTY: Final = ["", " ", "\x00", "a\x00b", "🦊", "\u202e", "' OR 1=1 --", "%", "x" * 300, "null", "../..", "=1+1"]
INSTANTS: Final = st.one_of(
    st.integers(-400, 400).map(lambda days: NOON + timedelta(days=days)),
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001  # see timezones
)
PLACES: Final = st.integers(0, 30).map("@{}".format)
SCALARS: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "ID": st.one_of(PLACES, PLACES, st.sampled_from(NASTY)).map(nodes.String),
    "String": st.one_of(
        PLACES, st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(NASTY), st.text(max_size=20)
    ).map(nodes.String),
    "Int": st.one_of(st.integers(1, 100), st.integers(-1, 2**31 - 1)).map(nodes.Int),
    "Points": st.one_of(st.integers(-3, 200), st.integers(-(2**53) + 1, 2**53 - 1)).map(nodes.Int),
    "Decimal": st.one_of(
        st.integers(0, 100_000).map(lambda cents: f"{cents // 100}.{cents % 100:02}"),
        st.decimals(allow_nan=False, allow_infinity=False, places=2).map(lambda number: f"{number:f}"),
    ).map(nodes.String),
    "Instant": INSTANTS.map(lambda at: nodes.String(at.isoformat())),
    "Day": INSTANTS.map(lambda at: nodes.String(at.date().isoformat())),
    "CurrencyCode": st.sampled_from(["CNY", "CNY", "EUR", "XXX"]).map(nodes.String),
}
(_ASKED,) = parse("{ refused: errors { code message path } }", no_location=True).definitions
assert isinstance(_ASKED, OperationDefinitionNode)
REFUSED: Final = _ASKED.selection_set
SELDOM: Final = {"after", "before", "last"}
"""Arguments that would have most pages refused, if they were always there."""


class Known(Visitor):
    """Makes a request be about what there is: ``@7`` is the seventh id of its kind, from the front again at the end.

    Schemathesis does not know ``@oneOf``, so that most of what it says of a member would name nobody.
    """

    def __init__(self, ids: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._ids = ids

    def enter_string_value(self, node: StringValueNode, key: Any, parent: Any, path: Any, ancestors: Any) -> Any:
        above = next(one for one in reversed([*ancestors, parent]) if isinstance(one, ArgumentNode | ObjectFieldNode))
        name = above.name.value
        if name == "idempotencyKey" and zlib.crc32(node.value.encode()) % 4:
            return StringValueNode(value=f"{node.value[:100]} {next(NUMBERS)}")
        if not re.fullmatch(r"@\d+", node.value):
            return None
        kind = TYPES.get(name, name[:1].upper() + name[1:])
        found = self._ids.get(kind) or self._ids["Member"]
        return StringValueNode(value=found[int(node.value[1:]) % len(found)])

    def leave_object_value(self, node: ObjectValueNode, *_: Any) -> Any:
        if not node.fields or {field.name.value for field in node.fields} - {"id", "externalId"}:
            return None
        given = [field for field in node.fields if isinstance(field.value, StringValueNode)]
        return ObjectValueNode(fields=tuple(given[:1])) if given else None

    def leave_argument(self, node: ArgumentNode, *_: Any) -> Any:
        drop = node.name.value in SELDOM and zlib.crc32(print_ast(node).encode()) % 4
        return self.REMOVE if drop else None

    def leave_field(self, node: FieldNode, key: Any, parent: Any, path: Any, ancestors: Any) -> Any:
        operation = next(one for one in ancestors if isinstance(one, OperationDefinitionNode))
        if operation.operation is not OperationType.MUTATION or any(isinstance(one, FieldNode) for one in ancestors):
            return None
        assert node.selection_set is not None, "a payload has fields"
        selected = SelectionSetNode(selections=(*node.selection_set.selections, *REFUSED.selections))
        return FieldNode(name=node.name, arguments=node.arguments, selection_set=selected)


class Storm:
    """Sends what is generated as each caller, and keeps what came of it."""

    def __init__(self, shop: Shop, callers: Mapping[str, str | None]) -> None:
        self._shop = shop
        self._callers = callers
        self.ids: dict[str, list[str]] = defaultdict(list)
        self.requests = 0
        self.codes: Counter[str] = Counter()
        self.answered: defaultdict[str, set[str]] = defaultdict(set)
        """The fields that were not null, by caller."""
        self.done: set[str] = set()
        """The mutations that were not refused."""
        self.wrong: list[str] = []

    async def send(self, text: str) -> None:
        query = print_ast(visit(parse(text, no_location=True), Known(self.ids)))
        for caller, token in self._callers.items():
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            response = await self._shop.client.post("/graphql", json={"query": query}, headers=headers)
            self.requests += 1
            answer = response.json()
            codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
            self.codes.update(codes)
            if response.status_code >= 500 or DEFECTS & {*codes}:
                self.wrong.append(f"{response.status_code} {codes} as {caller}: {query}")
            for name, value in (answer.get("data") or {}).items():
                if value is not None:
                    self.answered[caller].add(name)
                    if isinstance(value, dict) and value.get("refused") == []:
                        self.done.add(name)

    def learn(self, value: Any) -> None:
        """Remember the ids of an answer, and the external ids of members."""
        if isinstance(value, list):
            for one in value:
                self.learn(one)
        elif isinstance(value, dict):
            for name, one in value.items():
                if name == "externalId":
                    self.ids["ExternalId"].append(one)
                self.learn(one)
        elif isinstance(value, str) and (parts := read_id(value)):
            self.ids[parts[0]].append(value)


def rain(schema: Any, send: Callable[[str], None]) -> None:
    """Ask every field so often. In a thread of its own, as Hypothesis waits for what it does."""
    operations = [result.ok() for result in schema.get_all_operations()]
    # Whom these have dealt with is good for nothing else.
    for operation in sorted(operations, key=lambda one: one.label.endswith(("closeMembership", "changeMemberStatus"))):

        @settings(
            max_examples=DEPTH,
            deadline=None,
            database=None,
            derandomize=DEPTH < 10,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            send(case.body)

        ask()


@pytest.mark.timeout(7200)
async def test_nothing_that_the_schema_allows_is_a_defect(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("anna", "cora", "dora", "emil", "finn"):
        await shop.give(await shop.enrol(name), 5_000, "to begin")
    await begin(shop)
    anna = (await shop.ask('{ member(by: {externalId: "anna"}) { id } }'))["member"]["id"]
    tokens: dict[str, str | None] = {role.value: shop.token(role) for role in Role if role is not Role.MEMBER}
    storm = Storm(shop, tokens | {"member": shop.token(Role.MEMBER, read_id(anna)[1]), "nobody": None})
    storm.learn(await shop.ask(all_ids(), role=Role.ADMIN))
    for name, strategy in SCALARS.items():
        schemathesis.graphql.scalar(name, strategy)
    schema = schemathesis.graphql.from_dict(await shop.ask(get_introspection_query(), role=Role.ADMIN))
    loop = asyncio.get_running_loop()

    def send(text: str) -> None:
        asyncio.run_coroutine_threadsafe(storm.send(text), loop).result()

    await asyncio.to_thread(rain, schema, send)

    reached = {caller: len(names) for caller, names in storm.answered.items()}
    print(f"{storm.requests} requests; fields answered: {reached}; mutations done: {len(storm.done)}; {storm.codes}")
    assert storm.wrong == []
    assert [record.getMessage() for record in caplog.records] == []
    assert await verify(shop.laurel.store.reader()) == []
    # Or it has asked of nothing that there is. What the shop has nothing of (remedies, say) is asked, and answers null.
    fields = fields_of("Query") | fields_of("Mutation")
    assert len(fields - storm.answered["admin"]) < len(fields) / 6
    assert len(storm.done) >= 12
    assert storm.codes["GRAPHQL_VALIDATION_FAILED"] < storm.requests / 10
