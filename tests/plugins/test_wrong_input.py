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
from tests.plugins.channel import WITHOUT_A_CALL, told

ROOT: Final = Path(__file__).parents[2]
OFFERS: Final = {offer.name: offer for offer in find_offers()}
WITH_A_CALL: Final = [name for name in OFFERS if name not in WITHOUT_A_CALL]

NUMBERS: Final = ("-1", "9007199254740992")
"""No count, and no amount: less than nothing, and more than clients can represent."""
TEXTS: Final = ("", "no such thing", "x" * 10_000, "a\0b", "1e400")


class _Values(graphql.Visitor):
    """Collects the numbers and texts of a call, and puts ``value`` in the place of the ``at``-th."""

    def __init__(self, at: int = -1, value: graphql.ValueNode | None = None) -> None:
        super().__init__()
        self.found: list[graphql.ValueNode] = []
        self._at = at
        self._value = value

    def enter_object_field(self, node: graphql.ObjectFieldNode, *_: Any) -> Any:
        # Which is the suite's own.
        return graphql.SKIP if node.name.value == "idempotencyKey" else None

    def enter_int_value(self, node: graphql.IntValueNode, *_: Any) -> graphql.ValueNode | None:
        return self._met(node)

    def enter_string_value(self, node: graphql.StringValueNode, *_: Any) -> graphql.ValueNode | None:
        return self._met(node)

    def _met(self, node: graphql.ValueNode) -> graphql.ValueNode | None:
        self.found.append(node)
        return self._value if len(self.found) == self._at + 1 else None


def variants(call: Call) -> Iterator[tuple[str, bool, Call]]:
    """The call with one value replaced: what was done, whether it cannot be meant in any case, and the call."""
    values = _Values()
    graphql.visit(call.document, values)
    for at, node in enumerate(values.found):
        number = isinstance(node, graphql.IntValueNode)
        for text in NUMBERS if number else TEXTS:
            value = graphql.IntValueNode(value=text) if number else graphql.StringValueNode(value=text)
            changed = graphql.visit(call.document, _Values(at, value))
            # U+0000 is kept by no PostgreSQL, so nobody takes it.
            yield f"{text[:20]!r} for {graphql.print_ast(node)}", number or "\0" in text, Call(changed)


@pytest.mark.parametrize("name", WITH_A_CALL)
async def test_what_is_wrong_is_refused_with_a_code_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    subject = Subject(OFFERS[name], [offer for offer in OFFERS.values() if offer.name != name], tmp_path)

    async with subject.shop(subject.programme(subject.section)) as trial:
        stranger = await trial.shop.enrol("a stranger")
        before = await trial.tables()
        theirs = await trial.shop.post(trial.call.with_key("theirs"), member=stranger)
        nobodys = await trial.shop.post(trial.call.with_key("nobody's"), role=None)
        for answer in (theirs, nobodys):
            assert {error["extensions"]["code"] for error in answer["errors"]} <= {"FORBIDDEN", "UNAUTHENTICATED"}
        assert await trial.tables() == before

        for number, (what, never, call) in enumerate(variants(trial.call)):
            answer = await trial.shop.post(call.with_key(f"wrong {number}"), role=Role.ADMIN)
            payload = (answer.get("data") or {}).get("answer") or {"errors": []}
            refused = [error["extensions"]["code"] for error in answer.get("errors", ())]
            refused += [error["code"] for error in payload["errors"]]
            assert "INTERNAL" not in refused, (what, answer)
            assert refused or not never, what
            await told(trial.shop)
            after = await trial.tables()
            assert after == before or not refused, (what, refused)
            before = after
        await trial.check_books()


def test_every_refusal_of_a_plugin_is_tried_by_some_test() -> None:
    load_plugins()
    tests = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)
    )

    ours = [kind for kind in Refusal.by_code.values() if kind.__module__.startswith("plugins.")]
    untried = [kind.code for kind in ours if not re.search(rf"\b({kind.code}|{kind.__name__})\b", tests)]

    assert len(ours) > 100
    assert untried == []
