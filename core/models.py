"""The tables. Values are made of their rows in ``core.store``; nothing else in core reads a row as a model.

``key`` is the primary key in the database. Tortoise knows single keys only, so each model names the last column as
its own; ``core.store.operations.CreateModel`` makes the real one. The columns after ``bucket, member_id`` stand in
the order of the value class's fields, so that a row is a value and the reverse.
"""

from typing import Any, ClassVar

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.store.fields import DayField, InstantField, JsonField, PartialIndex


class GuestOrderRow(Model):
    """See ``core.books.guests``. Money is in minor units of ``currency``.

    ``orders`` is 1 for an order that cost something and has not come back wholly, ``paid`` what is left of it, and
    ``amount`` what it was. ``customer`` is the shop's key of the guest.
    """

    reference = fields.CharField(max_length=128, primary_key=True)
    day = fields.IntField()
    customer: Any = fields.CharField(max_length=64, null=True)
    orders = fields.SmallIntField()
    paid = fields.BigIntField()
    amount = fields.BigIntField()
    currency = fields.CharField(max_length=3)
    status = fields.CharField(max_length=16)
    occurred_at = InstantField()
    recorded_at = InstantField()
    actor = fields.CharField(max_length=200)
    refunds = JsonField()

    class Meta:
        table = "guest_order"
        indexes = (Index(fields=("day", "customer", "orders")), Index(fields=("customer",)))


class ProgrammeVersionRow(Model):
    """A published version of the programme document, in force from ``starts_at`` until the next one starts."""

    number = fields.IntField(primary_key=True, generated=False)
    document = fields.TextField()
    digest = fields.CharField(max_length=64)
    author = fields.CharField(max_length=200)
    reason = fields.CharField(max_length=1000)
    starts_at = InstantField()
    published_at = InstantField()

    class Meta:
        table = "programme_version"


class MemberRow(Model):
    """See ``core.books.members.Member``."""

    key: ClassVar = ("bucket", "id")
    bucket = fields.SmallIntField()
    id = fields.CharField(max_length=36, primary_key=True)
    external_id = fields.CharField(max_length=128, unique=True)
    status = fields.CharField(max_length=16)
    tier = fields.CharField(max_length=64)
    tier_since = InstantField()
    tier_changes = fields.IntField()
    birthday = DayField(null=True)
    attributes = JsonField()
    enrolled_at = InstantField()
    tier_lock = fields.CharField(max_length=64, null=True)
    tier_lock_until = InstantField(null=True)
    frozen = fields.CharField(max_length=16, null=True)
    frozen_until = InstantField(null=True)
    merged_into = fields.CharField(max_length=36, null=True)
    erased_at = InstantField(null=True)
    tier_from = InstantField(null=True)
    tier_review_at = InstantField(null=True)
    tier_due_at = InstantField(null=True)

    class Meta:
        table = "member"
        indexes = (
            Index(fields=("tier_due_at",)),
            Index(fields=("enrolled_at",)),
            # For pages of all members, whose key begins with the bucket.
            Index(fields=("id",)),
        )


class AccountRow(Model):
    """See ``core.books.accounts.Account``. Its row is the one lock of a member's unit."""

    key: ClassVar = ("bucket", "member_id", "unit")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    unit = fields.CharField(max_length=32, primary_key=True)
    credited = fields.BigIntField()
    debited = fields.BigIntField()
    held = fields.BigIntField()
    debt = fields.BigIntField()
    seq = fields.BigIntField()
    lot_seq = fields.BigIntField()
    hold_seq = fields.BigIntField()
    next_due = InstantField(null=True)
    pending = fields.BigIntField(db_default=0)
    expiring = fields.BigIntField(db_default=0)
    expires_at = InstantField(null=True)
    digest = fields.CharField(max_length=64)

    class Meta:
        table = "account"
        indexes = (Index(fields=("next_due",)), PartialIndex(fields=("unit", "debt"), where="debt > 0"))


class OperationRow(Model):
    """See ``core.engine.operations.Recorded``. The row is the idempotency record. Only ever inserted."""

    key: ClassVar = ("bucket", "member_id", "channel", "idempotency_key")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    channel = fields.CharField(max_length=64)
    idempotency_key = fields.CharField(max_length=200, primary_key=True)
    id = fields.CharField(max_length=36)
    kind = fields.CharField(max_length=64)
    request_hash = fields.CharField(max_length=64)
    accepted = fields.BooleanField()
    result = JsonField()
    actor = fields.CharField(max_length=200)
    programme_version = fields.IntField()
    reverses = fields.CharField(max_length=36, null=True)
    effective_at = InstantField()
    recorded_at = InstantField()

    class Meta:
        table = "operation"
        indexes = (
            Index(fields=("bucket", "member_id", "id")),
            PartialIndex(fields=("bucket", "member_id", "reverses"), where="reverses IS NOT NULL"),
        )


