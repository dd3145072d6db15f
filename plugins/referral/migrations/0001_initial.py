from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='ReferralCode',
            fields=[
                ('code', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ('inviter', fields.CharField(max_length=36)),
                ('expires_at', InstantField(null=True, generated=False, unique=False)),
                ('invited', fields.IntField()),
                ('month', fields.IntField()),
                ('in_month', fields.IntField()),
            ],
            options={'table': 'referral_code', 'app': 'referral', 'indexes': [Index(fields=['inviter'])], 'pk_attr': 'code'},
            bases=['Model'],
        ),
        CreateModel(
            name='ReferralInvitation',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('code', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ('inviter', fields.CharField(max_length=36)),
                ('accepted_at', InstantField(generated=False, null=False, unique=False)),
                ('state', fields.CharField(max_length=16)),
                ('reference', fields.CharField(null=True, max_length=128)),
                ('points', fields.BigIntField()),
                ('lots', JsonField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'referral_invitation', 'app': 'referral', 'pk_attr': 'code', 'key': ('bucket', 'member_id', 'code')},
            bases=['Model'],
        ),
        CreateModel(
            name='ReferralReward',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('invitee', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('transaction_id', fields.CharField(max_length=36)),
                ('points', fields.BigIntField()),
                ('lots', JsonField(generated=False, null=False, unique=False)),
                ('rewarded_at', InstantField(generated=False, null=False, unique=False)),
                ('is_taken_back', fields.BooleanField()),
            ],
            options={'table': 'referral_reward', 'app': 'referral', 'pk_attr': 'invitee', 'key': ('bucket', 'member_id', 'invitee')},
            bases=['Model'],
        ),
    ]
