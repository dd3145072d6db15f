"""A transaction in the schema: what was done, its entries, the lots it moved, and why it came to so many points.

An operation says in its result why: ``reference`` (a partner's number for the thing), ``reason`` (an operator's), and
``trace``, a list of ``core.rulebook.rules.Step``, or such a list for each unit.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from operator import attrgetter
from typing import Any, Final, NamedTuple

import strawberry
from strawberry import ID

from core.books import accounts, holds
from core.books.lots import Extension
from core.books.lots import Lot as LotValue
from core.books.lots import LotMove as LotMoveValue
from core.books.members import bucket_of
from core.channels.tags import PREDICTED
from core.engine.operations import Recorded
from core.store.questions import Rows
from core.units import POINTS
from graph.context import Info
from graph.filters import InstantFilter, TextFilter, instant_is, text_is
from graph.ids import Node, global_id
from graph.pages import Attached, Order, Where, newest, oldest
from graph.permissions import caller_of, may_see
from graph.resolving import of_all
from graph.scalars import Points
from graph.selections import selected
from graph.texts import check_text
from graph.tokens import Role


@strawberry.enum
class Contra(Enum):
    """The programme's side of an entry: where the amount came from or went."""

    ISSUANCE = strawberry.enum_value("issuance", description="Given for an activity.")
    REDEMPTION = strawberry.enum_value("redemption", description="Spent by the member.")
    BREAKAGE = strawberry.enum_value("breakage", description="Expired, or lost as the membership was closed.")
    CLAW_BACK = strawberry.enum_value("claw_back", description="Taken back, as what it was given for was undone.")
    ADJUSTMENT = strawberry.enum_value("adjustment", description="Put right by an operator.")
    HOLD = strawberry.enum_value("hold", description="Set aside, or given back from being set aside.")
    TRANSFER = strawberry.enum_value("transfer", description="Given to another member, or come from one.")
    MERGE = strawberry.enum_value(
        "merge", description="Come from a member who was merged into this one, or gone to one."
    )
    OPENING = strawberry.enum_value("opening", description="Brought over from another system.")


@strawberry.enum
class MoveKind(Enum):
    """Why the rest of a lot changed."""

    SPEND = strawberry.enum_value("spend", description="It was spent.")
    EXPIRE = strawberry.enum_value("expire", description="It expired.")
    RESTORE = strawberry.enum_value("restore", description="What was spent came back.")
    CLAW_BACK = strawberry.enum_value("claw_back", description="It was taken back.")
    REPAY = strawberry.enum_value("repay", description="It repaid a debt.")
    CARRY = strawberry.enum_value("carry", description="It came back too late and was given a few more days.")

    MERGE = strawberry.enum_value("merge", description="It went to another member by a merge, or came back.")


@strawberry.enum
class HoldState(Enum):
    """Where a hold stands."""

    OPEN = strawberry.enum_value("open", description="The points are set aside.")
    CAPTURED = strawberry.enum_value("captured", description="They, or part of them, were spent.")
    RELEASED = strawberry.enum_value("released", description="They were given back.")
    TIMED_OUT = strawberry.enum_value(
        "timed_out", description="Its time is over; the points are about to be given back."
    )


@strawberry.enum
class TransactionOrder(Enum):
    """In which order transactions are listed."""

    RECORDED_AT_DESC = strawberry.enum_value("recorded_at_desc", description="The one that was written last first.")
    RECORDED_AT_ASC = strawberry.enum_value("recorded_at_asc", description="In the order in which they were written.")
    EFFECTIVE_AT_DESC = strawberry.enum_value("effective_at_desc", description="The one that took effect last first.")
    EFFECTIVE_AT_ASC = strawberry.enum_value("effective_at_asc", description="In the order in which they took effect.")

    @property
    def order(self) -> Order:
        column, _, way = str(self.value).rpartition("_")
        # Ids are made in the order of time.
        columns = ("id",) if column == "recorded_at" else (column, "id")
        return newest(*columns) if way == "desc" else oldest(*columns)