class EntryRow(Model):
    """See ``core.books.accounts.Entry``. Only ever inserted."""

    key: ClassVar = ("bucket", "member_id", "unit", "seq")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    unit = fields.CharField(max_length=32)
    seq = fields.BigIntField(primary_key=True, generated=False)
    operation_id = fields.CharField(max_length=36)
    amount = fields.BigIntField()
    held = fields.BigIntField()
    contra = fields.CharField(max_length=32)
    balance = fields.BigIntField()
    effective_at = InstantField()
    recorded_at = InstantField()
    digest = fields.CharField(max_length=64)

    class Meta:
        table = "entry"
        indexes = (
            Index(fields=("bucket", "member_id", "operation_id")),
            # For those who ask what all members have redeemed in a period.
            PartialIndex(fields=("contra", "unit", "effective_at"), where="contra = 'redemption'"),
        )


class LotRow(Model):
    """See ``core.books.lots.Lot``."""

    key: ClassVar = ("bucket", "member_id", "unit", "seq")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    unit = fields.CharField(max_length=32)
    seq = fields.BigIntField(primary_key=True, generated=False)
    operation_id = fields.CharField(max_length=36)
    source = fields.CharField(max_length=64)
    amount = fields.BigIntField()
    remaining = fields.BigIntField()
    held = fields.BigIntField()
    expired = fields.BigIntField()
    clawed = fields.BigIntField()
    forgiven = fields.BigIntField()
    earned_at = InstantField()
    available_from = InstantField()
    expires_at = InstantField(null=True)
    fixed = fields.BooleanField(default=False, db_default=False)

    class Meta:
        table = "lot"
        indexes = (
            # For those who ask what expires on a day; all that expires together does so at one instant.
            Index(fields=("expires_at", "bucket")),
            # For those who ask what a member has, who may have had a hundred times as many lots.
            PartialIndex(
                fields=("bucket", "member_id", "unit"),
                where="remaining > 0",
                name="idx_lot_open",
                whole=("bucket", "member_id", "unit", "remaining"),
            ),
            # For those who ask what is left of all members, and for nobody else: who asks for a member's lots says
            # "remaining > 0", or SQLite would look for them here.
            PartialIndex(
                # All that is asked of them, in the order in which it is added up, so that no lot is looked up.
                fields=("unit", "expires_at", "available_from", "remaining", "held"),
                where="remaining >= 1",
                name="idx_lot_left",
                whole=("unit", "remaining", "expires_at", "available_from", "held"),
            ),
        )


class LotMoveRow(Model):
    """See ``core.books.lots.LotMove``. Only ever inserted."""

    key: ClassVar = ("bucket", "member_id", "unit", "seq", "lot_seq", "kind")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    unit = fields.CharField(max_length=32)
    seq = fields.BigIntField()
    lot_seq = fields.BigIntField()
    kind = fields.CharField(max_length=16, primary_key=True)
    amount = fields.BigIntField()

    class Meta:
        table = "lot_move"


class ExtensionRow(Model):
    """See ``core.books.lots.Extension``. Only ever inserted."""

    key: ClassVar = ("bucket", "member_id", "unit", "expires_at", "lot_first")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    unit = fields.CharField(max_length=32)
    expires_at = InstantField()
    lot_first = fields.BigIntField(primary_key=True, generated=False)
    lot_last = fields.BigIntField()
    former = InstantField()
    cause = fields.CharField(max_length=16)
    operation_id = fields.CharField(max_length=36)

    class Meta:
        table = "lot_extension"


class HoldRow(Model):
    """See ``core.books.holds.Hold``."""

    key: ClassVar = ("bucket", "member_id", "unit", "seq")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    unit = fields.CharField(max_length=32)
    seq = fields.BigIntField(primary_key=True, generated=False)
    operation_id = fields.CharField(max_length=36)
    channel = fields.CharField(max_length=64)
    reference = fields.CharField(max_length=200)
    amount = fields.BigIntField()
    captured = fields.BigIntField()
    state = fields.CharField(max_length=16)
    placed_at = InstantField()
    expires_at = InstantField()

    class Meta:
        table = "hold"
        indexes = (Index(fields=("state", "expires_at")),)


