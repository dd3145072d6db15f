from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from core.store.operations import CreateModel
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='AuctionBid',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('bid_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('auction', fields.CharField(max_length=64)),
                ('title', fields.CharField(max_length=200)),
                ('points', fields.BigIntField()),
                ('hold', fields.IntField()),
                ('placed_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'auction_bid', 'app': 'auction', 'pk_attr': 'bid_id', 'key': ('bucket', 'member_id', 'bid_id')},
            bases=['Model'],
        ),
        CreateModel(
            name='AuctionStanding',
            fields=[
                ('auction', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('state', fields.CharField(max_length=16)),
                ('bids', fields.BigIntField()),
                ('highest', fields.BigIntField()),
                ('bidder', fields.CharField(null=True, max_length=36)),
                ('bid_id', fields.CharField(null=True, max_length=36)),
                ('hold', fields.IntField(null=True)),
            ],
            options={'table': 'auction_standing', 'app': 'auction', 'pk_attr': 'auction'},
            bases=['Model'],
        ),
    ]
