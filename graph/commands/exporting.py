"""``laurel export``: members and what they have, into files that ``laurel import`` reads."""

import asyncio
from pathlib import Path
from typing import Final

import click

from core.files.exporting import BALANCE_COLUMNS, MEMBER_COLUMNS, balances, export, members, owed, writer_of
from graph.commands.moments import zone_of
from graph.laurel import open_laurel
from graph.settings import Settings

_COLUMNS: Final = {"members": MEMBER_COLUMNS, "balances": BALANCE_COLUMNS}


@click.command("export")
@click.argument("name", metavar="members|balances", type=click.Choice(tuple(_COLUMNS)))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def command(settings: Settings, name: str, file: Path) -> None:
    """Write all members, or what is left of all their lots, into FILE: .csv, .jsonl (either with .gz) or .parquet."""
    asyncio.run(_export(settings, name, file))


async def _export(settings: Settings, name: str, file: Path) -> None:
    writer = writer_of(file, _COLUMNS[name])
    async with open_laurel(settings) as laurel:
        reader = laurel.store.reader()
        rows = members(reader) if name == "members" else balances(reader, laurel.clock.now(), zone_of(laurel))
        count = await export(rows, writer)
        click.echo(f"{count:,} rows in {file}")
        if name == "balances" and (debt := await owed(reader)):
            click.echo(f"members owe {debt:,}, which stands in no row", err=True)