class HoldLotRow(Model):
    """See ``core.books.holds.HoldLot``."""

    key: ClassVar = ("bucket", "member_id", "unit", "hold_seq", "lot_seq")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    unit = fields.CharField(max_length=32)
    hold_seq = fields.BigIntField()
    lot_seq = fields.BigIntField(primary_key=True, generated=False)
    amount = fields.BigIntField()

    class Meta:
        table = "hold_lot"


class TallyRow(Model):
    """What a member did on one local day, counted: see ``core.books.tallies``. ``day`` is written 20260131."""

    key: ClassVar = ("bucket", "member_id", "name", "day")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    name = fields.CharField(max_length=96)
    day = fields.IntField(primary_key=True, generated=False)
    amount = fields.BigIntField()

    class Meta:
        table = "tally"
        # For those who ask what all members have paid in a period, and who of them has bought or earned.
        indexes = (
            PartialIndex(fields=("name", "day"), where="name = 'spend'"),
            PartialIndex(fields=("name", "day"), where="name = 'orders'", name="idx_tally_orders"),
            PartialIndex(fields=("name", "day"), where="name = 'points_earned'", name="idx_tally_points_earned"),
        )


class DailyAggregateRow(Model):
    """What all members together did on a local day, a part for each process: see ``core.key_figures.aggregates``."""

    key: ClassVar = ("name", "day", "unit", "channel", "part", "shard")
    name = fields.CharField(max_length=16)
    day = fields.IntField()
    unit = fields.CharField(max_length=32)
    channel = fields.CharField(max_length=64)
    part = fields.CharField(max_length=224)
    shard = fields.SmallIntField(primary_key=True, generated=False)
    amount = fields.BigIntField()
    times = fields.BigIntField(db_default=0)

    class Meta:
        table = "daily_aggregate"


class BudgetRow(Model):
    """What all members together were given of a budget in a period: 2026-01-31, 2026-01 or lifetime.

    See ``core.rulebook.budgets``. ``low_told`` and ``exhausted_told`` are the limit for which that was told.
    """

    key: ClassVar = ("name", "period")
    name = fields.CharField(max_length=160)
    period = fields.CharField(max_length=10, primary_key=True)
    used = fields.BigIntField()
    low_told = fields.BigIntField(null=True)
    exhausted_told = fields.BigIntField(null=True)

    class Meta:
        table = "budget"


class PaceRow(Model):
    """When a member was active in a channel whose pace is watched, as instants in microseconds: ``core.trust.pace``."""

    key: ClassVar = ("bucket", "member_id", "channel")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    channel = fields.CharField(max_length=64, primary_key=True)
    recent = JsonField()

    class Meta:
        table = "pace"


class FlagRow(Model):
    """See ``core.trust.flags.Flag``."""

    key: ClassVar = ("bucket", "member_id", "number")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    number = fields.IntField(primary_key=True, generated=False)
    id = fields.CharField(max_length=36)
    channel = fields.CharField(max_length=64)
    more_than = fields.IntField()
    within_minutes = fields.IntField()
    holds = fields.BooleanField()
    state = fields.CharField(max_length=16)
    operations = JsonField()
    lots = JsonField()
    raised_at = InstantField()
    decided_at = InstantField(null=True)
    decided_by = fields.CharField(max_length=200, null=True)
    reason = fields.CharField(max_length=1000, null=True)

    class Meta:
        table = "flag"
        indexes = (Index(fields=("id",)), Index(fields=("state", "id")))


class NoticeRow(Model):
    """See ``core.trust.notices.Notice``."""

    id = fields.CharField(max_length=36, primary_key=True)
    title = fields.CharField(max_length=200)
    text = fields.CharField(max_length=4000)
    starts_at = InstantField()
    ends_at = InstantField(null=True)
    author = fields.CharField(max_length=200)
    published_at = InstantField()

    class Meta:
        table = "notice"
        indexes = (Index(fields=("ends_at", "starts_at")),)


class MergeRow(Model):
    """A merge, with either member: ``outgoing`` with the one that was merged into the ``other``. See ``core.people``.

    ``state`` is merged or undone. With the one that stays, ``tier_former`` is the tier before, and ``tier_gained`` the
    one that came with the other, where that was higher.
    """

    key: ClassVar = ("bucket", "member_id", "merge_id")
    audited: ClassVar = ("state", "other")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    merge_id = fields.CharField(max_length=36, primary_key=True)
    other = fields.CharField(max_length=36)
    outgoing = fields.BooleanField()
    state = fields.CharField(max_length=16)
    tier_former = fields.CharField(max_length=64, null=True)
    tier_gained = fields.CharField(max_length=64, null=True)
    merged_at = InstantField()
    undone_at = InstantField(null=True)

    class Meta:
        table = "member_merge"


