"""A batch: operations of many members in one database transaction, with an outcome each.

The operations of one member form a lane and perform one after the other, so that the second sees what the first did.
Lanes run side by side as far as reading goes (see ``core.reads``). What they leave on their members' sheets is written
with one statement a table.
"""

from asyncio import CancelledError
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from core.accounts import Account
from core.clock import Clock
from core.errors import IdempotencyKeyMismatch, MemberNotFound, Refusal
from core.events import Outgoing
from core.members import ByExternalId, ById, Member, bucket_of
from core.operations import Operation, Outcome, Recorded
from core.programmes import Programmes
from core.reads import Read
from core.sheet import Sheet
from core.store.dialect import Reader, Writer
from core.store.tables import Row, Table, table_of
from core.tallies import Count
from core.work import Reaction, Work

Lock = Callable[[Sequence[Row]], Awaitable[Sequence[Row]]]


@dataclass(slots=True)
class Ticket:
    """An operation in a batch, the id it will have, and what becomes of it: an outcome, or the defect it ran into."""

    operation: Operation
    id: str
    outcome: Outcome | None = None
    defect: Exception | None = None


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What all batches of a process share."""

    programmes: Programmes
    clock: Clock
    new_id: Callable[[], str]
    reactions: Sequence[Reaction] = ()
    outgoing: Collection[str] = ()
    """Names of the events that somebody outside waits for; others are not kept."""


@dataclass(slots=True)
class _Lane:
    """The operations of one member, in order, and the member's sheet."""

    member_id: str
    tickets: list[Ticket] = field(default_factory=list)
    sheet: Sheet = field(default_factory=Sheet)


async def perform(tickets: Sequence[Ticket], writer: Writer, rules: Rules) -> None:
    """Perform the operations inside the writer's open transaction, and write what they leave.

    Sets each ticket's outcome or defect; these hold once the transaction has been committed. Whatever this raises
    is the database's, and then nothing holds.
    """
    for ticket in tickets:
        ticket.outcome = ticket.defect = None
    await rules.programmes.refresh(writer)
    recorded_at = rules.clock.now()
    lanes = await _lanes(tickets, writer, rules, writer.lock)
    await _step_together((_perform_lane(lane, rules, recorded_at) for lane in lanes), writer)
    await _write(lanes, writer)


async def rehearse(operation: Operation, reader: Reader, rules: Rules) -> Outcome:
    """What the operation's outcome would be at this moment. Nothing is locked or written, so it promises nothing."""
    await rules.programmes.refresh(reader)

    async def unlocked(keys: Sequence[Row]) -> Sequence[Row]:
        return await reader.select(table_of(Account), ("bucket", "member_id"), keys)

    ticket = Ticket(operation, rules.new_id())
    (lane,) = await _lanes([ticket], reader, rules, unlocked)
    await _step_together([_perform_lane(lane, rules, rules.clock.now())], reader)
    if ticket.defect is not None:
        raise ticket.defect
    assert ticket.outcome is not None
    return ticket.outcome


async def _lanes(tickets: Sequence[Ticket], reader: Reader, rules: Rules, lock: Lock) -> list[_Lane]:
    """Resolve the members, lock their accounts in key order, and put what every operation needs on their sheets."""
    member, account, recorded = table_of(Member), table_of(Account), table_of(Recorded)
    names = {t.operation.member.external_id for t in tickets if isinstance(t.operation.member, ByExternalId)}
    ids: dict[str, str] = {}
    if names:
        for row in await reader.select(member, ("external_id",), [(name,) for name in sorted(names)]):
            found: Member = member.of(member.decode(row))
            ids[found.external_id] = found.id
    known = {ref.id for t in tickets if isinstance(ref := t.operation.member, ById)} | set(ids.values())

    lanes: dict[str, _Lane] = {}
    for ticket in tickets:
        ref = ticket.operation.member
        if isinstance(ref, ById):
            member_id = ref.id
        else:
            member_id = ids.get(ref.external_id) or ids.setdefault(ref.external_id, rules.new_id())
        lane = lanes.get(member_id)
        if lane is None:
            lane = lanes[member_id] = _Lane(member_id)
        lane.tickets.append(ticket)

    if known:
        keys = sorted((bucket_of(member_id), member_id) for member_id in known)
        for row in await lock(keys):
            value: Account = account.of(account.decode(row))
            lanes[row[1]].sheet.learn(Account, (value.unit,), value)
        # Read after the lock: what stood there before may have changed while we waited.
        for row in await reader.select(member, ("bucket", "id"), keys):
            lanes[row[1]].sheet.learn(Member, (), member.of(member.decode(row)))
        asked = {
            (bucket_of(lane.member_id), lane.member_id, ticket.operation.channel, ticket.operation.idempotency_key)
            for lane in lanes.values()
            if lane.member_id in known
            for ticket in lane.tickets
        }
        for row in await reader.select(recorded, recorded.key, sorted(asked)):
            seen: Recorded = recorded.of(recorded.decode(row))
            lanes[row[1]].sheet.learn(Recorded, (seen.channel, seen.idempotency_key), seen)
    return list(lanes.values())


