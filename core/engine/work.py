"""Work is what one operation may do: its member locked, the programme in force, the clock, reads, and verbs.

All changes are made in memory. A refusal leaves nothing; what is accepted is written with everything else of the
batch, in one transaction.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from tortoise.models import Model

from core.books.accounts import Account, Contra, Entry
from core.books.holds import Hold, HoldLot, HoldState
from core.books.ledger import ClawBack, Ledger, LotTerms
from core.books.lots import Draw, ExtensionCause, Lot, LotMove, MoveKind, spending_order
from core.books.members import Frozen, Member, MemberId, MemberStatus, TierCause, TierChange, bucket_of
from core.books.sheet import Sheet
from core.books.tallies import Count, Tally, day_number, day_of
from core.engine.operations import ByRule, Newcomer, Operation, Recorded
from core.engine.reads import Read
from core.engine.shared import Claim, SharedRows
from core.errors import (
    ExceedsReversible,
    HoldNotFound,
    InvalidAmount,
    InvalidInstant,
    LotExpired,
    LotNotFound,
    NothingToExtend,
    NotReversible,
    TransactionNotFound,
    UnitNotSpendable,
)
from core.ladder.judging import Judgement, due_at
from core.ladder.standing import Standing
from core.people.moving import send_on
from core.rulebook.expiry import expires_at, moved
from core.rulebook.programme import Programme
from core.rulebook.programmes import Programmes, Version
from core.rulebook.rules import Activity, Award, Less
from core.store.questions import Rows
from core.store.tables import table_of
from core.telling.events import (
    MEMBER_ENROLLED,
    TALLIES_COUNTED,
    TRANSACTION_RECORDED,
    TRANSACTION_REVERSED,
    Event,
)
from core.time.calendar import day_start, local_day
from core.trust import pace
from core.units import AMOUNT_MAX, POINTS

if TYPE_CHECKING:
    from core.people.erasing import PersonalData

Reaction = Callable[[Event, "Work"], Awaitable[None]]
M = TypeVar("M", bound=Model)

FUTURE_TOLERANCE = timedelta(minutes=5)
"""How far ahead of ours another system's clock may be."""

_REVERSIBLE = {Contra.ISSUANCE, Contra.REDEMPTION, Contra.ADJUSTMENT, Contra.HOLD, Contra.TRANSFER}
_EVENTS_MAX = 200
_ROUNDS_MAX = 50


