from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.migrations.constraints import UniqueConstraint

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='RewardCode',
            fields=[
                ('reward', fields.CharField(max_length=64)),
                ('number', fields.BigIntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('code', fields.CharField(max_length=64)),
                ('order_id', fields.CharField(null=True, max_length=36)),
            ],
            options={'table': 'reward_code', 'app': 'rewards', 'constraints': [UniqueConstraint(fields=('reward', 'code'), name='reward_code_given_once')], 'pk_attr': 'number', 'key': ('reward', 'number')},
            bases=['Model'],
        ),
        CreateModel(
            name='RewardDelivery',
            fields=[
                ('idempotency_key', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=200)),
                ('request_hash', fields.CharField(max_length=64)),
                ('reward', fields.CharField(max_length=64)),
                ('quantity', fields.BigIntField()),
                ('stock_left', fields.BigIntField()),
                ('actor', fields.CharField(max_length=200)),
                ('recorded_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'reward_delivery', 'app': 'rewards', 'pk_attr': 'idempotency_key'},
            bases=['Model'],
        ),
        CreateModel(
            name='RewardOrder',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('order_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('reward', fields.CharField(max_length=64)),
                ('name', fields.CharField(max_length=200)),
                ('kind', fields.CharField(max_length=16)),
                ('quantity', fields.IntField()),
                ('price', fields.BigIntField()),
                ('points', fields.BigIntField()),
                ('counted', fields.BooleanField()),
                ('codes', JsonField(generated=False, null=False, unique=False)),
                ('status', fields.CharField(max_length=16)),
                ('note', fields.CharField(null=True, max_length=200)),
                ('requested_at', InstantField(generated=False, null=False, unique=False)),
                ('fulfilled_at', InstantField(null=True, generated=False, unique=False)),
                ('delivered_at', InstantField(null=True, generated=False, unique=False)),
                ('cancelled_at', InstantField(null=True, generated=False, unique=False)),
            ],
            options={'table': 'reward_order', 'app': 'rewards', 'pk_attr': 'order_id', 'key': ('bucket', 'member_id', 'order_id')},
            bases=['Model'],
        ),
        CreateModel(
            name='RewardStock',
            fields=[
                ('reward', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('stock_left', fields.BigIntField()),
                ('next_code', fields.BigIntField()),
                ('last_code', fields.BigIntField()),
                ('returned', JsonField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'reward_stock', 'app': 'rewards', 'pk_attr': 'reward'},
            bases=['Model'],
        ),
    ]
