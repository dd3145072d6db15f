from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='PurchaseOrder',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('reference', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=128)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('programme_version', fields.IntField()),
                ('currency', fields.CharField(max_length=3)),
                ('occurred_at', InstantField(generated=False, null=False, unique=False)),
                ('kind', fields.CharField(null=True, max_length=64)),
                ('category', fields.CharField(null=True, max_length=64)),
                ('amount', fields.BigIntField()),
                ('amount_left', fields.BigIntField()),
                ('points', fields.BigIntField()),
                ('points_amount', fields.BigIntField()),
                ('points_back', fields.BigIntField()),
                ('status', fields.CharField(max_length=16)),
                ('items', JsonField(generated=False, null=False, unique=False)),
                ('facts', JsonField(generated=False, null=False, unique=False)),
                ('awards', JsonField(generated=False, null=False, unique=False)),
                ('refunds', JsonField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'purchase_order', 'app': 'purchase', 'pk_attr': 'reference', 'key': ('bucket', 'member_id', 'reference')},
            bases=['Model'],
        ),
    ]
