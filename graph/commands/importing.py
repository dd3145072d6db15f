"""``laurel import``: bring files of orders, refunds and adjustments in."""

import asyncio
import csv
import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.engine.operations import Operation
from core.errors import LaurelError
from core.files.importing import (
    Columns,
    Figures,
    Line,
    Make,
    Reject,
    Row,
    RowFile,
    examine,
    import_batch,
    import_rows,
    read,
)
from graph.commands.moments import MOMENT, last_instant, zone_of
from graph.laurel import Laurel, open_laurel
from graph.settings import Settings
from plugins.hookspecs import Importer, Importing

SHOWN_MAX = 5
"""How many of the rows that did not go in are shown; the rejects file has all."""

_FILE = click.Path(dir_okay=False, path_type=Path)


class NothingToImport(LaurelError):
    """No plugin reads files of this name."""


class _AsOf(click.ParamType[Any]):
    """``row``, or a day or an instant."""

    name = "row|day|instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == "row" else MOMENT.convert(value, param, ctx)


@click.command("import")
@click.argument("name", metavar="orders|members|balances")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option(
    "--mapping", type=_FILE, help="YAML: which of the file's columns holds what. None, when it uses our names."
)
@click.option(
    "--as-of",
    type=_AsOf(),
    help="The clock: each row's own time (row), for a replay of the past, or one day or instant for all. Now, when left"
    " out.",
)
@click.option("--rejects", type=_FILE, help="Where to write the rows that did not go in. FILE.rejects.csv otherwise.")
@click.option("--batch", help="A name for this import, for the record. The files' names, when left out.")
@click.option(
    "--rows-at-once",
    type=click.IntRange(1, 10_000),
    help="How many rows go into one transaction; by default what suits the database.",
)
@click.pass_obj
def command(
    settings: Settings,
    name: str,
    files: tuple[Path, ...],
    mapping: Path | None,
    as_of: Any,
    rejects: Path | None,
    batch: str | None,
    rows_at_once: int | None,
) -> None:
    """Import orders, members or balances from FILES: CSV or JSON lines, gzip or not, or Parquet.

    It can be broken off at any time and run again: what went in is not imported twice. Exit status 1 when a row did
    not go in.
    """
    if not logging.getLogger().isEnabledFor(logging.INFO):
        # Each row that fails is told in one line, and in the rejects file; --verbose shows where it failed.
        logging.getLogger("laurel.committer").setLevel(logging.CRITICAL)
    rejects = rejects or Path(f"{files[0].name}.rejects.csv")
    batch = batch or ", ".join(file.name for file in files)
    actor = f"import:{batch}"[:200]
    figures = asyncio.run(_import(settings, name, files, mapping, as_of, rejects, actor, rows_at_once))
    sys.exit(1 if figures.refused or figures.rejected else 0)


async def _import(
    settings: Settings,
    name: str,
    files: tuple[Path, ...],
    mapping: Path | None,
    as_of: Any,
    rejects: Path,
    actor: str,
    rows_at_once: int | None,
) -> Figures:
    console = Console(stderr=True)
    figures = Figures()
    async with open_laurel(settings, batch_max=rows_at_once or import_batch(settings.database_url)) as laurel:
        importer = laurel.plugins.importers.get(name)
        if importer is None:
            known = ", ".join(laurel.plugins.importers) or "nothing"
            raise NothingToImport(f"no plugin imports {name!r}; there is: {known}")
        make = maker(importer, laurel, actor=actor, as_of=as_of)
        columns = columns_of(importer, mapping)
        with console.status("checking the files"):
            checked = [await asyncio.to_thread(examine, file, columns) for file in files]
        with ExitStack() as stack:
            writer = stack.enter_context(_Rejects(rejects, console))
            progress = stack.enter_context(_progress(console))
            task = progress.add_task("rows", total=sum(file.rows for file in checked))
            try:
                await import_rows(
                    _lines(checked, columns),
                    make,
                    laurel.committer,
                    reject=writer,
                    advance=lambda _: progress.update(task, completed=figures.rows),
                    figures=figures,
                )
                progress.update(task, completed=figures.rows, total=figures.rows)
            finally:
                stack.close()
                _print(figures, rejects)
    return figures


def columns_of(importer: Importer, mapping: Path | None) -> Columns:
    """Which column holds what, by the mapping file. Raises MappingInvalid."""
    if mapping is None:
        return Columns(importer.columns, importer.required)
    try:
        text = mapping.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NothingToImport(f"{mapping} cannot be read: {error}") from error
    return Columns.from_yaml(text, importer.columns, importer.required)


def maker(importer: Importer, laurel: Laurel, *, actor: str, as_of: Any) -> Make:
    """What makes operations of rows. ``as_of`` is None, ``"row"``, or the day or instant that is the clock."""
    zone = zone_of(laurel)
    importing = Importing(zone=zone, actor=actor, replaying=as_of == "row")
    operation = importer.operation
    if not isinstance(as_of, date):
        return lambda row: operation(row, importing)
    clock = last_instant(as_of, zone)

    def at_one_time(row: Row) -> Operation:
        return replace(operation(row, importing), at=clock)

    return at_one_time


def _lines(files: list[RowFile], columns: Columns) -> Iterator[Line]:
    return chain.from_iterable(read(file, columns) for file in files)


class _Rejects:
    """Writes rows that did not go in to a file; there is none when all went in."""

    def __init__(self, path: Path, console: Console) -> None:
        self._path = path
        self._console = console
        self._count = 0

    def __enter__(self) -> Self:
        try:
            self._file = self._path.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise NothingToImport(f"{self._path} cannot be written: {error.strerror}") from error
        self._writer = csv.writer(self._file)
        self._writer.writerow(["file", "row", "reason", "content"])
        return self

    def __call__(self, reject: Reject) -> None:
        line = reject.line
        self._writer.writerow([line.file, line.number, reject.reason, line.text])
        self._count += 1
        if self._count <= SHOWN_MAX:
            self._console.print(f"{line.file}, row {line.number}: {reject.reason}", style="yellow", markup=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if not self._count:
            self._path.unlink()


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _print(figures: Figures, rejects: Path) -> None:
    click.echo(f"{figures.imported:,} imported, {figures.replayed:,} were there already")
    if failed := figures.refused + figures.rejected:
        click.echo(f"{figures.refused:,} refused, {figures.rejected:,} not understood: {failed:,} rows in {rejects}")
