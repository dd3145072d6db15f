"""Orders of guests in the schema: what can be recorded of customers who are no members."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Final

import strawberry

from core.engine.aside import Done
from core.errors import Refusal
from core.models import GuestOrderRow
from core.store.questions import Rows
from graph.vocabulary import Info, Money, MoneyInput, Role, UserError, actor, check_text, mutation, query

from .guests import GuestRequest, RecordGuestOrder, RefundGuestOrder, forget

_CUSTOMER: Final = (
    "A key of your own for the guest, 1 to 64 letters, digits and ._:/=-, the same for all their orders: a random "
    "number, or a hash that is keyed with a secret of yours. Never an address, a telephone number or a name, nor a "
    "plain hash of one, which can be guessed."
)
_ERRORS: Final = "Why it was refused; empty when it was done. Nothing changed if it was refused."
_MAY: Final = {Role.SERVICE, Role.OPERATOR}

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class RecordGuestOrderInput:
    """An order that a guest has paid."""

    reference: str = strawberry.field(
        description="Your number of the order, 1 to 128 characters. Told again it is not recorded again."
    )
    amount: MoneyInput = strawberry.field(description="What was paid.")
    occurred_at: datetime | None = strawberry.field(default=None, description="When it was; now if left out.")
    customer: str | None = strawberry.field(
        default=None, description=f"{_CUSTOMER} If left out, nobody knows whether the guest comes again."
    )


@strawberry.input
class RefundGuestOrderInput:
    """What comes back of a guest's order: an amount, or all that is left of it."""

    order: str = strawberry.field(description="The order's reference.")
    reference: str = strawberry.field(
        description="Your number of the refund, 1 to 128 characters. Told again it is not recorded again."
    )
    amount: MoneyInput | None = strawberry.field(
        default=None, description="What was refunded; all that is left, as of a cancellation, if left out."
    )


@strawberry.input
class ForgetGuestInput:
    """A guest to be forgotten."""

    customer: str = strawberry.field(description="The key that their orders were recorded with.")


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class GuestOrderStatus(Enum):
    """Where a guest's order stands."""

    RECORDED = strawberry.enum_value("recorded", description="Paid; part of it may have come back.")
    REFUNDED = strawberry.enum_value("refunded", description="All of it has come back.")
    MEMBERS = strawberry.enum_value(
        "members", description="It is a member's purchase, recorded by `recordPurchase`, and counts as no guest's."
    )


@strawberry.type
class GuestRefund:
    """A refund of a guest's order."""

    reference: str = strawberry.field(description="Your number of the refund.")
    amount: Money = strawberry.field(description="What came back.")


@strawberry.type
class GuestOrder:
    """An order of a customer who is no member, and what is left of it. It earns nothing, and is in no ledger."""

    reference: str = strawberry.field(description="Your number of the order.")
    occurred_at: datetime = strawberry.field(description="When it was paid.")
    status: GuestOrderStatus = strawberry.field(description="Where it stands.")
    amount: Money = strawberry.field(description="What was paid.")
    amount_left: Money = strawberry.field(description="What has not been refunded of it.")
    customer: str | None = strawberry.field(
        description="Your key of the guest; one that begins with `erased:` when they were forgotten."
    )
    refunds: list[GuestRefund] = strawberry.field(description="The refunds, the oldest first.")

    @classmethod
    def of(cls, row: Any) -> "GuestOrder":
        return cls(
            reference=row.reference,
            occurred_at=row.occurred_at,
            status=GuestOrderStatus(row.status),
            amount=Money.of(row.amount, row.currency),
            amount_left=Money.of(row.paid, row.currency),
            customer=row.customer,
            refunds=[
                GuestRefund(reference=refund["reference"], amount=Money.of(refund["amount"], row.currency))
                for refund in row.refunds
            ],
        )


@strawberry.type
class RecordGuestOrderPayload:
    """What became of a guest's order."""

    order: GuestOrder | None = strawberry.field(
        default=None, description="The order as it is now; null when it was refused."
    )
    replayed: bool = strawberry.field(default=False, description="Whether it had been recorded before.")
    errors: list[UserError] = strawberry.field(default_factory=list, description=_ERRORS)


@strawberry.type
class RefundGuestOrderPayload:
    """What became of a refund of a guest's order."""

    order: GuestOrder | None = strawberry.field(
        default=None, description="The order as it is now; null when it was refused."
    )
    replayed: bool = strawberry.field(default=False, description="Whether it had been recorded before.")
    errors: list[UserError] = strawberry.field(default_factory=list, description=_ERRORS)


@strawberry.type
class ForgetGuestPayload:
    """What became of forgetting a guest."""

    orders: int = strawberry.field(default=0, description="Of how many orders nobody knows by now whose they were.")
    errors: list[UserError] = strawberry.field(default_factory=list, description=_ERRORS)


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class GuestQueries:
    """What can be asked about orders of guests."""

    @query(allow=_MAY)
    async def guest_order(
        self,
        info: Info,
        reference: Annotated[str, strawberry.argument(description="Your number of the order.")],
    ) -> GuestOrder | None:
        """An order of a guest; null when none was recorded under that number, as a guest's or since as a member's."""
        check_text("reference", reference)
        rows = await info.context.loaders.ask(Rows(GuestOrderRow, ("reference",)), (reference,))
        return GuestOrder.of(rows[0]) if rows else None


@strawberry.type
class GuestMutations:
    """What can be done about orders of guests."""

    @mutation(allow=_MAY)
    async def record_guest_order(self, info: Info, input: RecordGuestOrderInput) -> RecordGuestOrderPayload:
        """Record an order of a customer who is no member, so that members can be held against others in `figures`.

        It earns nothing. When `recordPurchase` records the order for a member, before or after, it is theirs alone.
        """
        done = await _perform(
            info,
            RecordGuestOrder(
                actor=actor(info),
                reference=input.reference,
                amount=input.amount.amount,
                currency=input.amount.currency,
                occurred_at=input.occurred_at,
                customer=input.customer,
            ),
        )
        return RecordGuestOrderPayload(order=GuestOrder.of(done.value), replayed=done.replayed)

    @mutation(allow=_MAY)
    async def refund_guest_order(self, info: Info, input: RefundGuestOrderInput) -> RefundGuestOrderPayload:
        """Record what came back of a guest's order. It counts on the day of the sale, as with members."""
        amount = input.amount
        done = await _perform(
            info,
            RefundGuestOrder(
                actor=actor(info),
                order=input.order,
                reference=input.reference,
                amount=amount.amount if amount else None,
                currency=amount.currency if amount else None,
            ),
        )
        return RefundGuestOrderPayload(order=GuestOrder.of(done.value), replayed=done.replayed)

    @mutation(allow=_MAY)
    async def forget_guest(self, info: Info, input: ForgetGuestInput) -> ForgetGuestPayload:
        """Forget a guest who wants to be: in place of their key stands one that nobody knows.

        Their orders stay one guest's, so that no figure changes. With the old key whoever comes again is somebody new.
        """
        orders = await forget(input.customer, info.context.now)
        info.context.wrote()
        return ForgetGuestPayload(orders=orders)


async def _perform(info: Info, request: GuestRequest) -> Done:
    """Perform one, or raise the Refusal that it was answered with."""
    (answer,) = await GuestRequest.perform_all([request], info.context.laurel.committer.rules)
    info.context.wrote()
    if isinstance(answer, Refusal):
        raise answer
    return answer
