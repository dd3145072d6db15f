"""The page for operators as it is served, and its recipes."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import pytest
from graphql import FieldNode, OperationDefinitionNode, build_schema, parse, validate

from graph.access import access_of
from graph.app import create_app
from graph.built_page import STATIC
from graph.graphiql_page import BUILT
from graph.laurel import tables
from graph.permissions import AUDITED
from graph.settings import Settings
from graph.testing import SECRET, Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.databases import SqliteFolder
from tests.graph.story import CONTENT, Story
from tests.graph.test_schemathesis import BEGINNING, LIFTED, PLUGINS, PROGRAMME, SCHEMA, begin
from tests.npm import installed
from tests.plugins.receiver import receiving

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ROOT / "graph" / "graphiql"
REGISTRIES: Final = re.compile(rb"https?://[^\s\"'`]*(npmjs|yarnpkg|unpkg|jsdelivr|cdnjs|esm\.sh)")


class Recipe(NamedTuple):
    """A recipe as the page reads it: see graph/graphiql/recipes.jsx."""

    title: str
    roles: tuple[str, ...]
    description: str
    document: str


def _read(text: str) -> Recipe:
    title, roles, *rest = text.splitlines()
    end = next(at for at, line in enumerate(rest) if not line.startswith("#"))
    description = " ".join(line.removeprefix("# ") for line in rest[:end])
    assert title.startswith("# ")
    assert roles.startswith("# roles: ")
    document = "\n".join(rest[end:])
    return Recipe(title.removeprefix("# "), tuple(roles.removeprefix("# roles: ").split(", ")), description, document)


RECIPES: Final = {
    file.stem: _read(file.read_text(encoding="utf-8")) for file in sorted(SOURCES.glob("recipes/*.graphql"))
}


async def test_the_page_and_its_files_are_ours(shop: Shop) -> None:
    page = await shop.client.get("/graphiql")
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert files == ["data:,", "graphiql/page.css", "graphiql/page.js"]
    for file in (*files[1:], "graphiql/graphql.worker.js"):
        answer = await shop.client.get(f"/{file}")
        assert (answer.status_code, answer.headers["content-encoding"]) == (200, "gzip")


async def test_no_other_host_is_needed_nor_allowed(shop: Shop) -> None:
    policy = (await shop.client.get("/graphiql")).headers["content-security-policy"]

    assert "://" not in policy
    assert "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self';" in policy
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize("file", sorted(STATIC.rglob("*.*")), ids=lambda file: file.name)
def test_what_is_served_names_no_place_that_code_is_fetched_from(file: Path) -> None:
    assert REGISTRIES.search(file.read_bytes()) is None
    assert file.stat().st_size < 3_000_000


async def test_the_page_knows_whether_the_programme_is_live(shop: Shop) -> None:
    live = create_app(Settings(secret=SECRET, graphiql=True), plugins=Plugins())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(live), base_url="http://shop.example") as client:
        assert '<meta name="laurel-live" content="yes" />' in (await client.get("/graphiql")).text
    assert '<meta name="laurel-live" content="no" />' in (await shop.client.get("/graphiql")).text


@pytest.mark.timeout(300)
def test_what_is_served_is_what_the_sources_give(tmp_path: Path) -> None:
    subprocess.run(["node", "build.mjs", tmp_path], cwd=installed("graph/graphiql"), check=True)

    built = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    served = {file.name: file.read_bytes() for file in BUILT.iterdir()}
    assert sorted(built) == sorted(served), "make graphiql builds it anew"
    assert [name for name in built if built[name] != served[name]] == []


async def test_the_page_can_be_switched_off() -> None:
    app = create_app(Settings(secret=SECRET, graphiql=False), plugins=Plugins())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.example") as client:
        assert (await client.get("/graphiql")).status_code == 404
        assert (await client.get("/graphiql/page.js")).status_code == 404


def test_every_recipe_is_in_the_page_that_was_built() -> None:
    built = "".join(file.read_text(encoding="utf-8") for file in BUILT.glob("*.js"))
    # A description of several lines is put together when it is shown.
    built = built.replace("\n# ", " ").replace("\\n# ", " ")
    for recipe in RECIPES.values():
        assert recipe.title in built
        assert recipe.description.replace('"', '\\"') in built or recipe.description in built


def test_every_role_has_recipes_to_begin_with() -> None:
    for role in Role:
        assert len([recipe for recipe in RECIPES.values() if role in recipe.roles]) >= 3, role
    assert {role for recipe in RECIPES.values() for role in recipe.roles} == set(Role)


def test_every_recipe_fits_the_schema() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
    for name, recipe in RECIPES.items():
        assert validate(schema, parse(recipe.document)) == [], name


async def test_every_recipe_does_what_it_says(sqlite_folder: SqliteFolder) -> None:
    """Each is asked by each of its roles in a shop that has some of everything; the first of them has success."""
    url = sqlite_folder.migrated(tables(PLUGINS))
    async with open_shop(url, BEGINNING, plugins=PLUGINS, variables=LIFTED, sandbox=True) as shop:
        begun = await begin(shop)
        somebody, texts = await _prepare(begun)
        refused: list[tuple[str, Any]] = []
        # The clock is moved last: on the way all becomes due that other recipes are about, such as an auction's end.
        for name, recipe in sorted(RECIPES.items(), key=lambda named: named[0] == "47-advance-the-clock"):
            if recipe.document.lstrip().startswith("subscription"):
                continue  # the browser's test watches it
            if "draft's id" in recipe.document:
                texts.update(await _drafts(begun))
            document = re.sub(r'"([^"\n]*)"', lambda said: f'"{texts.get(said[1], said[1])}"', recipe.document)
            for number, role in enumerate(recipe.roles):
                member = somebody if role == Role.MEMBER else None
                asked = document.replace("NEW-KEY", f"{name}:{role}")
                if name == "41-roll-back":
                    asked = asked.replace("version: 1,", f"version: {await _former(begun)},")
                if member:
                    asked = asked.replace('externalId: "14057"', f'id: "{member}"')
                answer = await shop.post(asked, role=Role(role), member=member)
                assert "errors" not in answer, (name, role, answer)
                if name == "41-simulate-1-begin" and number == 0:
                    texts["the simulation's id"] = answer["data"]["simulateProgramme"]["simulation"]["id"]
                if name == "31-freeze":
                    await begun.do("changeMemberStatus", member={"externalId": "14057"}, status="ACTIVE")
                elif name == "40-publish":
                    await begun.do("publishProgramme", document=PROGRAMME)
                if number == 0:
                    refused += [(name, error) for field in answer["data"].values() for error in _refusals(field)]
    assert refused == []
    sqlite_folder.done(url)


async def _former(begun: Story) -> int:
    """A version that is not the newest and says the same but for the name, so that going back to it is no harm."""
    former = await begun.do("publishProgramme", document=PROGRAMME, more="programme { version }")
    await begun.do("publishProgramme", document=PROGRAMME.replace("name: Everything", "name: All of it"))
    return int(former["programme"]["version"])


async def _drafts(begun: Story) -> dict[str, str]:
    """Drafts of what is in force, as each recipe needs one that nobody has touched; another person's is proposed."""
    draft = await begun.do("createProgrammeDraft", title="A draft")
    proposed = await begun.do("createProgrammeDraft", by=Role.ADMIN, title="Hers")
    id = proposed["draft"]["id"]
    await begun.do("proposeProgrammeDraft", by=Role.ADMIN, draft=id, revision=1)
    return {"the draft's id": draft["draft"]["id"], "the proposed draft's id": id}


