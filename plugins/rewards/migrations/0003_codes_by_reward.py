from tortoise import migrations
from core.store.operations import RestoreKey
from tortoise.migrations.constraints import UniqueConstraint

class Migration(migrations.Migration):
    dependencies = [('rewards', '0002_codes_without_orders')]

    initial = False

    operations = [
        RestoreKey(
            name='RewardCode',
            options={'constraints': [UniqueConstraint(fields=('reward', 'code'), name='reward_code_given_once')], 'key': ('reward', 'number')},
        ),
    ]