async def _perform_lane(lane: _Lane, rules: Rules, recorded_at: datetime) -> None:
    for ticket in lane.tickets:
        savepoint = lane.sheet.savepoint()
        try:
            ticket.outcome = await _perform_one(ticket, lane, rules, recorded_at)
        except (Exception, CancelledError) as defect:
            # A defect of one operation is its own: the others of the batch go on. Nobody cancels an operation while
            # it performs, so a CancelledError is its own as well, and would stop the committer.
            lane.sheet.rollback(savepoint)
            ticket.defect = defect if isinstance(defect, Exception) else RuntimeError(f"it raised {defect!r}")


async def _perform_one(ticket: Ticket, lane: _Lane, rules: Rules, recorded_at: datetime) -> Outcome:
    operation, sheet = ticket.operation, lane.sheet
    request_hash = operation.request_hash()
    key = (operation.channel, operation.idempotency_key)
    stored: Recorded | None = sheet.get(Recorded, key)
    if stored is not None:
        return _replay(stored, request_hash, lane.member_id)
    now = operation.at or recorded_at
    newcomer = None
    if sheet.get(Member, ()) is None:
        newcomer = operation.newcomer() if isinstance(operation.member, ByExternalId) else None
        if newcomer is None:
            ref = operation.member
            name = ref.id if isinstance(ref, ById) else ref.external_id
            return Outcome(member_id=None, recorded=None, refusal=MemberNotFound(member=name))
    savepoint = sheet.savepoint()
    result: dict[str, Any]
    refusal: Refusal | None = None
    work = None
    try:
        work = Work(
            operation,
            operation_id=ticket.id,
            sheet=sheet,
            member_id=lane.member_id,
            programmes=rules.programmes,
            now=now,
            recorded_at=recorded_at,
            reactions=rules.reactions,
        )
        if newcomer is not None:
            assert isinstance(operation.member, ByExternalId)
            work.enrol(operation.member.external_id, newcomer)
        result = await operation.perform(work)
        await work.finish()
    except Refusal as refused:
        sheet.rollback(savepoint)
        refusal, result = refused, refused.to_json()
        if newcomer is not None or work is None:
            # There is no member, or no programme, that the refusal could be stored with.
            return Outcome(member_id=None, recorded=None, refusal=refused)
    else:
        if work.events:
            result["events"] = [{"name": event.name, **event.payload} for event in work.events]
            for event in work.events:
                if event.name in rules.outgoing:
                    outgoing = Outgoing(rules.new_id(), event.name, event.payload, recorded_at)
                    sheet.add(Outgoing, (outgoing.id,), outgoing)
    # As it will be read again, so that a replay answers the same to the letter. What is no JSON fails here, alone.
    result = orjson.loads(orjson.dumps(result))
    recorded = Recorded(
        channel=operation.channel,
        idempotency_key=operation.idempotency_key,
        id=ticket.id,
        kind=operation.kind,
        request_hash=request_hash,
        accepted=refusal is None,
        result=result,
        actor=operation.actor,
        programme_version=work.version.number,
        reverses=work.reverses if refusal is None else None,
        effective_at=now,
        recorded_at=recorded_at,
    )
    sheet.add(Recorded, key, recorded)
    return Outcome(member_id=lane.member_id, recorded=recorded, refusal=refusal)


def _replay(stored: Recorded, request_hash: str, member_id: str) -> Outcome:
    """The stored outcome for the same request; a mismatch for another one, which leaves the stored one alone."""
    if stored.request_hash != request_hash:
        mismatch = IdempotencyKeyMismatch(idempotency_key=stored.idempotency_key)
        return Outcome(member_id=member_id, recorded=None, refusal=mismatch)
    refusal = None if stored.accepted else Refusal.from_json(stored.result)
    return Outcome(member_id=member_id, recorded=stored, refusal=refusal, replayed=True)


async def _step_together(lanes: Iterable[Coroutine[Any, Any, None]], reader: Reader) -> None:
    """Run all lanes, asking together whatever they wait for at the same time."""
    ready: list[tuple[Coroutine[Any, Any, None], Any]] = [(lane, None) for lane in lanes]
    while ready:
        asked: dict[Any, dict[Any, list[Coroutine[Any, Any, None]]]] = defaultdict(lambda: defaultdict(list))
        for lane, answer in ready:
            try:
                read = lane.send(answer)
                while not isinstance(read, Read):
                    read = lane.throw(RuntimeError("an operation awaits nothing but what its work offers"))
            except StopIteration:
                continue
            asked[read.question][read.key].append(lane)
        ready = []
        for question, waiting in asked.items():
            answers = await question.answer(reader, list(waiting))
            ready += [(lane, answers.get(key)) for key, lanes_of in waiting.items() for lane in lanes_of]


async def _write(lanes: Iterable[_Lane], writer: Writer) -> None:
    """Write what stands new or changed on the sheets, one statement a table."""
    inserts: dict[Table, list[Row]] = defaultdict(list)
    updates: dict[Table, list[Row]] = defaultdict(list)
    tallies: list[Row] = []
    for lane in lanes:
        bucket = bucket_of(lane.member_id)
        for kind, _, value in lane.sheet.inserts():
            table = table_of(kind)
            rows = tallies if kind is Count else inserts[table]
            rows.append(table.row(bucket, lane.member_id, value))
        for kind, _, value in lane.sheet.updates():
            table = table_of(kind)
            updates[table].append(table.row(bucket, lane.member_id, value))
    for table, rows in inserts.items():
        await writer.insert(table, rows)
    for table, rows in updates.items():
        await writer.update(table, rows)
    if tallies:
        await writer.accumulate(table_of(Count), tallies)
