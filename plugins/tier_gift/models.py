"""The channel's one table: the gifts that members got for reaching tiers."""

from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from core.store.fields import InstantField, JsonField


class TierGift(Model):
    """The gift for a tier, the last one where it is given each time. ``pack`` is what was given of each unit.

    ``is_taken_back``: an operator has reversed the transaction, and the tier's gift can be had anew.
    """

    key: ClassVar = ("bucket", "member_id", "tier")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    tier = fields.CharField(max_length=64, primary_key=True)
    transaction_id = fields.CharField(max_length=36)
    pack = JsonField()
    coupons = JsonField()
    given_at = InstantField()
    is_taken_back = fields.BooleanField()

    class Meta:
        table = "tier_gift"
