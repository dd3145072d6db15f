"""Remedies in the schema: transactions reversed and members compensated, many at once, with a look at it before."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry import ID

from core.errors import InvalidValue, JobRunning
from core.models import RemedyItemRow, RemedyRow
from core.people import remedies
from core.people.remedies import DEBTORS_MAX, Asked, ProgressOf
from core.people.selecting import (
    COMPENSATED_MAX,
    DAYS_MAX,
    NAMED_MAX,
    REVERSED_MAX,
    MemberSelection,
    TransactionSelection,
)
from graph.context import Info
from graph.errors import UserError
from graph.ids import Node, global_id, parts_of
from graph.member import Member
from graph.pages import Connection, Page, Where, newest, oldest, page_of_all, paged
from graph.permissions import actor, caller_of, mutation, query
from graph.scalars import Points
from graph.texts import check_text
from graph.tokens import Role
from graph.transaction import Transaction
from graph.trust import KEY

_READERS = frozenset({Role.OPERATOR, Role.ADMIN})
_REASON = "Why, 3 to 1000 characters. It is kept with the remedy and with each transaction."
_EXPECTED = "How many the preview showed. If it is another number by now, nothing is done: SELECTION_CHANGED."
_CHANNELS_MAX = 50


@strawberry.enum
class RemedyKind(Enum):
    """What a remedy does to each of its items."""

    REVERSE = strawberry.enum_value("reverse", description="Takes a transaction back.")
    COMPENSATE = strawberry.enum_value("compensate", description="Gives a member points.")


@strawberry.enum
class RemedyState(Enum):
    """Where a remedy stands."""

    WAITING = strawberry.enum_value("waiting", description="A process that runs jobs will begin with it.")
    RUNNING = strawberry.enum_value("running", description="It is being done, item by item.")
    DONE = strawberry.enum_value("done", description="Every item was done or refused.")
    CANCELLED = strawberry.enum_value("cancelled", description="Nothing more is done of it; what was done stays done.")


@strawberry.enum
class RemedyItemState(Enum):
    """What became of an item."""

    WAITING = strawberry.enum_value("waiting", description="Nothing yet.")
    DONE = strawberry.enum_value("done", description="It was done.")
    REFUSED = strawberry.enum_value("refused", description="It was refused; the item says why.")


# -- what is selected ----------------------------------------------------------------------------------


@strawberry.input
class TransactionSelectionInput:
    """Which transactions are meant: all that is given must hold, and something must bound them.

    Give a window, a programme version, references or transactions. Reversals are never meant, nor what moved no points.
    """

    channel: str | None = strawberry.field(default=None, description="The channel that did it: purchase.")
    kind: str | None = strawberry.field(default=None, description="What was done there: record.")
    since: datetime | None = strawberry.field(default=None, description="Recorded at this instant or later.")
    until: datetime | None = strawberry.field(default=None, description="Recorded before this instant.")
    programme_version: int | None = strawberry.field(
        default=None, description="Judged by this version of the programme."
    )
    references: list[str] = strawberry.field(
        default_factory=list,
        description=f"With one of these partner's numbers, at most {NAMED_MAX}; the channel must be given, too.",
    )
    transactions: list[ID] = strawberry.field(default_factory=list, description=f"One of these, at most {NAMED_MAX}.")

    def to_selection(self) -> TransactionSelection:
        """Raises InvalidId, InvalidValue."""
        _check_texts("channel", [text for text in (self.channel, self.kind) if text is not None])
        _check_texts("references", self.references)
        if len(self.transactions) > NAMED_MAX:
            raise InvalidValue(field="transactions", reason=f"at most {NAMED_MAX} at once")
        named = [parts_of(id, "Transaction", 2) for id in self.transactions]
        return TransactionSelection(
            channel=self.channel,
            kind=self.kind,
            since=self.since,
            until=self.until,
            programme_version=self.programme_version,
            references=tuple(self.references),
            transactions=tuple((member, transaction) for member, transaction in named),
        )


@strawberry.input
class MemberSelectionInput:
    """Which members were hit: either all who asked something of channels in a window, or those who are named.

    Who was refused has asked, too. Who has left the programme is left out, who was merged is the other member by
    now, and each member is meant once.
    """

    channels: list[str] = strawberry.field(default_factory=list, description="The channels that did not work.")
    since: datetime | None = strawberry.field(default=None, description="When it began.")
    until: datetime | None = strawberry.field(default=None, description="When it was over.")
    refused_only: bool = strawberry.field(
        default=False, description="Only those who were refused something there in the window."
    )
    active_days: int = strawberry.field(
        default=0,
        description="Those as well who did something in the channels in so many days before the window, as they may "
        f"have tried and not got through at all; at most {DAYS_MAX}.",
    )
    external_ids: list[str] = strawberry.field(
        default_factory=list,
        description=f"The members by the brand's own ids, at most {NAMED_MAX}; instead of the others.",
    )

    def to_selection(self) -> MemberSelection:
        """Raises InvalidValue."""
        _check_texts("channels", self.channels)
        _check_texts("externalIds", self.external_ids)
        if len(self.channels) > _CHANNELS_MAX:
            raise InvalidValue(field="channels", reason=f"at most {_CHANNELS_MAX} at once")
        return MemberSelection(
            channels=tuple(sorted(set(self.channels))),
            since=self.since,
            until=self.until,
            refused_only=self.refused_only,
            active_days=self.active_days,
            external_ids=tuple(self.external_ids),
        )


def _check_texts(name: str, texts: Collection[str]) -> None:
    for text in texts:
        check_text(name, text)


# -- a look at it --------------------------------------------------------------------------------------


@strawberry.type
class UnitMoved:
    """What would be taken and given back of a unit."""

    unit: str = strawberry.field(description="The unit: points, growth …")
    taken: Points = strawberry.field(description="What would be taken back, debt included.")
    given: Points = strawberry.field(description="What would be given back.")


@strawberry.type
class RefusalCount:
    """How often a refusal would be the answer."""

    code: str = strawberry.field(description="The refusal's code.")
    count: int = strawberry.field(description="How often.")


@strawberry.type
class Debtor:
    """A member who would owe points, or more of them."""

    debt: Points = strawberry.field(description="What the member would owe then.")
    _member: strawberry.Private[str]

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """The member."""
        return await Member.find(info, self._member)


@strawberry.type
class ReversalPreview:
    """What reversing would come to at this moment. Nothing was done, and nothing is promised."""

    transactions: int = strawberry.field(description="How many transactions are selected.")
    members: int = strawberry.field(description="Of how many members.")
    moved: list[UnitMoved] = strawberry.field(description="What would be moved, by unit.")
    refused: list[RefusalCount] = strawberry.field(description="How many would be refused, and why.")
    debtor_count: int = strawberry.field(description="How many members would owe points, or more of them.")
    debtors: list[Debtor] = strawberry.field(
        description=f"Those who would owe most, at most {DEBTORS_MAX}, the greatest debt first."
    )


@strawberry.type
class CompensationPreview:
    """What compensating would come to at this moment. Nothing was done, and nothing is promised."""

    members: int = strawberry.field(description="How many members are selected.")
    points: Points = strawberry.field(description="How many points they would get together.")
    left_out: int = strawberry.field(description="How many were hit and have left since: they get nothing.")


@strawberry.type
class Remedy(Node):
    """Something that is put right for many at once."""

    kind: RemedyKind = strawberry.field(description="What is done to each item.")
    state: RemedyState = strawberry.field(description="Where it stands.")
    reason: str = strawberry.field(description="Why.")
    actor: str = strawberry.field(description="Who began it.")
    points: Points | None = strawberry.field(description="What each member gets; null where transactions are reversed.")
    item_count: int = strawberry.field(description="How many items it has.")
    created_at: datetime = strawberry.field(description="When it was begun.")
    started_at: datetime | None = strawberry.field(description="When its first item was done; null when none was.")
    finished_at: datetime | None = strawberry.field(description="When it ended; null while it has not.")
    _id: strawberry.Private[str]

    @classmethod
    def of(cls, row: RemedyRow) -> "Remedy":
        return cls(
            id=global_id("Remedy", row.id),
            kind=RemedyKind(row.kind),
            state=RemedyState(row.state),
            reason=row.reason,
            actor=row.actor,
            points=Points(row.points) if row.points else None,
            item_count=row.items,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            _id=row.id,
        )

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "Remedy | None":
        match parts:
            case (id,) if caller_of(info).role in _READERS:
                row = await RemedyRow.get_or_none(id=id)
                return None if row is None else cls.of(row)
            case _:
                return None

    @strawberry.field
    async def progress(self, info: Info) -> "RemedyProgress":
        """How far it is."""
        found: remedies.Progress = await info.context.loaders.ask(ProgressOf(), (self._id,)) or remedies.Progress()
        return RemedyProgress(
            waiting=found.waiting,
            done=found.done,
            refused=found.refused,
            given=Points(found.given),
            taken=Points(found.taken),
        )


@strawberry.type
class RemedyProgress:
    """How far a remedy is."""

    waiting: int = strawberry.field(description="How many items nothing was done about yet.")
    done: int = strawberry.field(description="How many were done.")
    refused: int = strawberry.field(description="How many were refused.")
    given: Points = strawberry.field(description="How many points were given, or given back.")
    taken: Points = strawberry.field(description="How many points were taken back.")


@strawberry.type
class RemedyItem:
    """One thing that a remedy puts right."""

    state: RemedyItemState = strawberry.field(description="What became of it.")
    points: Points = strawberry.field(description="What it gave the member; negative for what it took.")
    refusal_code: str | None = strawberry.field(description="The code of the refusal; null when there was none.")
    refusal_message: str | None = strawberry.field(description="The refusal in a sentence; null when there was none.")
    _member: strawberry.Private[str]
    _target: strawberry.Private[str | None]
    _result: strawberry.Private[str | None]

    @classmethod
    def of(cls, row: RemedyItemRow) -> "RemedyItem":
        return cls(
            state=RemedyItemState(row.state),
            points=Points(row.points),
            refusal_code=row.code,
            refusal_message=row.message,
            _member=row.member,
            _target=row.transaction_id,
            _result=row.result_id,
        )

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """The member."""
        return await Member.find(info, self._member)

    @strawberry.field
    async def target(self, info: Info) -> Transaction | None:
        """The transaction to reverse; null where members are compensated."""
        return None if self._target is None else await Transaction.find(info, self._member, self._target)

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that did it; null when it was not done."""
        return None if self._result is None else await Transaction.find(info, self._member, self._result)


