"""The clients that front ends use, unchanged, against a server: npm's in one process of node, and Python's gql."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

from graph.ids import read_id
from graph.testing import Shop, open_shop
from graph.tokens import Role
from graph.transport.trusted import read_manifests
from tests.npm import ROOT, installed, run_tests
from tests.serving import served

PROGRAMME: Final = ROOT / "examples" / "programmes" / "first-shop.yaml"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """The first shop with all its channels, and Anna who has 100 points."""
    async with open_shop(tmp_path, PROGRAMME.read_text(encoding="utf-8")) as shop:
        await shop.give(await shop.enrol("anna"), 100, "to begin")
        yield shop


async def anna(shop: Shop) -> str:
    data = await shop.ask('{ member(by: {externalId: "anna"}) { id } }')
    member: str = data["member"]["id"]
    return member


@pytest.mark.timeout(900)
async def test_the_clients_of_npm_work_unchanged(shop: Shop) -> None:
    project = await asyncio.to_thread(installed, "tests/clients")
    member = await anna(shop)
    async with served(shop.app) as address:
        tokens = {role.value: shop.token(role) for role in Role if role is not Role.MEMBER}
        tokens["member"] = shop.token(Role.MEMBER, read_id(member)[1])
        await run_tests(project, "all.mjs", {"url": f"{address}/graphql", "tokens": tokens, "member": member})


@pytest.mark.timeout(900)
async def test_the_gateway_of_apollo_joins_it_with_a_subgraph_that_extends_member(tmp_path: Path) -> None:
    project = await asyncio.to_thread(installed, "tests/clients")
    secret = "the router and nobody else"
    subgraph = {"LAUREL_FEDERATION": "subgraph", "LAUREL_ROUTER_SECRET": secret}
    async with open_shop(tmp_path, PROGRAMME.read_text(encoding="utf-8"), variables=subgraph) as shop:
        member = await shop.enrol("anna")
        await shop.give(member, 100, "to begin")
        tokens = {"service": shop.token(), "member": shop.token(Role.MEMBER, read_id(member)[1])}
        async with served(shop.app) as address:
            place = {"url": f"{address}/graphql", "tokens": tokens, "secret": secret}
            await run_tests(project, "composition.test.mjs", place)


@pytest.mark.timeout(900)
async def test_only_what_the_clients_were_built_with_is_asked_where_documents_are_trusted(tmp_path: Path) -> None:
    project = await asyncio.to_thread(installed, "tests/clients")
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    await run_tests(project, "manifests.test.mjs", {}, LAUREL_MANIFESTS=str(manifests))

    trusted = {"LAUREL_TRUSTED_DOCUMENTS": str(manifests), "LAUREL_TRUSTED_MODE": "require"}
    asked = {}
    async with open_shop(tmp_path, PROGRAMME.read_text(encoding="utf-8"), variables=trusted) as shop:
        headers = {"Authorization": f"Bearer {shop.token()}"}
        for manifest in sorted(manifests.iterdir()):
            for id, text in read_manifests(str(manifest)).items():
                if "member(by: $by)" in text:
                    body = {"documentId": f"sha256:{id}", "variables": {"by": {"externalId": "nobody"}}}
                    asked[manifest.stem] = (await shop.client.post("/graphql", json=body, headers=headers)).json()
        refused = await shop.client.post("/graphql", json={"query": "{ viewer { role } }"}, headers=headers)

    assert {name: answer["data"] for name, answer in asked.items()} == {
        "apollo": {"member": None},
        "codegen": {"member": None},
        "relay": {"member": None},
    }
    assert [error["extensions"]["code"] for error in refused.json()["errors"]] == ["DOCUMENT_NOT_TRUSTED"]


async def test_gql_of_python_asks_subscribes_and_is_told_of_errors(shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {shop.token()}"}
    progress = gql('subscription { memberProgress(by: {externalId: "anna"}) { points { available } } }')
    async with served(shop.app) as address:
        over_http = HTTPXAsyncTransport(f"{address}/graphql", headers=headers)
        async with Client(transport=over_http, fetch_schema_from_transport=True) as session:
            assert await session.execute(gql("{ viewer { role } }")) == {"viewer": {"role": "service"}}
            with pytest.raises(TransportQueryError, match="INVALID_ID"):
                await session.execute(gql('{ node(id: "rubbish") { id } }'))

        socket = WebsocketsTransport(
            f"{address.replace('http', 'ws')}/graphql", init_payload={"authorization": headers["Authorization"]}
        )
        seen = []
        async with Client(transport=socket) as session:
            async for data in session.subscribe(progress):
                seen.append(data["memberProgress"]["points"]["available"])
                if len(seen) == 2:
                    break
                await shop.give(await anna(shop), 4, "while gql watches")
    assert seen == [100, 104]