class MergedLotRow(Model):
    """What of a lot went to another member, or has ``arrived``, signed; lot 0 is debt. Only ever inserted.

    ``transfer_id`` is the operation that sent it. ``other_seq`` is the lot's number with the other member, 0 if it has
    none yet. What follows is the lot as it was.
    """

    key: ClassVar = ("bucket", "member_id", "transfer_id", "unit", "lot_seq")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    transfer_id = fields.CharField(max_length=40)
    unit = fields.CharField(max_length=32)
    lot_seq = fields.BigIntField(primary_key=True, generated=False)
    merge_id = fields.CharField(max_length=36)
    arrived = fields.BooleanField()
    other_seq = fields.BigIntField()
    amount = fields.BigIntField()
    source = fields.CharField(max_length=64)
    earned_at = InstantField()
    available_from = InstantField()
    expires_at = InstantField(null=True)
    fixed = fields.BooleanField()

    class Meta:
        table = "merged_lot"
        indexes = (Index(fields=("bucket", "member_id", "merge_id")),)


class MergedTallyRow(Model):
    """What of a tally went to another member, or has ``arrived``, signed. Only ever inserted."""

    key: ClassVar = ("bucket", "member_id", "transfer_id", "name", "day")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    transfer_id = fields.CharField(max_length=40)
    name = fields.CharField(max_length=96)
    day = fields.IntField(primary_key=True, generated=False)
    merge_id = fields.CharField(max_length=36)
    arrived = fields.BooleanField()
    amount = fields.BigIntField()

    class Meta:
        table = "merged_tally"
        indexes = (Index(fields=("bucket", "member_id", "merge_id")),)


class MergeStandingRow(Model):
    """Whether a member is merged into another, as those who would merge claim it: no two merges go in a circle."""

    id = fields.CharField(max_length=36, primary_key=True)
    merged_into = fields.CharField(max_length=36, null=True)

    class Meta:
        table = "merge_standing"


class TierChangeRow(Model):
    """A member's tier history, numbered from 1: see ``core.books.members.TierChange``. Only ever inserted."""

    key: ClassVar = ("bucket", "member_id", "number")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    number = fields.IntField(primary_key=True, generated=False)
    former = fields.CharField(max_length=64, null=True)
    tier = fields.CharField(max_length=64)
    operation_id = fields.CharField(max_length=36)
    at = InstantField()
    cause = fields.CharField(max_length=16, default="earned", db_default="earned")
    version = fields.IntField(null=True)
    grounds = JsonField(null=True)

    class Meta:
        table = "tier_change"


class JudgementRow(Model):
    """See ``core.ladder.judging.Judgement``."""

    key: ClassVar = ("bucket", "member_id", "channel")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    channel = fields.CharField(max_length=64, primary_key=True)
    number = fields.IntField()
    due_at = InstantField(null=True)
    version = fields.IntField()
    quiet = fields.BooleanField(default=False, db_default=False)

    class Meta:
        table = "judgement"
        indexes = (Index(fields=("due_at",)),)


class MemberTagRow(Model):
    """See ``core.books.members.MemberTag``."""

    key: ClassVar = ("bucket", "member_id", "tag", "source")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    tag = fields.CharField(max_length=64)
    source = fields.CharField(max_length=64, primary_key=True)
    held = fields.BooleanField()
    since = InstantField()
    until = InstantField(null=True)
    operation_id = fields.CharField(max_length=36)

    class Meta:
        table = "member_tag"
        indexes = (Index(fields=("tag", "held", "member_id")),)


class OutboxRow(Model):
    """An event that one consumer has to hear, written with what it tells of and deleted when heard.

    See ``core.telling.events.Outgoing``. A row without a consumer is from before there was one row for each of them.
    """

    key: ClassVar = ("bucket", "member_id", "id")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    id = fields.CharField(max_length=36, primary_key=True)
    name = fields.CharField(max_length=64)
    payload = JsonField()
    recorded_at = InstantField()
    leased_until = InstantField(null=True)
    consumer = fields.CharField(max_length=100, default="", db_default="")
    event_id = fields.CharField(max_length=36, default="", db_default="")
    tries = fields.IntField(default=0, db_default=0)
    dead = fields.BooleanField(default=False, db_default=False)
    error = fields.CharField(max_length=500, default="", db_default="")

    class Meta:
        table = "outbox"
        indexes = (
            Index(fields=("id",)),
            Index(fields=("consumer", "dead", "id")),
            Index(fields=("consumer", "leased_until")),
        )


