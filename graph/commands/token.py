"""``laurel token``: make a token for a caller of the API."""

import asyncio
from collections.abc import Collection
from datetime import timedelta

import click

from core.books.members import ByExternalId, ById, Member, MemberRef
from core.errors import LaurelError, MemberNotFound
from core.store.questions import Rows
from core.suggest import did_you_mean
from core.time.clock import SystemClock
from graph.laurel import Laurel, open_laurel
from graph.settings import Settings
from graph.tokens import Role, issue_token
from plugins.manager import load_plugins


class NoSecret(LaurelError):
    """There is nothing to sign a token with."""


@click.command("token")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What the caller may do.")
@click.option("--member", metavar="ID", help="For the role member: Laurel's id of the member.")
@click.option("--external-id", metavar="ID", help="For the role member: the brand's own id of the member.")
@click.option("--channel", "channels", metavar="NAME", multiple=True, help="For the role partner: what it reaches.")
@click.option(
    "--capability", "capabilities", metavar="NAME", multiple=True, help="For the role partner: rewards.stock."
)
@click.option("--subject", help="Who the caller is, for the record. The role, when left out.")
@click.option("--hours", type=click.IntRange(1, 24 * 366), default=24, show_default=True, help="How long it is good.")
@click.pass_obj
def command(
    settings: Settings,
    role: str,
    member: str | None,
    external_id: str | None,
    channels: tuple[str, ...],
    capabilities: tuple[str, ...],
    subject: str | None,
    hours: int,
) -> None:
    """Print a bearer token, signed with LAUREL_SECRET."""
    if not settings.secret:
        raise NoSecret("LAUREL_SECRET is not set: it signs the tokens, and the server must have the same")
    named: list[MemberRef] = [ById(member)] if member else []
    named += [ByExternalId(external_id)] if external_id else []
    if len(named) != (role == Role.MEMBER):
        raise click.UsageError("--role member takes either --member or --external-id, and no other role does")
    if bool(channels or capabilities) != (role == Role.PARTNER):
        raise click.UsageError("--role partner takes --channel or --capability, and no other role does")
    if role == Role.PARTNER:
        plugins = load_plugins(settings.disabled_plugins)
        _check_known("channel", channels, plugins.names)
        _check_known("capability", capabilities, plugins.capabilities)
    member_id = asyncio.run(_member_id(settings, named[0])) if named else None
    token = issue_token(
        settings.secret,
        role=Role(role),
        subject=subject or member_id or role,
        now=SystemClock().now(),
        lifetime=timedelta(hours=hours),
        member_id=member_id,
        channels=channels,
        capabilities=capabilities,
    )
    click.echo(token)


def _check_known(what: str, given: Collection[str], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise click.UsageError(f"no {what} {name!r} is installed{did_you_mean(name, known)}")


async def _member_id(settings: Settings, ref: MemberRef) -> str:
    async with open_laurel(settings) as laurel:
        return await member_id_of(laurel, ref)


async def member_id_of(laurel: Laurel, ref: MemberRef) -> str:
    """The id of a member who exists. Raises MemberNotFound."""
    column, asked = ("id", ref.id) if isinstance(ref, ById) else ("external_id", ref.external_id)
    found = await Rows(Member, (column,)).answer(laurel.store.reader(), [(asked,)])
    for members in found.values():
        for member in members:
            return str(member.id)
    raise MemberNotFound(member=asked)
