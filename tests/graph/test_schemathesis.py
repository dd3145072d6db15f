"""Schemathesis asks every field of Query and Mutation whatever the schema allows, as every role; nothing goes wrong.

The shop has every channel; all that operators can do has been done in it (``tests/graph/story.py``), and much of it
begun again. Ids are of what there is, and names are mostly known ones. ``LAUREL_TEST_DEPTH`` says how many requests
are made of each field, each by every caller.
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
    IntValueNode,
    NameNode,
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

from core.oversight.verify import verify
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
from tests.graph import story
from tests.graph.story import Story
from tests.graph.test_access_table import TYPES
from tests.plugins.channel import told
from tests.plugins.receiver import receiving

DEPTH: Final = int(os.environ.get("LAUREL_TEST_DEPTH", "2"))
PLUGINS: Final[Plugins] = load_plugins()
SCHEMA: Final[LaurelSchema] = build_schema(PLUGINS)
LIFTED: Final = {
    **story.VARIABLES,
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
    """The programme of the story, with the section of each other channel's README, and something that does not end."""
    document = yaml.safe_load(story.PROGRAMME)
    channels = document["channels"]
    for name in OTHERS:
        channels |= yaml.safe_load(readme_section(importlib.import_module(f"plugins.{name}")))["channels"]
    (auction, *_), (project, *_) = channels["auction"]["auctions"], channels["investment"]["projects"]
    begins, ends = "2026-06-01T00:00:00+08:00", "2027-06-01T00:00:00+08:00"
    channels["auction"]["auctions"].append({**auction, "id": "piano", "title": "Piano", "closes": ends})
    channels["investment"]["projects"].append({**project, "id": "bakery", "window": {"from": begins, "to": ends}})
    soon = "2026-06-05T00:00:00+08:00"
    channels["auction"]["auctions"].append({**auction, "id": "organ", "title": "Organ", "closes": soon})
    channels["investment"]["projects"].append({**project, "id": "mill", "window": {"from": begins, "to": soon}})
    return yaml.safe_dump(document, sort_keys=False)


def names_in(value: Any) -> set[str]:
    """What a programme calls its rewards, projects, quests and so on: each id, and each name that has something."""
    if isinstance(value, list):
        return set().union(*map(names_in, value))
    if not isinstance(value, dict):
        return set()
    named = {value["id"]} if isinstance(value.get("id"), str) else set()
    return named | {name for name, of in value.items() if isinstance(of, dict)} | names_in(list(value.values()))


OTHERS: Final = [name for name in PLUGINS.settings if name not in yaml.safe_load(story.PROGRAMME)["channels"]]
BEGINNING: Final = story.PROGRAMME
PROGRAMME: Final = every_channel()
NAMES: Final = sorted(names_in(yaml.safe_load(PROGRAMME)))


async def show(shop: Shop) -> None:
    """Do what the READMEs of the channels show of which the story does not tell."""
    for name in OTHERS:
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


async def leave_open(told: Story) -> None:
    """Begin again what the story has brought to its end, so that there is some of it to be ended."""
    yuan = {"amount": "100.00", "currency": "CNY"}
    await told.do("publishProgramme", document=PROGRAMME)
    await told.do("createProgrammeDraft", title="What is next")
    for name in ("cora", "emil", "finn", "gina", "hugo"):
        await told.do("enrolMember", externalId=name)
    await told.do("stockReward", reward="flask", quantity=20)
    for who in ("anna", "bert", "cora", "emil"):
        member = {"externalId": who}
        given = await told.do("adjustPoints", member=member, points=50_000)
        await told.do("adjustPoints", member=member, points=60, unit="growth")
        await told.do("holdPoints", member=member, points=500)
        await told.do("holdCheckout", member=member, basket=yuan, points=5_000, reference=f"{who} 1")
        await told.do("recordPurchase", member=member, reference=f"{who} 2", amount=yuan)
        await told.do("submitReview", member=member, reference=f"{who} 3", order=f"{who} 2", content=story.CONTENT)
        await told.do("openTicket", member=member, subject="Points are missing", text="Where are they?")
        await told.do("issueCoupon", member=member, coupon="tenner")
        await told.do("redeemReward", member=member, reward="flask", quantity=1)
        await told.do("drawLottery", member=member, pool="wheel", count=1)
        await told.do("stakePoints", member=member, project="bakery", points=200)
        await told.do("recordQuestEvent", by=Role.ADMIN, member=member, event="product_view", object="tea")
        # What operators do is not watched.
        for item in ("bread", "butter"):
            await told.do("recordShare", by=Role.SERVICE, member=member, item=item)
        await told.do("publishNotice", title=f"About {who}", text="Read it.")
        await told.do("compensateMembers", selection={"externalIds": [who]}, points=5)
        await told.do("reverseTransaction", transaction=given["transaction"]["id"], points=1)
    merging: Any = {"from": {"externalId": "gina"}, "into": {"externalId": "hugo"}}
    await told.do("mergeMembers", **merging)
    await told.do("placeBid", auction="piano", points=500)
    await told.do("createApiKey", by=Role.ADMIN, name="till 5", role="SERVICE")
    async with receiving() as receiver:
        await told.do("createWebhookEndpoint", url=receiver.url, events=["tier.changed"])
    await told.do("recordPurchase", reference="why", amount=yuan, idempotencyKey="why")


