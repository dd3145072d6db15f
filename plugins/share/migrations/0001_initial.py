from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='Share',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('item', fields.CharField(max_length=128)),
                ('day', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('programme_version', fields.IntField()),
                ('status', fields.CharField(max_length=16)),
                ('code', fields.CharField(null=True, max_length=16)),
                ('visitor', fields.CharField(null=True, max_length=128)),
                ('shared_at', InstantField(generated=False, null=False, unique=False)),
                ('expires_at', InstantField(null=True, generated=False, unique=False)),
                ('rewarded_at', InstantField(null=True, generated=False, unique=False)),
                ('rewarded_by', fields.CharField(null=True, max_length=36)),
            ],
            options={'table': 'share', 'app': 'share', 'indexes': [Index(fields=['code'])], 'pk_attr': 'day', 'key': ('bucket', 'member_id', 'item', 'day')},
            bases=['Model'],
        ),
    ]
