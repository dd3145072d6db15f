"""Reading files of events: rows in, operations through the committer, and what did not go in told with its reason.

A file is CSV with a header or one JSON object a line, gzip or not, or Parquet; its content tells which. It is read to
its end once before the first row goes in, so that a broken or wrongly encoded file leaves nothing half-done, and then
streamed, so that its size does not matter. What a row means is the caller's to say: a function that makes an operation
of it.
"""

import asyncio
import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import yaml

from core.engine.aside import Aside, Done
from core.engine.committer import BATCH_MAX, Committer
from core.engine.operations import Operation, Outcome
from core.errors import LaurelError, Refusal, Unavailable
from core.store.databases import Database
from core.suggest import did_you_mean

Row = Mapping[str, Any]
Make = Callable[[Row], Operation | Aside]

_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_BOM: Final = codecs.BOM_UTF8
_CHUNK: Final = 1 << 20
_CHUNK_TEXT_MAX: Final = 1_500_000
_LINE_MAX: Final = 16 * 1024 * 1024


class FileUnreadable(LaurelError):
    """The file is no order file as a whole; none of its rows was imported."""


class MappingInvalid(LaurelError):
    """The mapping of column names cannot be understood."""


# -- which column is which ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Columns:
    """Which of their columns holds what we ask for, and what is the same for all rows.

    ``names`` is from our names to theirs; None when the file uses ours.
    """

    known: Collection[str]
    required: frozenset[str]
    names: Mapping[str, str] | None = None
    constants: Mapping[str, str] | None = None

    @classmethod
    def from_yaml(cls, text: str, known: Collection[str], required: frozenset[str]) -> "Columns":
        """Read a mapping file: ``our_name: their_name``, or ``our_name: {value: constant}``. Raises MappingInvalid."""
        try:
            given = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise MappingInvalid(f"the mapping is no YAML: {' '.join(str(error).split())}") from error
        if not isinstance(given, dict):
            raise MappingInvalid("a mapping is a list of lines such as `reference: order_id`")
        names: dict[str, str] = {}
        constants: dict[str, str] = {}
        for ours, theirs in given.items():
            if ours not in known:
                raise MappingInvalid(f"the mapping knows no {ours!r}{did_you_mean(str(ours), known)}")
            match theirs:
                case str():
                    names[ours] = theirs
                case {"value": str(value)} if len(theirs) == 1:
                    constants[ours] = value
                case _:
                    raise MappingInvalid(f"{ours!r} is mapped to no column name; a constant is {{value: text}}")
        if missing := sorted(required - names.keys() - constants.keys()):
            raise MappingInvalid(f"the mapping lacks {', '.join(missing)}")
        return cls(known, required, names, constants)

    def places(self, header: Sequence[str], label: str) -> list[tuple[str, int]]:
        """Our name and its place in a CSV row. Raises FileUnreadable for a header that does not fit."""
        if twice := sorted({name for name in header if header.count(name) > 1}):
            raise FileUnreadable(f"{label}: its header names {', '.join(twice)} twice")
        names = self.names
        if names is None:
            if unknown := [name for name in header if name not in self.known]:
                hints = ", ".join(f"{name!r}{did_you_mean(name, self.known)}" for name in unknown)
                raise FileUnreadable(f"{label}: name its columns in a mapping file, as its header has {hints}")
            names = {name: name for name in header}
            missing = sorted(self.required - names.keys())
        else:
            missing = sorted(set(names.values()) - set(header))
        if missing:
            shown = ", ".join(header)
            raise FileUnreadable(f"{label}: its header lacks {', '.join(missing)}; it has {shown}"[:500])
        return [(ours, header.index(theirs)) for ours, theirs in names.items()]


# -- files --------------------------------------------------------------------------------------------


class Format(Enum):
    """What a file is, by its content."""

    CSV = "csv"
    JSON = "JSON lines"
    PARQUET = "Parquet"


