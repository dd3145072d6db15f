"""A batch: operations of many members in one database transaction, with an outcome each.

The operations of one member form a lane and perform one after the other, so that the second sees what the first did.
Lanes run side by side as far as reading goes (see ``core.engine.reads``), and one after another where they want a row
that members share (see ``core.engine.shared``). What they leave is written together, each table once.
"""

from asyncio import CancelledError
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import randbelow
from time import monotonic
from typing import Any, Final, NamedTuple

import orjson

from core.books.accounts import Account
from core.books.members import ByExternalId, ById, Member, bucket_of
from core.books.sheet import Sheet
from core.books.tallies import Count
from core.engine.operations import BY_RULE, Operation, Outcome, Recorded, check_names
from core.engine.reads import Read
from core.engine.shared import Claim, Place, SharedRows
from core.engine.work import Reaction, Work
from core.errors import IdempotencyKeyMismatch, InvalidValue, MemberMerged, MemberNotFound, Overloaded, Refusal
from core.key_figures.aggregates import SHARDS, Additions, Daily, LocalDays, Placed
from core.ladder.judging import Judgement, Judges, first_due
from core.ladder.reviews import due_first
from core.models import GuestOrderRow
from core.oversight.audit import LAST, Note, Record, State, record_after, state_of
from core.oversight.facts import Change, facts_of
from core.people.erasing import PersonalData
from core.rulebook.programmes import Programmes
from core.store.dialect import Lookup, Reader, Writer, Writing
from core.store.questions import Rows
from core.store.tables import Row, Table, glance_of, table_of
from core.telling.events import TRANSACTION_RECORDED, Outgoing, is_heard_by
from core.telling.routes import Routes
from core.time.clock import Clock
from core.units import POINTS

_Running = Coroutine[Any, Any, None]
Lock = Callable[[Table, tuple[str, ...], Sequence[Row]], Awaitable[Sequence[Row]]]
TakeTurn = Callable[[], Awaitable[None]]
_MERGES_MAX: Final = 20
_FORESEEN_MAX: Final = 64
"""Of so many operations at most it is asked beforehand what they are going to ask.

What is read by one statement stands side by side, for which the database compares all with all.
"""


@dataclass(slots=True)
class Ticket:
    """An operation in a batch, the id it will have, and what becomes of it: an outcome, or the defect it ran into.

    With a ``note`` there will be a record of it in the audit log, if it is accepted.
    """

    operation: Operation
    id: str
    note: Note | None = None
    outcome: Outcome | None = None
    defect: Exception | None = None


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What all batches of a process share."""

    programmes: Programmes
    clock: Clock
    new_id: Callable[[], str]
    reactions: Sequence[Reaction] = ()
    personal: Sequence[PersonalData] = ()
    """What channels keep of a member that tells who they are."""
    judges: Judges = field(default_factory=dict)
    """What channels judge of a member when its time has come."""
    routes: Routes = field(default_factory=Routes)
    """Who is to hear of which events; those that nobody is to hear of are not kept."""
    shard: int = field(default_factory=lambda: randbelow(SHARDS))
    """Which rows of the daily aggregates this process adds to."""
    new_member_id: Callable[[str], str] | None = None
    """The id of a member who is new, by their external id, where it is known: in a replay."""
    _heard: dict[tuple[str, Collection[str] | None], tuple[Reaction, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def reactions_to(self, name: str) -> tuple[Reaction, ...]:
        """The reactions that hear events of that name, in their order."""
        channels = self.programmes.channels
        found = self._heard.get((name, channels))
        if found is None:
            found = tuple(react for react in self.reactions if is_heard_by(react, name, channels))
            self._heard[name, channels] = found
        return found


@dataclass(slots=True)
class _Lane:
    """The operations of one member, in order, and the member's sheet."""

    member_id: str
    sheet: Sheet
    tickets: list[Ticket] = field(default_factory=list)

    @property
    def member(self) -> Member | None:
        """The member by now, as the database gives them back."""
        member: Member | None = self.sheet.get(Member, ())
        if member is None or not self.sheet.has_changed(Member, ()):
            return member
        table = table_of(Member)
        made: Member = table.read(table.row(bucket_of(self.member_id), self.member_id, member))
        return made

    @property
    def accounts(self) -> Sequence[Account]:
        """The member's accounts by now."""
        return tuple(self.sheet.of(Account).values())


