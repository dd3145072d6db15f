"""Tickets, which are the member's, and what was written in them; operators find those that wait through the index."""

from datetime import datetime
from typing import ClassVar, cast

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.fields import InstantField, JsonField


class Ticket(Model):
    """A question. ``ticket_id`` is the transaction that opened it, ``transactions`` are those it is about.

    ``due_at`` is by when it is to be answered. ``compensated_by`` is the transaction that gave ``compensation`` points.
    """

    key: ClassVar = ("bucket", "member_id", "ticket_id")
    audited: ClassVar = ("state", "due_at", "messages", "compensation")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    ticket_id = fields.CharField(max_length=36, primary_key=True)
    subject = fields.CharField(max_length=200)
    state = fields.CharField(max_length=16)
    transactions = cast("fields.Field[list[str]]", JsonField())
    messages = fields.IntField()
    opened_at = InstantField()
    due_at = InstantField()
    answered_at = cast("fields.Field[datetime | None]", InstantField(null=True))
    closed_at = cast("fields.Field[datetime | None]", InstantField(null=True))
    compensation = fields.BigIntField()
    compensated_by = fields.CharField(max_length=36, null=True)

    class Meta:
        table = "ticket"
        indexes = (Index(fields=("state", "due_at", "ticket_id")), Index(fields=("opened_at", "ticket_id")))


class TicketMessage(Model):
    """What was written in a ticket, numbered from 1."""

    key: ClassVar = ("bucket", "member_id", "ticket_id", "number")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    ticket_id = fields.CharField(max_length=36)
    number = fields.IntField(primary_key=True, generated=False)
    author = fields.CharField(max_length=200)
    is_answer = fields.BooleanField()
    text = fields.TextField()
    written_at = InstantField()

    class Meta:
        table = "ticket_message"


PERSONAL = (
    PersonalData(model=Ticket, cleared={"subject": ""}, told=frozenset({"subject", "text"})),
    PersonalData(model=TicketMessage, cleared={"text": "", "author": ""}),
)
