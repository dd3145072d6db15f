"""``laurel migrate``: bring the database to the tables that the code and the plugins declare."""

import asyncio
from collections.abc import Mapping, Sequence

import click

from core.sandbox.clock import make_sandbox
from core.store.databases import Database, Tables, connect
from core.store.migrating import migrate
from graph.laurel import as_sandbox, tables
from graph.settings import Settings
from plugins.manager import load_plugins


@click.command("migrate")
@click.option("--sandbox", is_flag=True, help="Let a database without a programme be a sandbox, whose clock is moved.")
@click.pass_obj
def command(settings: Settings, sandbox: bool) -> None:
    """Create or bring up to date the tables of the database."""
    apps = tables(load_plugins(settings.disabled_plugins))
    applied = asyncio.run(_migrated(settings, apps, sandbox))
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo(f"{Database.from_url(settings.database_url).label} is up to date")


async def _migrated(settings: Settings, apps: Mapping[str, Tables], sandbox: bool) -> Sequence[str]:
    if not sandbox:
        return await migrate(settings.database_url, apps)
    as_sandbox(settings)
    applied = await migrate(settings.database_url, apps)
    async with connect(settings.database_url, apps):
        await make_sandbox()
    return applied
