"""Forfeits in the schema: what was gained wrongly, what became of it, and taking it back."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import strawberry
from strawberry import ID

from core.books.accounts import Entry
from core.books.lots import Lot as LotValue
from core.books.lots import LotMove, MoveKind
from core.books.members import ById
from core.engine.operations import Outcome, Recorded
from core.errors import TransactionNotFound
from core.trust.forfeiting import TRANSACTIONS_MAX, ForfeitGains
from core.units import POINTS
from graph.context import Info
from graph.errors import UserError, user_error
from graph.ids import parts_of
from graph.member import Member, MemberByInput, find_member
from graph.pages import Connection, Page, paged, sliced
from graph.payload import Payload, perform
from graph.permissions import actor, mutation, query
from graph.scalars import Points
from graph.tokens import Role
from graph.transaction import Lot, Transaction

_MEMBER = "The member who has gained it."
_TRANSACTIONS = f"The transactions that gave it, at most {TRANSACTIONS_MAX}."
_CHANNEL = "A channel: all that it gave, if no period says less."
_FROM = "Of the channel, only what was earned at this instant or later."
_BEFORE = "Of the channel, only what was earned before this instant."
_POINTS = "How many of the points; all that is named, in every unit, if left out."


@strawberry.input
class PreviewForfeitInput:
    """What was gained wrongly: by transactions, or from a channel in a period, or both."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    transactions: list[ID] = strawberry.field(default_factory=list, description=_TRANSACTIONS)
    channel: str | None = strawberry.field(default=None, description=_CHANNEL)
    from_: datetime | None = strawberry.field(default=None, name="from", description=_FROM)
    before: datetime | None = strawberry.field(default=None, description=_BEFORE)
    points: Points | None = strawberry.field(default=None, description=_POINTS)


@strawberry.input
class ForfeitGainsInput:
    """What was gained wrongly: by transactions, or from a channel in a period, or both."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    transactions: list[ID] = strawberry.field(default_factory=list, description=_TRANSACTIONS)
    channel: str | None = strawberry.field(default=None, description=_CHANNEL)
    from_: datetime | None = strawberry.field(default=None, name="from", description=_FROM)
    before: datetime | None = strawberry.field(default=None, description=_BEFORE)
    points: Points | None = strawberry.field(default=None, description=_POINTS)
    reason: str = strawberry.field(description="Why, 3 to 1000 characters. It is kept with the transaction.")
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 200 characters: sent again with the same key it is not "
        "performed again, and answered as before."
    )


@strawberry.type
class ForfeitedUnit:
    """What becomes of what is asked back of a unit, by the programme's `claw_back`."""

    unit: str = strawberry.field(description="The unit: points, growth …")
    demanded: Points = strawberry.field(description="What is asked back.")
    taken: Points = strawberry.field(description="What is taken of what the member has.")
    debt: Points = strawberry.field(description="What the member then owes; the next earning repays it.")
    forgiven: Points = strawberry.field(description="What is not taken because it had expired.")
    uncollected: Points = strawberry.field(description="What is let go, as the programme takes no more.")


@strawberry.type
class SpentGain:
    """What a gain has bought."""

    transaction: Transaction = strawberry.field(
        description="The transaction that spent it: its channel, its reference."
    )
    amount: Points = strawberry.field(description="How much of the gain it spent and did not give back.")
    _receiver: strawberry.Private[str | None]

    @strawberry.field
    async def given_to(self, info: Info) -> Member | None:
        """The member to whom it was given; null when it was spent otherwise."""
        return None if self._receiver is None else await Member.find(info, self._receiver)


