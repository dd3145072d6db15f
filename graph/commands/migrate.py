"""``laurel migrate``: bring the database to the tables that the code and the plugins declare."""

import asyncio

import click

from core.store.databases import Database
from core.store.migrating import migrate
from graph.laurel import tables
from graph.settings import Settings
from plugins.manager import load_plugins


@click.command("migrate")
@click.pass_obj
def command(settings: Settings) -> None:
    """Create or bring up to date the tables of the database."""
    apps = tables(load_plugins(settings.disabled_plugins))
    applied = asyncio.run(migrate(settings.database_url, apps))
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo(f"{Database.from_url(settings.database_url).label} is up to date")
