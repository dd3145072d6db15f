"""Opening a shop: its tables, its programme, and members to look at. What is there already is gone on with."""

from collections.abc import Mapping, Sequence
from typing import Final

from core.books.members import ByExternalId, Member
from core.errors import LaurelError
from core.people.membership import EnrolMember
from core.rulebook.publishing import publish
from core.sandbox.clock import make_sandbox
from core.store.databases import Tables, connect
from core.store.migrating import migrate
from core.store.questions import Rows
from graph.laurel import Laurel, as_sandbox
from graph.settings import Settings
from graph.starting.programmes import read_shipped

ACTOR: Final = "init"
FIRST: Final = "member-1"
"""The external id of the member for whom a token is printed."""


class OtherProgramme(LaurelError):
    """Another programme is in force in the database."""


async def make_tables(settings: Settings, apps: Mapping[str, Tables], *, sandbox: bool) -> Sequence[str]:
    """Migrate the database and let a new one be a sandbox; what was applied. Raises SandboxTooLate, SandboxNotLive."""
    if sandbox:
        as_sandbox(settings)
    applied = await migrate(settings.database_url, apps)
    if sandbox:
        async with connect(settings.database_url, apps):
            await make_sandbox()
    return applied


async def open_programme(laurel: Laurel, name: str) -> bool:
    """Publish the programme of that name if there is none; whether it was. Raises NoSuchProgramme, OtherProgramme."""
    document = read_shipped(name)
    wanted = await laurel.load(document)
    if laurel.programmes.versions:
        there = laurel.programmes.versions[-1].programme
        if there.id != wanted.id:
            raise OtherProgramme(
                f"the programme {there.id} is in this database, and not {wanted.id}: "
                "take another database (--database), or laurel serve to go on with what is there"
            )
        return False
    await publish(document, author=ACTOR, reason="the shop opens", load=laurel.load, clock=laurel.clock)
    await laurel.programmes.refresh(laurel.store.reader())
    return True


async def enrol(laurel: Laurel, count: int) -> None:
    """See that there are the members ``member-1`` to ``member-<count>``."""
    operations = [
        EnrolMember(member=ByExternalId(f"member-{number}"), idempotency_key=f"init:member-{number}", actor=ACTOR)
        for number in range(1, count + 1)
    ]
    for outcome in await laurel.committer.submit_many(operations):
        if isinstance(outcome, BaseException):
            raise outcome


async def member_called(laurel: Laurel, external_id: str) -> Member | None:
    """The member whom the brand knows so, if there is one."""
    found = await Rows(Member, ("external_id",)).answer(laurel.store.reader(), [(external_id,)])
    return next((member for members in found.values() for member in members), None)
