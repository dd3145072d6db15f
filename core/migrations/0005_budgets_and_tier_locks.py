from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('core', '0004_jobs_and_extensions')]

    initial = False

    operations = [
        CreateModel(
            name='BudgetRow',
            fields=[
                ('name', fields.CharField(max_length=160)),
                ('period', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=10)),
                ('used', fields.BigIntField()),
            ],
            options={'table': 'budget', 'app': 'core', 'pk_attr': 'period', 'key': ('name', 'period')},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='MemberRow',
            name='tier_lock',
            field=fields.CharField(null=True, max_length=64),
        ),
        ops.AddField(
            model_name='MemberRow',
            name='tier_lock_until',
            field=InstantField(null=True, generated=False, unique=False),
        ),
    ]
