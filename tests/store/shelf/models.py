"""A shelf, the copies that stand on it, and notes about them."""

from typing import ClassVar

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

from core.store.fields import InstantField, JsonField, PartialIndex


class Shelf(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=40)
    room = fields.CharField(max_length=40)

    class Meta:
        table = "shelf"
        constraints = (UniqueConstraint(fields=("room", "name"), name="shelf_place"),)


class Copy(Model):
    key: ClassVar[tuple[str, ...]] = ("bucket", "title", "number")

    bucket = fields.SmallIntField()
    title = fields.CharField(max_length=64)
    number = fields.BigIntField(primary_key=True, generated=False)
    pages = fields.BigIntField()
    lent = fields.BooleanField(default=False)
    printed_at = InstantField()
    returned_at = InstantField(null=True)
    marks = JsonField()

    class Meta:
        table = "shelf_copy"
        constraints = (CheckConstraint(check="pages > 0", name="copy_has_pages"),)
        indexes = (PartialIndex(fields=("printed_at",), where="lent", name="copy_lent"),)


class Note(Model):
    id = fields.BigIntField(primary_key=True)
    shelf: fields.ForeignKeyRelation[Shelf] = fields.ForeignKeyField("shelf.Shelf", related_name=False)
    text = fields.TextField()
    written_at = InstantField()

    class Meta:
        table = "shelf_note"
        indexes = (("shelf_id", "written_at"),)
