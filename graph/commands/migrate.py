"""``laurel migrate``: bring the database to the tables that the code and the plugins declare."""

import asyncio

import click

from core.store.databases import Database
from graph.laurel import tables
from graph.settings import Settings
from graph.starting.opening import make_tables
from plugins.manager import load_plugins


@click.command("migrate")
@click.option("--sandbox", is_flag=True, help="Let a database without a programme be a sandbox, whose clock is moved.")
@click.pass_obj
def command(settings: Settings, sandbox: bool) -> None:
    """Create or bring up to date the tables of the database."""
    apps = tables(load_plugins(settings.disabled_plugins))
    applied = asyncio.run(make_tables(settings, apps, sandbox=sandbox))
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo(f"{Database.from_url(settings.database_url).label} is up to date")