@strawberry.input
class TransactionsFilter:
    """Which transactions to list. Everything given must hold."""

    kind: TextFilter | None = strawberry.field(default=None, description="What was done: redeem, hold, record …")
    channel: TextFilter | None = strawberry.field(default=None, description="The channel that did it.")
    actor: TextFilter | None = strawberry.field(default=None, description="Who asked for it: operator:anna.")
    unit: str | None = strawberry.field(default=None, description="A unit that it moved: points, growth …")
    recorded_at: InstantFilter | None = strawberry.field(default=None, description="When it was written down.")
    effective_at: InstantFilter | None = strawberry.field(default=None, description="When it took effect.")

    def where(self) -> list[Where]:
        """The conditions in SQL. Raises InvalidValue."""
        where = [
            *text_is("kind", "kind", self.kind),
            *text_is("channel", "channel", self.channel),
            *text_is("actor", "actor", self.actor),
            *instant_is("recorded_at", self.recorded_at),
            *instant_is("effective_at", self.effective_at),
        ]
        if self.unit is not None:
            entries = (
                "SELECT 1 FROM entry WHERE entry.bucket = operation.bucket AND entry.member_id = operation.member_id "
                "AND entry.operation_id = operation.id AND entry.unit = ?"
            )
            where.append(Where(f"EXISTS ({entries})", (check_text("unit", self.unit, shortest=0),)))
        return where


def told(info: Info) -> list[Where]:
    """Which of a member's transactions the caller is told of: members of none that says what is predicted of them."""
    return [Where("channel <> ?", (PREDICTED,))] if caller_of(info).role is Role.MEMBER else []


@strawberry.enum
class ExtensionCause(Enum):
    """Why a lot expires later than it was to."""

    ACTIVITY = strawberry.enum_value("activity", description="The member was active, as the programme asks for.")
    OPERATOR = strawberry.enum_value("operator", description="An operator has let it last longer.")
    REVIEW = strawberry.enum_value("review", description="It waited for a review, and the days are given back.")


@strawberry.type
class LotExtension:
    """A step by which a lot's expiry has moved. It never moves back."""

    former: datetime = strawberry.field(description="From when it could not have been used before.")
    expires_at: datetime = strawberry.field(description="From when it could not be used after that.")
    cause: ExtensionCause = strawberry.field(description="Why.")
    _member_id: strawberry.Private[str]
    _operation_id: strawberry.Private[str]

    @strawberry.field
    async def transaction(self, info: Info) -> "Transaction | None":
        """The transaction that did it."""
        return await Transaction.find(info, self._member_id, self._operation_id)


@strawberry.type
class Lot:
    """What is left of one accrual; a lot has one expiry."""

    id: ID = strawberry.field(description="The lot's id, opaque.")
    unit: str = strawberry.field(description="The unit: points, growth …")
    amount: Points = strawberry.field(description="What was given.")
    remaining: Points = strawberry.field(description="What is left of it, with what is held.")
    held: Points = strawberry.field(description="What is set aside by holds.")
    available: Points = strawberry.field(description="What can be spent of it at this moment.")
    source: str = strawberry.field(description="The channel that it came from.")
    earned_at: datetime = strawberry.field(description="When it was earned.")
    available_from: datetime = strawberry.field(
        description="From when it can be spent; the end of the year 9999 while it waits for a review."
    )
    expires_at: datetime | None = strawberry.field(
        description="From this instant on it cannot be spent; null for never."
    )
    waits_for_review: bool = strawberry.field(
        description="Whether somebody has to look at it before it can be spent. It does not expire before that."
    )
    _number: strawberry.Private[int]
    _member_id: strawberry.Private[str]
    _operation_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, lot: LotValue, now: datetime) -> "Lot":
        return cls(
            id=global_id("Lot", member_id, lot.unit, lot.seq),
            unit=lot.unit,
            amount=Points(lot.amount),
            remaining=Points(lot.remaining),
            held=Points(lot.held),
            available=Points(lot.free(now)),
            source=lot.source,
            earned_at=lot.earned_at,
            available_from=lot.available_from,
            expires_at=lot.expires_at,
            waits_for_review=lot.waits_for_review,
            _number=lot.seq,
            _member_id=member_id,
            _operation_id=lot.operation_id,
        )

    @strawberry.field
    async def extensions(self, info: Info) -> "list[LotExtension]":
        """How its expiry has moved since it was given, the first step first; empty when it has not."""
        rows: list[Extension] = await info.context.loaders.rows(Extension, self._member_id, unit=self.unit)
        return [
            LotExtension(
                former=row.former,
                expires_at=row.expires_at,
                cause=ExtensionCause(row.cause),
                _member_id=self._member_id,
                _operation_id=row.operation_id,
            )
            for row in sorted(rows, key=lambda row: row.expires_at)
            if row.lot_first <= self._number <= row.lot_last
        ]

    @strawberry.field
    async def transaction(self, info: Info) -> "Transaction | None":
        """The transaction that gave it."""
        return await Transaction.find(info, self._member_id, self._operation_id)


