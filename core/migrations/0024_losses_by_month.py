from tortoise import migrations
from tortoise.migrations import operations as ops

from core.store.fields import JsonField


class Migration(migrations.Migration):
    dependencies = [("core", "0023_members_by_joining")]

    initial = False

    operations = [ops.AddField(model_name="PredictionModelRow", name="losses", field=JsonField(null=True))]
