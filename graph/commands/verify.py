"""``laurel verify``: look for whatever is wrong with the books."""

import asyncio
import sys
from collections.abc import Sequence

import click
import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from core.key_figures.recomputing import correct
from core.oversight.verify import INVARIANTS, Finding, Invariant, verify
from core.store import Store
from core.store.databases import connect
from core.store.migrating import require_migrated
from graph.laurel import tables
from graph.settings import Settings
from plugins.manager import Plugins, load_plugins


@click.command("verify")
@click.option("--correct", "corrects", is_flag=True, help="First make the daily aggregates what the ledger says.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(settings: Settings, corrects: bool, as_json: bool) -> None:
    """Check every invariant of the ledger; exit status 1 when one is broken. May run while Laurel serves."""
    plugins = load_plugins(settings.disabled_plugins)
    invariants = (*INVARIANTS, *plugins.invariants)
    findings = asyncio.run(_verify(settings, plugins, corrects))
    if as_json:
        click.echo(orjson.dumps(_json(invariants, findings), option=orjson.OPT_INDENT_2))
    else:
        _print(invariants, findings)
    sys.exit(1 if findings else 0)


async def _verify(settings: Settings, plugins: Plugins, corrects: bool) -> list[Finding]:
    apps = tables(plugins)
    # As for a migration, with no limit to how long a statement may take: these read all there is.
    async with connect(settings.database_url, apps, migrating=True) as context:
        await require_migrated(context, settings.database_url, apps)
        if corrects:
            async with Store().transaction() as writer:
                await correct(writer)
        return await verify(Store().reader(), plugins.invariants)


def _json(invariants: Sequence[Invariant], findings: list[Finding]) -> list[dict[str, object]]:
    found = {finding.invariant.name: finding for finding in findings}
    return [
        {
            "invariant": invariant.name,
            "says": invariant.says,
            "broken": found[invariant.name].places if invariant.name in found else 0,
            "offenders": found[invariant.name].offenders if invariant.name in found else [],
        }
        for invariant in invariants
    ]


def _print(invariants: Sequence[Invariant], findings: list[Finding]) -> None:
    console = Console()
    found = {finding.invariant.name: finding for finding in findings}
    table = Table("invariant", "says", "broken")
    table.columns[2].justify = "right"
    for invariant in invariants:
        finding = found.get(invariant.name)
        if finding is None:
            table.add_row(invariant.name, invariant.says, "0")
            continue
        table.add_row(invariant.name, invariant.says, str(finding.places), style="red")
        for offender in finding.offenders:
            table.add_row("", escape(", ".join(f"{name} {value}" for name, value in offender.items())), "")
    console.print(table)
    if findings:
        console.print(f"{len(findings)} of {len(invariants)} invariants are broken", style="red")
    else:
        console.print(f"all {len(invariants)} invariants hold")
