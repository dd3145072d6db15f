"""The tables of donations: what each member has given, and what all of them share: how much a project has raised."""

from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from core.store.fields import InstantField


class DonationPot(Model):
    """What a project has raised: what members ``donated``, what the brand ``added``, and how many members gave."""

    project = fields.CharField(max_length=64, primary_key=True)
    donated = fields.BigIntField()
    added = fields.BigIntField()
    donors = fields.BigIntField()

    class Meta:
        table = "donation_pot"


class Donation(Model):
    """Points that a member has given. ``donation_id`` is the transaction's.

    ``points`` and ``added`` are what an operator's reversals have left of it.
    """

    key: ClassVar = ("bucket", "member_id", "donation_id")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    donation_id = fields.CharField(max_length=36, primary_key=True)
    project = fields.CharField(max_length=64)
    title = fields.CharField(max_length=200)
    points = fields.BigIntField()
    added = fields.BigIntField()
    donated_at = InstantField()

    class Meta:
        table = "donation"
