"""Writing files of members and of what they have, in the columns in which ``laurel import`` reads them.

A file is CSV, JSON lines or Parquet, as its name says. Rows are read in pages, by key, so that neither their number nor
what is written meanwhile matters: each member is written as they stood when their page was read.
"""

import csv
import gzip
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self
from zoneinfo import ZoneInfo

import orjson

from core.books.lots import REVIEW
from core.errors import LaurelError
from core.store.dialect import Reader, in_words_of
from core.time.calendar import local_day
from core.time.clock import instant, microseconds, rfc3339

Row = Mapping[str, Any]
"""A row by column. None is written as nothing."""

MEMBER_COLUMNS: Final = ("member", "enrolled_at", "birthday", "tier", "attributes")
BALANCE_COLUMNS: Final = ("member", "reference", "unit", "points", "earned_at", "expires_on")
_PAGE: Final = 2_000


class FormatUnknown(LaurelError):
    """A file of this name cannot be written."""


# -- rows ---------------------------------------------------------------------------------------------


async def members(reader: Reader) -> AsyncIterator[Row]:
    """All members, in the order of their buckets, and in a bucket in the order in which they were enrolled."""
    sql = (
        "SELECT id, external_id, enrolled_at, birthday, tier, attributes FROM member WHERE bucket = ? AND id > ? "
        "ORDER BY id"
    )
    for bucket in await _buckets(reader):
        after: tuple[Any, ...] = (bucket, "")
        while page := await _page(reader, sql, after):
            for id, external_id, enrolled_at, birthday, tier, attributes in page:
                yield {
                    "member": external_id,
                    "enrolled_at": rfc3339(instant(enrolled_at)),
                    "birthday": birthday or None,
                    "tier": tier or None,
                    "attributes": attributes if attributes != "{}" else None,
                }
                after = (bucket, id)


async def balances(reader: Reader, at: datetime, zone: ZoneInfo) -> AsyncIterator[Row]:
    """What is left of all lots that can still be used at an instant, those that are set aside by a hold included."""
    # What has expired is left out below: in the condition it would lead a database to the index of all dates.
    sql = (
        "SELECT l.member_id, l.unit, l.seq, m.external_id, l.remaining, l.earned_at, l.expires_at, "
        "l.available_from FROM lot l JOIN member m ON m.bucket = l.bucket AND m.id = l.member_id WHERE l.bucket = ? "
        "AND l.member_id >= ? AND "
        "(l.member_id > ? OR l.unit > ? OR (l.unit = ? AND l.seq > ?)) AND l.remaining > 0 "
        "ORDER BY l.member_id, l.unit, l.seq"
    )
    now = microseconds(at)
    for bucket in await _buckets(reader):
        after: tuple[Any, ...] = ("", "", 0)
        while page := await _page(reader, sql, (bucket, after[0], after[0], after[1], after[1], after[2])):
            for id, unit, seq, external_id, remaining, earned_at, expires_at, available in page:
                after = (id, unit, seq)
                # What waits for a review does not expire.
                if expires_at is not None and expires_at <= now and available < microseconds(REVIEW):
                    continue
                yield {
                    "member": external_id,
                    "reference": f"{unit}:{seq}",
                    "unit": unit,
                    "points": remaining,
                    "earned_at": rfc3339(instant(earned_at)),
                    "expires_on": None if expires_at is None else local_day(instant(expires_at), zone).isoformat(),
                }


async def owed(reader: Reader) -> int:
    """How much members owe, in all units: no lot says so, and no file carries it."""
    ((debt,),) = await reader.query("SELECT COALESCE(SUM(debt), 0) FROM account")
    return int(debt)


async def _buckets(reader: Reader) -> Sequence[int]:
    """The buckets that hold members: keys begin with them, so that a page is read where the one before ended."""
    return [bucket for (bucket,) in await reader.query("SELECT DISTINCT bucket FROM member ORDER BY bucket")]


async def _page(reader: Reader, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
    return await reader.query(in_words_of(reader, f"{sql} LIMIT {_PAGE}"), values)


# -- files --------------------------------------------------------------------------------------------


class Writer(ABC):
    """A file that is being written; it is there, whole, once this was left without an error."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.columns = columns
        self.partial = path.with_name(f".{path.name}.partial")

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if kind is None:
            self.partial.replace(self.path)
        else:
            self.partial.unlink(missing_ok=True)

    @abstractmethod
    def open(self) -> None: ...

    @abstractmethod
    def write(self, rows: Sequence[Row]) -> None: ...

    @abstractmethod
    def close(self) -> None: ...


class _Text(Writer):
    def open(self) -> None:
        opening = gzip.open if self.path.suffix == ".gz" else open
        self.file: IO[Any] = opening(self.partial, "wt", encoding="utf-8", newline="")

    def close(self) -> None:
        self.file.close()


class _Csv(_Text):
    def open(self) -> None:
        super().open()
        self.csv = csv.DictWriter(self.file, self.columns, lineterminator="\n")
        self.csv.writeheader()

    def write(self, rows: Sequence[Row]) -> None:
        self.csv.writerows(rows)


class _JsonLines(_Text):
    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            said = {name: value for name, value in row.items() if value is not None}
            self.file.write(orjson.dumps(said).decode() + "\n")


class _Parquet(Writer):
    def open(self) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ModuleNotFoundError as missing:
            raise FormatUnknown("Parquet needs the extra: pip install 'laurel[parquet]'") from missing
        self._arrow = pyarrow
        kinds = [(name, pyarrow.int64() if name == "points" else pyarrow.string()) for name in self.columns]
        self._schema = pyarrow.schema(kinds)
        self._file = pyarrow.parquet.ParquetWriter(self.partial, self._schema)

    def write(self, rows: Sequence[Row]) -> None:
        self._file.write_table(self._arrow.Table.from_pylist([dict(row) for row in rows], self._schema))

    def close(self) -> None:
        self._file.close()


_WRITERS: Final[Mapping[str, type[Writer]]] = {".csv": _Csv, ".jsonl": _JsonLines, ".parquet": _Parquet}


def writer_of(path: Path, columns: Sequence[str]) -> Writer:
    """What writes a file of this name. Raises FormatUnknown."""
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    made = _WRITERS.get(suffix)
    if made is None or (made is _Parquet and path.suffix == ".gz"):
        raise FormatUnknown(f"{path}: a file is .csv, .jsonl (either with .gz) or .parquet")
    return made(path, columns)


async def export(rows: AsyncIterator[Row], writer: Writer) -> int:
    """Write all rows; how many there were."""
    count, chunk = 0, []
    with writer:
        async for row in rows:
            chunk.append(row)
            if len(chunk) == _PAGE:
                writer.write(chunk)
                count, chunk = count + len(chunk), []
        writer.write(chunk)
    return count + len(chunk)