class Work:
    """The unit of work of one operation.

    ``now`` is the present, or the moment that a replay has reached. ``version`` is the programme's version that judges,
    the one in force now unless ``judge_at`` chose another. ``happened_at`` is the time of the event, which may lie
    back. ``is_newcomer``: this operation enrolled the member.
    ``personal`` is what channels keep of members that tells who they are.
    """

    def __init__(
        self,
        operation: Operation,
        *,
        operation_id: str,
        sheet: Sheet,
        shared: SharedRows,
        member_id: str,
        programmes: Programmes,
        now: datetime,
        recorded_at: datetime,
        reactions_to: Callable[[str], Sequence[Reaction]],
        personal: Sequence["PersonalData"] = (),
    ) -> None:
        self.operation = operation
        self.personal = personal
        self.operation_id = operation_id
        self.now = now
        self.recorded_at = recorded_at
        self.version_now: Version = programmes.at(now)
        """The version that is in force now, though another may judge."""
        self.programme_now: Programme = self.version_now.programme
        """The programme of the version that is in force now."""
        self._judge_by(self.version_now)
        self.reverses: str | None = None
        self.happened_at = now
        self.facts: dict[str, tuple[str | int | None, str | int | None]] = {}
        self.events: list[Event] = []
        self.by_rule: list[ByRule] = []
        self._member_id = member_id
        self._programmes = programmes
        self._reactions_to = reactions_to
        self._sheet = sheet
        self._shared = shared
        self._counted = False
        self._moved = False
        self._counts: dict[tuple[str, int], None] = {}
        self._own_counts: dict[tuple[str, int], int] = defaultdict(int)
        self._active_on: dict[str, int] = {}
        self._told = 0
        self.is_newcomer = False
        self.counted_off = False
        """Whether anything was taken away of what was counted."""
        self.ledger = Ledger(
            sheet,
            member_id=member_id,
            operation_id=operation_id,
            channel=operation.channel,
            at=now,
            recorded_at=recorded_at,
        )

    # -- who, what, when --------------------------------------------------------------------------

    @property
    def member(self) -> Member:
        """The member as this operation sees them."""
        member: Member = self._sheet.rows[Member][()]
        return member if member.frozen_until is None else member.at(self.now)

    @property
    def standing(self) -> Standing:
        """Where the member stands on the ladder, and what moves them there."""
        # Not kept: it knows this work, and a circle of the two would be garbage that only the collector finds.
        return Standing(self)

    @property
    def guests_order(self) -> bool:
        """Whether any order of a guest is known: see ``core.books.guests``."""
        return self._programmes.guests_order

    @property
    def today(self) -> date:
        """The programme's local day."""
        return local_day(self.now, self.programme.zone)

    def judge_at(self, when: datetime) -> None:
        """Let the version in force at ``when`` judge: the time of the event, which may lie back.

        Raises InvalidInstant when it lies in the future, ProgrammeNotFound when no programme had begun.
        """
        if when > self.now + FUTURE_TOLERANCE:
            raise InvalidInstant(value=when.isoformat(), reason="it lies in the future")
        self._judge_by(self._programmes.at(when))
        self.happened_at = when

    def judge_by(self, number: int) -> None:
        """Let the version of that number judge: the one that judged before."""
        self._judge_by(self._programmes.version(number))

    def _judge_by(self, version: Version) -> None:
        self.version = version
        self.programme: Programme = version.programme
        """The programme of the version that judges."""

    def enrol(self, external_id: str, newcomer: Newcomer) -> Member:
        """Make the member: accounts at zero, the entry tier. Only for a member who does not exist yet."""
        at = newcomer.enrolled_at or self.now
        tiers = self.programme.tiers
        tier = tiers.entry if tiers else ""
        member = Member(
            id=MemberId(self._member_id),
            external_id=external_id,
            status=MemberStatus.ACTIVE,
            tier=tier,
            tier_since=at,
            tier_changes=1,
            birthday=newcomer.birthday,
            attributes=newcomer.attributes,
            enrolled_at=at,
        )
        self._sheet.add(Member, (), member)
        for unit in self.programme.unit_names:
            self.ledger.open_account(unit)
        self.is_newcomer = True
        number = self.version.number
        self.add_tier_change(TierChange(1, None, tier, self.operation_id, at, TierCause.ENROLMENT, number))
        self.tell(MEMBER_ENROLLED, external_id=external_id, tier=tier)
        return member

    def change_member(self, **changes: Any) -> Member:
        """Change fields of the member's row."""
        member = self.member._replace(**changes)
        self._sheet.put(Member, (), member)
        return member

    def tell(self, name: str, /, activity: Activity | None = None, **payload: Any) -> None:
        """Say what happened: to reactions before the operation ends, to everybody else after the commit.

        ``activity`` is what rules see of it; it is for reactions and is not kept.
        """
        if len(self.events) >= _EVENTS_MAX:
            raise RuntimeError(f"more than {_EVENTS_MAX} events: reactions {name} answer one another without end")
        self.events.append(Event(name, payload, activity))

    def attribute(self, unit: str, award: Award, *, of: str = "", less: Mapping[Less, int] = {}) -> None:
        """Say what each rule gave of an award, for the key figures: kept with the operation.

        ``of`` says what of the channel has the rules, as of a campaign. ``less`` is what was not given of the points
        that the caps have left, by why.
        """
        if not award.uncapped:
            return
        self.by_rule += [(unit, f"{of}>{group}>{rule}", points) for group, rule, points in award.shares]
        if award.cut or less:
            for taken in (award.cut, less.items()):
                self.by_rule += [(unit, f"{of}>>{why}", -points) for why, points in taken if points]

    def put_down(self, fact: str, before: str | int | None, after: str | int | None) -> None:
        """Let the audit log say how something stood and stands, if it says anything of this operation."""
        self.facts[fact] = before, after

    def as_event(self) -> Event | None:
        """The books as this operation leaves them, for whoever is told after the commit; None if it moved nothing."""
        entries = [entry for entry in self._sheet.of(Entry).values() if entry.operation_id == self.operation_id]
        if not entries:
            return None
        moved = [
            {"unit": e.unit, "seq": e.seq, "amount": e.amount, "held": e.held, "contra": e.contra, "balance": e.balance}
            for e in entries
        ]
        payload = {
            "transaction": self.operation_id,
            "channel": self.operation.channel,
            "kind": self.operation.kind,
            "reverses": self.reverses,
            "entries": moved,
        }
        return Event(TRANSACTION_RECORDED, payload)

    # -- reading ----------------------------------------------------------------------------------

    async def rows(self, kind: type, /, where: str = "", **by: Any) -> list[Any]:
        """The member's rows of a kind whose columns equal ``by``, in key order, with what this batch has changed.

        ``where`` is a fixed SQL condition that spares reading rows; rows known otherwise may come as well.
        """
        if not self._knows(kind, where, by):
            await self._learn(kind, where, by)
        known = self._sheet.of(kind)
        if not known:
            return []
        wanted = list(by.items())
        # In key order: a database has no order of its own, and what follows from it must not depend on the batch.
        found = [(key, row) for key, row in known.items() if all(getattr(row, name) == value for name, value in wanted)]
        return [row for _, row in sorted(found, key=itemgetter(0))]

    def _knows(self, kind: type, where: str, by: Mapping[str, Any]) -> bool:
        """Whether the rows are on the sheet: this batch has read them, or more, before."""
        sheet = self._sheet
        if sheet.blank:
            return True
        known = sheet.known
        if (asked := known.get((kind, tuple(by.items())))) is not None and (where in asked or "" in asked):
            return True
        return "" in known.get((kind, ()), ())

    async def _know(self, kind: type, where: str, by: Mapping[str, Any]) -> None:
        if not self._knows(kind, where, by):
            await self._learn(kind, where, by)

    async def _learn(self, kind: type, where: str, by: Mapping[str, Any]) -> None:
        """Have the rows on the sheet."""
        sheet = self._sheet
        table, question = table_of(kind), Rows(kind, ("bucket", "member_id", *by), where)
        found = await Read(question, (bucket_of(self._member_id), self._member_id, *by.values()))
        if found:
            sheet.learn_all(kind, {table.key_of(value): value for value in found})
        sheet.known[kind, tuple(by.items())].add(where)

    async def find(self, model: type[M], /, **key: Any) -> M | None:
        """The member's row in a plugin's table, by its key, as a copy that may be changed and given to ``save``."""
        rows = await self.rows(model, **key)
        return (
            model(bucket=bucket_of(self._member_id), member_id=self._member_id, **rows[0]._asdict()) if rows else None
        )

    def keep(self, value: Any) -> None:
        """A row of the core's own, new or with new values. What there is of its kind and key was read before."""
        kind: type = type(value)
        key = table_of(kind).key_of(value)
        if self._sheet.get(kind, key) is None:
            self._sheet.add(kind, key, value)
        else:
            self._sheet.put(kind, key, value)

    def add(self, model: type[Model], /, **values: Any) -> None:
        """A new row in a plugin's table: a value for each column but ``bucket`` and ``member_id``.

        In a table that members share, the row must have been claimed (``shared`` gave None).
        """
        table = table_of(model)
        # No model is made of it: that would cost an import more than everything else about the row.
        value = table.value(**values)
        key = table.key_of(value)
        if not table.leading:
            self._shared.put(self.operation_id, (model, key), value)
            return
        if self._sheet.get(model, key) is not None:
            raise RuntimeError(f"{model.__name__} {key} exists")
        self._sheet.add(model, key, value)

    def save(self, row: Model) -> None:
        """The new values of a row that ``find`` or ``shared`` gave."""
        table = table_of(type(row))
        value = table.value(*(getattr(row, column) for column in table.columns[len(table.leading) :]))
        if table.leading:
            self._sheet.put(type(row), table.key_of(value), value)
        else:
            self._shared.put(self.operation_id, (type(row), table.key_of(value)), value)

    def put(self, kind: type, value: Any, /, *, new: bool = False) -> None:
        """The new values of a row that ``rows`` gave; or, with ``new``, of one that there was not."""
        place = (kind, table_of(kind).key_of(value))
        (self._sheet.add if new else self._sheet.put)(*place, value)

    def remove(self, kind: type, value: Any, /) -> None:
        """Delete a row that ``rows`` gave."""
        self._sheet.remove(kind, table_of(kind).key_of(value))

    async def shared(self, model: type[M], /, **key: Any) -> M | None:
        """Claim a row that members share (stock, a budget), by its key: nobody else changes it until the commit.

        A copy that may be changed and given to ``save``, or None when there is no such row: then ``add`` may make it.
        An operation that claims several claims them in one order, always the same.
        """
        place = (model, tuple(key[column] for column in table_of(model).key))
        value = await Claim(place, self.operation_id)
        return None if value is None else model(**value._asdict())

    async def look(self, model: type, /, **key: Any) -> Any:
        """A row that members share and that nothing changes, as a value, or None: nobody waits, nothing is locked."""
        found = await Read(Rows(model, tuple(key)), tuple(key.values()))
        return found[0] if found else None

    async def look_all(self, kind: type, /, **key: Any) -> list[Any]:
        """Rows of another member that nothing changes, or whose next change does not matter: nothing is locked."""
        return list(await Read(Rows(kind, tuple(key)), tuple(key.values())) or ())

    @property
    def units(self) -> list[str]:
        """The units that the member has accounts of, those that the programme has given up included."""
        return sorted(str(unit) for (unit,) in self._sheet.of(Account))

    # -- points -----------------------------------------------------------------------------------

    @property
    def may_earn(self) -> bool:
        """Whether the member may earn at present."""
        return self.member.may(Frozen.EARNING)

    def check_may_earn(self) -> None:
        """Raises MemberNotActive, MemberFrozen."""
        self.member.check_may(Frozen.EARNING)

    def check_may_spend(self) -> None:
        """Raises MemberNotActive, MemberFrozen."""
        self.member.check_may(Frozen.SPENDING)

    async def available(self, unit: str = POINTS) -> int:
        """What the member can spend now."""
        await self._open_spendable(unit)
        return self.ledger.available(unit)

    async def earn(
        self,
        amount: int,
        *,
        unit: str = POINTS,
        earned_at: datetime | None = None,
        pending_days: int = 0,
        days: int | None = None,
        terms: LotTerms | None = None,
        contra: str = Contra.ISSUANCE,
    ) -> Lot:
        """Credit a lot that expires by the programme's policy; with ``pending_days`` it can be spent only later.

        A gift to be used soon lives for ``days`` at most, the day it was earned included. What was promised elsewhere
        has ``terms`` of its own, and nothing else says when it was earned.

        Raises InvalidAmount, MemberNotActive, MemberFrozen.
        """
        _check_amount(amount)
        self._check_active(Frozen.EARNING, contra)
        self._open_account(unit)
        terms = terms or self._terms(unit, earned_at or self.now, pending_days, days)
        lot = self.ledger.earn(unit, amount, terms, contra=contra)
        self.count(f"{unit}_earned", amount, at=terms.earned_at)
        return lot

    def _terms(self, unit: str, earned_at: datetime, pending_days: int, days: int | None) -> LotTerms:
        """What the programme's policy says of a lot that is earned then."""
        zone = self.programme.zone
        ends = expires_at(self.programme.terms(unit, self.operation.channel), earned_at, zone)
        fixed = False
        if days is not None:
            own = day_start(local_day(earned_at, zone) + timedelta(days=days), zone)
            fixed = ends is None or own < ends
            ends = own if fixed else ends
        return LotTerms(
            earned_at=earned_at,
            available_from=earned_at + timedelta(days=pending_days) if pending_days else earned_at,
            expires_at=ends,
            fixed=fixed,
        )

    def given(self) -> list[Lot]:
        """The lots that this operation has given and of which it has spent nothing itself."""
        used = {(m.unit, m.lot_seq) for m in self._sheet.of(LotMove).values() if m.kind == MoveKind.SPEND}
        ours = [lot for lot in self._sheet.of(Lot).values() if lot.operation_id == self.operation_id]
        return [lot for lot in ours if lot.clawed < lot.amount and not lot.held and (lot.unit, lot.seq) not in used]

    async def spend(self, amount: int, *, unit: str = POINTS, contra: str = Contra.REDEMPTION) -> list[Draw]:
        """Take points, soonest expiry first. Raises InsufficientPoints, InvalidAmount, UnitNotSpendable."""
        await self._ready_to_spend(amount, unit, contra)
        return self.ledger.spend(unit, amount, contra=contra)

    async def hold(self, amount: int, *, unit: str = POINTS, until: datetime, reference: str = "") -> Hold:
        """Set points aside until they are captured or released. Raises what ``spend`` does, InvalidInstant."""
        if until <= self.now:
            raise InvalidInstant(value=until.isoformat(), reason="a hold must end in the future")
        await self._ready_to_spend(amount, unit, Contra.HOLD)
        return self.ledger.hold(unit, amount, reference=reference, expires_at=until)

    async def capture(self, hold_seq: int, amount: int | None = None, *, unit: str = POINTS) -> Hold:
        """Spend what a hold set aside, or part of it; the rest goes back.

        Raises HoldNotFound, HoldNotOpen, ExceedsHold.
        """
        if amount is not None:
            _check_amount(amount)
        self.check_may_spend()
        hold = await self._hold(unit, hold_seq)
        return self.ledger.capture(hold, amount, back_until=self._back_until(unit))

    async def release(self, hold_seq: int, *, unit: str = POINTS) -> Hold:
        """Give back what a hold set aside. Raises HoldNotFound, HoldNotOpen."""
        hold = await self._hold(unit, hold_seq)
        return self.ledger.release(hold, back_until=self._back_until(unit))

    async def release_overdue_holds(self) -> int:
        """Give back what holds set aside whose time is over; how many there were."""
        overdue = [
            h for h in await self.rows(Hold, "state = 'open'") if h.state == HoldState.OPEN and h.expires_at <= self.now
        ]
        for hold in overdue:
            await self.release(hold.seq, unit=hold.unit)
        return len(overdue)

    async def expire(self, unit: str = POINTS) -> int:
        """Write down what has lapsed of a unit; the amount that was lost."""
        await self._open_lots(unit)
        return self.ledger.expire(unit)

    async def forfeit(self, unit: str = POINTS) -> int:
        """Take what is left of a unit, what is pending too; the amount that was lost. What is held stays."""
        await self.expire(unit)
        return self.ledger.forfeit(unit)

    async def extend(self, until: datetime, lot_seqs: Sequence[int] = (), *, unit: str = POINTS) -> dict[int, int]:
        """Let lots expire only at ``until``; all those that would expire sooner when none is named.

        What is left of each, by number. Raises UnknownUnit, LotNotFound, LotExpired, NothingToExtend.
        """
        await self._open_lots(unit)
        self.ledger.account(unit)
        if not lot_seqs:
            lots = [lot for lot in self.ledger.lots(unit) if lot.remaining and not lot.lapsed(self.now)]
        else:
            lots = [lot for number in lot_seqs for lot in await self.rows(Lot, unit=unit, seq=number)]
            if missing := set(lot_seqs) - {lot.seq for lot in lots}:
                raise LotNotFound(lot=str(min(missing)))
        for lot in lots:
            if lot.expires_at is not None and lot.lapsed(self.now):
                raise LotExpired(lot=str(lot.seq), expired_at=lot.expires_at)
        sooner = {lot.seq: lot.remaining for lot in lots if lot.expires_at is not None and lot.expires_at < until}
        if not sooner:
            raise NothingToExtend(unit=unit, until=until)
        self.ledger.extend(unit, dict.fromkeys(sooner, until), ExtensionCause.OPERATOR)
        return sooner

    async def claw_back(
        self, amount: int, lot_seqs: Sequence[int], *, unit: str = POINTS, contra: str = Contra.CLAW_BACK
    ) -> ClawBack:
        """Take back what these lots gave, by the programme's policy. What tallies counted is taken away on its day.

        With the contra of a transfer they came from another member, and nothing was counted.
        """
        _check_amount(amount)
        lots = [lot for number in lot_seqs for lot in await self.rows(Lot, unit=unit, seq=number)]
        await self._open_lots(unit)
        policy = self.programme.claw_back
        result = self.ledger.claw_back(
            unit, amount, lot_seqs, others=policy != "lot_only", debt=policy == "lots_then_debt", contra=contra
        )
        for before in lots if contra != Contra.TRANSFER else ():
            after: Lot = self._sheet.get(Lot, (unit, before.seq))
            if after.clawed != before.clawed:
                self.count(f"{unit}_earned", before.clawed - after.clawed, at=before.earned_at)
        return result

    async def take_back(self, lot_seqs: Sequence[int], *, keep: int = 0, unit: str = POINTS) -> int:
        """Claw back all that these lots gave and nobody has taken back yet, but for ``keep``; returns how much."""
        excess = max(await self.left_of(lot_seqs, unit=unit) - keep, 0)
        if excess:
            await self.claw_back(excess, lot_seqs, unit=unit)
        return excess

    async def left_of(self, lot_seqs: Sequence[int], *, unit: str = POINTS) -> int:
        """What these lots gave and nobody has taken back, whether or not it was spent."""
        lots: list[Lot] = [lot for number in lot_seqs for lot in await self.rows(Lot, unit=unit, seq=number)]
        return sum(lot.amount - lot.clawed for lot in lots)

    async def give_back(self, transaction_id: str, amount: int | None = None, *, unit: str = POINTS) -> int:
        """Give back what a transaction of this member spent, or ``amount`` of it, to the lots it was taken from.

        Partial amounts go back in the reverse order of drawing. Returns the amount; the operation then ``reverses``
        that transaction, and no other. Raises ExceedsReversible.
        """
        assert self.reverses in {None, transaction_id}, "what was given back is found by the one that it reverses"
        if amount is not None:
            _check_amount(amount)
        spent = [entry for entry in await self.rows(Entry, operation_id=transaction_id) if entry.unit == unit]
        # What had gone to another member comes back from there.
        contra = Contra.TRANSFER if any(e.contra == Contra.TRANSFER for e in spent) else Contra.REDEMPTION
        left: dict[int, int] = defaultdict(int)
        for move in await self._moves_of(transaction_id):
            if move.unit == unit and move.kind == MoveKind.SPEND:
                left[move.lot_seq] -= move.amount
        earlier = [later.id for later in await self.rows(Recorded, reverses=transaction_id)]
        if self.reverses is not None:
            earlier.append(self.operation_id)
        for reversal in earlier:
            for move in await self._moves_of(reversal):
                if move.unit == unit and move.kind == MoveKind.RESTORE:
                    left[move.lot_seq] -= move.amount
        self.reverses = transaction_id
        wanted = sum(left.values()) if amount is None else amount
        if wanted > sum(left.values()) or wanted == 0:
            raise ExceedsReversible(needed=wanted, left=sum(left.values()))
        lots: list[Lot] = [lot for number in left for lot in await self.rows(Lot, unit=unit, seq=number)]
        draws = []
        for lot in sorted(lots, key=spending_order, reverse=True):
            given = min(left[lot.seq], wanted)
            if given:
                draws.append(Draw(lot.seq, given))
                wanted -= given
        return self.ledger.restore(unit, draws, contra=contra, back_until=self._back_until(unit))

    async def reverse(self, transaction_id: str, amount: int | None = None) -> dict[str, Any]:
        """Mirror a transaction with a new one: take back what it gave, give back what it took, release its holds.

        ``amount`` limits it to so many points and leaves other units alone. Returns what was done, by unit. Raises
        TransactionNotFound, NotReversible, ExceedsReversible.
        """
        if amount is not None:
            _check_amount(amount)
        found = await self.rows(Recorded, id=transaction_id)
        if not found or not found[0].accepted:
            raise TransactionNotFound(transaction=transaction_id)
        target: Recorded = found[0]
        if target.reverses is not None:
            raise NotReversible(transaction=transaction_id, reason="it is a reversal itself")
        entries: list[Entry] = await self.rows(Entry, operation_id=transaction_id)
        if amount is not None and any(entry.held > 0 for entry in entries):
            raise NotReversible(transaction=transaction_id, reason="a hold is released as a whole")
        if amount is not None:
            entries = [entry for entry in entries if entry.unit == POINTS]
        if not entries:
            raise NotReversible(transaction=transaction_id, reason="it moved no points")
        if odd := [entry.contra for entry in entries if entry.contra not in _REVERSIBLE]:
            raise NotReversible(transaction=transaction_id, reason=f"{odd[0]} is not taken back")
        done: dict[str, int] = {}
        reversed_any = False
        for unit in dict.fromkeys(entry.unit for entry in entries):
            # What was earned may equal what was spent, as where a draw wins its price: then nothing moves on balance.
            taken, given = await self._reverse_unit(unit, target, [e for e in entries if e.unit == unit], amount)
            reversed_any |= bool(taken or given)
            done[unit] = given - taken
        if not reversed_any and not any(entry.amount for entry in entries):
            raise NotReversible(transaction=transaction_id, reason="nothing of it is held any more")
        if not reversed_any:
            raise ExceedsReversible(needed=sum(abs(entry.amount) for entry in entries), left=0)
        self.reverses = transaction_id
        self.tell(
            TRANSACTION_REVERSED,
            transaction=transaction_id,
            channel=target.channel,
            kind=target.kind,
            idempotency_key=target.idempotency_key,
            whole=amount is None,
            amounts=done,
        )
        return done

    async def _reverse_unit(
        self, unit: str, target: Recorded, entries: list[Entry], amount: int | None
    ) -> tuple[int, int]:
        """Reverse one unit of a transaction: what was taken back, and what was given back or released of holds."""
        taken = given = 0
        if any(entry.amount > 0 for entry in entries):
            lots = [lot for lot in await self.rows(Lot, unit=unit, operation_id=target.id) if lot.clawed < lot.amount]
            wanted = sum(lot.amount - lot.clawed for lot in lots) if amount is None else amount
            if wanted:
                await self.claw_back(wanted, [lot.seq for lot in lots], unit=unit)
                taken = wanted
        if any(entry.amount < 0 for entry in entries):
            try:
                given += await self.give_back(target.id, amount, unit=unit)
            except ExceedsReversible as nothing_left:
                if nothing_left.left or amount is not None:
                    raise
        for hold in await self.rows(Hold, unit=unit, operation_id=target.id):
            if hold.state == HoldState.OPEN:
                await self.release(hold.seq, unit=unit)
                given += hold.amount
        return taken, given

    # -- counting ---------------------------------------------------------------------------------

    def count(self, name: str, amount: int, *, at: datetime | None = None) -> None:
        """Add to a tally on the local day of ``at``; a negative amount takes away."""
        day = day_number(local_day(at or self.now, self.programme.zone))
        self._add_to_tally(name, day, amount)
        self._counts[name, day] = None
        if amount > 0 and day > self._active_on.get(name, 0):
            self._active_on[name] = day

    def tally(self, name: str, day: int, amount: int) -> None:
        """Add to a tally on a day by its number, as ``count`` does, though nothing was done: nobody reacts to it.

        What channels judge the member by has changed, so that they do it anew, and quietly.
        """
        self._add_to_tally(name, day, amount)
        self._moved = True

    def _add_to_tally(self, name: str, day: int, amount: int) -> None:
        place = (name, day)
        before: Count | None = self._sheet.get(Count, place)
        if before is None:
            self._sheet.add(Count, place, Count(name, day, amount))
        else:
            self._sheet.put(Count, place, Count(name, day, before.amount + amount))
        self._own_counts[place] += amount
        self._counted = True
        # Whether anything was taken away, and with it perhaps the ground on which a tier stands.
        self.counted_off |= amount < 0

    async def tallies(self) -> dict[tuple[str, int], int]:
        """All that was counted of the member, by name and number of the day."""
        await self._know(Tally, "", {})
        totals: dict[tuple[str, int], int] = defaultdict(int)
        for kind in (Tally, Count):
            for count in self._sheet.of(kind).values():
                totals[count.name, count.day] += count.amount
        return {place: amount for place, amount in totals.items() if amount}

    async def counted(self, name: str, *, since: date | None = None, until: date | None = None) -> int:
        """The sum of a tally over the days ``since`` to ``until``, both included, with what this batch has counted."""
        first = day_number(since) if since else 0
        last = day_number(until) if until else 99_991_231
        # Whole years, so that operations of one batch that look back to different days ask one question.
        where = f"day >= {first // 10_000 * 10_000}" if first else ""
        await self._know(Tally, where, {})
        total = 0
        for kind in (Tally, Count):
            for count in self._sheet.of(kind).values():
                if count.name == name and first <= count.day <= last:
                    total += count.amount
        return total

    async def counted_days(self, name: str, *, before: bool = False) -> dict[int, int]:
        """A tally on each of its days, by the day's number; ``before``: without what this operation has counted."""
        await self._know(Tally, "", {"name": name})
        totals: dict[int, int] = defaultdict(int)
        for kind in (Tally, Count):
            for count in self._sheet.of(kind).values():
                if count.name == name:
                    totals[count.day] += count.amount
        if before:
            for (counted, day), amount in self._own_counts.items():
                if counted == name:
                    totals[day] -= amount
        return {day: amount for day, amount in sorted(totals.items()) if amount}

    async def counts(self, *, since: date | None = None) -> list[Tally | Count]:
        """What was counted on the days from ``since`` on, as rows to be added up, those of this batch included.

        Rows of days before may come as well.
        """
        where = f"day >= {since.year * 10_000}" if since else ""
        await self._know(Tally, where, {})
        return [*self._sheet.of(Tally).values(), *self._sheet.of(Count).values()]

    # -- what is judged when its time has come ----------------------------------------------------

    async def judgement(self, channel: str) -> Judgement | None:
        """When the channel judges the member next; None where it never has."""
        return next((row for row in await self.rows(Judgement) if row.channel == channel), None)

    async def judged_next(self, channel: str) -> datetime | None:
        """When that is, new versions of the programme considered."""
        row = await self.judgement(channel)
        return due_at(channel, self.member.enrolled_at, row, self._programmes, self.now)

    async def set_judgement(self, channel: str, at: datetime | None, *, quiet: bool = False) -> None:
        """Let the channel judge the member at that instant; None for never. See ``core.ladder.judging``."""
        row = await self.judgement(channel)
        number = self.version_now.number
        if row is None:
            self.keep(Judgement(channel, 1, at, number, quiet))
        elif (row.due_at, row.version, row.quiet) != (at, number, quiet):
            self.keep(Judgement(channel, row.number + 1, at, number, quiet))

    # -- tiers ------------------------------------------------------------------------------------

    async def tier_earned(self) -> str:
        """The highest tier whose criteria are met now, wherever the member stands; empty when there is no ladder."""
        return await self.standing.earned()

    @property
    def tier_lock(self) -> str | None:
        """The tier below which nothing may put the member now; None when there is none."""
        return self.standing.floor

    def lock_tier(self, tier: str | None, until: datetime | None) -> None:
        """Let nothing put the member below that tier before then; None takes the lock away."""
        self.change_member(tier_lock=tier, tier_lock_until=until)

    def move_to_tier(self, tier: str, cause: TierCause = TierCause.CHANNEL, **more: Any) -> None:
        """Put the member into another tier, up or down, with what the history says of it. ``more`` is told with it."""
        self.standing.move(tier, cause, **more)

    def add_tier_change(self, change: TierChange) -> None:
        """Write a step of the member's tier history."""
        self._sheet.add(TierChange, (change.number,), change)

    def kept_since(self) -> datetime:
        """Since when the programme has judged tiers without a break."""
        return self._programmes.kept_since(self.now)

    # -- the end of the operation -----------------------------------------------------------------

    async def finish(self) -> None:
        """Let reactions see what happened and was counted, the tier rise if there is ground for it, and lots last.

        What was done too often is put before somebody.
        """
        await self.let_react()
        if self.programme.paces and await pace.watch(self):
            await self.let_react()
        if self.programme_now.tiers is not None:
            self.standing.take_up()
        if self._active_on and self.programme.renewed_by:
            await self._renew()
        if self._moved:
            # Who was merged is judged no more: it would be due for ever.
            due = self.now if self.member.merged_into is None else None
            for row in await self.rows(Judgement):
                await self.set_judgement(row.channel, due, quiet=True)
        if self.member.merged_into is not None and self.operation.reaches_merged:
            # Whatever was given or taken back belongs to the other.
            await send_on(self)

    async def let_react(self) -> None:
        """Let reactions see by now what was told and counted so far. Otherwise they do at the end."""
        for _ in range(_ROUNDS_MAX):
            while self._told < len(self.events):
                event = self.events[self._told]
                self._told += 1
                for react in self._reactions_to(event.name):
                    await react(event, self)
            if self._counts:
                counts, self._counts = self._counts, {}
                if reactions := self._reactions_to(TALLIES_COUNTED):
                    days: dict[str, list[int]] = defaultdict(list)
                    for name, day in counts:
                        days[name].append(day)
                    event = Event(TALLIES_COUNTED, {"days": {name: sorted(each) for name, each in days.items()}})
                    for react in reactions:
                        await react(event, self)
            elif self._counted and self.programme_now.tiers is not None and await self.standing.follow():
                self._counted = False
            else:
                return
        raise RuntimeError(f"more than {_ROUNDS_MAX} rounds: reactions count without end")

    async def _renew(self) -> None:
        """Move the dates of lots that last longer for what the member did, wherever that is a later one."""
        programme = self.programme
        for unit, names in programme.renewed_by.items():
            if names.isdisjoint(self._active_on):
                continue
            await self._open_lots(unit)
            dates = {}
            for lot in self.ledger.lots(unit):
                ends = lot.expires_at
                # What this operation gave begins its life with it.
                if not lot.remaining or lot.fixed or lot.operation_id == self.operation_id:
                    continue
                if ends is None or lot.lapsed(self.now):
                    continue
                terms = programme.terms(unit, lot.source)
                if active_on := max((self._active_on.get(name, 0) for name in terms.activities), default=0):
                    until = moved(terms, ends, day_of(active_on), programme.zone)
                    if until > ends:
                        dates[lot.seq] = until
            if dates:
                self.ledger.extend(unit, dates, ExtensionCause.ACTIVITY)

    # -- how it is done ---------------------------------------------------------------------------

    def _open_account(self, unit: str) -> None:
        """A unit that the programme has taken up since the member enrolled begins at zero."""
        if self._sheet.get(Account, (unit,)) is None and unit in self.programme.unit_names:
            self.ledger.open_account(unit)

    async def open_account(self, unit: str) -> None:
        """Have an account of a unit, with its open lots, though the programme may have given the unit up."""
        if self._sheet.get(Account, (unit,)) is None:
            self.ledger.open_account(unit)
        await self._open_lots(unit)

    async def _open_lots(self, unit: str) -> None:
        self._open_account(unit)
        await self._know(Lot, "remaining > 0", {"unit": unit})

    async def _ready_to_spend(self, amount: int, unit: str, contra: str) -> None:
        _check_amount(amount)
        self._check_active(Frozen.SPENDING, contra)
        if not self.programme.unit(unit).spendable and contra != Contra.ADJUSTMENT:
            raise UnitNotSpendable(unit=unit)
        await self._open_spendable(unit)

    async def _open_spendable(self, unit: str) -> None:
        self._open_account(unit)
        if self.ledger.account(unit).held:
            # A hold whose time is over sets nothing aside, whether or not a job has released it.
            await self.release_overdue_holds()
        await self._know(Lot, "remaining > 0", {"unit": unit})

    async def _hold(self, unit: str, number: int) -> Hold:
        found: list[Hold] = await self.rows(Hold, unit=unit, seq=number)
        if not found:
            raise HoldNotFound(hold=str(number))
        for part in await self.rows(HoldLot, unit=unit, hold_seq=number):
            await self.rows(Lot, unit=unit, seq=part.lot_seq)
        return found[0]

    async def _moves_of(self, transaction_id: str) -> list[LotMove]:
        moves: list[LotMove] = []
        for entry in await self.rows(Entry, operation_id=transaction_id):
            moves += await self.rows(LotMove, unit=entry.unit, seq=entry.seq)
        return moves

    def _check_active(self, what: Frozen, contra: str) -> None:
        if contra != Contra.ADJUSTMENT:
            self.member.check_may(what)

    def _back_until(self, unit: str) -> datetime | None:
        days = self.programme.unit(unit).expiry.grace_days
        return self.now + timedelta(days=days) if days else None


def _check_amount(amount: int) -> None:
    if not 0 < amount <= AMOUNT_MAX:
        raise InvalidAmount(value=str(amount), reason=f"points must be between 1 and {AMOUNT_MAX}")
