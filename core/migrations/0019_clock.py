from tortoise import migrations
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [("core", "0018_predictions")]

    initial = False

    operations = [
        CreateModel(
            name='ClockRow',
            fields=[
                ('id', fields.SmallIntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('is_sandbox', fields.BooleanField()),
                ('ahead', fields.BigIntField(default=0)),
                ('moving_to', InstantField(null=True, generated=False, unique=False)),
                ('owner', fields.CharField(null=True, max_length=36)),
                ('leased_until', InstantField(null=True, generated=False, unique=False)),
            ],
            options={'table': 'clock', 'app': 'core', 'pk_attr': 'id'},
            bases=['Model'],
        ),
    ]
