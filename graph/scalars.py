"""The scalars: points, decimals, instants and days, each strict both ways.

A value that a scalar refuses never reaches a resolver: it is a top-level error, as the request is malformed. What is
well formed and still not allowed (0 points, a day in the future) is the core's to refuse, in the payload.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from core.sandbox.durations import Duration
from core.units import AMOUNT_MAX

Points = NewType("Points", int)
CurrencyCode = NewType("CurrencyCode", str)
Instant = datetime
Day = date

_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_SHOWN: Final = 40


def _refused(scalar: str, value: Any, expected: str) -> GraphQLError:
    shown = repr(value)
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}…"
    return GraphQLError(f"{shown} is not {scalar}: {expected}")


def parse_points(value: Any) -> Points:
    """A JSON integer that every client can represent; neither 1.0 nor true nor "1".

    Raises GraphQLError, as all scalars do.
    """
    if type(value) is not int or not -AMOUNT_MAX <= value <= AMOUNT_MAX:
        raise _refused("Points", value, f"an integer between -{AMOUNT_MAX} and {AMOUNT_MAX} is needed")
    return Points(value)


def write_points(value: Any) -> int:
    return parse_points(value)


def parse_decimal(value: Any) -> Decimal:
    """Decimal text of bounded length, such as "12.50"."""
    if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
        raise _refused("Decimal", value, 'text such as "12.50" is needed, never a number')
    return Decimal(value)


def write_decimal(value: Any) -> str:
    assert isinstance(value, Decimal), f"{value!r} is no decimal"
    assert value.is_finite(), f"{value} cannot be written"
    return format(value, "f")


def parse_instant(value: Any) -> datetime:
    """RFC 3339 with seconds and an offset; as an aware datetime in UTC.

    >>> parse_instant("2026-06-01T00:30:00+08:00")
    datetime.datetime(2026, 5, 31, 16, 30, tzinfo=datetime.timezone.utc)
    """
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise _refused("Instant", value, 'RFC 3339 with an offset is needed, such as "2026-06-01T08:00:00+08:00"')


def write_instant(value: Any) -> str:
    assert isinstance(value, datetime), f"{value!r} is no instant"
    assert value.tzinfo is not None, f"{value} has no zone"
    if value.tzinfo is UTC:
        return value.isoformat()[: -len("+00:00")] + "Z"
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_day(value: Any) -> date:
    """A day of the calendar, such as "2026-06-01"."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise _refused("Day", value, 'a day of the calendar is needed, such as "2026-06-01"')


def parse_currency(value: Any) -> CurrencyCode:
    """Three capital letters; whether there is such a currency is the core's to say."""
    if not isinstance(value, str) or _CURRENCY.fullmatch(value) is None:
        raise _refused("CurrencyCode", value, 'three capital letters are needed, such as "CNY"')
    return CurrencyCode(value)


def parse_duration(value: Any) -> Duration:
    """An ISO 8601 duration of whole numbers, such as "P12M"."""
    if isinstance(value, str):
        try:
            return Duration.read(value)
        except ValueError:
            pass
    raise _refused("Duration", value, 'a duration of ISO 8601 is needed, such as "P12M", "P1D" or "PT90M"')


SCALARS: Final[Mapping[object, ScalarDefinition]] = {
    Points: strawberry.scalar(
        name="Points",
        description="An exact whole amount of a unit, signed: a JSON integer of at most 2^53 - 1, so that no client "
        "loses a digit.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259#section-6",
        serialize=write_points,
        parse_value=parse_points,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number, written as text: "12.50".',
        specified_by_url="https://www.w3.org/TR/xmlschema11-2/#decimal",
        serialize=write_decimal,
        parse_value=parse_decimal,
    ),
    datetime: strawberry.scalar(
        name="Instant",
        description="A moment: RFC 3339 with its offset. Answers are in UTC and end in Z.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=write_instant,
        parse_value=parse_instant,
    ),
    date: strawberry.scalar(
        name="Day",
        description="A day of the calendar, of the programme's time zone where it matters: 2026-06-01.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date",
        serialize=date.isoformat,
        parse_value=parse_day,
    ),
    Duration: strawberry.scalar(
        name="Duration",
        description="A length of time as ISO 8601 writes it, in whole numbers: P12M, P1D, P1DT6H. Months and days "
        "are of the calendar.",
        specified_by_url="https://scalars.graphql.org/jakobmerrild/duration",
        serialize=str,
        parse_value=parse_duration,
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="A currency by its code of three letters: CNY.",
        specified_by_url="https://www.iso.org/iso-4217-currency-codes.html",
        serialize=str,
        parse_value=parse_currency,
    ),
}
