"""The channel's one table: a row for each day of a member on which there was something."""

from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from core.store.fields import DayField


class StoreVisitDay(Model):
    """A day, in the programme's time zone. ``taken_back``: an operator reversed what was recorded."""

    key: ClassVar = ("bucket", "member_id", "day")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    day = DayField(primary_key=True)
    taken_back = fields.BooleanField()

    class Meta:
        table = "store_visit_day"
