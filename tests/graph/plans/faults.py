"""Resolvers of a whole schema that go wrong: they raise, and give null, or what is not of their type.

One field goes wrong at a time, of some of the objects that have it, so that it does in the middle of lists. Which
objects these are depends on nothing but their values: both ways of executing a document meet the same.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import wraps
from inspect import isawaitable
from random import Random
from typing import Any, Final, NamedTuple
from zlib import crc32

import strawberry
from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_list_type,
)
from graphql import get_nullable_type as nullable
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from core.errors import InvalidValue
from graph.resolving import Attribute, Function, declared_of, direct_of

_DIRECT: Final = "laurel-direct"
_SPOILT: Final = "__spoilt__"


class Later:
    """Something to wait for that is no coroutine."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Later()"  # the same each time, as answers may have it

    def __await__(self) -> Iterator[Any]:
        return asyncio.sleep(0, self._value).__await__()


class Unsayable:
    """Fits no scalar of any kind."""

    def __str__(self) -> str:
        raise ValueError("nobody can say")


class Broken(Exception):
    """What resolvers raise here that nobody expects."""


ODD: Final[Sequence[Any]] = (
    "",
    "text",
    "red",
    0,
    -1,
    True,
    2**31,
    -(2**31) - 1,
    2**53 - 1,
    2**53,
    -(2**53),
    2**60,
    1.5,
    float("nan"),
    float("inf"),
    Decimal("1.50"),
    Decimal("NaN"),
    datetime(2026, 6, 1, tzinfo=UTC),
    datetime(2026, 6, 1, 12, 30, 1, 5, tzinfo=UTC),
    datetime(2026, 6, 1, tzinfo=timezone(timedelta(hours=8))),
    datetime(2026, 6, 1, tzinfo=timezone(timedelta(0), "Z")),
    datetime(2026, 6, 1),  # noqa: DTZ001  of no zone on purpose
    date(2026, 6, 1),
    timedelta(days=1),
    b"bytes",
    [],
    ["a", None],
    [[1], None],
    {"name": "a dictionary"},
    {"a": 1}.keys(),
    Unsayable(),
    Undefined,
    strawberry.UNSET,
    GraphQLError,
)
"""Values that fit one type or another, or none."""


BEYOND: Final = (2**31, -(2**31) - 1, 2**53, -(2**53), 2**63)
"""Integers that one kind of number or another does not go to."""


def _beyond(value: Any, by: int) -> Any:
    return BEYOND[by % len(BEYOND)] if value.__class__ is int else value


def _raise(error: Exception) -> Any:
    raise error


async def _coroutine(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


KINDS: Final[Mapping[str, Callable[[Any, int], Any]]] = {
    "raises": lambda value, by: _raise(Broken(f"number {by % 7}")),
    "refuses": lambda value, by: _raise(InvalidValue(field="of chance", reason=f"number {by % 7}")),
    "raises with a code": lambda value, by: _raise(GraphQLError("on purpose", extensions={"code": "ON_PURPOSE"})),
    "returns an exception": lambda value, by: Broken("returned"),
    "null": lambda value, by: None,
    "odd": lambda value, by: ODD[by % len(ODD)],
    "beyond its range": _beyond,
    "waits": lambda value, by: _coroutine(value),
    "waits otherwise": lambda value, by: Later(value),
    "waits and raises": lambda value, by: _fails(by),
}
ITEMS: Final[Mapping[str, Callable[[Any, int], Any]]] = {
    "a null": lambda item, by: None,
    "an exception": lambda item, by: Broken("an item"),
    "another": lambda item, by: ODD[by % len(ODD)],
    "one later": lambda item, by: Later(item),
    "a list": lambda item, by: [item],
}
LISTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "tuple": tuple,
    "generator": lambda items: (item for item in items),
    "keys": lambda items: dict(enumerate(items)).values(),
    "twice": lambda items: [*items, *items],
    "empty": lambda items: [],
}
OF_ATTRIBUTES: Final = ("null", "odd", "beyond its range", "returns an exception", "waits otherwise")


async def _fails(by: int) -> Any:
    await asyncio.sleep(0)
    raise Broken(f"later, number {by % 7}")


class Fault(NamedTuple):
    """What goes wrong with a field: of every ``one_in``-th object that has it, of those classes."""

    classes: tuple[type, ...]
    field: str
    attribute: str
    kind: str
    one_in: int

    def spoilt(self, value: Any, by: int) -> Any:
        """What is there instead of a value."""
        if self.kind in KINDS:
            return KINDS[self.kind](value, by)
        if not isinstance(value, list):
            return value
        if self.kind in LISTS:
            return LISTS[self.kind](value)
        at = by % (len(value) or 1)
        return [ITEMS[self.kind](item, by) if number == at else item for number, item in enumerate(value)]


