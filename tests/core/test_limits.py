"""Limits: which one leaves least, and when it begins anew."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from core.books.tallies import Tally
from core.channels.limits import Left, Limits, Used, used_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
TODAY = date(2026, 10, 31)
TOMORROW = datetime(2026, 10, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("limits", "used", "left"),
    [
        (Limits(), Used(9, 9, 9), None),
        (Limits(day=3), Used(1, 9, 9), Left(2, "day", TOMORROW)),
        (Limits(day=3, month=5), Used(0, 4, 4), Left(1, "month", TOMORROW)),
        (Limits(day=3, month=5, lifetime=6), Used(0, 4, 6), Left(0, "lifetime", None)),
        # Nothing is left today, nor in this life: it would be untrue to say that tomorrow there is something again.
        (Limits(day=1, lifetime=1), Used(1, 1, 1), Left(0, "lifetime", None)),
        # A limit that was lowered below what was done leaves nothing, not less.
        (Limits(day=1), Used(5, 5, 5), Left(0, "day", TOMORROW)),
    ],
)
def test_the_limit_that_leaves_least_counts(limits: Limits, used: Used, left: Left | None) -> None:
    assert limits.left(used, TODAY, SHANGHAI) == left


def test_a_day_ends_with_the_programmes_midnight_over_a_change_of_the_clocks() -> None:
    # The clocks go back on 1 November: that day begins at -4 and ends at -5.
    found = Limits(day=1).left(Used(), date(2026, 11, 1), NEW_YORK)
    assert found == Left(1, "day", datetime(2026, 11, 2, 5, tzinfo=UTC))


def test_what_was_used_is_summed_by_day_month_and_life() -> None:
    tallies = [
        Tally("x", day, amount) for day, amount in ((20250101, 100), (20261001, 10), (20261030, -3), (20261031, 1))
    ]

    assert used_of(tallies, TODAY) == Used(day=1, month=8, lifetime=108)
