"""What members have chosen, and what they were sent: which message, when and how, not what it said."""

from datetime import datetime
from typing import ClassVar, Final, cast

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.fields import InstantField, JsonField

WAITING: Final = "waiting"
SENT: Final = "sent"
SKIPPED: Final = "skipped"
FAILED: Final = "failed"


class MessagePreferences(Model):
    """What a member has chosen. ``topics`` and ``carriers`` say yes or no to those named, ``addresses`` where."""

    key: ClassVar = ("bucket", "member_id", "number")
    audited: ClassVar = ("topics", "carriers")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    number = fields.IntField(primary_key=True, generated=False)
    locale = fields.CharField(max_length=40, null=True)
    timezone = fields.CharField(max_length=64, null=True)
    topics = cast("fields.Field[dict[str, bool]]", JsonField())
    carriers = cast("fields.Field[dict[str, bool]]", JsonField())
    addresses = cast("fields.Field[dict[str, str]]", JsonField())
    updated_at = InstantField()

    class Meta:
        table = "message_preferences"


class MemberMessage(Model):
    """A message to a member. ``message`` is its id in the programme.

    ``message_id`` is the same for every attempt, and in the order of the events. ``state`` is waiting, sent, skipped or
    failed, and ``reason`` says why it was skipped or failed.
    """

    key: ClassVar = ("bucket", "member_id", "message_id")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    message_id = fields.CharField(max_length=36, primary_key=True)
    message = fields.CharField(max_length=64)
    event = fields.CharField(max_length=64)
    topic = fields.CharField(max_length=64)
    carrier = fields.CharField(max_length=64)
    locale = fields.CharField(max_length=40, null=True)
    state = fields.CharField(max_length=16)
    reason = fields.CharField(max_length=500, null=True)
    is_marketing = fields.BooleanField()
    queued_at = InstantField()
    sent_at = cast("fields.Field[datetime | None]", InstantField(null=True))

    class Meta:
        table = "member_message"
        indexes = (Index(fields=("queued_at",)),)


class MessageMark(Model):
    """Which stretch of a member's way through the tiers was told of already, so that it is told once."""

    key: ClassVar = ("bucket", "member_id", "name")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    name = fields.CharField(max_length=64, primary_key=True)
    stretch = fields.IntField()

    class Meta:
        table = "message_mark"


PERSONAL: Final = (
    PersonalData(
        model=MessagePreferences,
        cleared={"locale": None, "timezone": None, "topics": {}, "carriers": {}, "addresses": {}},
        told=frozenset({"addresses", "address", "locale", "timezone"}),
    ),
    PersonalData(model=MemberMessage, cleared={"locale": None, "reason": None}),
)
