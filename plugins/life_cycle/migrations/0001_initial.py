from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='LifeCycleEntry',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('number', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('former', fields.CharField(null=True, max_length=64)),
                ('stage', fields.CharField(max_length=64)),
                ('operation_id', fields.CharField(max_length=36)),
                ('entered_at', InstantField(generated=False, null=False, unique=False)),
                ('cause', fields.CharField(max_length=16)),
                ('pack', JsonField(generated=False, null=False, unique=False)),
                ('lots', JsonField(generated=False, null=False, unique=False)),
                ('coupons', JsonField(generated=False, null=False, unique=False)),
                ('is_taken_back', fields.BooleanField()),
            ],
            options={'table': 'life_cycle_entry', 'app': 'life_cycle', 'pk_attr': 'number', 'key': ('bucket', 'member_id', 'number')},
            bases=['Model'],
        ),
    ]
