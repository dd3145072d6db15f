"""``laurel report``: the programme's figures, now or at a date in the past."""

import asyncio
from dataclasses import asdict
from datetime import date

import click
import orjson
from rich.console import Console
from rich.table import Table

from core.report import Report, report
from graph.commands.moments import MOMENT, last_instant, zone_of
from graph.laurel import open_laurel
from graph.settings import Settings


@click.command("report")
@click.option("--at", type=MOMENT, help="The end of a day, or an instant. Now, when left out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(settings: Settings, at: date | None, as_json: bool) -> None:
    """Members, orders, what was earned, redeemed, clawed back and expired, what is available and owed, and tiers."""
    figures = asyncio.run(_report(settings, at))
    if as_json:
        click.echo(orjson.dumps(figures.to_json(), option=orjson.OPT_INDENT_2))
    else:
        _print(figures)


async def _report(settings: Settings, at: date | None) -> Report:
    async with open_laurel(settings) as laurel:
        zone = zone_of(laurel)
        instant = laurel.clock.now() if at is None else last_instant(at, zone)
        # Past versions may have had units that the present one lacks.
        units = dict.fromkeys(unit for v in laurel.programmes.versions for unit in v.programme.unit_names)
        return await report(laurel.store.reader(), instant, zone, list(units))


def _print(figures: Report) -> None:
    console = Console()
    console.print(f"at {figures.at.isoformat()}: {figures.members:,} members, {figures.orders:,} orders")
    table = Table("", *figures.units)
    columns = [asdict(unit) for unit in figures.units.values()]
    for column in table.columns[1:]:
        column.justify = "right"
    for name in columns[0]:
        table.add_row(name.replace("_", " "), *(f"{column[name]:,}" for column in columns))
    console.print(table)
    if figures.tiers:
        tiers = Table("tier", "members")
        tiers.columns[1].justify = "right"
        for tier, members in figures.tiers.items():
            tiers.add_row(tier, f"{members:,}")
        console.print(tiers)
