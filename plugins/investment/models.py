"""The tables of investments: each member's stakes, and what all of them share: what a project has, and how it ended."""

from datetime import datetime
from typing import ClassVar, cast

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.store.fields import InstantField


class InvestmentPot(Model):
    """What a project has.

    ``staked`` are the points that were staked on it and not taken away again, ``waiting`` is how many stakes have not
    been paid back. ``outcome`` is None until it has been settled.
    """

    project = fields.CharField(max_length=64, primary_key=True)
    staked = fields.BigIntField()
    waiting = fields.BigIntField()
    outcome = fields.CharField(max_length=16, null=True)
    settled_at = cast("fields.Field[datetime | None]", InstantField(null=True))

    class Meta:
        table = "investment_pot"


class Stake(Model):
    """Points that a member has put on a project, with the terms that held then. ``stake_id`` is the transaction's.

    ``points`` are what is left of them after an operator's reversals; ``paid_back`` are those of them that have gone
    back to their lots, ``gained`` is what came with them. The index finds the stakes of a project that wait.
    """

    key: ClassVar = ("bucket", "member_id", "stake_id")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    stake_id = fields.CharField(max_length=36, primary_key=True)
    project = fields.CharField(max_length=64)
    title = fields.CharField(max_length=200)
    points = fields.BigIntField()
    success = fields.CharField(max_length=16)
    failure = fields.CharField(max_length=16)
    state = fields.CharField(max_length=16)
    paid_back = fields.BigIntField()
    gained = fields.BigIntField()
    staked_at = InstantField()
    ended_at = cast("fields.Field[datetime | None]", InstantField(null=True))

    class Meta:
        table = "investment_stake"
        indexes = (Index(fields=("project", "state", "stake_id")),)
