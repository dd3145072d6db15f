from tortoise import fields, migrations
from tortoise.indexes import Index

from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel


class Migration(migrations.Migration):
    dependencies = [("core", "0021_rules_in_aggregates")]

    initial = False

    operations = [
        CreateModel(
            name="GuestOrderRow",
            fields=[
                ("reference", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=128)),
                ("day", fields.IntField()),
                ("customer", fields.CharField(null=True, max_length=64)),
                ("orders", fields.SmallIntField()),
                ("paid", fields.BigIntField()),
                ("amount", fields.BigIntField()),
                ("currency", fields.CharField(max_length=3)),
                ("status", fields.CharField(max_length=16)),
                ("occurred_at", InstantField(generated=False, null=False, unique=False)),
                ("recorded_at", InstantField(generated=False, null=False, unique=False)),
                ("actor", fields.CharField(max_length=200)),
                ("refunds", JsonField(generated=False, null=False, unique=False)),
            ],
            options={
                "table": "guest_order",
                "app": "core",
                "indexes": [Index(fields=["day", "customer", "orders"]), Index(fields=["customer"])],
                "pk_attr": "reference",
            },
            bases=["Model"],
        ),
    ]
