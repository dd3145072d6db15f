"""The schema as a subgraph: what the router is told, and which entities it is given for whom."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import parse

from graph.schema import print_sdl
from graph.settings import Settings, SettingsInvalid, Subgraph
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins, load_plugins
from tests.databases import Apps, SqliteFolder
from tests.graph.conftest import PROGRAMME
from tests.graph.test_statements import statements

SECRET = "the router and nobody else"
SUBGRAPH = {"LAUREL_FEDERATION": "subgraph", "LAUREL_ROUTER_SECRET": SECRET}
ENTITIES = """query ($of: [_Any!]!) { _entities(representations: $of) {
  __typename ... on Member { externalId points { available } } ... on Tier { code } ... on Transaction { kind } } }"""


@pytest.fixture
async def subgraph(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    """A shop that is part of a federated schema, asked by its router."""
    url = sqlite_folder.migrated(apps)
    async with open_shop(url, PROGRAMME, plugins=Plugins(), variables=SUBGRAPH) as shop:
        shop.client.headers["Router-Authorization"] = SECRET
        yield shop
    sqlite_folder.done(url)


def codes(answer: Any) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]


async def test_the_router_alone_is_told_the_schema_and_needs_no_token_for_it(subgraph: Shop) -> None:
    told = await subgraph.ask("{ _service { sdl } }", role=None)
    sdl = told["_service"]["sdl"]
    assert sdl == print_sdl(Plugins(), Subgraph())

    for given in ("", "somebody else", SECRET + "!"):
        subgraph.client.headers["Router-Authorization"] = given
        assert codes(await subgraph.post("{ _service { sdl } }", role=Role.ADMIN)) == ["FORBIDDEN"]
        assert codes(await subgraph.post(ENTITIES, {"of": []}, role=Role.ADMIN)) == ["FORBIDDEN"]


async def test_entities_are_found_by_each_of_their_keys(subgraph: Shop) -> None:
    anna = await subgraph.enrol("anna")
    given = await subgraph.give(anna, 7, "g")
    tier = (await subgraph.ask("{ programme { tiers { id } } }"))["programme"]["tiers"][0]["id"]

    found = await subgraph.ask(
        ENTITIES,
        {
            "of": [
                {"__typename": "Member", "id": anna},
                {"__typename": "Member", "externalId": "anna"},
                {"__typename": "Tier", "id": tier},
                {"__typename": "Transaction", "id": given},
                {"__typename": "Member", "externalId": "nobody"},
            ]
        },
    )

    member = {"__typename": "Member", "externalId": "anna", "points": {"available": 7}}
    assert found["_entities"] == [
        member,
        member,
        {"__typename": "Tier", "code": "regular"},
        {"__typename": "Transaction", "kind": "adjust"},
        None,
    ]


async def test_a_bad_representation_spoils_only_itself(subgraph: Shop) -> None:
    anna = await subgraph.enrol("anna")
    wrong: list[Any] = [
        7,
        {},
        {"__typename": ["Member"]},
        {"__typename": "Balance", "id": anna},
        {"__typename": "Member"},
        {"__typename": "Member", "id": 7},
        {"__typename": "Tier", "id": anna},
        {"__typename": "Member", "id": "rubbish"},
    ]

    answer = await subgraph.post(ENTITIES, {"of": [*wrong, {"__typename": "Member", "id": anna}]})

    assert [one and one["externalId"] for one in answer["data"]["_entities"]] == [None] * len(wrong) + ["anna"]
    assert [error["path"] for error in answer["errors"]] == [["_entities", number] for number in range(len(wrong))]
    assert codes(answer) == ["BAD_USER_INPUT"] * 6 + ["INVALID_ID"] * 2


async def test_a_members_entity_is_for_those_who_may_see_the_member(subgraph: Shop) -> None:
    anna, bert = await subgraph.enrol("anna"), await subgraph.enrol("bert")
    of = [
        {"__typename": "Member", key: value}
        for key, values in {"id": (anna, bert), "externalId": ("anna", "bert")}.items()
        for value in values
    ]

    own = await subgraph.ask(ENTITIES, {"of": of}, member=anna)
    partner = await subgraph.ask(ENTITIES, {"of": of}, role=Role.PARTNER)
    nobody = await subgraph.post(ENTITIES, {"of": of}, role=None)

    assert [one and one["externalId"] for one in own["_entities"]] == ["anna", None, "anna", None]
    assert partner["_entities"] == [None] * 4
    assert codes(nobody) == ["UNAUTHENTICATED"]


async def test_many_entities_cost_as_many_statements_as_one(subgraph: Shop) -> None:
    ids = [await subgraph.enrol(f"m{number}") for number in range(30)]
    counted = []
    for count in (1, 30):
        async with statements() as seen:
            await subgraph.ask(ENTITIES, {"of": [{"__typename": "Member", "id": id} for id in ids[:count]]})
        counted.append(len(seen))

    assert counted[0] == counted[1]


async def test_one_of_is_kept_by_the_subgraph_itself(subgraph: Shop) -> None:
    query = "query ($by: MemberByInput!) { member(by: $by) { id } }"

    answer = await subgraph.post(query, {"by": {"id": "x", "externalId": "y"}})

    assert codes(answer) == ["BAD_USER_INPUT"]
    assert "oneOf" not in print_sdl(Plugins(), Subgraph())


async def test_too_many_entities_are_not_looked_for(subgraph: Shop) -> None:
    many = [{"__typename": "Tier", "id": "x"}] * 1_001

    answer = await subgraph.post(ENTITIES, {"of": many}, role=Role.ADMIN)

    assert codes(answer) == ["INVALID_VALUE"]


def test_one_subgraph_owns_node_and_the_others_leave_it_out() -> None:
    assert "\n  node(" not in print_sdl(Plugins(), Subgraph())
    assert "\n  node(" in print_sdl(Plugins(), Subgraph(owns_node=True))


def test_what_plugins_offer_can_be_referred_to() -> None:
    sdl = print_sdl(load_plugins(), Subgraph())

    parse(sdl)
    for said in (
        'type Member implements Node @key(fields: "id") @key(fields: "externalId") {',
        'type Tier implements Node @key(fields: "id") {',
        'type Reward @key(fields: "id") {',
        'type PurchaseOrder implements Node @key(fields: "id") {',
        "type Money @shareable {",
        "type PageInfo @shareable {",
    ):
        assert said in sdl


def test_by_itself_the_schema_has_nothing_of_federation() -> None:
    sdl = print_sdl(Plugins())

    assert [word for word in ("_entities", "_service", "_Any", "@key", "@link", "@shareable") if word in sdl] == []


@pytest.mark.parametrize(
    "variables",
    [
        {"LAUREL_FEDERATION": "gateway"},
        {"LAUREL_FEDERATION": "subgraph"},
        {**SUBGRAPH, "LAUREL_ROUTER_SECRET": "short"},
    ],
)
def test_a_subgraph_needs_a_secret_of_its_router(variables: dict[str, str]) -> None:
    with pytest.raises(SettingsInvalid, match="LAUREL_"):
        Settings.from_environment(variables)
