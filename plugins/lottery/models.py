"""The lottery's tables: what members have drawn, and what they share: seeds, and how often each prize was given."""

from typing import Any, ClassVar

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.fields import InstantField


class LotterySeed(Model):
    """The seed of a pool's period, in hexadecimal. Made before the period's first draw, and never changed.

    It must not leave until some minutes after ``ends_at``; ``commitment`` may at any time.
    """

    key: ClassVar = ("pool", "period")
    pool = fields.CharField(max_length=64)
    period = fields.CharField(max_length=64, primary_key=True)
    seed = fields.CharField(max_length=64)
    commitment = fields.CharField(max_length=64)
    starts_at = InstantField()
    ends_at = InstantField()
    committed_at = InstantField()

    class Meta:
        table = "lottery_seed"


class LotteryGiven(Model):
    """How often a prize with stock was given. Members share the row."""

    key: ClassVar = ("pool", "prize")
    pool = fields.CharField(max_length=64)
    prize = fields.CharField(max_length=64, primary_key=True)
    given = fields.BigIntField()

    class Meta:
        table = "lottery_given"


class LotteryPlayer(Model):
    """How often a member has drawn from a pool, and how many of the last draws in a row brought nothing."""

    key: ClassVar = ("bucket", "member_id", "pool")
    audited: ClassVar = ("draws",)
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    pool = fields.CharField(max_length=64, primary_key=True)
    draws = fields.BigIntField()
    without_prize = fields.BigIntField()

    class Meta:
        table = "lottery_player"


class LotteryDraw(Model):
    """A draw: the ``number``-th of the member from the pool. ``draw_id`` grows with time.

    ``roll`` below ``total`` landed on a prize; ``prize`` is what was given, ``because`` of the roll, or as that was
    sold_out, or out of pity. ``counted`` says that the prize has a stock. What has to be handed over has a ``status``:
    won, fulfilled or delivered. That, what is noted with it, and ``reversed`` change, and nothing else ever does.
    """

    key: ClassVar = ("bucket", "member_id", "draw_id")
    audited: ClassVar = ("status", "reversed")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    draw_id = fields.CharField(max_length=40, primary_key=True)
    transaction_id = fields.CharField(max_length=36)
    pool = fields.CharField(max_length=64)
    number = fields.BigIntField()
    period = fields.CharField(max_length=64)
    programme_version = fields.IntField()
    roll = fields.BigIntField()
    total = fields.BigIntField()
    landed = fields.CharField(max_length=64)
    prize = fields.CharField(max_length=64)
    name = fields.CharField(max_length=200)
    kind = fields.CharField(max_length=16)
    points = fields.BigIntField()
    because = fields.CharField(max_length=16)
    counted = fields.BooleanField()
    reversed = fields.BooleanField()
    drawn_at = InstantField()
    status = fields.CharField(max_length=16, null=True)
    note = fields.CharField(max_length=200, null=True)
    # Instants or None, which Tortoise's types have no word for.
    fulfilled_at: Any = InstantField(null=True)
    delivered_at: Any = InstantField(null=True)

    class Meta:
        table = "lottery_draw"
        indexes = (Index(fields=("status", "draw_id")),)


PERSONAL = (PersonalData(model=LotteryDraw, cleared={"note": None}, told=frozenset({"note"})),)
