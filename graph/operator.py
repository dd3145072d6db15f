"""The mutations every programme has: enrolling members, spending without a channel, putting things right."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import strawberry
from strawberry import ID

from core.books import members
from core.books.members import ByExternalId, ById
from core.channels.corrections import AdjustPoints, ExtendPoints, ReverseTransaction
from core.channels.redemption import HOLD_SECONDS_DEFAULT, CaptureHold, HoldPoints, RedeemPoints, ReleaseHold
from core.engine.operations import Outcome
from core.errors import HoldNotFound, InvalidValue, LotNotFound
from core.people.membership import ChangeMemberStatus, EnrolMember, UpdateMember
from core.units import POINTS
from graph.context import Info
from graph.ids import InvalidId, parts_of
from graph.member import MemberByInput, MemberStatus, find_member
from graph.payload import Payload, perform
from graph.permissions import ACTING, actor, may_see, mutation
from graph.scalars import Points
from graph.texts import check_text
from graph.tokens import Role
from graph.transaction import Hold

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before. Best derived from what happened: redeem:<your number>."
)
_MEMBER = "The member it is about."
_UNIT = "The unit: points, or another that can be spent."
_REFERENCE = "Your number for what it is about, at most 200 characters."
LOTS_MAX: Final = 1_000
_REASON = "Why, 3 to 1000 characters. It is kept with the transaction."


@strawberry.input
class AttributeInput:
    """Something the brand knows of a member."""

    name: str = strawberry.field(description="What it is: city. At most 100 characters.")
    value: str | None = strawberry.field(description="What is known; null removes it.")


@strawberry.input
class EnrolMemberInput:
    """A member to enrol."""

    external_id: str = strawberry.field(description="The brand's own id of the member, 1 to 128 characters.")
    idempotency_key: str = strawberry.field(description=_KEY)
    birthday: date | None = strawberry.field(default=None, description="The member's birthday.")
    attributes: list[AttributeInput] = strawberry.field(
        default_factory=list, description="What the brand knows of the member."
    )
    enrolled_at: datetime | None = strawberry.field(
        default=None, description="When the membership began, where that lies back; now if left out."
    )


@strawberry.input
class UpdateMemberInput:
    """What is newly known of a member. What is left out stays as it is."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    idempotency_key: str = strawberry.field(description=_KEY)
    birthday: strawberry.Maybe[date | None] = strawberry.field(
        description="The member's birthday. It can be changed but not removed, so null is refused."
    )
    attributes: list[AttributeInput] = strawberry.field(
        default_factory=list, description="Attributes to set or, with a value of null, to remove."
    )


