from tortoise import migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [('rewards', '0001_initial')]

    initial = False

    operations = [
        ops.RemoveField(model_name='RewardCode', name='order_id'),
    ]
