"""The channel's one table: the gifts that members found when they came back."""

from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from core.store.fields import InstantField, JsonField


class WinBackGift(Model):
    """A gift, by the day of coming back, written 20260131."""

    key: ClassVar = ("bucket", "member_id", "day")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    day = fields.IntField(primary_key=True, generated=False)
    points = fields.BigIntField()
    lots = JsonField()
    is_taken_back = fields.BooleanField()
    given_at = InstantField()

    class Meta:
        table = "win_back_gift"
