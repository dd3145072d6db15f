"""``laurel expire``: write down what has lapsed."""

import asyncio

import click
from rich.console import Console
from rich.progress import Progress

from core.scheduling.sweep import Swept, count_due, sweep
from graph.laurel import open_laurel
from graph.settings import Settings


@click.command("expire")
@click.pass_obj
def command(settings: Settings) -> None:
    """Write down the points that have expired, and release the holds whose time is over."""
    swept = asyncio.run(_expire(settings))
    click.echo(f"{swept.points:,} points of {swept.accounts:,} accounts expired, {swept.holds:,} holds released")


async def _expire(settings: Settings) -> Swept:
    async with open_laurel(settings) as laurel:
        now, reader = laurel.clock.now(), laurel.store.reader()
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("accounts and holds", total=await count_due(reader, now))
            return await sweep(
                reader, laurel.committer, now, actor="command", advance=lambda n: progress.advance(task, n)
            )