class RowFile(NamedTuple):
    """A file that was read to its end and can be read again. ``lines`` include a CSV header."""

    path: Path
    compressed: bool
    format: Format
    lines: int

    @property
    def rows(self) -> int:
        """How many rows there are, as far as lines tell."""
        return self.lines - (self.format is Format.CSV)


class Line(NamedTuple):
    """One row of a file, by its line: under our names, or the reason why it can't be read. ``text`` is as it came."""

    file: str
    number: int
    row: Row
    reason: str | None
    text: str


def examine(path: Path, columns: Columns) -> RowFile:
    """Read a file to its end to see that it can be read.

    Raises FileUnreadable: it is not there, empty, broken, not UTF-8, no CSV, or its header does not fit the columns.
    """
    file = _examine_parquet(path) if _is_parquet(path) else _examine_bytes(path)
    if file.format is not Format.JSON:
        for _ in read(file, columns):
            pass
    return file


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as raw:
            return raw.read(4) == _PARQUET
    except OSError as error:
        raise FileUnreadable(f"{path}: {error.strerror or error}") from error


def _examine_parquet(path: Path) -> RowFile:
    with _opened_parquet(path) as file:
        return RowFile(path, False, Format.PARQUET, file.metadata.num_rows)


def _opened_parquet(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as missing:
        raise FileUnreadable(f"{path}: Parquet needs the extra: pip install 'laurel[parquet]'") from missing
    try:
        return pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise FileUnreadable(f"{path}: it is no Parquet file: {error}") from error


def _examine_bytes(path: Path) -> RowFile:
    lines = 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    first, last = b"", b""
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == _GZIP
            raw.seek(0)
            content = _content(raw, compressed)
            while chunk := content.read(_CHUNK):
                first = first or chunk[:4096]
                decoder.decode(chunk)
                lines += chunk.count(b"\n")
                last = chunk[-1:]
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line = lines + error.object[: error.start].count(b"\n") + 1
        byte = error.object[error.start]
        raise FileUnreadable(f"{path}: line {line} is not UTF-8 (byte 0x{byte:02x}): save it as UTF-8") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileUnreadable(f"{path}: its compression is broken: {error}") from error
    except OSError as error:
        raise FileUnreadable(f"{path}: {error.strerror or error}") from error
    start = first.removeprefix(_BOM).lstrip()
    if not start:
        raise FileUnreadable(f"{path}: it is empty")
    if b"\0" in first:
        raise FileUnreadable(f"{path}: it is no text")
    kind = Format.JSON if start.startswith(b"{") else Format.CSV
    return RowFile(path, compressed, kind, lines + (last != b"\n"))


def _content(raw: BinaryIO, compressed: bool) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if compressed else raw


def read(file: RowFile, columns: Columns) -> Iterator[Line]:
    """The rows of a file, one at a time. Raises FileUnreadable, while reading, for what ``examine`` finds."""
    if file.format is Format.PARQUET:
        yield from _parquet_lines(file, columns)
        return
    with (
        file.path.open("rb") as raw,
        _content(raw, file.compressed) as content,
        io.TextIOWrapper(content, encoding="utf-8-sig", newline="") as text,
    ):
        lines = _json_lines if file.format is Format.JSON else _csv_lines
        yield from lines(text, file, columns)


def _csv_lines(text: io.TextIOWrapper, file: RowFile, columns: Columns) -> Iterator[Line]:
    name = str(file.path)
    reader = csv.reader(text, strict=True)
    number = 1
    try:
        header = next(reader)
        places, width = columns.places(header, name), len(header)
        constants, required = dict(columns.constants or {}), columns.required
        number = reader.line_num + 1
        for cells in reader:
            if len(cells) == width:
                row = {ours: cell for ours, at in places if (cell := cells[at])}
                if constants:
                    row = {**constants, **row}
                reason = None if required <= row.keys() else _lacks(row, required)
                yield Line(name, number, row, reason, ",".join(cells))
            elif cells:
                yield Line(name, number, {}, f"{len(cells)} cells under a header of {width}", ",".join(cells))
            number = reader.line_num + 1
    except csv.Error as error:
        # Where a quotation ends is not known any more, so nothing after it can be trusted.
        raise FileUnreadable(f"{name}: line {number} is no CSV: {error}") from error


def _json_lines(text: io.TextIOWrapper, file: RowFile, columns: Columns) -> Iterator[Line]:
    name, known, required = str(file.path), columns.known, columns.required
    names, constants = columns.names, dict(columns.constants or {})
    number = 0
    while line := text.readline(_LINE_MAX):
        number += 1
        if not line.endswith("\n") and len(line) == _LINE_MAX:
            raise FileUnreadable(f"{name}: line {number} is longer than {_LINE_MAX} characters")
        if line.isspace():
            continue
        row: dict[str, Any] = {}
        reason = None
        try:
            # Numbers with a point stay text, so that they stay exact.
            given = json.loads(line, parse_float=str, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            reason = f"not JSON: {error}"
        else:
            if not isinstance(given, dict):
                reason = "not a JSON object"
            elif names is not None:
                row = {ours: given[theirs] for ours, theirs in names.items() if given.get(theirs) not in (None, "")}
            elif unknown := [key for key in given if key not in known]:
                reason = f"it has {unknown[0]!r}{did_you_mean(unknown[0], known)}"
            else:
                row = {key: value for key, value in given.items() if value is not None and value != ""}
        if reason is None:
            row = {**constants, **row}
            reason = None if required <= row.keys() else _lacks(row, required)
        yield Line(name, number, row, reason, line.rstrip())


def _parquet_lines(file: RowFile, columns: Columns) -> Iterator[Line]:
    name, required, constants = str(file.path), columns.required, dict(columns.constants or {})
    with _opened_parquet(file.path) as parquet:
        places = columns.places(parquet.schema_arrow.names, name)
        names = parquet.schema_arrow.names
        number = 0
        for batch in parquet.iter_batches():
            for given in batch.to_pylist():
                number += 1
                row = {ours: _plain(given[names[at]]) for ours, at in places if given[names[at]] not in (None, "")}
                row = {**constants, **row}
                reason = None if required <= row.keys() else _lacks(row, required)
                yield Line(name, number, row, reason, json.dumps(given, default=str))


def _plain(value: Any) -> Any:
    """A value of Parquet as JSON has it; numbers with a point as text, so that they stay exact."""
    match value:
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case list():
            return [_plain(one) for one in value]
        case dict():
            return {name: _plain(one) for name, one in value.items() if one is not None}
        case _:
            return value


def _no_number(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def _lacks(row: Row, required: frozenset[str]) -> str:
    return f"it has no {', '.join(sorted(required - row.keys()))}"


# -- importing ----------------------------------------------------------------------------------------


class Reject(NamedTuple):
    """A row that did not go in. ``refused`` says that the programme refused it, rather than nobody could read it."""

    line: Line
    reason: str
    refused: bool


@dataclass
class Figures:
    """What became of the rows. ``replayed`` had gone in before."""

    imported: int = 0
    replayed: int = 0
    refused: int = 0
    rejected: int = 0

    @property
    def rows(self) -> int:
        return self.imported + self.replayed + self.refused + self.rejected

    def add(self, other: "Figures") -> None:
        """Count what became of other rows as well."""
        self.imported += other.imported
        self.replayed += other.replayed
        self.refused += other.refused
        self.rejected += other.rejected


def import_batch(database_url: str) -> int:
    """How many rows to put into one transaction.

    SQLite has one writer anyway, and writes a page once for all rows of the transaction that change it: with eight
    times as many it writes a third. On a server the rows' members stay locked until the commit, so it takes no more
    than others do.
    """
    return 8 * BATCH_MAX if Database.from_url(database_url).dialect == "sqlite" else BATCH_MAX


async def import_rows(
    lines: Iterator[Line],
    make: Make,
    committer: Committer,
    *,
    reject: Callable[[Reject], None],
    advance: Callable[[int], None] = lambda _: None,
    figures: Figures | None = None,
) -> Figures:
    """Make operations of the rows and perform them, a batch at a time and in order.

    The next rows are read while the batch before is committed. A row that can't be read and an operation that is
    refused are told to ``reject``; the rest goes in. Raises Unavailable when the database stays away: what was told
    to ``advance`` is stored, and a second run goes on from there.
    """
    figures = Figures() if figures is None else figures
    chunk = await asyncio.to_thread(_next_chunk, lines, make, committer.batch_max)
    while chunk:
        performed = asyncio.ensure_future(_perform(chunk, committer))
        following = asyncio.ensure_future(asyncio.to_thread(_next_chunk, lines, make, committer.batch_max))
        # Both are waited for even when one fails: a thread cannot be called back.
        outcomes, ahead = await asyncio.gather(performed, following, return_exceptions=True)
        if isinstance(outcomes, BaseException):
            raise outcomes
        _settle(chunk, iter(outcomes), figures, reject)
        advance(chunk[-1][0].number)
        if isinstance(ahead, BaseException):
            raise ahead
        chunk = ahead
    return figures


Made = tuple[Line, Operation | Aside | str]
Became = Outcome | Done | BaseException


async def _perform(chunk: Sequence[Made], committer: Committer) -> list[Became]:
    """What became of each row that could be read, in their order: first of those that are about no member."""
    asides = [made for _, made in chunk if isinstance(made, Aside)]
    of_nobody: Iterator[Became] = iter(await asides[0].perform_all(asides, committer.rules) if asides else ())
    operations = [made for _, made in chunk if isinstance(made, Operation)]
    of_members: Iterator[Became] = iter(await committer.submit_many(operations) if operations else ())
    return [
        next(of_members if isinstance(made, Operation) else of_nobody) for _, made in chunk if not isinstance(made, str)
    ]


def _next_chunk(lines: Iterator[Line], make: Make, size: int) -> list[Made]:
    """At most so many rows, and fewer when they are long: what is in memory at once depends on their text."""
    chunk: list[Made] = []
    left = _CHUNK_TEXT_MAX
    for line in islice(lines, size):
        chunk.append((line, _made(line, make)))
        left -= len(line.text)
        if left < 0:
            break
    return chunk


def _made(line: Line, make: Make) -> Operation | Aside | str:
    """What the row asks for, or the reason why there is nothing."""
    if line.reason is not None:
        return line.reason
    try:
        return make(line.row)
    except Refusal as refused:
        return refused.message


def _settle(
    chunk: Sequence[Made],
    outcomes: Iterator[Became],
    figures: Figures,
    reject: Callable[[Reject], None],
) -> None:
    """Count what became of the rows of a batch. Raises what kept all of it, or the rest of it, from being performed."""
    away: Unavailable | None = None
    defects: list[tuple[Line, BaseException]] = []
    performed = 0
    for line, made in chunk:
        if isinstance(made, str):
            figures.rejected += 1
            reject(Reject(line, made, refused=False))
            continue
        outcome = next(outcomes)
        performed += isinstance(outcome, (Outcome, Done, Refusal))
        match outcome:
            case Unavailable():
                away = away or outcome
            case Outcome(refusal=None, replayed=True) | Done(replayed=True):
                figures.replayed += 1
            case Outcome(refusal=None) | Done():
                figures.imported += 1
            case Outcome(refusal=Refusal() as refusal) | (Refusal() as refusal):
                figures.refused += 1
                reject(Reject(line, str(refusal), refused=True))
            case BaseException() as defect:
                defects.append((line, defect))
    if len(defects) > performed:
        # Not these rows are to blame but, say, a disk that is full. They can go in another time.
        raise defects[0][1]
    for line, defect in defects:
        figures.rejected += 1
        reject(Reject(line, f"{type(defect).__name__}: {defect}", refused=False))
    if away is not None:
        raise away
