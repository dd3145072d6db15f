"""The channel's tables: the badges that members have, by which terms they were judged, and how far a job has come."""

from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from core.store.fields import DayField, InstantField, JsonField


class BadgeHeld(Model):
    """A level of a badge. ``state`` is given, taken_back (it can be had again) or reversed: held, but its award is not.

    ``title`` is what it was called, as a badge outlives the programme that gave it. ``pack`` is what was given of each
    unit, ``lots`` the lots that it is in. ``merged_from`` is the member who brought it, or empty.
    """

    key: ClassVar = ("bucket", "member_id", "badge", "level")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    badge = fields.CharField(max_length=64)
    level = fields.IntField(primary_key=True, generated=False)
    title = fields.CharField(max_length=200)
    state = fields.CharField(max_length=16)
    reached_on = DayField()
    given_at = InstantField()
    transaction_id = fields.CharField(max_length=36)
    pack = JsonField()
    lots = JsonField()
    coupons = JsonField()
    merged_from = fields.CharField(max_length=36)

    class Meta:
        table = "badge_held"


class BadgeStanding(Model):
    """The terms (``BadgeSettings.terms``) by which a member was judged last; empty when they have something coming."""

    key: ClassVar = ("bucket", "member_id")
    audited: ClassVar = ()
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36, primary_key=True)
    terms = fields.CharField(max_length=64)

    class Meta:
        table = "badge_standing"


class BadgeSweep(Model):
    """How far the job has come with giving badges of these terms to who had earned them: all buckets below this one."""

    key: ClassVar = ("terms",)
    terms = fields.CharField(max_length=64, primary_key=True)
    bucket_next = fields.IntField()

    class Meta:
        table = "badge_sweep"
