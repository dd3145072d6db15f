"""A table as the writer sees it: columns, key, and how a value becomes a row and a row a value.

Derived from the Tortoise model, which says what the columns are; for the ledger's own tables the value class has its
fields in the order of the columns, so that a value needs no translation but instants and JSON.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any, Final

import orjson
from tortoise import fields
from tortoise.models import Model

from core import models
from core.books.accounts import Account, Entry
from core.books.holds import Hold, HoldLot
from core.books.lots import Extension, Lot, LotMove
from core.books.members import Member, MemberTag, TierChange
from core.books.tallies import Count, Tally
from core.engine.operations import Recorded
from core.key_figures.aggregates import Daily
from core.ladder.judging import Judgement
from core.oversight.audit import Record
from core.store.fields import DayField, InstantField, JsonField
from core.telling.events import Outgoing
from core.time.clock import instant, microseconds
from core.trust.flags import Flag, Pace


@cache
def _models() -> dict[type, type[Model]]:
    # Asked for later than at import, as the models import this package for their fields.
    return {
        Member: models.MemberRow,
        Account: models.AccountRow,
        Recorded: models.OperationRow,
        Entry: models.EntryRow,
        Lot: models.LotRow,
        LotMove: models.LotMoveRow,
        Extension: models.ExtensionRow,
        Hold: models.HoldRow,
        HoldLot: models.HoldLotRow,
        Count: models.TallyRow,
        Tally: models.TallyRow,
        Daily: models.DailyAggregateRow,
        TierChange: models.TierChangeRow,
        Outgoing: models.OutboxRow,
        Record: models.AuditRow,
        Flag: models.FlagRow,
        Pace: models.PaceRow,
        Judgement: models.JudgementRow,
        MemberTag: models.MemberTagRow,
    }


_PORTABLE: Final = (
    fields.SmallIntField, fields.IntField, fields.BigIntField, fields.CharField, fields.TextField,
    fields.BooleanField, InstantField, DayField, JsonField,
)  # fmt: skip

Row = tuple[Any, ...]

_AUDITED: Final = ("state", "status")


def _dumps(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode()


class Table:
    """One table.

    ``leading`` are the columns that place a row with its member and stand in no value: none in a table that members
    share. ``rest`` are those outside the key, and ``audited`` those that the audit log tells of
    (``core.oversight.facts``).
    """

    def __init__(self, kind: type, model: type[Model]) -> None:
        meta = model._meta
        self.kind = kind
        self.model = model
        self.name: str = meta.db_table
        columns = [meta.fields_map[name] for name in meta.fields_db_projection]
        if odd := [c.model_field_name for c in columns if not isinstance(c, _PORTABLE)]:
            raise TypeError(f"{model.__name__}: {', '.join(odd)}: not a field that is the same on every database")
        self.columns: tuple[str, ...] = tuple(meta.fields_db_projection[name] for name in meta.fields_db_projection)
        self.key: tuple[str, ...] = tuple(getattr(model, "key", (meta.db_pk_column,)))
        self.leading: tuple[str, ...] = ("bucket",) if kind is Member else ("bucket", "member_id")
        if not set(self.leading) <= set(self.columns):
            self.leading = ()
        self.rest: tuple[str, ...] = tuple(column for column in self.columns if column not in self.key)
        audited: Sequence[str] | None = getattr(model, "audited", None)
        self.audited: Sequence[str] = [c for c in _AUDITED if c in self.columns] if audited is None else audited
        if unknown := set(self.audited) - set(self.columns):
            raise TypeError(f"{model.__name__}: audited names {', '.join(sorted(unknown))}, which is no column")
        self.column_list: str = ", ".join(self.columns)
        self.sheet_key: tuple[str, ...] = tuple(c for c in self.key if c not in self.leading and kind is not Member)
        self.postgres_types: tuple[str, ...] = tuple(
            field.get_for_dialect("postgres", "SQL_TYPE").split("(")[0].lower() for field in columns
        )
        self.mysql_types: tuple[str, ...] = tuple(field.get_for_dialect("mysql", "SQL_TYPE") for field in columns)
        if issubclass(kind, Model):
            # mypy wants to see the fields of a named tuple; these are the columns of a model it cannot see.
            self.value: Callable[..., Any] = namedtuple(f"{kind.__name__}Value", self.columns[len(self.leading) :])  # type: ignore[misc]
        else:
            self.value = kind
        self._encoders = _pairs(columns, _encoder)
        self._decoders = _pairs(columns, _decoder)
        self._key_at = tuple(self.columns.index(c) - len(self.leading) for c in self.sheet_key)

    def row(self, bucket: int, member_id: str, value: tuple[Any, ...]) -> Row:
        """The value as it is written: driver types only, the same for all dialects."""
        row = [*(bucket, member_id)[: len(self.leading)], *value]
        for at, encode in self._encoders:
            if row[at] is not None:
                row[at] = encode(row[at])
        return tuple(row)

    def decode(self, row: Sequence[Any]) -> list[Any]:
        """A row as it was read, with Python's types, leading columns included."""
        decoded = list(row)
        for at, decode in self._decoders:
            if decoded[at] is not None:
                decoded[at] = decode(decoded[at])
        return decoded

    def of(self, decoded: Sequence[Any]) -> Any:
        """The value in a decoded row."""
        return self.value(*decoded[len(self.leading) :])

    def key_of(self, value: tuple[Any, ...]) -> tuple[Any, ...]:
        """Under which key the value stands on its member's sheet."""
        return tuple(value[at] for at in self._key_at)


def _pairs(
    columns: list[Any], of: Callable[[Any], Callable[[Any], Any] | None]
) -> list[tuple[int, Callable[[Any], Any]]]:
    found = ((at, of(column)) for at, column in enumerate(columns))
    return [(at, convert) for at, convert in found if convert is not None]


def _encoder(field: Any) -> Callable[[Any], Any] | None:
    match field:
        case InstantField():
            return microseconds
        case JsonField():
            return _dumps
        case DayField():
            return date.isoformat
        case _:
            return None


def _decoder(field: Any) -> Callable[[Any], Any] | None:
    match field:
        case InstantField():
            return instant
        case JsonField():
            return orjson.loads
        case fields.BooleanField():
            return bool
        case DayField():
            return date.fromisoformat
        case _:
            return None


@cache
def table_of(kind: type) -> Table:
    """The table of a value class, or of a plugin's model."""
    if model := _models().get(kind):
        return Table(kind, model)
    if not issubclass(kind, Model):
        raise TypeError(f"{kind.__name__} is no table")
    if "member_id" in kind._meta.fields_db_projection and getattr(kind, "key", ())[:2] != ("bucket", "member_id"):
        raise TypeError(f"{kind.__name__} is a table of members: its key must begin with bucket, member_id")
    return Table(kind, kind)
