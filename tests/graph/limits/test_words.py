"""What is told of a document by its words is what the parser and the later checks find."""

from typing import Any, Final

import pytest
from graphql import GraphQLError, Lexer, Source, TokenKind, parse
from hypothesis import given
from hypothesis import strategies as st

from graph.limits.bounds import Bounds
from graph.limits.checks import Limits
from graph.limits.words import words_of
from graph.transport.failures import Failure, RequestFailed
from tests.graph.limits.test_cost import PRICES

WORDS = st.sampled_from(
    [
        *"!$&():=@[]{|}",
        *(
            "...",
            "on",
            "a",
            "_b9",
            "query",
            "0",
            "-12",
            "3.5",
            "1e9",
            "-0.5E-3",
            '"',
            '""',
            '"a { b"',
            '"\\""',
            '"\\\\"',
        ),
        *('"""a " b"""', '"""\\""" }"""', '""""""', "# a { b\n", "#\r", "\n", "\r\n", " ", ",", "\t", "\ufeff"),
    ]
)
"""Words of GraphQL, and what stands between them."""

FIELDS: st.SearchStrategy[str] = st.deferred(
    lambda: st.lists(
        st.one_of(
            st.sampled_from(["a", "b", "a: b", "b: a(on: {a: [a, a]}) @on(a: a)", "on", "...f", "...g", "...h"]),
            st.builds("{} {{ {} }}".format, st.sampled_from(["a", "b", "... on A", "... @on", "a: on(a: 1)"]), FIELDS),
        ),
        min_size=1,
        max_size=5,
    ).map(" ".join)
)
DOCUMENTS = st.builds("{{ {} }} fragment f on A {{ {} }} fragment g on A {{ {} }}".format, FIELDS, FIELDS, FIELDS)


def tokens(text: str) -> list[int] | None:
    """Where the parser's tokens begin, comments among them; None when there is something that is no token."""
    lexer = Lexer(Source(text))
    found = []
    token = lexer.token
    try:
        while token.kind is not TokenKind.EOF:
            token = lexer.read_next_token(token.end)
            found.append(token.start)
    except GraphQLError:
        return None
    return found[:-1]


@given(st.lists(WORDS).map("".join))
def test_words_are_the_tokens_of_the_parser(text: str) -> None:
    begin = tokens(text)
    if begin is not None:
        for most in range(len(begin) + 2):
            words = words_of(text, most)
            assert words.excess == (begin[most] if most < len(begin) else None)
            assert words.number == min(len(begin), most + 1)


OTHERS_MAX: Final[dict[str, Any]] = dict.fromkeys(
    ("depth_max", "root_fields_max", "aliases_max", "directives_max"), 10_000
)


@given(DOCUMENTS)
def test_words_tell_of_no_more_comparisons_than_there_are(text: str) -> None:
    told = words_of(text, 5_000).comparisons
    if told:
        with pytest.raises(RequestFailed) as refused:
            Limits(PRICES, Bounds(comparisons_max=told - 1, **OTHERS_MAX)).check_shape(parse(text))
        assert refused.value.failure in {Failure.MERGE_LIMIT_EXCEEDED, Failure.GRAPHQL_VALIDATION_FAILED}


@pytest.mark.parametrize(
    ("text", "comparisons"),
    [
        ("{ a a a }", 9 - 1),
        ("{ a { a } a { a a } }", 3 + 3),
        ("{ a: b b a: c }", 3),
        ("{ ...a ...a ...on ... on a { b } ... on a { b } a }", 0),
        ("{ a(b: 1, b: 2) @a(a: a) b(a: [c c]) }", 0),
        ("{ a(b: {c: 1, c: 2, c: [c, {c: c}]}) }", 8),
        ('{ a "a" """a""" # a\n }', 0),
    ],
)
def test_names_of_one_pair_of_braces_are_compared(text: str, comparisons: int) -> None:
    assert words_of(text, 100).comparisons == comparisons
