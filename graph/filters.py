"""What a list can be asked for: the operators of a filter, by the type of what they compare.

All operators that are given must hold; one that is left out or null asks for nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Final

import strawberry

from core.errors import InvalidValue
from core.time.clock import microseconds
from graph.pages import Where
from graph.texts import check_text

IN_MAX: Final = 100


@strawberry.input
class TextFilter:
    """Which text is wanted, letter by letter."""

    eq: str | None = strawberry.field(default=None, description="This one.")
    in_: list[str] | None = strawberry.field(
        default=None, name="in", description=f"One of these, at most {IN_MAX}; none is like any if it is empty."
    )


@strawberry.input
class InstantFilter:
    """Which moments are wanted."""

    from_: datetime | None = strawberry.field(default=None, name="from", description="At this one or later.")
    before: datetime | None = strawberry.field(default=None, description="Earlier than this one.")


def text_is(field: str, column: str, wanted: TextFilter | None) -> list[Where]:
    """The conditions of a filter of text; ``field`` names it in refusals. Raises InvalidValue."""
    if wanted is None:
        return []
    if wanted.in_ is not None and len(wanted.in_) > IN_MAX:
        raise InvalidValue(field=field, reason=f"at most {IN_MAX} at once")
    for text in (*(wanted.in_ or ()), wanted.eq or ""):
        check_text(field, text, shortest=0)
    where = [] if wanted.eq is None else [Where(f"{column} = ?", (wanted.eq,))]
    if wanted.in_ is not None:
        where.append(_one_of(column, wanted.in_))
    return where


def enum_is(column: str, eq: Enum | None, in_: Sequence[Enum] | None) -> list[Where]:
    """The conditions of a filter of an enum, whose values are the column's texts."""
    where = [] if eq is None else [Where(f"{column} = ?", (_value(eq),))]
    if in_ is not None:
        # There are no more values than the enum has.
        where.append(_one_of(column, sorted({_value(one) for one in in_})))
    return where


def instant_is(column: str, wanted: InstantFilter | None) -> list[Where]:
    """The conditions of a filter of moments."""
    if wanted is None:
        return []
    limits = ((">=", wanted.from_), ("<", wanted.before))
    return [Where(f"{column} {sign} ?", (microseconds(limit),)) for sign, limit in limits if limit is not None]


def _one_of(column: str, values: Sequence[Any]) -> Where:
    # An empty IN () is no SQL.
    sql = f"{column} IN ({', '.join('?' * len(values))})" if values else "1 = 0"
    return Where(sql, tuple(values))


def _value(one: Enum) -> str:
    return str(one.value)
