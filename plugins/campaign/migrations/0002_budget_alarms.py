from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("campaign", "0001_initial")]

    initial = False

    operations = [
        ops.AddField(model_name="CampaignBudget", name="low_told", field=fields.BigIntField(null=True)),
        ops.AddField(model_name="CampaignBudget", name="exhausted_told", field=fields.BigIntField(null=True)),
    ]
