"""Working on a draft: begun, changed, proposed, published or discarded.

Each change names the revision that its author saw, so that two who work on one draft are told of each other and
neither undoes what the other did. A draft is not money: it goes around the committer, and is in the audit log.
"""

from asyncio import to_thread
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from core.books.members import new_id
from core.drafts.refusals import (
    ApproverIsEditor,
    DraftChanged,
    DraftEnded,
    DraftNotFound,
    DraftNotProposed,
    DraftOutdated,
    VersionNotFound,
)
from core.errors import InvalidValue
from core.models import ProgrammeDraftRow, ProgrammeVersionRow
from core.oversight.auditing import audited, write_down
from core.people.membership import check_reason
from core.rulebook.programme import BYTES_MAX
from core.rulebook.programmes import Version
from core.rulebook.publishing import check_start, publish
from core.rulebook.reading import Read
from core.time.clock import Clock

EDITORS_MAX: Final = 100
"""More people than work on one document; of more than that the latest are kept."""


class DraftState(StrEnum):
    """Where a draft stands."""

    OPEN = "open"
    PROPOSED = "proposed"
    PUBLISHED = "published"
    DISCARDED = "discarded"


_WORKED_ON: Final = (DraftState.OPEN, DraftState.PROPOSED)
_UNPROPOSED: Final[dict[str, Any]] = {
    "state": str(DraftState.OPEN),
    "proposer": None,
    "proposed_at": None,
    "proposed_reason": None,
    "proposed_start": None,
}


@dataclass(frozen=True, kw_only=True)
class Hand:
    """Who works on a draft, and by which clock. ``behind`` made the API key that the actor comes with."""

    actor: str
    clock: Clock
    behind: str | None = None

    @property
    def people(self) -> tuple[str, ...]:
        """Of whom none is the second person for what the others did."""
        return (self.actor,) if self.behind is None else (self.actor, self.behind)


async def find_draft(id: str) -> ProgrammeDraftRow:
    """Raises DraftNotFound."""
    row = await ProgrammeDraftRow.get_or_none(id=id)
    if row is None:
        raise DraftNotFound(draft=id[:100])
    return row


async def find_version(number: int) -> ProgrammeVersionRow:
    """Raises VersionNotFound."""
    # Not every database has a larger number to compare with.
    row = await ProgrammeVersionRow.get_or_none(number=number) if 0 < number < 2**31 else None
    if row is None:
        raise VersionNotFound(version=number)
    return row


async def begin_draft(hand: Hand, *, title: str, document: str, based_on: int | None) -> ProgrammeDraftRow:
    """A new draft of this document, which began from a version or from nothing. Raises InvalidValue."""
    _check_document(document)
    now, id = hand.clock.now(), new_id()

    async def write() -> ProgrammeDraftRow:
        row = await ProgrammeDraftRow.create(
            id=id,
            title=title,
            document=document,
            based_on=based_on,
            revision=1,
            state=str(DraftState.OPEN),
            author=hand.actor,
            editor=hand.actor,
            editors=_with(hand.people, ()),
            created_at=now,
            edited_at=now,
        )
        await write_down(now, before={}, after=_facts(row))
        return row

    return await audited(write)


async def change_draft(
    hand: Hand, id: str, revision: int, change: Callable[[str], str], *, title: str | None = None
) -> ProgrammeDraftRow:
    """Make of the document that the caller saw what ``change`` says. A draft that was proposed no longer is.

    Raises DraftNotFound, DraftChanged, DraftEnded, InvalidValue, and what ``change`` does.
    """
    now = hand.clock.now()
    # In a thread and before the transaction: a large document takes seconds.
    document = await to_thread(change, (await _as_seen(id, revision)).document)
    _check_document(document)

    async def write() -> ProgrammeDraftRow:
        row = await _as_seen(id, revision)
        return await _write(
            row,
            now,
            document=document,
            title=row.title if title is None else title,
            editor=hand.actor,
            editors=_with(hand.people, row.editors),
            edited_at=now,
            **_UNPROPOSED,
        )

    return await audited(write)


async def discard_draft(hand: Hand, id: str, revision: int) -> ProgrammeDraftRow:
    """Leave the draft as it is for ever. Raises DraftNotFound, DraftChanged, DraftEnded."""
    now = hand.clock.now()

    async def write() -> ProgrammeDraftRow:
        row = await _as_seen(id, revision)
        return await _write(row, now, state=str(DraftState.DISCARDED), ended_by=hand.actor, ended_at=now)

    return await audited(write)


async def propose_draft(
    hand: Hand, id: str, revision: int, *, reason: str, starts_at: datetime | None, load: Read
) -> ProgrammeDraftRow:
    """Lay the draft before a second person, with what it shall be published with.

    Raises DraftNotFound, DraftChanged, DraftEnded, ProgrammeInvalid, InvalidValue, InvalidInstant.
    """
    check_reason(reason)
    now = hand.clock.now()
    if starts_at is not None:
        check_start(starts_at, now)
    await load((await _as_seen(id, revision)).document)

    async def write() -> ProgrammeDraftRow:
        row = await _as_seen(id, revision)
        return await _write(
            row,
            now,
            state=str(DraftState.PROPOSED),
            proposer=hand.actor,
            editors=row.editors if hand.behind is None else _with((hand.behind,), row.editors),
            proposed_at=now,
            proposed_reason=reason,
            proposed_start=starts_at,
        )

    return await audited(write)


