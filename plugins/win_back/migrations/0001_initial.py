from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='WinBackGift',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('day', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('points', fields.BigIntField()),
                ('lots', JsonField(generated=False, null=False, unique=False)),
                ('is_taken_back', fields.BooleanField()),
                ('given_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'win_back_gift', 'app': 'win_back', 'pk_attr': 'day', 'key': ('bucket', 'member_id', 'day')},
            bases=['Model'],
        ),
    ]
