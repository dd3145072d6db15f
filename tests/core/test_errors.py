import string
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import orjson
import pytest

from core import errors
from core.errors import (
    FormerRefusal,
    InsufficientPoints,
    InvalidInput,
    LaurelError,
    NotFound,
    Problem,
    ProgrammeInvalid,
    Refusal,
    Unavailable,
    fact,
)

EXAMPLES: dict[type, Any] = {
    str: "a {text} with “marks”",
    int: 2**53 - 1,
    bool: True,
    Decimal: Decimal("10.50"),
    datetime: datetime(2030, 1, 31, 22, 30, 0, 1, tzinfo=UTC),
    date: date(2030, 1, 31),
}

OURS = [kind for kind in Refusal.by_code.values() if kind.__module__ == errors.__name__]


def example(kind: type[Refusal]) -> Refusal:
    """A refusal with a value of the right type for each fact."""
    hints = get_type_hints(kind)
    types = {f.name: next(iter(get_args(hints[f.name])), hints[f.name]) for f in fields(kind)}
    return kind(**{name: EXAMPLES[of] for name, of in types.items()})


@pytest.fixture
def codes() -> Iterator[dict[str, type[Refusal]]]:
    """The register of refusals, put back as it was afterwards."""
    before = dict(Refusal.by_code)
    yield Refusal.by_code
    Refusal.by_code.clear()
    Refusal.by_code.update(before)


@pytest.mark.parametrize("kind", OURS)
def test_refusal_comes_back_from_storage_as_it_was(kind: type[Refusal]) -> None:
    refusal = example(kind)

    stored = orjson.loads(orjson.dumps(refusal.to_json()))
    replayed = Refusal.from_json(stored)

    assert type(replayed) is kind
    assert replayed.facts == refusal.facts
    assert {name: type(value) for name, value in replayed.facts.items()} == {
        name: type(value) for name, value in refusal.facts.items()
    }
    assert (str(replayed), repr(replayed)) == (str(refusal), repr(refusal))


@pytest.mark.parametrize("kind", OURS)
def test_refusal_says_its_facts_and_describes_each(kind: type[Refusal]) -> None:
    named = {name for _, name, _, _ in string.Formatter().parse(kind.says) if name}

    assert named <= {f.name for f in fields(kind)}
    assert all(f.metadata["description"].endswith(".") for f in fields(kind))
    assert kind.__doc__
    assert kind.code == kind.code.upper()
    assert not kind.says.endswith(".")


@pytest.mark.parametrize(
    ("kind", "branch"),
    [
        ("INVALID_AMOUNT", InvalidInput),
        ("CURRENCY_MISMATCH", InvalidInput),
        ("MEMBER_NOT_FOUND", NotFound),
        ("INSUFFICIENT_POINTS", Refusal),
    ],
)
def test_refusals_are_caught_by_their_branch(kind: str, branch: type[Refusal]) -> None:
    with pytest.raises(branch):
        raise example(Refusal.by_code[kind])


def test_a_refusal_is_an_answer_and_an_outage_is_not() -> None:
    assert issubclass(Unavailable, LaurelError)
    assert not issubclass(Unavailable, Refusal)


def test_refusal_says_what_is_missing() -> None:
    refusal = InsufficientPoints(unit="points", needed=80, available=30)

    assert str(refusal) == "80 points needed, 30 available"
    assert repr(refusal) == "InsufficientPoints(unit='points', needed=80, available=30)"
    assert refusal.to_json() == {
        "code": "INSUFFICIENT_POINTS",
        "facts": {"unit": "points", "needed": 80, "available": 30},
    }


@pytest.mark.parametrize("facts", [{}, {"unit": "points", "needed": 1}, {"unit": "points", "needed": 1, "had": 0}])
def test_refusal_is_made_with_all_its_facts_and_no_others(facts: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        InsufficientPoints(**facts)


def test_facts_of_every_kind_survive_storage(codes: dict[str, type[Refusal]]) -> None:
    class SoldOut(Refusal):
        """All kinds of facts."""

        code = "SOLD_OUT_FOR_TEST"
        says = "{name} is sold out"
        name: str = fact("The reward.")
        left: int = fact("How many are left.")
        again: bool = fact("Whether there will be more.")
        price: Decimal = fact("The price.")
        since: datetime = fact("Since when.")
        day: date | None = fact("When there will be more.")
        note: str | None = fact("A note.")

    refusal = SoldOut(
        name="mug", left=0, again=True, price=Decimal("9.90"), since=EXAMPLES[datetime], day=None, note=None
    )

    assert codes["SOLD_OUT_FOR_TEST"] is SoldOut
    assert Refusal.from_json(orjson.loads(orjson.dumps(refusal.to_json()))).facts == refusal.facts


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param({"code": "OUT_OF_STOCK", "facts": {"reward": "mug"}}, id="channel gone"),
        pytest.param({"code": "INSUFFICIENT_POINTS", "facts": {"unit": "points"}}, id="a fact more since"),
        pytest.param({"code": "UNKNOWN_UNIT", "facts": {"unit": "x", "hint": "y"}}, id="a fact less since"),
    ],
)
def test_refusal_that_is_no_longer_offered_still_says_its_code(stored: dict[str, Any]) -> None:
    former = Refusal.from_json(stored)

    assert isinstance(former, FormerRefusal)
    assert former.facts == {"former_code": stored["code"]}


def test_two_refusals_with_one_code_are_an_error_that_names_both(codes: dict[str, type[Refusal]]) -> None:
    class SoldOut(Refusal):
        """The first."""

        code = "SOLD_OUT_FOR_TEST"

    with pytest.raises(TypeError, match=r"'SOLD_OUT_FOR_TEST' is offered by both .*SoldOut and .*NoneLeft"):

        class NoneLeft(Refusal):
            """The second."""

            code = "SOLD_OUT_FOR_TEST"

    assert codes["SOLD_OUT_FOR_TEST"] is SoldOut


def test_two_channels_that_name_a_refusal_alike_are_told_apart(codes: dict[str, type[Refusal]]) -> None:
    said = {"code": "SOLD_OUT_FOR_TEST", "__qualname__": "SoldOut"}
    first = type("SoldOut", (Refusal,), {**said, "__module__": "plugins.rewards.errors"})

    with pytest.raises(TypeError, match=r"plugins\.rewards\.errors\.SoldOut and plugins\.auction\.errors\.SoldOut"):
        type("SoldOut", (Refusal,), {**said, "__module__": "plugins.auction.errors"})
    assert codes["SOLD_OUT_FOR_TEST"] is first


def test_module_that_is_loaded_again_offers_the_same_refusal(codes: dict[str, type[Refusal]]) -> None:
    said = {"code": "SOLD_OUT_FOR_TEST", "__qualname__": "SoldOut", "__module__": "plugins.rewards.errors"}
    type("SoldOut", (Refusal,), said)
    again = type("SoldOut", (Refusal,), said)

    assert codes["SOLD_OUT_FOR_TEST"] is again


def test_invalid_programme_lists_its_problems_with_their_places() -> None:
    problems = (
        Problem("tiers[1].name", "is missing"),
        Problem("channels.purchase.earn", "unknown fact: oder", position=3, line=12, column=8),
    )

    refusal = ProgrammeInvalid.of(problems)

    assert refusal.problems == problems
    assert refusal.facts == {
        "count": 2,
        "summary": "tiers[1].name: is missing\nchannels.purchase.earn: unknown fact: oder (line 12, column 8)",
    }
    assert ProgrammeInvalid.of(()).problems == ()
    assert ProgrammeInvalid.problems == ()
