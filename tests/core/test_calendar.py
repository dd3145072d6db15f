from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.time.calendar import add_months, day_start, local_day, month_end, month_start, quarter_end, year_end
from core.time.clock import microseconds

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("day", "months", "result"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-11-22", 12, "2027-11-22"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-05-05", 0, "2026-05-05"),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(day: str, months: int, result: str) -> None:
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(result)


@pytest.mark.parametrize(
    ("day", "month", "quarter"),
    [
        ("2026-01-01", "2026-01-31", "2026-03-31"),
        ("2026-03-31", "2026-03-31", "2026-03-31"),
        ("2028-02-10", "2028-02-29", "2028-03-31"),
        ("2026-04-01", "2026-04-30", "2026-06-30"),
        ("2026-12-31", "2026-12-31", "2026-12-31"),
    ],
)
def test_periods_end_on_their_last_day(day: str, month: str, quarter: str) -> None:
    given_day = date.fromisoformat(day)

    assert month_start(given_day) == given_day.replace(day=1)
    assert month_end(given_day) == date.fromisoformat(month)
    assert quarter_end(given_day) == date.fromisoformat(quarter)
    assert year_end(given_day) == date(given_day.year, 12, 31)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-11-22T15:59:59+00:00", "2026-11-22"),
        ("2026-11-22T16:00:00+00:00", "2026-11-23"),
        ("2026-11-22T23:59:00+08:00", "2026-11-22"),
        ("2026-11-23T00:01:00+08:00", "2026-11-23"),
    ],
)
def test_the_day_is_the_one_of_the_programmes_zone(instant: str, day: str) -> None:
    assert local_day(datetime.fromisoformat(instant), SHANGHAI) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "zone", "start"),
    [
        ("2026-11-23", "Asia/Shanghai", "2026-11-22T16:00:00+00:00"),
        ("2026-03-29", "Europe/London", "2026-03-29T00:00:00+00:00"),
        ("2026-03-30", "Europe/London", "2026-03-29T23:00:00+00:00"),
        # Midnight does not exist on this day: the clocks go from 23:59 to 01:00.
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00+00:00"),
        # And 23:00 to 24:00 comes twice on the day before this one.
        ("2018-02-18", "America/Sao_Paulo", "2018-02-18T03:00:00+00:00"),
    ],
)
def test_a_day_begins_where_its_clocks_say(day: str, zone: str, start: str) -> None:
    assert day_start(date.fromisoformat(day), ZoneInfo(zone)) == datetime.fromisoformat(start)


@given(
    st.dates(date(1970, 1, 2), date(2100, 1, 1)),
    st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Europe/London", "America/Sao_Paulo"]),
)
def test_a_day_starts_at_its_first_instant(day: date, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    start = day_start(day, zone)

    assert start.tzinfo is UTC
    assert local_day(start, zone) == day
    assert local_day(start - timedelta(microseconds=1), zone) == day - timedelta(days=1)


def test_an_hour_that_a_zone_has_twice_is_two_instants() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))

    assert microseconds(first.replace(fold=1)) - microseconds(first) == 3_600_000_000
    assert microseconds(first.astimezone(UTC)) == microseconds(first)
