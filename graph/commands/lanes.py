"""An import in lanes: processes beside one another, each with the rows of members of its own, in the order of the file.

Python computes on one core. So the process that was started takes the first lane and starts another for each further
one, which reads the same files. Nothing but counts and the rows that did not go in comes back.
"""

import csv
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from zlib import crc32

from core.errors import LaurelError
from core.files.importing import Figures, Line, Reject, RowFile
from core.store.databases import Database
from graph.collecting import collect_rarely

LANES: Final = 2
ROWS_MIN: Final = 20_000
"""From so many rows on it is worth a second or two to start another process."""

HEAD: Final = ("file", "row", "reason", "content")


class LaneFailed(LaurelError):
    """A lane could not do its part. What it had done is stored, and a second run goes on from there."""


class Lane(NamedTuple):
    """One of so many."""

    number: int = 0
    of: int = 1

    def lines(self, lines: Iterator[Line]) -> Iterator[Line]:
        """The rows of the lane's members; those of nobody are the first lane's."""
        if self.of == 1:
            return lines
        return (line for line in lines if self._of(line) == self.number)

    def _of(self, line: Line) -> int:
        member = line.row.get("member")
        return crc32(member.encode(errors="replace")) % self.of if isinstance(member, str) else 0


def lanes_for(database_url: str, files: Sequence[RowFile]) -> int:
    """How many lanes an import is worth: SQLite has one writer, and a short file is done before a process has begun."""
    one = Database.from_url(database_url).dialect == "sqlite" or sum(file.rows for file in files) < ROWS_MIN
    return 1 if one or (os.cpu_count() or 1) == 1 else LANES


@dataclass(frozen=True)
class Work:
    """What the other lanes are to do: ``run(lane, reject, figures, advance)``, which must be found by its name."""

    run: Callable[..., None]
    arguments: tuple[Any, ...]


class Others(AbstractContextManager["Others"]):
    """The lanes but the first, at work while this is open; leaving it by an exception ends them."""

    def __init__(self, lanes: int, work: Work) -> None:
        self._folder = TemporaryDirectory(prefix="laurel-import-")
        self.rejects = [Path(self._folder.name) / f"{number}.csv" for number in range(1, lanes)]
        self.figures = [Figures() for _ in self.rejects]
        context, level = get_context("spawn"), logging.getLogger("laurel.committer").level
        self._ends: list[Connection] = []
        self._processes = []
        for number, rejects in enumerate(self.rejects, 1):
            ours, theirs = context.Pipe(duplex=False)
            arguments = (Lane(number, lanes), work, rejects, theirs, level)
            process = context.Process(target=_work, args=arguments, daemon=True)
            process.start()
            theirs.close()  # so that we see when the process has ended
            self._ends.append(ours)
            self._processes.append(process)

    @property
    def rows(self) -> int:
        """How many rows they have done, as far as they have told."""
        for number, end in enumerate(self._ends):
            while end.poll():
                try:
                    self._hear(number, end.recv())
                except EOFError:
                    break
        return sum(figures.rows for figures in self.figures)

    def wait(self) -> None:
        """Wait until all have done their part. Raises LaneFailed."""
        for number, (end, process) in enumerate(zip(self._ends, self._processes, strict=True)):
            try:
                while True:
                    self._hear(number, end.recv())
            except EOFError:
                process.join()
            if process.exitcode:
                raise LaneFailed(f"a part of the import was ended ({process.exitcode}); start it again")

    def _hear(self, number: int, told: Figures | str) -> None:
        if isinstance(told, str):
            raise LaneFailed(told)
        self.figures[number] = told

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            if error is not None:
                process.terminate()
            process.join()
        self._folder.cleanup()


def _work(lane: Lane, work: Work, rejects: Path, told: Connection, level: int) -> None:
    """What the process of a lane does."""
    Thread(target=_end_with_parent, daemon=True).start()
    collect_rarely()
    logging.getLogger("laurel.committer").setLevel(level)
    figures = Figures()
    with RejectsFile(rejects) as reject:
        try:
            work.run(lane, reject, figures, lambda _: told.send(figures), *work.arguments)
            told.send(figures)
        except LaurelError as error:
            told.send(figures)
            told.send(str(error))
        except KeyboardInterrupt:
            told.send("it was interrupted")


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


class RejectsFile:
    """A file of rows that did not go in, with the reason."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def __enter__(self) -> Self:
        self._file = self.path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(HEAD)
        return self

    def __call__(self, reject: Reject) -> None:
        line = reject.line
        self._writer.writerow([line.file, line.number, reject.reason, line.text])
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def rows_of(rejects: Path) -> Iterator[list[str]]:
    """The rows of a file of rejects."""
    with rejects.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        yield from rows
