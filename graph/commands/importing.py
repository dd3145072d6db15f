"""``laurel import``: bring files of orders, refunds and adjustments in."""

import asyncio
import csv
import heapq
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.engine.aside import Aside
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
from graph.commands.lanes import HEAD, Lane, Others, RejectsFile, Work, lanes_for, rows_of
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
@click.option("--guests", is_flag=True, help="Orders without a member are of guests, who are no members.")
@click.option("--rejects", type=_FILE, help="Where to write the rows that did not go in. FILE.rejects.csv otherwise.")
@click.option("--batch", help="A name for this import, for the record. The files' names, when left out.")
@click.option(
    "--rows-at-once",
    type=click.IntRange(1, 10_000),
    help="How many rows go into one transaction; by default what suits the database.",
)
@click.option(
    "--lanes",
    type=click.IntRange(1, 64),
    help="How many processes, each with members of its own; by default two for many rows into a server's database.",
)
@click.pass_obj
def command(
    settings: Settings,
    name: str,
    files: tuple[Path, ...],
    mapping: Path | None,
    as_of: Any,
    guests: bool,
    rejects: Path | None,
    batch: str | None,
    rows_at_once: int | None,
    lanes: int | None,
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
    asked = Asked(settings.database_url, name, mapping, as_of, guests, actor, rows_at_once)
    figures = asyncio.run(_import(asked, files, rejects, lanes))
    sys.exit(1 if figures.refused or figures.rejected else 0)


@dataclass(frozen=True)
class Asked:
    """What each lane has to know. The processes read their settings as the first one did."""

    database_url: str
    name: str
    mapping: Path | None
    as_of: Any
    guests: bool
    actor: str
    rows_at_once: int | None

    def opened(self) -> AbstractAsyncContextManager[Laurel]:
        settings = replace(Settings.from_environment(os.environ), database_url=self.database_url)
        return open_laurel(settings, batch_max=self.rows_at_once or import_batch(self.database_url))

    def importer(self, laurel: Laurel) -> Importer:
        importer = laurel.plugins.importers.get(self.name)
        if importer is None:
            known = ", ".join(laurel.plugins.importers) or "nothing"
            raise NothingToImport(f"no plugin imports {self.name!r}; there is: {known}")
        if self.guests and importer.of_nobody is None:
            raise NothingToImport(f"--guests is for orders: there are no {self.name} of guests")
        return importer


async def _import(asked: Asked, files: tuple[Path, ...], rejects: Path, lanes: int | None) -> Figures:
    console = Console(stderr=True)
    figures = Figures()
    async with asked.opened() as laurel:
        importer = asked.importer(laurel)
        columns = columns_of(importer, asked.mapping, guests=asked.guests)
        with console.status("checking the files"):
            checked = [await asyncio.to_thread(examine, file, columns) for file in files]
        lanes = lanes or lanes_for(asked.database_url, checked)
        with ExitStack() as stack:
            writer = stack.enter_context(_Rejects(rejects, console))
            progress = stack.enter_context(_progress(console))
            task = progress.add_task("rows", total=sum(file.rows for file in checked))
            others = stack.enter_context(Others(lanes, Work(run_lane, (asked, checked)))) if lanes > 1 else None

            def advance(_: int) -> None:
                progress.update(task, completed=figures.rows + (others.rows if others else 0))

            try:
                await import_lane(asked, laurel, checked, Lane(0, lanes), writer, figures, advance)
                if others:
                    await asyncio.to_thread(others.wait)
                    writer.take(others.rejects, [str(file) for file in files])
            finally:
                for other in others.figures if others else ():
                    figures.add(other)
                stack.close()
                _print(figures, rejects)
    return figures


async def import_lane(
    asked: Asked,
    laurel: Laurel,
    files: list[RowFile],
    lane: Lane,
    reject: Callable[[Reject], None],
    figures: Figures,
    advance: Callable[[int], None],
) -> None:
    """Import the rows of the lane's members."""
    importer = asked.importer(laurel)
    columns = columns_of(importer, asked.mapping, guests=asked.guests)
    make = maker(importer, laurel, actor=asked.actor, as_of=asked.as_of, guests=asked.guests)
    lines = lane.lines(_lines(files, columns))
    await import_rows(lines, make, laurel.committer, reject=reject, advance=advance, figures=figures)


def run_lane(
    lane: Lane,
    reject: Callable[[Reject], None],
    figures: Figures,
    advance: Callable[[int], None],
    asked: Asked,
    files: list[RowFile],
) -> None:
    async def work() -> None:
        async with asked.opened() as laurel:
            await import_lane(asked, laurel, files, lane, reject, figures, advance)

    asyncio.run(work())


def columns_of(importer: Importer, mapping: Path | None, *, guests: bool = False) -> Columns:
    """Which column holds what, by the mapping file. Raises MappingInvalid."""
    required = importer.required - {"member"} if guests else importer.required
    if mapping is None:
        return Columns(importer.columns, required)
    try:
        text = mapping.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NothingToImport(f"{mapping} cannot be read: {error}") from error
    return Columns.from_yaml(text, importer.columns, required)


def maker(importer: Importer, laurel: Laurel, *, actor: str, as_of: Any, guests: bool = False) -> Make:
    """What makes operations of rows. ``as_of`` is None, ``"row"``, or the day or instant that is the clock.

    With ``guests`` a row without a member is about nobody.
    """
    zone = zone_of(laurel)
    importing = Importing(zone=zone, actor=actor, replaying=as_of == "row")
    operation, of_nobody = importer.operation, importer.of_nobody if guests else None
    clock = last_instant(as_of, zone) if isinstance(as_of, date) else None

    def make(row: Row) -> Operation | Aside:
        if of_nobody is not None and "member" not in row:
            return of_nobody(row, importing)
        made = operation(row, importing)
        return made if clock is None else replace(made, at=clock)

    return make


def _lines(files: list[RowFile], columns: Columns) -> Iterator[Line]:
    return chain.from_iterable(read(file, columns) for file in files)


class _Rejects(RejectsFile):
    """Shows the first rows that did not go in as well; there is no file when all went in."""

    def __init__(self, path: Path, console: Console) -> None:
        super().__init__(path)
        self._console = console

    def __enter__(self) -> Self:
        try:
            return super().__enter__()
        except OSError as error:
            raise NothingToImport(f"{self.path} cannot be written: {error.strerror}") from error

    def __call__(self, reject: Reject) -> None:
        super().__call__(reject)
        self._show(reject.line.file, str(reject.line.number), reject.reason)

    def _show(self, file: str, number: str, reason: str) -> None:
        if self.count <= SHOWN_MAX:
            self._console.print(f"{file}, row {number}: {reason}", style="yellow", markup=False)

    def take(self, others: Sequence[Path], files: Sequence[str]) -> None:
        """Take over what did not go in elsewhere, so that all of it stands in the order of the files."""

        def place(row: Any) -> tuple[int, int]:
            return files.index(row[0]), int(row[1])

        for row in heapq.merge(*map(rows_of, others), key=place):
            self.count += 1
            self._show(*row[:3])
        self._file.close()
        together = self.path.with_name(f"{self.path.name}.tmp")
        with together.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEAD)
            writer.writerows(heapq.merge(*map(rows_of, (self.path, *others)), key=place))
        together.replace(self.path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if not self.count:
            self.path.unlink()


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
