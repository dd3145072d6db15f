"""The channel's tables: members' scores by period, what they have won, and whether their name is to be read."""

from typing import ClassVar

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.store.fields import InstantField, JsonField


class LeaderboardScore(Model):
    """How much was counted of a member in a period, by what it goes by (``Measure``) and its first day, as 20260601.

    It belongs to the member, so that nobody waits for anybody. It is final once the period has closed. Nobody stands on
    a board with 0. The index holds the whole row: a page is a stretch of it.
    """

    key: ClassVar = ("bucket", "member_id", "measure", "period")
    audited: ClassVar = ()
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    measure = fields.CharField(max_length=96)
    period = fields.IntField(primary_key=True, generated=False)
    score = fields.BigIntField()

    class Meta:
        table = "leaderboard_score"
        indexes = (Index(fields=("measure", "period", "score", "member_id")),)


class LeaderboardWin(Model):
    """What a place on a board has won. ``winner`` is the member who stood there; another one's since they were merged.

    ``state`` is given or reversed. ``title`` is what the board was called.
    """

    key: ClassVar = ("bucket", "member_id", "board", "period", "winner")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    board = fields.CharField(max_length=64)
    period = fields.CharField(max_length=16)
    winner = fields.CharField(max_length=36, primary_key=True)
    title = fields.CharField(max_length=200)
    place = fields.IntField()
    score = fields.BigIntField()
    state = fields.CharField(max_length=16)
    transaction_id = fields.CharField(max_length=36)
    pack = JsonField()
    coupons = JsonField()
    won_at = InstantField()

    class Meta:
        table = "leaderboard_win"


class LeaderboardName(Model):
    """What a member has said about their name, whatever the programme does with those who have said nothing."""

    key: ClassVar = ("bucket", "member_id")
    audited: ClassVar = ("is_hidden",)
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36, primary_key=True)
    is_hidden = fields.BooleanField()
    said_at = InstantField()

    class Meta:
        table = "leaderboard_name"


class LeaderboardFill(Model):
    """How far the job has come with scoring who was counted before a measure was: all buckets below this one."""

    key: ClassVar = ("measure",)
    measure = fields.CharField(max_length=96, primary_key=True)
    since = InstantField()
    bucket_next = fields.IntField()

    class Meta:
        table = "leaderboard_fill"
