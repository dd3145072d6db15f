from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='TierGift',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('tier', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('pack', JsonField(generated=False, null=False, unique=False)),
                ('coupons', JsonField(generated=False, null=False, unique=False)),
                ('given_at', InstantField(generated=False, null=False, unique=False)),
                ('is_taken_back', fields.BooleanField()),
            ],
            options={'table': 'tier_gift', 'app': 'tier_gift', 'pk_attr': 'tier', 'key': ('bucket', 'member_id', 'tier')},
            bases=['Model'],
        ),
    ]