async def perform(tickets: Sequence[Ticket], writer: Writer, rules: Rules, take_turn: TakeTurn | None = None) -> None:
    """Perform the operations inside the writer's open transaction, and write what they leave.

    Sets each ticket's outcome or defect; these hold once the transaction has been committed. Whatever this raises
    is the database's, and then nothing holds. ``take_turn`` is awaited before rows are locked that members share.
    """
    for ticket in tickets:
        ticket.outcome = ticket.defect = None
    named = [ticket for ticket in tickets if _is_named(ticket)]
    # Before the instant of the batch is taken: of a version that begins between the two it would not know.
    found = await writer.keep_rules(_by_name(named))
    batch = _Batch(writer, writer.lock, rules, take_turn)
    await batch.perform(named, found)
    await batch.write(writer)


async def rehearse(operation: Operation, reader: Reader, rules: Rules, *, lock: Lock | None = None) -> Outcome | None:
    """What the operation's outcome would be at this moment. Nothing is written, so it promises nothing.

    Without ``lock`` nothing is locked either, and the answer is None when the member's books were changed while they
    were read: of what is partly before and partly after a change, nothing can be said.
    """
    ticket = Ticket(operation, rules.new_id())
    batch = _Batch(reader, lock or reader.select, rules)
    await batch.look_up_and_perform([ticket])
    if lock is None and await batch.has_changed():
        return None
    if ticket.defect is not None:
        raise ticket.defect
    assert ticket.outcome is not None
    return ticket.outcome


class Rehearsed(NamedTuple):
    """What the outcomes would be, and what members would owe of points: before and after."""

    outcomes: Sequence[Outcome]
    debts: Mapping[str, tuple[int, int]]


async def rehearse_many(operations: Sequence[Operation], reader: Reader, rules: Rules) -> Rehearsed:
    """What would become of the operations, one after another, at about this moment. Nothing is locked or written.

    Raises what one of them ran into.
    """
    tickets = [Ticket(operation, rules.new_id()) for operation in operations]
    batch = _Batch(reader, reader.select, rules)
    await batch.look_up_and_perform(tickets)
    outcomes = []
    for ticket in tickets:
        if ticket.defect is not None:
            raise ticket.defect
        assert ticket.outcome is not None
        outcomes.append(ticket.outcome)
    table = table_of(Account)
    accounts: list[tuple[str, Account]] = [(row[1], table.read(row)) for row in batch.accounts]
    before = {member: account.debt for member, account in accounts if account.unit == POINTS}
    debts = {}
    for lane in batch.lanes:
        after: Account | None = lane.sheet.get(Account, (POINTS,))
        if after is not None:
            debts[lane.member_id] = (before.get(lane.member_id, 0), after.debt)
    return Rehearsed(outcomes, debts)


