"""``laurel jobs``: what is done when nobody asks, and where it stands."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

import click
import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from core.scheduling.jobs import JobState
from graph.laurel import Laurel, open_laurel
from graph.settings import Settings

T = TypeVar("T")

LATE: Final = timedelta(minutes=5)
"""A job that has been due for so long has nobody who runs it, or too much to do."""


@click.group("jobs")
def command() -> None:
    """What is done when nobody asks: points expire, holds time out, members are reminded.

    A server runs them itself, unless LAUREL_JOBS is no; then some process runs "laurel jobs work".
    """


@command.command("list")
@click.pass_obj
def list_(settings: Settings) -> None:
    """What jobs there are, and when each is due."""
    table = Table("job", "due", "what it does")
    for state in asyncio.run(_open(settings, _states)):
        table.add_row(state.job.name, str(state.job.when), escape(state.job.says))
    _console().print(table)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Where every job stands; exit status 1 when one has failed, or has been due for five minutes."""
    states = asyncio.run(_open(settings, _states))
    if as_json:
        click.echo(orjson.dumps([_json(state) for state in states], option=orjson.OPT_INDENT_2))
    else:
        table = Table("job", "last run", "next run", "lag", "runs", "failures", "done", "error")
        for state in states:
            last = "running" if state.is_running else _moment(state.started_at)
            counts = (str(state.runs), str(state.failures), str(state.done))
            table.add_row(
                state.job.name, last, _moment(state.next_at), str(state.lag), *counts, escape(state.error or "")
            )
        _console().print(table)
    sys.exit(1 if any(state.error or (state.lag > LATE and not state.is_running) for state in states) else 0)


@command.command()
@click.argument("name")
@click.pass_obj
def run(settings: Settings, name: str) -> None:
    """Run the job NAME now, due or not."""

    async def one(laurel: Laurel) -> int:
        return await laurel.jobs.run(name)

    click.echo(f"{name}: {asyncio.run(_open(settings, one)):,} done")


@command.command()
@click.pass_obj
def work(settings: Settings) -> None:
    """Run jobs whenever they are due, until it is interrupted."""

    async def until_interrupted(laurel: Laurel) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with laurel.jobs:
            await stop.wait()

    asyncio.run(_open(settings, until_interrupted))


async def _open(settings: Settings, use: Callable[[Laurel], Awaitable[T]]) -> T:
    async with open_laurel(settings) as laurel:
        return await use(laurel)


async def _states(laurel: Laurel) -> list[JobState]:
    return await laurel.jobs.states()


def _console() -> Console:
    # Piped into a file, a table is as wide as it wants to be.
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _moment(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _json(state: JobState) -> dict[str, object]:
    said = state._asdict()
    return {
        "name": state.job.name,
        "schedule": str(state.job.when),
        **{name: value for name, value in said.items() if name not in {"job", "lag"}},
        "lag": state.lag.total_seconds(),
    }
