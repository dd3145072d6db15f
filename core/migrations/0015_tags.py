from tortoise import migrations
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [("core", "0014_judgements")]

    initial = False

    operations = [
        CreateModel(
            name='MemberTagRow',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('tag', fields.CharField(max_length=64)),
                ('source', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('held', fields.BooleanField()),
                ('since', InstantField(generated=False, null=False, unique=False)),
                ('until', InstantField(null=True, generated=False, unique=False)),
                ('operation_id', fields.CharField(max_length=36)),
            ],
            options={'table': 'member_tag', 'app': 'core', 'indexes': [Index(fields=['tag', 'held', 'member_id'])], 'pk_attr': 'source', 'key': ('bucket', 'member_id', 'tag', 'source')},
            bases=['Model'],
        ),
    ]