# -- asking --------------------------------------------------------------------------------------------


@strawberry.type
class RemedyQueries:
    """What can be asked about putting something right for many."""

    @query(allow={Role.OPERATOR})
    async def reversal_preview(
        self,
        info: Info,
        selection: Annotated[TransactionSelectionInput, strawberry.argument(description="Which transactions.")],
    ) -> ReversalPreview:
        """What reversing these transactions would come to; each is rehearsed, in the order in which they would be done.

        NOTHING_SELECTED, TOO_MUCH_SELECTED.
        """
        laurel = info.context.laurel
        preview = await remedies.preview_reversal(selection.to_selection(), info.context.reader, laurel.committer)
        return ReversalPreview(
            transactions=preview.transactions,
            members=preview.members,
            moved=[
                UnitMoved(unit=unit, taken=Points(preview.taken[unit]), given=Points(preview.given[unit]))
                for unit in sorted({*preview.taken, *preview.given})
            ],
            refused=[RefusalCount(code=code, count=count) for code, count in sorted(preview.refused.items())],
            debtor_count=len(preview.debtors),
            debtors=[Debtor(debt=Points(one.debt), _member=one.member) for one in preview.debtors[:DEBTORS_MAX]],
        )

    @query(allow={Role.OPERATOR})
    async def compensation_preview(
        self,
        info: Info,
        selection: Annotated[MemberSelectionInput, strawberry.argument(description="Which members.")],
        points: Annotated[Points, strawberry.argument(description="How many points each would get.")],
    ) -> CompensationPreview:
        """What compensating these members would come to. NOTHING_SELECTED, TOO_MUCH_SELECTED, MEMBER_NOT_FOUND."""
        chosen, left_out = await selection.to_selection().choose(info.context.reader)
        return CompensationPreview(members=len(chosen), points=Points(len(chosen) * points), left_out=left_out)

    @query(allow={Role.OPERATOR})
    async def remedy(self, info: Info, id: Annotated[ID, strawberry.argument(description="Its id.")]) -> Remedy | None:
        """A remedy by its id; null when there is none."""
        (named,) = parts_of(id, "Remedy", 1)
        return await Remedy.resolve_node(info, named)

    @query(allow={Role.OPERATOR})
    @paged
    async def remedies(self, info: Info, page: Page) -> Connection[Remedy]:
        """What was put right for many at once, the newest first."""
        return await page_of_all(info, RemedyRow, lambda _, row: Remedy.of(row), page, newest("id"))

    @query(allow={Role.OPERATOR})
    @paged
    async def remedy_items(
        self,
        info: Info,
        page: Page,
        remedy: Annotated[ID, strawberry.argument(description="The remedy's id.")],
        state: Annotated[
            RemedyItemState | None, strawberry.argument(description="Only those of which this became; all if left out.")
        ] = None,
    ) -> Connection[RemedyItem]:
        """What a remedy is about, one by one, and what became of each."""
        (named,) = parts_of(remedy, "Remedy", 1)
        where = [Where("remedy_id = ?", (named,))]
        if state is not None:
            where.append(Where("state = ?", (state.value,)))
        return await page_of_all(info, RemedyItemRow, lambda _, row: RemedyItem.of(row), page, oldest("id"), where)


