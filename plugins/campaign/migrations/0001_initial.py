from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='CampaignBonus',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('reference', fields.CharField(max_length=128)),
                ('campaign', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('occurred_at', InstantField(generated=False, null=False, unique=False)),
                ('worth', fields.BigIntField()),
                ('given', fields.BigIntField()),
                ('kept', fields.BigIntField()),
                ('budgeted', fields.BooleanField()),
                ('cut', JsonField(generated=False, null=False, unique=False)),
                ('room', JsonField(generated=False, null=False, unique=False)),
                ('lots', JsonField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'campaign_bonus', 'app': 'campaign', 'pk_attr': 'campaign', 'key': ('bucket', 'member_id', 'reference', 'campaign')},
            bases=['Model'],
        ),
        CreateModel(
            name='CampaignBudget',
            fields=[
                ('campaign', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('used', fields.BigIntField()),
            ],
            options={'table': 'campaign_budget', 'app': 'campaign', 'pk_attr': 'campaign'},
            bases=['Model'],
        ),
    ]
