from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='Coupon',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('coupon_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('coupon', fields.CharField(max_length=64)),
                ('name', fields.CharField(max_length=200)),
                ('code', fields.CharField(max_length=16)),
                ('terms', JsonField(generated=False, null=False, unique=False)),
                ('occasion', fields.CharField(max_length=200)),
                ('issued_at', InstantField(generated=False, null=False, unique=False)),
                ('expires_at', InstantField(null=True, generated=False, unique=False)),
                ('used_at', InstantField(null=True, generated=False, unique=False)),
                ('order_reference', fields.CharField(null=True, max_length=128)),
                ('discount', fields.BigIntField()),
                ('withdrawn_at', InstantField(null=True, generated=False, unique=False)),
            ],
            options={'table': 'coupon', 'app': 'coupon', 'indexes': [Index(fields=['code'])], 'pk_attr': 'coupon_id', 'key': ('bucket', 'member_id', 'coupon_id')},
            bases=['Model'],
        ),
    ]
