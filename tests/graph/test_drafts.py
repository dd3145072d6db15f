"""Drafts of the programme over the API: begun, changed, published, discarded; alone and with a second person."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.ids import global_id
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.graph.test_programme import DOCUMENT, VERSIONS

DRAFT = """id title document basedOn revision state author editedBy version endedBy
  proposal { proposedBy reason startsAt }
  problems { path message line column }
  programme { code name currency tiers { code rank } }"""
ERRORS = """errors { __typename code message path
  ... on DraftChanged { revision changedBy changedAt } ... on DraftEnded { state }
  ... on DraftOutdated { draftBasedOn newestVersion newestBy newestReason }
  ... on StartTaken { version startsAt publishedBy publishedReason } }"""
ALL = "{ programmeDrafts { totalCount nodes { id revision state document } } }"


async def do(shop: Shop, mutation: str, role: Role = Role.OPERATOR, /, **input: Any) -> Any:
    """The payload of a mutation of drafts."""
    name = mutation[0].upper() + mutation[1:]
    more = "programme { version startsAt name publication { author reason } }" if "ublish" in name else ""
    more += "programme { version name publication { author } }" if name.startswith("Approve") else ""
    text = f"mutation ($input: {name}Input!) {{ {mutation}(input: $input) {{ {more} draft {{ {DRAFT} }} {ERRORS} }} }}"
    return (await shop.ask(text, {"input": input}, role=role))[mutation]


async def begin(shop: Shop, **input: Any) -> Any:
    payload = await do(shop, "createProgrammeDraft", **({"title": "A new ladder"} | input))
    assert payload["errors"] == []
    return payload["draft"]


async def everything(shop: Shop) -> Any:
    """All that a refused request must leave as it was."""
    return await shop.ask(ALL, role=Role.OPERATOR), await shop.ask(VERSIONS)


def codes(payload: Any) -> list[str]:
    return [error["code"] for error in payload["errors"]]


async def test_a_draft_is_begun_changed_and_published(every_shop: Shop) -> None:
    begun = await begin(every_shop)
    broken = await do(
        every_shop, "replaceProgrammeDraft", draft=begun["id"], revision=1, document="id: x\ncurency: CNY\n  oops: ["
    )
    mended = await do(
        every_shop, "replaceProgrammeDraft", draft=begun["id"], revision=2, document=DOCUMENT, title="Bronze"
    )
    before = await every_shop.ask(VERSIONS)
    done = await do(every_shop, "publishProgrammeDraft", draft=begun["id"], revision=3, reason="a new ladder")

    assert (begun["basedOn"], begun["revision"], begun["state"], begun["problems"]) == (1, 1, "OPEN", [])
    assert begun["author"] == begun["editedBy"] == "operator:a operator"
    assert broken["errors"] == []
    assert broken["draft"]["programme"] is None
    assert [(one["line"], one["column"]) for one in broken["draft"]["problems"]] == [(3, 7)]
    assert "not YAML" in broken["draft"]["problems"][0]["message"]
    assert (mended["draft"]["title"], mended["draft"]["problems"]) == ("Bronze", [])
    assert mended["draft"]["programme"] == {
        "code": "corner-shop",
        "name": "corner-shop",
        "currency": "CNY",
        "tiers": [{"code": "regular", "rank": 1}, {"code": "bronze", "rank": 2}],
    }
    assert before["programme"] == {"version": 1}
    assert done["errors"] == []
    assert done["programme"]["version"] == done["draft"]["version"] == 2
    assert done["programme"]["publication"] == {"author": "operator:a operator", "reason": "a new ladder"}
    assert (done["draft"]["state"], done["draft"]["endedBy"]) == ("PUBLISHED", "operator:a operator")
    assert (await every_shop.ask(VERSIONS))["programme"] == {"version": 2}


async def test_a_draft_begins_from_any_version_or_from_a_document(shop: Shop) -> None:
    await begin_version_two(shop)
    of_first, of_force = await begin(shop, version=1), await begin(shop)
    of_text = await begin(shop, document="nothing yet")

    assert [one["basedOn"] for one in (of_first, of_force, of_text)] == [1, 2, 2]
    assert of_force["document"] == DOCUMENT
    assert of_text["document"] == "nothing yet"
    assert [one["message"] for one in of_text["problems"]] == ["a programme is a mapping of keys to values"]


async def begin_version_two(shop: Shop) -> None:
    draft = await begin(shop, document=DOCUMENT)
    done = await do(shop, "publishProgrammeDraft", draft=draft["id"], revision=1, reason="the second")
    assert done["errors"] == []


async def test_who_changes_what_somebody_else_has_changed_meanwhile_is_told_by_whom(every_shop: Shop) -> None:
    draft = (await begin(every_shop))["id"]
    await do(every_shop, "replaceProgrammeDraft", Role.ADMIN, draft=draft, revision=1, document="hers")
    before = await everything(every_shop)

    payloads = [
        await do(every_shop, "replaceProgrammeDraft", draft=draft, revision=1, document="his"),
        await do(every_shop, "publishProgrammeDraft", draft=draft, revision=1, reason="as I saw it"),
        await do(every_shop, "proposeProgrammeDraft", draft=draft, revision=1, reason="as I saw it"),
        await do(every_shop, "discardProgrammeDraft", draft=draft, revision=1, reason="not needed"),
        await do(every_shop, "approveProgrammeDraft", draft=draft, revision=1),
    ]

    for payload in payloads:
        (error,) = payload["errors"]
        assert payload["draft"] is None
        assert (error["code"], error["revision"], error["changedBy"], error["changedAt"]) == (
            "DRAFT_CHANGED",
            2,
            "admin:a admin",
            "2026-06-01T12:00:00Z",
        )
    assert await everything(every_shop) == before


async def test_of_many_who_change_one_revision_one_does(every_shop: Shop) -> None:
    draft = (await begin(every_shop))["id"]

    payloads = await asyncio.gather(
        *(
            do(every_shop, "replaceProgrammeDraft", draft=draft, revision=1, document=f"id: number-{number}")
            for number in range(8)
        )
    )

    (kept,) = [payload["draft"]["document"] for payload in payloads if payload["draft"]]
    assert sorted(code for payload in payloads for code in codes(payload)) == ["DRAFT_CHANGED"] * 7
    (node,) = (await every_shop.ask(ALL, role=Role.OPERATOR))["programmeDrafts"]["nodes"]
    assert (node["document"], node["revision"]) == (kept, 2)


async def test_of_many_who_publish_one_draft_one_does(every_shop: Shop) -> None:
    draft = (await begin(every_shop, document=DOCUMENT))["id"]

    payloads = await asyncio.gather(
        *(do(every_shop, "publishProgrammeDraft", draft=draft, revision=1, reason="at once") for _ in range(6))
    )

    assert [payload["programme"]["version"] for payload in payloads if payload["programme"]] == [2]
    assert {code for payload in payloads for code in codes(payload)} <= {
        "DRAFT_ENDED",
        "DRAFT_CHANGED",
        "DRAFT_OUTDATED",
    }
    assert [one["version"] for one in (await every_shop.ask(VERSIONS))["programmeVersions"]] == [1, 2]


async def test_a_draft_that_ended_is_not_changed_any_more(shop: Shop) -> None:
    draft = (await begin(shop))["id"]
    ended = await do(shop, "discardProgrammeDraft", draft=draft, revision=1, reason="not needed")
    before = await everything(shop)

    refused = [
        await do(shop, "replaceProgrammeDraft", draft=draft, revision=2, document="x"),
        await do(shop, "publishProgrammeDraft", draft=draft, revision=2, reason="after all"),
        await do(shop, "proposeProgrammeDraft", draft=draft, revision=2, reason="after all"),
        await do(shop, "discardProgrammeDraft", draft=draft, revision=2, reason="once more"),
    ]

    assert (ended["draft"]["state"], ended["draft"]["endedBy"]) == ("DISCARDED", "operator:a operator")
    assert [(codes(one), one["errors"][0]["state"]) for one in refused] == [(["DRAFT_ENDED"], "discarded")] * 4
    assert await everything(shop) == before


async def test_a_draft_of_what_is_no_longer_the_newest_is_published_by_who_has_seen_the_newest(shop: Shop) -> None:
    draft = (await begin(shop))["id"]
    await begin_version_two(shop)
    asked = {"draft": draft, "revision": 1, "reason": "as it was"}

    blind = await do(shop, "publishProgrammeDraft", **asked)
    wrong = await do(shop, "publishProgrammeDraft", **asked, basedOn=7)
    seen = await do(shop, "publishProgrammeDraft", **asked, basedOn=2)

    (error,) = blind["errors"]
    assert {key: error[key] for key in ("code", "draftBasedOn", "newestVersion", "newestBy", "newestReason")} == {
        "code": "DRAFT_OUTDATED",
        "draftBasedOn": 1,
        "newestVersion": 2,
        "newestBy": "operator:a operator",
        "newestReason": "the second",
    }
    assert codes(wrong) == ["DRAFT_OUTDATED"]
    assert (seen["errors"], seen["programme"]["version"]) == ([], 3)


async def test_no_two_versions_begin_at_one_instant(every_shop: Shop) -> None:
    start = "2026-07-01T00:00:00+08:00"
    first, second = await begin(every_shop, document=DOCUMENT), await begin(every_shop, document=DOCUMENT)
    await do(every_shop, "publishProgrammeDraft", draft=first["id"], revision=1, reason="the summer", startsAt=start)
    before = await everything(every_shop)

    asked = {"draft": second["id"], "revision": 1, "reason": "the summer, too", "basedOn": 2}
    refused = await do(every_shop, "publishProgrammeDraft", **asked, startsAt=start)

    (error,) = refused["errors"]
    assert {key: error[key] for key in ("code", "version", "startsAt", "publishedBy", "publishedReason")} == {
        "code": "START_TAKEN",
        "version": 2,
        "startsAt": "2026-06-30T16:00:00Z",
        "publishedBy": "operator:a operator",
        "publishedReason": "the summer",
    }
    assert await everything(every_shop) == before
    accepted = await do(every_shop, "publishProgrammeDraft", **asked, startsAt="2026-07-01T00:00:01+08:00")
    assert accepted["errors"] == []


@pytest.mark.parametrize(
    ("mutation", "input", "code", "path"),
    [
        ("createProgrammeDraft", {"title": " "}, "INVALID_VALUE", ["title"]),
        ("createProgrammeDraft", {"title": "x" * 201}, "INVALID_VALUE", ["title"]),
        ("createProgrammeDraft", {"title": "x", "version": 9}, "VERSION_NOT_FOUND", None),
        ("createProgrammeDraft", {"title": "x", "version": -1}, "VERSION_NOT_FOUND", None),
        ("createProgrammeDraft", {"title": "x", "version": 1, "document": "x"}, "INVALID_VALUE", ["document"]),
        ("createProgrammeDraft", {"title": "x", "document": "a\0b"}, "INVALID_VALUE", ["document"]),
        ("createProgrammeDraft", {"title": "x", "document": "a" * 300_000}, "INVALID_VALUE", ["document"]),
        ("replaceProgrammeDraft", {"revision": 1, "document": "茶" * 100_000}, "INVALID_VALUE", ["document"]),
        ("replaceProgrammeDraft", {"revision": 1, "document": "x", "title": ""}, "INVALID_VALUE", ["title"]),
        ("replaceProgrammeDraft", {"revision": 1, "document": "", "draft": "x"}, "INVALID_ID", None),
        (
            "replaceProgrammeDraft",
            {"revision": 1, "document": "", "draft": global_id("ProgrammeDraft", "x")},
            "DRAFT_NOT_FOUND",
            None,
        ),
        ("replaceProgrammeDraft", {"revision": 0, "document": "x"}, "DRAFT_CHANGED", None),
        ("publishProgrammeDraft", {"revision": 1, "reason": "x"}, "INVALID_VALUE", ["reason"]),
        ("publishProgrammeDraft", {"revision": 1, "reason": "for\0ever"}, "INVALID_VALUE", ["reason"]),
        (
            "publishProgrammeDraft",
            {"revision": 1, "reason": "last year", "startsAt": "2025-06-01T00:00:00Z"},
            "INVALID_INSTANT",
            None,
        ),
        (
            "publishProgrammeDraft",
            {"revision": 1, "reason": "at the end of time", "startsAt": "9999-12-31T23:59:59Z"},
            "INVALID_INSTANT",
            None,
        ),
        (
            "proposeProgrammeDraft",
            {"revision": 1, "reason": "at the end of time", "startsAt": "9999-12-31T23:59:59Z"},
            "INVALID_INSTANT",
            None,
        ),
        ("proposeProgrammeDraft", {"revision": 1, "reason": "x"}, "INVALID_VALUE", ["reason"]),
        (
            "proposeProgrammeDraft",
            {"revision": 1, "reason": "last year", "startsAt": "2025-06-01T00:00:00Z"},
            "INVALID_INSTANT",
            None,
        ),
        ("approveProgrammeDraft", {"revision": 1}, "DRAFT_NOT_PROPOSED", None),
    ],
)
async def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    shop: Shop, mutation: str, input: dict[str, Any], code: str, path: list[str] | None
) -> None:
    draft = (await begin(shop))["id"]
    before = await everything(shop)
    if mutation != "createProgrammeDraft":
        input = {"draft": draft} | input

    payload = await do(shop, mutation, **input)

    assert [(error["code"], error["path"]) for error in payload["errors"]] == [(code, path)]
    assert await everything(shop) == before


async def test_a_draft_with_problems_is_neither_published_nor_proposed(shop: Shop) -> None:
    draft = (await begin(shop, document="id: x\ncurrencyy: CNY\n"))["id"]
    before = await everything(shop)

    for mutation in ("publishProgrammeDraft", "proposeProgrammeDraft"):
        payload = await do(shop, mutation, draft=draft, revision=1, reason="it must go")
        assert codes(payload) == ["PROGRAMME_INVALID"]
        assert "unknown key 'currencyy', did you mean 'currency'?" in payload["errors"][0]["message"]
    assert await everything(shop) == before


async def test_drafts_are_listed_by_state_the_newest_first_and_found_by_id(shop: Shop) -> None:
    first, second = await begin(shop, title="first"), await begin(shop, title="second")
    await do(shop, "discardProgrammeDraft", draft=first["id"], revision=1, reason="not needed")
    text = """query ($id: ID!) { open: programmeDrafts(state: OPEN) { nodes { title } }
      all: programmeDrafts { nodes { title } } programmeDraft(id: $id) { title } node(id: $id) { id } }"""

    seen = await shop.ask(text, {"id": first["id"]}, role=Role.ANALYST)
    by_service = await shop.ask("query ($id: ID!) { node(id: $id) { id } }", {"id": second["id"]}, role=Role.SERVICE)

    assert [node["title"] for node in seen["all"]["nodes"]] == ["second", "first"]
    assert [node["title"] for node in seen["open"]["nodes"]] == ["second"]
    assert (seen["programmeDraft"]["title"], seen["node"]) == ("first", {"id": first["id"]})
    assert by_service == {"node": None}


# -- two people ----------------------------------------------------------------------------------------


@pytest.fixture
async def careful(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop in which nobody publishes alone."""
    variables = {"LAUREL_PUBLISH_BY_TWO": "yes"}
    async with open_shop(tmp_path, DOCUMENT, plugins=Plugins(), variables=variables) as shop:
        yield shop


