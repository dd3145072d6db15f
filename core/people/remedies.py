"""Remedies: putting something right for many at once. Transactions are reversed, or members compensated.

A remedy is written down with everything that it is about before anything is done. A job does it, item by item, each by
an operation whose key is made of the remedy: killed half-way it goes on where it was, and nothing is done twice.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import groupby
from typing import Any, ClassVar, Final, NamedTuple

import orjson
from tortoise.connection import get_connection

from core.books.accounts import Contra
from core.books.members import ById, MemberStatus, new_id
from core.channels.corrections import ReverseTransaction
from core.engine.committer import BATCH_MAX, Committer
from core.engine.operations import KEY_MAX, Operation, Outcome
from core.engine.work import Work
from core.errors import IdempotencyKeyMismatch, InvalidAmount, InvalidValue, MemberNotActive, NotFound, Refusal, fact
from core.models import RemedyItemRow, RemedyRow
from core.oversight.audit import Note, current_note, noting
from core.oversight.auditing import audited, write_down
from core.people.membership import check_reason
from core.people.selecting import Chosen, MemberSelection, TransactionSelection
from core.scheduling.jobs import Every, Job, Run
from core.store import writer
from core.store.databases import unit_of_work
from core.store.dialect import Reader, in_words_of
from core.store.tables import table_of
from core.time.clock import Clock
from core.units import AMOUNT_MAX, POINTS

JOB: Final = "remedies"
DEBTORS_MAX: Final = 100
_INSERTED_AT_ONCE: Final = 1_000


class Kind(StrEnum):
    """What a remedy does to each of its items."""

    REVERSE = "reverse"
    COMPENSATE = "compensate"


class State(StrEnum):
    """Where a remedy stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    """What became of an item."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


class RemedyNotFound(NotFound):
    """There is no remedy with that id."""

    code = "REMEDY_NOT_FOUND"
    says = "no remedy {remedy}"
    says_zh = "没有补救 {remedy}"
    remedy: str = fact("The id as it was given.")


class RemedyEnded(Refusal):
    """The remedy is done, or was cancelled before."""

    code = "REMEDY_ENDED"
    says = "the remedy is {state}"
    says_zh = "该补救的状态为 {state}"
    state: str = fact("done or cancelled.")


class SelectionChanged(Refusal):
    """Another number is selected by now than the preview showed. Look at it again."""

    code = "SELECTION_CHANGED"
    says = "{selected} are selected, {expected_count} were expected"
    says_zh = "选中了 {selected} 项，预期为 {expected_count} 项"
    selected: int = fact("How many are selected now.")
    expected_count: int = fact("How many were expected.")


@dataclass(frozen=True, kw_only=True)
class Compensate(Operation):
    """Give a member points to make up for something. Refuses MemberNotActive when the member has left."""

    channel: ClassVar[str] = "people"
    kind: ClassVar[str] = "compensate"

    points: int
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        if work.member.status == MemberStatus.CLOSED:
            raise MemberNotActive(status=work.member.status)
        await work.earn(self.points, contra=Contra.ADJUSTMENT)
        return {"points": self.points, "reason": self.reason}


# -- before anything is done ---------------------------------------------------------------------------


class Debtor(NamedTuple):
    """Who would owe points, or owe more, and how many they would owe then."""

    member: str
    debt: int


@dataclass
class Preview:
    """What reversing would come to at this moment. By unit: what would be taken back, and what given back."""

    transactions: int = 0
    members: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    given: Counter[str] = field(default_factory=Counter)
    debtors: list[Debtor] = field(default_factory=list)


async def preview_reversal(selection: TransactionSelection, reader: Reader, committer: Committer) -> Preview:
    """Rehearse it, member by member: nothing is written, and it promises nothing. Raises what selecting does."""
    chosen = await selection.choose(reader)
    preview = Preview(transactions=len(chosen), members=len({one.member for one in chosen}))
    for batch in _by_member(chosen):
        rehearsed = await committer.rehearse_many(
            [_reversal("preview", one, actor="preview", reason="a preview") for one in batch]
        )
        for outcome in rehearsed.outcomes:
            if outcome.refusal is not None:
                preview.refused[outcome.refusal.code] += 1
                continue
            for unit, amount in outcome.result["moved"].items():
                preview.taken[unit] += max(-amount, 0)
                preview.given[unit] += max(amount, 0)
        for member, (before, after) in sorted(rehearsed.debts.items()):
            if after > before:
                preview.debtors.append(Debtor(member, after))
    preview.debtors.sort(key=lambda debtor: (-debtor.debt, debtor.member))
    return preview


def _by_member(chosen: Sequence[Chosen]) -> list[list[Chosen]]:
    """In batches that keep what is of one member together, as one reversal bears on the next."""
    batches: list[list[Chosen]] = [[]]
    for _, group in groupby(chosen, key=lambda one: one.member):
        of_member = list(group)
        if batches[-1] and len(batches[-1]) + len(of_member) > BATCH_MAX:
            batches.append([])
        batches[-1] += of_member
    return batches


# -- writing it down -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an operator asks for: to reverse the transactions selected, or to give the members selected ``points`` each.

    ``expected`` is how many the preview showed, if it was looked at.
    """

    selection: TransactionSelection | MemberSelection
    reason: str
    key: str
    actor: str
    points: int = 0
    expected: int | None = None

    @property
    def kind(self) -> Kind:
        return Kind.REVERSE if isinstance(self.selection, TransactionSelection) else Kind.COMPENSATE

    @property
    def request_hash(self) -> str:
        said = [self.kind, self._selected(), self.points, self.reason]
        return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def selected(self) -> dict[str, Any]:
        """What was selected by, as it is kept: of members' names only how many there were."""
        said = {name: value for name, value in self._selected().items() if value not in (None, [], False, 0)}
        if "external_ids" in said:
            said["external_ids"] = len(said["external_ids"])
        return said

    def check(self) -> None:
        """Raises InvalidValue, InvalidAmount."""
        check_reason(self.reason)
        if not 0 < len(self.key) <= KEY_MAX:
            raise InvalidValue(field="idempotencyKey", reason=f"it must have 1 to {KEY_MAX} characters")
        if self.kind is Kind.COMPENSATE and not 0 < self.points <= AMOUNT_MAX:
            raise InvalidAmount(value=str(self.points), reason=f"points must be between 1 and {AMOUNT_MAX}")

    def _selected(self) -> dict[str, Any]:
        plain: dict[str, Any] = orjson.loads(
            orjson.dumps({of.name: getattr(self.selection, of.name) for of in fields(self.selection)})
        )
        return plain


