"""Tickets in the schema."""

import asyncio
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast

import strawberry

from core.books.members import ById
from core.engine.operations import Outcome
from core.time.clock import microseconds
from graph.vocabulary import (
    ACTING,
    ID,
    STAFF,
    Connection,
    Info,
    InstantFilter,
    Member,
    MemberByInput,
    Node,
    Order,
    Page,
    Payload,
    Points,
    Role,
    Transaction,
    Where,
    actor,
    global_id,
    instant_is,
    may_see,
    mutation,
    newest,
    oldest,
    page_of_all,
    page_of_member,
    paged,
    parts_of,
    perform,
    query,
)

from .models import Ticket, TicketMessage
from .operations import ANSWERED, CLOSED, OPEN, AnswerTicket, CloseTicket, OpenTicket, WriteInTicket
from .refusals import TicketNotFound

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_TICKET = "The ticket's id."


# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class OpenTicketInput:
    """A question about points."""

    member: MemberByInput = strawberry.field(description="Whose question it is.")
    subject: str = strawberry.field(description="What it is about, 3 to 200 characters.")
    text: str = strawberry.field(description="The question, 3 to 5000 characters.")
    transactions: list[ID] = strawberry.field(
        default_factory=list, description="The member's transactions that it is about, at most 20."
    )
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class WriteInTicketInput:
    """Something that the member adds."""

    ticket: ID = strawberry.field(description=_TICKET)
    text: str = strawberry.field(description="What is added, 3 to 5000 characters.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class AnswerTicketInput:
    """An answer."""

    ticket: ID = strawberry.field(description=_TICKET)
    text: str = strawberry.field(description="The answer, 3 to 5000 characters. The member reads it.")
    compensation: Points = strawberry.field(
        default=Points(0), description="Points that the member is given with it; once for a ticket."
    )
    close: bool = strawberry.field(default=False, description="Whether there is nothing more to be said.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class CloseTicketInput:
    """A ticket that is settled."""

    ticket: ID = strawberry.field(description=_TICKET)
    idempotency_key: str = strawberry.field(description=_KEY)


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class TicketState(Enum):
    """Whose turn it is."""

    OPEN = strawberry.enum_value(OPEN, description="It waits for an answer.")
    ANSWERED = strawberry.enum_value(ANSWERED, description="It was answered, and its member may add something.")
    CLOSED = strawberry.enum_value(CLOSED, description="It is settled.")


@strawberry.enum
class TicketOrder(Enum):
    """In which order tickets are listed."""

    DUE_AT_ASC = strawberry.enum_value("due_at_asc", description="By when they are to be answered, the soonest first.")
    OPENED_AT_DESC = strawberry.enum_value("opened_at_desc", description="By when they were asked, the latest first.")

    @property
    def order(self) -> Order:
        return oldest("due_at", "ticket_id") if self is TicketOrder.DUE_AT_ASC else newest("opened_at", "ticket_id")


@strawberry.type(name="TicketMessage")
class TicketMessageNode:
    """Something that was written in a ticket."""

    text: str = strawberry.field(description="What was written.")
    is_answer: bool = strawberry.field(description="Whether it is an answer to the member.")
    written_at: datetime = strawberry.field(description="When it was written.")


@strawberry.type(name="Ticket")
class TicketNode(Node):
    """A member's question about points, with its answers."""

    subject: str = strawberry.field(description="What it is about.")
    state: TicketState = strawberry.field(description="Whose turn it is.")
    opened_at: datetime = strawberry.field(description="When it was asked.")
    due_at: datetime = strawberry.field(description="By when it is to be answered.")
    answered_at: datetime | None = strawberry.field(description="When it was last answered; null while it was not.")
    closed_at: datetime | None = strawberry.field(description="When it was closed; null while it is not.")
    compensation: Points = strawberry.field(description="Points that the member was given for it.")
    _member_id: strawberry.Private[str]
    _row: strawberry.Private[Any]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "TicketNode":
        return cls(
            id=global_id("Ticket", member_id, row.ticket_id),
            subject=row.subject,
            state=TicketState(row.state),
            opened_at=row.opened_at,
            due_at=row.due_at,
            answered_at=row.answered_at,
            closed_at=row.closed_at,
            compensation=Points(row.compensation),
            _member_id=member_id,
            _row=row,
        )

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "TicketNode | None":
        match parts:
            case (member_id, ticket_id) if may_see(info, member_id):
                found = await info.context.loaders.rows(Ticket, member_id, ticket_id=ticket_id)
                return cls.of(member_id, found[0]) if found else None
            case _:
                return None

    @strawberry.field
    def is_overdue(self, info: Info) -> bool:
        """Whether it waits for an answer that is late."""
        return self.state is TicketState.OPEN and info.context.now > self.due_at

    @strawberry.field
    async def messages(self, info: Info) -> list[TicketMessageNode]:
        """What was written in it, the first first; at most 100."""
        rows = await info.context.loaders.rows(TicketMessage, self._member_id, ticket_id=self._row.ticket_id)
        return [
            TicketMessageNode(text=row.text, is_answer=row.is_answer, written_at=row.written_at)
            for row in sorted(rows, key=lambda row: row.number)
        ]

    @strawberry.field
    async def transactions(self, info: Info) -> list[Transaction]:
        """The transactions that it is about."""
        # Side by side, so that they are one statement.
        found = await asyncio.gather(*(Transaction.find(info, self._member_id, id) for id in self._row.transactions))
        return [transaction for transaction in found if transaction is not None]

    @strawberry.field
    async def compensated_by(self, info: Info) -> Transaction | None:
        """The transaction by which the member was compensated; null without one."""
        compensated_by = self._row.compensated_by
        return None if compensated_by is None else await Transaction.find(info, self._member_id, compensated_by)

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """Whose question it is."""
        return await Member.find(info, self._member_id)


@strawberry.type
class TicketPayload(Payload):
    """What became of a ticket."""

    ticket: TicketNode | None = strawberry.field(
        default=None, description="The ticket as it is now; null when the request was refused."
    )


@strawberry.type
class OpenTicketPayload(TicketPayload):
    """What became of opening a ticket."""


@strawberry.type
class WriteInTicketPayload(TicketPayload):
    """What became of adding to a ticket."""


@strawberry.type
class AnswerTicketPayload(TicketPayload):
    """What became of an answer. The transaction's entries say what the member was given."""


@strawberry.type
class CloseTicketPayload(TicketPayload):
    """What became of closing a ticket."""


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class TicketQueries:
    """What can be asked about tickets."""

    @query(allow=STAFF)
    @paged
    async def tickets(
        self,
        info: Info,
        page: Page,
        state: Annotated[
            TicketState | None, strawberry.argument(description="Whose turn it is; null for all of them.")
        ] = TicketState.OPEN,
        overdue: Annotated[
            bool, strawberry.argument(description="Only those whose time to be answered is over.")
        ] = False,
        opened_at: Annotated[
            InstantFilter | None, strawberry.argument(description="Only those that were asked then.")
        ] = None,
        order_by: Annotated[TicketOrder, strawberry.argument(description="In which order.")] = TicketOrder.DUE_AT_ASC,
    ) -> Connection[TicketNode]:
        """The tickets of all members that stand so: the operators' list, and what is behind the figure `complaints`."""
        where = instant_is("opened_at", opened_at)
        if state is not None:
            where.append(Where("state = ?", (str(state.value),)))
        if overdue:
            where.append(Where("due_at < ?", (microseconds(info.context.now),), passing=True))
        return await page_of_all(info, Ticket, TicketNode.of, page, order_by.order, where)


@strawberry.type
class TicketMemberFields:
    """What a member has of tickets."""

    @strawberry.field
    @paged
    async def tickets(self, info: Info, page: Page) -> Connection[TicketNode]:
        """The member's tickets, the newest first."""
        # Fields of Member, so they are resolved with a member as self.
        member_id = cast(Member, self).member_id

        def node(row: Any) -> TicketNode:
            return TicketNode.of(member_id, row)

        return await page_of_member(info, Ticket, member_id, node, page, newest("ticket_id"))


@strawberry.type
class TicketMutations:
    """What can be done about tickets."""

    @mutation(allow=ACTING)
    async def open_ticket(self, info: Info, input: OpenTicketInput) -> OpenTicketPayload:
        """Ask something about points. It is answered by `dueAt`."""
        operation = OpenTicket(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            subject=input.subject,
            text=input.text,
            # Somebody else's transactions are not among the member's, and not found there.
            transactions=tuple(parts_of(id, "Transaction", 2)[1] for id in input.transactions),
        )
        return await perform(info, operation, OpenTicketPayload, lambda outcome: _ticket(info, outcome))

    @mutation(allow=ACTING)
    async def write_in_ticket(self, info: Info, input: WriteInTicketInput) -> WriteInTicketPayload:
        """Add something as the member. The ticket waits for an answer again."""
        member, ticket = _named(info, input.ticket)
        operation = WriteInTicket(
            member=member, idempotency_key=input.idempotency_key, actor=actor(info), ticket=ticket, text=input.text
        )
        return await perform(info, operation, WriteInTicketPayload, lambda outcome: _ticket(info, outcome))

    @mutation(allow={Role.OPERATOR})
    async def answer_ticket(self, info: Info, input: AnswerTicketInput) -> AnswerTicketPayload:
        """Answer a ticket, and compensate its member in the same stroke where that is right."""
        member, ticket = _named(info, input.ticket)
        operation = AnswerTicket(
            member=member,
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            ticket=ticket,
            text=input.text,
            compensation=input.compensation,
            close=input.close,
        )
        return await perform(info, operation, AnswerTicketPayload, lambda outcome: _ticket(info, outcome))

    @mutation(allow=ACTING)
    async def close_ticket(self, info: Info, input: CloseTicketInput) -> CloseTicketPayload:
        """Close a ticket that is settled."""
        member, ticket = _named(info, input.ticket)
        operation = CloseTicket(member=member, idempotency_key=input.idempotency_key, actor=actor(info), ticket=ticket)
        return await perform(info, operation, CloseTicketPayload, lambda outcome: _ticket(info, outcome))


def _named(info: Info, id: str) -> tuple[ById, str]:
    """The member and the raw id in a ticket's id. Raises InvalidId, and TicketNotFound for somebody else's."""
    member_id, ticket = parts_of(id, "Ticket", 2)
    if not may_see(info, member_id):
        raise TicketNotFound(ticket=id)
    return ById(member_id), ticket


async def _ticket(info: Info, outcome: Outcome) -> dict[str, TicketNode]:
    assert outcome.member_id is not None
    (row,) = await info.context.loaders.rows(Ticket, outcome.member_id, ticket_id=outcome.result["ticket"])
    return {"ticket": TicketNode.of(outcome.member_id, row)}
