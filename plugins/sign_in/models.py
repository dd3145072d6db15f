"""The channel's one table: a row for each month in which a member signed in."""

from typing import ClassVar

from tortoise import fields
from tortoise.models import Model


class SignInMonth(Model):
    """A month, written 202606, and its days: bit 0 is the first. ``made_up`` are those of ``days`` that were bought."""

    key: ClassVar = ("bucket", "member_id", "month")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    month = fields.IntField(primary_key=True, generated=False)
    days = fields.IntField()
    made_up = fields.IntField()

    class Meta:
        table = "sign_in_month"
