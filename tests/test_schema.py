"""The schema as clients see it: the committed print is what the code says, and it keeps the house's promises."""

import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    parse,
    validate,
)

from core.errors import Refusal, fact
from graph import schema as graph_schema
from graph.errors import error_type
from graph.vocabulary import EVERYONE, Info, query
from plugins.manager import Plugins, load_plugins

COMMITTED = Path(__file__).parent.parent / "schema.graphql"


@pytest.fixture(scope="module")
def printed() -> str:
    return graph_schema.print_sdl(load_plugins())


@pytest.fixture(scope="module")
def schema(printed: str) -> GraphQLSchema:
    return build_schema(printed)


def types_of(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    named = schema.type_map.values()
    return [one for one in named if not is_introspection_type(one) and not is_specified_scalar_type(one)]


def fields_of(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField | GraphQLInputField]]:
    for named in types_of(schema):
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, field in named.fields.items():
                yield f"{named.name}.{name}", field


def test_the_committed_schema_is_what_the_code_prints(printed: str) -> None:
    difference = unified_diff(COMMITTED.read_text().splitlines(), printed.splitlines(), "committed", "printed", n=1)
    assert list(difference) == [], "run `python -m graph schema > schema.graphql`"


def test_printing_twice_gives_the_same_text(printed: str) -> None:
    assert graph_schema.print_sdl(load_plugins()) == printed


def test_descriptions_are_sentences(schema: GraphQLSchema) -> None:
    said = {named.name: named.description or "" for named in types_of(schema)}
    said |= {name: field.description or "" for name, field in fields_of(schema)}
    assert [name for name, text in said.items() if not text.endswith((".", "…")) or "``" in text] == []


def test_no_scalar_hides_a_structure(schema: GraphQLSchema) -> None:
    scalars = {named.name for named in types_of(schema) if isinstance(named, GraphQLScalarType)}
    assert scalars == {"CurrencyCode", "Day", "Decimal", "Duration", "Instant", "Points"}


def test_no_input_says_who_the_actor_is(schema: GraphQLSchema) -> None:
    # What an admin gives a key to, what a ticket is about, or what is looked for, is not who asks.
    inputs = [
        named
        for named in types_of(schema)
        if isinstance(named, GraphQLInputObjectType) and not named.name.endswith("Filter")
    ]
    assert {named.name for named in inputs if {"actor", "role", "subject"} & named.fields.keys()} <= {
        "CreateApiKeyInput",
        "OpenTicketInput",
    }


def test_root_fields_are_nullable(schema: GraphQLSchema) -> None:
    for root in (schema.query_type, schema.mutation_type):
        assert root is not None
        assert [name for name, field in root.fields.items() if isinstance(field.type, GraphQLNonNull)] == []


def test_every_root_field_says_for_which_roles_it_is(schema: GraphQLSchema) -> None:
    for root in (schema.query_type, schema.mutation_type):
        assert root is not None
        for name, field in root.fields.items():
            assert re.search(r"\n\nRoles: [a-z, ]+\.", field.description or ""), name


def test_each_refusal_is_a_user_error_with_its_facts(schema: GraphQLSchema) -> None:
    codes = schema.type_map["UserErrorCode"]
    interface = schema.type_map["UserError"]
    assert isinstance(codes, GraphQLEnumType)
    assert isinstance(interface, GraphQLInterfaceType)
    implementations = {named.name for named in schema.get_implementations(interface).objects}
    assert len(implementations) == len(codes.values)
    insufficient = schema.type_map["InsufficientPoints"]
    assert isinstance(insufficient, GraphQLObjectType)
    assert {name: str(field.type) for name, field in insufficient.fields.items()} == {
        "code": "UserErrorCode!",
        "message": "String!",
        "path": "[String!]",
        "unit": "String!",
        "needed": "Points!",
        "available": "Points!",
    }


def test_the_facts_of_all_refusals_can_be_asked_for_in_one_selection(schema: GraphQLSchema) -> None:
    interface = schema.type_map["UserError"]
    assert isinstance(interface, GraphQLInterfaceType)
    asked = []
    for refusal in schema.get_implementations(interface).objects:
        facts = (f"{name} {subfields(field)}" for name, field in refusal.fields.items())
        asked.append(f"... on {refusal.name} {{ {' '.join(facts)} }}")
    document = (
        "mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input)"
        f" {{ errors {{ __typename {' '.join(asked)} }} }} }}"
    )
    assert len(asked) > 30
    assert [error.message for error in validate(schema, parse(document))] == []


