from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from core.rulebook.expiry import NEVER, ExpiryPolicy, expires_at, moved
from core.time.calendar import day_start

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("policy", "earned_at", "lapses_at"),
    [
        ({"mode": "per_lot", "months": 12}, "2026-11-22T23:59:59+08:00", "2027-11-22T00:00:00+08:00"),
        ({"mode": "per_lot", "months": 12}, "2026-11-23T00:00:00+08:00", "2027-11-23T00:00:00+08:00"),
        # In UTC it is still the day before.
        ({"mode": "per_lot", "months": 12}, "2026-11-22T16:30:00+00:00", "2027-11-23T00:00:00+08:00"),
        ({"mode": "per_lot", "months": 1}, "2026-01-31T12:00:00+08:00", "2026-02-28T00:00:00+08:00"),
        ({"mode": "per_lot", "months": 12}, "2028-02-29T12:00:00+08:00", "2029-02-28T00:00:00+08:00"),
        ({"mode": "calendar", "end_of": "month"}, "2026-02-01T00:00:00+08:00", "2026-03-01T00:00:00+08:00"),
        ({"mode": "calendar", "end_of": "quarter"}, "2026-06-30T23:59:00+08:00", "2026-07-01T00:00:00+08:00"),
        ({"mode": "calendar", "end_of": "year"}, "2026-01-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
        (
            {"mode": "calendar", "end_of": "year", "after_months": 3},
            "2026-05-05T00:00:00+08:00",
            "2027-04-01T00:00:00+08:00",
        ),
        (
            {"mode": "calendar", "end_of": "quarter", "after_months": 3},
            "2026-05-05T00:00:00+08:00",
            "2026-10-01T00:00:00+08:00",
        ),
    ],
)
def test_points_lapse_at_the_start_of_a_local_day(policy: dict[str, Any], earned_at: str, lapses_at: str) -> None:
    expiry = expires_at(ExpiryPolicy(**policy), datetime.fromisoformat(earned_at), SHANGHAI)

    assert expiry == datetime.fromisoformat(lapses_at)


def test_points_that_never_expire_have_no_date() -> None:
    assert expires_at(NEVER, datetime.fromisoformat("2026-05-05T00:00:00+08:00"), SHANGHAI) is None


@pytest.mark.parametrize(
    "policy",
    [
        {"mode": "activity"},
        {"mode": "activity", "months": 12, "window_months": 3},
        {"mode": "activity", "months": 12, "window_months": 3, "extend_months": 2},
        {"mode": "renewed"},
        {"mode": "renewed", "months": 12, "window_months": 3},
        {"mode": "never", "remind_days": [1]},
        {"mode": "per_lot", "months": 12, "remind_days": [7, 7]},
        {"mode": "per_lot", "months": 12, "remind_days": [0]},
        {"mode": "per_lot"},
        {"mode": "per_lot", "months": 0},
        {"mode": "per_lot", "months": True},
        {"mode": "per_lot", "months": "12"},
        {"mode": "per_lot", "months": 12, "end_of": "year"},
        {"mode": "calendar"},
        {"mode": "calendar", "end_of": "week"},
        {"mode": "calendar", "end_of": "year", "months": 1},
        {"mode": "never", "months": 12},
        {"mode": "never", "returned": "grace"},
        {"mode": "never", "grace_days": 5},
        {"mode": "never", "graze": 5},
        {},
    ],
)
def test_a_policy_that_says_two_things_or_nothing_is_refused(policy: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ExpiryPolicy(**policy)


def test_what_returns_too_late_lapses_unless_there_is_a_grace() -> None:
    kept = ExpiryPolicy(mode="per_lot", months=12, returned="grace", grace_days=7)

    assert (NEVER.returned, NEVER.grace_days) == ("lapse", None)
    assert (kept.returned, kept.grace_days) == ("grace", 7)


RENEWED = {"mode": "renewed", "months": 12}
ACTIVITY = {"mode": "activity", "months": 12, "window_months": 3, "extend_months": 6}


@pytest.mark.parametrize(
    ("policy", "lapses_on", "active_on", "moved_to"),
    [
        (RENEWED, date(2027, 3, 1), date(2026, 8, 31), date(2027, 8, 31)),
        (RENEWED, date(2027, 3, 1), date(2028, 2, 29), date(2029, 2, 28)),
        # A stay that is told of late gives no less than was promised.
        (RENEWED, date(2027, 3, 1), date(2026, 2, 1), date(2027, 3, 1)),
        (ACTIVITY, date(2027, 3, 1), date(2026, 11, 30), date(2027, 3, 1)),
        (ACTIVITY, date(2027, 3, 1), date(2026, 12, 1), date(2027, 9, 1)),
        (ACTIVITY, date(2027, 3, 1), date(2027, 2, 28), date(2027, 9, 1)),
        (ACTIVITY, date(2027, 8, 31), date(2027, 5, 31), date(2028, 2, 29)),
        ({"mode": "per_lot", "months": 12}, date(2027, 3, 1), date(2027, 2, 1), date(2027, 3, 1)),
    ],
)
def test_activity_moves_a_date_to_a_later_one_or_leaves_it(
    policy: dict[str, Any], lapses_on: date, active_on: date, moved_to: date
) -> None:
    terms = ExpiryPolicy(**policy)

    assert moved(terms, day_start(lapses_on, SHANGHAI), active_on, SHANGHAI) == day_start(moved_to, SHANGHAI)