async def begin(asked: Asked, reader: Reader, clock: Clock) -> tuple[RemedyRow, bool]:
    """Write down a remedy with all its items. Returns it, and whether that had been done before.

    Raises what selecting does, SelectionChanged, IdempotencyKeyMismatch, InvalidValue, InvalidAmount.
    """
    asked.check()
    if (known := await _known(asked)) is not None:
        return known, True
    if isinstance(asked.selection, TransactionSelection):
        chosen = await asked.selection.choose(reader)
    else:
        chosen, _ = await asked.selection.choose(reader)
    if asked.expected is not None and asked.expected != len(chosen):
        raise SelectionChanged(selected=len(chosen), expected_count=asked.expected)
    now = clock.now()

    async def write() -> tuple[RemedyRow, bool]:
        # Another may have been faster with the same key: then its row is found when this is tried again.
        if (known := await _known(asked)) is not None:
            return known, True
        row = await _insert(asked, chosen, now)
        after = {"remedy": row.id, "kind": row.kind, "items": row.items, "points": row.points}
        await write_down(now, before={}, after=after)
        return row, False

    return await audited(write)


async def _known(asked: Asked) -> RemedyRow | None:
    known = await RemedyRow.get_or_none(idempotency_key=asked.key)
    if known is not None and known.request_hash != asked.request_hash:
        raise IdempotencyKeyMismatch(idempotency_key=asked.key)
    return known


async def _insert(asked: Asked, chosen: Sequence[Chosen], now: datetime) -> RemedyRow:
    note = current_note()
    row = await RemedyRow.create(
        id=new_id(),
        idempotency_key=asked.key,
        request_hash=asked.request_hash,
        kind=str(asked.kind),
        state=str(State.WAITING),
        selection=asked.selected(),
        points=asked.points,
        items=len(chosen),
        reason=asked.reason,
        actor=asked.actor,
        mutation=note.mutation if note else "",
        request_id=note.request_id if note else "",
        created_at=now,
        started_at=None,
        finished_at=None,
    )
    table, write = table_of(RemedyItemRow), writer(get_connection("default"))
    blank = (str(ItemState.WAITING), 0, None, None, None)
    for at in range(0, len(chosen), _INSERTED_AT_ONCE):
        part = chosen[at : at + _INSERTED_AT_ONCE]
        await write.insert(
            table, [table.row(0, "", (new_id(), row.id, one.member, one.transaction, *blank)) for one in part]
        )
    return row


async def find_remedy(id: str) -> RemedyRow:
    """Raises RemedyNotFound."""
    row = await RemedyRow.get_or_none(id=id)
    if row is None:
        raise RemedyNotFound(remedy=id[:100])
    return row