@strawberry.type
class Hold(Node):
    """Points set aside until they are captured or released."""

    unit: str = strawberry.field(description="The unit: points, or another that can be spent.")
    amount: Points = strawberry.field(description="What was set aside.")
    captured: Points = strawberry.field(description="What was spent of it; the rest went back.")
    state: HoldState = strawberry.field(description="Where it stands.")
    channel: str = strawberry.field(description="The channel that placed it.")
    reference: str = strawberry.field(description="A partner's number for what it is for.")
    placed_at: datetime = strawberry.field(description="When it was placed.")
    expires_at: datetime = strawberry.field(description="When it is released by itself.")

    @classmethod
    def of(cls, member_id: str, hold: holds.Hold, now: datetime) -> "Hold":
        overdue = hold.state == holds.HoldState.OPEN and hold.expires_at <= now
        return cls(
            id=global_id("Hold", member_id, hold.unit, hold.seq),
            unit=hold.unit,
            amount=Points(hold.amount),
            captured=Points(hold.captured),
            state=HoldState.TIMED_OUT if overdue else HoldState(hold.state),
            channel=hold.channel,
            reference=hold.reference,
            placed_at=hold.placed_at,
            expires_at=hold.expires_at,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, unit: str, number: int) -> "Hold | None":
        """A member's hold by its number in the unit."""
        found = await info.context.loaders.rows(holds.Hold, member_id, unit=unit, seq=number)
        return cls.of(member_id, found[0], info.context.now) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "Hold | None":
        match parts:
            case (member_id, unit, number) if number.isascii() and number.isdigit() and len(number) < 16:
                return await cls.find(info, member_id, unit, int(number)) if may_see(info, member_id) else None
            case _:
                return None


@strawberry.type
class LotMove:
    """A signed change of what is left of a lot."""

    kind: MoveKind = strawberry.field(description="Why it changed.")
    amount: Points = strawberry.field(description="By how much, signed.")
    lot: Lot | None = strawberry.field(description="The lot as it is now; null for a move of debt.")


class _Owner(NamedTuple):
    """The member whose entries are shown, and whether the caller may see what is the member's."""

    bucket: int
    id: str
    is_seen: bool


@strawberry.type
class Entry:
    """One line of a member's account in a unit."""

    _owner: strawberry.Private[_Owner]
    _entry: strawberry.Private[accounts.Entry]

    @classmethod
    def of(cls, owner: _Owner, entry: accounts.Entry) -> "Entry":
        made = cls.__new__(cls)
        made._owner, made._entry = owner, entry
        return made

    @strawberry.field
    def unit(self) -> str:
        """The unit: points, growth …"""
        return self._entry.unit

    @strawberry.field
    def number(self) -> Points:
        """The line's number in the account, from 1 without a gap."""
        return Points(self._entry.seq)

    @strawberry.field
    def amount(self) -> Points:
        """The amount, signed: what was earned is positive."""
        return Points(self._entry.amount)

    @strawberry.field
    def held(self) -> Points:
        """What was set aside, or given back from there (negative)."""
        return Points(self._entry.held)

    @strawberry.field
    def contra(self) -> Contra:
        """Where it came from or went."""
        return Contra(self._entry.contra)

    @strawberry.field
    def effective_at(self) -> datetime:
        """When it took effect."""
        return self._entry.effective_at

    @strawberry.field
    def recorded_at(self) -> datetime:
        """When it was written down."""
        return self._entry.recorded_at

    @strawberry.field
    def balance_after(self) -> Points | None:
        """The balance after it; negative is a debt. Null for a partner, who is told of the transaction only."""
        return Points(self._entry.balance) if self._owner.is_seen else None

    @strawberry.field
    async def moves(self, info: Info) -> list[LotMove]:
        """The lots that it changed, and by how much; a lot that it gave is among the transaction's `lots`."""
        if not self._owner.is_seen:
            return []
        loaders, member_id = info.context.loaders, self._owner.id
        moves: list[LotMoveValue] = await loaders.rows(
            LotMoveValue, member_id, unit=self._entry.unit, seq=self._entry.seq
        )
        found = await asyncio.gather(
            *(loaders.rows(LotValue, member_id, unit=self._entry.unit, seq=move.lot_seq) for move in moves)
        )
        now = info.context.now
        return [
            LotMove(
                kind=MoveKind(move.kind),
                amount=Points(move.amount),
                lot=Lot.of(member_id, rows[0], now) if rows else None,
            )
            for move, rows in sorted(zip(moves, found, strict=True), key=lambda pair: (pair[0].lot_seq, pair[0].kind))
        ]


