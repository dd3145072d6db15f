"""What clients of the last release can no longer ask is named with its reason in ``released/breaking.toml``."""

import tomllib
from pathlib import Path

from graphql import GraphQLSchema, build_schema, find_breaking_changes

RELEASED = Path(__file__).parent / "released"
COMMITTED = Path(__file__).parent.parent / "schema.graphql"


def breaking(before: GraphQLSchema, after: GraphQLSchema) -> set[str]:
    return {change.description for change in find_breaking_changes(before, after)}


def test_what_breaks_clients_of_the_last_release_is_named_with_a_reason() -> None:
    named = tomllib.loads((RELEASED / "breaking.toml").read_text()).get("change", [])

    found = breaking(build_schema((RELEASED / "schema.graphql").read_text()), build_schema(COMMITTED.read_text()))

    assert found == {change["breaks"] for change in named}, (
        "name it in tests/released/breaking.toml, or do not break it"
    )
    assert [change["breaks"] for change in named if len(change["reason"]) < 20] == []


def test_a_field_that_is_gone_and_an_argument_that_is_new_and_needed_are_found() -> None:
    before = build_schema("type Query { a: Int b: Int }")
    after = build_schema("type Query { a(x: Int!): Int }")

    assert breaking(before, after) == {"Field Query.b was removed.", "A required argument Query.a(x:) was added."}
