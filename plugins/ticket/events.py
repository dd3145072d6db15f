"""What is told of tickets outside: to whoever writes to the member, or to the operators."""

from datetime import datetime
from typing import Final

from pydantic import Field

from core.telling.event_types import EventData, EventType

TICKET_OPENED: Final = "ticket.opened"
TICKET_ANSWERED: Final = "ticket.answered"
TICKET_CLOSED: Final = "ticket.closed"


class TicketOpened(EventData):
    """A member has a question, or has asked again."""

    ticket: str = Field(description="The ticket's number.")
    subject: str = Field(description="What it is about.")
    due_at: datetime = Field(description="By when it is to be answered.")


class TicketAnswered(EventData):
    """A member's question was answered."""

    ticket: str = Field(description="The ticket's number.")
    subject: str = Field(description="What it is about.")
    compensation: int = Field(description="How many points the member was given with the answer; 0 for none.")


class TicketWasClosed(EventData):
    """A ticket was closed."""

    ticket: str = Field(description="The ticket's number.")
    subject: str = Field(description="What it is about.")


EVENT_TYPES: Final = (
    EventType(TICKET_OPENED, 1, TicketOpened),
    EventType(TICKET_ANSWERED, 1, TicketAnswered),
    EventType(TICKET_CLOSED, 1, TicketWasClosed),
)
