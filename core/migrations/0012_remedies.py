from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [("core", "0011_redemption_cost")]

    initial = False

    operations = [
        CreateModel(
            name='RemedyItemRow',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('remedy_id', fields.CharField(max_length=36)),
                ('member', fields.CharField(max_length=36)),
                ('transaction_id', fields.CharField(null=True, max_length=36)),
                ('state', fields.CharField(max_length=16)),
                ('points', fields.BigIntField()),
                ('result_id', fields.CharField(null=True, max_length=36)),
                ('code', fields.CharField(null=True, max_length=64)),
                ('message', fields.CharField(null=True, max_length=500)),
            ],
            options={'table': 'remedy_item', 'app': 'core', 'indexes': [Index(fields=['remedy_id', 'state', 'id']), Index(fields=['remedy_id', 'id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
        CreateModel(
            name='RemedyRow',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('idempotency_key', fields.CharField(unique=True, max_length=200)),
                ('request_hash', fields.CharField(max_length=64)),
                ('kind', fields.CharField(max_length=16)),
                ('state', fields.CharField(max_length=16)),
                ('selection', JsonField(generated=False, null=False, unique=False)),
                ('points', fields.BigIntField()),
                ('items', fields.IntField()),
                ('reason', fields.CharField(max_length=1000)),
                ('actor', fields.CharField(max_length=200)),
                ('mutation', fields.CharField(max_length=100)),
                ('request_id', fields.CharField(max_length=100)),
                ('created_at', InstantField(generated=False, null=False, unique=False)),
                ('started_at', InstantField(null=True, generated=False, unique=False)),
                ('finished_at', InstantField(null=True, generated=False, unique=False)),
            ],
            options={'table': 'remedy', 'app': 'core', 'indexes': [Index(fields=['state', 'id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
    ]