@strawberry.input
class ReverseTransactionsInput:
    """Transactions to take back."""

    selection: TransactionSelectionInput = strawberry.field(description="Which ones.")
    expected_count: int | None = strawberry.field(default=None, description=_EXPECTED)
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input
class CompensateMembersInput:
    """Members to make up to."""

    selection: MemberSelectionInput = strawberry.field(description="Which ones.")
    points: Points = strawberry.field(description="How many points each gets.")
    expected_count: int | None = strawberry.field(default=None, description=_EXPECTED)
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input
class CancelRemedyInput:
    """A remedy to stop."""

    remedy: ID = strawberry.field(description="The remedy's id.")
    reason: str = strawberry.field(description="Why. It is kept in the audit log.")


@strawberry.type
class ReverseTransactionsPayload:
    """What became of the request to reverse transactions."""

    remedy: Remedy | None = strawberry.field(default=None, description="The remedy; null when it was refused.")
    replayed: bool = strawberry.field(default=False, description="Whether it had been begun before by this key.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was not."
    )


@strawberry.type
class CompensateMembersPayload:
    """What became of the request to compensate members."""

    remedy: Remedy | None = strawberry.field(default=None, description="The remedy; null when it was refused.")
    replayed: bool = strawberry.field(default=False, description="Whether it had been begun before by this key.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was not."
    )


