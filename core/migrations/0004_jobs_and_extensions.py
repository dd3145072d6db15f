from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("core", "0003_audit_and_api_keys")]

    initial = False

    operations = [
        CreateModel(
            name="ExtensionRow",
            fields=[
                ("bucket", fields.SmallIntField()),
                ("member_id", fields.CharField(max_length=36)),
                ("unit", fields.CharField(max_length=32)),
                ("expires_at", InstantField(generated=False, null=False, unique=False)),
                ("lot_first", fields.BigIntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ("lot_last", fields.BigIntField()),
                ("former", InstantField(generated=False, null=False, unique=False)),
                ("cause", fields.CharField(max_length=16)),
                ("operation_id", fields.CharField(max_length=36)),
            ],
            options={
                "table": "lot_extension",
                "app": "core",
                "pk_attr": "lot_first",
                "key": ("bucket", "member_id", "unit", "expires_at", "lot_first"),
            },
            bases=["Model"],
        ),
        CreateModel(
            name="JobRow",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=100)),
                ("next_at", InstantField(generated=False, null=False, unique=False)),
                ("started_at", InstantField(null=True, generated=False, unique=False)),
                ("finished_at", InstantField(null=True, generated=False, unique=False)),
                ("succeeded_at", InstantField(null=True, generated=False, unique=False)),
                ("owner", fields.CharField(null=True, max_length=36)),
                ("leased_until", InstantField(null=True, generated=False, unique=False)),
                ("runs", fields.BigIntField(default=0)),
                ("failures", fields.BigIntField(default=0)),
                ("failures_in_a_row", fields.IntField(default=0)),
                ("done", fields.BigIntField(default=0)),
                ("error", fields.CharField(null=True, max_length=500)),
            ],
            options={"table": "job", "app": "core", "pk_attr": "name"},
            bases=["Model"],
        ),
        ops.AddField(
            model_name="LotRow",
            name="fixed",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddIndex(
            model_name="LotRow",
            index=Index(fields=["expires_at", "bucket"]),
        ),
    ]
