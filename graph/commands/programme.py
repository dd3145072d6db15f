"""``laurel programme``: check, publish and show the programme document, and go back to a former one."""

import asyncio
import getpass
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from difflib import unified_diff
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.syntax import Syntax

from core.advice.differences import differences
from core.advice.lint import lint as find_warnings
from core.drafts.core_rules import changed_again, said_of
from core.drafts.drafting import Hand, find_version
from core.drafts.rolling_back import roll_back
from core.errors import ProgrammeInvalid
from core.models import ProgrammeVersionRow
from core.rulebook.programme import Programme
from core.rulebook.programmes import Version
from core.rulebook.promises import Changes, expiry_changes
from core.rulebook.publishing import publish as publish_version
from core.simulating.ranges import check as check_range
from core.time.clock import SystemClock
from core.wording.language import Language
from core.wording.summary import TITLES
from core.wording.words import Words
from graph.commands.moments import MOMENT, first_instant, last_instant, zone_of
from graph.laurel import Laurel, load_document, open_laurel
from graph.settings import Settings
from graph.simulating import table
from graph.simulating.picture import picture as draw
from graph.simulating.process import Finished, replay
from plugins.manager import load_plugins

_NEW_FILE = click.Path(dir_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("programme")
def command() -> None:
    """Check, publish and show the programme: its rules, tiers and numbers; go back to a former version."""


@command.command()
@click.argument("file", type=_FILE)
@click.pass_obj
def check(settings: Settings, file: Path) -> None:
    """Say whether FILE can be published, and all that is wrong with it."""
    _, programme = _load(settings, file)
    click.echo(f"{file}: programme {programme.id} can be published")


@command.command()
@click.argument("file", type=_FILE)
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--starts-at", type=MOMENT, help="From when it judges: a day or an instant. Now, when left out.")
@click.option("--author", help="Who, for the record. Your login name, when left out.")
@click.pass_obj
def publish(settings: Settings, file: Path, reason: str, starts_at: date | None, author: str | None) -> None:
    """Put FILE in force.

    The first version may start in the past, so that what happened before can be imported. Every later one starts now
    or in the future.
    """
    document, programme = _load(settings, file)
    version, again = asyncio.run(
        _publish(settings, document, programme.zone, reason, starts_at, author or getpass.getuser())
    )
    _say_published(settings, version, again)


def _say_published(settings: Settings, version: Version, again: str) -> None:
    if again:
        click.echo(again, err=True)
    starts = version.starts_at.astimezone(version.programme.zone)
    if settings.publish_by_two:
        click.echo("over the API a second person would have had to approve it (LAUREL_PUBLISH_BY_TWO)", err=True)
    click.echo(f"version {version.number} of {version.programme.id} is published, in force from {starts.isoformat()}")


@command.command()
@click.argument("file", type=_FILE)
@click.pass_obj
def compare(settings: Settings, file: Path) -> None:
    """Say whose points FILE would let expire at another date. None of those that are there now loses its own."""
    _, programme = _load(settings, file)
    said = [line for unit in asyncio.run(_changes(settings, programme)) for line in _summary(unit)]
    click.echo("\n".join(said) or "nothing that members have would expire at another date")


@command.command()
@click.argument("what", metavar="FILE|VERSION")
@click.option(
    "--from", "since", type=MOMENT, required=True, help="From when it would have judged: a day or an instant."
)
@click.option("--to", "until", type=MOMENT, required=True, help="Until when: a day, which is included, or an instant.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
@click.option("--members", type=_NEW_FILE, help="Where to write what every member would have: CSV.")
@click.option("--picture", type=_NEW_FILE, help="Where to draw what was issued, and who moves between tiers: SVG.")
@click.pass_obj
def simulate(
    settings: Settings,
    what: str,
    since: date,
    until: date,
    as_json: bool,
    members: Path | None,
    picture: Path | None,
) -> None:
    """Say what would have come of the past, had FILE, or a published VERSION, judged from then on.

    What happened is replayed in a scratch database; the books are only read. See docs/simulating.md.
    """
    document = None if what.isdecimal() else _load(settings, _file(what))[0]
    result = asyncio.run(_simulate(settings, document, what, since, until, members))
    if picture is not None:
        picture.write_text(draw(result), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(table.lines(result)))


@command.command()
@click.argument("file", type=_FILE)
@click.option("--locale", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="The language.")
@click.pass_obj
def lint(settings: Settings, file: Path, locale: Language) -> None:
    """Say what of FILE is worth a second look: rules that never count, tiers out of reach, points without end."""
    _, programme = _load(settings, file)
    warnings = find_warnings(programme, SystemClock().now())
    for warning in warnings:
        place = "" if warning.place is None else f":{warning.place.line}:{warning.place.column}"
        click.echo(f"{file}{place}: {warning.path_text}: {warning.text(locale)}")
    click.echo(f"{len(warnings)} warning{'s' if len(warnings) != 1 else ''}", err=True)
    sys.exit(1 if warnings else 0)


@command.command()
@click.argument("former", metavar="A")
@click.argument("later", metavar="B")
@click.option("--locale", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="The language.")
@click.option("--lines", is_flag=True, help="The lines in which their texts differ, instead of words.")
@click.pass_obj
def diff(settings: Settings, former: str, later: str, locale: Language, lines: bool) -> None:
    """Say in words what B has otherwise than A: each a file, or the number of a version."""
    if lines:
        _differing_lines(settings, former, later)
        return
    one, other = asyncio.run(_two(settings, former, later))
    topic: object = ""
    words = Words(other, locale)
    for each in differences(one, other, locale):
        if each.topic != topic:
            topic = each.topic
            click.echo(words.say(*(TITLES[each.topic] if each.topic else ("Settings", "设置"))))
        click.echo(f"  {each.text}")
    if topic == "":
        click.echo("nothing is otherwise")


@command.command()
@click.pass_obj
def history(settings: Settings) -> None:
    """List the versions: since when each judges, who published it, when and why."""
    rows, zone = asyncio.run(_history(settings))
    for row in rows:
        starts, published = (at.astimezone(zone).isoformat() for at in (row.starts_at, row.published_at))
        click.echo(f"{row.number}  from {starts}  published {published} by {row.author}: {row.reason}")


@command.command()
@click.argument("version", type=click.IntRange(min=1))
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--starts-at", type=MOMENT, help="From when it judges: a day or an instant. Now, when left out.")
@click.option("--author", help="Who, for the record. Your login name, when left out.")
@click.pass_obj
def rollback(settings: Settings, version: int, reason: str, starts_at: date | None, author: str | None) -> None:
    """Put the document of VERSION in force again, as the newest version.

    It is refused where members have what that version does not know: a tier, a unit.
    """
    done, again = asyncio.run(_roll_back(settings, version, reason, starts_at, author or getpass.getuser()))
    _say_published(settings, done, again)


@command.command()
@click.argument("version", type=click.IntRange(min=1))
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=False)
@click.pass_obj
def export(settings: Settings, version: int, file: Path | None) -> None:
    """Write the document of VERSION, as it was published, into FILE or to the standard output."""
    document = asyncio.run(_document_of(settings, version))
    if file is None:
        click.echo(document, nl=False)
    else:
        file.write_text(document, encoding="utf-8")


@command.command()
@click.option("--at", type=MOMENT, help="The version in force then: a day or an instant. Now, when left out.")
@click.pass_obj
def show(settings: Settings, at: date | None) -> None:
    """Print the programme in force."""
    row, version = asyncio.run(_in_force(settings, at))
    starts = version.starts_at.astimezone(version.programme.zone)
    by = f"by {row.author}: {row.reason}"
    click.echo(f"# version {version.number}, in force from {starts.isoformat()}, published {by}", err=True)
    console = Console()
    if console.is_terminal:
        console.print(Syntax(row.document, "yaml", background_color="default"))
    else:
        click.echo(row.document, nl=False)


async def _two(settings: Settings, *named: str) -> list[Programme]:
    """The programmes that are named by their files or their numbers. Raises click.BadParameter."""
    if not any(name.isdigit() for name in named):
        return [_load(settings, _file(name))[1] for name in named]
    async with open_laurel(settings) as laurel:
        by_number = {str(version.number): version.programme for version in laurel.programmes.versions}
        if unknown := [name for name in named if name.isdigit() and name not in by_number]:
            raise click.BadParameter(f"there is no version {unknown[0]}")
        return [by_number[name] if name.isdigit() else _load(settings, _file(name))[1] for name in named]


def _file(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise click.BadParameter(f"{name} is neither a file nor the number of a version")
    return path


def _load(settings: Settings, file: Path) -> tuple[str, Programme]:
    """The document in the file and what it means; or what is wrong with it printed, and the end with status 1."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        click.echo(f"{file}: it is not UTF-8: {error.reason} at byte {error.start}", err=True)
        sys.exit(1)
    try:
        return text, load_document(load_plugins(settings.disabled_plugins), text)
    except ProgrammeInvalid as invalid:
        for problem in invalid.problems:
            place = "" if problem.line is None else f":{problem.line}:{problem.column}"
            path = f"{problem.path}: " if problem.path else ""
            click.echo(f"{file}{place}: {path}{problem.message}", err=True)
        click.echo(f"{len(invalid.problems)} problem{'s' if len(invalid.problems) != 1 else ''}", err=True)
        sys.exit(1)


def _differing_lines(settings: Settings, former: str, later: str) -> None:
    texts = [
        asyncio.run(_document_of(settings, int(one))) if one.isdecimal() else _text(one) for one in (former, later)
    ]
    ours, theirs = (text.splitlines(keepends=True) for text in texts)
    for line in unified_diff(ours, theirs, former, later):
        click.echo(line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n", nl=False)


def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{file!r} is neither the number of a version nor a file that can be read") from error


async def _history(settings: Settings) -> tuple[list[ProgrammeVersionRow], ZoneInfo]:
    async with open_laurel(settings) as laurel:
        rows = await ProgrammeVersionRow.all().order_by("number")
        return rows, zone_of(laurel)


async def _document_of(settings: Settings, number: int) -> str:
    async with open_laurel(settings):
        return (await find_version(number)).document


async def _roll_back(
    settings: Settings, number: int, reason: str, starts_at: date | None, author: str
) -> tuple[Version, str]:
    async with open_laurel(settings) as laurel:
        version = await roll_back(
            Hand(actor=author, clock=laurel.clock),
            number,
            reason=reason,
            starts_at=None if starts_at is None else first_instant(starts_at, zone_of(laurel)),
            load=laurel.load,
            reader=laurel.store.reader(),
        )
        return version, await _again(laurel, version)


async def _again(laurel: Laurel, version: Version) -> str:
    """The warning where core rules have changed before in the quarter; empty where there is nothing to warn of."""
    others = [one for one in laurel.programmes.versions if one.number != version.number]
    again = changed_again(others, version.programme, version.starts_at)
    return "" if again is None else f"warning: {await said_of(again)}"


async def _publish(
    settings: Settings, document: str, zone: ZoneInfo, reason: str, starts_at: date | None, author: str
) -> tuple[Version, str]:
    async with open_laurel(settings) as laurel:
        begin = None if starts_at is None else first_instant(starts_at, zone)
        version = await publish_version(
            document,
            author=author,
            reason=reason,
            load=laurel.load,
            clock=laurel.clock,
            starts_at=begin,
            in_the_past=not laurel.programmes.versions,
        )
        return version, await _again(laurel, version)


async def _simulate(
    settings: Settings, document: str | None, what: str, since: date, until: date, members: Path | None
) -> Mapping[str, Any]:
    console = Console(stderr=True)
    async with open_laurel(settings) as laurel:
        if document is None:
            document = (await find_version(int(what))).document
        zone, now = zone_of(laurel), laurel.clock.now()
        begins = first_instant(since, zone)
        ends = _instant_after(until, zone)
        await check_range(laurel.store.reader(), laurel.programmes, await laurel.load(document), begins, ends, now)
    with console.status("beginning") as status:
        async for said in replay(settings, document, begins, ends, now, members):
            if isinstance(said, Finished):
                console.print(f"{said.cpu_ms / 1000:.1f} s of CPU, {said.memory_bytes / 2**20:.0f} MiB of memory")
                return said.result
            status.update(f"{said.step}: {said.done:,} of {said.total:,}")
    raise AssertionError("a result or an error ends it")


def _instant_after(until: date, zone: ZoneInfo) -> datetime:
    """The end of what was typed: a day is included."""
    last = last_instant(until, zone)
    return last if isinstance(until, datetime) else last + timedelta(microseconds=1)


async def _changes(settings: Settings, programme: Programme) -> list[Changes]:
    async with open_laurel(settings) as laurel:
        now = laurel.clock.now()
        current = laurel.programmes.at(now).programme
        return await expiry_changes(laurel.store.reader(), current, programme, now)


def _summary(changes: Changes) -> Iterator[str]:
    for group, says in (
        (changes.sooner, "would expire sooner if they were earned under the new version; they keep their dates"),
        (changes.later, "would expire later if they were earned under it; extend them if they shall"),
        (changes.no_longer_renewed, "are moved by what members do, and no longer would be"),
    ):
        if group.lots:
            yield f"{group.points:,} {changes.unit} of {group.members:,} members {says}"


async def _in_force(settings: Settings, at: date | None) -> tuple[ProgrammeVersionRow, Version]:
    async with open_laurel(settings) as laurel:
        asked = laurel.clock.now() if at is None else last_instant(at, zone_of(laurel))
        version = laurel.programmes.at(asked)
        return await ProgrammeVersionRow.get(number=version.number), version