async def approve_draft(
    hand: Hand, id: str, revision: int, *, based_on: int | None, load: Read
) -> tuple[Version, ProgrammeDraftRow]:
    """Publish what was proposed, as somebody who has not worked on it.

    Raises DraftNotFound, DraftChanged, DraftEnded, DraftNotProposed, ApproverIsEditor, DraftOutdated, and what
    publishing does.
    """
    row = await _as_seen(id, revision)
    if row.state != DraftState.PROPOSED:
        raise DraftNotProposed(state=row.state)
    people = {_person(one) for one in (*row.editors, row.author, row.proposer or "")}
    if not people.isdisjoint(map(_person, hand.people)):
        raise ApproverIsEditor(approver=hand.actor)
    return await _publish(
        hand, row, author=row.proposer or row.editor, reason=row.proposed_reason or "", starts_at=row.proposed_start,
        based_on=based_on, load=load,
    )  # fmt: skip


async def publish_draft(
    hand: Hand,
    id: str,
    revision: int,
    *,
    reason: str,
    starts_at: datetime | None,
    based_on: int | None,
    load: Read,
) -> tuple[Version, ProgrammeDraftRow]:
    """Publish the draft as the caller saw it. ``based_on`` is the newest version that the caller has seen.

    Raises DraftNotFound, DraftChanged, DraftEnded, DraftOutdated, and what publishing does.
    """
    row = await _as_seen(id, revision)
    return await _publish(
        hand, row, author=hand.actor, reason=reason, starts_at=starts_at, based_on=based_on, load=load
    )


async def _publish(
    hand: Hand,
    row: ProgrammeDraftRow,
    *,
    author: str,
    reason: str,
    starts_at: datetime | None,
    based_on: int | None,
    load: Read,
) -> tuple[Version, ProgrammeDraftRow]:
    seen = row.based_on if based_on is None else based_on

    async def beside(number: int, newest: ProgrammeVersionRow | None) -> None:
        if newest is not None and newest.number != seen:
            raise DraftOutdated(
                draft_based_on=seen or 0,
                newest_version=newest.number,
                newest_by=newest.author,
                newest_reason=newest.reason,
            )
        now = hand.clock.now()
        # The very revision that was looked at: who changes it meanwhile is told, and so are we.
        await _write(
            row, None, state=str(DraftState.PUBLISHED), version=number, ended_by=hand.actor, ended_at=now
        )  # fmt: skip

    version = await publish(
        row.document, author=author, reason=reason, load=load, clock=hand.clock, starts_at=starts_at, beside=beside
    )
    return version, await find_draft(row.id)


# -- rows ----------------------------------------------------------------------------------------------


async def _as_seen(id: str, revision: int) -> ProgrammeDraftRow:
    """The draft at the revision that the caller saw, still to be worked on."""
    row = await find_draft(id)
    if row.state not in _WORKED_ON:
        raise DraftEnded(state=row.state)
    if row.revision != revision:
        raise DraftChanged(revision=row.revision, changed_by=row.editor, changed_at=row.edited_at)
    return row


async def _write(row: ProgrammeDraftRow, at: datetime | None, **changes: Any) -> ProgrammeDraftRow:
    """Change the draft, if it is still what it was; write it down where ``at`` says when."""
    changed = await ProgrammeDraftRow.filter(id=row.id, revision=row.revision, state__in=_WORKED_ON).update(
        revision=row.revision + 1, **changes
    )
    if not changed:
        await _as_seen(row.id, row.revision)
        # It has ended since by a hand that was faster, and the transaction does not see it yet.
        raise DraftChanged(revision=row.revision + 1, changed_by=row.editor, changed_at=row.edited_at)
    after = await find_draft(row.id)
    if at is not None:
        await write_down(at, before=_facts(row), after=_facts(after))
    return after


def _facts(row: ProgrammeDraftRow) -> dict[str, Any]:
    """What the audit log keeps of a draft: not the document itself, but by which it is known."""
    digest = sha256(row.document.encode()).hexdigest()
    return {"draft": row.id, "revision": row.revision, "state": row.state, "document_sha256": digest}


def _with(people: Sequence[str], editors: Sequence[str]) -> list[str]:
    """The editors, the latest first."""
    return [*people, *(one for one in editors if one not in people)][:EDITORS_MAX]


def _person(actor: str) -> str:
    """Who it is, whatever role the token has."""
    return actor.partition(":")[2] or actor


def _check_document(document: str) -> None:
    if len(document) > BYTES_MAX or len(document.encode(errors="surrogatepass")) > BYTES_MAX:
        raise InvalidValue(field="document", reason=f"larger than {BYTES_MAX // 1024} kB")
