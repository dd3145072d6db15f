from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='QuestEvent',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('event', fields.CharField(max_length=64)),
                ('day', fields.IntField()),
                ('object', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=128)),
            ],
            options={'table': 'quest_event', 'app': 'quest', 'pk_attr': 'object', 'key': ('bucket', 'member_id', 'event', 'day', 'object')},
            bases=['Model'],
        ),
        CreateModel(
            name='QuestResult',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('quest', fields.CharField(max_length=64)),
                ('period', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('state', fields.CharField(max_length=16)),
                ('points', fields.BigIntField()),
                ('lots', JsonField(generated=False, null=False, unique=False)),
                ('paid_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'quest_result', 'app': 'quest', 'pk_attr': 'period', 'key': ('bucket', 'member_id', 'quest', 'period')},
            bases=['Model'],
        ),
    ]