def subfields(field: GraphQLField) -> str:
    named = get_named_type(field.type)
    return f"{{ {' '.join(named.fields)} }}" if isinstance(named, GraphQLObjectType) else ""


def test_what_may_be_left_out_has_no_default_of_null(printed: str) -> None:
    assert re.findall(r"\w+: [\w!\[\]]+ = null", printed) == []


def test_every_node_can_be_resolved() -> None:
    built = graph_schema.build_schema(load_plugins())
    assert {"Hold", "Member", "Tier", "Transaction"} <= built.node_types.keys()
    for name, kind in built.node_types.items():
        assert "resolve_node" in vars(kind), name


def test_without_plugins_the_schema_is_the_cores(schema: GraphQLSchema) -> None:
    built = build_schema(graph_schema.print_sdl(Plugins()))
    offered = load_plugins().offered_by
    for bare, full in ((built.query_type, schema.query_type), (built.mutation_type, schema.mutation_type)):
        assert bare is not None
        assert full is not None
        assert bare.fields.keys() == {name for name in full.fields if f"{full.name}.{name}" not in offered}


@strawberry.type
class Greeting:
    """A query of a plugin."""

    @query(allow=EVERYONE)
    async def greeting(self, info: Info) -> str:
        """Says hello."""
        return "hello"


@strawberry.type
class Usurper:
    """A query that is there already."""

    @query(allow=EVERYONE)
    async def viewer(self, info: Info) -> str:
        """Says who asks, in another way."""
        return "nobody"


@pytest.mark.parametrize(("queries", "name"), [((Usurper,), "viewer"), ((Greeting, Greeting), "greeting")])
def test_two_offers_of_one_field_are_an_error(queries: tuple[type, ...], name: str) -> None:
    with pytest.raises(TypeError, match=f"Query: {name} is offered twice"):
        graph_schema.build_schema(Plugins(queries=queries))


def test_schemas_of_one_process_share_no_fields() -> None:
    with_greeting = graph_schema.print_sdl(Plugins(queries=(Greeting,)))
    without = graph_schema.print_sdl(Plugins())

    assert "greeting: String" in with_greeting
    assert "greeting" not in without
    assert graph_schema.print_sdl(Plugins(queries=(Greeting,))) == with_greeting


def test_a_resolver_without_a_docstring_is_refused() -> None:
    with pytest.raises(TypeError, match="needs a docstring"):

        @query(allow=EVERYONE)
        async def silent(info: Info) -> str:
            return "…"


def test_a_fact_cannot_take_the_name_of_what_every_refusal_has() -> None:
    class Muddled(Refusal):
        """A refusal that calls a fact its message."""

        message: str = fact("The message.")

    with pytest.raises(TypeError, match="every refusal has one of that name"):
        error_type(Muddled)


def test_a_fact_has_one_type_in_all_refusals() -> None:
    class Contradiction(Refusal):
        """A refusal that counts what others have points for."""

        code = "CONTRADICTION_FOR_TEST"
        needed: int = fact("How many.")

    class Unsure(Refusal):
        """A refusal that does not always have a unit."""

        code = "UNSURE_FOR_TEST"
        unit: str | None = fact("The unit, where there is one.")

    both = r"fact 'needed' is Int! in \S+\.Contradiction and Points! in core\.errors\.ExceedsHold"
    with pytest.raises(TypeError, match=both):
        graph_schema.build_schema(Plugins(refusals=(Contradiction,)))
    nullable = r"fact 'unit' is String! in core\.errors\.\w+ and String in \S+\.Unsure"
    with pytest.raises(TypeError, match=nullable):
        graph_schema.build_schema(Plugins(refusals=(Unsure,)))


def test_a_fact_must_be_of_a_type_that_the_schema_has() -> None:
    class Shapeless(Refusal):
        """A refusal with a mapping for a fact."""

        facts_of_it: dict[str, int] = fact("Anything.")

    with pytest.raises(TypeError, match="cannot be a fact of a refusal"):
        error_type(Shapeless)
