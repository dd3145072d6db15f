"""Buying a tier or keeping one, and what follows when an operator takes that back.

A purchase is its transaction and nothing beside it: the tier and the one before stand in what was recorded. What is
kept is the member's own lock, which whatever lowers tiers respects.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from core.engine.operations import Operation, Recorded
from core.engine.work import Work
from core.errors import NotReversible
from core.ladder.tiers import Ladder
from core.telling.events import TRANSACTION_REVERSED, Event
from core.time.calendar import add_months, day_start

from .refusals import TierKeptAlready, TierNotHeld, TierPriceChanged, TierPurchaseNotOffered
from .rules import CHANNEL, TierPurchaseSettings

TIER_BOUGHT: Final = "tier.bought"
TIER_KEPT: Final = "tier.kept"


@dataclass(frozen=True, kw_only=True)
class BuyTier(Operation):
    """Buy a tier for the ``price`` that the member was shown.

    Refuses TierPurchaseNotOffered, TierNotForSale, TierAlreadyReached, TierTooHigh, TierPriceChanged,
    InsufficientPoints, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "buy_tier"

    tier: str
    price: int

    async def perform(self, work: Work) -> dict[str, Any]:
        settings, ladder = work.programme.channels.get(CHANNEL), work.programme.tiers
        if settings is None or ladder is None:
            raise TierPurchaseNotOffered(at=work.now)
        assert isinstance(settings, TierPurchaseSettings)
        work.check_may_spend()
        former = work.member.tier
        price = settings.price(ladder, self.tier, former)
        if price != self.price:
            raise TierPriceChanged(price_expected=self.price, price=price)
        await work.spend(price)
        work.move_to_tier(self.tier)
        work.tell(TIER_BOUGHT, former=former, tier=self.tier, points=price)
        return {"tier": self.tier, "former": former, "points": price}


@dataclass(frozen=True, kw_only=True)
class KeepTier(Operation):
    """Keep the tier that the member stands on, for the ``price`` that they were shown.

    Refuses TierPurchaseNotOffered, TierNotKept, TierNotHeld, TierKeptAlready, TierPriceChanged, InsufficientPoints,
    MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "keep_tier"

    tier: str
    price: int

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = work.programme.channels.get(CHANNEL)
        keep = settings.keep if isinstance(settings, TierPurchaseSettings) else None
        if keep is None:
            raise TierPurchaseNotOffered(at=work.now)
        member = work.member
        work.check_may_spend()
        price = keep.price(self.tier)
        if member.tier != self.tier:
            raise TierNotHeld(tier=self.tier, tier_reached=member.tier)
        check_not_kept(work.programme.tiers, self.tier, work.tier_lock, member.tier_lock_until)
        if price != self.price:
            raise TierPriceChanged(price_expected=self.price, price=price)
        await work.spend(price)
        until = day_start(add_months(work.today, keep.months), work.programme.zone)
        work.lock_tier(self.tier, until)
        work.tell(TIER_KEPT, tier=self.tier, until=until.isoformat(), points=price)
        before = member.tier_lock_until
        return {
            "tier": self.tier,
            "points": price,
            "until": until.isoformat(),
            "former": [member.tier_lock, before.isoformat()] if before else None,
        }


def check_not_kept(ladder: Ladder | None, tier: str, lock: str | None, until: datetime | None) -> None:
    """Raise TierKeptAlready when the lock keeps that tier, or one above it."""
    if ladder is not None and lock is not None and until is not None and ladder.rank(lock) >= ladder.rank(tier):
        raise TierKeptAlready(tier=tier, kept_until=until)


async def follow_reversal(event: Event, work: Work) -> None:
    """What was bought or kept with a transaction that is taken back is bought or kept no more."""
    payload = event.payload
    if event.name != TRANSACTION_REVERSED or payload["channel"] != CHANNEL:
        return
    if not payload["whole"]:
        raise NotReversible(transaction=payload["transaction"], reason="a tier is given back as a whole")
    if payload["kind"] == KeepTier.kind:
        await _unlock(work, payload["transaction"])
    else:
        await _undo(work, payload["transaction"])


async def _unlock(work: Work, transaction: str) -> None:
    """The lock is what it was before, unless somebody has set another one since."""
    (recorded,) = await work.rows(Recorded, id=transaction)
    tier, until, former = (recorded.result[name] for name in ("tier", "until", "former"))
    member = work.member
    if (member.tier_lock, member.tier_lock_until) != (tier, datetime.fromisoformat(until)):
        return
    if former is None:
        work.lock_tier(None, None)
    else:
        work.lock_tier(former[0], datetime.fromisoformat(former[1]))
    bought = await _bought(work)
    newest = _newest(bought, member.tier)
    if newest is not None and await work.rows(Recorded, reverses=newest.id):
        # The lock alone has kept them there.
        await _stand_without(work, newest, bought)


async def _undo(work: Work, transaction: str) -> None:
    """Whose purchase is taken back stands where they would without it, unless they stand there for another reason."""
    bought = await _bought(work)
    newest = _newest(bought, work.member.tier)
    if newest is not None and newest.id == transaction:
        await _stand_without(work, newest, bought)
    # Else they have risen above that tier, have fallen since, or have bought it once more.


async def _bought(work: Work) -> list[Recorded]:
    """The member's purchases, the oldest first."""
    recorded: list[Recorded] = await work.rows(Recorded, channel=CHANNEL, accepted=True)
    return sorted((each for each in recorded if each.kind == BuyTier.kind), key=lambda each: each.id)


def _newest(bought: list[Recorded], tier: str) -> Recorded | None:
    return next((each for each in reversed(bought) if each.result["tier"] == tier), None)


async def _stand_without(work: Work, newest: Recorded, bought: list[Recorded]) -> None:
    ladder = work.programme.tiers
    if ladder is None:
        return
    grounds = [await work.tier_earned(), await _stood_on(work, newest, bought), work.tier_lock or ladder.entry]
    tier = max(grounds, key=ladder.rank)
    if ladder.rank(tier) < ladder.rank(work.member.tier):
        work.move_to_tier(tier)


async def _stood_on(work: Work, purchase: Recorded, bought: list[Recorded]) -> str:
    """The tier before a purchase; where that had been bought and taken back as well, the one before it."""
    former: str = purchase.result["former"]
    for earlier in reversed(bought[: bought.index(purchase)]):
        if earlier.result["tier"] == former:
            taken_back = await work.rows(Recorded, reverses=earlier.id)
            return await _stood_on(work, earlier, bought) if taken_back else former
    return former
