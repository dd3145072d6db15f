from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('core', '0002_outbox_by_consumer')]

    initial = False

    operations = [
        CreateModel(
            name='ApiKeyRow',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('digest', fields.CharField(unique=True, max_length=64)),
                ('hint', fields.CharField(max_length=16)),
                ('name', fields.CharField(max_length=150)),
                ('role', fields.CharField(max_length=16)),
                ('channels', JsonField(generated=False, null=False, unique=False)),
                ('capabilities', JsonField(generated=False, null=False, unique=False)),
                ('created_at', InstantField(generated=False, null=False, unique=False)),
                ('created_by', fields.CharField(max_length=200)),
                ('expires_at', InstantField(null=True, generated=False, unique=False)),
                ('revoked_at', InstantField(null=True, generated=False, unique=False)),
                ('used_at', InstantField(null=True, generated=False, unique=False)),
                ('replaces', fields.CharField(null=True, max_length=36)),
            ],
            options={'table': 'api_key', 'app': 'core', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        CreateModel(
            name='AuditRow',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('number', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('id', fields.CharField(max_length=36)),
                ('mutation', fields.CharField(max_length=100)),
                ('actor', fields.CharField(max_length=200)),
                ('reason', fields.CharField(null=True, max_length=1000)),
                ('request_id', fields.CharField(max_length=100)),
                ('operation_id', fields.CharField(null=True, max_length=36)),
                ('state_before', JsonField(generated=False, null=False, unique=False)),
                ('state_after', JsonField(generated=False, null=False, unique=False)),
                ('recorded_at', InstantField(generated=False, null=False, unique=False)),
                ('digest', fields.CharField(max_length=64)),
            ],
            options={'table': 'audit', 'app': 'core', 'indexes': [Index(fields=['id']), Index(fields=['actor', 'id']), Index(fields=['mutation', 'id']), Index(fields=['recorded_at'])], 'pk_attr': 'number', 'key': ('bucket', 'member_id', 'number')},
            bases=['Model'],
        ),
    ]
