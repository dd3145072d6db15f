"""The audit log in the schema: what operators and administrators did, why, and how things stood before and after."""

from datetime import datetime
from typing import Annotated

import strawberry

from core.books.members import bucket_of
from core.oversight.audit import Record
from core.store.questions import Rows
from core.time.clock import microseconds
from graph.context import Info
from graph.ids import Node, global_id
from graph.member import Member, MemberByInput, find_member
from graph.pages import Connection, Page, Where, newest, page_of_all, paged
from graph.permissions import caller_of, query
from graph.texts import check_text
from graph.tokens import Role
from graph.transaction import Transaction

_READERS = frozenset({Role.OPERATOR, Role.ANALYST, Role.ADMIN})


@strawberry.type
class AuditFact:
    """One thing that was so before, and is so now."""

    name: str = strawberry.field(description="What it is: points.balance, status, tier.")
    before: str | None = strawberry.field(description="How it stood; null when it was not there.")
    after: str | None = strawberry.field(description="How it stands; null when it is not there any more.")


@strawberry.type
class AuditEntry(Node):
    """Something that an operator or an administrator did. It is kept for ever, and never changed."""

    actor: str = strawberry.field(description="Who did it: operator:eve.")
    mutation: str = strawberry.field(description="By which mutation: adjustPoints.")
    reason: str | None = strawberry.field(description="Why; null where the mutation takes no reason.")
    request_id: str = strawberry.field(description="The id of the request, as it was answered and logged.")
    recorded_at: datetime = strawberry.field(description="When.")
    facts: list[AuditFact] = strawberry.field(
        description="How things stood before and after: the member's status, tier and balances, or what else it is "
        "about. Of a member's profile there is only a mark that changes when the profile does."
    )
    _member_id: strawberry.Private[str]
    _operation_id: strawberry.Private[str | None]

    @classmethod
    def of(cls, member_id: str, record: Record) -> "AuditEntry":
        before, after = record.before, record.after
        facts = [
            AuditFact(name=name, before=_text(before.get(name)), after=_text(after.get(name)))
            for name in sorted({*before, *after})
        ]
        return cls(
            id=global_id("AuditEntry", member_id, record.number),
            actor=record.actor,
            mutation=record.mutation,
            reason=record.reason,
            request_id=record.request_id,
            recorded_at=record.recorded_at,
            facts=facts,
            _member_id=member_id,
            _operation_id=record.operation_id,
        )

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "AuditEntry | None":
        role = caller_of(info).role
        match parts:
            case (member_id, number) if role in _READERS and number.isascii() and number.isdigit() and len(number) < 10:
                question = Rows(Record, ("bucket", "member_id", "number"))
                bucket = bucket_of(member_id) if member_id else 0
                found = await info.context.loaders.ask(question, (bucket, member_id, int(number)))
                return cls.of(member_id, found[0]) if found else None
            case _:
                return None

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """The member whom it is about; null when it is about none."""
        return await Member.find(info, self._member_id) if self._member_id else None

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that it was done in; null when it moved nothing of a member."""
        if self._operation_id is None:
            return None
        return await Transaction.find(info, self._member_id, self._operation_id)


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)


@strawberry.input
class AuditFilter:
    """Which entries to list. Everything given must hold."""

    actor: str | None = strawberry.field(default=None, description="Who did it: operator:eve.")
    mutation: str | None = strawberry.field(default=None, description="By which mutation: adjustPoints.")
    member: MemberByInput | None = strawberry.field(default=None, description="The member whom it is about.")
    request_id: str | None = strawberry.field(default=None, description="The id of the request by which it was done.")
    reason: str | None = strawberry.field(default=None, description="Words of the reason, in capitals or not.")
    since: datetime | None = strawberry.field(default=None, description="Recorded at this instant or later.")
    until: datetime | None = strawberry.field(default=None, description="Recorded before this instant.")


@strawberry.type
class AuditQueries:
    """What can be asked of the audit log."""

    @query(allow=_READERS)
    @paged
    async def audit_log(
        self,
        info: Info,
        page: Page,
        filter: Annotated[AuditFilter | None, strawberry.argument(description="Which ones; all if left out.")] = None,
    ) -> Connection[AuditEntry]:
        """What operators and administrators did, the newest first."""
        where = await _conditions(info, filter) if filter is not None else []
        return await page_of_all(info, Record, AuditEntry.of, page, newest("id"), where)


async def _conditions(info: Info, filter: AuditFilter) -> list[Where]:
    where: list[Where] = []
    if filter.actor is not None:
        where.append(Where("actor = ?", (check_text("actor", filter.actor),)))
    if filter.mutation is not None:
        where.append(Where("mutation = ?", (check_text("mutation", filter.mutation),)))
    if filter.request_id is not None:
        where.append(Where("request_id = ?", (check_text("requestId", filter.request_id, 100),)))
    if filter.reason is not None:
        words = check_text("reason", filter.reason).lower()
        for sign in "!%_":
            words = words.replace(sign, f"!{sign}")
        where.append(Where("LOWER(reason) LIKE ? ESCAPE '!'", (f"%{words}%",)))
    if filter.member is not None:
        member = await find_member(info, filter.member)
        # Of a member who is not there nothing can be listed.
        member_id = member.member_id if member is not None else "nobody"
        where.append(Where("bucket = ? AND member_id = ?", (bucket_of(member_id), member_id)))
    if filter.since is not None:
        where.append(Where("recorded_at >= ?", (microseconds(filter.since),)))
    if filter.until is not None:
        where.append(Where("recorded_at < ?", (microseconds(filter.until),)))
    return where
