"""Columns that hold the same value on every database: instants, days, JSON; and an index over part of a table.

Tortoise's own fields differ by dialect (a datetime is text on SQLite, JSON is JSONB on PostgreSQL).
These don't, so a row can be hashed, compared and moved between databases without a thought.
"""

from datetime import UTC, date, datetime
from typing import Any

import orjson
from tortoise.fields.base import Field
from tortoise.indexes import Index
from tortoise.models import Model

from core.time.clock import instant, microseconds


def canonical_json(value: dict[str, Any] | list[Any]) -> str:
    """The one text of a JSON value: sorted keys, no spaces.

    >>> canonical_json({"b": 1, "a": [2, None]})
    '{"a":[2,null],"b":1}'
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


class InstantField(Field[datetime]):
    """An aware datetime in UTC; BIGINT microseconds since 1970 in every database.

    A datetime without a time zone names no instant and is refused when it is set.
    """

    SQL_TYPE = "BIGINT"
    field_type = datetime

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> int | None:
        self.validate(value)
        return None if value is None else microseconds(_aware(value))

    def to_python_value(self, value: Any) -> datetime | None:
        if value is None:
            return None
        return instant(value) if isinstance(value, int) else _aware(value).astimezone(UTC)


def _aware(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise ValueError(f"{value.isoformat()} has no time zone, so it is not an instant")
    return value


class DayField(Field[date]):
    """A date of the calendar, as ten letters (2026-01-31) in every database."""

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
        return canonical_json(value) if isinstance(value, dict | list) else value

    def to_python_value(self, value: Any) -> Any:
        return orjson.loads(value) if isinstance(value, str) else value


class PartialIndex(Index):
    """An index over the rows where ``where`` holds, on PostgreSQL and SQLite; over all rows on MariaDB.

    ``where`` is SQL that both understand: a boolean column by itself, a comparison, ``IS NOT NULL``. ``whole`` is the
    order of the fields on MariaDB, where it is to lead to those rows among all.
    """

    def __init__(
        self,
        *,
        fields: list[str] | tuple[str, ...],
        where: str,
        name: str | None = None,
        whole: list[str] | tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(fields=fields, name=name)
        self.where = where
        self.whole = list(whole or fields)
        self.extra = f" WHERE {where}"

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        whole = {} if self.whole == list(self.fields) else {"whole": self.whole}
        return path, args, {**kwargs, "where": self.where, **whole}
