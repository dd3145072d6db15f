from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import DayField, InstantField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='BirthdayGift',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('year', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('birthday', DayField(generated=False, null=False, unique=False)),
                ('points', fields.BigIntField()),
                ('transaction_id', fields.CharField(max_length=36)),
                ('given_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'birthday_gift', 'app': 'birthday', 'pk_attr': 'year', 'key': ('bucket', 'member_id', 'year')},
            bases=['Model'],
        ),
        CreateModel(
            name='BirthdayKnown',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('number', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('birthday', DayField(generated=False, null=False, unique=False)),
                ('month_day', fields.IntField()),
                ('since', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'birthday_known', 'app': 'birthday', 'indexes': [Index(fields=['month_day'])], 'pk_attr': 'number', 'key': ('bucket', 'member_id', 'number')},
            bases=['Model'],
        ),
    ]
