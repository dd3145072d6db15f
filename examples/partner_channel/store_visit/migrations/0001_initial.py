from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import DayField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='StoreVisitDay',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('day', DayField(primary_key=True)),
                ('taken_back', fields.BooleanField()),
            ],
            options={'table': 'store_visit_day', 'app': 'store_visit', 'pk_attr': 'day', 'key': ('bucket', 'member_id', 'day')},
            bases=['Model'],
        ),
    ]
