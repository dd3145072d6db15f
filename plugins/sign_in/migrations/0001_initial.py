from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='SignInMonth',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('month', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('days', fields.IntField()),
                ('made_up', fields.IntField()),
            ],
            options={'table': 'sign_in_month', 'app': 'sign_in', 'pk_attr': 'month', 'key': ('bucket', 'member_id', 'month')},
            bases=['Model'],
        ),
    ]
