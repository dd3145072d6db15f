from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='GiftReceived',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('gift_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('giver_name', fields.CharField(max_length=128)),
                ('points', fields.BigIntField()),
                ('message', fields.CharField(max_length=200)),
                ('lots', JsonField(generated=False, null=False, unique=False)),
                ('received_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'gift_received', 'app': 'gift', 'pk_attr': 'gift_id', 'key': ('bucket', 'member_id', 'gift_id')},
            bases=['Model'],
        ),
        CreateModel(
            name='GiftSent',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('gift_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('receiver', fields.CharField(max_length=36)),
                ('receiver_name', fields.CharField(max_length=128)),
                ('points', fields.BigIntField()),
                ('message', fields.CharField(max_length=200)),
                ('is_returned', fields.BooleanField()),
                ('given_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'gift_sent', 'app': 'gift', 'pk_attr': 'gift_id', 'key': ('bucket', 'member_id', 'gift_id')},
            bases=['Model'],
        ),
    ]
