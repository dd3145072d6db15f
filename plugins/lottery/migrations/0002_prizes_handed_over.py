from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('lottery', '0001_initial')]

    initial = False

    operations = [
        ops.AddField(
            model_name='LotteryDraw',
            name='delivered_at',
            field=InstantField(null=True, generated=False, unique=False),
        ),
        ops.AddField(
            model_name='LotteryDraw',
            name='fulfilled_at',
            field=InstantField(null=True, generated=False, unique=False),
        ),
        ops.AddField(
            model_name='LotteryDraw',
            name='note',
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.AddField(
            model_name='LotteryDraw',
            name='status',
            field=fields.CharField(null=True, max_length=16),
        ),
        ops.AddIndex(
            model_name='LotteryDraw',
            index=Index(fields=['status', 'draw_id']),
        ),
    ]
