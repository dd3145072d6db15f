"""What a message can speak of: the event's data, the member and the programme, each by name and type.

Conditions see what their language has types for; texts see all of it.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from core.rulebook.language import type_of
from core.telling.event_types import EventData

SAMPLE_DAY: Final = date(2026, 12, 31)
SAMPLE_AT: Final = datetime(2026, 12, 31, 12, tzinfo=UTC)
_SAMPLES: Final[Mapping[Any, Any]] = {
    str: "ABC",
    int: 1200,
    bool: True,
    date: SAMPLE_DAY,
    datetime: SAMPLE_AT,
    Decimal: Decimal(12),
}


class Blank(dict[str, Any]):
    """A mapping in which what is missing is nothing: not every member has every attribute."""

    def __missing__(self, key: str) -> str:
        return ""


@dataclass(frozen=True)
class MemberFacts:
    """The member as of now. ``tier_rank`` is 1 for the lowest tier and 0 without one, ``points`` what can be spent."""

    external_id: str
    status: str
    tier: str
    tier_name: str
    tier_rank: int
    points: int
    enrolled_at: datetime


@dataclass(frozen=True)
class ProgrammeFacts:
    """The programme."""

    id: str
    name: str


SAMPLE_MEMBER: Final = MemberFacts("A-1001", "active", "", "", 0, 1200, SAMPLE_AT)


def fields_of(data: type[BaseModel]) -> Mapping[str, Any]:
    """The names and types of an event's data."""
    return {name: field.annotation for name, field in data.model_fields.items()}


@cache
def conditional(data: type[EventData]) -> type:
    """The event's data as conditions see it: without what their language has no type for."""
    known = []
    for name, annotation in fields_of(data).items():
        try:
            type_of(annotation)
        except TypeError:
            continue
        known.append((name, annotation))
    return dataclasses.make_dataclass(data.__name__, known, frozen=True)


def as_condition(data: EventData) -> Any:
    """An event's data for a condition."""
    kind = conditional(type(data))
    return kind(**{field.name: getattr(data, field.name) for field in dataclasses.fields(kind)})


def as_text(data: EventData) -> Blank:
    """An event's data for a text. Values keep their types, so that each can be written as its reader is used to."""
    return Blank({name: _open(getattr(data, name)) for name in type(data).model_fields})


def _open(value: Any) -> Any:
    match value:
        case BaseModel():
            return Blank({name: _open(getattr(value, name)) for name in type(value).model_fields})
        case Mapping():
            return Blank({name: _open(inner) for name, inner in value.items()})
        case str():
            return value
        case Sequence():
            return [_open(inner) for inner in value]
        case _:
            return value


def sample(data: type[EventData]) -> EventData:
    """An event's data as it may be, for a preview."""
    found = _sample(data)
    assert isinstance(found, EventData)
    return found


def _sample(annotation: Any) -> Any:
    if annotation in _SAMPLES:
        return _SAMPLES[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.model_construct(**{name: _sample(of) for name, of in fields_of(annotation).items()})
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _sample(next(argument for argument in arguments if argument is not NoneType))
    if origin is dict:
        return {"points": _sample(arguments[1])}
    if origin is list:
        return [_sample(arguments[0])]
    return "ABC"


def item_of(annotation: Any) -> Any:
    """Of what a list is; None for what is no list."""
    return get_args(annotation)[0] if get_origin(annotation) is list else None
