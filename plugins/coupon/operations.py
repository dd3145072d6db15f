"""What can be done about coupons: issue one, use it with an order, undo that, withdraw it.

Most are issued by no request: a channel grants a coupon for an occasion, and it is issued in that very transaction.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

from core.channels.coupons import COUPON_GRANTED, COUPONS_REVOKED
from core.channels.orders import ORDER_REFUNDED
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import CurrencyMismatch, InvalidAmount, InvalidValue
from core.money import money, parse_money
from core.people.membership import check_reason
from core.telling.events import TRANSACTION_REVERSED, Event
from core.time.calendar import day_start

from .models import Coupon
from .refusals import (
    CouponAlreadyUsed,
    CouponCodeMalformed,
    CouponKindNotFound,
    CouponLapsed,
    CouponNotFound,
    CouponNotUsed,
    CouponOrderTooSmall,
    CouponsNotOffered,
    CouponWithdrawn,
)
from .rules import CHANNEL, CouponKind, CouponSettings, Terms, code_of, read_code

USED: Final = "coupons_used"
"""The tally of coupons that a member has used and whose use was not undone."""

ISSUED: Final = "coupon.issued"

_ORDER_MAX: Final = 128
_SHOWN: Final = 40


@dataclass(frozen=True, kw_only=True)
class IssueCoupon(Operation):
    """Give the member a coupon for a stated reason.

    Refuses CouponsNotOffered, CouponKindNotFound, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "issue"

    coupon: str
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        settings = work.programme.channels.get(CHANNEL)
        if settings is None:
            raise CouponsNotOffered(at=work.now)
        assert isinstance(settings, CouponSettings)
        coupon = settings.by_id.get(self.coupon)
        if coupon is None:
            raise CouponKindNotFound(coupon=self.coupon[:64])
        work.check_may_earn()
        return {"coupon": _issue(work, coupon, f"issued:{work.operation_id}"), "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class UseCoupon(Operation):
    """Use a coupon with an order of ``amount``, before the coupon.

    Refuses CouponCodeMalformed, CouponNotFound, CouponWithdrawn, CouponAlreadyUsed, CouponLapsed, CouponOrderTooSmall,
    CurrencyMismatch, MemberNotActive, MemberFrozen, InvalidAmount, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "use"

    code: str
    order: str
    amount: Decimal
    currency: str

    async def perform(self, work: Work) -> dict[str, Any]:
        order, currency = self._order(), work.programme.currency
        if self.currency != currency:
            raise CurrencyMismatch(expected=currency, given=self.currency[:_SHOWN])
        amount = parse_money(self.amount, currency)
        if amount <= 0:
            raise InvalidAmount(value=str(self.amount)[:_SHOWN], reason="an order comes to more than nothing")
        work.check_may_spend()
        row = await _coupon(work, self.code)
        _check_usable(row, work.now)
        terms = Terms.of(row.terms)
        if amount < (terms.least_order or 0):
            least = money(terms.least_order or 0, currency)
            raise CouponOrderTooSmall(coupon_code=row.code, amount=money(amount, currency), least_order=least)
        row.used_at, row.order_reference, row.discount = work.now, order, terms.discount(amount)
        work.save(row)
        work.count(USED, 1)
        work.tell("coupon.used", coupon=row.coupon_id, order=order, discount=row.discount)
        return {"coupon": row.coupon_id, "order": order, "discount": row.discount}

    def _order(self) -> str:
        if not 0 < len(self.order) <= _ORDER_MAX or not self.order.isprintable():
            raise InvalidValue(field="order", reason=f"it must have 1 to {_ORDER_MAX} visible characters")
        return self.order


@dataclass(frozen=True, kw_only=True)
class UndoCouponUse(Operation):
    """The order came to nothing: the coupon can be used again, for as long as it could before.

    Refuses CouponCodeMalformed, CouponNotFound, CouponNotUsed.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "undo"
    reaches_merged: ClassVar[bool] = True

    code: str
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        row = await _coupon(work, self.code)
        if row.used_at is None:
            raise CouponNotUsed(coupon_code=row.code)
        _undo(work, row)
        return {"coupon": row.coupon_id, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class WithdrawCoupon(Operation):
    """Take a coupon back that was not used. Refuses CouponNotFound, CouponAlreadyUsed, CouponWithdrawn."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "withdraw"
    reaches_merged: ClassVar[bool] = True

    code: str
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        row = await _coupon(work, self.code)
        _check_there(row)
        _withdraw(work, row)
        return {"coupon": row.coupon_id, "reason": self.reason}


# -- what happens elsewhere ---------------------------------------------------------------------------


async def follow(event: Event, work: Work) -> None:
    """Issue what was granted, and take back what was granted for something that is undone."""
    payload = event.payload
    match event.name:
        case name if name == COUPON_GRANTED:
            until = payload.get("until")
            ends = datetime.fromisoformat(until) if until else None
            _issue(work, _granted(work, payload["coupon"]), payload["occasion"], ends)
        case name if name == COUPONS_REVOKED:
            await _take_back(work, occasion=payload["occasion"])
        case name if name == TRANSACTION_REVERSED and payload["whole"]:
            await _take_back(work, transaction_id=payload["transaction"])
        case name if name == ORDER_REFUNDED and payload["gone"]:
            settings = work.programme.channels.get(CHANNEL)
            if isinstance(settings, CouponSettings) and settings.refunded == "back":
                for value in await work.rows(Coupon, order_reference=payload["reference"]):
                    row = await work.find(Coupon, coupon_id=value.coupon_id)
                    assert row is not None, "it was just read"
                    _undo(work, row)


def _granted(work: Work, coupon: str) -> CouponKind:
    """The coupon as the programme has it that granted it: the version that judges, or the one in force now."""
    for programme in (work.programme, work.programme_now):
        settings = programme.channels.get(CHANNEL)
        if isinstance(settings, CouponSettings) and coupon in settings.by_id:
            return settings.by_id[coupon]
    raise AssertionError("no programme is published that grants a coupon it does not have")


def _issue(work: Work, coupon: CouponKind, occasion: str, until: datetime | None = None) -> str:
    number = sum(event.name == ISSUED for event in work.events)
    coupon_id = f"{work.operation_id}-{number:03}"
    own = day_start(work.today + timedelta(days=coupon.days), work.programme.zone) if coupon.days else None
    expires_at = min((end for end in (own, until) if end is not None), default=None)
    work.add(
        Coupon,
        coupon_id=coupon_id,
        transaction_id=work.operation_id,
        coupon=coupon.id,
        name=coupon.name,
        code=code_of(work.operation_id, number),
        terms=asdict(coupon.terms(work.programme.currency)),
        occasion=occasion,
        issued_at=work.now,
        expires_at=expires_at,
        used_at=None,
        order_reference=None,
        discount=0,
        withdrawn_at=None,
    )
    work.tell(ISSUED, coupon=coupon_id, kind=coupon.id, occasion=occasion)
    return coupon_id


async def _take_back(work: Work, **by: Any) -> None:
    """Withdraw those coupons. What was used stays used, but cannot be used again when that is undone."""
    for value in await work.rows(Coupon, **by):
        if value.withdrawn_at is None:
            row = await work.find(Coupon, coupon_id=value.coupon_id)
            assert row is not None, "it was just read"
            _withdraw(work, row)


def _withdraw(work: Work, row: Coupon) -> None:
    row.withdrawn_at = work.now
    work.save(row)
    if row.used_at is None:
        work.tell("coupon.withdrawn", coupon=row.coupon_id)


def _undo(work: Work, row: Coupon) -> None:
    work.count(USED, -1, at=row.used_at)
    row.used_at, row.order_reference, row.discount = None, None, 0
    work.save(row)
    work.tell("coupon.use_undone", coupon=row.coupon_id)
    if row.withdrawn_at is not None:
        work.tell("coupon.withdrawn", coupon=row.coupon_id)


async def _coupon(work: Work, given: str) -> Coupon:
    """The member's coupon with that code."""
    code = read_code(given)
    if code is None:
        raise CouponCodeMalformed(coupon_code=given[:_SHOWN])
    rows = await work.rows(Coupon, code=code)
    row = await work.find(Coupon, coupon_id=rows[0].coupon_id) if rows else None
    if row is None:
        raise CouponNotFound(coupon_code=code)
    return row


def _check_there(row: Coupon) -> None:
    if row.used_at is not None:
        raise CouponAlreadyUsed(coupon_code=row.code, order=row.order_reference or "", used_at=row.used_at)
    if row.withdrawn_at is not None:
        raise CouponWithdrawn(coupon_code=row.code, withdrawn_at=row.withdrawn_at)


def _check_usable(row: Coupon, at: datetime) -> None:
    _check_there(row)
    if row.expires_at is not None and row.expires_at <= at:
        raise CouponLapsed(coupon_code=row.code, expired_at=row.expires_at)
