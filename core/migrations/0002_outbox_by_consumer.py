from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('core', '0001_initial')]

    initial = False

    operations = [
        ops.AddField(
            model_name='OutboxRow',
            name='consumer',
            field=fields.CharField(default='', db_default='', max_length=100),
        ),
        ops.AddField(
            model_name='OutboxRow',
            name='dead',
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name='OutboxRow',
            name='error',
            field=fields.CharField(default='', db_default='', max_length=500),
        ),
        ops.AddField(
            model_name='OutboxRow',
            name='event_id',
            field=fields.CharField(default='', db_default='', max_length=36),
        ),
        ops.AddField(
            model_name='OutboxRow',
            name='tries',
            field=fields.IntField(default=0, db_default=0),
        ),
        ops.AddIndex(
            model_name='OutboxRow',
            index=Index(fields=['consumer', 'dead', 'id']),
        ),
        ops.AddIndex(
            model_name='OutboxRow',
            index=Index(fields=['consumer', 'leased_until']),
        ),
    ]
