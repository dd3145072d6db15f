"""The channel's tables: what a member may use in a period, and each use."""

from typing import Any, ClassVar

from tortoise import fields
from tortoise.models import Model

from core.store.fields import InstantField


class BenefitEntitlement(Model):
    """A benefit in a period (``2026-01``, ``2026``, ``membership``), as soon as it was used: how often it was.

    ``quota`` is the highest that the member has had in the period; None once there was none. Nothing is written when
    what was not used lapses at ``ends_at``.
    """

    key: ClassVar = ("bucket", "member_id", "period", "benefit")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    period = fields.CharField(max_length=16)
    benefit = fields.CharField(max_length=64, primary_key=True)
    quota = fields.IntField(null=True)
    used = fields.IntField()
    # An instant or None, which Tortoise's types have no word for.
    ends_at: Any = InstantField(null=True)

    class Meta:
        table = "benefit_entitlement"


class BenefitUse(Model):
    """A use of a benefit: the ``number``-th of ``quota`` in its period, by a member of ``tier``.

    ``use_id`` grows with time. ``reference`` is the order that it was for, which came to ``amount``, or what else it
    was for; ``worth`` is what it took off, in minor units.
    """

    key: ClassVar = ("bucket", "member_id", "use_id")
    audited: ClassVar = ("benefit", "used_at", "undone_at")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    use_id = fields.CharField(max_length=40, primary_key=True)
    transaction_id = fields.CharField(max_length=36)
    benefit = fields.CharField(max_length=64)
    name = fields.CharField(max_length=200)
    kind = fields.CharField(max_length=32)
    period = fields.CharField(max_length=16)
    tier = fields.CharField(max_length=64)
    number = fields.IntField()
    quota = fields.IntField(null=True)
    reference = fields.CharField(max_length=128)
    amount = fields.BigIntField(null=True)
    worth = fields.BigIntField()
    used_at = InstantField()
    undone_at: Any = InstantField(null=True)

    class Meta:
        table = "benefit_use"
