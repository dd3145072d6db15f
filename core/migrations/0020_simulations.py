from tortoise import migrations
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [("core", "0019_clock")]

    initial = False

    operations = [
        CreateModel(
            name='SimulationRow',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('state', fields.CharField(max_length=16)),
                ('place', fields.CharField(null=True, unique=True, max_length=16)),
                ('document', fields.TextField(unique=False)),
                ('digest', fields.CharField(max_length=64)),
                ('since', InstantField(generated=False, null=False, unique=False)),
                ('until', InstantField(generated=False, null=False, unique=False)),
                ('step', fields.CharField(max_length=16)),
                ('done', fields.BigIntField()),
                ('total', fields.BigIntField()),
                ('result', JsonField(null=True, generated=False, unique=False)),
                ('error', fields.CharField(null=True, max_length=500)),
                ('actor', fields.CharField(max_length=200)),
                ('reason', fields.CharField(null=True, max_length=1000)),
                ('started_at', InstantField(generated=False, null=False, unique=False)),
                ('finished_at', InstantField(null=True, generated=False, unique=False)),
                ('leased_until', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'simulation', 'app': 'core', 'indexes': [Index(fields=['state', 'leased_until'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
    ]
