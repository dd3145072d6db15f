import json
from collections.abc import AsyncIterator, Mapping
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

import pytest

from graph.built_page import DOCUMENTS, STATIC
from graph.limits.bounds import Bounds
from graph.limits.checks import Limits
from graph.schema import build_schema
from graph.settings import Settings, SettingsInvalid
from graph.testing import Shop, open_shop
from graph.transport import documents
from graph.transport.documents import Documents
from graph.transport.failures import RequestFailed
from graph.transport.trusted import read_manifests
from plugins.manager import Plugins

ROLE = "query Role { viewer { role } }"
NAME = "query Name { __typename }"
OTHER = "{ other: __typename }"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def apq(text: str, **members: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}, **members}


async def answered(shop: Shop, **body: Any) -> Any:
    """The data of the answer, or the code of its error."""
    response = await shop.client.post("/graphql", json=body)
    answer = response.json()
    return answer.get("data") or answer["errors"][0]["extensions"]["code"]


# -- documents that clients send --------------------------------------------------------------------


async def test_a_document_is_known_by_its_hash_once_its_text_was_sent(shop: Shop) -> None:
    name = {"__typename": "Query"}

    assert await answered(shop, **apq(NAME)) == "PERSISTED_QUERY_NOT_FOUND"
    assert await answered(shop, **apq(NAME, query=NAME)) == name
    assert await answered(shop, **apq(NAME)) == name
    assert await answered(shop, documentId=f"sha256:{digest(NAME)}") == name
    params = {"extensions": json.dumps(apq(NAME)["extensions"])}
    assert (await shop.client.get("/graphql", params=params)).json() == {"data": name}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (apq(NAME, query=OTHER), "PERSISTED_QUERY_HASH_MISMATCH"),
        ({"documentId": "unknown"}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"documentId": f"sha256:{digest('{ unknown }')}"}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"documentId": 1}, "INVALID_PARAMETERS"),
        ({"extensions": {"persistedQuery": 1}}, "INVALID_PARAMETERS"),
        ({"extensions": {"persistedQuery": {"version": 2, "sha256Hash": digest(NAME)}}}, "INVALID_PARAMETERS"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 1}}}, "INVALID_PARAMETERS"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": ""}}, "query": NAME}, "INVALID_PARAMETERS"),
    ],
)
async def test_what_names_no_document_has_a_code(shop: Shop, body: dict[str, Any], code: str) -> None:
    assert await answered(shop, **body) == code


async def test_a_document_that_cannot_be_executed_is_not_kept(shop: Shop) -> None:
    broken = "{ nobody }"

    assert await answered(shop, **apq(broken, query=broken)) == "GRAPHQL_VALIDATION_FAILED"
    assert await answered(shop, **apq(broken)) == "PERSISTED_QUERY_NOT_FOUND"


def test_rubbish_pushes_out_no_document_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "KEPT_MAX", 3)
    schema = build_schema(Plugins())
    kept = Documents(schema, Limits(schema.prices, Bounds()))
    once, used = kept.read("{ once: __typename }"), [kept.read(NAME), kept.read(NAME)]

    for number in range(20):
        kept.read(f"{{ a{number}: __typename }}")
        with pytest.raises(RequestFailed):
            kept.read(f"{{ nobody{number} }}")

    assert kept.read(NAME) is used[0] is used[1]
    assert kept.read("{ once: __typename }") is not once
    assert len(kept._by_digest) == 4


def test_long_documents_are_bounded_by_their_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_CHARACTERS_MAX", 1_000)
    schema = build_schema(Plugins())
    kept = Documents(schema, Limits(schema.prices, Bounds()))

    for number in range(10):
        kept.read(f"{{ a{number}: __typename }} #" + "x" * 400)

    assert len(kept._by_digest) == 2


# -- documents that are trusted ---------------------------------------------------------------------

APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": digest(ROLE), "name": "Role", "type": "query", "body": ROLE}],
}
MANIFESTS: Mapping[str, Any] = {
    "apollo": APOLLO,
    "relay": {"5f2a0c9b8d7e6f5a4b3c2d1e0f9a8b7c": ROLE},
    "codegen": {sha1(ROLE.encode()).hexdigest(): ROLE},  # it is what graphql-codegen names documents by
    "prefixed": {f"sha256:{digest(ROLE)}": ROLE},
}


