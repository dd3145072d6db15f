"""The channel's one table: the stages that members have entered."""

from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from core.store.fields import InstantField, JsonField


class LifeCycleEntry(Model):
    """A stage that a member has entered, numbered from 1, and what that has brought; the last one is where they are."""

    key: ClassVar = ("bucket", "member_id", "number")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    number = fields.IntField(primary_key=True, generated=False)
    former = fields.CharField(max_length=64, null=True)
    stage = fields.CharField(max_length=64)
    operation_id = fields.CharField(max_length=36)
    entered_at = InstantField()
    cause = fields.CharField(max_length=16)
    pack = JsonField()
    lots = JsonField()
    coupons = JsonField()
    is_taken_back = fields.BooleanField()

    class Meta:
        table = "life_cycle_entry"
