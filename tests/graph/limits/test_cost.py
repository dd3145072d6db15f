"""The cost of a document is that of the document with its fragments written out, and is found in no time."""

from random import Random
from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    validate,
)
from hypothesis import given
from hypothesis import strategies as st

from graph.limits import actual
from graph.limits.actual import Weigher
from graph.limits.cost import Costing, OperationCost
from graph.limits.lengths import SlicingInvalid
from graph.limits.prices import LIST_LENGTH, Prices
from graph.limits.shape import fragments_of, operations_of
from graph.limits.sums import COST_MAX
from graph.schema import build_schema
from plugins.manager import Plugins

SCHEMA = build_schema(Plugins()).core
PRICES = Prices(SCHEMA)

# What may be selected of a type: values, objects by their type, and pages.
VALUES = {"Query": ["__typename"], "Member": ["id"], "Transaction": ["id", "kind"], "Lot": ["amount"], "Tier": ["id"]}
OBJECTS = {
    "Query": {'member(by: {externalId: "anna"})': "Member"},
    "Member": {"tier": "Tier"},
    "Transaction": {"reversedBy": "Transaction", "lots": "Lot"},
    "Lot": {},
    "Tier": {},
}
PAGES = {
    "Query": {"members": "Member"},
    "Member": {"transactions": "Transaction", "lots": "Lot"},
    "Transaction": {},
    "Lot": {},
    "Tier": {},
}
SIZES = ["", "(first: 7)", "(first: $few)", "(last: $many)", "(first: null)"]
CONDITIONS = [
    "",
    "",
    "",
    " @include(if: $yes)",
    " @skip(if: $yes)",
    " @skip(if: true)",
    " @include(if: $no) @skip(if: $no)",
]

