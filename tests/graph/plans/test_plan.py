"""A plan answers what graphql-core does, or not at all: each rule of the specification by itself."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from contextvars import ContextVar
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import pytest
import strawberry
from graphql import parse, validate
from strawberry.schema.config import StrawberryConfig

from graph.plans import Surprise
from graph.plans.plan import FIELDS_MAX, TooLong
from graph.resolving import of_all, resolve_directly
from graph.scalars import SCALARS, Points
from tests.graph.plans.both_ways import Asked, compared, executed, planned

NAME: ContextVar[str] = ContextVar("NAME", default="nobody")


class Context:
    """What the resolvers below note."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.selected: dict[Any, bool] = {}


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = strawberry.enum_value("green", name="GRASS")


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Cat(Named):
    lives: int


@strawberry.type
class Dog(Named):
    colour: Colour

    @strawberry.field
    async def friend(self) -> Cat:
        await asyncio.sleep(0)
        return Cat(name="Tom", lives=7)


@strawberry.type
class Stone:
    weight: float


@strawberry.input
class Wish:
    name: str = "anybody"
    times: int = 1


class Wrong:
    """Fits no scalar of any kind."""

    def __str__(self) -> str:
        raise ValueError("nobody can say")


class Later:
    """Something to wait for that is no coroutine."""

    def __await__(self) -> Iterator[Any]:
        return asyncio.sleep(0, "later").__await__()


@strawberry.type
class Thing:
    """Any value for any type."""

    value: strawberry.Private[Any]

    @strawberry.field
    def text(self) -> str:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def maybe_text(self) -> str | None:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def number(self) -> int:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def maybe_number(self) -> int | None:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def ratio(self) -> float:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def yes(self) -> bool:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def colour(self) -> Colour:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def points(self) -> Points:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def amount(self) -> Decimal | None:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def texts(self) -> list[str]:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def maybe_texts(self) -> list[str | None] | None:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def grid(self) -> list[list[int]]:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def dog(self) -> Dog:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def maybe_dog(self) -> Dog | None:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def stone(self) -> Stone | None:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def named(self) -> Named:
        return self.value  # type: ignore[no-any-return]

    @strawberry.field
    def either(self) -> Annotated[Cat | Stone, strawberry.union("Either")] | None:
        return self.value  # type: ignore[no-any-return]


STRANGE = object()
ODD = (Later, type(dict[str, int]().keys()), Iterator)
SUBFIELDS = {
    "dog": "{ __typename }",
    "maybeDog": "{ __typename name }",
    "stone": "{ __typename }",
    "named": "{ __typename }",
    "either": "{ __typename }",
}


async def _coroutine() -> str:
    return "later"


def values() -> list[Any]:
    """Values that fit one type or another, or none."""
    return [
        None,
        "",
        "text",
        0,
        2**31 - 1,
        2**31,
        -(2**31),
        -(2**31) - 1,
        1.5,
        float("inf"),
        float("nan"),
        True,
        Decimal("1.50"),
        Decimal("NaN"),
        Colour.GREEN,
        "red",
        ["a"],
        ("a", "b"),
        ["a", None],
        [],
        {"a": 1}.keys(),
        (letter for letter in "ab"),
        [[1], []],
        [[1, None]],
        [[2**31]],
        Dog(name="Rex", colour=Colour.RED),
        Cat(name="Tom", lives=9),
        Cat(name=None, lives=9),  # type: ignore[arg-type]
        Stone(weight=1.0),
        {"name": "a dictionary"},
        ValueError("returned, not raised"),
        Wrong(),
        Later(),
        [Later()],
        STRANGE,
        strawberry.UNSET,
        b"bytes",
    ]


async def _doubled(items: Sequence["Item"], info: strawberry.Info, plus: int = 0) -> list[int | None]:
    numbers = [item.number for item in items]
    info.context.seen.append(numbers)
    await asyncio.sleep(0)
    if 13 in numbers:
        raise ValueError("on purpose")
    found: list[int | None] = [None if number == 3 else 2 * number + plus for number in numbers]
    # One that forgets some of them, where there is more than one.
    return found[1:] if 99 in numbers and len(numbers) > 1 else found


async def _following(items: Sequence["Item"], info: strawberry.Info) -> list["Item | None"]:
    return [None if item.number == 3 else Item(number=item.number + 1) for item in items]


@strawberry.type
class Item:
    """What is told of all of a list at once."""

    number: int

    @strawberry.field
    @of_all(_doubled)
    async def doubled(self, info: strawberry.Info, plus: int = 0) -> int | None:
        [doubled] = await _doubled([self], info, plus)
        return doubled

    @strawberry.field
    @of_all(_following)
    async def following(self, info: strawberry.Info) -> "Item | None":
        [following] = await _following([self], info)
        return following


