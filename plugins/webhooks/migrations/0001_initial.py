from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('url', fields.CharField(max_length=2000)),
                ('description', fields.CharField(max_length=200)),
                ('events', JsonField(generated=False, null=False, unique=False)),
                ('state', fields.CharField(max_length=16)),
                ('disabled_because', fields.CharField(max_length=500)),
                ('secret', fields.CharField(max_length=100)),
                ('former_secret', fields.CharField(null=True, max_length=100)),
                ('former_until', InstantField(null=True, generated=False, unique=False)),
                ('created_by', fields.CharField(max_length=200)),
                ('created_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'webhook_endpoint', 'app': 'webhooks', 'pk_attr': 'id', 'key': ('id',)},
            bases=['Model'],
        ),
    ]
