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
            name='MemberMessage',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('message_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('message', fields.CharField(max_length=64)),
                ('event', fields.CharField(max_length=64)),
                ('topic', fields.CharField(max_length=64)),
                ('carrier', fields.CharField(max_length=64)),
                ('locale', fields.CharField(null=True, max_length=40)),
                ('state', fields.CharField(max_length=16)),
                ('reason', fields.CharField(null=True, max_length=500)),
                ('is_marketing', fields.BooleanField()),
                ('queued_at', InstantField(generated=False, null=False, unique=False)),
                ('sent_at', InstantField(null=True, generated=False, unique=False)),
            ],
            options={'table': 'member_message', 'app': 'message', 'indexes': [Index(fields=['queued_at'])], 'pk_attr': 'message_id', 'key': ('bucket', 'member_id', 'message_id')},
            bases=['Model'],
        ),
        CreateModel(
            name='MessageMark',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('name', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('stretch', fields.IntField()),
            ],
            options={'table': 'message_mark', 'app': 'message', 'pk_attr': 'name', 'key': ('bucket', 'member_id', 'name')},
            bases=['Model'],
        ),
        CreateModel(
            name='MessagePreferences',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('number', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('locale', fields.CharField(null=True, max_length=40)),
                ('timezone', fields.CharField(null=True, max_length=64)),
                ('topics', JsonField(generated=False, null=False, unique=False)),
                ('carriers', JsonField(generated=False, null=False, unique=False)),
                ('addresses', JsonField(generated=False, null=False, unique=False)),
                ('updated_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'message_preferences', 'app': 'message', 'pk_attr': 'number', 'key': ('bucket', 'member_id', 'number')},
            bases=['Model'],
        ),
    ]
