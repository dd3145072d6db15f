"""What rex/1 is made of: its types, its functions and the attributes of plain values.

The library that parses has its own; it keeps the types and offers none of the rest, some of which goes through
floats, takes a locale, has no bound or knows the time.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, tzinfo
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from rule_engine.types import DataType

LANGUAGE: Final = "rex/1"

NUMBERS = Context(prec=38, traps=[InvalidOperation, DivisionByZero, Overflow])
"""How rex/1 counts. ``Expression.run`` expects to be called inside ``localcontext(NUMBERS)``."""

# -- types: what a Python annotation is to the language ---------------------------------------------

_SCALARS: dict[Any, Any] = {
    str: DataType.STRING,
    bool: DataType.BOOLEAN,
    int: DataType.FLOAT,
    Decimal: DataType.FLOAT,
    date: DataType.DATETIME,
    datetime: DataType.DATETIME,
}
PLAIN = frozenset(_SCALARS.values())
WANTED: dict[Any, Any] = {bool: DataType.BOOLEAN, Decimal: DataType.FLOAT}
_SPOKEN = {
    "BOOLEAN": "true or false",
    "FLOAT": "a number",
    "STRING": "a text",
    "DATETIME": "a date",
    "TIMEDELTA": "a span of time",
    "ARRAY": "a list",
    "NULL": "null",
    "FUNCTION": "a function",
    "UNDEFINED": "of no certain type",
}


def type_of(annotation: Any) -> Any:
    """The type of a fact that is declared so. Raises TypeError where the language has none, as for float."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and is_dataclass(annotation):
        hints = get_type_hints(annotation)
        attributes = {field.name: type_of(hints[field.name]) for field in fields(annotation)}
        return DataType.OBJECT(annotation.__name__, attributes=attributes)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType) and NoneType in arguments and len(arguments) == 2:
        return DataType.NULLABLE(type_of(next(argument for argument in arguments if argument is not NoneType)))
    if origin in (list, tuple, set, frozenset, Sequence, AbstractSet):
        return DataType.ARRAY(type_of(arguments[0]))
    raise TypeError(f"rex/1 has no type for {annotation!r}")


def spoken(kind: Any) -> str:
    """A type in the words of a message."""
    if DataType.is_type(kind, DataType.NULLABLE):
        return f"{spoken(kind.inner_type)} that may be missing"
    return _SPOKEN.get(kind.name, f"a {kind.name.lower()}")


# -- facts: as they are bound, to the values of the language ----------------------------------------


def number(value: Any) -> Decimal | None:
    """Raises TypeError for a float: it is wrong before anyone has calculated with it."""
    if type(value) is int:
        return Decimal(value)
    if value is None or isinstance(value, Decimal):
        return value
    raise TypeError(f"a number is an int or a Decimal, never {type(value).__name__}")


def instant(value: Any, zone: tzinfo) -> datetime | None:
    """In ``zone``; a date is the start of its day there. Raises TypeError for an instant without a zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("an instant needs a zone")
        return value.astimezone(zone)
    if value is None:
        return None
    return datetime(value.year, value.month, value.day, tzinfo=zone)


# -- functions: the library's own are not offered ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Function:
    """A function of one value or one list. ``type`` is what the library knows it by."""

    call: Callable[[Any], Any]
    takes: Any
    gives: Any
    type: Any

    @property
    def asks_for(self) -> str:
        """What it takes, in words."""
        return {_FLAGS: "a list of conditions", _NUMBERS: "a list of numbers"}.get(self.takes, "a number")


def _function(name: str, call: Callable[[Any], Any], takes: Any, gives: Any) -> tuple[str, Function]:
    kind = DataType.FUNCTION(name, return_type=gives, argument_types=(takes,))
    return name, Function(call, takes, gives, kind)


def _least(numbers: Iterable[Decimal]) -> Decimal:
    return min(numbers, default=Decimal(0))


def _greatest(numbers: Iterable[Decimal]) -> Decimal:
    return max(numbers, default=Decimal(0))


def _total(numbers: Iterable[Decimal]) -> Decimal:
    return sum(numbers, Decimal(0))


_FLAGS, _NUMBERS = DataType.ARRAY(DataType.BOOLEAN), DataType.ARRAY(DataType.FLOAT)
FUNCTIONS: dict[str, Function] = dict(
    [
        _function("any", any, _FLAGS, DataType.BOOLEAN),
        _function("all", all, _FLAGS, DataType.BOOLEAN),
        # Of an empty list 0, so that an order without lines is no error.
        _function("sum", _total, _NUMBERS, DataType.FLOAT),
        _function("min", _least, _NUMBERS, DataType.FLOAT),
        _function("max", _greatest, _NUMBERS, DataType.FLOAT),
        _function("abs", abs, DataType.FLOAT, DataType.FLOAT),
        _function("floor", lambda n: n.to_integral_value(ROUND_FLOOR), DataType.FLOAT, DataType.FLOAT),
        _function("ceil", lambda n: n.to_integral_value(ROUND_CEILING), DataType.FLOAT, DataType.FLOAT),
        _function("half_up", lambda n: n.to_integral_value(ROUND_HALF_UP), DataType.FLOAT, DataType.FLOAT),
    ]
)

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ATTRIBUTES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "DATETIME": {
        "year": lambda at: Decimal(at.year),
        "month": lambda at: Decimal(at.month),
        "day": lambda at: Decimal(at.day),
        "hour": lambda at: Decimal(at.hour),
        "minute": lambda at: Decimal(at.minute),
        "weekday": lambda at: _WEEKDAYS[at.weekday()],
    },
    "TIMEDELTA": {"days": lambda span: Decimal(span.days)},
    "STRING": {
        "as_lower": str.lower,
        "as_upper": str.upper,
        "length": lambda text: Decimal(len(text)),
        "is_empty": operator.not_,
    },
    "ARRAY": {"length": lambda items: Decimal(len(items)), "is_empty": operator.not_},
}
METHODS: dict[str, Callable[[str, str], bool]] = {"starts_with": str.startswith, "ends_with": str.endswith}
