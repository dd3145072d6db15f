from tortoise import migrations
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [("core", "0013_grounds_of_tiers")]

    initial = False

    operations = [
        CreateModel(
            name='JudgementRow',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('channel', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('number', fields.IntField()),
                ('due_at', InstantField(null=True, generated=False, unique=False)),
                ('version', fields.IntField()),
                ('quiet', fields.BooleanField(default=False, db_default=False)),
            ],
            options={'table': 'judgement', 'app': 'core', 'indexes': [Index(fields=['due_at'])], 'pk_attr': 'channel', 'key': ('bucket', 'member_id', 'channel')},
            bases=['Model'],
        ),
    ]
