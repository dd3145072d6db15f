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
            name='GroupMembership',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('name', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('title', fields.CharField(max_length=200)),
                ('state', fields.CharField(max_length=16)),
                ('note', fields.CharField(null=True, max_length=500)),
                ('reason', fields.CharField(null=True, max_length=1000)),
                ('joined_at', InstantField(null=True, generated=False, unique=False)),
                ('ends_at', InstantField(null=True, generated=False, unique=False)),
                ('changed_at', InstantField(generated=False, null=False, unique=False)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('merged_from', fields.CharField(max_length=36)),
            ],
            options={'table': 'group_membership', 'app': 'group', 'indexes': [Index(fields=['name', 'state', 'transaction_id', 'member_id']), Index(fields=['state', 'ends_at'])], 'pk_attr': 'name', 'key': ('bucket', 'member_id', 'name')},
            bases=['Model'],
        ),
    ]