@strawberry.input
class ChangeMemberStatusInput:
    """What a member may do from now on."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    status: MemberStatus = strawberry.field(description="The new status. A closed membership stays closed.")
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class RedeemPointsInput:
    """Points to spend."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    points: Points = strawberry.field(description="How many.")
    reference: str = strawberry.field(default="", description=_REFERENCE)
    unit: str = strawberry.field(default=POINTS, description=_UNIT)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class HoldPointsInput:
    """Points to set aside."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    points: Points = strawberry.field(description="How many.")
    seconds: int = strawberry.field(
        default=HOLD_SECONDS_DEFAULT, description="For how long, at most 90 days; then they are given back."
    )
    reference: str = strawberry.field(default="", description=_REFERENCE)
    unit: str = strawberry.field(default=POINTS, description=_UNIT)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class CaptureHoldInput:
    """A hold to spend."""

    hold: ID = strawberry.field(description="The hold's id.")
    points: Points | None = strawberry.field(
        default=None, description="How many of the points; all if left out. The rest is given back."
    )
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class ReleaseHoldInput:
    """A hold to give back."""

    hold: ID = strawberry.field(description="The hold's id.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class AdjustPointsInput:
    """Points to give or take for a stated reason."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    points: Points = strawberry.field(description="How many; negative to take.")
    reason: str = strawberry.field(description=_REASON)
    unit: str = strawberry.field(default=POINTS, description="The unit: points, growth …")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class ExtendPointsInput:
    """Points that are to last longer."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    expires_on: date = strawberry.field(
        description="From 00:00 of this day on, in the programme's time zone, they cannot be used. Not in the past."
    )
    lots: list[ID] = strawberry.field(
        default_factory=list,
        description="Which lots, at most 1000; if none is given, all of the unit that would expire sooner.",
    )
    unit: str = strawberry.field(default=POINTS, description="The unit: points, growth …")
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class ReverseTransactionInput:
    """A transaction to take back."""

    transaction: ID = strawberry.field(description="The transaction's id.")
    points: Points | None = strawberry.field(
        default=None, description="How many of its points; all that is left of it, in every unit, if left out."
    )
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.type
class EnrolMemberPayload(Payload):
    """What became of an enrolment."""


@strawberry.type
class UpdateMemberPayload(Payload):
    """What became of an update."""


@strawberry.type
class ChangeMemberStatusPayload(Payload):
    """What became of a change of status."""


@strawberry.type
class RedeemPointsPayload(Payload):
    """What became of a redemption."""


@strawberry.type
class HoldPointsPayload(Payload):
    """What became of setting points aside."""

    hold: Hold | None = strawberry.field(default=None, description="The hold; null when it was refused.")


@strawberry.type
class CaptureHoldPayload(Payload):
    """What became of a capture."""

    hold: Hold | None = strawberry.field(default=None, description="The hold as it is now; null when it was refused.")


@strawberry.type
class ReleaseHoldPayload(Payload):
    """What became of a release."""

    hold: Hold | None = strawberry.field(default=None, description="The hold as it is now; null when it was refused.")


@strawberry.type
class AdjustPointsPayload(Payload):
    """What became of an adjustment."""


@strawberry.type
class ExtendPointsPayload(Payload):
    """What became of letting points last longer."""

    points: Points | None = strawberry.field(
        default=None, description="How many last longer; null when it was refused."
    )


@strawberry.type
class ReverseTransactionPayload(Payload):
    """What became of a reversal."""


@strawberry.type
class CoreMutations:
    """The mutations every programme has."""

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def enrol_member(self, info: Info, input: EnrolMemberInput) -> EnrolMemberPayload:
        """Make a member of somebody whom the brand knows by an id of its own."""
        operation = EnrolMember(
            member=ByExternalId(input.external_id),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            birthday=input.birthday,
            attributes={name: value for name, value in _attributes(input.attributes).items() if value is not None},
            enrolled_at=input.enrolled_at,
        )
        return await perform(info, operation, EnrolMemberPayload)

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def update_member(self, info: Info, input: UpdateMemberInput) -> UpdateMemberPayload:
        """Change what is known of a member."""
        if input.birthday is not None and input.birthday.value is None:
            # Taken for left out, it would look as if the birthday had been removed.
            raise InvalidValue(field="birthday", reason="it can be changed but not removed; leave it out to keep it")
        operation = UpdateMember(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            birthday=input.birthday.value if input.birthday is not None else None,
            attributes=_attributes(input.attributes),
        )
        return await perform(info, operation, UpdateMemberPayload)

    @mutation(allow={Role.OPERATOR})
    async def change_member_status(self, info: Info, input: ChangeMemberStatusInput) -> ChangeMemberStatusPayload:
        """Freeze a member, let them go on, or close the membership for good."""
        operation = ChangeMemberStatus(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            status=members.MemberStatus(str(input.status.value)),
            reason=input.reason,
        )
        return await perform(info, operation, ChangeMemberStatusPayload)

    @mutation(allow=ACTING)
    async def redeem_points(self, info: Info, input: RedeemPointsInput) -> RedeemPointsPayload:
        """Spend points at once, the soonest-expiring first."""
        operation = RedeemPoints(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            points=input.points,
            reference=check_text("reference", input.reference, shortest=0),
            unit=input.unit,
        )
        return await perform(info, operation, RedeemPointsPayload)

    @mutation(allow=ACTING)
    async def hold_points(self, info: Info, input: HoldPointsInput) -> HoldPointsPayload:
        """Set points aside for a checkout; capture them when it is paid, release them when it is not."""
        operation = HoldPoints(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            points=input.points,
            seconds=input.seconds,
            reference=check_text("reference", input.reference, shortest=0),
            unit=input.unit,
        )
        return await perform(info, operation, HoldPointsPayload, lambda outcome: _hold_of(info, outcome))

    @mutation(allow=ACTING)
    async def capture_hold(self, info: Info, input: CaptureHoldInput) -> CaptureHoldPayload:
        """Spend what a hold has set aside, or part of it."""
        member, unit, number = hold_named(info, input.hold)
        operation = CaptureHold(
            member=member,
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            hold=number,
            points=input.points,
            unit=unit,
        )
        return await perform(info, operation, CaptureHoldPayload, lambda outcome: _hold_of(info, outcome))

    @mutation(allow=ACTING)
    async def release_hold(self, info: Info, input: ReleaseHoldInput) -> ReleaseHoldPayload:
        """Give back what a hold has set aside."""
        member, unit, number = hold_named(info, input.hold)
        operation = ReleaseHold(
            member=member, idempotency_key=input.idempotency_key, actor=actor(info), hold=number, unit=unit
        )
        return await perform(info, operation, ReleaseHoldPayload, lambda outcome: _hold_of(info, outcome))

    @mutation(allow={Role.OPERATOR})
    async def adjust_points(self, info: Info, input: AdjustPointsInput) -> AdjustPointsPayload:
        """Give a member points or take some, for a stated reason."""
        operation = AdjustPoints(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            points=input.points,
            reason=input.reason,
            unit=input.unit,
        )
        return await perform(info, operation, AdjustPointsPayload)

    @mutation(allow={Role.OPERATOR})
    async def extend_points(self, info: Info, input: ExtendPointsInput) -> ExtendPointsPayload:
        """Let points of a member that have not expired yet last longer, for a stated reason; never shorter.

        INVALID_INSTANT, LOT_NOT_FOUND, LOT_EXPIRED, NOTHING_TO_EXTEND.
        """
        operation = ExtendPoints(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            expires_on=input.expires_on,
            lots=await _lots_named(info, input),
            unit=input.unit,
            reason=input.reason,
        )
        return await perform(info, operation, ExtendPointsPayload, lambda outcome: {"points": outcome.result["points"]})

    @mutation(allow={Role.OPERATOR})
    async def reverse_transaction(self, info: Info, input: ReverseTransactionInput) -> ReverseTransactionPayload:
        """Take a transaction back: what it gave is taken, what it took is given back, its holds are released."""
        member_id, transaction = parts_of(input.transaction, "Transaction", 2)
        operation = ReverseTransaction(
            member=ById(member_id),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            transaction=transaction,
            reason=input.reason,
            points=input.points,
        )
        return await perform(info, operation, ReverseTransactionPayload)


def _attributes(given: list[AttributeInput]) -> Mapping[str, str | None]:
    attributes: dict[str, str | None] = {}
    for attribute in given:
        check_text("attributes", attribute.name, 100)
        if attribute.name in attributes:
            raise InvalidValue(field="attributes", reason=f"{attribute.name} is given twice")
        attributes[attribute.name] = attribute.value
    return attributes


async def _hold_of(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    result = outcome.result
    return {"hold": await Hold.find(info, outcome.member_id, result["unit"], result["hold"])}


async def _lots_named(info: Info, input: ExtendPointsInput) -> tuple[int, ...]:
    """The numbers of the lots. Raises InvalidId, and LotNotFound for one of another member or unit."""
    if len(input.lots) > LOTS_MAX:
        raise InvalidValue(field="lots", reason=f"at most {LOTS_MAX} at once")
    member = await find_member(info, input.member) if input.lots else None
    numbers = set()
    for id in input.lots:
        member_id, unit, number = parts_of(id, "Lot", 3)
        if not (number.isascii() and number.isdigit() and len(number) < 16):
            raise InvalidId(id=id, expected="Lot")
        if member is None or (member_id, unit) != (member.member_id, input.unit):
            raise LotNotFound(lot=id)
        numbers.add(int(number))
    return tuple(sorted(numbers))


def hold_named(info: Info, id: str) -> tuple[ById, str, int]:
    """The member, unit and number in a hold's id. Raises InvalidId, and HoldNotFound for a hold of somebody else."""
    member_id, unit, number = parts_of(id, "Hold", 3)
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise InvalidId(id=id, expected="Hold")
    if not may_see(info, member_id):
        raise HoldNotFound(hold=id)
    return ById(member_id), unit, int(number)
