from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='LotteryDraw',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('draw_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('pool', fields.CharField(max_length=64)),
                ('number', fields.BigIntField()),
                ('period', fields.CharField(max_length=64)),
                ('programme_version', fields.IntField()),
                ('roll', fields.BigIntField()),
                ('total', fields.BigIntField()),
                ('landed', fields.CharField(max_length=64)),
                ('prize', fields.CharField(max_length=64)),
                ('name', fields.CharField(max_length=200)),
                ('kind', fields.CharField(max_length=16)),
                ('points', fields.BigIntField()),
                ('because', fields.CharField(max_length=16)),
                ('counted', fields.BooleanField()),
                ('reversed', fields.BooleanField()),
                ('drawn_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'lottery_draw', 'app': 'lottery', 'pk_attr': 'draw_id', 'key': ('bucket', 'member_id', 'draw_id')},
            bases=['Model'],
        ),
        CreateModel(
            name='LotteryGiven',
            fields=[
                ('pool', fields.CharField(max_length=64)),
                ('prize', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('given', fields.BigIntField()),
            ],
            options={'table': 'lottery_given', 'app': 'lottery', 'pk_attr': 'prize', 'key': ('pool', 'prize')},
            bases=['Model'],
        ),
        CreateModel(
            name='LotteryPlayer',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('pool', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('draws', fields.BigIntField()),
                ('without_prize', fields.BigIntField()),
            ],
            options={'table': 'lottery_player', 'app': 'lottery', 'pk_attr': 'pool', 'key': ('bucket', 'member_id', 'pool')},
            bases=['Model'],
        ),
        CreateModel(
            name='LotterySeed',
            fields=[
                ('pool', fields.CharField(max_length=64)),
                ('period', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('seed', fields.CharField(max_length=64)),
                ('commitment', fields.CharField(max_length=64)),
                ('starts_at', InstantField(generated=False, null=False, unique=False)),
                ('ends_at', InstantField(generated=False, null=False, unique=False)),
                ('committed_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'lottery_seed', 'app': 'lottery', 'pk_attr': 'period', 'key': ('pool', 'period')},
            bases=['Model'],
        ),
    ]