async def begin(shop: Shop) -> Story:
    """Do all of it, in a shop with the programme that it begins with."""
    begun = Story(shop, SCHEMA._schema)
    await begun.tell()
    await leave_open(begun)
    await show(shop)
    await told(shop)
    return begun


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder) -> AsyncIterator[Shop]:
    url = sqlite_folder.migrated(tables(PLUGINS))
    async with open_shop(url, BEGINNING, plugins=PLUGINS, variables=LIFTED) as shop:
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
            more += " code" if "code" in node.fields else ""
            found.append(f"{field}(first: 20) {{ nodes {{ id {more} }} }}")
    return found


def _object(name: str) -> GraphQLObjectType:
    kind = SCHEMA.core.type_map[name]
    assert isinstance(kind, GraphQLObjectType)
    return kind


def fields_of(name: str) -> set[str]:
    return set(_object(name).fields)


# -- what is asked --------------------------------------------------------------------------------------

NASTY: Final = ["", " ", "\x00", "a\x00b", "🦊", "\u202e", "' OR 1=1 --", "%", "x" * 300, "null", "../..", "=1+1"]
INSTANTS: Final = st.one_of(
    st.integers(-400, 400).map(lambda days: NOON + timedelta(days=10 + days)),
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001  # see timezones
)
PLACES: Final = st.integers(0, 30).map("@{}".format)
SAID: Final = st.integers(0, 30).map("#{}".format)
SCALARS: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "ID": st.one_of(PLACES, PLACES, st.sampled_from(NASTY)).map(nodes.String),
    "String": st.one_of(SAID, SAID, SAID, st.sampled_from(NAMES), st.sampled_from(NASTY), st.text(max_size=20)).map(
        nodes.String
    ),
    "Int": st.one_of(st.integers(1, 100), st.integers(-1, 2**31 - 1)).map(nodes.Int),
    "Points": st.one_of(st.integers(100, 300), st.integers(-3, 200), st.integers(-(2**53) + 1, 2**53 - 1)).map(
        nodes.Int
    ),
    "Decimal": st.one_of(
        st.integers(100, 100_000).map(lambda cents: f"{cents // 100}.{cents % 100:02}"),
        st.decimals(allow_nan=False, allow_infinity=False, places=2).map(lambda number: f"{number:f}"),
    ).map(nodes.String),
    "Instant": INSTANTS.map(lambda at: nodes.String(at.isoformat())),
    "Day": INSTANTS.map(lambda at: nodes.String(at.date().isoformat())),
    "Duration": st.sampled_from(["P1D", "PT1H", "P12M", "PT0S", "P99Y"]).map(nodes.String),
    "CurrencyCode": st.sampled_from(["CNY", "CNY", "EUR", "XXX"]).map(nodes.String),
}
(_ASKED,) = parse("{ refused: errors { code message path } }", no_location=True).definitions
assert isinstance(_ASKED, OperationDefinitionNode)
REFUSED: Final = _ASKED.selection_set
ASKED: Final = {
    "channel": "purchase",
    "event": "points.expiring",
    "externalIds": "anna",
    "idempotencyKey": "why",
    "locale": "en",
    "name": "spenders",
    "period": "2026-06",
}
"""What queries say under these keys, as there is something of it."""
SELDOM: Final = {"after", "before", "last"}
"""Arguments that would have most pages refused, if they were always there."""


