"""Benefits in the schema: what members have, what applies to a basket, and what tills and members do."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, cast

import strawberry

from core.books.members import Frozen
from core.engine.operations import Outcome
from core.errors import CurrencyMismatch, Refusal
from core.ladder.benefits import BenefitKind
from core.rulebook.programme import Programme
from core.time.calendar import local_day
from graph.vocabulary import (
    ACTING,
    Benefit,
    Connection,
    Info,
    Member,
    MemberByInput,
    Money,
    MoneyInput,
    Node,
    Page,
    Payload,
    Role,
    Transaction,
    UserError,
    Where,
    actor,
    check_text,
    find_member,
    global_id,
    may_see,
    mutation,
    newest,
    page_of_member,
    paged,
    perform,
    query,
    user_error,
)

from .models import BenefitEntitlement, BenefitUse
from .operations import (
    REFERENCE_MAX,
    CollectBenefit,
    UndoBenefitUse,
    UseBenefit,
    check_reference,
    check_said,
    check_unused,
    offered,
    order_of,
)
from .rules import (
    AT_CHECKOUT,
    CHANNEL,
    EARNED,
    BenefitSettings,
    Offer,
    Order,
    Period,
    Quoted,
    Standing,
    check_had,
    check_left,
    period_of,
    with_best,
    worth,
)

_KEY: Final = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_MEMBER: Final = "The member it is about."
_BENEFIT: Final = "The benefit's id in the programme."
_REFERENCE: Final = "Your number of the order, or of what else it is for, 1 to 128 characters."
_REASON: Final = "Why, 3 to 1000 characters. It is kept with the transaction."
_USE: Final = "The use as it is now; null when it was refused."
_TILLS: Final = frozenset({Role.SERVICE, Role.PARTNER})

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class UseBenefitInput:
    """A benefit at the till, or wherever it is used."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    benefit: str = strawberry.field(description=_BENEFIT)
    reference: str = strawberry.field(description=_REFERENCE)
    amount: MoneyInput | None = strawberry.field(
        default=None, description="What the order comes to before benefits, where the benefit is counted by that."
    )
    shipping: MoneyInput | None = strawberry.field(
        default=None, description="What sending the order would cost, for free shipping."
    )
    idempotency_key: str = strawberry.field(
        description=f"{_KEY} Best derived from the order: benefit:<benefit>:<reference>."
    )


