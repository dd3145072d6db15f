"""The channel's one table: reviews, which are the member's; moderators find those that wait through the index."""

from datetime import datetime
from typing import ClassVar, cast

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.fields import InstantField, JsonField


class Review(Model):
    """A review, without its text. ``transaction_id`` is of its submission, and is its id.

    ``awards`` are, by unit, the points ``kept`` of what it brought, and the lots they were put in. ``approved_at`` is
    set while it counts as approved, ``paid_at`` once it has brought anything.
    """

    key: ClassVar = ("bucket", "member_id", "reference")
    audited: ClassVar = ("status", "rating", "pictures", "quality")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    reference = fields.CharField(max_length=128, primary_key=True)
    transaction_id = fields.CharField(max_length=36)
    order_reference = fields.CharField(max_length=128, null=True)
    product = fields.CharField(max_length=128, null=True)
    rating = fields.SmallIntField()
    length = fields.IntField()
    pictures = fields.SmallIntField()
    status = fields.CharField(max_length=16)
    quality = fields.BooleanField()
    reason = fields.CharField(max_length=1000, null=True)
    moderator = fields.CharField(max_length=200, null=True)
    submitted_at = InstantField()
    decided_at = cast("fields.Field[datetime | None]", InstantField(null=True))
    approved_at = cast("fields.Field[datetime | None]", InstantField(null=True))
    paid_at = cast("fields.Field[datetime | None]", InstantField(null=True))
    awards = JsonField()

    class Meta:
        table = "review"
        indexes = (Index(fields=("status", "transaction_id")),)


PERSONAL = (PersonalData(model=Review, cleared={"reason": None}),)
