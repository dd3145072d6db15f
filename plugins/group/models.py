"""The channel's one table: what each member has to do with each group."""

from datetime import datetime
from typing import ClassVar, cast

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.fields import InstantField


class GroupMembership(Model):
    """A member and a group.

    ``state`` is applied, joined, left, lapsed (the tier was lost, or the membership closed), declined, removed, or
    merged: it is joined again when the merge is undone.

    ``name`` is the group's id and ``title`` what it was called, as a membership outlives the programme that had the
    group. Who has ``joined`` belongs until ``ends_at``, if that is set. ``note`` is what the member wrote, ``reason``
    what an operator did who removed or declined them: it stays until one lets them in. ``transaction_id`` is of the
    last change, made at ``changed_at``. ``merged_from`` is the member who brought it, or empty.
    """

    key: ClassVar = ("bucket", "member_id", "name")
    audited: ClassVar = ("state", "ends_at")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    name = fields.CharField(max_length=64, primary_key=True)
    title = fields.CharField(max_length=200)
    state = fields.CharField(max_length=16)
    note = fields.CharField(max_length=500, null=True)
    reason = fields.CharField(max_length=1000, null=True)
    joined_at = cast("fields.Field[datetime | None]", InstantField(null=True))
    ends_at = cast("fields.Field[datetime | None]", InstantField(null=True))
    changed_at = InstantField()
    transaction_id = fields.CharField(max_length=36)
    merged_from = fields.CharField(max_length=36)

    class Meta:
        table = "group_membership"
        indexes = (Index(fields=("name", "state", "transaction_id", "member_id")), Index(fields=("state", "ends_at")))


PERSONAL = (PersonalData(model=GroupMembership, cleared={"note": None, "reason": None}, told=frozenset({"reason"})),)
