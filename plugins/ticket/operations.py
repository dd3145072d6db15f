"""What can be done about a ticket: it is opened, written in, answered, compensated for and closed.

A member may be frozen or closed and still ask.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final

from core.books.accounts import Contra
from core.engine.operations import Operation, Recorded
from core.engine.work import Work
from core.errors import InvalidAmount, InvalidValue, TransactionNotFound
from core.telling.events import TRANSACTION_REVERSED, Event
from core.units import AMOUNT_MAX, POINTS

from .events import TICKET_ANSWERED, TICKET_CLOSED, TICKET_OPENED
from .models import Ticket, TicketMessage
from .refusals import (
    CompensationTooLarge,
    TicketAlreadyCompensated,
    TicketClosed,
    TicketIsFull,
    TicketNotFound,
    TicketsNotOffered,
    TooManyTicketsOpen,
)
from .rules import CHANNEL, TicketSettings, due

OPEN: Final = "open"
ANSWERED: Final = "answered"
CLOSED: Final = "closed"

SUBJECT_MAX: Final = 200
TEXT_MAX: Final = 5_000
MESSAGES_MAX: Final = 100
TRANSACTIONS_MAX: Final = 20


@dataclass(frozen=True, kw_only=True)
class OpenTicket(Operation):
    """Ask something. ``transactions`` are ids of the member's own, which it is about.

    Refuses TicketsNotOffered, TooManyTicketsOpen, TransactionNotFound, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "open"

    subject: str
    text: str
    transactions: tuple[str, ...] = ()

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _settings(work)
        _check("subject", self.subject, SUBJECT_MAX)
        _check("text", self.text, TEXT_MAX)
        if len(self.transactions) > TRANSACTIONS_MAX:
            raise InvalidValue(field="transactions", reason=f"at most {TRANSACTIONS_MAX}")
        for transaction in self.transactions:
            found: list[Recorded] = await work.rows(Recorded, id=transaction)
            if not found or not found[0].accepted:
                raise TransactionNotFound(transaction=transaction)
        if len(await work.rows(Ticket, state=OPEN)) >= settings.open:
            raise TooManyTicketsOpen(limit=settings.open)
        due_at = due(settings, work.programme.zone, work.now)
        work.add(
            Ticket,
            ticket_id=work.operation_id,
            subject=self.subject.strip(),
            state=OPEN,
            transactions=list(dict.fromkeys(self.transactions)),
            messages=1,
            opened_at=work.now,
            due_at=due_at,
            answered_at=None,
            closed_at=None,
            compensation=0,
            compensated_by=None,
        )
        _write(work, work.operation_id, 1, self.actor, self.text, is_answer=False)
        work.tell(TICKET_OPENED, ticket=work.operation_id, subject=self.subject.strip(), due_at=due_at.isoformat())
        return {"ticket": work.operation_id}


