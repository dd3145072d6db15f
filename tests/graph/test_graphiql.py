"""The page for operators as it is served, and its recipes."""

import re
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import pytest
from graphql import build_schema, parse, validate

from graph.app import create_app
from graph.graphiql_page import BUILT, STATIC
from graph.settings import Settings
from graph.testing import SECRET, Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.npm import installed

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


async def test_every_role_may_ask_its_recipes(tmp_path: Path) -> None:
    programme = (ROOT / "examples" / "programmes" / "first-shop.yaml").read_text(encoding="utf-8")
    async with open_shop(tmp_path, programme) as shop:
        anna = await shop.enrol("14057")
        transaction = await shop.give(anna, 1000, "to begin")
        for name, recipe in RECIPES.items():
            if recipe.document.lstrip().startswith("subscription"):
                continue  # the browser's test watches it
            for role in recipe.roles:
                document = recipe.document.replace("NEW-KEY", f"{name}:{role}").replace(
                    "the transaction's id", transaction
                )
                member = anna if role == Role.MEMBER else None
                if member:
                    document = document.replace('externalId: "14057"', f'id: "{anna}"')
                answer = await shop.post(document, role=Role(role), member=member)
                assert "errors" not in answer, (name, role, answer)
                refusals = [error["code"] for field in answer["data"].values() if field for error in _refusals(field)]
                assert set(refusals) <= EXPECTED, (name, role, answer)
                if name == "31-freeze":
                    await shop.post(document.replace("FROZEN", "ACTIVE").replace(name, "thaw"), role=Role(role))


EXPECTED: Final = {"EXCEEDS_REVERSIBLE", "INVALID_ID"}
"""What a recipe is refused when another role has done it before, or when it waits for an id to be put in."""


def _refusals(field: object) -> list[dict[str, str]]:
    return field.get("errors", []) if isinstance(field, dict) else []
