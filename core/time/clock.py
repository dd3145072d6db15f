"""The one place the time comes from.

Instants are aware datetimes in UTC everywhere inside; days and months belong to the programme's
zone and are made in ``core.time.calendar``.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """The instant as whole microseconds since 1970, exactly: the form in which it is stored and hashed.

    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    # To Python the second of an hour that a zone has twice is the first.
    return _known(at) if at.tzinfo is UTC else _since_1970(at)


def _since_1970(at: datetime) -> int:
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


_known: Final = lru_cache(maxsize=64)(_since_1970)  # of one batch nearly all are the same few


@lru_cache(maxsize=8_192)  # what was written together, and days, are asked for again and again
def instant(stored: int) -> datetime:
    """The instant that ``microseconds`` gave.

    >>> instant(1_000_000)
    datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.timezone.utc)
    """
    return EPOCH + stored * _MICROSECOND


def rfc3339(at: datetime) -> str:
    """The instant as text, in UTC.

    >>> rfc3339(datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
    '2026-01-31T09:30:00Z'
    """
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class StoppedClock:
    """A clock that stands still until it is moved: for tests, replays and the sandbox."""

    def __init__(self, at: datetime) -> None:
        self.set(at)

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError(f"an instant needs a zone: {at.isoformat()}")
        self._at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self._at += by