@strawberry.type
class Query:
    @strawberry.field
    def items(self, info: strawberry.Info) -> list[Item | None]:
        return [None if number is None else Item(number=number) for number in info.context.value]

    @strawberry.field
    def sure_items(self, info: strawberry.Info) -> list[Item]:
        return [None if number is None else Item(number=number) for number in info.context.value]  # type: ignore[misc]

    @strawberry.field
    def item(self, info: strawberry.Info) -> Item:
        return Item(number=info.context.value[0])

    @strawberry.field
    def thing(self, info: strawberry.Info) -> Thing:
        return Thing(value=info.context.value)

    @strawberry.field
    async def slow_thing(self, info: strawberry.Info) -> Thing:
        await asyncio.sleep(0)
        return Thing(value=info.context.value)

    @strawberry.field
    def things(self, info: strawberry.Info) -> list[Thing]:
        return [Thing(value=value) for value in info.context.value]

    @strawberry.field
    async def pets(self) -> list[Named]:
        await asyncio.sleep(0)
        return [Dog(name="Rex", colour=Colour.GREEN), Cat(name="Tom", lives=9), Dog(name="Bo", colour=Colour.RED)]

    @strawberry.field
    def echo(self, text: str = "hello", times: int | None = 1, wish: Wish | None = None) -> str | None:
        return f"{text}-{times}-{wish}"

    @strawberry.field
    def colour_of(self, colour: Colour = Colour.RED) -> Colour:
        return colour

    @strawberry.field
    async def waits(self, info: strawberry.Info, name: str) -> str:
        info.context.seen.append(f"{name} begins")
        await asyncio.sleep(0.01)
        info.context.seen.append(f"{name} ends")
        return name

    @strawberry.field
    async def named_here(self, name: str) -> str:
        """A variable of the context is the coroutine's own, as in a task."""
        token = NAME.set(name)
        await asyncio.sleep(0)
        found = NAME.get()
        NAME.reset(token)
        return found

    @strawberry.field
    async def gives_up(self) -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        except TimeoutError:
            return "given up"
        return "not given up"

    @strawberry.field
    async def stays(self, info: strawberry.Info) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            info.context.seen.append("cancelled")
            raise
        return "stayed"

    @strawberry.field
    async def gathers(self) -> list[int]:
        return list(await asyncio.gather(*(asyncio.sleep(0.001 * (3 - number), number) for number in range(3))))

    @strawberry.field
    def where(self, info: strawberry.Info) -> str:
        return ".".join(map(str, info.path.as_list()))

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("on purpose")

    @strawberry.field
    async def fails_later(self) -> str | None:
        await asyncio.sleep(0)
        raise ValueError("on purpose, later")

    @strawberry.field
    async def ticks(self) -> AsyncIterator[int]:
        yield 1


STRAWBERRY = strawberry.Schema(Query, types=[Cat, Dog, Stone], config=StrawberryConfig(scalar_map=SCALARS))
SCHEMA = STRAWBERRY._schema
resolve_directly(SCHEMA.type_map)


def asked(text: str, /, **variables: Any) -> Asked:
    document = parse(text)
    assert validate(SCHEMA, document) == []
    return Asked.of(SCHEMA, document, variables)


async def the_same(text: str, /, **variables: Any) -> dict[str, Any]:
    """What both answer, without an error."""
    answer, errors = await compared(asked(text, **variables), Context(), Context())
    assert errors == []
    assert answer is not None, "the plan was surprised"
    return answer


@pytest.mark.parametrize("parent", ["thing", "slowThing", "things"])
@pytest.mark.parametrize("field", list(SCHEMA.type_map["Thing"].fields))  # type: ignore[attr-defined]
async def test_any_value_of_any_type_is_answered_as_by_graphql_core(field: str, parent: str) -> None:
    answered = 0
    operation = asked(f"{{ {parent} {{ {field} {SUBFIELDS.get(field, '')} }} }}")
    for number in range(len(values())):
        context = [Context(), Context()]
        for each in context:
            value = values()[number]
            each.value = [value, value] if parent == "things" else value  # type: ignore[attr-defined]
        answer, errors = await compared(operation, *context)
        # What is no error, and still left to graphql-core, is a list of another kind, or something odd to wait for.
        odd = isinstance(value, ODD) or (isinstance(value, list) and any(isinstance(item, Later) for item in value))
        assert answer is not None or errors or odd, value
        answered += answer is not None
    assert answered, "no value fits"


async def test_coroutines_and_futures_are_waited_for() -> None:
    operation = asked("{ thing { text maybeTexts } }")
    for make in (_coroutine, lambda: asyncio.ensure_future(_coroutine())):
        context = Context()
        context.value = make()  # type: ignore[attr-defined]
        assert await planned(asked("{ thing { text } }"), context) == {"thing": {"text": "later"}}
    assert operation.operation.name is None


