"""Requests that are small to send and would be long to answer, each with the code that it is refused with."""

from json import loads
from typing import Any, NamedTuple

LEVELS = 30


class Bomb(NamedTuple):
    """A request, and the code of its refusal."""

    name: str
    query: str
    code: str
    variables: dict[str, Any] | None = None


def _doubling(of: str, field: str) -> str:
    """Fragments of which each spreads the next twice below a field: 1.5 kB that are 2³⁰ fields written out."""
    spread = "".join(
        f"fragment f{n} on {of} {{ a: {field} {{ ...f{n + 1} }} b: {field} {{ ...f{n + 1} }} }} " for n in range(LEVELS)
    )
    return f"{spread} fragment f{LEVELS} on {of} {{ __typename }}"


def _side_by_side(count: int) -> str:
    return " ".join(f"fragment f{n} on Viewer {{ role ...f{n + 1} }}" for n in range(count))


def _nested(count: int) -> str:
    """Fields of one name inside fields of one name, of which validation compares each with each."""
    return "{" + ("viewer {" + ("member {" + "id " * count + "} ") * count + "} ") * count + "}"


def _written_twice(levels: int) -> str:
    """Fragments of which each spreads the next twice side by side: few fields, and 2³⁰ spreads."""
    spread = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))
    return f"{{ ...f0 }} {spread} fragment f{levels} on Query {{ viewer {{ role }} }}"


TYPES = "fields { type { name "
BOMBS = [
    Bomb(
        "fragments that double",
        f"{{ ...q }} fragment q on Query {{ __typename node(id: 1) {{ ...f0 }} }} "
        f"{_doubling('Transaction', 'reversedBy')}",
        "DEPTH_LIMIT_EXCEEDED",
    ),
    Bomb("spreads that double", _written_twice(LEVELS), "ROOT_FIELD_LIMIT_EXCEEDED"),
    Bomb(
        "fragments in a circle",
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    Bomb(
        "a chain of fragments",
        f"{{ viewer {{ ...f0 }} }} {_side_by_side(500)} fragment f500 on Viewer {{ role }}",
        "MERGE_LIMIT_EXCEEDED",
    ),
    Bomb("aliases", "{ " + " ".join(f"a{n}: __typename" for n in range(1_000)) + " }", "ALIAS_LIMIT_EXCEEDED"),
    Bomb("root fields", "{ " + " ".join(f"f{n}" for n in range(1_000)) + " }", "ROOT_FIELD_LIMIT_EXCEEDED"),
    Bomb("mutations", "mutation { " + "redeemPoints(input: {}) { replayed } " * 6 + "}", "ROOT_FIELD_LIMIT_EXCEEDED"),
    Bomb("tokens", "{ " + "a " * 20_000 + "}", "GRAPHQL_PARSE_FAILED"),
    Bomb(
        "depth",
        "{ viewer { member " + "{ transactions { nodes " * 8 + "{ id }" + " } }" * 8 + " } }",
        "DEPTH_LIMIT_EXCEEDED",
    ),
    Bomb("selections 10,000 deep", "{a" * 10_000 + "}" * 10_000, "GRAPHQL_PARSE_FAILED"),
    Bomb("directives", "{ viewer { role " + "@include(if: true) " * 600 + "} }", "DIRECTIVE_LIMIT_EXCEEDED"),
    Bomb("operations", " ".join(f"query q{n} {{ __typename }}" for n in range(900)), "OPERATION_LIMIT_EXCEEDED"),
    Bomb("overlaps", "{ viewer { " + "role " * 4_000 + "} }", "MERGE_LIMIT_EXCEEDED"),
    Bomb("overlaps in overlaps", _nested(14), "MERGE_LIMIT_EXCEEDED"),
    Bomb(
        "overlaps that nobody spreads",
        "{ __typename } " + " ".join(f"fragment f{n} on Viewer {{ {'role ' * 99} }}" for n in range(45)),
        "MERGE_LIMIT_EXCEEDED",
    ),
    Bomb(
        "overlaps in fragments of one name",
        "{ ...f } " + " ".join([f"fragment f on Query {{ {'viewer { role } ' * 99} }}"] * 11),
        "MERGE_LIMIT_EXCEEDED",
    ),
    Bomb(
        "overlaps with arguments",
        "{ viewer { " + ("role(" + " ".join(f"a{n}: 1" for n in range(15)) + ") ") * 98 + "} }",
        "MERGE_LIMIT_EXCEEDED",
    ),
    Bomb(
        "fragments that are not there", "{ " + " ".join(f"...f{n}" for n in range(2_400)) + " }", "MERGE_LIMIT_EXCEEDED"
    ),
    Bomb(
        "one key many times",
        "mutation { redeemPoints(input: {" + "points: 1 " * 1_600 + "}) { replayed } }",
        "MERGE_LIMIT_EXCEEDED",
    ),
    Bomb("comments", "#\n" * 49_000 + "{ __typename }", "GRAPHQL_PARSE_FAILED"),
    Bomb("a string without end", '{ node(id: "' + '\\"' * 45_000, "GRAPHQL_PARSE_FAILED"),
    Bomb(
        "misspelt types",
        "{ viewer { " + "".join(f"... on Memberr{n} {{ a{n} }} " for n in range(700)) + "} }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    Bomb(
        "values", "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", "VARIABLE_LIMIT_EXCEEDED", {"ids": [1] * 300_000}
    ),
    Bomb(
        "values below the bound",
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        "COST_LIMIT_EXCEEDED",
        {"ids": [1] * 40_000},
    ),
    Bomb(
        "a number of 90,000 digits",
        "{ members(first: " + "9" * 90_000 + ") { nodes { id } } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    Bomb("a list 10,000 deep", "{ nodes(ids: " + "[" * 10_000 + "]" * 10_000 + ") { id } }", "GRAPHQL_PARSE_FAILED"),
    Bomb(
        "an input 10,000 deep",
        "{ member(by: " + "{a: " * 4_000 + "1" + "}" * 4_000 + ") { id } }",
        "GRAPHQL_PARSE_FAILED",
    ),
    Bomb(
        "variables 200 deep",
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        "BAD_USER_INPUT",
        {"ids": loads("[" * 200 + "]" * 200)},
    ),
    Bomb(
        "the schema, in depth",
        "{ __schema { types { " + TYPES * 3 + "} } " * 3 + "} } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    Bomb(
        "the schema, many times",
        "{ __schema { "
        + " ".join(f"t{n}: types {{ fields {{ type {{ fields {{ name }} }} }} }}" for n in range(10))
        + " } }",
        "INTROSPECTION_LIMIT_EXCEEDED",
    ),
    Bomb(
        "types of types",
        "{ __schema { types { " + "ofType { " * 30 + "name" + " }" * 30 + " } } }",
        "DEPTH_LIMIT_EXCEEDED",
    ),
    Bomb(
        "pages of pages",
        "{ members(first: 100) { nodes { transactions(first: 100) { nodes { lots { amount } } } } } }",
        "COST_LIMIT_EXCEEDED",
    ),
]