@pytest.mark.parametrize("form", MANIFESTS)
def test_manifests_of_the_tools_are_read(tmp_path: Path, form: str) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFESTS[form]))

    texts = read_manifests(str(tmp_path / "manifest.json"))

    assert list(texts.values()) == [ROLE]
    assert read_manifests(str(tmp_path)) == texts


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "no manifest"),
        ("{}", "no document"),
        ('{"a": 1}', "an id and a text"),
        ('{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}', "version 2"),
        ('{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [1]}', "an id and a text"),
        (json.dumps({digest(NAME): ROLE}), "is not the SHA-256 of its document"),
        (json.dumps({f"sha256:{digest(NAME)}": ROLE}), "is not the SHA-256 of its document"),
    ],
)
def test_a_manifest_that_cannot_be_meant_is_an_error_at_the_start(tmp_path: Path, manifest: str, said: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)

    with pytest.raises(SettingsInvalid, match=said):
        read_manifests(str(tmp_path / "manifest.json"))


def test_an_id_stands_for_one_document_in_all_manifests(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps({"role": ROLE}))
    (tmp_path / "two.json").write_text(json.dumps({"role": NAME}))

    with pytest.raises(SettingsInvalid, match="stands for two documents"):
        read_manifests(str(tmp_path))


def test_documents_are_trusted_where_a_manifest_is_named_and_required_where_that_is_said() -> None:
    named = {"LAUREL_TRUSTED_DOCUMENTS": "manifest.json"}

    assert Settings.from_environment({}).trusted_mode == "off"
    assert Settings.from_environment(named).trusted_mode == "allow"
    assert Settings.from_environment(named | {"LAUREL_TRUSTED_MODE": "require"}).trusted_mode == "require"
    with pytest.raises(SettingsInvalid):
        Settings.from_environment({"LAUREL_TRUSTED_MODE": "require"})


@pytest.fixture(params=["allow", "require"])
async def trusting(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Shop, str]]:
    (tmp_path / "manifest.json").write_text(
        json.dumps(APOLLO | {"operations": [{"id": digest(NAME), "body": NAME}, {"id": "newer", "body": "{ notYet }"}]})
    )
    variables = {
        "LAUREL_TRUSTED_DOCUMENTS": str(tmp_path / "manifest.json"),
        "LAUREL_TRUSTED_MODE": request.param,
    }
    async with open_shop(tmp_path, None, plugins=Plugins(), variables=variables) as shop:
        yield shop, request.param


def asked_by(page: str) -> Mapping[str, str]:
    """What a page asks, by its hash."""
    manifest: Mapping[str, str] = json.loads((STATIC / page / DOCUMENTS).read_bytes())
    assert len(manifest) > 8
    return manifest


async def test_what_the_pages_of_the_server_ask_is_trusted(trusting: tuple[Shop, str]) -> None:
    """Where a plugin is left out it is refused as anywhere: the page doesn't show the part."""
    shop, _ = trusting
    refused = {"PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED"}
    for id, text in {**asked_by("dashboard"), **asked_by("centre")}.items():
        by_text, by_id = await answered(shop, query=text), await answered(shop, documentId=f"sha256:{id}")
        assert by_text == by_id
        assert not isinstance(by_text, str) or by_text not in refused


async def test_what_a_page_asks_that_is_not_given_out_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"name": NAME}))
    variables = {
        "LAUREL_TRUSTED_DOCUMENTS": str(tmp_path / "manifest.json"),
        "LAUREL_TRUSTED_MODE": "require",
        "LAUREL_CENTRE": "no",
    }
    async with open_shop(tmp_path, None, plugins=Plugins(), variables=variables) as shop:
        centre = [await answered(shop, query=text) for text in asked_by("centre").values()]
        dashboard = [await answered(shop, query=text) for text in asked_by("dashboard").values()]

    assert set(centre) == {"DOCUMENT_NOT_TRUSTED"}
    assert "DOCUMENT_NOT_TRUSTED" not in dashboard


async def test_trusted_documents_are_executed_and_others_where_they_are_allowed(trusting: tuple[Shop, str]) -> None:
    shop, mode = trusting
    name, allowed = {"__typename": "Query"}, mode == "allow"

    assert await answered(shop, documentId=digest(NAME)) == name
    assert await answered(shop, documentId=f"sha256:{digest(NAME)}") == name
    assert await answered(shop, **apq(NAME)) == name
    assert await answered(shop, query=NAME) == name
    assert await answered(shop, documentId="newer") == "GRAPHQL_VALIDATION_FAILED"
    assert await answered(shop, documentId="unknown") == "PERSISTED_QUERY_NOT_FOUND"
    assert await answered(shop, query=OTHER) == ({"other": "Query"} if allowed else "DOCUMENT_NOT_TRUSTED")
    sent = await answered(shop, **apq(OTHER, query=OTHER))
    assert sent == ({"other": "Query"} if allowed else "PERSISTED_QUERY_NOT_SUPPORTED")
