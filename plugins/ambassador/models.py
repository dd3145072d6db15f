"""The channel's tables: who is an ambassador, by whom a member was brought, and what each order has given."""

from datetime import datetime
from typing import ClassVar, cast

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.fields import InstantField, JsonField


class Ambassador(Model):
    """A member who is an ambassador, wants to be or was.

    ``state`` is applied, active, declined, withdrawn (by the member), ended (by an operator) or lapsed. ``note`` is
    what the member wrote, ``reason`` what an operator did who dismissed or declined them: it stays until one lets them
    in. ``orders`` and ``points`` are of all commissions that stand.
    """

    key: ClassVar = ("bucket", "member_id")
    audited: ClassVar = ("state", "points")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36, primary_key=True)
    state = fields.CharField(max_length=16)
    note = fields.CharField(max_length=500, null=True)
    reason = fields.CharField(max_length=1000, null=True)
    appointed_at = cast("fields.Field[datetime | None]", InstantField(null=True))
    changed_at = InstantField()
    transaction_id = fields.CharField(max_length=36)
    orders = fields.IntField()
    points = fields.BigIntField()

    class Meta:
        table = "ambassador"
        indexes = (Index(fields=("state", "transaction_id", "member_id")),)


class AmbassadorFriend(Model):
    """By whom a member was brought. What is ``waiting`` is an order of the very operation, until it is told of."""

    key: ClassVar = ("bucket", "member_id", "ambassador")
    audited: ClassVar = ()
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    ambassador = fields.CharField(max_length=36, primary_key=True)
    brought_at = InstantField()
    waiting = fields.CharField(max_length=128, null=True)
    paid = fields.BigIntField()
    version = fields.IntField()

    class Meta:
        table = "ambassador_friend"


class AmbassadorCommission(Model):
    """What an order of a friend has given: ``points`` of it stand, in ``lots``; ``given`` were given.

    ``state`` is given, reduced or taken_back; ``version`` is of the programme that judges it, ``tier`` what the
    ambassador was.
    """

    key: ClassVar = ("bucket", "member_id", "friend", "reference")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    friend = fields.CharField(max_length=36)
    reference = fields.CharField(max_length=128, primary_key=True)
    transaction_id = fields.CharField(max_length=36)
    version = fields.IntField()
    tier = fields.CharField(max_length=64)
    given = fields.BigIntField()
    points = fields.BigIntField()
    lots = JsonField()
    state = fields.CharField(max_length=16)
    given_at = InstantField()

    class Meta:
        table = "ambassador_commission"


PERSONAL = (PersonalData(model=Ambassador, cleared={"note": None, "reason": None}, told=frozenset({"reason"})),)