async def _prepare(begun: Story) -> tuple[str, dict[str, str]]:
    """Do what recipes are about: the global id of 14057, and what stands for the texts that a recipe waits for."""
    somebody = {"externalId": "14057"}
    yuan = {"amount": "100.00", "currency": "CNY"}
    for name in ("14057", "14058", "14059", "14061"):
        await begun.do("enrolMember", externalId=name)
        await begun.do("adjustPoints", member={"externalId": name}, points=60_000)
        await begun.do("setTier", member={"externalId": name}, tier="gold", until="2027-01-01T00:00:00Z")
        await begun.do("joinGroup", member={"externalId": name}, group="circle")
        await begun.do("applyAsAmbassador", member={"externalId": name})
    await begun.do("freezeMember", member=somebody, scope="EARNING")
    await begun.do("unfreezeMember", member=somebody)
    await begun.do("recordPurchase", member=somebody, reference="R-1", amount=yuan, idempotencyKey="the request")
    await begun.do("useBenefit", by=Role.ADMIN, member=somebody, benefit="wrapping", reference="R-1")
    await begun.do("placeBid", member=somebody, auction="organ", points=500)
    await begun.do("stakePoints", member=somebody, project="mill", points=200)
    flags = await begun.shop.ask("{ flags(filter: {state: {eq: OPEN}}) { nodes { id } } }", role=Role.OPERATOR)
    texts = {
        "the request's key": "the request",
        "the use's reference": "R-1",
        "guitar": "organ",
        "seats": "piano",
        "roastery": "mill",
        "the flag's id": flags["flags"]["nodes"][0]["id"],
    }
    for number, called in enumerate(("the", "another")):
        transaction = await begun.do("adjustPoints", member=somebody, points=7)
        review = await begun.do("submitReview", member=somebody, reference=f"R {number}", order="R-1", content=CONTENT)
        ticket = await begun.do("openTicket", member=somebody, subject="A question", text="Where are they?")
        order = await begun.do("redeemReward", member=somebody, reward="flask", quantity=1)
        drawn = await begun.do("drawLottery", member=somebody, pool="wheel", count=1)
        notice = await begun.do("publishNotice", title="A till was down", text="Points come late.")
        remedy = await begun.do("compensateMembers", selection={"externalIds": ["14057"]}, points=5)
        key = await begun.do("createApiKey", by=Role.ADMIN, name="till 6", role="SERVICE")
        coupon = await begun.do("issueCoupon", member=somebody, coupon="tenner", more="coupon { code }")
        async with receiving() as receiver:
            endpoint = await begun.do("createWebhookEndpoint", url=receiver.url, events=["tier.changed"])
        texts |= {
            f"{called} transaction's id": transaction["transaction"]["id"],
            f"{called} review's id": review["review"]["id"],
            f"{called} ticket's id": ticket["ticket"]["id"],
            f"{called} reward order's id": order["order"]["id"],
            f"{called} draw's id": drawn["draws"][0]["id"],
            f"{called} notice's id": notice["notice"]["id"],
            f"{called} remedy's id": remedy["remedy"]["id"],
            f"{called} key's id": key["apiKey"]["id"],
            f"{called} coupon's code": coupon["coupon"]["code"],
            f"{called} endpoint's id": endpoint["endpoint"]["id"],
        }
    used = texts["the used coupon's code"] = texts["another coupon's code"]
    await begun.do("useCoupon", by=Role.ADMIN, code=used, order="R-2", amount=yuan, member=somebody)
    begun.shop.clock.advance(timedelta(days=2))
    return (await begun.shop.ask('{ member(by: {externalId: "14057"}) { id } }'))["member"]["id"], texts