@dataclass(frozen=True, kw_only=True)
class WriteInTicket(Operation):
    """Add to a ticket as its member; it waits for an answer again, also when it was closed not long ago.

    Refuses TicketNotFound, TicketClosed, TicketIsFull, TicketsNotOffered, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "write"

    ticket: str
    text: str

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _settings(work)
        _check("text", self.text, TEXT_MAX)
        ticket = await _find(work, self.ticket)
        if ticket.closed_at is not None and work.now > ticket.closed_at + timedelta(days=settings.reopen_days):
            raise TicketClosed(closed_at=ticket.closed_at)
        _add(work, ticket, self.actor, self.text, is_answer=False)
        if ticket.state != OPEN:
            # A question that waits already is not due any later because more was said of it.
            ticket.due_at = due(settings, work.programme.zone, work.now)
            work.tell(TICKET_OPENED, ticket=ticket.ticket_id, subject=ticket.subject, due_at=ticket.due_at.isoformat())
        ticket.state, ticket.closed_at = OPEN, None
        work.save(ticket)
        return {"ticket": ticket.ticket_id}


@dataclass(frozen=True, kw_only=True)
class AnswerTicket(Operation):
    """Answer as an operator, and compensate the member where that is right: both are done, or neither.

    Refuses TicketNotFound, TicketIsFull, TicketAlreadyCompensated, CompensationTooLarge, InvalidAmount, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "answer"
    reaches_merged: ClassVar[bool] = True

    ticket: str
    text: str
    compensation: int = 0
    close: bool = False

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _settings(work)
        _check("text", self.text, TEXT_MAX)
        ticket = await _find(work, self.ticket)
        if ticket.closed_at is not None:
            raise TicketClosed(closed_at=ticket.closed_at)
        _add(work, ticket, self.actor, self.text, is_answer=True)
        if self.compensation:
            await self._compensate(ticket, settings, work)
        ticket.state, ticket.answered_at = ANSWERED, work.now
        work.tell(TICKET_ANSWERED, ticket=ticket.ticket_id, subject=ticket.subject, compensation=self.compensation)
        if self.close:
            _close(work, ticket)
        work.save(ticket)
        return {"ticket": ticket.ticket_id, "points": self.compensation, "reason": f"ticket: {ticket.subject}"}

    async def _compensate(self, ticket: Ticket, settings: TicketSettings, work: Work) -> None:
        if not 0 < self.compensation <= AMOUNT_MAX:
            raise InvalidAmount(value=str(self.compensation), reason="a compensation gives something")
        if ticket.compensated_by is not None:
            raise TicketAlreadyCompensated(points=ticket.compensation)
        if self.compensation > settings.compensation_max:
            raise CompensationTooLarge(points=self.compensation, most=settings.compensation_max)
        await work.earn(self.compensation, contra=Contra.ADJUSTMENT)
        ticket.compensation, ticket.compensated_by = self.compensation, work.operation_id


@dataclass(frozen=True, kw_only=True)
class CloseTicket(Operation):
    """Close a ticket. One that is closed stays so. Refuses TicketNotFound."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "close"
    reaches_merged: ClassVar[bool] = True

    ticket: str

    async def perform(self, work: Work) -> dict[str, Any]:
        ticket = await _find(work, self.ticket)
        if ticket.state != CLOSED:
            _close(work, ticket)
            work.save(ticket)
        return {"ticket": ticket.ticket_id}


async def follow_reversal(event: Event, work: Work) -> None:
    """What an operator takes back of a compensation was not given; when all of it is, another can be."""
    payload = event.payload
    if event.name != TRANSACTION_REVERSED or payload["channel"] != CHANNEL:
        return
    (found,) = await work.rows(Ticket, compensated_by=payload["transaction"])
    ticket = await _find(work, found.ticket_id)
    ticket.compensation = 0 if payload["whole"] else max(ticket.compensation + payload["amounts"].get(POINTS, 0), 0)
    if not ticket.compensation:
        ticket.compensated_by = None
    work.save(ticket)


def _settings(work: Work) -> TicketSettings:
    settings = work.programme.channels.get(CHANNEL)
    if not isinstance(settings, TicketSettings):
        raise TicketsNotOffered(at=work.now)
    return settings


async def _find(work: Work, ticket_id: str) -> Ticket:
    ticket = await work.find(Ticket, ticket_id=ticket_id)
    if ticket is None:
        raise TicketNotFound(ticket=ticket_id)
    return ticket


def _add(work: Work, ticket: Ticket, author: str, text: str, *, is_answer: bool) -> None:
    if ticket.messages >= MESSAGES_MAX:
        raise TicketIsFull(limit=MESSAGES_MAX)
    ticket.messages += 1
    _write(work, ticket.ticket_id, ticket.messages, author, text, is_answer=is_answer)


def _write(work: Work, ticket_id: str, number: int, author: str, text: str, *, is_answer: bool) -> None:
    work.add(
        TicketMessage,
        ticket_id=ticket_id,
        number=number,
        author=author,
        is_answer=is_answer,
        text=text.strip(),
        written_at=work.now,
    )


def _close(work: Work, ticket: Ticket) -> None:
    ticket.state, ticket.closed_at = CLOSED, work.now
    work.tell(TICKET_CLOSED, ticket=ticket.ticket_id, subject=ticket.subject)


def _check(field: str, text: str, longest: int) -> None:
    if not 3 <= len(text.strip()) <= longest:
        raise InvalidValue(field=field, reason=f"it must have 3 to {longest} characters")