@strawberry.input
class CollectBenefitInput:
    """A benefit that brings coupons."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    benefit: str = strawberry.field(description=_BENEFIT)
    idempotency_key: str = strawberry.field(description=f"{_KEY} Best derived from the period: <benefit>:2026-01.")


@strawberry.input
class UndoBenefitUseInput:
    """A use of a benefit with an order that came to nothing."""

    member: MemberByInput = strawberry.field(description=_MEMBER)
    benefit: str = strawberry.field(description=_BENEFIT)
    reference: str = strawberry.field(description=_REFERENCE)
    reason: str = strawberry.field(description=_REASON)
    idempotency_key: str = strawberry.field(description=_KEY)


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.type(name="BenefitUse")
class BenefitUseNode(Node):
    """A use of a benefit."""

    benefit: str = strawberry.field(description=_BENEFIT)
    name: str = strawberry.field(description="What it was called.")
    reference: str = strawberry.field(description="The order or other thing that it was used with.")
    period: str = strawberry.field(description="The period that it counts in: 2026-01, 2026 or membership.")
    number: int = strawberry.field(description="Which use in the period it was, from 1.")
    quota: int | None = strawberry.field(description="How many there could be then; null for any number.")
    amount: Money | None = strawberry.field(description="What the order came to; null where that was not said.")
    worth: Money = strawberry.field(description="What it took off; nothing where it is no benefit of an order.")
    used_at: datetime = strawberry.field(description="When it was used.")
    undone_at: datetime | None = strawberry.field(description="When the use was given back; null while it counts.")
    _member_id: strawberry.Private[str]
    _transaction_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, row: Any, currency: str) -> "BenefitUseNode":
        return cls(
            id=global_id("BenefitUse", member_id, row.use_id),
            benefit=row.benefit,
            name=row.name,
            reference=row.reference,
            period=row.period,
            number=row.number,
            quota=row.quota,
            amount=None if row.amount is None else Money.of(row.amount, currency),
            worth=Money.of(row.worth, currency),
            used_at=row.used_at,
            undone_at=row.undone_at,
            _member_id=member_id,
            _transaction_id=row.transaction_id,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, use_id: str) -> "BenefitUseNode | None":
        """A use by Laurel's id."""
        found = await info.context.loaders.rows(BenefitUse, member_id, use_id=use_id)
        return cls.of(member_id, found[0], (await _programme(info)).currency) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "BenefitUseNode | None":
        match parts:
            case (member_id, use_id) if may_see(info, member_id):
                return await cls.find(info, member_id, use_id)
            case _:
                return None

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that it was used in; null for who may not see it."""
        if not may_see(info, self._member_id):
            return None
        return await Transaction.find(info, self._member_id, self._transaction_id)


@strawberry.type
class MemberBenefit:
    """A benefit that a member has, and how it stands in the present period."""

    benefit: Benefit = strawberry.field(description="The benefit, with the terms that it has for the member's tier.")
    used: int = strawberry.field(description="How often it was used in the period.")
    left: int | None = strawberry.field(description="How often it can still be; null for any number of times.")
    lapses_at: datetime | None = strawberry.field(
        description="When what is not used lapses, and the next period begins; null where there is no end."
    )
    refusal: UserError | None = strawberry.field(
        description="Why it cannot be used at this moment, whatever the order; null when it can."
    )


@strawberry.type
class QuotedBenefit:
    """A benefit at a checkout."""

    benefit: Benefit = strawberry.field(description="The benefit, with the terms that it has for the member's tier.")
    worth: Money = strawberry.field(description="What it takes off this order.")
    is_best: bool = strawberry.field(
        description="Whether it is the one to use: of those that take something off the price, or off the shipping, "
        "the one that takes most; of equal ones one without a quota."
    )
    refusal: UserError | None = strawberry.field(description="Why it cannot be used with this order; null when it can.")


@strawberry.type
class BenefitQuote:
    """What benefits do to an order."""

    benefits: list[QuotedBenefit] = strawberry.field(
        description="All that the member has for orders, those that cannot be used with this one among them."
    )
    off_price: Money = strawberry.field(description="What the best of them takes off the price.")
    off_shipping: Money = strawberry.field(description="What the best of them takes off the shipping.")
    to_pay: Money = strawberry.field(description="What is left of the price and the shipping with these two.")


@strawberry.type
class UseBenefitPayload(Payload):
    """What became of using a benefit."""

    use: BenefitUseNode | None = strawberry.field(default=None, description=_USE)


@strawberry.type
class CollectBenefitPayload(Payload):
    """What became of collecting coupons."""

    use: BenefitUseNode | None = strawberry.field(default=None, description=_USE)


@strawberry.type
class UndoBenefitUsePayload(Payload):
    """What became of giving a use back."""

    use: BenefitUseNode | None = strawberry.field(default=None, description=_USE)


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class BenefitQueries:
    """What can be asked about benefits."""

    @query(allow=ACTING)
    async def benefits_for(
        self,
        info: Info,
        member: Annotated[MemberByInput, strawberry.argument(description="Who is buying.")],
        amount: Annotated[MoneyInput, strawberry.argument(description="What the order comes to before benefits.")],
        shipping: Annotated[
            MoneyInput | None, strawberry.argument(description="What sending it would cost; nothing if left out.")
        ] = None,
        reference: Annotated[
            str | None,
            strawberry.argument(description="Your number of the order: what it has had by now is then told."),
        ] = None,
    ) -> BenefitQuote | None:
        """What a member's benefits take off an order, priced as `useBenefit` does; nothing is used by asking.

        Null when there is no such member, or the caller may not see them. BENEFITS_NOT_OFFERED.
        """
        programme, now = await _programme(info), info.context.now
        settings = offered(programme, now)
        order = order_of(amount.amount, None, amount.currency, programme.currency)
        if shipping is not None:
            order = order._replace(shipping=order_of(None, shipping.amount, shipping.currency, programme.currency)[1])
        if reference is not None:
            check_text("reference", reference, REFERENCE_MAX)
            check_reference(reference)
        found = await find_member(info, member)
        if found is None:
            return None
        had = await had_by(info, found, programme, settings)
        uses = [] if reference is None else await _uses(info, found.member_id, reference)
        quoted = with_best(
            _quoted(one, order, reference or "", uses, programme) for one in had if one.offer.kind in AT_CHECKOUT
        )
        return _quote(info, programme, order, quoted)


@strawberry.type
class BenefitMutations:
    """What can be done about benefits."""

    @mutation(allow=_TILLS, capability="use")
    async def use_benefit(self, info: Info, input: UseBenefitInput) -> UseBenefitPayload:
        """Use a benefit of a member's with an order, or with what else it is for."""
        currencies = {each.currency for each in (input.amount, input.shipping) if each is not None}
        if len(currencies) > 1:
            expected = (await _programme(info)).currency
            raise CurrencyMismatch(expected=expected, given=min(currencies - {expected}))
        operation = UseBenefit(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            benefit=input.benefit,
            reference=input.reference,
            amount=None if input.amount is None else input.amount.amount,
            shipping=None if input.shipping is None else input.shipping.amount,
            currency=next(iter(currencies), None),
        )
        return await perform(info, operation, UseBenefitPayload, lambda outcome: _use(info, outcome))

    @mutation(allow=ACTING)
    async def collect_benefit(self, info: Info, input: CollectBenefitInput) -> CollectBenefitPayload:
        """Give a member the coupons that a benefit brings, once in each period."""
        operation = CollectBenefit(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            benefit=input.benefit,
        )
        return await perform(info, operation, CollectBenefitPayload, lambda outcome: _use(info, outcome))

    @mutation(allow=_TILLS | {Role.OPERATOR}, capability="use")
    async def undo_benefit_use(self, info: Info, input: UndoBenefitUseInput) -> UndoBenefitUsePayload:
        """Give back a use with an order that came to nothing; a refund of the whole order does it by itself."""
        operation = UndoBenefitUse(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            benefit=input.benefit,
            reference=input.reference,
            reason=input.reason,
        )
        return await perform(info, operation, UndoBenefitUsePayload, lambda outcome: _use(info, outcome))