VARIABLES = {"few": st.integers(0, 99), "many": st.integers(0, 99), "yes": st.booleans()}


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Documents with fragments that spread those after them, of which each may be spread often."""
    # One draw makes a document: of its hundred choices each would be slow.
    chance = Random(draw(st.integers(0, 2**32)))
    kinds = chance.choices(list(VALUES), k=chance.randint(0, 6))

    def selection(kind: str, after: int, levels: int) -> str:
        parts = [chance.choice(VALUES[kind]) + chance.choice(CONDITIONS)]
        spreads = [f"...f{n}" for n, of in enumerate(kinds) if n > after and of == kind]
        for number in range(chance.randint(0, 3 if levels else 0)):
            choices = list(OBJECTS[kind]) + list(PAGES[kind]) + spreads
            if not choices:
                break
            name, condition = chance.choice(choices), chance.choice(CONDITIONS)
            alias = f"a{after + 1}{levels}{number}: "
            if name in spreads:
                parts.append(name + condition)
            elif name in OBJECTS[kind]:
                inner = selection(OBJECTS[kind][name], after, levels - 1)
                parts.append(f"{alias}{name}{condition} {{ {inner} }}")
            else:
                inner = selection(PAGES[kind][name], after, levels - 1)
                pages = [f"nodes {{ {inner} }}", f"edges {{ node {{ {inner} }} }}", "pageInfo { endCursor }"]
                page = chance.choice(pages)
                if chance.random() < 0.5:
                    page = f"... {{ {page} }}"
                parts.append(f"{alias}{name}{chance.choice(SIZES)}{condition} {{ {page} }}")
        return " ".join(parts)

    head = "query ($few: Int = 3, $many: Int, $yes: Boolean = true, $no: Boolean = false)"
    body = selection("Query", -1, 3)
    return f"{head} {{ {body} }} " + " ".join(
        f"fragment f{number} on {kind} {{ {selection(kind, number, 2)} }}" for number, kind in enumerate(kinds)
    )


def written_out(document: str, variables: dict[str, Any]) -> int:
    """The cost by walking into every spread: what it means, and far too slow."""
    tree = parse(document)
    fragments = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}
    (operation,) = [node for node in tree.definitions if isinstance(node, OperationDefinitionNode)]
    known = {"few": 3, "yes": True, "no": False, **variables}

    def meant(node: Any) -> bool:
        for directive in node.directives or ():
            value = directive.arguments[0].value
            said = value.value if hasattr(value, "value") else known[value.name.value]
            if said is not (directive.name.value == "include"):
                return False
        return True

    def page_of(node: FieldNode) -> int:
        for argument in node.arguments or ():
            value = argument.value
            given = known.get(value.name.value) if hasattr(value, "name") else getattr(value, "value", None)
            if given is not None:
                return int(given)
        return 20

    def cost(selections: SelectionSetNode, kind: str, page: int | None) -> int:
        total = 0
        for node in selections.selections:
            if not meant(node):
                continue
            if isinstance(node, FragmentSpreadNode):
                fragment = fragments[node.name.value]
                total += cost(fragment.selection_set, fragment.type_condition.name.value, page)
            elif isinstance(node, InlineFragmentNode):
                total += cost(node.selection_set, kind, page)
            elif isinstance(node, FieldNode) and node.selection_set is not None:
                price = PRICES.of(kind, node.name.value)
                assert price is not None
                assert price.type is not None
                connected = price.size is not None
                each = price.weight + cost(node.selection_set, price.type, page_of(node) if connected else None)
                length = page if page is not None and node.name.value in ("nodes", "edges") else LIST_LENGTH
                total += each * length if price.is_list else each
        return total

    return cost(operation.selection_set, "Query", None)


@given(documents(), st.fixed_dictionaries({}, optional=VARIABLES))
def test_the_cost_is_that_of_the_document_written_out(document: str, variables: dict[str, Any]) -> None:
    tree = parse(document)
    (operation,) = operations_of(tree)

    cost, introspected = Costing(PRICES, fragments_of(tree)).of(operation).of(variables)

    assert cost == min(written_out(document, variables), COST_MAX)
    assert introspected == 0


def test_what_is_generated_fits_the_schema() -> None:
    document = (
        "query ($few: Int = 3) { ...f0 m: members(first: $few) { edges { node { ...f1 } } ... { nodes { id } } } } "
        "fragment f0 on Query { members { nodes { ...f1 } } } fragment f1 on Member { id tier { id } }"
    )
    assert validate(SCHEMA, parse(document)) == []
    # Twice a connection; 20 members with a tier; 3 edges with a member and a tier; 3 members.
    assert written_out(document, {}) == 1 + 20 * 2 + 1 + 3 * 3 + 3


def test_a_cost_beyond_all_bounds_is_found_at_once() -> None:
    levels = 60
    spread = " ".join(
        f"fragment f{n} on Transaction {{ reversedBy {{ ...f{n + 1} }} b: reversedBy {{ ...f{n + 1} }} }}"
        for n in range(levels)
    )
    tree = parse(
        f"query ($n: Int) {{ ...m }} fragment m on Query {{ members(first: $n) {{ nodes {{ transactions(first: $n)"
        f" {{ nodes {{ ...f0 }} }} }} }} }} {spread} fragment f{levels} on Transaction {{ id }}"
    )
    (operation,) = operations_of(tree)

    cost = Costing(PRICES, fragments_of(tree)).of(operation)

    assert cost.of({"n": 2}) == (COST_MAX, 0)
    assert cost.of({"n": 0}) == (1, 0)


def test_a_cost_that_is_kept_is_that_of_the_same_variables() -> None:
    document = """query ($n: Int = 3, $i: [ID!], $s: Boolean!) {
      members(first: $n) @skip(if: $s) { nodes { id } }
      nodes(ids: $i) { id }
    }"""
    tree = parse(document)
    (operation,) = operations_of(tree)
    given: list[dict[str, Any]] = [
        {"n": n, "i": ids, "s": s}
        for n in (1, True, 2, None, 10**30, "1", 2.0)
        for ids in ([], ["a"], ["a", "b"], None, "a")
        for s in (False, True, None, 0)
    ]
    given += [{"n": n, "i": [], "s": False} for n in range(200)] + [{"i": ["a"], "s": False}]
    cost = Costing(PRICES, fragments_of(tree)).of(operation)

    def found(cost: OperationCost, variables: dict[str, Any]) -> tuple[int, int] | str:
        try:
            return cost.of(variables)
        except SlicingInvalid as invalid:
            return str(invalid)

    anew = [found(Costing(PRICES, fragments_of(tree)).of(operation), variables) for variables in given]
    assert [found(cost, variables) for variables in given * 2] == anew * 2
    assert len(set(anew)) > 100


def test_an_answer_weighs_what_it_holds() -> None:
    tree = parse(
        "{ members { nodes { ...f tier { id } } } m: members { edges { cursor node { id } } } "
        "empty: members { nodes @skip(if: true) { id } } __schema { types { name } } } "
        "fragment f on Member { tier { name } id }"
    )
    (operation,) = operations_of(tree)
    tier = {"id": "gold", "name": "Gold"}
    data = {
        "members": {"nodes": [{"id": "1", "tier": tier}, {"id": "2", "tier": None}]},
        "m": {"edges": [None, {"cursor": "x", "node": {"id": "1"}}]},
        "empty": {},
        "__schema": {"types": [{"name": "Query"}]},
    }

    weigher = Weigher(PRICES, fragments_of(tree), operation)

    # The first one is looked through; then a function is compiled.
    for _ in range(3):
        assert weigher.weigh(data) == (1 + 2 + 1) + (1 + 1 + 1) + 1
    assert weigher.weigh(None) == 0


def test_what_weighs_is_compiled_once_wherever_a_fragment_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    levels, compiled = 14, list[str]()
    spread = "".join(
        f"fragment f{at} on Member {{ id a: mergedInto {{ ...f{at + 1} }} b: mergedInto {{ ...f{at + 1} }} }} "
        for at in range(levels)
    )
    tree = parse(f"{{ members {{ nodes {{ ...f0 }} }} }} {spread} fragment f{levels} on Member {{ id }}")
    (operation,) = operations_of(tree)
    weigher = Weigher(PRICES, fragments_of(tree), operation)
    data = {"members": {"nodes": [{"id": "1", "a": {"id": "2", "b": {"id": "3", "a": None}}}]}}

    def counting(text: str, names: dict[str, Any]) -> None:
        compiled.append(text)
        exec(text, names)

    monkeypatch.setattr(actual, "exec", counting, raising=False)
    weights = {weigher.weigh(data) for _ in range(3)}

    assert len(weights) == 1
    assert 0 < len(compiled) <= levels + 3


def test_what_has_too_many_selections_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = " ".join(f"a{at}: mergedInto {{ id tier {{ id }} }}" for at in range(actual.COMPILED_MAX))
    tree = parse(f"{{ members {{ nodes {{ {wide} }} }} }}")
    (operation,) = operations_of(tree)
    weigher = Weigher(PRICES, fragments_of(tree), operation)
    data = {"members": {"nodes": [{"a0": {"id": "1"}}, {"a7": {"id": "2", "tier": {"id": "gold"}}}]}}
    monkeypatch.setattr(actual, "exec", pytest.fail, raising=False)

    assert len({weigher.weigh(data) for _ in range(3)}) == 1
