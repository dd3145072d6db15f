"""Checkouts in the schema: what a basket can be paid for with points, and the hold that sets them aside meanwhile."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import uuid4

import strawberry

from core.books.members import ById
from core.engine.operations import Outcome
from core.errors import HoldNotFound
from core.units import POINTS
from graph.vocabulary import (
    ACTING,
    ID,
    Hold,
    Info,
    MemberByInput,
    Money,
    MoneyInput,
    Payload,
    Points,
    Role,
    UserError,
    actor,
    hold_named,
    mutation,
    perform,
    query,
    user_error,
)

from .operations import CaptureCheckout, HoldCheckout, ReleaseCheckout

_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_BASKET = "What the basket costs, in the programme's currency."
_HOLD = "The checkout's hold."

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class QuoteCheckoutInput:
    """A basket that might be paid with points."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    basket: MoneyInput = strawberry.field(description=_BASKET)
    amount: Decimal | None = strawberry.field(
        default=None,
        description="How much of it is to be paid with points; the most there can be if left out.",
    )


@strawberry.input
class HoldCheckoutInput(QuoteCheckoutInput):
    """A basket that is about to be paid."""

    reference: str = strawberry.field(
        description="Your number of the basket, 1 to 128 characters; points are held for it once."
    )
    points: Points | None = strawberry.field(
        default=None,
        description="How many the member was told that it takes; refused if it takes another number.",
    )
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class CaptureCheckoutInput:
    """A basket that was paid, and that is not recorded as a purchase: that captures the hold itself."""

    hold: ID = strawberry.field(description=_HOLD)
    amount: Decimal | None = strawberry.field(
        default=None,
        description="How much was paid with points in the end; all that they were held for if left out.",
    )
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class ReleaseCheckoutInput:
    """A basket that was left."""

    hold: ID = strawberry.field(description=_HOLD)
    idempotency_key: str = strawberry.field(description=_KEY)


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class CheckoutLimit(Enum):
    """Why no more of a basket can be paid with points."""

    RATIO = strawberry.enum_value("ratio", description="The programme allows no larger part of a basket.")
    AMOUNT = strawberry.enum_value("amount", description="The programme allows no more for one basket.")
    POINTS = strawberry.enum_value("points", description="The member has no more points.")
    BASKET = strawberry.enum_value("basket", description="It is all of the basket.")


@strawberry.type
class CheckoutQuote:
    """What points would pay for, and how many it would take. Nothing was set aside."""

    amount: Money | None = strawberry.field(default=None, description="What they would pay for; null if refused.")
    points: Points | None = strawberry.field(default=None, description="How many it would take; null if refused.")
    points_per_unit: Points | None = strawberry.field(
        default=None, description="The points for one unit of money at the member's tier; null if refused."
    )
    limited_by: CheckoutLimit | None = strawberry.field(
        default=None, description="Why there can be no more; null if refused, or if less was asked for."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it would be refused; empty if it would be held."
    )


@strawberry.type
class HoldCheckoutPayload(Payload):
    """What became of setting points aside for a basket."""

    hold: Hold | None = strawberry.field(default=None, description="The hold; null when it was refused.")
    amount: Money | None = strawberry.field(
        default=None, description="What the points pay for; null when it was refused."
    )


@strawberry.type
class CaptureCheckoutPayload(Payload):
    """What became of a capture."""

    hold: Hold | None = strawberry.field(default=None, description="The hold as it is now; null when it was refused.")
    amount: Money | None = strawberry.field(
        default=None, description="What the points have paid for; null when it was refused."
    )


@strawberry.type
class ReleaseCheckoutPayload(Payload):
    """What became of a release."""

    hold: Hold | None = strawberry.field(default=None, description="The hold as it is now; null when it was refused.")


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class CheckoutQueries:
    """What can be asked about checkouts."""

    @query(allow=ACTING)
    async def quote_checkout(self, info: Info, input: QuoteCheckoutInput) -> CheckoutQuote:
        """How much of a basket the member could pay with points now: all refusals of `holdCheckout`, nothing held."""
        # No basket and no request has this name, and none ever will.
        name = f"quote:{uuid4()}"
        outcome = await info.context.laurel.committer.rehearse(_holding(info, input, name, name))
        if outcome.refusal is not None:
            return CheckoutQuote(errors=[user_error(info, outcome.refusal)])
        result = outcome.result
        return CheckoutQuote(
            amount=_amount(result),
            points=Points(result["points"]),
            points_per_unit=Points(result["points_per_unit"]),
            limited_by=CheckoutLimit(result["limited_by"]) if result["amount"] == result["most"] else None,
        )


@strawberry.type
class CheckoutMutations:
    """What can be done about checkouts."""

    @mutation(allow=ACTING)
    async def hold_checkout(self, info: Info, input: HoldCheckoutInput) -> HoldCheckoutPayload:
        """Set points aside for a basket, for as long as the programme says. `recordPurchase` captures the hold."""
        operation = _holding(info, input, input.reference, input.idempotency_key, input.points)
        return await perform(info, operation, HoldCheckoutPayload, lambda outcome: _held(info, outcome))

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def capture_checkout(self, info: Info, input: CaptureCheckoutInput) -> CaptureCheckoutPayload:
        """Spend what was set aside, or what a smaller amount takes, for a basket that is not recorded as a purchase."""
        member, number = _checkout_named(info, input.hold)
        operation = CaptureCheckout(
            member=member,
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            hold=number,
            amount=input.amount,
        )
        return await perform(info, operation, CaptureCheckoutPayload, lambda outcome: _held(info, outcome))

    @mutation(allow=ACTING)
    async def release_checkout(self, info: Info, input: ReleaseCheckoutInput) -> ReleaseCheckoutPayload:
        """Give back what was set aside."""
        member, number = _checkout_named(info, input.hold)
        operation = ReleaseCheckout(
            member=member, idempotency_key=input.idempotency_key, actor=actor(info), hold=number
        )
        return await perform(info, operation, ReleaseCheckoutPayload, lambda outcome: _hold(info, outcome))


def _holding(
    info: Info, input: QuoteCheckoutInput, reference: str, key: str, points: int | None = None
) -> HoldCheckout:
    return HoldCheckout(
        member=input.member.to_ref(info),
        idempotency_key=key,
        actor=actor(info),
        reference=reference,
        basket=input.basket.amount,
        currency=input.basket.currency,
        amount=input.amount,
        points=points,
    )


def _checkout_named(info: Info, id: str) -> tuple[ById, int]:
    member, unit, number = hold_named(info, id)
    if unit != POINTS:
        raise HoldNotFound(hold=id)
    return member, number


async def _hold(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    return {"hold": await Hold.find(info, outcome.member_id, POINTS, outcome.result["hold"])}


async def _held(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    return {**await _hold(info, outcome), "amount": _amount(outcome.result)}


def _amount(result: Mapping[str, Any]) -> Money:
    return Money.of(result["amount"], result["currency"])
