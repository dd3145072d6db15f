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
            name='Ambassador',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('state', fields.CharField(max_length=16)),
                ('note', fields.CharField(null=True, max_length=500)),
                ('reason', fields.CharField(null=True, max_length=1000)),
                ('appointed_at', InstantField(null=True, generated=False, unique=False)),
                ('changed_at', InstantField(generated=False, null=False, unique=False)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('orders', fields.IntField()),
                ('points', fields.BigIntField()),
            ],
            options={'table': 'ambassador', 'app': 'ambassador', 'indexes': [Index(fields=['state', 'transaction_id', 'member_id'])], 'pk_attr': 'member_id', 'key': ('bucket', 'member_id')},
            bases=['Model'],
        ),
        CreateModel(
            name='AmbassadorCommission',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('friend', fields.CharField(max_length=36)),
                ('reference', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=128)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('version', fields.IntField()),
                ('tier', fields.CharField(max_length=64)),
                ('given', fields.BigIntField()),
                ('points', fields.BigIntField()),
                ('lots', JsonField(generated=False, null=False, unique=False)),
                ('state', fields.CharField(max_length=16)),
                ('given_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'ambassador_commission', 'app': 'ambassador', 'pk_attr': 'reference', 'key': ('bucket', 'member_id', 'friend', 'reference')},
            bases=['Model'],
        ),
        CreateModel(
            name='AmbassadorFriend',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('ambassador', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('brought_at', InstantField(generated=False, null=False, unique=False)),
                ('waiting', fields.CharField(null=True, max_length=128)),
                ('paid', fields.BigIntField()),
                ('version', fields.IntField()),
            ],
            options={'table': 'ambassador_friend', 'app': 'ambassador', 'pk_attr': 'ambassador', 'key': ('bucket', 'member_id', 'ambassador')},
            bases=['Model'],
        ),
    ]
