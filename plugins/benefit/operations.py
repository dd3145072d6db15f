"""What can be done about benefits: use one, collect the coupons that one brings, and give a use back.

The tier that a member has at the moment decides what they may use. After a rise the higher quota holds, and what was
used in the period stays used; after a fall nothing more can be used than the lower tier allows.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from core.books.members import ById
from core.channels.coupons import grant
from core.channels.orders import ORDER_REFUNDED
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import CurrencyMismatch, InvalidAmount, InvalidValue, Refusal
from core.ladder.benefits import Benefit, BenefitKind
from core.money import money, parse_money
from core.people.membership import check_reason
from core.rulebook.programme import Programme
from core.scheduling.jobs import Run
from core.store.dialect import in_words_of
from core.telling.events import MEMBER_ENROLLED, TIER_CHANGED, Event
from core.time.calendar import local_day

from .events import USE_UNDONE, USED
from .models import BenefitEntitlement, BenefitUse
from .refusals import (
    BenefitAlreadyUsed,
    BenefitNotForUse,
    BenefitNotFound,
    BenefitsNotOffered,
    BenefitUseNotFound,
)
from .rules import (
    CHANNEL,
    OFF_ORDER,
    OFF_PRICE,
    BenefitSettings,
    Offer,
    Order,
    Period,
    Standing,
    check_had,
    check_left,
    effect,
    period_of,
    worth,
)

TALLY: Final = "benefits_used"
"""The tally of benefits that a member has used and whose use was not undone."""

REFERENCE_MAX: Final = 128
_SHOWN: Final = 64
_BUCKETS: Final = 1024
_SLICE: Final = 64
_NOT_USED: Final = frozenset({BenefitKind.COUPON, BenefitKind.POINTS_MULTIPLIER})


@dataclass(frozen=True, kw_only=True)
class UseBenefit(Operation):
    """Use a benefit with the order ``reference``, or with what else it is for.

    What takes something off an order is told what that comes to: its ``amount`` and what ``shipping`` costs.
    Refuses BenefitsNotOffered, BenefitNotFound, BenefitNotForUse, BenefitNotYetOpen, BenefitLapsed, BenefitOfOtherTier,
    BenefitNotToday, BenefitBirthdayUnknown, BenefitOrderTooSmall, BenefitWorthNothing, BenefitAlreadyUsed,
    BenefitUsedUp, CurrencyMismatch, InvalidAmount, InvalidValue, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "use"

    benefit: str
    reference: str
    amount: Decimal | None = None
    shipping: Decimal | None = None
    currency: str | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reference(self.reference)
        programme = work.programme
        settings = offered(programme, work.now)
        order = order_of(self.amount, self.shipping, self.currency, programme.currency)
        work.check_may_spend()
        offer = find_offer(settings, self.benefit)
        if offer.kind in _NOT_USED:
            raise BenefitNotForUse(benefit=offer.id, benefit_kind=offer.kind)
        check_had(offer, standing_of(work), programme)
        benefit = offer.benefit(work.member.tier, programme)
        check_said(benefit, order)
        off = worth(benefit, order, programme.currency)
        check_unused(benefit, self.reference, await work.rows(BenefitUse, reference=self.reference))
        period = period_of(offer.per, work.today, programme.zone)
        use = await _use(work, benefit, period, self.reference, order.amount, off)
        return {"use": use, "benefit": offer.id, "worth": off}


@dataclass(frozen=True, kw_only=True)
class CollectBenefit(Operation):
    """Give the member the coupons that a benefit brings, once in its period.

    Refuses BenefitsNotOffered, BenefitNotFound, BenefitNotForUse, BenefitNotYetOpen, BenefitLapsed, BenefitOfOtherTier,
    BenefitNotToday, BenefitBirthdayUnknown, BenefitUsedUp, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "collect"

    benefit: str

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = offered(work.programme, work.now)
        work.check_may_earn()
        offer = find_offer(settings, self.benefit)
        if offer.kind is not BenefitKind.COUPON:
            raise BenefitNotForUse(benefit=offer.id, benefit_kind=offer.kind)
        use = await _collect(work, offer, work.programme)
        return {"use": use, "benefit": offer.id, "coupons": list(offer.coupons)}


@dataclass(frozen=True, kw_only=True)
class UndoBenefitUse(Operation):
    """Give a use back, as the order came to nothing: the benefit can be used again, while its period lasts.

    Refuses BenefitNotForUse for coupons, which are withdrawn instead, BenefitUseNotFound, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "undo"
    reaches_merged: ClassVar[bool] = True

    benefit: str
    reference: str
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        check_reference(self.reference)
        for use in await work.rows(BenefitUse, reference=self.reference):
            if use.benefit == self.benefit and use.undone_at is None:
                if use.kind == BenefitKind.COUPON:
                    raise BenefitNotForUse(benefit=use.benefit, benefit_kind=use.kind)
                await _give_back(work, use.use_id)
                return {"use": use.use_id, "benefit": use.benefit, "reason": self.reason}
        raise BenefitUseNotFound(benefit=self.benefit[:_SHOWN], order=self.reference)


