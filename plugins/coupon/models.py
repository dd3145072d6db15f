"""The channel's one table: the coupons that members have, or had."""

from typing import Any, ClassVar

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.fields import InstantField, JsonField


class Coupon(Model):
    """A coupon of a member's. ``coupon_id`` grows with time.

    ``coupon`` is its id in the programme that issued it, ``terms`` what that promised, ``occasion`` what it was for.
    It is used with the order ``order_reference``, which paid ``discount`` less. Nothing is written when it lapses.
    One that is withdrawn after it was used stays used, until that is undone.
    """

    key: ClassVar = ("bucket", "member_id", "coupon_id")
    audited: ClassVar = ("coupon", "expires_at", "used_at", "withdrawn_at")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    coupon_id = fields.CharField(max_length=40, primary_key=True)
    transaction_id = fields.CharField(max_length=36)
    coupon = fields.CharField(max_length=64)
    name = fields.CharField(max_length=200)
    code = fields.CharField(max_length=16)
    terms = JsonField()
    occasion = fields.CharField(max_length=200)
    issued_at = InstantField()
    # Instants or None, which Tortoise's types have no word for.
    expires_at: Any = InstantField(null=True)
    used_at: Any = InstantField(null=True)
    order_reference = fields.CharField(max_length=128, null=True)
    discount = fields.BigIntField()
    withdrawn_at: Any = InstantField(null=True)

    class Meta:
        table = "coupon"
        indexes = (Index(fields=("code",)),)


PERSONAL = (PersonalData(model=Coupon, cleared={"occasion": ""}),)