class Known(Visitor):
    """Makes a request be about what there is, as ``@7`` is the seventh id of its kind, and ``#7`` said under its key.

    Schemathesis does not know ``@oneOf``, so that most of what it says of a member would name nobody.
    """

    def __init__(self, ids: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._ids = ids

    def enter_string_value(self, node: StringValueNode, key: Any, parent: Any, path: Any, ancestors: Any) -> Any:
        above = next(one for one in reversed([*ancestors, parent]) if isinstance(one, ArgumentNode | ObjectFieldNode))
        name = above.name.value
        if name == "idempotencyKey" and self._changes(ancestors) and zlib.crc32(node.value.encode()) % 4:
            return StringValueNode(value=f"{node.value[:100]} {next(NUMBERS)}")
        if not re.fullmatch(r"[@#]\d+", node.value):
            return None
        kinds = [self._kind_of_id(ancestors) if name == "id" else TYPES.get(name, name[:1].upper() + name[1:])]
        if node.value[0] == "#":
            kinds[:0] = [name] if self._changes(ancestors) else [f"asked {name}", name]
        kind = next(kind for kind in (*kinds, "Member") if self._ids.get(kind))
        found = self._ids[kind]
        if kind != "Member" and kind in SCHEMA.core.type_map and self._changes(ancestors):
            # What was begun last has not come to its end.
            found = found[::-1]
        return StringValueNode(value=found[int(node.value[1:]) % len(found)])

    def _changes(self, ancestors: Sequence[Any]) -> bool:
        operation = next(one for one in ancestors if isinstance(one, OperationDefinitionNode))
        return operation.operation is OperationType.MUTATION

    def _kind_of_id(self, ancestors: Sequence[Any]) -> str:
        """The type of what is named by its ``id``: what the field is about, unless it says that it is a member."""
        keys = {one.name.value for one in ancestors if isinstance(one, ArgumentNode | ObjectFieldNode)}
        if not keys & {"by", "member", "from", "into", "to"}:
            name = next(one for one in ancestors if isinstance(one, FieldNode)).name.value
            for root in ("Query", "Mutation"):
                if name in fields_of(root):
                    about = get_named_type(_object(root).fields[name].type).name
                    kinds = [about]
                    if about.endswith("Payload"):
                        kinds += [get_named_type(field.type).name for field in _object(about).fields.values()]
                    return next((kind for kind in kinds if kind in self._ids), "Member")
        return "Member"

    def leave_object_value(self, node: ObjectValueNode, *_: Any) -> Any:
        if not node.fields or {field.name.value for field in node.fields} - {"id", "externalId"}:
            return None
        given = [field for field in node.fields if isinstance(field.value, StringValueNode)]
        if not given:
            members = self._ids["Member"]
            somebody = StringValueNode(value=members[next(NUMBERS) % len(members)])
            given = [ObjectFieldNode(name=NameNode(value="id"), value=somebody)]
        return ObjectValueNode(fields=tuple(given[:1]))

    def leave_argument(self, node: ArgumentNode, *_: Any) -> Any:
        long = (
            node.name.value == "first" and isinstance(node.value, IntValueNode) and not 0 < int(node.value.value) <= 100
        )
        drop = (long or node.name.value in SELDOM) and next(NUMBERS) % 9
        return self.REMOVE if drop else None

    def leave_field(self, node: FieldNode, key: Any, parent: Any, path: Any, ancestors: Any) -> Any:
        if not self._changes(ancestors) or any(isinstance(one, FieldNode) for one in ancestors):
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
        """What there is, by the name of its type, or by that of the key whose value it was in the story."""
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

    async def look_around(self, begun: Story) -> None:
        """Learn what there is, and what was said of it."""
        self.learn(await self._shop.ask(all_ids(), role=Role.ADMIN))
        self.learn(sorted(begun.ids))
        for _, input, _ in begun.done:
            self.learn_inputs(input)
        asked = {**ASKED, "code": begun.codes["used"]}
        self.ids |= {f"asked {key}": [value] for key, value in asked.items()}

    def learn_inputs(self, value: Any, key: str = "") -> None:
        """Remember by their keys the texts of an input, unless they are ids."""
        if isinstance(value, Mapping):
            for name, one in value.items():
                self.learn_inputs(one, name)
        elif isinstance(value, list):
            for one in value:
                self.learn_inputs(one, key)
        elif isinstance(value, str) and not read_id(value) and value not in self.ids[key]:
            self.ids[key].append(value)

    def learn(self, value: Any) -> None:
        """Remember the ids of an answer, the external ids of members, and the codes of coupons."""
        if isinstance(value, list):
            for one in value:
                self.learn(one)
        elif isinstance(value, dict):
            for name, one in value.items():
                if name in {"externalId", "code"} and isinstance(one, str):
                    self.ids[name].append(one)
                self.learn(one)
        elif isinstance(value, str) and (parts := read_id(value)):
            self.ids[parts[0]].append(value)


LAST: Final = (
    "freezeMember",
    "changeMemberStatus",
    "closeMembership",
    "mergeMembers",
    "eraseMember",
    "publishProgramme",
    "publishProgrammeDraft",
    "approveProgrammeDraft",
    "rollBackProgramme",
)
"""Whom, or what, these have dealt with is good for nothing else."""


def rain(schema: Any, send: Callable[[str], None]) -> None:
    """Ask every field so often. In a thread of its own, as Hypothesis waits for what it does."""
    operations = [result.ok() for result in schema.get_all_operations()]
    for operation in sorted(operations, key=lambda one: one.label.endswith(LAST)):

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
    begun = await begin(shop)
    tokens: dict[str, str | None] = {role.value: shop.token(role) for role in Role if role is not Role.MEMBER}
    storm = Storm(shop, tokens | {"member": shop.token(Role.MEMBER, begun.raw()), "nobody": None})
    await storm.look_around(begun)
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
    # Or it has asked of nothing that there is.
    fields = fields_of("Query") | fields_of("Mutation")
    unanswered = fields - storm.answered["admin"]
    assert len(unanswered) <= len(fields) / 20, unanswered
    # How many are done is chance: 57 to 60 of 117 were. The story does all of them.
    assert len(storm.done) > len(fields_of("Mutation")) / 3, fields_of("Mutation") - storm.done
    assert storm.codes["GRAPHQL_VALIDATION_FAILED"] < storm.requests / 10
