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
            name='Review',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('reference', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=128)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('order_reference', fields.CharField(null=True, max_length=128)),
                ('product', fields.CharField(null=True, max_length=128)),
                ('rating', fields.SmallIntField()),
                ('length', fields.IntField()),
                ('pictures', fields.SmallIntField()),
                ('status', fields.CharField(max_length=16)),
                ('quality', fields.BooleanField()),
                ('reason', fields.CharField(null=True, max_length=1000)),
                ('moderator', fields.CharField(null=True, max_length=200)),
                ('submitted_at', InstantField(generated=False, null=False, unique=False)),
                ('decided_at', InstantField(null=True, generated=False, unique=False)),
                ('approved_at', InstantField(null=True, generated=False, unique=False)),
                ('paid_at', InstantField(null=True, generated=False, unique=False)),
                ('awards', JsonField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'review', 'app': 'review', 'indexes': [Index(fields=['status', 'transaction_id'])], 'pk_attr': 'reference', 'key': ('bucket', 'member_id', 'reference')},
            bases=['Model'],
        ),
    ]
