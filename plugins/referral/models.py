"""The channel's tables: codes, which members share; the invitation of each friend; each inviter's bonuses."""

from typing import Any, ClassVar

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.store.fields import InstantField, JsonField


class ReferralCode(Model):
    """A code and whose it is. ``invited`` counts who accepted it, ``in_month`` those of ``month`` (202606)."""

    audited: ClassVar = ("expires_at", "invited")
    code = fields.CharField(max_length=16, primary_key=True)
    inviter = fields.CharField(max_length=36)
    # An instant or None, which Tortoise's types have no word for.
    expires_at: Any = InstantField(null=True)
    invited = fields.IntField()
    month = fields.IntField()
    in_month = fields.IntField()

    class Meta:
        table = "referral_code"
        indexes = (Index(fields=("inviter",)),)


class ReferralInvitation(Model):
    """The invitation that a member accepted; nobody accepts two. ``state`` is accepted, rewarded, taken_back or lapsed.

    ``reference`` is the order that was rewarded, ``lots`` where the member's own bonus is.
    """

    key: ClassVar = ("bucket", "member_id", "code")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    code = fields.CharField(max_length=16, primary_key=True)
    inviter = fields.CharField(max_length=36)
    accepted_at = InstantField()
    state = fields.CharField(max_length=16)
    reference = fields.CharField(max_length=128, null=True)
    points = fields.BigIntField()
    lots = JsonField()

    class Meta:
        table = "referral_invitation"


class ReferralReward(Model):
    """An inviter's bonus for one friend."""

    key: ClassVar = ("bucket", "member_id", "invitee")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    invitee = fields.CharField(max_length=36, primary_key=True)
    transaction_id = fields.CharField(max_length=36)
    points = fields.BigIntField()
    lots = JsonField()
    rewarded_at = InstantField()
    is_taken_back = fields.BooleanField()

    class Meta:
        table = "referral_reward"
