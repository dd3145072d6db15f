"""The channel's tables: what each order has got out of a campaign, and what all of them have used of its budget."""

from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from core.store.fields import InstantField, JsonField


class CampaignBonus(Model):
    """What an order got out of a campaign: ``given`` of the ``worth`` that its rules found, ``kept`` after refunds.

    ``cut`` says which cap took how much, ``budget`` among them. ``room`` is what other caps left, for refunds.
    """

    key: ClassVar = ("bucket", "member_id", "reference", "campaign")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    reference = fields.CharField(max_length=128)
    campaign = fields.CharField(max_length=64, primary_key=True)
    transaction_id = fields.CharField(max_length=36)
    occurred_at = InstantField()
    worth = fields.BigIntField()
    given = fields.BigIntField()
    kept = fields.BigIntField()
    budgeted = fields.BooleanField()
    cut = JsonField()
    room = JsonField()
    lots = JsonField()

    class Meta:
        table = "campaign_bonus"


class CampaignBudget(Model):
    """How much of a campaign's budget is used, and for which budget it was told that it is low, and that it is gone.

    Members share it.
    """

    campaign = fields.CharField(max_length=64, primary_key=True)
    used = fields.BigIntField()
    low_told = fields.BigIntField(null=True)
    exhausted_told = fields.BigIntField(null=True)

    class Meta:
        table = "campaign_budget"
