from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='InvestmentPot',
            fields=[
                ('project', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('staked', fields.BigIntField()),
                ('waiting', fields.BigIntField()),
                ('outcome', fields.CharField(null=True, max_length=16)),
                ('settled_at', InstantField(null=True, generated=False, unique=False)),
            ],
            options={'table': 'investment_pot', 'app': 'investment', 'pk_attr': 'project'},
            bases=['Model'],
        ),
        CreateModel(
            name='Stake',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('stake_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('project', fields.CharField(max_length=64)),
                ('title', fields.CharField(max_length=200)),
                ('points', fields.BigIntField()),
                ('success', fields.CharField(max_length=16)),
                ('failure', fields.CharField(max_length=16)),
                ('state', fields.CharField(max_length=16)),
                ('paid_back', fields.BigIntField()),
                ('gained', fields.BigIntField()),
                ('staked_at', InstantField(generated=False, null=False, unique=False)),
                ('ended_at', InstantField(null=True, generated=False, unique=False)),
            ],
            options={'table': 'investment_stake', 'app': 'investment', 'indexes': [Index(fields=['project', 'state', 'stake_id'])], 'pk_attr': 'stake_id', 'key': ('bucket', 'member_id', 'stake_id')},
            bases=['Model'],
        ),
    ]