@strawberry.type
class Gain:
    """A lot that was gained wrongly, and where all of it is: in the lot, or what it was spent on, and so on."""

    unit: str = strawberry.field(description="The unit: points, growth …")
    amount: Points = strawberry.field(description="What was gained: `left` and all that follows it here come to it.")
    left: Points = strawberry.field(description="What is left in its lot.")
    spent: list[SpentGain] = strawberry.field(description="What it was spent on, the first first.")
    expired: Points = strawberry.field(description="What has expired of it.")
    repaid: Points = strawberry.field(description="What has repaid a debt.")
    passed_on: Points = strawberry.field(
        description="What lives on in another lot: it came back too late and was given more days, or went with a merge."
    )
    taken: Points = strawberry.field(description="What was taken from the lot before: refunded, reversed, forfeited.")
    asked_back: Points = strawberry.field(
        description="What was asked back of this gain before, from wherever it was taken; it is not asked for again."
    )
    set_aside: Points = strawberry.field(description="How much of `left` is set aside by holds.")
    lot: Lot = strawberry.field(description="The lot.")
    transaction: Transaction | None = strawberry.field(description="The transaction that gave it.")


@strawberry.type
class ForfeitPreview:
    """What a forfeit would do at this moment."""

    units: list[ForfeitedUnit] = strawberry.field(description="What would become of it, by unit.")
    errors: list[UserError] = strawberry.field(description="Why it would be refused; empty when it would not be.")
    _member_id: strawberry.Private[str]
    _lots: strawberry.Private[Sequence[tuple[str, int]]]

    @strawberry.field
    @paged
    async def gains(self, info: Info, page: Page) -> Connection[Gain]:
        """Every gain that something would be asked back of, by unit, in the order in which they were earned."""
        keyed = [(f"{unit}:{seq}", (unit, seq)) for unit, seq in self._lots]
        named = sliced(f"gains:{self._member_id}", keyed, page)
        gains = await asyncio.gather(*(_gain(info, self._member_id, unit, seq) for unit, seq in named.nodes))
        return named.of(gains)


@strawberry.type
class ForfeitGainsPayload(Payload):
    """What became of a forfeit."""

    units: list[ForfeitedUnit] = strawberry.field(
        default_factory=list, description="What became of what was asked back, by unit; empty when it was refused."
    )


@strawberry.type
class ForfeitQueries:
    """What can be asked about what was gained wrongly."""

    @query(allow={Role.OPERATOR, Role.ANALYST})
    async def preview_forfeit(self, info: Info, input: PreviewForfeitInput) -> ForfeitPreview:
        """What `forfeitGains` would do now: each gain, what it was spent on, what is taken. Nothing is changed."""
        # No request has this name, and none ever will.
        member_id, operation = await _forfeit(info, input, f"preview:{uuid4()}", "a preview")
        outcome = await info.context.laurel.committer.rehearse(operation)
        if outcome.refusal is not None:
            return ForfeitPreview(units=[], errors=[user_error(info, outcome.refusal)], _member_id=member_id, _lots=[])
        lots = [(unit, seq) for unit, numbers in _by_unit(outcome.result["lots"]) for seq in numbers]
        return ForfeitPreview(units=_units(outcome), errors=[], _member_id=member_id, _lots=lots)


@strawberry.type
class ForfeitMutations:
    """What operators do about what was gained wrongly."""

    @mutation(allow={Role.OPERATOR})
    async def forfeit_gains(self, info: Info, input: ForfeitGainsInput) -> ForfeitGainsPayload:
        """Take back what was gained wrongly, also where it is spent already: by the programme's `claw_back`.

        Each gain is asked back once. TRANSACTION_NOT_FOUND, NOTHING_GAINED, ALREADY_TAKEN_BACK, NOTHING_TO_FORFEIT,
        FORFEIT_EXCEEDS_GAINS, TOO_MANY_GAINS.
        """
        _, operation = await _forfeit(info, input, input.idempotency_key, input.reason)
        return await perform(info, operation, ForfeitGainsPayload, lambda outcome: {"units": _units(outcome)})


async def _forfeit(
    info: Info, input: PreviewForfeitInput | ForfeitGainsInput, key: str, reason: str
) -> tuple[str, ForfeitGains]:
    """The member and the operation. Raises InvalidId, and TransactionNotFound for a transaction of somebody else."""
    member = await find_member(info, input.member)
    named = [(id, *parts_of(id, "Transaction", 2)) for id in input.transactions]
    for id, member_id, _ in named:
        if member is not None and member_id != member.member_id:
            raise TransactionNotFound(transaction=id)
    operation = ForfeitGains(
        member=input.member.to_ref(info) if member is None else ById(member.member_id),
        idempotency_key=key,
        actor=actor(info),
        transactions=tuple(transaction for _, _, transaction in named),
        of_channel=input.channel,
        since=input.from_,
        before=input.before,
        points=input.points,
        reason=reason,
    )
    return ("" if member is None else member.member_id), operation


