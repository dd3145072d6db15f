"""``laurel init``: from nothing to a shop that runs, in one command."""

import asyncio
from dataclasses import replace
from typing import Final

import click

from graph.commands.clock import said_of as said_of_clock
from graph.commands.serve import check_address, run
from graph.laurel import open_laurel, tables
from graph.settings import Settings
from graph.starting.access import kept_secret, ways_in
from graph.starting.opening import ACTOR, FIRST, enrol, make_tables, member_called, open_programme
from graph.starting.programmes import read_shipped, said_of, shipped
from plugins.manager import load_plugins

FACES: Final = 6
"""How many members of a sandbox anybody on this machine may be in the member centre."""


@click.command("init")
@click.option("--programme", metavar="NAME", help="The programme to begin with: see --list.")
@click.option("--list", "listing", is_flag=True, help="Name the programmes that there are, and end.")
@click.option("--sandbox", is_flag=True, help="Let a new database be a sandbox, whose clock is moved.")
@click.option("--members", type=click.IntRange(0, 1_000), default=3, show_default=True, help="How many to enrol.")
@click.option("--no-serve", is_flag=True, help="Stop when all is ready, and serve nothing.")
@click.option("--host", help="The address to listen on; otherwise LAUREL_HOST, or this machine only.")
@click.option("--port", type=click.IntRange(1, 65_535), help="The port to listen on; otherwise LAUREL_PORT, or 8000.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes.")
@click.pass_obj
def command(
    settings: Settings,
    programme: str | None,
    listing: bool,
    sandbox: bool,
    members: int,
    no_serve: bool,
    host: str | None,
    port: int | None,
    workers: int,
) -> None:
    """Make a database with a programme and a few members, print a token for each role, and serve.

    A second time it goes on with what is there. It is for trying: a shop whose points are worth something is opened
    step by step, as docs/cli.md shows.
    """
    if listing:
        for name, path in shipped().items():
            click.echo(f"{name:<18} {said_of(path)}")
        return
    if programme is None:
        raise click.UsageError("--programme NAME is needed; --list names them all")
    read_shipped(programme)  # before anything is made
    live = settings.live and "LAUREL_LIVE" in settings.variables
    settings = replace(settings, host=host or settings.host, port=port or settings.port, live=live)
    if not no_serve:
        check_address(settings)
    settings = replace(settings, secret=settings.secret or kept_secret(settings))
    settings = asyncio.run(_open(settings, programme, sandbox=sandbox, members=members))
    if not no_serve:
        run(settings, workers)


async def _open(settings: Settings, programme: str, *, sandbox: bool, members: int) -> Settings:
    plugins = load_plugins(settings.disabled_plugins)
    await make_tables(settings, tables(plugins), sandbox=sandbox)
    async with open_laurel(settings, plugins=plugins) as laurel:
        published = await open_programme(laurel, programme)
        await enrol(laurel, members)
        first = await member_called(laurel, FIRST)
        click.echo(f"{programme} {'is published' if published else 'is there already'}, in {settings.database_url}")
        if laurel.clock.is_sandbox:
            click.echo(said_of_clock(laurel))
            settings = replace(settings, samples=[f"member-{number}" for number in range(1, min(members, FACES) + 1)])
    for line in ways_in(settings, subject=ACTOR, member=first):
        click.echo(line)
    return settings
