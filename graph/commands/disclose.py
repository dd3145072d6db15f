"""``laurel disclose``: what is kept of a member, for who asks what is known of them."""

import asyncio
from importlib import import_module

import click
import orjson

from core.people.disclosing import disclose
from core.store import Store
from core.store.databases import connect
from core.store.migrating import require_migrated
from graph.laurel import tables
from graph.settings import Settings
from plugins.manager import load_plugins


@click.command("disclose")
@click.argument("external_id", metavar="EXTERNAL_ID")
@click.pass_obj
def command(settings: Settings, external_id: str) -> None:
    """Print all that is kept of the member EXTERNAL_ID, as JSON by table. Nothing is written."""
    apps = tables(load_plugins(settings.disabled_plugins))
    modules = [import_module(name) for of in apps.values() for name in of.models]

    async def read() -> dict[str, list[dict[str, object]]]:
        async with connect(settings.database_url, apps) as context:
            await require_migrated(context, settings.database_url, apps)
            return await disclose(Store().reader(), external_id, modules)

    click.echo(orjson.dumps(asyncio.run(read()), option=orjson.OPT_INDENT_2))
