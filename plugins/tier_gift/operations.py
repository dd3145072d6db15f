"""What reaching a tier brings, in the transaction that reached it."""

from core.books.members import bucket_of
from core.engine.work import Work
from core.models import MergeRow
from core.people.merging import MERGED
from core.telling.events import TIER_CHANGED, TRANSACTION_REVERSED, Event

from .models import TierGift
from .rules import CHANNEL, TierGiftSettings


async def follow(event: Event, work: Work) -> None:
    """Give the gifts of the tiers that were reached; remember what an operator has taken back."""
    # With a tier that came with a merged member came what it had brought.
    if event.name == TIER_CHANGED and not event.payload.get("merged"):
        await _reward(work, event.payload["former"], event.payload["tier"])
    elif event.name == TRANSACTION_REVERSED and event.payload["whole"]:
        for value in await work.rows(TierGift, transaction_id=event.payload["transaction"]):
            row = await work.find(TierGift, tier=value.tier)
            assert row is not None, "it was just read"
            row.is_taken_back = True
            work.save(row)


async def _reward(work: Work, former: str, tier: str) -> None:
    # Tiers are those of the ladder in force now, and so are their gifts, though an older version may judge the order.
    programme = work.programme_now
    settings, ladder = programme.channels.get(CHANNEL), programme.tiers
    if settings is None or ladder is None or not work.may_earn:
        return
    assert isinstance(settings, TierGiftSettings)
    for reached in settings.reached(ladder, former, tier):
        row = await work.find(TierGift, tier=reached)
        if not settings.again and (
            (row is not None and not row.is_taken_back) or await _came_with_a_merge(work, reached)
        ):
            continue
        await _give(work, settings, reached, row)


async def _came_with_a_merge(work: Work, tier: str) -> bool:
    """Whether the gift of the tier was given to somebody who is merged into the member, as long as they are."""
    merges = await work.rows(MergeRow)
    while others := [row.other for row in merges if not row.outgoing and row.state == MERGED]:
        merges = []
        for other in others:
            whose = {"bucket": bucket_of(other), "member_id": other}
            if any(not gift.is_taken_back for gift in await work.look_all(TierGift, **whose, tier=tier)):
                return True
            merges += await work.look_all(MergeRow, **whose)
    return False


async def _give(work: Work, settings: TierGiftSettings, tier: str, row: TierGift | None) -> None:
    gift = settings.gifts[tier]
    given = await gift.give(work, f"{CHANNEL}:{tier}", f"{CHANNEL}:{tier}")
    values = {
        "transaction_id": work.operation_id,
        "pack": given.pack,
        "coupons": list(gift.coupons),
        "given_at": work.now,
        "is_taken_back": False,
    }
    if row is None:
        work.add(TierGift, tier=tier, **values)
    else:
        work.save(row.update_from_dict(values))
    work.tell("tier_gift.given", tier=tier, pack=given.pack, coupons=list(gift.coupons))