@strawberry.type
class BenefitMemberFields:
    """What a member has of benefits."""

    @strawberry.field
    async def benefits(self, info: Info) -> list[MemberBenefit]:
        """The benefits of the member's tier, with what is left of each in the present period.

        Those of this channel; `Tier.benefits` has those of every channel.
        """
        # Fields of Member, so they are resolved with a member as self.
        member, programme = cast(Member, self), await _programme(info)
        settings = programme.channels.get(CHANNEL)
        if settings is None:
            return []
        assert isinstance(settings, BenefitSettings)
        return [one.shown(info, programme) for one in await had_by(info, member, programme, settings)]

    @strawberry.field
    @paged
    async def benefit_uses(
        self,
        info: Info,
        page: Page,
        benefit: Annotated[
            str | None, strawberry.argument(description="Only of this one, by its id in the programme.")
        ] = None,
    ) -> Connection[BenefitUseNode]:
        """What the member has used of benefits, those that were given back among it; the newest first."""
        member_id, currency = cast(Member, self).member_id, (await _programme(info)).currency
        if benefit is not None:
            check_text("benefit", benefit, 64)

        def node(row: Any) -> BenefitUseNode:
            return BenefitUseNode.of(member_id, row, currency)

        where = () if benefit is None else (Where("benefit = ?", (benefit,)),)
        return await page_of_member(info, BenefitUse, member_id, node, page, newest("use_id"), where)


