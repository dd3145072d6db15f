from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [("core", "0007_liability")]

    initial = False

    operations = [
        CreateModel(
            name='MergeRow',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('merge_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('other', fields.CharField(max_length=36)),
                ('outgoing', fields.BooleanField()),
                ('state', fields.CharField(max_length=16)),
                ('tier_former', fields.CharField(null=True, max_length=64)),
                ('tier_gained', fields.CharField(null=True, max_length=64)),
                ('merged_at', InstantField(generated=False, null=False, unique=False)),
                ('undone_at', InstantField(null=True, generated=False, unique=False)),
            ],
            options={'table': 'member_merge', 'app': 'core', 'pk_attr': 'merge_id', 'key': ('bucket', 'member_id', 'merge_id')},
            bases=['Model'],
        ),
        CreateModel(
            name='MergeStandingRow',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('merged_into', fields.CharField(null=True, max_length=36)),
            ],
            options={'table': 'merge_standing', 'app': 'core', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        CreateModel(
            name='MergedLotRow',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('transfer_id', fields.CharField(max_length=40)),
                ('unit', fields.CharField(max_length=32)),
                ('lot_seq', fields.BigIntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('merge_id', fields.CharField(max_length=36)),
                ('arrived', fields.BooleanField()),
                ('other_seq', fields.BigIntField()),
                ('amount', fields.BigIntField()),
                ('source', fields.CharField(max_length=64)),
                ('earned_at', InstantField(generated=False, null=False, unique=False)),
                ('available_from', InstantField(generated=False, null=False, unique=False)),
                ('expires_at', InstantField(null=True, generated=False, unique=False)),
                ('fixed', fields.BooleanField()),
            ],
            options={'table': 'merged_lot', 'app': 'core', 'indexes': [Index(fields=['bucket', 'member_id', 'merge_id'])], 'pk_attr': 'lot_seq', 'key': ('bucket', 'member_id', 'transfer_id', 'unit', 'lot_seq')},
            bases=['Model'],
        ),
        CreateModel(
            name='MergedTallyRow',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('transfer_id', fields.CharField(max_length=40)),
                ('name', fields.CharField(max_length=96)),
                ('day', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('merge_id', fields.CharField(max_length=36)),
                ('arrived', fields.BooleanField()),
                ('amount', fields.BigIntField()),
            ],
            options={'table': 'merged_tally', 'app': 'core', 'indexes': [Index(fields=['bucket', 'member_id', 'merge_id'])], 'pk_attr': 'day', 'key': ('bucket', 'member_id', 'transfer_id', 'name', 'day')},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='MemberRow',
            name='erased_at',
            field=InstantField(null=True, generated=False, unique=False),
        ),
        ops.AddField(
            model_name='MemberRow',
            name='merged_into',
            field=fields.CharField(null=True, max_length=36),
        ),
    ]
