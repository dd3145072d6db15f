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
            name='LeaderboardFill',
            fields=[
                ('measure', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=96)),
                ('since', InstantField(generated=False, null=False, unique=False)),
                ('bucket_next', fields.IntField()),
            ],
            options={'table': 'leaderboard_fill', 'app': 'leaderboard', 'pk_attr': 'measure', 'key': ('measure',)},
            bases=['Model'],
        ),
        CreateModel(
            name='LeaderboardName',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('is_hidden', fields.BooleanField()),
                ('said_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'leaderboard_name', 'app': 'leaderboard', 'pk_attr': 'member_id', 'key': ('bucket', 'member_id')},
            bases=['Model'],
        ),
        CreateModel(
            name='LeaderboardScore',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('measure', fields.CharField(max_length=96)),
                ('period', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('score', fields.BigIntField()),
            ],
            options={'table': 'leaderboard_score', 'app': 'leaderboard', 'indexes': [Index(fields=['measure', 'period', 'score', 'member_id'])], 'pk_attr': 'period', 'key': ('bucket', 'member_id', 'measure', 'period')},
            bases=['Model'],
        ),
        CreateModel(
            name='LeaderboardWin',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('board', fields.CharField(max_length=64)),
                ('period', fields.CharField(max_length=16)),
                ('winner', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('title', fields.CharField(max_length=200)),
                ('place', fields.IntField()),
                ('score', fields.BigIntField()),
                ('state', fields.CharField(max_length=16)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('pack', JsonField(generated=False, null=False, unique=False)),
                ('coupons', JsonField(generated=False, null=False, unique=False)),
                ('won_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'leaderboard_win', 'app': 'leaderboard', 'pk_attr': 'winner', 'key': ('bucket', 'member_id', 'board', 'period', 'winner')},
            bases=['Model'],
        ),
    ]