# -- how it is found ----------------------------------------------------------------------------------


class _Had:
    """A benefit of a member's tier, and what was used of it in the present period."""

    def __init__(
        self, offer: Offer, member: Member, who: Standing, period: Period, programme: Programme, used: int
    ) -> None:
        self.offer = offer
        self.benefit = offer.benefit(who.tier, programme)
        self.period = period
        self.used = used
        self._member = member
        self._who = who

    def check(self, programme: Programme) -> None:
        """Raise what stands in the way of using it now, whatever the order."""
        self._member._value.check_may(Frozen.EARNING if self.offer.kind in EARNED else Frozen.SPENDING)
        check_had(self.offer, self._who, programme)
        check_left(self.benefit, self.used, self.period)

    def shown(self, info: Info, programme: Programme) -> MemberBenefit:
        quota = self.benefit.quota
        try:
            self.check(programme)
            refusal = None
        except Refusal as refused:
            refusal = user_error(info, refused)
        return MemberBenefit(
            benefit=Benefit.of(programme, self.benefit),
            used=self.used,
            left=None if quota is None else max(quota - self.used, 0),
            lapses_at=self.period.ends_at,
            refusal=refusal,
        )


async def had_by(info: Info, member: Member, programme: Programme, settings: BenefitSettings) -> list[_Had]:
    """The benefits of a member's tier, in the programme's order."""
    now, zone = info.context.now, programme.zone
    today = local_day(now, zone)
    offers = [offer for offer in settings.benefits if offer.is_for(member.tier_id, programme.tiers)]
    periods = {offer.id: period_of(offer.per, today, zone) for offer in offers}
    # One question for all of them, and for all members of a page.
    names = sorted({period.name for period in periods.values()})
    loaders, member_id = info.context.loaders, member.member_id
    found = await asyncio.gather(*(loaders.rows(BenefitEntitlement, member_id, period=name) for name in names))
    used = {(row.benefit, row.period): row.used for rows in found for row in rows}
    who = Standing(member.tier_id, member.birthday, now)
    return [
        _Had(offer, member, who, periods[offer.id], programme, used.get((offer.id, periods[offer.id].name), 0))
        for offer in offers
    ]


async def _uses(info: Info, member_id: str, reference: str) -> list[Any]:
    return await info.context.loaders.rows(BenefitUse, member_id, reference=reference)


def _quoted(had: _Had, order: Order, reference: str, uses: list[Any], programme: Programme) -> Quoted:
    benefit = had.benefit
    try:
        if benefit.kind is not BenefitKind.POINTS_MULTIPLIER:
            check_unused(benefit, reference, uses)
        had.check(programme)
        if order.shipping is not None or benefit.kind is not BenefitKind.FREE_SHIPPING:
            check_said(benefit, order)
        return Quoted(benefit, worth(benefit, order, programme.currency), None)
    except Refusal as refusal:
        return Quoted(benefit, 0, refusal)


def _quote(info: Info, programme: Programme, order: Order, quoted: list[Quoted]) -> BenefitQuote:
    currency = programme.currency
    shipping = sum(one.worth for one in quoted if one.is_best and one.benefit.kind is BenefitKind.FREE_SHIPPING)
    price = sum(one.worth for one in quoted if one.is_best) - shipping
    return BenefitQuote(
        benefits=[
            QuotedBenefit(
                benefit=Benefit.of(programme, one.benefit),
                worth=Money.of(one.worth, currency),
                is_best=one.is_best,
                refusal=None if one.refusal is None else user_error(info, one.refusal),
            )
            for one in quoted
        ],
        off_price=Money.of(price, currency),
        off_shipping=Money.of(shipping, currency),
        to_pay=Money.of((order.amount or 0) + (order.shipping or 0) - price - shipping, currency),
    )


async def _programme(info: Info) -> Programme:
    return (await info.context.version()).programme


async def _use(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    return {"use": await BenefitUseNode.find(info, outcome.member_id, outcome.result["use"])}
