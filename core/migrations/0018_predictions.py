from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import DayField, InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('core', '0017_daily_aggregates')]

    initial = False

    operations = [
        CreateModel(
            name='PredictionModelRow',
            fields=[
                ('id', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('made_at', InstantField(generated=False, null=False, unique=False)),
                ('until', DayField(generated=False, null=False, unique=False)),
                ('members', fields.IntField()),
                ('repeaters', fields.IntField()),
                ('redeemers', fields.IntField()),
                ('refused', fields.CharField(null=True, max_length=200)),
                ('redeeming_refused', fields.CharField(null=True, max_length=200)),
                ('parameters', JsonField(generated=False, null=False, unique=False)),
                ('judged', JsonField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'prediction_model', 'app': 'core', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        CreateModel(
            name='PredictionRow',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('model', fields.IntField()),
                ('until', DayField(generated=False, null=False, unique=False)),
                ('repeats', fields.IntField()),
                ('recency_days', fields.IntField()),
                ('age_days', fields.IntField()),
                ('average', fields.BigIntField()),
                ('redemptions', fields.IntField()),
                ('gone', fields.IntField()),
                ('orders', fields.BigIntField()),
                ('spend', fields.BigIntField()),
                ('due', fields.BigIntField()),
                ('lost', fields.BigIntField()),
            ],
            options={'table': 'prediction', 'app': 'core', 'indexes': [Index(fields=['gone', 'member_id']), Index(fields=['spend', 'member_id']), Index(fields=['lost', 'member_id'])], 'pk_attr': 'member_id', 'key': ('bucket', 'member_id')},
            bases=['Model'],
        ),
    ]
