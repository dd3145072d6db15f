from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField, PartialIndex
from core.store.operations import CreateModel
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name="Copy",
            fields=[
                ("bucket", fields.SmallIntField()),
                ("title", fields.CharField(max_length=64)),
                ("number", fields.BigIntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ("pages", fields.BigIntField()),
                ("lent", fields.BooleanField(default=False)),
                ("printed_at", InstantField(generated=False, null=False, unique=False)),
                ("returned_at", InstantField(null=True, generated=False, unique=False)),
                ("marks", JsonField(generated=False, null=False, unique=False)),
            ],
            options={
                "table": "shelf_copy",
                "app": "shelf",
                "constraints": [CheckConstraint(check="pages > 0", name="copy_has_pages")],
                "indexes": [PartialIndex(fields=["printed_at"], name="copy_lent", where="lent")],
                "pk_attr": "number",
                "key": ("bucket", "title", "number"),
            },
            bases=["Model"],
        ),
        CreateModel(
            name="Shelf",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("name", fields.CharField(max_length=40)),
                ("room", fields.CharField(max_length=40)),
            ],
            options={
                "table": "shelf",
                "app": "shelf",
                "constraints": [UniqueConstraint(fields=("room", "name"), name="shelf_place")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateModel(
            name="Note",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "shelf",
                    fields.ForeignKeyField(
                        "shelf.Shelf",
                        source_field="shelf_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("text", fields.TextField(unique=False)),
                ("written_at", InstantField(generated=False, null=False, unique=False)),
            ],
            options={
                "table": "shelf_note",
                "app": "shelf",
                "indexes": [Index(fields=["shelf_id", "written_at"])],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
    ]