@strawberry.type
class CancelRemedyPayload:
    """What became of the request to stop a remedy."""

    remedy: Remedy | None = strawberry.field(default=None, description="The remedy; null when it was refused.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was not."
    )


@strawberry.type
class RemedyMutations:
    """What operators do when a mistake has hit many."""

    @mutation(allow={Role.OPERATOR})
    async def reverse_transactions(self, info: Info, input: ReverseTransactionsInput) -> ReverseTransactionsPayload:
        """Take many transactions back, each once: see `reversalPreview` first.

        It is written down at once and done by a process that runs jobs, within moments. `remedyItems` says what became
        of each. NOTHING_SELECTED; TOO_MUCH_SELECTED beyond 5,000; SELECTION_CHANGED.
        """
        asked = Asked(
            selection=input.selection.to_selection(),
            reason=input.reason,
            key=check_text("idempotencyKey", input.idempotency_key),
            actor=actor(info),
            expected=input.expected_count,
        )
        remedy, replayed = await _begin(info, asked)
        return ReverseTransactionsPayload(remedy=remedy, replayed=replayed)

    @mutation(allow={Role.OPERATOR})
    async def compensate_members(self, info: Info, input: CompensateMembersInput) -> CompensateMembersPayload:
        """Give many members points to make up for something, each once: see `compensationPreview` first.

        It is written down at once and done by a process that runs jobs, within moments. NOTHING_SELECTED;
        TOO_MUCH_SELECTED beyond 100,000; SELECTION_CHANGED; MEMBER_NOT_FOUND for a name that nobody has.
        """
        asked = Asked(
            selection=input.selection.to_selection(),
            points=input.points,
            reason=input.reason,
            key=check_text("idempotencyKey", input.idempotency_key),
            actor=actor(info),
            expected=input.expected_count,
        )
        remedy, replayed = await _begin(info, asked)
        return CompensateMembersPayload(remedy=remedy, replayed=replayed)

    @mutation(allow={Role.OPERATOR})
    async def cancel_remedy(self, info: Info, input: CancelRemedyInput) -> CancelRemedyPayload:
        """Do nothing more of a remedy; what was done stays done. REMEDY_NOT_FOUND, REMEDY_ENDED."""
        (named,) = parts_of(input.remedy, "Remedy", 1)
        return CancelRemedyPayload(remedy=Remedy.of(await remedies.cancel(named, clock=info.context.laurel.clock)))


async def _begin(info: Info, asked: Asked) -> tuple[Remedy, bool]:
    laurel = info.context.laurel
    check_text("reason", asked.reason, len(asked.reason))
    row, replayed = await remedies.begin(asked, info.context.reader, laurel.clock)
    if not replayed:
        # Within seconds rather than when it is due; a run that goes on finds it before it ends, or the next one does.
        with suppress(JobRunning):
            await laurel.jobs.ask_for(remedies.JOB)
    info.context.wrote()
    return Remedy.of(row), replayed


assert (REVERSED_MAX, COMPENSATED_MAX) == (5_000, 100_000), "descriptions say so"
