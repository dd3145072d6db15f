from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='BenefitEntitlement',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('period', fields.CharField(max_length=16)),
                ('benefit', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('quota', fields.IntField(null=True)),
                ('used', fields.IntField()),
                ('ends_at', InstantField(null=True, generated=False, unique=False)),
            ],
            options={'table': 'benefit_entitlement', 'app': 'benefit', 'pk_attr': 'benefit', 'key': ('bucket', 'member_id', 'period', 'benefit')},
            bases=['Model'],
        ),
        CreateModel(
            name='BenefitUse',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('use_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('benefit', fields.CharField(max_length=64)),
                ('name', fields.CharField(max_length=200)),
                ('kind', fields.CharField(max_length=32)),
                ('period', fields.CharField(max_length=16)),
                ('tier', fields.CharField(max_length=64)),
                ('number', fields.IntField()),
                ('quota', fields.IntField(null=True)),
                ('reference', fields.CharField(max_length=128)),
                ('amount', fields.BigIntField(null=True)),
                ('worth', fields.BigIntField()),
                ('used_at', InstantField(generated=False, null=False, unique=False)),
                ('undone_at', InstantField(null=True, generated=False, unique=False)),
            ],
            options={'table': 'benefit_use', 'app': 'benefit', 'pk_attr': 'use_id', 'key': ('bucket', 'member_id', 'use_id')},
            bases=['Model'],
        ),
    ]
