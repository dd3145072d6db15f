from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from core.store.fields import JsonField


class Migration(migrations.Migration):
    dependencies = [("core", "0012_remedies")]

    initial = False

    operations = [
        ops.AddField(model_name="TierChangeRow", name="version", field=fields.IntField(null=True)),
        ops.AddField(
            model_name="TierChangeRow",
            name="grounds",
            field=JsonField(null=True, generated=False, unique=False),
        ),
    ]