async def test_fragments_on_interfaces_and_unions_give_what_fits_the_type() -> None:
    answer = await the_same(
        """{ pets { __typename ...Any ... on Dog { colour friend { lives } } ... { name } ...Feline }
          again: pets { name } }
        fragment Any on Named { name ... on Cat { lives } }
        fragment Feline on Cat { lives nine: lives }"""
    )
    dog, cat, _ = answer["pets"]
    assert dog == {"__typename": "Dog", "name": "Rex", "colour": "GRASS", "friend": {"lives": 7}}
    assert cat == {"__typename": "Cat", "name": "Tom", "lives": 9, "nine": 9}
    assert answer["again"] == [{"name": "Rex"}, {"name": "Tom"}, {"name": "Bo"}]


@pytest.mark.parametrize(("skipped", "included"), [(False, False), (False, True), (True, False), (True, True)])
async def test_conditions_leave_out_what_they_say(skipped: bool, included: bool) -> None:
    answer = await the_same(
        """query ($no: Boolean!, $yes: Boolean!, $usual: Boolean = true) {
          a: echo @skip(if: $no) b: echo @include(if: $yes) c: echo @skip(if: $no) @include(if: $yes)
          d: echo @include(if: $usual) ... @include(if: $yes) { e: echo } ...F @skip(if: $no) f: echo @skip(if: true)
        } fragment F on Query { g: echo }""",
        no=skipped,
        yes=included,
    )
    wanted = {"d"} | ({"a", "g"} if not skipped else set()) | ({"b", "e"} if included else set())
    assert set(answer) == wanted | ({"c"} if included and not skipped else set())


async def test_arguments_have_their_defaults_and_variables_theirs() -> None:
    assert await the_same(
        """query ($text: String!, $times: Int, $none: Int, $wish: Wish, $colour: Colour = GRASS) {
          a: echo b: echo(text: "x", times: null) c: echo(text: $text, times: $times) d: echo(times: $none)
          e: echo(wish: {times: 3}) f: echo(wish: $wish) j: echo(text: "x", wish: {times: $times, name: $text})
          k: echo(wish: {times: $none, name: "it"})
          g: colourOf h: colourOf(colour: $colour) i: colourOf(colour: RED)
        }""",
        text="given",
        times=2,
        wish={"name": "me"},
    ) == {
        "a": "hello-1-None",
        "b": "x-None-None",
        "c": "given-2-None",
        "d": "hello-1-None",
        "e": "hello-1-Wish(name='anybody', times=3)",
        "f": "hello-1-Wish(name='me', times=1)",
        "j": "x-1-Wish(name='given', times=2)",
        "k": "hello-1-Wish(name='it', times=1)",
        "g": "RED",
        "h": "GRASS",
        "i": "RED",
    }


async def test_a_plan_is_run_with_other_variables() -> None:
    text = "query ($text: String!) { echo(text: $text) }"
    plan = asked(text, text="one").plan()
    for given in ("one", "two"):
        answer = await plan.run(Context(), asked(text, text=given).variables)  # type: ignore[arg-type]
        assert answer == {"echo": f"{given}-1-None"}


ITEMS = """query ($plus: Int) { LIST { before: number doubled(plus: $plus) again: doubled(plus: 1) after: number
  ...More } } fragment More on Item { doubled(plus: $plus) }"""


@pytest.mark.parametrize("of", ["items", "sureItems", "item"])
@pytest.mark.parametrize("numbers", [[1, 2], [3], [None, 1], [1, None, 2], [None], [], [1, 13], [99], [1, 99]])
async def test_what_is_told_of_all_at_once_is_told_as_of_each(of: str, numbers: list[int | None]) -> None:
    if of == "sureItems" and numbers[:1] != [None] and None in numbers:
        pytest.skip("graphql-core forgets the coroutines of those before a null that may not be")
    contexts = Context(), Context()
    for context in contexts:
        context.value = numbers  # type: ignore[attr-defined]
    operation = asked(ITEMS.replace("LIST", of), plus=5)
    answer, errors = await compared(operation, *contexts)
    if answer is not None:
        once = [number for number in numbers if number is not None]
        assert contexts[0].seen == ([] if not once else [once, once]) or of == "item"
    # Only one that forgets some is wrong without an error of graphql-core, which asks of each.
    assert answer is not None or errors or (99 in numbers and of != "item")


async def test_what_is_selected_of_what_is_told_of_all_at_once_is_so_too() -> None:
    contexts = Context(), Context()
    for context in contexts:
        context.value = [1, None, 3, 4]  # type: ignore[attr-defined]
    answer, errors = await compared(asked("{ items { following { number doubled } } }"), *contexts)
    told = [{"number": 2, "doubled": 4}, None, {"number": 5, "doubled": 10}]
    assert not errors
    assert answer == {"items": [{"following": told[0]}, None, {"following": told[1]}, {"following": told[2]}]}
    assert contexts[0].seen == [[2, 5]]


