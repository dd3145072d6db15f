"""The channel's one table: what has been completed, and by which transaction."""

from typing import ClassVar, Final

from tortoise import fields
from tortoise.models import Model

from core.store.fields import InstantField

WHOLE: Final = "*"
"""Stands in place of a section for the profile as a whole; no section can have this name."""


class ProfileSection(Model):
    """A section that was completed. ``done`` is false once its transaction was reversed: it can be completed anew."""

    key: ClassVar = ("bucket", "member_id", "section")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    section = fields.CharField(max_length=64, primary_key=True)
    transaction_id = fields.CharField(max_length=36)
    completed_at = InstantField()
    done = fields.BooleanField()

    class Meta:
        table = "profile_section"
