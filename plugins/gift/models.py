"""The tables of gifts: what a member has sent, and what a member has received."""

from typing import Any, ClassVar

from tortoise import fields
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.fields import InstantField, JsonField


class GiftSent(Model):
    """A gift, with its giver. ``gift_id`` is the transaction's that took the points.

    ``points`` is what an operator's reversals have left of it, ``is_returned`` whether the receiver could not take it.
    """

    key: ClassVar = ("bucket", "member_id", "gift_id")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    gift_id = fields.CharField(max_length=36, primary_key=True)
    receiver = fields.CharField(max_length=36)
    receiver_name = fields.CharField(max_length=128)
    points = fields.BigIntField()
    message = fields.CharField(max_length=200)
    is_returned = fields.BooleanField()
    given_at = InstantField()

    class Meta:
        table = "gift_sent"


class GiftReceived(Model):
    """The same gift, with its receiver, once the points have come. ``lots`` is where they are."""

    key: ClassVar = ("bucket", "member_id", "gift_id")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    gift_id = fields.CharField(max_length=36, primary_key=True)
    giver_name = fields.CharField(max_length=128)
    points = fields.BigIntField()
    message = fields.CharField(max_length=200)
    lots: Any = JsonField()
    received_at = InstantField()

    class Meta:
        table = "gift_received"


PERSONAL = (
    PersonalData(
        model=GiftSent, cleared={"receiver_name": "", "message": ""}, told=frozenset({"message", "giver_name"})
    ),
    PersonalData(model=GiftReceived, cleared={"giver_name": "", "message": ""}),
)