@strawberry.type
class RuleHit:
    """A rule that applied, and what it was worth."""

    rule: str = strawberry.field(description="The rule's id in the programme document.")
    value: str = strawberry.field(description="What it gave: points added, or a factor.")


@strawberry.type
class TraceStep:
    """A group of rules, and what the award came to after it."""

    unit: str = strawberry.field(description="The unit that was awarded: points, growth …")
    group: str = strawberry.field(description="The group's id in the programme document; or rounding, or caps.")
    rules: list[RuleHit] = strawberry.field(description="The rules of it that applied.")
    total: str = strawberry.field(description="The award after it, exact.")


_OF_OPERATION: Final = Rows(accounts.Entry, ("bucket", "member_id", "operation_id"), glanced=True)
_IN_SHORT: Final = frozenset({"__typename", "unit", "number", "amount", "balanceAfter"})
"""What is asked of entries in most lists, for which these columns are enough."""
_ENTRY_COLUMNS_IN_SHORT: Final = ("unit", "seq", "amount", "balance")
_OF_OPERATION_IN_SHORT: Final = _OF_OPERATION._replace(columns=(*_OF_OPERATION.by, *_ENTRY_COLUMNS_IN_SHORT))
_MEMBER: Final = attrgetter("_member_id")


async def _entries(transactions: Sequence["Transaction"], info: Info) -> list[list[Entry]]:
    owners = {id: _Owner(bucket_of(id), id, may_see(info, id)) for id in set(map(_MEMBER, transactions))}
    found: list[Sequence[accounts.Entry] | None] = [each._attached for each in transactions]
    if None in found:
        keys = [(owners[each._member_id].bucket, each._member_id, each._recorded.id) for each in transactions]
        question = _OF_OPERATION_IN_SHORT if selected(info) <= _IN_SHORT else _OF_OPERATION
        found = await info.context.loaders.ask_all(question, keys)
    return [
        [Entry.of(owners[each._member_id], entry) for entry in _in_order(rows or ())]
        for each, rows in zip(transactions, found, strict=True)
    ]


def _in_order(entries: Sequence[accounts.Entry]) -> Sequence[accounts.Entry]:
    # Points first, as they are what most readers look for.
    if len(entries) < 2:
        return entries
    if len(entries) == 2:
        first, second = entries
        if (first.unit == POINTS) is not (second.unit == POINTS):
            return entries if first.unit == POINTS else (second, first)
    return sorted(entries, key=lambda entry: (entry.unit != POINTS, entry.unit, entry.seq))


_PAGE_IN_SHORT: Final = frozenset(
    {"__typename", "id", "channel", "kind", "reference", "reason", "effectiveAt", "recordedAt", "entries", "lots"}
)
"""What is asked of transactions in most lists."""
_COLUMNS_IN_SHORT: Final = ("id", "channel", "kind", "result", "effective_at", "recorded_at")
_ATTACHED_IN_SHORT: Final = Attached(accounts.Entry, "operation_id", "id", _ENTRY_COLUMNS_IN_SHORT)


def columns_shown(info: Info) -> tuple[tuple[str, ...], Attached | None]:
    """The columns that the field that is being resolved, a page of transactions, looks at, and what of their entries.

    No column is named for all, and no entries are attached where none are shown, or more of them.
    """
    shown = selected(info, "nodes") | selected(info, "edges", "node")
    if not shown <= _PAGE_IN_SHORT:
        return (), None
    of_entries = selected(info, "nodes", "entries") | selected(info, "edges", "node", "entries")
    return _COLUMNS_IN_SHORT, _ATTACHED_IN_SHORT if of_entries and of_entries <= _IN_SHORT else None


