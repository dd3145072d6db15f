"""Columns that hold the same bytes on every database: instants and JSON, and an index over part of a table.

Tortoise's own fields differ by dialect (a datetime is text on SQLite, JSON is JSONB on PostgreSQL).
These don't, so a row can be hashed, compared and moved between databases without a thought.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from tortoise.fields.base import Field
from tortoise.indexes import Index
from tortoise.models import Model

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    """The instant as it is stored: whole microseconds since 1970, exactly.

    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000

    Raises ValueError for a datetime without a time zone, as it names no instant.
    """
    if instant.utcoffset() is None:
        raise ValueError(f"{instant.isoformat()} has no time zone, so it is not an instant")
    return (instant - EPOCH) // _MICROSECOND


def instant(stored: int) -> datetime:
    """The instant that ``microseconds`` stored, in UTC.

    >>> instant(1_000_000)
    datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.timezone.utc)
    """
    return EPOCH + stored * _MICROSECOND


def canonical_json(value: dict[str, Any] | list[Any]) -> str:
    """The one text of a JSON value: sorted keys, no spaces.

    >>> canonical_json({"b": 1, "a": [2, None]})
    '{"a":[2,null],"b":1}'
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


class InstantField(Field[datetime]):
    """An aware datetime in UTC; BIGINT microseconds since 1970 in every database."""

    SQL_TYPE = "BIGINT"
    field_type = datetime

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> int | None:
        self.validate(value)
        return None if value is None else microseconds(value)

    def to_python_value(self, value: Any) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, int):
            return instant(value)
        microseconds(value)  # refuses what is not an instant when it is set, not when it is saved
        return value.astimezone(UTC)  # type: ignore[no-any-return]


class DayField(Field[date]):
    """A calendar day without a time; its ISO text (2026-01-31) in every database."""

    SQL_TYPE = "VARCHAR(10)"
    field_type = date

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> str | None:
        self.validate(value)
        return None if value is None else value.isoformat()

    def to_python_value(self, value: Any) -> date | None:
        return date.fromisoformat(value) if isinstance(value, str) else value


class JsonField(Field[Any]):
    """A JSON object or array, stored as its canonical text in every database.

    Nothing but objects and arrays: a ``str`` here is always the stored text, never a value.
    """

    SQL_TYPE = "TEXT"
    indexable = False
    field_type = object

    class _db_mysql:  # noqa: N801 (Tortoise finds a dialect's type by this name)
        SQL_TYPE = "LONGTEXT"

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> str | None:
        self.validate(value)
        if value is None or isinstance(value, str):
            return value
        return canonical_json(value)

    def to_python_value(self, value: Any) -> Any:
        return orjson.loads(value) if isinstance(value, str) else value


class PartialIndex(Index):
    """An index over the rows where ``where`` holds, on PostgreSQL and SQLite; over all rows on MariaDB.

    ``where`` is SQL that both understand: a boolean column by itself, a comparison, ``IS NOT NULL``.
    """

    def __init__(self, *, fields: list[str] | tuple[str, ...], where: str, name: str | None = None) -> None:
        super().__init__(fields=fields, name=name)
        self.where = where
        self.extra = f" WHERE {where}"

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "where": self.where}