class _Batch:
    """One transaction: its instant, what it reads with, what it shares, and the lanes of its members."""

    def __init__(self, reader: Reader, lock: Lock, rules: Rules, take_turn: TakeTurn | None = None) -> None:
        self.reader = reader
        self.lock = lock
        self.take_turn = take_turn
        # Before versions are looked for: one that was published to begin later is then seen by whatever comes after it
        # has begun.
        self.recorded_at = rules.clock.now()
        self.rules = rules
        self.shared = SharedRows()
        self.lanes: list[_Lane] = []
        self.members: list[Row] = []
        self.accounts: Sequence[Row] = ()
        self.judges: Judges = {}

    async def look_up_and_perform(self, tickets: Sequence[Ticket]) -> None:
        """Perform all tickets and set what became of each."""
        named = [ticket for ticket in tickets if _is_named(ticket)]
        await self.perform(named, await self.reader.find_all(_by_name(named)))

    async def perform(self, tickets: Sequence[Ticket], found: Sequence[Sequence[Row]]) -> None:
        """The same of tickets that are named well, and of which ``_by_name`` was looked up."""
        await self._prepare(tickets, found[0] if found else ())
        await self._step_together([self._perform_lane(lane) for lane in self.lanes])

    async def has_changed(self) -> bool:
        """Whether somebody has changed the accounts since they were read, which everybody does who moves points."""
        if not self.members:
            return False
        accounts = await self.reader.select(table_of(Account), ("bucket", "member_id"), self.members)
        return sorted(accounts) != sorted(self.accounts)

    async def write(self, writer: Writer) -> None:
        """Write what stands new or changed, each table once."""
        new: dict[type, list[Placed]] = defaultdict(list)
        changed: dict[type, list[Placed]] = defaultdict(list)
        gone: dict[type, list[Placed]] = defaultdict(list)
        for lane in self.lanes:
            member_id, bucket, sheet = lane.member_id, bucket_of(lane.member_id), lane.sheet
            for kind, _, value in sheet.inserts():
                new[kind].append((bucket, member_id, value))
            for kind, _, value in sheet.updates():
                changed[kind].append((bucket, member_id, value))
            for kind, value in sheet.deletes():
                gone[kind].append((bucket, member_id, value))
        added = self._aggregates(new, gone)
        for kind, value in self.shared.inserts():
            new[kind].append((0, "", value))
        for kind, value in self.shared.updates():
            changed[kind].append((0, "", value))
        for kind, placed in gone.items():
            for row in _rows(kind, placed):
                await writer.delete(table_of(kind), row)
        counts = new.pop(Count, None)
        changes = [(Writing.INSERT, table_of(kind), _rows(kind, placed)) for kind, placed in new.items()]
        changes += [(Writing.UPDATE, table_of(kind), _rows(kind, placed)) for kind, placed in changed.items()]
        if counts:
            changes.append((Writing.ACCUMULATE, table_of(Count), _rows(Count, counts)))
        # Last of all, so that nobody waits for it while more is done.
        if added:
            changes.append((Writing.ACCUMULATE, table_of(Daily), _rows(Daily, added)))
        if changes:
            await writer.write(changes)

    def _aggregates(self, new: Mapping[type, Sequence[Placed]], gone: Mapping[type, Sequence[Placed]]) -> list[Placed]:
        """What the rows that are inserted add to the daily aggregates."""
        versions = self.rules.programmes.versions
        if not versions:
            return []
        additions = Additions(LocalDays([(version.starts_at, version.programme.zone) for version in versions]))
        additions.take(new, gone)
        for kind, former, value in self.shared.kept():
            if kind is GuestOrderRow:
                additions.take_guests(former, value)
        return [(0, "", daily) for daily in additions.rows(self.rules.shard)]

    # -- before -----------------------------------------------------------------------------------

    async def _take_over(self, published: Sequence[Row], asked_at: float) -> None:
        """Judge by the versions that have begun by now."""
        rules = self.rules
        await rules.programmes.take_over(self.reader, published, asked_at)
        # Whoever reads may take over newer versions meanwhile; all of a batch is judged by the same.
        self.rules = replace(rules, programmes=rules.programmes.as_now())
        on = {channel for version in rules.programmes.versions for channel in version.programme.channels}
        self.judges = {channel: kind for channel, kind in rules.judges.items() if channel in on}

    async def _prepare(self, tickets: Sequence[Ticket], named: Sequence[Row]) -> None:
        """Resolve the members, lock their accounts in key order, and put what every operation needs on their sheets."""
        member, account, recorded = table_of(Member), table_of(Account), table_of(Recorded)
        ids: dict[str, str] = {}
        members: dict[str, Member] = {}
        for found in map(glance_of(member), named):
            ids[found.external_id] = found.id
            if self.reader.alone:
                members[found.id] = found.whole()
        known = {ref.id for t in tickets if isinstance(ref := t.operation.member, ById)} | set(ids.values())

        lanes: dict[str, _Lane] = {}
        for ticket in tickets:
            ref = ticket.operation.member
            if isinstance(ref, ById):
                member_id = ref.id
            else:
                member_id = ids.get(ref.external_id) or ids.setdefault(ref.external_id, self._new_id(ref.external_id))
            lane = lanes.get(member_id)
            if lane is None:
                lane = lanes[member_id] = _Lane(member_id, Sheet(blank=member_id not in known))
            lane.tickets.append(ticket)
        self.lanes = list(lanes.values())

        lookups: list[Lookup] = []
        unread: list[Row] = []
        foreseen: dict[Rows, dict[Row, Sheet]] = {}
        if known:
            keys = self.members = sorted((bucket_of(member_id), member_id) for member_id in known)
            self.accounts = await self.lock(account, ("bucket", "member_id"), keys)
            for row in self.accounts:
                value: Account = account.read(row)
                lanes[row[1]].sheet.learn(Account, (value.unit,), value)
            asked = {
                (bucket_of(lane.member_id), lane.member_id, ticket.operation.channel, ticket.operation.idempotency_key)
                for lane in self.lanes
                if lane.member_id in known
                for ticket in lane.tickets
            }
            lookups.append(Lookup(recorded, recorded.key, sorted(asked)))
            # Read after the lock: what stood there before may have changed while we waited.
            unread = [key for key in keys if key[1] not in members]
            if unread:
                lookups.append(Lookup(member, ("bucket", "id"), unread))
            if len(tickets) <= _FORESEEN_MAX:
                foreseen = self._foreseen()
                lookups += [question.lookup([*sheets]) for question, sheets in foreseen.items()]
        asked_at = monotonic()
        # With the rest, so that it takes no statement of its own: nothing is published while the rules are kept.
        *read, published = await self.reader.find_all([*lookups, self.rules.programmes.lookup()])
        await self._take_over(published, asked_at)
        if known:
            done = read.pop(0)
            if unread:
                members |= {row[1]: member.read(row) for row in read.pop(0)}
            for member_id, of_member in members.items():
                lanes[member_id].sheet.learn(Member, (), of_member)
            for row in done:
                seen: Recorded = recorded.read(row)
                lanes[row[1]].sheet.learn(Recorded, (seen.channel, seen.idempotency_key), seen)
            for (question, sheets), rows in zip(foreseen.items(), read, strict=True):
                _learn(question, sheets, question.told(rows))

    def _foreseen(self) -> dict[Rows, dict[Row, Sheet]]:
        """What operations are going to ask, with the sheets that are to know it."""
        foreseen: dict[Rows, dict[Row, Sheet]] = defaultdict(dict)
        for lane in self.lanes:
            if not lane.sheet.blank:
                for ticket in lane.tickets:
                    for kind, where, by in ticket.operation.foresees():
                        # What nothing is called the operation refuses, and the database would refuse the whole batch.
                        if all(value.isprintable() for value in by.values() if isinstance(value, str)):
                            key = (bucket_of(lane.member_id), lane.member_id, *by.values())
                            foreseen[Rows(kind, ("bucket", "member_id", *by), where)][key] = lane.sheet
        return foreseen

    def _new_id(self, external_id: str) -> str:
        given = self.rules.new_member_id
        return self.rules.new_id() if given is None else given(external_id)

    # -- side by side -----------------------------------------------------------------------------

    async def _step_together(self, lanes: Sequence[_Running]) -> None:
        """Run all lanes, asking together whatever they wait for at the same time."""
        answered: list[tuple[_Running, Any]] = [(lane, None) for lane in lanes]
        queues: dict[Place, deque[tuple[_Running, Claim]]] = defaultdict(deque)
        while answered or queues:
            asked: dict[Any, dict[Any, list[_Running]]] = defaultdict(lambda: defaultdict(list))
            for lane, answer in answered:
                match _step(lane, answer):
                    case Read() as read:
                        asked[read.question][read.key].append(lane)
                    case Claim() as claim if self.shared.holds(claim):
                        queues[claim.place].appendleft((lane, claim))
                    case Claim() as claim:
                        queues[claim.place].append((lane, claim))
            answered = []
            for question, waiting in asked.items():
                answers = await question.answer(self.reader, list(waiting))
                answered += [(lane, answers.get(key)) for key, lanes_of in waiting.items() for lane in lanes_of]
            granted = [queue.popleft() for queue in queues.values() if self.shared.claim(queue[0][1])]
            if queues and not granted and not answered:
                raise RuntimeError("operations wait for one another's shared rows: claim them in one order")
            for place in [place for place, queue in queues.items() if not queue]:
                del queues[place]
            await self._read_shared([claim for _, claim in granted])
            answered += [(lane, self.shared.get(claim.place)) for lane, claim in granted]

    async def _read_shared(self, claims: Iterable[Claim]) -> None:
        """Lock and read the shared rows that the batch does not know yet."""
        unread: dict[type, list[Row]] = defaultdict(list)
        for claim in claims:
            if not self.shared.knows(claim.place):
                kind, key = claim.place
                unread[kind].append(key)
                self.shared.learn(claim.place, None)
        if unread and self.take_turn is not None:
            await self.take_turn()
        # In one order, as the batches of other processes have it.
        for kind in sorted(unread, key=lambda kind: table_of(kind).name):
            table = table_of(kind)
            for row in await self.lock(table, table.key, sorted(unread[kind])):
                value = table.read(row)
                self.shared.learn((kind, table.key_of(value)), value)

    # -- one after another ------------------------------------------------------------------------

    async def _perform_lane(self, lane: _Lane) -> None:
        for ticket in lane.tickets:
            savepoint = lane.sheet.savepoint()
            try:
                await self._perform_due(ticket.operation, lane)
                savepoint = lane.sheet.savepoint()
                ticket.outcome = await self._perform_one(ticket, lane)
            except (Exception, CancelledError) as defect:
                # A defect of one operation is its own: the others of the batch go on. Nobody cancels an operation while
                # it performs, so a CancelledError is its own as well, and would stop the committer.
                lane.sheet.rollback(savepoint)
                self.shared.undo(ticket.id)
                ticket.defect = defect if isinstance(defect, Exception) else RuntimeError(f"it raised {defect!r}")

    async def _perform_due(self, operation: Operation, lane: _Lane) -> None:
        """First do what is due for the member by then, as operations of their own, whatever becomes of this one.

        So it makes no difference whether a job has done it, nor when.
        """
        now = operation.effective_at(self.rules.programmes, self.recorded_at)
        while (member := lane.sheet.get(Member, ())) is not None:
            due = await self._due_first(member, lane, now)
            if due is None or (due.channel, due.idempotency_key) == (operation.channel, operation.idempotency_key):
                return
            key = (due.channel, due.idempotency_key)
            question = Rows(Recorded, table_of(Recorded).key)
            for seen in await Read(question, (bucket_of(lane.member_id), lane.member_id, *key)) or ():
                lane.sheet.learn(Recorded, key, seen)
            if lane.sheet.get(Recorded, key) is not None:
                return  # a replay of what was before: it has been judged
            ticket = Ticket(due, self.rules.new_id())
            try:
                outcome = await self._perform_one(ticket, lane)
            except BaseException:
                self.shared.undo(ticket.id)
                raise
            if outcome.refusal is not None:
                return

    async def _due_first(self, member: Member, lane: _Lane, now: datetime) -> Operation | None:
        """What is due first by ``now``: the tier's before what is judged at the same instant."""
        of_tier = due_first(member, self.rules.programmes, now)
        if not self.judges:
            return of_tier
        sheet, place = lane.sheet, (Judgement, ())
        if not sheet.blank and not sheet.known[place]:
            key = (bucket_of(lane.member_id), lane.member_id)
            for row in await Read(Rows(Judgement, ("bucket", "member_id")), key) or ():
                sheet.learn(Judgement, (row.channel,), row)
            sheet.known[place].add("")
        judged = first_due(self.judges, member, [*sheet.of(Judgement).values()], self.rules.programmes, now)
        if of_tier is None or judged is None:
            return of_tier or judged
        assert of_tier.at is not None
        assert judged.at is not None
        return judged if judged.at < of_tier.at else of_tier

    async def _perform_one(self, ticket: Ticket, lane: _Lane) -> Outcome:
        operation, sheet, rules, recorded_at = ticket.operation, lane.sheet, self.rules, self.recorded_at
        request_hash = operation.request_hash()
        key = (operation.channel, operation.idempotency_key)
        stored: Recorded | None = sheet.get(Recorded, key)
        if stored is not None:
            return _replay(stored, request_hash, lane)
        now = operation.effective_at(rules.programmes, recorded_at)
        newcomer = None
        member: Member | None = sheet.get(Member, ())
        if member is None:
            newcomer = operation.newcomer() if isinstance(operation.member, ByExternalId) else None
            if newcomer is None:
                ref = operation.member
                name = ref.id if isinstance(ref, ById) else ref.external_id
                return Outcome(member_id=None, recorded=None, refusal=MemberNotFound(member=name))
        elif isinstance(ref := operation.member, ByExternalId) and member.external_id != ref.external_id:
            raise Overloaded(f"{ref.external_id} is being erased; send it again")
        elif member.merged_into is not None and not operation.reaches_merged:
            # Not stored: once the merge is undone, the same request is done.
            elsewhere = await self._elsewhere(member.id, member.merged_into)
            return Outcome(lane.member_id, None, elsewhere, member=lane.member, accounts=lane.accounts)
        savepoint = sheet.savepoint()
        before = state_of(sheet) if ticket.note else {}
        result: dict[str, Any]
        refusal: Refusal | None = None
        work = None
        try:
            work = Work(
                operation,
                operation_id=ticket.id,
                sheet=sheet,
                shared=self.shared,
                member_id=lane.member_id,
                programmes=rules.programmes,
                now=now,
                recorded_at=recorded_at,
                reactions_to=rules.reactions_to,
                personal=rules.personal,
            )
            if newcomer is not None:
                assert isinstance(operation.member, ByExternalId)
                work.enrol(operation.member.external_id, newcomer)
            result = await operation.perform(work)
            if not isinstance(result, dict):
                raise TypeError(f"perform returned {type(result).__name__}, not a dict")
            await work.finish()
            if ticket.note:
                await self._write_down(ticket.note, work, sheet, before, savepoint)
        except Refusal as refused:
            sheet.rollback(savepoint)
            self.shared.undo(ticket.id)
            refusal, result = refused, refused.to_json()
            if newcomer is not None or work is None:
                # There is no member, or no programme, that the refusal could be stored with.
                return Outcome(member_id=None, recorded=None, refusal=refused)
        else:
            if work.events:
                result["events"] = [{"name": event.name, **event.payload} for event in work.events]
            if work.by_rule:
                result[BY_RULE] = work.by_rule
            self._send(work, sheet)
        # As it will be read again, so that a replay answers the same to the letter. What is no JSON fails here, alone.
        result = orjson.loads(orjson.dumps(result))
        accepted = refusal is None
        reverses = work.reverses if accepted else None
        # By position, which takes half as long as by name.
        recorded = Recorded(
            *key, ticket.id, operation.kind, request_hash, accepted, result, operation.actor, work.version.number,
            reverses, now, recorded_at,
        )  # fmt: skip
        sheet.add(Recorded, key, recorded)
        self.shared.keep(ticket.id)
        return Outcome(lane.member_id, recorded, refusal, False, lane.member, lane.accounts)

    async def _elsewhere(self, member_id: str, into: str) -> MemberMerged:
        """Where a member is who was merged into another: the last of those who were merged into one another."""
        for _ in range(_MERGES_MAX):
            rows = await Read(Rows(Member, ("bucket", "id")), (bucket_of(into), into))
            assert rows, "a member is never deleted"
            found: Member = rows[0]
            if found.merged_into is None:
                break
            into = found.merged_into
        return MemberMerged(member=member_id, merged_into=into)

    async def _write_down(self, note: Note, work: Work, sheet: Sheet, before: State, savepoint: int) -> None:
        """Put what an operation has done to its member into the audit log."""
        records: list[Record] = await work.rows(Record, LAST)
        changes = (*sheet.changes(savepoint), *self.shared.changes(work.operation_id))
        formerly, now = facts_of(Change(*change) for change in changes)
        formerly |= {name: was for name, (was, _) in work.facts.items() if was is not None}
        now |= {name: is_ for name, (_, is_) in work.facts.items() if is_ is not None}
        record = record_after(
            records[-1] if records else None,
            note,
            id=self.rules.new_id(),
            member_id=work.member.id,
            operation_id=work.operation_id,
            before={**before, **formerly},
            after={**state_of(sheet), **now},
            at=self.recorded_at,
        )
        sheet.add(Record, (record.number,), record)
        note.written = True

    def _send(self, work: Work, sheet: Sheet) -> None:
        """Put what happened into the outbox, once for each who is to hear of it."""
        events = work.events
        if self.rules.routes.to(TRANSACTION_RECORDED) and (transaction := work.as_event()) is not None:
            events = [transaction, *events]
        for event in events:
            consumers = self.rules.routes.to(event.name)
            event_id = self.rules.new_id() if consumers else ""
            for consumer in consumers:
                row = Outgoing(
                    id=self.rules.new_id(),
                    name=event.name,
                    payload=event.payload,
                    recorded_at=work.recorded_at,
                    consumer=consumer,
                    event_id=event_id,
                )
                sheet.add(Outgoing, (row.id,), row)