# -- what happens elsewhere ---------------------------------------------------------------------------


async def follow(event: Event, work: Work) -> None:
    """Give uses back with the order that they were for; give who comes to a tier what it brings by itself."""
    match event.name:
        case name if name == ORDER_REFUNDED and event.payload["gone"]:
            settings = work.programme.channels.get(CHANNEL) or work.programme_now.channels.get(CHANNEL)
            if not isinstance(settings, BenefitSettings) or settings.refunded == "used":
                return
            for use in await work.rows(BenefitUse, reference=event.payload["reference"]):
                if use.undone_at is None and use.kind != BenefitKind.COUPON:
                    await _give_back(work, use.use_id)
        # With a tier that came with a merged member came what it had brought.
        case name if name == MEMBER_ENROLLED or (name == TIER_CHANGED and not event.payload.get("merged")):
            await _collect_automatic(work)


async def _collect_automatic(work: Work) -> None:
    # The ladder in force now put the member there, and its benefits count, though an older version may judge the order.
    programme = work.programme_now
    settings = programme.channels.get(CHANNEL)
    if not isinstance(settings, BenefitSettings) or not work.may_earn:
        return
    for offer in settings.benefits:
        if offer.automatic:
            try:
                await _collect(work, offer, programme)
            except Refusal:
                # It is not for this tier, or not now, or was given in this period: the event goes on without it.
                continue


async def collect_due(run: Run) -> int:
    """The job that gives, where a new period or version has begun, what nobody has collected yet."""
    settings = run.programme.channels.get(CHANNEL)
    if not isinstance(settings, BenefitSettings):
        return 0
    done = 0
    for offer in settings.benefits:
        period = period_of(offer.per, local_day(run.now, run.programme.zone), run.programme.zone)
        if offer.automatic and offer.valid.holds(run.now) and _begins(offer, period, run):
            key = f"collect:{offer.id}:{period.name}"
            async for members in _without(run, offer, period):
                done += await run.submit(
                    CollectBenefit(member=ById(one), idempotency_key=key, actor=run.actor, benefit=offer.id)
                    for one in members
                )
    return done


def _begins(offer: Offer, period: Period, run: Run) -> bool:
    """Whether anything has begun since the job ran last. Who comes to the tier in between is given it by that."""
    since, zone = run.since, run.programme.zone
    if since is None or period_of(offer.per, local_day(since, zone), zone) != period:
        return True
    return since <= run.programmes.at(run.now).starts_at or not offer.valid.holds(since)


async def _without(run: Run, offer: Offer, period: Period) -> AsyncIterator[list[str]]:
    """The members who may have it and have not, a slice of buckets at a time."""
    tiers = offer.holders(run.programme.tiers)
    chosen = f" AND m.tier IN ({', '.join('?' * len(tiers))})" if tiers else ""
    sql = (
        "SELECT m.id FROM member m LEFT JOIN benefit_entitlement e ON e.bucket = m.bucket AND e.member_id = m.id"
        " AND e.period = ? AND e.benefit = ? AND e.used > 0"
        f" WHERE m.bucket >= ? AND m.bucket < ? AND m.status = 'active'{chosen} AND e.benefit IS NULL ORDER BY m.id"
    )
    for first in range(0, _BUCKETS, _SLICE):
        values = [period.name, offer.id, first, first + _SLICE, *tiers]
        rows = await run.reader.query(in_words_of(run.reader, sql), values)
        yield [member_id for (member_id,) in rows]


# -- what a request says, or a refusal of it ----------------------------------------------------------


def offered(programme: Programme, now: datetime) -> BenefitSettings:
    """Raises BenefitsNotOffered."""
    settings = programme.channels.get(CHANNEL)
    if settings is None:
        raise BenefitsNotOffered(at=now)
    assert isinstance(settings, BenefitSettings)
    return settings


def find_offer(settings: BenefitSettings, benefit: str) -> Offer:
    """Raises BenefitNotFound."""
    offer = settings.by_id.get(benefit)
    if offer is None:
        raise BenefitNotFound(benefit=benefit[:_SHOWN])
    return offer