async def test_where_nobody_publishes_alone_another_approves_the_very_revision_that_was_proposed(careful: Shop) -> None:
    draft = (await begin(careful, document=DOCUMENT.replace("10", "20")))["id"]
    alone = await do(careful, "publishProgrammeDraft", draft=draft, revision=1, reason="just me")
    whole = await careful.ask(
        'mutation ($d: String!) { publishProgramme(input: {document: $d, reason: "just me"}) '
        "{ programme { version } errors { code message } } }",
        {"d": DOCUMENT},
        role=Role.OPERATOR,
    )
    proposed = await do(careful, "proposeProgrammeDraft", draft=draft, revision=1, reason="twenty is enough")
    by_oneself = await do(careful, "approveProgrammeDraft", draft=draft, revision=2)
    changed = await do(careful, "replaceProgrammeDraft", draft=draft, revision=2, document=DOCUMENT)
    too_late = await do(careful, "approveProgrammeDraft", Role.ADMIN, draft=draft, revision=2)
    unproposed = await do(careful, "approveProgrammeDraft", Role.ADMIN, draft=draft, revision=3)
    await do(careful, "proposeProgrammeDraft", draft=draft, revision=3, reason="ten after all")
    before = await careful.ask(VERSIONS)
    approved = await do(careful, "approveProgrammeDraft", Role.ADMIN, draft=draft, revision=4)

    assert codes(alone) == [error["code"] for error in whole["publishProgramme"]["errors"]] == ["SECOND_PERSON_NEEDED"]
    assert "proposeProgrammeDraft" in alone["errors"][0]["message"]
    assert proposed["draft"]["state"] == "PROPOSED"
    assert proposed["draft"]["proposal"] == {
        "proposedBy": "operator:a operator",
        "reason": "twenty is enough",
        "startsAt": None,
    }
    assert codes(by_oneself) == ["APPROVER_IS_EDITOR"]
    assert (changed["draft"]["state"], changed["draft"]["proposal"]) == ("OPEN", None)
    assert (codes(too_late), codes(unproposed)) == (["DRAFT_CHANGED"], ["DRAFT_NOT_PROPOSED"])
    assert before["programme"] == {"version": 1}
    assert approved["errors"] == []
    assert (approved["draft"]["state"], approved["draft"]["endedBy"]) == ("PUBLISHED", "admin:a admin")
    assert approved["programme"] == {
        "version": 2,
        "name": "corner-shop",
        "publication": {"author": "operator:a operator"},
    }


