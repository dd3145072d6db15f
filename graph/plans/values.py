"""Values, and those of leaves as they stand in an answer: what graphql-core would write, found with fewer questions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson
from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from strawberry.execution import optimized_is_awaitable

from core.units import AMOUNT_MAX
from graph.plans.run import Complete, Run, Surprise
from graph.scalars import write_decimal, write_instant, write_points

_BY_KIND: Final[Mapping[GraphQLLeafType, str]] = {
    GraphQLString: "type({0}) is str",
    GraphQLID: "type({0}) is str",
    GraphQLBoolean: "type({0}) is bool",
    GraphQLInt: "type({0}) is int and -2147483648 <= {0} <= 2147483647",
    # Neither infinite nor no number.
    GraphQLFloat: "type({0}) is float and {0} - {0} == 0.0",
}
_BY_WRITER: Final[Mapping[object, tuple[str, str]]] = {
    write_points: (f"type({{0}}) is int and -{AMOUNT_MAX} <= {{0}} <= {AMOUNT_MAX}", "{0}"),
    write_decimal: ("type({0}) is Decimal and {0}.is_finite()", "format({0}, 'f')"),
    write_instant: ("type({0}) is datetime and {0}.tzinfo is UTC", "dumps({0}, None, UTC_Z)[1:-1].decode()"),
}
NAMES: Final[Mapping[str, object]] = {
    "Decimal": Decimal, "datetime": datetime, "UTC": UTC, "dumps": orjson.dumps, "UTC_Z": orjson.OPT_UTC_Z
}  # fmt: skip
"""What ``at_once`` says things with."""
PLAIN: Final[set[type]] = set()
"""Classes whose objects are values, as far as is known."""
_PLAIN_MAX: Final = 10_000


def look_at(value: Any) -> None:
    """Raise Surprise for what is no value: an exception, or something to wait for. Others of its class are let pass."""
    if isinstance(value, Exception):
        raise value
    if value is Undefined or optimized_is_awaitable(value):
        raise Surprise(f"{value.__class__.__name__} for a value")
    if len(PLAIN) < _PLAIN_MAX:
        PLAIN.add(type(value))


def at_once(kind: GraphQLLeafType, name: str) -> tuple[str, str] | None:
    """How Python says that of the value of that name nothing has to be asked, and how it is written then."""
    if (plain := _BY_KIND.get(kind)) is not None:
        return plain.format(name), name
    if (written := _BY_WRITER.get(kind.coerce_output_value)) is not None:
        condition, expression = written
        return condition.format(name), expression.format(name)
    return None


def leaf(kind: GraphQLLeafType, *, required: bool) -> Complete:
    """What writes values of a scalar or an enum."""
    coerce = kind.coerce_output_value

    def write(value: Any, run: Run) -> Any:
        if value is None:
            if required:
                raise Surprise(f"null for {kind}!")
            return None
        if type(value) not in PLAIN:
            look_at(value)
        coerced = coerce(value)
        if coerced is None or coerced is Undefined:
            raise Surprise(f"nothing for {kind}")
        return coerced

    if not isinstance(kind, GraphQLEnumType):
        return write
    python = getattr(kind, "wrapped_cls", None)
    if python is None:
        return write
    names = {member: coerce(member) for member in python}

    def name(value: Any, run: Run) -> Any:
        return names[value] if type(value) is python else write(value, run)

    return name
