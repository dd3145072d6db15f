"""The channel's one table: orders, with all that a refund needs to price again what is left of them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.fields import InstantField, JsonField


class PurchaseOrder(Model):
    """An order. Money is in minor units of ``currency``.

    ``facts`` are what the rules saw beside the items, ``awards`` for each unit what was given, what is left of it
    after refunds, its lots and the room that caps left. ``status`` is recorded, refunded (wholly) or reversed.
    Of each of the ``refunds`` it is known what was ``asked``, but for those from before that was kept.
    """

    key: ClassVar = ("bucket", "member_id", "reference")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    reference = fields.CharField(max_length=128, primary_key=True)
    transaction_id = fields.CharField(max_length=36)
    programme_version = fields.IntField()
    currency = fields.CharField(max_length=3)
    occurred_at = InstantField()
    kind = fields.CharField(max_length=64, null=True)
    category = fields.CharField(max_length=64, null=True)
    amount = fields.BigIntField()
    amount_left = fields.BigIntField()
    points = fields.BigIntField()
    points_amount = fields.BigIntField()
    points_back = fields.BigIntField()
    status = fields.CharField(max_length=16)
    items = JsonField()
    facts = JsonField()
    awards = JsonField()
    refunds = JsonField()

    class Meta:
        table = "purchase_order"
        # For those who ask whether an order is any member's.
        indexes = (Index(fields=("reference",)),)


def _anonymous(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What rules saw beside the items, of a buyer of whom only what they did is known."""
    return {**facts, "member": {**facts["member"], "birthday": None, "tags": []}}


PERSONAL = (PersonalData(model=PurchaseOrder, cleared={"facts": _anonymous}),)
