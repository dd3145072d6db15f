"""The store's tables: members' orders, and what all members share: stock, codes, and how the stock came to be."""

from typing import Any, ClassVar

from tortoise import fields
from tortoise.migrations.constraints import UniqueConstraint
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.fields import InstantField, JsonField


class RewardOrder(Model):
    """A reward that a member has redeemed.

    ``order_id`` is the transaction's. ``price`` is of one piece and ``points`` of all. ``codes`` are the numbers of
    the codes that were given. ``status`` is requested, fulfilled, delivered or cancelled.
    """

    key: ClassVar = ("bucket", "member_id", "order_id")
    audited: ClassVar = ("status", "reward", "quantity")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    order_id = fields.CharField(max_length=36, primary_key=True)
    reward = fields.CharField(max_length=64)
    name = fields.CharField(max_length=200)
    kind = fields.CharField(max_length=16)
    quantity = fields.IntField()
    price = fields.BigIntField()
    points = fields.BigIntField()
    counted = fields.BooleanField()
    codes: Any = JsonField()
    status = fields.CharField(max_length=16)
    note = fields.CharField(max_length=200, null=True)
    requested_at = InstantField()
    fulfilled_at = InstantField(null=True)
    delivered_at = InstantField(null=True)
    cancelled_at = InstantField(null=True)

    class Meta:
        table = "reward_order"


class RewardStock(Model):
    """How many pieces, or codes, of a reward are left. Its row is the lock of its codes as well.

    Codes are numbered from 1 to ``last_code``; ``next_code`` is given next, but for those in ``returned``, which
    have come back and go first.
    """

    reward = fields.CharField(max_length=64, primary_key=True)
    stock_left = fields.BigIntField()
    next_code = fields.BigIntField()
    last_code = fields.BigIntField()
    returned = JsonField()

    class Meta:
        table = "reward_stock"


class RewardCode(Model):
    """A code, by its number. Never changed: the order says which numbers it has."""

    key: ClassVar = ("reward", "number")
    reward = fields.CharField(max_length=64)
    number = fields.BigIntField(primary_key=True, generated=False)
    code = fields.CharField(max_length=64)

    class Meta:
        table = "reward_code"
        constraints = (UniqueConstraint(fields=("reward", "code"), name="reward_code_given_once"),)


class RewardDelivery(Model):
    """Pieces or codes that an operator has added, or taken when negative. Only ever inserted."""

    idempotency_key = fields.CharField(max_length=200, primary_key=True)
    request_hash = fields.CharField(max_length=64)
    reward = fields.CharField(max_length=64)
    quantity = fields.BigIntField()
    stock_left = fields.BigIntField()
    actor = fields.CharField(max_length=200)
    recorded_at = InstantField()

    class Meta:
        table = "reward_delivery"


PERSONAL = (PersonalData(model=RewardOrder, cleared={"note": None}, told=frozenset({"note"})),)