class AuditRow(Model):
    """See ``core.oversight.audit.Record``. Only inserted. What is about no member has an empty one, in bucket 0."""

    key: ClassVar = ("bucket", "member_id", "number")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    number = fields.IntField(primary_key=True, generated=False)
    id = fields.CharField(max_length=36)
    mutation = fields.CharField(max_length=100)
    actor = fields.CharField(max_length=200)
    reason = fields.CharField(max_length=1000, null=True)
    request_id = fields.CharField(max_length=100)
    operation_id = fields.CharField(max_length=36, null=True)
    state_before = JsonField()
    state_after = JsonField()
    recorded_at = InstantField()
    digest = fields.CharField(max_length=64)

    class Meta:
        table = "audit"
        indexes = (
            Index(fields=("id",)),
            Index(fields=("actor", "id")),
            Index(fields=("mutation", "id")),
            Index(fields=("recorded_at",)),
        )


class ApiKeyRow(Model):
    """See ``core.oversight.keys``. The key itself is not kept, only its digest."""

    id = fields.CharField(max_length=36, primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    hint = fields.CharField(max_length=16)
    name = fields.CharField(max_length=150)
    role = fields.CharField(max_length=16)
    channels = JsonField()
    capabilities = JsonField()
    created_at = InstantField()
    created_by = fields.CharField(max_length=200)
    expires_at = InstantField(null=True)
    revoked_at = InstantField(null=True)
    used_at = InstantField(null=True)
    replaces = fields.CharField(max_length=36, null=True)

    class Meta:
        table = "api_key"


class AlarmRow(Model):
    """How something that is watched stood when somebody was last told: see ``core.value.redemption_cost``."""

    name = fields.CharField(max_length=64, primary_key=True)
    standing = fields.CharField(max_length=16)
    since = InstantField()

    class Meta:
        table = "alarm"


class PredictionModelRow(Model):
    """A run, numbered from 1, of ``core.predictions.predicting``: what it found, or was ``refused`` for.

    ``losses`` are the points that all members are expected to lose, by month (1998-07); null where no model says so.
    """

    id = fields.IntField(primary_key=True, generated=False)
    made_at = InstantField()
    until = DayField()
    members = fields.IntField()
    repeaters = fields.IntField()
    redeemers = fields.IntField()
    refused = fields.CharField(max_length=200, null=True)
    redeeming_refused = fields.CharField(max_length=200, null=True)
    parameters = JsonField()
    judged = JsonField()
    losses = JsonField(null=True)

    class Meta:
        table = "prediction_model"


class PredictionRow(Model):
    """What is expected of a member, and the figures it rests on: see ``core.predictions.predicting``.

    It is made anew each day. ``gone`` and ``orders`` (days with orders) are in millionths, ``spend`` and ``average`` in
    the currency's minor unit. -1 says that nothing can be said.
    """

    key: ClassVar = ("bucket", "member_id")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36, primary_key=True)
    model = fields.IntField()
    until = DayField()
    repeats = fields.IntField()
    recency_days = fields.IntField()
    age_days = fields.IntField()
    average = fields.BigIntField()
    redemptions = fields.IntField()
    gone = fields.IntField()
    orders = fields.BigIntField()
    spend = fields.BigIntField()
    due = fields.BigIntField()
    lost = fields.BigIntField()

    class Meta:
        table = "prediction"
        indexes = (
            Index(fields=("gone", "member_id")),
            Index(fields=("spend", "member_id")),
            Index(fields=("lost", "member_id")),
        )


class JobRow(Model):
    """Where a job stands: see ``core.scheduling.jobs``. Who runs it is its ``owner``, until ``leased_until``."""

    name = fields.CharField(max_length=100, primary_key=True)
    next_at = InstantField()
    started_at = InstantField(null=True)
    finished_at = InstantField(null=True)
    succeeded_at = InstantField(null=True)
    owner = fields.CharField(max_length=36, null=True)
    leased_until = InstantField(null=True)
    runs = fields.BigIntField(default=0)
    failures = fields.BigIntField(default=0)
    failures_in_a_row = fields.IntField(default=0)
    done = fields.BigIntField(default=0)
    error = fields.CharField(max_length=500, null=True)

    class Meta:
        table = "job"


