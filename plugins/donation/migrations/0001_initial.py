from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='Donation',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('donation_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('project', fields.CharField(max_length=64)),
                ('title', fields.CharField(max_length=200)),
                ('points', fields.BigIntField()),
                ('added', fields.BigIntField()),
                ('donated_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'donation', 'app': 'donation', 'pk_attr': 'donation_id', 'key': ('bucket', 'member_id', 'donation_id')},
            bases=['Model'],
        ),
        CreateModel(
            name='DonationPot',
            fields=[
                ('project', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('donated', fields.BigIntField()),
                ('added', fields.BigIntField()),
                ('donors', fields.BigIntField()),
            ],
            options={'table': 'donation_pot', 'app': 'donation', 'pk_attr': 'project'},
            bases=['Model'],
        ),
    ]
