"""20,000 random queries over the whole schema, and 2,000 mutations, by plans and by graphql-core: the same bytes.

More of them, from any seed on, by ``python -m tests.graph.plans.differing``.
"""

from random import Random
from typing import Any

import orjson
import pytest
from graphql import parse, print_ast, validate

from tests.graph.plans.differing import alike, differ, differ_in_mutations
from tests.graph.plans.documents import make
from tests.graph.plans.random_shop import Filled
from tests.graph.test_schemathesis import SCHEMA

SEED = 20261129
AT_ONCE = 500
CHUNKS = range(40)
MUTATIONS = range(4)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("chunk", CHUNKS)
async def test_plans_answer_what_graphql_core_does(filled: Filled, chunk: int) -> None:
    begin = SEED + chunk * AT_ONCE
    differing = await differ(filled, range(begin, begin + AT_ONCE))

    assert differing.wrong == []
    counted, ways = differing.counted, differing.planner.ways
    assert counted["without errors"] > AT_ONCE / 2
    assert counted["with errors"] > AT_ONCE / 5
    assert counted["not executed"] < AT_ONCE / 50
    assert counted["errors in another order"] + counted["more errors below a null"] < AT_ONCE / 50
    # What is no error and yet left to graphql-core is odd to wait for, a list of another kind, or what is null to it.
    assert set(differing.in_vain) <= {"Later for a value", "UndefinedType for a value", "no list"}
    assert ways["plan"] > 0.9 * counted["without errors"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("chunk", MUTATIONS)
async def test_plans_answer_mutations_as_graphql_core_does(filled: Filled, chunk: int) -> None:
    begin = SEED + chunk * AT_ONCE
    differing = await differ_in_mutations(filled, range(begin, begin + AT_ONCE))

    assert differing.wrong == []
    counted, ways, once = differing.counted, differing.planner.ways, differing.once
    assert once is not None
    assert once.performed > AT_ONCE
    assert counted["without errors"] > AT_ONCE / 2
    assert counted["with errors"] > AT_ONCE / 5
    assert ways["plan"] > 0.9 * counted["without errors"]


def test_documents_are_valid_and_say_all_that_there_is_to_say(filled: Filled) -> None:
    query = SCHEMA.core.query_type
    assert query is not None
    roots, text = list(query.fields), ""
    for seed in range(300):
        made = make(SCHEMA.core, Random(seed), filled.values(), roots[seed % len(roots)])
        tree = parse(made.text)
        assert validate(SCHEMA.core, tree, SCHEMA.rules) == [], made.text
        text += print_ast(tree)
    said = (
        "... {",
        "... on Node",
        "...F0",
        "@skip(if: $",
        "@include(if: $",
        "@skip(if: true",
        ": null",
        "! = ",
        "it: ",
    )
    assert [one for one in said if one not in text] == []


@pytest.mark.parametrize(
    ("data", "paths", "others", "are_alike"),
    [
        ({"a": None}, ["a.b", "a.c"], ["a.c"], True),
        ({"a": None}, ["a.b"], ["a.b", "a.c"], True),
        ({"a": None}, ["a.b"], ["a.c"], False),
        ({"a": None}, ["a.b"], [], False),
        ({"a": {"b": None, "c": None}}, ["a.b", "a.c"], ["a.c"], False),
        ({"a": None, "b": None}, ["a.b", "b"], ["a.b"], False),
        (None, ["a.b", "a.c.d"], ["a.b"], True),
    ],
)
def test_only_how_many_errors_are_told_below_a_null_is_left_open(
    data: Any, paths: list[str], others: list[str], are_alike: bool
) -> None:
    def told(errors: list[str], **more: Any) -> bytes:
        return orjson.dumps({"errors": [{"path": path.split(".")} for path in errors], "data": data, **more})

    assert alike(told(paths), told(others)) is are_alike
    assert not alike(told(paths, one=1, two=2), told(others, two=2, one=1))
    assert not alike(told(paths), told(others, extensions={}))