async def cancel(id: str, *, clock: Clock) -> RemedyRow:
    """Do nothing more of it; what was done stays done. Raises RemedyNotFound, RemedyEnded."""
    now = clock.now()

    async def write() -> RemedyRow:
        row = await find_remedy(id)
        before = row.state
        ended = await RemedyRow.filter(id=id, state__in=[State.WAITING, State.RUNNING]).update(
            state=str(State.CANCELLED), finished_at=now
        )
        if not ended:
            raise RemedyEnded(state=row.state)
        await write_down(
            now, before={"remedy": id, "state": before}, after={"remedy": id, "state": str(State.CANCELLED)}
        )
        return await find_remedy(id)

    return await audited(write)


# -- doing it ------------------------------------------------------------------------------------------


async def work_off(run: Run) -> int:
    """Do what remedies have left to do, the oldest first; how many items that were."""
    done = 0
    open_ = RemedyRow.filter(state__in=[State.WAITING, State.RUNNING])
    for remedy in await open_.order_by("id"):
        await open_.filter(id=remedy.id, state=State.WAITING).update(state=str(State.RUNNING), started_at=run.now)
        while await open_.filter(id=remedy.id).exists() and (count := await _do_some(remedy, run)):
            done += count
        if not await RemedyItemRow.filter(remedy_id=remedy.id, state=ItemState.WAITING).exists():
            await open_.filter(id=remedy.id).update(state=str(State.DONE), finished_at=run.now)
    return done


async def _do_some(remedy: RemedyRow, run: Run) -> int:
    """Do some of the items that wait; how many there were."""
    waiting = RemedyItemRow.filter(remedy_id=remedy.id, state=ItemState.WAITING)
    items = await waiting.order_by("id").limit(BATCH_MAX)
    if not items:
        return 0
    # Each is in its member's audit log, as what the operator did who asked for it.
    note = Note(remedy.actor, remedy.mutation, remedy.request_id, remedy.reason) if remedy.mutation else None
    with noting(note):
        outcomes = await run.committer.submit_many(_operation(remedy, item) for item in items)
    for item, outcome in zip(items, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            raise outcome
        _settle(item, remedy, outcome)
    table = table_of(RemedyItemRow)
    rows = [table.row(0, "", tuple(getattr(item, column) for column in table.columns)) for item in items]

    async def write() -> None:
        await writer(get_connection("default")).update(table, rows)

    await unit_of_work(write)
    return len(items)


def _operation(remedy: RemedyRow, item: RemedyItemRow) -> Operation:
    if item.transaction_id is not None:
        chosen = Chosen(item.member, item.transaction_id)
        return _reversal(remedy.id, chosen, actor=remedy.actor, reason=remedy.reason)
    return Compensate(
        member=ById(item.member),
        idempotency_key=f"remedy:{remedy.id}",
        actor=remedy.actor,
        points=remedy.points,
        reason=remedy.reason,
    )


def _reversal(remedy: str, one: Chosen, *, actor: str, reason: str) -> ReverseTransaction:
    assert one.transaction is not None
    return ReverseTransaction(
        member=ById(one.member),
        idempotency_key=f"remedy:{remedy}:{one.transaction}",
        actor=actor,
        transaction=one.transaction,
        reason=reason,
    )


def _settle(item: RemedyItemRow, remedy: RemedyRow, outcome: Outcome) -> None:
    """Let the item say what became of it."""
    if outcome.refusal is not None:
        item.state, item.code = str(ItemState.REFUSED), outcome.refusal.code
        item.message = outcome.refusal.message[:500]
        return
    assert outcome.recorded is not None
    item.state, item.result_id = str(ItemState.DONE), outcome.recorded.id
    item.points = remedy.points or outcome.result["moved"].get(POINTS, 0)


REMEDIES: Final = Job(
    name=JOB,
    says="Reverses the transactions and compensates the members of remedies that operators have begun.",
    when=Every(timedelta(seconds=30)),
    run=work_off,
)


# -- looking at it -------------------------------------------------------------------------------------


class Progress(NamedTuple):
    """How far a remedy is: items by what became of them, and the points that were given and taken."""

    waiting: int = 0
    done: int = 0
    refused: int = 0
    given: int = 0
    taken: int = 0


class ProgressOf(NamedTuple):
    """How far remedies are. Keys are ``(id,)``."""

    async def answer(self, reader: Reader, keys: Sequence[tuple[str]]) -> Mapping[tuple[str], Progress]:
        marks = ", ".join("?" * len(keys))
        sql = (
            "SELECT remedy_id, state, COUNT(*), SUM(CASE WHEN points > 0 THEN points ELSE 0 END),"
            " SUM(CASE WHEN points < 0 THEN -points ELSE 0 END) FROM remedy_item"
            f" WHERE remedy_id IN ({marks}) GROUP BY remedy_id, state"
        )
        found: dict[tuple[str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for id, state, count, given, taken in await reader.query(in_words_of(reader, sql), [id for (id,) in keys]):
            of = found[id,]
            of[state] += int(count)
            of["given"] += int(given)
            of["taken"] += int(taken)
        return {key: Progress(**said) for key, said in found.items()}
