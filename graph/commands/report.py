"""``laurel report``: the programme's figures, now or at a date in the past, and what is outstanding now."""

import asyncio
from dataclasses import asdict
from datetime import date
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table

from core.value.liability import Liability, liability
from core.value.report import Report, report
from graph.commands.moments import MOMENT, last_instant, zone_of
from graph.laurel import open_laurel
from graph.settings import Settings


@click.command("report")
@click.option("--at", type=MOMENT, help="The end of a day, or an instant. Now, when left out.")
@click.option("--liability", "with_liability", is_flag=True, help="What is outstanding now, by month and in money.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(settings: Settings, at: date | None, with_liability: bool, as_json: bool) -> None:
    """Members, orders, what was earned, redeemed, clawed back and expired, what is available and owed, and tiers."""
    if with_liability and at is not None:
        raise click.UsageError("what is outstanding by month is known of the present only: leave --at out")
    figures, owed = asyncio.run(_report(settings, at, with_liability))
    if as_json:
        said: dict[str, Any] = figures.to_json()
        if with_liability:
            said["liability"] = {each.unit: each.to_json() for each in owed}
        click.echo(orjson.dumps(said, option=orjson.OPT_INDENT_2))
        return
    _print(figures)
    for each in owed:
        _print_liability(each)


async def _report(settings: Settings, at: date | None, with_liability: bool) -> tuple[Report, list[Liability]]:
    async with open_laurel(settings) as laurel:
        zone = zone_of(laurel)
        now = laurel.clock.now()
        instant = now if at is None else last_instant(at, zone)
        # Past versions may have had units that the present one lacks.
        units = dict.fromkeys(unit for v in laurel.programmes.versions for unit in v.programme.unit_names)
        reader = laurel.store.reader()
        figures = await report(reader, instant, zone, list(units))
        if not with_liability:
            return figures, []
        programme = laurel.programmes.at(now).programme
        return figures, [await liability(reader, programme, now, unit) for unit in programme.unit_names]


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


def _print_liability(owed: Liability) -> None:
    table = Table(f"{owed.unit} lost in", "available", "pending", "held", f"worth {owed.currency}")
    for column in table.columns[1:]:
        column.justify = "right"
    rows = [("never" if month is None else f"{month:%Y-%m}", part) for month, part in owed.months.items()]
    for name, part in [*rows, ("all", owed.outstanding)]:
        figures = (part.available, part.pending, part.held)
        table.add_row(name, *(f"{figure:,}" for figure in figures), _money(owed, part.total))
    table.add_row("debt", "", "", f"{owed.debt:,}", _money(owed, owed.debt))
    table.add_row("net", "", "", f"{owed.net:,}", _money(owed, owed.net))
    Console().print(table)


def _money(owed: Liability, points: int) -> str:
    value = owed.worth(points)
    return "" if value is None else f"{value:,}"
