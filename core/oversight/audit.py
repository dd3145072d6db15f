"""The audit log: what operators and administrators did, why, and how things stood before and after.

A ``Note`` says who is at work. It is current for as long as their request performs, and whatever is written meanwhile
writes its record in its own transaction: the batch for operations, ``core.oversight.auditing`` for all that goes around
the committer. Nobody else has to think of it. Records of a member are chained by digests, as are those about no member.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from core.books.accounts import Account
from core.books.members import Member, MemberStatus
from core.books.sheet import Sheet
from core.time.clock import microseconds

State = Mapping[str, str | int]
"""How things stand, in facts: ``status``, ``tier``, ``points.balance``. Nothing personal: a record is kept for ever."""

LAST: Final = "t.number = (SELECT MAX(a.number) FROM audit a WHERE a.bucket = t.bucket AND a.member_id = t.member_id)"
"""The condition for the newest record of a chain."""


@dataclass(slots=True)
class Note:
    """Who is at work, by which mutation, and why. ``written``: there is a record of it."""

    actor: str
    mutation: str
    request_id: str
    reason: str | None = None
    written: bool = field(default=False)


_current: ContextVar[Note | None] = ContextVar("_current", default=None)


def current_note() -> Note | None:
    """Whose work is to be written down; None when it need not be."""
    return _current.get()


@contextmanager
def noting(note: Note | None) -> Iterator[None]:
    """Let this be the current note."""
    token = _current.set(note)
    try:
        yield
    finally:
        _current.reset(token)


class Record(NamedTuple):
    """One thing that was done. ``number`` counts a chain's records from 1; ``operation_id`` is the transaction's."""

    number: int
    id: str
    mutation: str
    actor: str
    reason: str | None
    request_id: str
    operation_id: str | None
    before: State
    after: State
    recorded_at: datetime
    digest: str


def record_after(
    last: Record | None,
    note: Note,
    *,
    id: str,
    member_id: str,
    operation_id: str | None,
    before: State,
    after: State,
    at: datetime,
) -> Record:
    """The record that follows the ``last`` one of its chain."""
    number, former = (last.number + 1, last.digest) if last else (1, "")
    record = Record(
        number=number,
        id=id,
        mutation=note.mutation,
        actor=note.actor,
        reason=note.reason,
        request_id=note.request_id,
        operation_id=operation_id,
        before=before,
        after=after,
        recorded_at=at,
        digest="",
    )
    return record._replace(digest=chain(former, member_id, record))


def chain(before: str, member_id: str, record: Record) -> str:
    """The digest of a record after the digest ``before``: SHA-256 over all that it says, in hexadecimal."""
    said: list[Any] = [before, member_id, *record._replace(recorded_at=None, digest="")]  # type: ignore[arg-type]
    said.append(microseconds(record.recorded_at))
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def state_of(sheet: Sheet) -> dict[str, str | int]:
    """How it stands with the member of a sheet; empty when there is none yet."""
    member: Member | None = sheet.get(Member, ())
    if member is None:
        return {}
    state: dict[str, str | int] = {"status": member.status, "tier": member.tier, "profile": _profile(member)}
    if member.frozen is not None and member.status != MemberStatus.FROZEN:
        state["frozen"] = member.frozen
    if member.frozen_until is not None:
        state["frozen_until"] = member.frozen_until.isoformat()
    for account in sheet.of(Account).values():
        state[f"{account.unit}.balance"] = account.balance
        state[f"{account.unit}.held"] = account.held
        state[f"{account.unit}.debt"] = account.debt
    return state


def _profile(member: Member) -> str:
    """A word that changes with what is known of the member, and tells nothing of it."""
    # With the external id, which is gone when the member is erased: then nobody can try what it may have been.
    known = [member.external_id, member.birthday, member.attributes]
    return hashlib.sha256(orjson.dumps(known, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()[:12]