def _rows(kind: type, placed: Sequence[Placed]) -> list[Row]:
    """Values as they are written."""
    row = table_of(kind).row
    return [row(bucket, member_id, value) for bucket, member_id, value in placed]


def _is_named(ticket: Ticket) -> bool:
    """Whether the database can be asked about it at all. Sets the outcome when not."""
    try:
        check_names(ticket.operation)
    except InvalidValue as refusal:
        ticket.outcome = Outcome(member_id=None, recorded=None, refusal=refusal)
        return False
    return True


def _by_name(tickets: Sequence[Ticket]) -> list[Lookup]:
    """The members that are named by external ids, to be looked up; nothing where none is."""
    names = {t.operation.member.external_id for t in tickets if isinstance(t.operation.member, ByExternalId)}
    return [Lookup(table_of(Member), ("external_id",), [(name,) for name in sorted(names)])] if names else []


def _learn(question: Rows, sheets: Mapping[Row, Sheet], answers: Mapping[Row, Sequence[Any]]) -> None:
    """Let sheets know the answers, and that they know them."""
    kind, (_, _, *by), where, *_ = question
    key_of = table_of(kind).key_of
    for key, sheet in sheets.items():
        if found := answers.get(key):
            sheet.learn_all(kind, {key_of(value): value for value in found})
        sheet.known[kind, tuple(zip(by, key[2:], strict=True))].add(where)


def _step(lane: _Running, answer: Any) -> Read[Any, Any] | Claim | None:
    """Let a lane go on until it waits again. Returns what it waits for; None when it has come to its end."""
    try:
        waits = lane.send(answer)
        while not isinstance(waits, (Read, Claim)):
            waits = lane.throw(RuntimeError("an operation awaits nothing but what its work offers"))
    except StopIteration:
        return None
    return waits


def _replay(stored: Recorded, request_hash: str, lane: _Lane) -> Outcome:
    """The stored outcome for the same request; a mismatch for another one, which leaves the stored one alone."""
    if stored.request_hash != request_hash:
        mismatch = IdempotencyKeyMismatch(idempotency_key=stored.idempotency_key)
        return Outcome(
            member_id=lane.member_id, recorded=None, refusal=mismatch, member=lane.member, accounts=lane.accounts
        )
    refusal = None if stored.accepted else Refusal.from_json(stored.result)
    return Outcome(
        member_id=lane.member_id,
        recorded=stored,
        refusal=refusal,
        replayed=True,
        member=lane.member,
        accounts=lane.accounts,
    )
