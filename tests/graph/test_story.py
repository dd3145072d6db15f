"""All that an operator can do, once: every mutation is in the audit log, and nobody else reaches anything of it."""

from collections.abc import AsyncIterator, Collection
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_required_argument

from core.oversight.verify import verify
from graph.access import access_of
from graph.ids import read_id
from graph.laurel import tables
from graph.schema import LaurelSchema, build_schema
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins, load_plugins
from tests.databases import SqliteFolder
from tests.graph.story import PROGRAMME, VARIABLES, Story, ids_in
from tests.plugins.channel import told

PLUGINS: Plugins = load_plugins()
SCHEMA: LaurelSchema = build_schema(PLUGINS)


@pytest.fixture
async def story(sqlite_folder: SqliteFolder) -> AsyncIterator[Story]:
    url = sqlite_folder.migrated(tables(PLUGINS))
    async with open_shop(url, PROGRAMME, plugins=PLUGINS, variables=VARIABLES, sandbox=True) as shop:
        story = Story(shop, SCHEMA._schema)
        await story.tell()
        # What another member gets comes after.
        await told(shop)
        yield story
        assert await verify(shop.laurel.store.reader()) == []
    sqlite_folder.done(url)


async def every_entry(shop: Shop) -> list[dict[str, Any]]:
    """The whole audit log, the first entry first."""
    found: list[dict[str, Any]] = []
    document = """query ($after: String) { auditLog(first: 50, after: $after) {
      nodes { mutation actor reason requestId transaction { id } member { id } facts { name before after } }
      pageInfo { endCursor hasNextPage } } }"""
    page: dict[str, Any] = {"pageInfo": {"endCursor": None, "hasNextPage": True}}
    while page["pageInfo"]["hasNextPage"]:
        page = (await shop.ask(document, {"after": page["pageInfo"]["endCursor"]}, role=Role.ANALYST))["auditLog"]
        found += page["nodes"]
    return found[::-1]


async def test_the_story_tells_of_every_mutation_that_operators_have(story: Story) -> None:
    theirs = {
        access.name
        for access in access_of(SCHEMA, PLUGINS.offered_by)
        if access.type_name == "Mutation" and access.roles & {Role.OPERATOR, Role.ADMIN}
    }
    assert theirs - {name for name, *_ in story.done} == set(), "tests/graph/story.py does not tell of these"

    entries = await every_entry(story.shop)
    by_request: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        by_request.setdefault(entry["requestId"], []).append(entry)
    shown = set()
    for name, input, request_id in story.done:
        found = by_request.pop(request_id, [])
        assert found, f"{name} is not in the audit log"
        assert {entry["mutation"] for entry in found} == {name}
        assert {entry["actor"] for entry in found} <= {"operator:a operator", "admin:a admin"}
        assert {entry["reason"] for entry in found} == {input.get("reason")}, name
        facts = [fact for entry in found for fact in entry["facts"]]
        shown |= {name for fact in facts if fact["before"] != fact["after"]}
    assert by_request == {}, "of what nobody did"
    assert {name for name, *_ in story.done} - shown == set(), "of these it does not say what has changed"


NOBODYS = {"Tier", "Notice", "Remedy", "ApiKey", "AuditEntry", "ProgrammeDraft", "Simulation"}
"""Nodes that are no member's own."""
STAFFS = {"Flag"}
"""Nodes about a member that the member does not see either."""
MACHINERY = ("job", "webhook", "tortoise", "api_key", "outbox")
"""Tables in which something changes without anybody's doing."""


async def everything_in(shop: Shop) -> dict[str, list[Any]]:
    reader = shop.laurel.store.reader()
    tables = await reader.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return {name: list(await reader.query(f"SELECT * FROM {name}")) for (name,) in tables if MACHINERY[0] not in name
            and not name.startswith(MACHINERY)}  # fmt: skip


