from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError

from graph import scalars

MAX = 2**53 - 1


@pytest.mark.parametrize("value", [0, 1, -1, MAX, -MAX])
def test_points_are_integers_that_every_client_can_represent(value: int) -> None:
    assert scalars.parse_points(value) == value
    assert scalars.write_points(value) == value


@pytest.mark.parametrize(
    "value", [MAX + 1, -MAX - 1, 1.0, 1.5, True, False, "1", None, [1], {"points": 1}, float("inf")]
)
def test_nothing_else_is_points(value: Any) -> None:
    with pytest.raises(GraphQLError, match="is not Points"):
        scalars.parse_points(value)


@pytest.mark.parametrize("text", ["0", "12.50", "-0.01", "999999999999999999.999999999999"])
def test_a_decimal_is_written_as_it_was_read(text: str) -> None:
    assert scalars.write_decimal(scalars.parse_decimal(text)) == text


@pytest.mark.parametrize(
    "value",
    [
        12.5,
        12,
        "",
        " 1",
        "1,5",
        "1e3",
        "NaN",
        "Infinity",
        "-Infinity",
        ".5",
        "5.",
        "0x10",
        "١٢",
        "1" * 19,
        "1_000",
        None,
    ],
)
def test_nothing_else_is_a_decimal(value: Any) -> None:
    with pytest.raises(GraphQLError, match="is not Decimal"):
        scalars.parse_decimal(value)


def test_a_decimal_is_never_written_with_an_exponent() -> None:
    assert scalars.write_decimal(Decimal("1E+3")) == "1000"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-06-01T08:00:00Z", datetime(2026, 6, 1, 8, tzinfo=UTC)),
        ("2026-06-01t08:00:00z", datetime(2026, 6, 1, 8, tzinfo=UTC)),
        ("2026-06-01T00:30:00+08:00", datetime(2026, 5, 31, 16, 30, tzinfo=UTC)),
        ("2026-06-01T08:00:00.123456-00:30", datetime(2026, 6, 1, 8, 30, 0, 123456, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_with_its_offset_and_kept_in_utc(text: str, instant: datetime) -> None:
    assert scalars.parse_instant(text) == instant
    assert scalars.parse_instant(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        "2026-06-01T08:00:00",
        "2026-06-01",
        "2026-06-01 08:00:00Z",
        "2026-06-01T08:00Z",
        "2026-06-31T08:00:00Z",
        "2026-06-01T24:00:00Z",
        "2026-06-01T08:00:60Z",
        "2026-06-01T08:00:00.1234567Z",
        "2026-06-01T08:00:00+0800",
        "0001-01-01T00:00:00+01:00",
        "20260601T080000Z",
        1_780_000_000,
        None,
    ],
)
def test_nothing_else_is_an_instant(value: Any) -> None:
    with pytest.raises(GraphQLError, match="is not Instant"):
        scalars.parse_instant(value)


def test_instants_are_written_in_utc_with_a_z() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert scalars.write_instant(datetime(2026, 6, 1, 0, 30, tzinfo=shanghai)) == "2026-05-31T16:30:00Z"


def test_a_day_is_a_day_of_the_calendar() -> None:
    assert scalars.parse_day("2028-02-29") == date(2028, 2, 29)


@pytest.mark.parametrize(
    "value", ["2026-02-29", "2026-2-1", "20260201", "2026-W05-1", "2026-06-01T00:00:00Z", 20260601, None]
)
def test_nothing_else_is_a_day(value: Any) -> None:
    with pytest.raises(GraphQLError, match="is not Day"):
        scalars.parse_day(value)


@pytest.mark.parametrize("value", ["cny", "CN", "CNYX", "¥", "CÑY", "", None, 156])
def test_a_currency_is_three_capital_letters(value: Any) -> None:
    with pytest.raises(GraphQLError, match="is not CurrencyCode"):
        scalars.parse_currency(value)


def test_what_was_refused_is_shown_in_short() -> None:
    with pytest.raises(GraphQLError) as refused:
        scalars.parse_points("9" * 100_000)
    assert len(refused.value.message) < 200