async def test_an_object_in_which_a_variable_is_null_is_read_as_ever() -> None:
    text = "query ($name: String, $times: Int) { echo(wish: {name: $name, times: $times}) }"
    for given in ({"times": 2}, {"name": "me", "times": None}, {"name": None, "times": 2}, {"name": "me", "times": 3}):
        await compared(asked(text, **given), Context(), Context())


async def test_what_a_resolver_is_given_is_its_own() -> None:
    """A list or an object of the document is made anew for each run; what cannot be changed is not."""
    operation = asked('{ echo(text: "x", times: 2) e: echo(wish: {name: "me"}) }')
    plan = operation.plan()
    for _ in range(2):
        answer = await plan.run(Context(), operation.variables)  # type: ignore[arg-type]
        assert answer == {"echo": "x-2-None", "e": "hello-1-Wish(name='me', times=1)"}


async def test_what_waits_waits_together() -> None:
    context = Context()
    operation = asked(
        '{ a: waits(name: "a") b: waits(name: "b") pets { ... on Dog { friend { name } } } c: waits(name: "c") }'
    )
    answer = await planned(operation, context)
    assert answer is not None
    assert list(answer) == ["a", "b", "pets", "c"]
    assert context.seen == ["a begins", "b begins", "c begins", "a ends", "b ends", "c ends"]


async def test_coroutines_have_variables_of_their_own() -> None:
    names = [f"n{number}" for number in range(5)]
    answer = await the_same("{ " + " ".join(f'{name}: namedHere(name: "{name}")' for name in names) + " }")
    assert answer == {name: name for name in names}
    assert NAME.get() == "nobody"


async def test_resolvers_gather_and_are_done_in_their_own_order() -> None:
    assert await the_same("{ gathers a: gathers }") == {"gathers": [0, 1, 2], "a": [0, 1, 2]}


@pytest.mark.parametrize("field", ["where", "fails", "failsLater", "a: echo b: failsLater", "a: failsLater b: fails"])
async def test_what_goes_wrong_or_asks_for_its_path_is_left_to_graphql_core(field: str) -> None:
    operation = asked(f"{{ {field} }}")
    assert await planned(operation, Context()) is None
    result = await executed(operation, Context())
    assert result.errors or result.data == {"where": "where"}


async def test_nothing_is_left_behind_when_something_goes_wrong(recwarn: pytest.WarningsRecorder) -> None:
    context = Context()
    assert await planned(asked('{ stays fails a: waits(name: "a") }'), context) is None
    assert await planned(asked('{ stays failsLater a: waits(name: "a") }'), context) is None
    await asyncio.sleep(0.02)
    gc.collect()
    assert context.seen == ["cancelled", "a begins", "cancelled"]
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize(
    "text", ['{ echo a: waits(name: "a") pets { name } }', "{ fails stays }", "{ failsLater stays }"]
)
async def test_nothing_of_a_run_is_left_to_the_garbage_collector(text: str) -> None:
    operation = asked(text)
    plan = operation.plan()

    async def run() -> weakref.ref[Context]:
        context = Context()
        with suppress(Surprise):
            await plan.run(context, operation.variables)  # type: ignore[arg-type]
        return weakref.ref(context)

    gc.collect()
    gc.disable()
    try:
        left = await run()
        await asyncio.sleep(0)  # cancelled timers are the loop's until then
        assert left() is None
    finally:
        gc.enable()


async def test_a_timeout_of_a_resolver_is_not_the_request_s() -> None:
    operation = asked('{ givesUp a: waits(name: "a") }')
    # It cancels what it runs in, of which a plan has one for all; so graphql-core is asked.
    assert await planned(operation, Context()) is None
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert (await executed(operation, Context())).data == {"givesUp": "given up", "a": "a"}


async def test_who_asks_may_leave() -> None:
    context = Context()
    task = asyncio.ensure_future(planned(asked("{ stays a: stays echo }"), context))
    for _ in range(100):  # both of them have begun
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert context.seen == ["cancelled", "cancelled"]


def test_an_operation_with_too_many_fields_has_no_plan() -> None:
    fields = " ".join(f"a{number}: echo" for number in range(FIELDS_MAX + 1))
    with pytest.raises(TooLong):
        asked(f"{{ {fields} }}").plan()
    asked(f"{{ {fields.rpartition(' a')[0]} }}").plan()


async def test_an_unknown_object_is_a_surprise() -> None:
    context = Context()
    context.value = Stone(weight=1.0)  # type: ignore[attr-defined]
    with pytest.raises(Surprise, match="no Named"):
        await asked("{ thing { named { name } } }").plan().run(context, asked("{ echo }").variables)  # type: ignore[arg-type]
