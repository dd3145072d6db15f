"""The channel's tables: the objects of events that count, and what was paid for which period."""

from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from core.store.fields import InstantField, JsonField


class QuestEvent(Model):
    """An event of the brand's own about one object (a page, an article); ``day`` is written 20260131."""

    key: ClassVar = ("bucket", "member_id", "event", "day", "object")
    audited: ClassVar = ("event",)
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    event = fields.CharField(max_length=64)
    day = fields.IntField()
    object = fields.CharField(max_length=128, primary_key=True)

    class Meta:
        table = "quest_event"


class QuestResult(Model):
    """A quest that was done in a period. ``state`` is paid, taken_back (it can be done again) or reversed."""

    key: ClassVar = ("bucket", "member_id", "quest", "period")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    quest = fields.CharField(max_length=64)
    period = fields.CharField(max_length=16, primary_key=True)
    transaction_id = fields.CharField(max_length=36)
    state = fields.CharField(max_length=16)
    points = fields.BigIntField()
    lots = JsonField()
    paid_at = InstantField()

    class Meta:
        table = "quest_result"
