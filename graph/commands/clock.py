"""``laurel clock``: what time it is for the programme, and moving that in a sandbox."""

import asyncio
from datetime import datetime
from typing import Any

import click

from core.sandbox.advancing import Advance
from core.sandbox.durations import Duration
from core.time.clock import rfc3339
from graph.commands.moments import MOMENT, first_instant, zone_of
from graph.laurel import Laurel, open_laurel
from graph.settings import Settings


class _Duration(click.ParamType[Any]):
    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Duration:
        if isinstance(value, Duration):
            return value
        try:
            return Duration.read(value)
        except ValueError:
            self.fail(f"{value!r} is not a duration such as P12M, P1D or PT90M", param, ctx)


@click.group("clock")
def command() -> None:
    """The programme's clock, which is moved in a sandbox."""


@command.command("show")
@click.pass_obj
def show(settings: Settings) -> None:
    """Say what time it is for the programme."""

    async def say() -> None:
        async with open_laurel(settings) as laurel:
            click.echo(said_of(laurel))

    asyncio.run(say())


@command.command("advance")
@click.option("--by", type=_Duration(), help="How far: P12M, P1D, PT90M.")
@click.option("--until", type=MOMENT, help="Until when: the beginning of a day in the programme's zone, or a time.")
@click.pass_obj
def advance(settings: Settings, by: Duration | None, until: Any) -> None:
    """Move a sandbox's clock, and do what becomes due on the way."""
    if (by is None) == (until is None):
        raise click.UsageError("either --by or --until is needed")

    async def move() -> Advance:
        async with open_laurel(settings) as laurel:
            to: datetime | None = None if until is None else first_instant(until, zone_of(laurel))
            return await laurel.sandbox.advance(by=by, until=to)

    moved = asyncio.run(move())
    click.echo(f"{rfc3339(moved.was)} → {rfc3339(moved.now)}")
    for each in moved.jobs:
        if each.done or each.failures:
            failed = f", {each.failures:,} runs failed: {each.error}" if each.failures else ""
            click.echo(f"{each.job.name}: {each.done:,} done in {each.runs:,} runs{failed}")


def said_of(laurel: Laurel) -> str:
    """The clock in one line."""
    now = laurel.clock.now()
    programme = laurel.programmes.latest(now)
    shown = rfc3339(now.replace(microsecond=0))
    if programme is not None:
        zone = programme.programme.zone
        shown = f"{now.astimezone(zone):%Y-%m-%d %H:%M} in {zone.key}"
    return f"SANDBOX   its clock stands at {shown}" if laurel.clock.is_sandbox else f"the clock stands at {shown}"