async def test_who_has_changed_a_draft_is_no_second_person_even_if_another_proposes_it(careful: Shop) -> None:
    draft = (await begin(careful))["id"]
    await do(careful, "replaceProgrammeDraft", Role.ADMIN, draft=draft, revision=1, document=DOCUMENT)
    await do(careful, "proposeProgrammeDraft", draft=draft, revision=2, reason="we agree")

    for role in (Role.ADMIN, Role.OPERATOR):
        assert codes(await do(careful, "approveProgrammeDraft", role, draft=draft, revision=3)) == [
            "APPROVER_IS_EDITOR"
        ]
    assert (await careful.ask(VERSIONS))["programme"] == {"version": 1}


async def test_what_was_to_begin_before_it_was_approved_is_proposed_anew(careful: Shop) -> None:
    draft = (await begin(careful, document=DOCUMENT))["id"]
    await do(
        careful,
        "proposeProgrammeDraft",
        draft=draft,
        revision=1,
        reason="from tomorrow",
        startsAt="2026-06-02T00:00:00+08:00",
    )
    careful.clock.advance(timedelta(days=1))

    refused = await do(careful, "approveProgrammeDraft", Role.ADMIN, draft=draft, revision=2)

    assert codes(refused) == ["INVALID_INSTANT"]
    assert (await careful.ask(VERSIONS))["programme"] == {"version": 1}


