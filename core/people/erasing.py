"""Forgetting who a member was: what is personal goes, what was done stays, and the books balance as before.

The member's own id, the lots and the entries tell of nobody. Everything else that is kept of a member is cleared here:
what the core keeps, and what channels have named (``PersonalData``). What is kept of them with other members is cleared
by their channel, which hears of it (``MEMBER_ERASED``).
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final

from tortoise.models import Model

from core.books.holds import Hold
from core.books.members import ById, MemberStatus
from core.engine.operations import BY_RULE, Operation, Recorded
from core.engine.work import Work
from core.errors import Refusal, fact
from core.models import FlagRow, MergeRow
from core.people.membership import check_reason
from core.store.tables import table_of
from core.telling.events import MEMBER_ERASED, Delivery, Outgoing
from core.telling.outbox import Submit
from core.trust.freezing import close

TOKEN_PREFIX: Final = "erased:"
OUTGOING: Final = frozenset({MEMBER_ERASED})
TOLD: Final = frozenset({"reason", "birthday", "attributes"})
"""What operations of the core say in their results and events that may be personal."""


class MemberErased(Refusal):
    """The member was erased before."""

    code = "MEMBER_ERASED"
    says = "the member was erased at {erased_at}"
    says_zh = "该会员的个人信息已于 {erased_at} 删除"
    erased_at: datetime = fact("When.")


@dataclass(frozen=True, kw_only=True)
class PersonalData:
    """Columns of a member's table that may hold personal data, each with what stands there once it was erased.

    That is a value, or a function of what stood there. ``told`` are the names under which the channel's operations say
    the like in their results and events; there it becomes an empty text, or null.
    """

    model: type[Model]
    cleared: Mapping[str, Any | Callable[[Any], Any]]
    told: frozenset[str] = field(default_factory=frozenset)

    def check(self) -> None:
        """Raise TypeError unless these are columns of a member's table, outside its key."""
        table = table_of(self.model)
        if not table.leading:
            raise TypeError(f"{self.model.__name__} is no table of members")
        if odd := sorted(self.cleared.keys() - set(table.rest)):
            raise TypeError(f"{self.model.__name__} has no column {odd[0]!r} outside its key")


@dataclass(frozen=True, kw_only=True)
class EraseMember(Operation):
    """Forget who the member was; the membership is closed with it, and the external id is free for somebody new.

    Refuses MemberErased, InvalidValue.
    """

    channel: ClassVar[str] = "people"
    kind: ClassVar[str] = "erase"
    reaches_merged: ClassVar[bool] = True

    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        member = work.member
        if member.erased_at is not None:
            raise MemberErased(erased_at=member.erased_at)
        forfeited = await close(work, self.reason) if member.status != MemberStatus.CLOSED else {}
        merged = [row.other for row in await work.rows(MergeRow) if not row.outgoing and row.state == "merged"]
        work.tell(MEMBER_ERASED, merged=merged)
        # While it still is known what is kept of the member with others.
        await work.let_react()
        token = f"{TOKEN_PREFIX}{secrets.token_hex(16)}"
        told = TOLD.union(*(of.told for of in work.personal))
        for of in work.personal:
            await _clear(work, of)
        await _clear_core(work)
        await _clear_history(work, _Words(member.external_id, token, told))
        work.change_member(external_id=token, birthday=None, attributes={}, erased_at=work.now)
        return {"forfeited": forfeited, "reason": self.reason}


async def deliver(event: Delivery, submit: Submit) -> None:
    """Erase those, too, who were merged into the member: they are the same person."""
    if event.name not in OUTGOING:
        return
    for other in event.payload["merged"]:
        key, reason = f"with:{event.member_id}", "erased with the member into whom they were merged"
        await submit(EraseMember(member=ById(other), idempotency_key=key, actor="laurel", reason=reason))


async def _clear(work: Work, of: PersonalData) -> None:
    table = table_of(of.model)
    for value in await work.rows(of.model):
        row = await work.find(of.model, **dict(zip(table.sheet_key, table.key_of(value), strict=True)))
        assert row is not None, "it was just read"
        for column, cleared in of.cleared.items():
            setattr(row, column, cleared(getattr(row, column)) if callable(cleared) else cleared)
        work.save(row)


async def _clear_core(work: Work) -> None:
    for hold in await work.rows(Hold):
        if hold.reference:
            work.put(Hold, hold._replace(reference=""))
    for flag in await work.rows(FlagRow):
        if flag.reason is not None:
            work.put(FlagRow, flag._replace(reason=""))


async def _clear_history(work: Work, words: "_Words") -> None:
    """Take what is personal out of results, keys and actors of operations, and out of events still to be told."""
    for done in await work.rows(Recorded):
        cleared = done._replace(
            idempotency_key=words.without_name(done.idempotency_key),
            # What was asked for could be guessed from it.
            request_hash="",
            # What rules gave tells of the programme, and of nobody.
            result={name: value if name == BY_RULE else words.of(name, value) for name, value in done.result.items()},
            actor="member:" if done.actor.startswith("member:") else words.without_name(done.actor),
        )
        if cleared.idempotency_key == done.idempotency_key:
            work.put(Recorded, cleared)
        else:
            work.remove(Recorded, done)
            work.put(Recorded, cleared, new=True)
    for event in await work.rows(Outgoing):
        work.put(Outgoing, event._replace(payload=words.cleared(event.payload), error=words.without_name(event.error)))


class _Words:
    """What is to be found, and what is to stand in its place."""

    def __init__(self, name: str, token: str, told: frozenset[str]) -> None:
        # Neither inside of another word nor of another number: member 7 is not in order 17.
        self._name = re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])")
        self._token = token
        self._told = told

    def without_name(self, text: str) -> str:
        return self._name.sub(self._token, text)

    def cleared(self, value: Any) -> Any:
        """JSON without what is personal."""
        match value:
            case str():
                return self.without_name(value)
            case Mapping():
                return {key: self.of(key, inner) for key, inner in value.items()}
            case list() | tuple():
                return [self.cleared(inner) for inner in value]
            case _:
                return value

    def of(self, key: str, value: Any) -> Any:
        if key not in self._told:
            return self.cleared(value)
        match value:
            case str():
                return ""
            case Mapping():
                return {}
            case _:
                return None
