"""``laurel plugin``: write a channel of your own, and find out whether it keeps the contract."""

import asyncio
import importlib.util
import keyword
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Final

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from core.errors import LaurelError
from core.suggest import did_you_mean
from graph.settings import Settings
from plugins.manager import Offer, find_offers

_TEMPLATES: Final = Path(__file__).parents[1] / "templates" / "channel"
_SUFFIX: Final = ".template"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*")
_NAME_MAX: Final = 30


class CannotWrite(LaurelError):
    """The plugin cannot be written under that name, or there."""


class CannotCheck(LaurelError):
    """There is no such plugin to check, or nothing to check it with."""


@click.group("plugin")
def command() -> None:
    """Write a channel of your own, and check it."""


@command.command()
@click.argument("name")
@click.option(
    "--into", metavar="DIR", type=click.Path(path_type=Path), help="The folder to write; NAME here, when left out."
)
def new(name: str, into: Path | None) -> None:
    """Write a working channel called NAME, a package of its own, to begin from.

    It records something once a day and earns points by the rules of its section. NAME is lower-case words joined by _.
    """
    into = into or Path(name)
    _check_name(name)
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise CannotWrite(f"{into} is there already, and not an empty folder")
    for path, text in sorted(written(name)):
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        click.echo(str(target))
    click.echo(f"\nNext: cd {into} && pytest; then pip install . && laurel plugin check {name}", err=True)


def written(name: str) -> Iterator[tuple[Path, str]]:
    """The files of a new plugin, by their paths within its folder."""
    words = name.split("_")
    named = {
        "name": name,
        "type": "".join(word.capitalize() for word in words),
        "code": name.upper(),
        "dashed": "-".join(words),
        "words": " ".join(words),
        "title": " ".join(words).capitalize(),
    }
    for file in _TEMPLATES.rglob(f"*{_SUFFIX}"):
        path = file.relative_to(_TEMPLATES).as_posix().removesuffix(_SUFFIX).replace("package", name, 1)
        yield Path(path), Template(file.read_text(encoding="utf-8")).substitute(named)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _NAME_MAX or keyword.iskeyword(name):
        raise CannotWrite(
            f"{name!r} is no name for a plugin: lower-case words joined by _, {_NAME_MAX} letters at most"
        )
    for offer in find_offers():
        if offer.name == name:
            raise CannotWrite(f"{offer} is there already")
    if importlib.util.find_spec(name) is not None:
        raise CannotWrite(f"there is a module {name!r} already, which the plugin's package would hide")


@command.command()
@click.argument("name")
@click.pass_obj
def check(settings: Settings, name: str) -> None:
    """Check that the installed plugin NAME keeps the contract; exit status 1 when it does not.

    It is called as its README shows, on databases of its own that are thrown away. Yours is not touched.
    """
    offers = {offer.name: offer for offer in find_offers()}
    if name not in offers:
        raise CannotCheck(f"no plugin {name!r} is installed{did_you_mean(name, offers)}")
    others = [offer for offer in offers.values() if offer.name not in {name, *settings.disabled_plugins}]
    sys.exit(0 if asyncio.run(_check(offers[name], others)) else 1)


async def _check(offer: Offer, others: list[Offer]) -> bool:
    """Print the report; whether everything holds that could be tried."""
    try:
        from graph.conformance import Verdict, examine
    except ModuleNotFoundError as error:
        # What only tests need is not installed with Laurel.
        raise CannotCheck(f"this needs {error.name}: pip install {error.name}") from error
    with tempfile.TemporaryDirectory() as folder:
        results = await examine(offer, others, Path(folder))
    console = Console()
    table = Table("check", "verdict", "what was found", title=escape(str(offer)))
    for result in results:
        style = {Verdict.FAILS: "red", Verdict.NOT_TRIED: "yellow"}.get(result.verdict, "")
        table.add_row(result.check, result.verdict, escape(result.detail), style=style)
    console.print(table)
    failed = sum(result.verdict is Verdict.FAILS for result in results)
    if failed:
        console.print(f"{failed} of {len(results)} checks fail", style="red")
    else:
        held = sum(result.verdict is Verdict.HOLDS for result in results)
        console.print(f"{held} of {len(results)} checks hold, and none fails")
    return not failed