class RemedyRow(Model):
    """Something that is put right for many at once: see ``core.people.remedies``."""

    id = fields.CharField(max_length=36, primary_key=True)
    idempotency_key = fields.CharField(max_length=200, unique=True)
    request_hash = fields.CharField(max_length=64)
    kind = fields.CharField(max_length=16)
    state = fields.CharField(max_length=16)
    selection = JsonField()
    points = fields.BigIntField()
    items = fields.IntField()
    reason = fields.CharField(max_length=1000)
    actor = fields.CharField(max_length=200)
    mutation = fields.CharField(max_length=100)
    request_id = fields.CharField(max_length=100)
    created_at = InstantField()
    started_at = InstantField(null=True)
    finished_at = InstantField(null=True)

    class Meta:
        table = "remedy"
        indexes = (Index(fields=("state", "id")),)


class RemedyItemRow(Model):
    """One thing to be put right: a ``member``'s transaction to reverse, or the member to compensate.

    ``result_id`` is the transaction that did it, ``points`` what it gave (positive) or took; ``code`` and ``message``
    say why it was refused.
    """

    id = fields.CharField(max_length=36, primary_key=True)
    remedy_id = fields.CharField(max_length=36)
    member = fields.CharField(max_length=36)
    transaction_id = fields.CharField(max_length=36, null=True)
    state = fields.CharField(max_length=16)
    points = fields.BigIntField()
    result_id = fields.CharField(max_length=36, null=True)
    code = fields.CharField(max_length=64, null=True)
    message = fields.CharField(max_length=500, null=True)

    class Meta:
        table = "remedy_item"
        indexes = (Index(fields=("remedy_id", "state", "id")), Index(fields=("remedy_id", "id")))


class ProgrammeDraftRow(Model):
    """A programme document that is being worked on: see ``core.drafts.drafting``.

    ``editors`` are all who have changed it. What was proposed is of ``proposed_revision``.
    """

    id = fields.CharField(max_length=36, primary_key=True)
    title = fields.CharField(max_length=200)
    document = fields.TextField()
    based_on = fields.IntField(null=True)
    revision = fields.IntField()
    state = fields.CharField(max_length=16)
    author = fields.CharField(max_length=200)
    editor = fields.CharField(max_length=200)
    editors = JsonField()
    created_at = InstantField()
    edited_at = InstantField()
    proposer = fields.CharField(max_length=200, null=True)
    proposed_at = InstantField(null=True)
    proposed_reason = fields.CharField(max_length=1000, null=True)
    proposed_start = InstantField(null=True)
    version = fields.IntField(null=True)
    ended_by = fields.CharField(max_length=200, null=True)
    ended_at = InstantField(null=True)

    class Meta:
        table = "programme_draft"
        indexes = (Index(fields=("state", "id")),)


class ClockRow(Model):
    """The programme's clock, in one row: see ``core.sandbox.clock``. It is ``ahead`` of the machine's by microseconds.

    Whoever moves it is its ``owner``, until ``leased_until`` of the machine's clock at most, and has it on its way to
    ``moving_to``.
    """

    id = fields.SmallIntField(primary_key=True, generated=False)
    is_sandbox = fields.BooleanField()
    ahead = fields.BigIntField(default=0)
    moving_to = InstantField(null=True)
    owner = fields.CharField(max_length=36, null=True)
    leased_until = InstantField(null=True)

    class Meta:
        table = "clock"


class SimulationRow(Model):
    """A simulation of a programme: see ``core.simulating.book``.

    Of those that run one at a time has the ``place``, which no two can have. It is gone from who does not renew it.
    """

    id = fields.CharField(max_length=36, primary_key=True)
    state = fields.CharField(max_length=16)
    place = fields.CharField(max_length=16, null=True, unique=True)
    document = fields.TextField()
    digest = fields.CharField(max_length=64)
    since = InstantField()
    until = InstantField()
    step = fields.CharField(max_length=16)
    done = fields.BigIntField()
    total = fields.BigIntField()
    result = JsonField(null=True)
    error = fields.CharField(max_length=500, null=True)
    actor = fields.CharField(max_length=200)
    reason = fields.CharField(max_length=1000, null=True)
    started_at = InstantField()
    finished_at = InstantField(null=True)
    leased_until = InstantField()

    class Meta:
        table = "simulation"
        indexes = (Index(fields=("state", "leased_until")),)
