from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import DayField, InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='BadgeHeld',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('badge', fields.CharField(max_length=64)),
                ('level', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('title', fields.CharField(max_length=200)),
                ('state', fields.CharField(max_length=16)),
                ('reached_on', DayField(generated=False, null=False, unique=False)),
                ('given_at', InstantField(generated=False, null=False, unique=False)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('pack', JsonField(generated=False, null=False, unique=False)),
                ('lots', JsonField(generated=False, null=False, unique=False)),
                ('coupons', JsonField(generated=False, null=False, unique=False)),
                ('merged_from', fields.CharField(max_length=36)),
            ],
            options={'table': 'badge_held', 'app': 'badge', 'pk_attr': 'level', 'key': ('bucket', 'member_id', 'badge', 'level')},
            bases=['Model'],
        ),
        CreateModel(
            name='BadgeStanding',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('terms', fields.CharField(max_length=64)),
            ],
            options={'table': 'badge_standing', 'app': 'badge', 'pk_attr': 'member_id', 'key': ('bucket', 'member_id')},
            bases=['Model'],
        ),
        CreateModel(
            name='BadgeSweep',
            fields=[
                ('terms', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('bucket_next', fields.IntField()),
            ],
            options={'table': 'badge_sweep', 'app': 'badge', 'pk_attr': 'terms', 'key': ('terms',)},
            bases=['Model'],
        ),
    ]
