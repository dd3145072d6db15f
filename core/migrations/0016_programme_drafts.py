from tortoise import migrations
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [("core", "0015_tags")]

    initial = False

    operations = [
        CreateModel(
            name='ProgrammeDraftRow',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('title', fields.CharField(max_length=200)),
                ('document', fields.TextField(unique=False)),
                ('based_on', fields.IntField(null=True)),
                ('revision', fields.IntField()),
                ('state', fields.CharField(max_length=16)),
                ('author', fields.CharField(max_length=200)),
                ('editor', fields.CharField(max_length=200)),
                ('editors', JsonField(generated=False, null=False, unique=False)),
                ('created_at', InstantField(generated=False, null=False, unique=False)),
                ('edited_at', InstantField(generated=False, null=False, unique=False)),
                ('proposer', fields.CharField(null=True, max_length=200)),
                ('proposed_at', InstantField(null=True, generated=False, unique=False)),
                ('proposed_reason', fields.CharField(null=True, max_length=1000)),
                ('proposed_start', InstantField(null=True, generated=False, unique=False)),
                ('version', fields.IntField(null=True)),
                ('ended_by', fields.CharField(null=True, max_length=200)),
                ('ended_at', InstantField(null=True, generated=False, unique=False)),
            ],
            options={'table': 'programme_draft', 'app': 'core', 'indexes': [Index(fields=['state', 'id'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
    ]
