"""Buying a tier, and what follows when an operator takes that back.

A purchase is its transaction and nothing beside it: the tier and the one before stand in what was recorded.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from core.errors import MemberNotActive, NotReversible
from core.events import TRANSACTION_REVERSED, Event
from core.members import MemberStatus
from core.operations import Operation, Recorded
from core.work import Work

from .refusals import TierPriceChanged, TierPurchaseNotOffered
from .rules import CHANNEL, TierPurchaseSettings

TIER_BOUGHT: Final = "tier.bought"


@dataclass(frozen=True, kw_only=True)
class BuyTier(Operation):
    """Buy a tier for the ``price`` that the member was shown.

    Refuses TierPurchaseNotOffered, TierNotForSale, TierAlreadyReached, TierTooHigh, TierPriceChanged,
    InsufficientPoints, MemberNotActive.
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
        if work.member.status != MemberStatus.ACTIVE:
            raise MemberNotActive(status=work.member.status)
        former = work.member.tier
        price = settings.price(ladder, self.tier, former)
        if price != self.price:
            raise TierPriceChanged(price_expected=self.price, price=price)
        await work.spend(price)
        work.move_to_tier(self.tier)
        work.tell(TIER_BOUGHT, former=former, tier=self.tier, points=price)
        return {"tier": self.tier, "former": former, "points": price}


async def follow_reversal(event: Event, work: Work) -> None:
    """Whose purchase is taken back stands where they would without it, unless they stand there for another reason."""
    payload = event.payload
    if event.name != TRANSACTION_REVERSED or payload["channel"] != CHANNEL:
        return
    if not payload["whole"]:
        raise NotReversible(transaction=payload["transaction"], reason="a tier is given back as a whole")
    tier = work.member.tier
    recorded: list[Recorded] = await work.rows(Recorded, channel=CHANNEL, accepted=True)
    bought = sorted(recorded, key=lambda each: each.id)
    newest = next((each for each in reversed(bought) if each.result["tier"] == tier), None)
    ladder = work.programme.tiers
    if ladder is None or newest is None or newest.id != payload["transaction"]:
        return  # they have risen above that tier, have fallen since, or have bought it once more
    tier = max(await work.tier_earned(), await _stood_on(work, newest, bought), key=ladder.rank)
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