async def things_of(shop: Shop, member: str) -> set[str]:
    """The ids of all that hangs on a member in the schema."""
    data = await shop.ask(
        f"query ($id: ID!) {{ member(by: {{id: $id}}) {{ {_lists(SCHEMA._schema.type_map['Member'])} }} }}",
        {"id": member},
        member=member,
    )
    return set(ids_in(data))


def _lists(kind: Any, deeper: bool = True) -> str:
    """What selects the ids in all connections of a type, and of what hangs on it."""
    selected = []
    for name, field in kind.fields.items():
        named = get_named_type(field.type)
        if not isinstance(named, GraphQLObjectType) or any(is_required_argument(one) for one in field.args.values()):
            continue
        if named.name.endswith("Connection"):
            node = get_named_type(named.fields["nodes"].type)
            if isinstance(node, GraphQLObjectType) and "id" in node.fields:
                selected.append(f"{name} {{ nodes {{ id }} }}")
        elif deeper and (within := _lists(named, deeper=False)):
            selected.append(f"{name} {{ {within} }}")
    return " ".join(selected)


async def test_a_members_token_reaches_nothing_of_another_members(story: Story) -> None:
    """Tried on everything that there is of the other: each thing by its id, each mutation with its own input."""
    shop = story.shop
    answer = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    nodes = {kind.name for kind in SCHEMA._schema.get_possible_types(_node())} - NOBODYS
    kinds = set()
    for owner, other in ((story.anna, story.bert), (story.bert, story.anna)):
        ids = sorted({owner} | {id for id in story.ids | await things_of(shop, owner) if _is_of(id, owner, nodes)})
        kinds |= {read_id(id)[0] for id in ids}
        for start in range(0, len(ids), 25):
            some = ids[start : start + 25]
            seen = await shop.ask(answer, {"ids": some}, member=owner)
            theirs = [id if read_id(id)[0] not in STAFFS else None for id in some]
            assert [node and node["id"] for node in seen["nodes"]] == theirs, "its owner sees it"
            assert await shop.ask(answer, {"ids": some}, member=other) == {"nodes": [None] * len(some)}
    assert nodes - kinds == set(), "nobody has such a thing in the story"

    before = await everything_in(shop)
    reached = []
    bert = {"Authorization": f"Bearer {shop.token(Role.MEMBER, read_id(story.bert)[1])}"}
    for number, (name, input, _) in enumerate(story.done):
        root = SCHEMA._schema.mutation_type
        assert root is not None
        kind = get_named_type(root.fields[name].args["input"].type).name
        for key in (f"bert {number}", input.get("idempotencyKey", "")):
            tried = {**input, "idempotencyKey": key} if "idempotencyKey" in input else input
            text = f"mutation ($input: {kind}!) {{ it: {name}(input: $input) {{ __typename errors {{ code }} }} }}"
            body = {"query": text, "variables": {"input": tried}}
            answered = (await shop.client.post("/graphql", json=body, headers=bert)).json()
            it = (answered.get("data") or {}).get("it")
            if it is not None and not it["errors"]:
                reached.append(name)
    assert reached == []
    after = await everything_in(shop)
    assert [name for name, rows in after.items() if rows != before[name]] == []

    subscription = "subscription ($by: MemberByInput!) { memberProgress(by: $by) { __typename } }"
    response = await shop.client.post(
        "/graphql",
        json={"query": subscription, "variables": {"by": {"id": story.anna}}},
        headers={**bert, "Accept": "text/event-stream"},
    )
    assert "MemberProgress" not in response.text
    assert "event: complete" in response.text


def _is_of(id: str, member: str, kinds: Collection[str]) -> bool:
    match read_id(id):
        case (kind, owner, *_) if kind in kinds:
            return bool(owner == read_id(member)[1])
        case _:
            return False


def _node() -> GraphQLInterfaceType:
    kind = SCHEMA._schema.type_map["Node"]
    assert isinstance(kind, GraphQLInterfaceType)
    return kind
