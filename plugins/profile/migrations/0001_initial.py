from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='ProfileSection',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('section', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('completed_at', InstantField(generated=False, null=False, unique=False)),
                ('done', fields.BooleanField()),
            ],
            options={'table': 'profile_section', 'app': 'profile', 'pk_attr': 'section', 'key': ('bucket', 'member_id', 'section')},
            bases=['Model'],
        ),
    ]
