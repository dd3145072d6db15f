"""A table as the writer sees it: columns, key, and how a value becomes a row and a row a value.

Derived from the Tortoise model, which says what the columns are; for the ledger's own tables the value class has its
fields in the order of the columns, so that a value needs no translation but instants and JSON.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from operator import itemgetter
from typing import Any, Final

import orjson
from tortoise import fields
from tortoise.backends.base.schema_generator import BaseSchemaGenerator
from tortoise.indexes import Index
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


class _Naming(BaseSchemaGenerator):
    """Knows what Tortoise calls an index, which depends on no database."""

    def __init__(self) -> None:
        pass


_NAMING: Final = _Naming()

# By this name, as mypy wants to see the fields of a ``namedtuple``: these are the columns of a model it cannot see.
_named_tuple: Final[Callable[[str, Sequence[str]], Any]] = namedtuple


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
        # Not those over a part of the rows: whether one serves depends on the condition.
        self.indexes: Mapping[tuple[str, ...], str] = {
            tuple(index.fields): index.index_name(_NAMING, model) for index in meta.indexes if type(index) is Index
        }
        """The names of the table's indexes, by their columns."""
        self.mysql_types: tuple[str, ...] = tuple(field.get_for_dialect("mysql", "SQL_TYPE") for field in columns)
        if issubclass(kind, Model):
            self.value: Any = _named_tuple(f"{kind.__name__}Value", self.columns[len(self.leading) :])
        else:
            self.value = kind
        self._decoders = _pairs(columns, _decoder)
        self._make: Callable[[Sequence[Any]], Any] = self.value._make
        key_at = [self.columns.index(c) - len(self.leading) for c in self.sheet_key]
        self.row: Callable[[int, str, tuple[Any, ...]], Row] = _row_of(columns, self.leading)
        """The value of a member as it is written: driver types only, the same for all dialects."""
        self.read: Callable[[Sequence[Any]], Any] = _value_of(self.value, columns, len(self.leading))
        """The value in a row as it was read."""
        self.key_of: Callable[[tuple[Any, ...]], tuple[Any, ...]] = _key_of(key_at)
        """Under which key a value stands on its member's sheet."""

    def decode(self, row: Sequence[Any]) -> list[Any]:
        """A row as it was read, with Python's types, leading columns included."""
        decoded = list(row)
        for at, decode in self._decoders:
            if decoded[at] is not None:
                decoded[at] = decode(decoded[at])
        return decoded

    def of(self, decoded: Sequence[Any]) -> Any:
        """The value in a decoded row."""
        return self._make(decoded[len(self.leading) :])

    def decodes(self, column: str) -> bool:
        """Whether a value of the column is something else than what is read."""
        at = self.columns.index(column)
        return any(at == decoded for decoded, _ in self._decoders)


def _decoded_attribute(at: int, decode: Callable[[Any], Any]) -> Callable[[Row], Any]:
    def attribute(row: Row) -> Any:
        # Not kept: what JSON becomes takes longer to free when much else has been made since.
        stored = row[at]
        return None if stored is None else decode(stored)

    return attribute


def _pairs(
    columns: Sequence[Any], of: Callable[[Any], Callable[[Any], Any] | None]
) -> list[tuple[int, Callable[[Any], Any]]]:
    found = ((at, of(column)) for at, column in enumerate(columns))
    return [(at, convert) for at, convert in found if convert is not None]


# A value is taken apart and put together in one expression, which is compiled for each table: it is done for each row.


def _row_of(columns: Sequence[Any], leading: Sequence[str]) -> Callable[[int, str, tuple[Any, ...]], Row]:
    names: dict[str, Any] = {}
    parts = [f"c{at}" for at, _ in enumerate(columns)]
    given = parts[len(leading) :]
    for at, encode in _pairs(columns, _encoder):
        names[f"e{at}"] = encode
        parts[at] = f"None if c{at} is None else e{at}(c{at})"
    parts[: len(leading)] = ["bucket", "member_id"][: len(leading)]
    return _compiled("row", "bucket, member_id, value", f"{', '.join(given)}, = value", f"({', '.join(parts)},)", names)


def _value_of(kind: Callable[..., Any], columns: Sequence[Any], leading: int) -> Callable[[Sequence[Any]], Any]:
    names: dict[str, Any] = {"new": tuple.__new__, "kind": kind}
    given = [f"c{at}" for at, _ in enumerate(columns)]
    parts = given.copy()
    for at, decode in _pairs(columns, _decoder):
        names[f"d{at}"] = decode
        parts[at] = f"None if c{at} is None else d{at}(c{at})"
    made = f"new(kind, ({', '.join(parts[leading:])},))"
    return _compiled("read", "row", f"{', '.join(given)}, = row", made, names)


def _key_of(key_at: Sequence[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    parts = "".join(f"value[{at}], " for at in key_at)
    return _compiled("key_of", "value", "", f"({parts})", {})


def _compiled(name: str, taking: str, first: str, made: str, names: dict[str, Any]) -> Callable[..., Any]:
    # Nothing of the text is anybody's: names are numbered.
    exec(f"def {name}({taking}):\n    {first}\n    return {made}", names)
    function: Callable[..., Any] = names[name]
    return function


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
def glance_of(table: Table, columns: tuple[str, ...] = ()) -> Callable[[Sequence[Any]], Any]:
    """What makes of a row, as it was read, what has the attributes of its value, each decoded when it is looked at.

    For who reads many rows and looks at little of each. It has no methods of the value, and is the row as it was read;
    ``whole`` gives the value. Of a row of these ``columns`` only, none of which need be the table's, there is no value.
    """
    names = dict(zip(table.columns[len(table.leading) :], table.value._fields, strict=True))
    decoders = {table.columns[at]: decode for at, decode in table._decoders}
    parts: dict[str, Any] = {
        names[column]: property(_decoded_attribute(at, decoders[column]) if column in decoders else itemgetter(at))
        for at, column in enumerate(columns or table.columns)
        if column in names
    }
    if not columns:
        read = table.read

        def whole(row: Row) -> Any:
            return read(row)

        parts["whole"] = whole
    return type(f"{table.kind.__name__}Glance", (tuple,), {"__slots__": (), **parts})


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
