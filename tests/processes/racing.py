"""Races, one after another: ``Racers`` is a process that has imported all that they need, and forks for each.

``python -m tests.processes.racing`` reads jobs, a line each: ``{"race": "channels", "processes": 4, …}`` with what the
module of that name wants besides. It prints a line for each: a JSON list of what the processes told, or null when one
of them failed. They are forked, so that everything is imported once and they start together.
"""

import asyncio
import gc
import importlib
import json
import multiprocessing
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Coroutine
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
_RACES: Final = ("race", "channels", "guests")
_OPEN: Final = multiprocessing.get_context("fork")
_PATIENCE_SECONDS: Final = 120

Racer = Callable[[dict[str, Any], int, Connection, Any], Coroutine[Any, Any, None]]
"""What one of the processes does: its job, its number, where it tells what became of it, and where it waits."""


class Racers:
    """Runs races in processes of their own. One that fails takes down no other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    async def run(self, race: str, url: str, *, processes: int, **job: Any) -> list[Any]:
        """What all the processes told."""
        line = json.dumps({"race": race, "url": url, "processes": processes, **job})
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                told: list[Any] | None = await asyncio.to_thread(self._run, line)
        except TimeoutError:
            self.close()
            raise
        assert told, "a process has failed"
        return told

    def _run(self, line: str) -> Any:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self._process.stdin
        assert self._process.stdout
        print(line, file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def told_by(racer: Racer, job: dict[str, Any]) -> list[Any]:
    barrier = _OPEN.Barrier(job["processes"])
    pipes = [_OPEN.Pipe(duplex=False) for _ in range(job["processes"])]
    processes = [
        _OPEN.Process(target=_race, args=(racer, job, number, told, barrier)) for number, (_, told) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    for _, told in pipes:
        told.close()
    found = [one for heard, _ in pipes for one in heard.recv()]
    for process in processes:
        process.join()
    return found


def _race(racer: Racer, job: dict[str, Any], number: int, told: Connection, barrier: Any) -> None:
    asyncio.run(racer(job, number, told, barrier))


def main() -> None:
    racers = {name: importlib.import_module(f"tests.processes.{name}").race for name in _RACES}
    gc.freeze()
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            failed = 1
            try:
                print(json.dumps(told_by(racers[job["race"]], job)), flush=True)
                failed = 0
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(failed)
        _, status = os.waitpid(child, 0)
        if status:
            print("null", flush=True)


if __name__ == "__main__":
    main()