class Faults:
    """A schema of which one field at a time can be made to go wrong; ``fault`` is which."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.fault: Fault | None = None
        self._schema = schema
        for kind in schema.type_map.values():
            if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
                for name, field in kind.fields.items():
                    self._install(name, _class_of(kind), field)

    def choose(self, random: Random, coordinates: Sequence[str]) -> None:
        """Let one of these fields go wrong, in one way or another."""
        parent, _, name = random.choice(coordinates).partition(".")
        kind: Any = self._schema.type_map[parent]
        kinds = [kind] if isinstance(kind, GraphQLObjectType) else self._schema.get_possible_types(kind)
        field: GraphQLField = kind.fields[name]
        direct = next((one for one in (direct_of(kind.fields[name]) for kind in kinds)), None)
        ways = [*KINDS]
        if is_list_type(nullable(field.type)):
            ways += [*ITEMS, *ITEMS, *LISTS]
        attribute = direct.name if isinstance(direct, Attribute) else ""
        if get_named_type(field.type).name in {"Int", "Points"}:
            ways += ["beyond its range"] * 9
        if attribute:
            ways = [way for way in ways if way in OF_ATTRIBUTES or way not in KINDS]
        classes = tuple(found for kind in kinds if (found := _class_of(kind)) is not None)
        self.fault = Fault(classes, name, attribute, random.choice(ways), random.choice((1, 1, 2, 3)))

    # -- installing ----------------------------------------------------------------------------------------

    def _install(self, name: str, of: type | None, field: GraphQLField) -> None:
        direct, declared = direct_of(field), declared_of(field)
        if isinstance(direct, Attribute) or of is None:
            return  # it is the object that is spoilt
        if isinstance(direct, Function) and isinstance(declared, StrawberryField):
            takes_parent = direct.takes_parent
            direct = direct._replace(
                function=self._one(name, of, direct.function, lambda given: given[0] if takes_parent else None),
                of_all=None if direct.of_all is None else self._all(name, of, direct.of_all),
            )
            field.extensions[_DIRECT] = direct
            if not declared.arguments:
                field.resolve = direct.resolve(declared)
                return
        if field.resolve is not None:
            field.resolve = self._one(name, of, field.resolve, lambda given: given[0])

    def _one(self, name: str, of: type, function: Callable[..., Any], parent_of: Callable[[Any], Any]) -> Any:
        @wraps(function)
        def resolve(*given: Any, **arguments: Any) -> Any:
            value = function(*given, **arguments)
            if self.fault is None:
                return value
            if isawaitable(value):
                return self._awaited(name, of, parent_of(given), value)
            return self._looked_at(name, of, parent_of(given), value)

        return resolve

    def _all(self, name: str, of: type, function: Callable[..., Any]) -> Any:
        @wraps(function)
        async def resolve(parents: Sequence[Any], *given: Any, **arguments: Any) -> Any:
            values = await function(parents, *given, **arguments)
            if self.fault is None:
                return values
            return [self._looked_at(name, of, *one) for one in zip(parents, values, strict=True)]

        return resolve

    async def _awaited(self, name: str, of: type, parent: Any, value: Awaitable[Any]) -> Any:
        found = self._looked_at(name, of, parent, await value)
        return await found if isawaitable(found) else found

    # -- going wrong ---------------------------------------------------------------------------------------

    def _looked_at(self, name: str, of: type, parent: Any, value: Any) -> Any:
        """What a resolver gives instead."""
        fault = self.fault
        assert fault is not None
        if fault.attribute:
            return _with_spoilt(value, fault)
        if fault.field != name or of not in fault.classes:
            return value
        by = _number(parent)
        return value if by % fault.one_in else fault.spoilt(value, by // fault.one_in)


def _with_spoilt(value: Any, fault: Fault) -> Any:
    """The value, with what the fault is about spoilt in it."""
    if isinstance(value, list):
        return [_with_spoilt(item, fault) for item in value]
    if not isinstance(getattr(value, "__strawberry_definition__", None), StrawberryObjectDefinition):
        return value
    own = getattr(value, "__dict__", None) or {}
    if _SPOILT in own:
        return value  # when a resolver above has given it
    changed = {name: new for name, old in own.items() if (new := _with_spoilt(old, fault)) is not old}
    by = _number(value)
    if value.__class__ in fault.classes and by % fault.one_in == 0 and fault.attribute in own:
        changed[fault.attribute] = fault.spoilt(own[fault.attribute], by // fault.one_in)
    if not changed:
        return value
    spoilt = copy.copy(value)
    for name, new in (changed | {_SPOILT: True}).items():
        object.__setattr__(spoilt, name, new)
    return spoilt


def _number(value: Any) -> int:
    """A number of a value that is the same whenever it is asked for."""
    # What is found when it is asked for is asked for, or it would depend on who has asked before.
    names = getattr(value, "__dataclass_fields__", None) or getattr(value, "__dict__", None) or {}
    found = ((name, getattr(value, name, None)) for name in names)
    said = [f"{name}={of!r}" for name, of in found if isinstance(of, str | int | Decimal | Enum)]
    return crc32("|".join((type(value).__name__, *said)).encode())


def _class_of(kind: Any) -> type | None:
    declared = kind.extensions.get("strawberry-definition")
    origin = getattr(declared, "origin", None)
    return origin if isinstance(origin, type) else None