KEY = """mutation ($name: String!) { createApiKey(input: {name: $name, role: OPERATOR}) { secret errors { code } } }"""
PROPOSE = """mutation ($draft: ID!) { proposeProgrammeDraft(input: {draft: $draft, revision: 1, reason: "by key"}) {
  draft { state } errors { code } } }"""
APPROVE = """mutation ($draft: ID!) { approveProgrammeDraft(input: {draft: $draft, revision: 2}) {
  programme { version } errors { code } } }"""


@pytest.mark.parametrize("proposes_by_key", [True, False])
@pytest.mark.parametrize("approves_by_key", [True, False])
async def test_an_api_key_is_no_second_person_beside_who_made_it(
    careful: Shop, proposes_by_key: bool, approves_by_key: bool
) -> None:
    draft = (await begin(careful, document=DOCUMENT.replace("10", "20")))["id"]  # by an operator

    async def by(name: str | None, mutation: str) -> Any:
        token = careful.token(Role.ADMIN)
        if name is not None:
            token = (await careful.ask(KEY, {"name": name}, role=Role.ADMIN))["createApiKey"]["secret"]
        answer = await careful.client.post(
            "/graphql",
            json={"query": mutation, "variables": {"draft": draft}},
            headers={"Authorization": f"Bearer {token}"},
        )
        return next(iter(answer.json()["data"].values()))

    proposed = await by("one" if proposes_by_key else None, PROPOSE)
    approved = await by("another" if approves_by_key else None, APPROVE)

    assert proposed == {"draft": {"state": "PROPOSED"}, "errors": []}
    assert approved == {"programme": None, "errors": [{"code": "APPROVER_IS_EDITOR"}]}
    assert (await careful.ask(VERSIONS))["programme"] == {"version": 1}