@strawberry.type
class Transaction(Node):
    """What was done to a member's account at one stroke. It is never changed; a reversal is another transaction."""

    _member_id: strawberry.Private[str]
    _recorded: strawberry.Private[Recorded]
    _attached: strawberry.Private[Sequence[accounts.Entry] | None]
    """Its entries, if they are at hand."""

    @classmethod
    def of(cls, member_id: str, recorded: Recorded, attached: Sequence[accounts.Entry] | None = None) -> "Transaction":
        made = cls.__new__(cls)
        made.id = global_id("Transaction", member_id, recorded.id)
        made._member_id, made._recorded, made._attached = member_id, recorded, attached
        return made

    @classmethod
    async def find(cls, info: Info, member_id: str, operation_id: str) -> "Transaction | None":
        """A member's transaction by the id of its operation."""
        found: list[Recorded] = await info.context.loaders.rows(Recorded, member_id, id=operation_id)
        return cls.of(member_id, found[0]) if found and found[0].accepted else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "Transaction | None":
        match parts:
            case (member_id, operation_id) if may_see(info, member_id):
                found = await cls.find(info, member_id, operation_id)
                return found if found is not None and (found._recorded.channel != PREDICTED or not told(info)) else None
            case _:
                return None

    @strawberry.field
    def kind(self) -> str:
        """What was done: redeem, hold, record …"""
        return self._recorded.kind

    @strawberry.field
    def channel(self) -> str:
        """The channel that did it; membership and ledger are the core's."""
        return self._recorded.channel

    @strawberry.field
    def effective_at(self) -> datetime:
        """When it took effect."""
        return self._recorded.effective_at

    @strawberry.field
    def recorded_at(self) -> datetime:
        """When it was written down."""
        return self._recorded.recorded_at

    @strawberry.field
    def actor(self) -> str:
        """Who asked for it: the role and the name in the token."""
        return self._recorded.actor

    @strawberry.field
    def idempotency_key(self) -> str:
        """The key of the request."""
        return self._recorded.idempotency_key

    @strawberry.field
    def reference(self) -> str | None:
        """A partner's number for what it is about: the order's."""
        return self._recorded.result.get("reference") or None

    @strawberry.field
    def reason(self) -> str | None:
        """The reason that was given."""
        return self._recorded.result.get("reason")

    @strawberry.field
    def programme_version(self) -> int:
        """The number of the programme's version that judged."""
        return self._recorded.programme_version

    @strawberry.field
    def trace(self) -> list[TraceStep]:
        """How the award came about, in the order in which the rules were applied; empty where none was."""
        return trace_of(self._recorded.result.get("trace", ()))

    @strawberry.field
    @of_all(_entries)
    async def entries(self, info: Info) -> list[Entry]:
        """The lines that it wrote, by unit."""
        [entries] = await _entries([self], info)
        return entries

    @strawberry.field
    async def lots(self, info: Info) -> list[Lot]:
        """The lots that it gave, as they are now; none for a partner."""
        if not may_see(info, self._member_id):
            return []
        rows: list[LotValue] = await info.context.loaders.rows(
            LotValue, self._member_id, operation_id=self._recorded.id
        )
        rows = sorted(rows, key=lambda lot: (lot.unit != POINTS, lot.unit, lot.seq))
        return [Lot.of(self._member_id, lot, info.context.now) for lot in rows]

    @strawberry.field
    async def reversal_of(self, info: Info) -> "Transaction | None":
        """The transaction that this one takes back, wholly or in part."""
        return (
            None
            if self._recorded.reverses is None
            else await Transaction.find(info, self._member_id, self._recorded.reverses)
        )

    @strawberry.field
    async def reversed_by(self, info: Info) -> "list[Transaction]":
        """The transactions that took this one back, wholly or in part; the oldest first."""
        rows: list[Recorded] = await info.context.loaders.rows(Recorded, self._member_id, reverses=self._recorded.id)
        return [Transaction.of(self._member_id, row) for row in sorted(rows, key=lambda row: row.id)]


def trace_of(said: Any) -> list[TraceStep]:
    """The steps of a stored trace; also of one that was not stored, as a preview's."""
    by_unit = said if isinstance(said, dict) else {POINTS: said}
    return [
        TraceStep(unit=unit, group=group, rules=[RuleHit(rule=rule, value=value) for rule, value in hits], total=total)
        for unit, steps in by_unit.items()
        for group, hits, total in steps
    ]
