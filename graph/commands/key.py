"""``laurel key``: make, exchange and end API keys where there is no administrator's token yet."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import timedelta

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from core.books.members import new_id
from core.models import ApiKeyRow
from core.oversight.audit import Note, noting
from core.oversight.keys import OVERLAP_MAX, create_key, ends_at, revoke_key, rotate_key
from graph.keys import ApiKeyRole, check_reach
from graph.laurel import Laurel, open_laurel
from graph.settings import Settings
from graph.tokens import Role


@click.group("key")
def command() -> None:
    """API keys: what a backend sends instead of a token. Administrators do the same in GraphQL."""


@command.command("create")
@click.option("--name", required=True, help="Who the bearer is, for the record: till 4.")
@click.option("--role", required=True, type=click.Choice([role.value for role in ApiKeyRole]), help="What it may do.")
@click.option("--channel", "channels", metavar="NAME", multiple=True, help="For the role partner: what it reaches.")
@click.option(
    "--capability", "capabilities", metavar="NAME", multiple=True, help="For the role partner: rewards.stock."
)
@click.option("--days", type=click.IntRange(1, 3660), help="How long it is good; for ever, when left out.")
@click.pass_obj
def create(
    settings: Settings,
    name: str,
    role: str,
    channels: tuple[str, ...],
    capabilities: tuple[str, ...],
    days: int | None,
) -> None:
    """Print a new key, this once and never again."""

    async def run(laurel: Laurel, actor: str) -> str:
        check_reach(laurel, Role(role), channels, capabilities)
        _, key = await create_key(
            name=name,
            role=role,
            channels=channels,
            capabilities=capabilities,
            expires_at=None if days is None else laurel.machine.now() + timedelta(days=days),
            actor=actor,
            clock=laurel.machine,
        )
        return key

    click.echo(_noted(settings, "createApiKey", run))


@command.command("rotate")
@click.argument("id")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, OVERLAP_MAX.days * 24),
    default=24,
    show_default=True,
    help="How long the old key goes on.",
)
@click.pass_obj
def rotate(settings: Settings, id: str, overlap_hours: int) -> None:
    """Print a new key that takes the place of the key with that ID."""

    async def run(laurel: Laurel, actor: str) -> str:
        _, key = await rotate_key(id, overlap=timedelta(hours=overlap_hours), actor=actor, clock=laurel.machine)
        return key

    click.echo(_noted(settings, "rotateApiKey", run))


@command.command("revoke")
@click.argument("id")
@click.pass_obj
def revoke(settings: Settings, id: str) -> None:
    """End the key with that ID: within seconds in every process that serves."""

    async def run(laurel: Laurel, actor: str) -> str:
        row = await revoke_key(id, clock=laurel.machine)
        return f"{row.hint}… of {row.name} is revoked"

    click.echo(_noted(settings, "revokeApiKey", run))


@command.command("list")
@click.pass_obj
def list_(settings: Settings) -> None:
    """Print all keys, the newest first."""

    async def rows() -> list[ApiKeyRow]:
        async with open_laurel(settings):
            return await ApiKeyRow.all().order_by("-id")

    table = Table("id", "key", "name", "role", "reaches", "ends", "used")
    for row in asyncio.run(rows()):
        reaches = " ".join([*row.channels, *row.capabilities])
        moments = (ends_at(row), row.used_at)
        cells = [row.id, f"{row.hint}…", row.name, row.role, reaches]
        table.add_row(*map(escape, cells), *(at.isoformat(timespec="minutes") if at else "" for at in moments))
    Console().print(table)


def _noted(settings: Settings, mutation: str, run: Callable[[Laurel, str], Awaitable[str]]) -> str:
    """Run it with a note for the audit log of who sits at this machine."""
    actor = f"command:{getpass.getuser()}"

    async def noted() -> str:
        async with open_laurel(settings) as laurel:
            with noting(Note(actor=actor, mutation=mutation, request_id=new_id())):
                return await run(laurel, actor)

    return asyncio.run(noted())
