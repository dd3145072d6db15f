"""Whatever is wrong in a call of any channel is answered with a refusal that has a code, and leaves nothing.

The calls are those of the channels' READMEs, with one value after another replaced: a new channel takes part by itself.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import graphql
import pytest

from core.errors import Refusal
from graph.conformance.readme import Call
from graph.conformance.subject import Subject
from graph.tokens import Role
from plugins.manager import find_offers, load_plugins

ROOT: Final = Path(__file__).parents[2]
OFFERS: Final = {offer.name: offer for offer in find_offers()}
WITH_A_CALL: Final = [
    name
    for name in OFFERS
    if re.search(r"```graphql\nmutation", (ROOT / "plugins" / name / "README.md").read_text(encoding="utf-8"))
]

NUMBERS: Final = ("-1", "9007199254740992", "99999999999999999999")
"""No count, and no amount: less than nothing, more than clients can represent, more than anybody counts."""
TEXTS: Final = ("", "no such thing", "x" * 10_000, "a\0b", "\u202e", "-1.00", "1e400")


class _Replaced(graphql.Visitor):
    """Puts another value in the ``at``-th place of a document that has one."""

    def __init__(self, at: int, value: graphql.ValueNode) -> None:
        super().__init__()
        self._left = at
        self._value = value

    def _enter(self, node: graphql.ValueNode, *_: Any) -> graphql.ValueNode | None:
        self._left -= 1
        return self._value if self._left == -1 else None

    enter_int_value = enter_string_value = _enter


def variants(call: Call) -> Iterator[tuple[str, bool, Call]]:
    """The call with one value replaced: what was done, whether it cannot be meant in any case, and the call."""
    values: list[graphql.ValueNode] = []

    class Collects(graphql.Visitor):
        def enter_int_value(self, node: graphql.IntValueNode, *_: Any) -> None:
            values.append(node)

        def enter_string_value(self, node: graphql.StringValueNode, *_: Any) -> None:
            values.append(node)

    graphql.visit(call.document, Collects())
    for at, node in enumerate(values):
        number = isinstance(node, graphql.IntValueNode)
        for text in NUMBERS if number else TEXTS:
            value = graphql.IntValueNode(value=text) if number else graphql.StringValueNode(value=text)
            changed = graphql.visit(call.document, _Replaced(at, value))
            # U+0000 is kept by no PostgreSQL, so nobody takes it.
            yield f"{text[:20]!r} for {graphql.print_ast(node)}", number or "\0" in text, Call(changed)


@pytest.mark.parametrize("name", WITH_A_CALL)
async def test_what_cannot_be_meant_is_refused_with_a_code_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    subject = Subject(OFFERS[name], [offer for offer in OFFERS.values() if offer.name != name], tmp_path)

    async with subject.shop(subject.programme(subject.section)) as trial:
        before = await trial.tables()
        for number, (what, never, call) in enumerate(variants(trial.call)):
            answer = await trial.shop.post(call.with_key(f"wrong {number}"), role=Role.ADMIN)
            payload = (answer.get("data") or {}).get("answer") or {"errors": []}
            refused = [error["extensions"]["code"] for error in answer.get("errors", ())]
            refused += [error["code"] for error in payload["errors"]]
            assert "INTERNAL" not in refused, (what, answer)
            assert refused or not never, what
            after = await trial.tables()
            assert after == before or not refused, (what, refused)
            before = after
        await trial.check_books()


@pytest.mark.parametrize("name", WITH_A_CALL)
async def test_a_member_asks_for_nobody_else_and_nobody_is_served_who_is_unknown(tmp_path: Path, name: str) -> None:
    subject = Subject(OFFERS[name], [offer for offer in OFFERS.values() if offer.name != name], tmp_path)

    async with subject.shop(subject.programme(subject.section)) as trial:
        stranger = await trial.shop.enrol("a stranger")
        before = await trial.tables()

        theirs = await trial.shop.post(trial.call.with_key("theirs"), member=stranger)
        nobodys = await trial.shop.post(trial.call.with_key("nobody's"), role=None)

        for answer in (theirs, nobodys):
            assert {error["extensions"]["code"] for error in answer["errors"]} <= {"FORBIDDEN", "UNAUTHENTICATED"}
        assert await trial.tables() == before


def test_every_refusal_of_a_plugin_is_tried_by_some_test() -> None:
    load_plugins()
    tests = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)
    )

    ours = [kind for kind in Refusal.by_code.values() if kind.__module__.startswith("plugins.")]
    untried = [kind.code for kind in ours if not re.search(rf"\b({kind.code}|{kind.__name__})\b", tests)]

    assert len(ours) > 100
    assert untried == []
