"""The tables of auctions: where each stands, which all bidders share, and every bid of each member."""

from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from core.store.fields import InstantField


class AuctionStanding(Model):
    """The highest bid of an auction and whose it is. ``state`` is open, closed or cancelled.

    ``bidder`` is None, and ``highest`` 0, when an operator has taken the highest bid back.
    """

    auction = fields.CharField(max_length=64, primary_key=True)
    state = fields.CharField(max_length=16)
    bids = fields.BigIntField()
    highest = fields.BigIntField()
    bidder = fields.CharField(max_length=36, null=True)
    bid_id = fields.CharField(max_length=36, null=True)
    hold = fields.IntField(null=True)

    class Meta:
        table = "auction_standing"


class AuctionBid(Model):
    """A bid. ``bid_id`` is the transaction's; ``hold`` set its points aside."""

    key: ClassVar = ("bucket", "member_id", "bid_id")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    bid_id = fields.CharField(max_length=36, primary_key=True)
    auction = fields.CharField(max_length=64)
    title = fields.CharField(max_length=200)
    points = fields.BigIntField()
    hold = fields.IntField()
    placed_at = InstantField()

    class Meta:
        table = "auction_bid"