def order_of(amount: Decimal | None, shipping: Decimal | None, currency: str | None, expected: str) -> Order:
    """In minor units. Raises CurrencyMismatch, InvalidAmount."""
    if currency is not None and currency != expected:
        raise CurrencyMismatch(expected=expected, given=currency[:_SHOWN])
    minor = [None if value is None else parse_money(value, expected) for value in (amount, shipping)]
    for value in minor:
        if value is not None and value < 0:
            raise InvalidAmount(value=str(money(value, expected)), reason="an order does not cost less than nothing")
    return Order(*minor)


def check_said(benefit: Benefit, order: Order) -> None:
    """Raise InvalidValue where what the benefit is counted by was not said."""
    reason = "it must be said, as the benefit is counted by it"
    if order.amount is None and (benefit.kind in OFF_PRICE or benefit.least_order is not None):
        raise InvalidValue(field="amount", reason=reason)
    if order.shipping is None and benefit.kind is BenefitKind.FREE_SHIPPING:
        raise InvalidValue(field="shipping", reason=reason)


def check_unused(benefit: Benefit, reference: str, uses: Sequence[Any]) -> None:
    """Raise BenefitAlreadyUsed where one of the uses with that reference has done the same."""
    for use in uses:
        if use.undone_at is None and effect(use.kind, use.benefit) == effect(benefit.kind, benefit.id):
            raise BenefitAlreadyUsed(benefit=use.benefit, order=reference, used_at=use.used_at)


def check_reference(reference: str) -> None:
    """Raises InvalidValue."""
    if not 0 < len(reference) <= REFERENCE_MAX or not reference.isprintable():
        raise InvalidValue(field="reference", reason=f"it must have 1 to {REFERENCE_MAX} visible characters")


def standing_of(work: Work) -> Standing:
    member = work.member
    return Standing(member.tier, member.birthday, work.now)


# -- how it is written down ---------------------------------------------------------------------------


async def _collect(work: Work, offer: Offer, programme: Programme) -> str:
    """Grant the coupons of a benefit for the period of this day; the number of the use."""
    check_had(offer, standing_of(work), programme)
    period = period_of(offer.per, local_day(work.now, programme.zone), programme.zone)
    use = await _use(work, offer.benefit(work.member.tier, programme), period, period.name, None, 0)
    # Whenever it is given, it lapses with the period.
    grant(work, offer.coupons, f"{CHANNEL}:{offer.id}:{period.name}", period.ends_at)
    return use


async def _use(work: Work, benefit: Benefit, period: Period, reference: str, amount: int | None, off: int) -> str:
    """Write a use down, if there is one left."""
    row = await work.find(BenefitEntitlement, period=period.name, benefit=benefit.id)
    used = 0 if row is None else row.used
    check_left(benefit, used, period)
    if row is None:
        work.add(
            BenefitEntitlement,
            period=period.name,
            benefit=benefit.id,
            quota=benefit.quota,
            used=1,
            ends_at=period.ends_at,
        )
    else:
        row.used += 1
        if row.quota is not None:
            row.quota = None if benefit.quota is None else max(row.quota, benefit.quota)
        work.save(row)
    use = f"{work.operation_id}-{sum(event.name == USED for event in work.events):03}"
    work.add(
        BenefitUse,
        use_id=use,
        transaction_id=work.operation_id,
        benefit=benefit.id,
        name=benefit.name,
        kind=str(benefit.kind),
        period=period.name,
        tier=work.member.tier,
        number=used + 1,
        quota=benefit.quota,
        reference=reference,
        amount=amount if benefit.kind in OFF_ORDER else None,
        worth=off,
        used_at=work.now,
        undone_at=None,
    )
    work.count(TALLY, 1)
    work.tell(USED, benefit=benefit.id, kind=str(benefit.kind), use=use, reference=reference, worth=off)
    return use


async def _give_back(work: Work, use_id: str) -> None:
    use = await work.find(BenefitUse, use_id=use_id)
    assert use is not None, "it was just read"
    entitlement = await work.find(BenefitEntitlement, period=use.period, benefit=use.benefit)
    assert entitlement is not None, "whatever is used was counted"
    use.undone_at = work.now
    work.save(use)
    entitlement.used -= 1
    work.save(entitlement)
    work.count(TALLY, -1, at=use.used_at)
    work.tell(USE_UNDONE, benefit=use.benefit, use=use.use_id, reference=use.reference)