def _units(outcome: Outcome) -> list[ForfeitedUnit]:
    fates: Mapping[str, Mapping[str, int]] = outcome.result["fates"]
    return [
        ForfeitedUnit(
            unit=unit,
            demanded=Points(fate["demanded"]),
            taken=Points(fate["taken"]),
            debt=Points(fate["debt"]),
            forgiven=Points(fate["forgiven"]),
            uncollected=Points(fate["demanded"] - fate["taken"] - fate["debt"] - fate["forgiven"]),
        )
        for unit, fate in _by_unit(fates)
    ]


def _by_unit(said: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What is said by unit, points first, as they are what most readers look for."""
    return sorted(said.items(), key=lambda pair: (pair[0] != POINTS, pair[0]))


async def _gain(info: Info, member_id: str, unit: str, seq: int) -> Gain:
    """Where all of a lot is, by what was moved of it."""
    loaders = info.context.loaders
    found, moves = await asyncio.gather(
        loaders.rows(LotValue, member_id, unit=unit, seq=seq), loaders.rows(LotMove, member_id, unit=unit, lot_seq=seq)
    )
    lot: LotValue = found[0]
    moved: dict[str, int] = defaultdict(int)
    for move in moves:
        moved[move.kind] -= move.amount
    return Gain(
        unit=unit,
        amount=Points(lot.amount),
        left=Points(lot.remaining),
        spent=await _spent(info, member_id, moves),
        expired=Points(moved[MoveKind.EXPIRE]),
        repaid=Points(moved[MoveKind.REPAY]),
        passed_on=Points(moved[MoveKind.CARRY] + moved[MoveKind.MERGE]),
        taken=Points(moved[MoveKind.CLAW_BACK]),
        asked_back=Points(lot.clawed),
        set_aside=Points(lot.held),
        lot=Lot.of(member_id, lot, info.context.now),
        transaction=await Transaction.find(info, member_id, lot.operation_id),
    )


async def _spent(info: Info, member_id: str, moves: Sequence[LotMove]) -> list[SpentGain]:
    """What was spent of a lot and did not come back, by the transaction that spent it."""
    used = [move for move in moves if move.kind in (MoveKind.SPEND, MoveKind.RESTORE)]
    done = await asyncio.gather(*(_operation_of(info, member_id, move) for move in used))
    spent: dict[str, int] = defaultdict(int)
    for move, recorded in zip(used, done, strict=True):
        spent[recorded.reverses or recorded.id] -= move.amount
    bought = [recorded for move, recorded in zip(used, done, strict=True) if move.kind == MoveKind.SPEND]
    return [
        SpentGain(
            transaction=Transaction.of(member_id, recorded),
            amount=Points(spent[recorded.id]),
            _receiver=_receiver(recorded),
        )
        for recorded in sorted({one.id: one for one in bought}.values(), key=lambda one: one.id)
        if spent[recorded.id]
    ]


async def _operation_of(info: Info, member_id: str, move: LotMove) -> Recorded:
    """The operation that made a move."""
    loaders = info.context.loaders
    entries: list[Entry] = await loaders.rows(Entry, member_id, unit=move.unit, seq=move.seq)
    found: list[Recorded] = await loaders.rows(Recorded, member_id, id=entries[0].operation_id)
    return found[0]


def _receiver(recorded: Recorded) -> str | None:
    """To whom an operation has given points, as it told: an event of it names the ``receiver``."""
    events: Sequence[Mapping[str, Any]] = recorded.result.get("events", ())
    named = (event.get("receiver") for event in events)
    return next((receiver for receiver in named if isinstance(receiver, str)), None)
