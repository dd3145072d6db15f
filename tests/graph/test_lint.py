"""What a schema is refused for, when it is built and not when a client stumbles over it."""

import pytest
import strawberry
from graphql import build_schema as read_schema

from graph.lint import Rule, SchemaInvalid, lint
from graph.schema import build_schema
from graph.settings import Subgraph
from graph.vocabulary import EVERYONE, Connection, Info, Member, Page, paged, query
from plugins.manager import Plugins, load_plugins


@strawberry.type
class Unspoken:
    """A query of a plugin."""

    @query(allow=EVERYONE)
    async def unspoken(self, info: Info, how: str) -> str:
        """Says nothing of its argument."""
        return how


@strawberry.type
class Unpaged:
    """A query of a plugin."""

    @query(allow=EVERYONE)
    async def everybody(self, info: Info) -> Connection[Member]:
        """Gives all there are, or so it says."""
        raise NotImplementedError


@strawberry.type
class Paged:
    """A query of a plugin."""

    @query(allow=EVERYONE)
    @paged
    async def everybody(self, info: Info, page: Page) -> Connection[Member]:
        """Gives a page of them."""
        raise NotImplementedError


def test_a_plugin_is_named_with_what_is_wrong_about_its_part_of_the_schema() -> None:
    plugins = Plugins(queries=(Unspoken, Unpaged), offered_by={"Query.unspoken": "quiet"})

    with pytest.raises(SchemaInvalid) as refused:
        build_schema(plugins)

    assert str(refused.value).splitlines() == [
        "the schema cannot be served:",
        "  Query.unspoken(how:): it has no description (plugin 'quiet')",
        "  Query.everybody: its resolver is not paged, so it has not first, after, last and before (in graph.schema)",
    ]


def test_what_keeps_the_rules_is_served() -> None:
    assert "everybody" in build_schema(Plugins(queries=(Paged,))).as_str()


@pytest.mark.parametrize("subgraph", [None, Subgraph(owns_node=True)])
def test_nothing_is_found_about_our_own(subgraph: Subgraph | None) -> None:
    assert list(lint(build_schema(load_plugins(), subgraph).core)) == []


@pytest.mark.parametrize(
    ("sdl", "rule", "where"),
    [
        ('"A." type snake_type { "A." a: Int }', Rule.NAMED, "snake_type"),
        ('"A." type A { "A." some_field: Int }', Rule.NAMED, "A.some_field"),
        ('"A." enum A { "A." camelCase }', Rule.NAMED, "A.camelCase"),
        ('"A." enum A { B }', Rule.DESCRIBED, "A.B"),
        ('"A." input Order { "A." a: Int }', Rule.NAMED, "Order"),
        ('"A." type A { "A." opening: Instant }', Rule.NAMED, "A.opening"),
        ("type A { a: Int }", Rule.DESCRIBED, "A.a"),
        ('"A." scalar JSON @specifiedBy(url: "https://example.com")', Rule.SCALARS, "JSON"),
        ('"A." scalar Weight', Rule.SCALARS, "Weight"),
        ('"A." type A { "A." a: Int @deprecated(reason: "old") }', Rule.DEPRECATIONS, "A.a"),
        ('"A." type ThingConnection { "A." items: [Int!]! }', Rule.CONNECTIONS, "ThingConnection"),
        ('"A." type Mutation { "A." act("A." a: Int): Int }', Rule.MUTATIONS, "Mutation.act"),
        ('"A." type Mutation { "A." act("A." input: ActInput!): Int }', Rule.MUTATIONS, "Mutation.act"),
        ('"A." type Mutation { "A." act("A." input: ActInput!): ActPayload }', Rule.MUTATIONS, "ActPayload"),
        ('"A." type Mutation { "A." pay("A." input: PayInput!): PayPayload }', Rule.MUTATIONS, "PayInput"),
    ],
)
def test_each_rule_finds_what_breaks_it(sdl: str, rule: Rule, where: str) -> None:
    rest = """
    "A." scalar Instant @specifiedBy(url: "https://example.com")
    "A." input ActInput { "A." a: Int }
    "A." type ActPayload { "A." a: Int }
    "A." input PayInput { "A." a: Int }
    "A." interface UserError { "A." message: String! }
    "A." type PayPayload { "A." transaction: Int "A." errors: [UserError!]! }
    "A." type Query { "A." a: Int }
    """

    found = list(lint(read_schema(rest + sdl)))

    assert (rule, where) in [finding[:2] for finding in found]


def test_a_deprecation_says_what_to_use_and_until_when() -> None:
    sdl = '"A." type Query { "A." a: Int @deprecated(reason: "Use b. Removal: 2027-05-24") }'

    assert list(lint(read_schema(sdl))) == []
