from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("core", "0005_budgets_and_tier_locks")]

    initial = False

    operations = [
        CreateModel(
            name="FlagRow",
            fields=[
                ("bucket", fields.SmallIntField()),
                ("member_id", fields.CharField(max_length=36)),
                ("number", fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ("id", fields.CharField(max_length=36)),
                ("channel", fields.CharField(max_length=64)),
                ("more_than", fields.IntField()),
                ("within_minutes", fields.IntField()),
                ("holds", fields.BooleanField()),
                ("state", fields.CharField(max_length=16)),
                ("operations", JsonField(generated=False, null=False, unique=False)),
                ("lots", JsonField(generated=False, null=False, unique=False)),
                ("raised_at", InstantField(generated=False, null=False, unique=False)),
                ("decided_at", InstantField(null=True, generated=False, unique=False)),
                ("decided_by", fields.CharField(null=True, max_length=200)),
                ("reason", fields.CharField(null=True, max_length=1000)),
            ],
            options={
                "table": "flag",
                "app": "core",
                "indexes": [Index(fields=["id"]), Index(fields=["state", "id"])],
                "pk_attr": "number",
                "key": ("bucket", "member_id", "number"),
            },
            bases=["Model"],
        ),
        CreateModel(
            name="NoticeRow",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ("title", fields.CharField(max_length=200)),
                ("text", fields.CharField(max_length=4000)),
                ("starts_at", InstantField(generated=False, null=False, unique=False)),
                ("ends_at", InstantField(null=True, generated=False, unique=False)),
                ("author", fields.CharField(max_length=200)),
                ("published_at", InstantField(generated=False, null=False, unique=False)),
            ],
            options={
                "table": "notice",
                "app": "core",
                "indexes": [Index(fields=["ends_at", "starts_at"])],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        CreateModel(
            name="PaceRow",
            fields=[
                ("bucket", fields.SmallIntField()),
                ("member_id", fields.CharField(max_length=36)),
                ("channel", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("recent", JsonField(generated=False, null=False, unique=False)),
            ],
            options={"table": "pace", "app": "core", "pk_attr": "channel", "key": ("bucket", "member_id", "channel")},
            bases=["Model"],
        ),
        ops.AddField(
            model_name="MemberRow",
            name="frozen",
            field=fields.CharField(null=True, max_length=16),
        ),
        ops.AddField(
            model_name="MemberRow",
            name="frozen_until",
            field=InstantField(null=True, generated=False, unique=False),
        ),
    ]