WITHOUT_A_RECIPE: Final = {
    "captureCheckout": "the till does it when an order is paid",
    "completeProfileSection": "the app does it",
    "confirmShare": "the app does it",
    "recordPurchases": "the shop's backend sends orders in lists",
}


def test_every_mutation_that_is_operators_work_has_a_recipe() -> None:
    """What members can do themselves is not; an operator who does it for one finds it in the schema."""
    theirs = {
        access.name
        for access in access_of(SCHEMA, PLUGINS.offered_by)
        if access.type_name == "Mutation"
        and (Role.OPERATOR in access.roles or access.roles == {Role.ADMIN})
        and Role.MEMBER not in access.roles
    }
    roots = {
        (str(role), field.name.value)
        for recipe in RECIPES.values()
        for role in recipe.roles
        for operation in parse(recipe.document).definitions
        if isinstance(operation, OperationDefinitionNode)
        for field in operation.selection_set.selections
        if isinstance(field, FieldNode)
    }
    found = {name for role, name in roots if role in AUDITED}

    assert theirs - found - WITHOUT_A_RECIPE.keys() == set(), "graph/graphiql/recipes has nothing for these"
    assert WITHOUT_A_RECIPE.keys() - theirs == set(), "these are gone, or members can do them"
    assert WITHOUT_A_RECIPE.keys() & found == set(), "these have one"


def _refusals(field: object) -> list[dict[str, str]]:
    return field.get("errors", []) if isinstance(field, dict) else []
