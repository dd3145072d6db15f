"""Bidding, and the end of an auction. Where it stands is a row that bidders share.

Points of the highest bid are set aside until the auction is settled. A higher bid frees them through the outbox, as an
operation is alone for its one member; a bidder who raises their own bid has them freed at once.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final

from core.books.holds import Hold, HoldState
from core.books.members import ById, MemberStatus
from core.channels.orders import ORDER_PAID
from core.engine.operations import Operation, Recorded
from core.engine.work import Work
from core.errors import HoldNotFound, InvalidAmount
from core.scheduling.jobs import Run
from core.telling.events import MEMBER_STATUS_CHANGED, TRANSACTION_REVERSED, Delivery, Event
from core.telling.outbox import Submit
from core.time.calendar import local_day
from core.units import AMOUNT_MAX, POINTS

from .models import AuctionBid, AuctionStanding
from .refusals import (
    AuctionNotFound,
    AuctionOutbidMeanwhile,
    AuctionSettled,
    AuctionsNotOffered,
    AuctionStillOpen,
    AuctionWithoutBids,
)
from .rules import CHANNEL, AuctionSettings

OPEN: Final = "open"
CLOSED: Final = "closed"
CANCELLED: Final = "cancelled"

BID_PLACED: Final = "auction.bid_placed"
OUTBID: Final = "auction.outbid"
WON: Final = "auction.won"


@dataclass(frozen=True, kw_only=True)
class PlaceBid(Operation):
    """Bid points, which are set aside. A member's own higher bid takes the place of the one before.

    Refuses AuctionNotFound, AuctionNotYetOpen, AuctionClosed, AuctionSettled, AuctionOfOtherTier, BidTooLow,
    InsufficientPoints, InvalidAmount, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "bid"

    auction: str
    points: int

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = _offered(work)
        auction = settings.by_id.get(self.auction)
        if auction is None:
            raise AuctionNotFound(auction=self.auction[:64])
        if not 0 < self.points <= AMOUNT_MAX:
            raise InvalidAmount(value=str(self.points), reason=f"points must be between 1 and {AMOUNT_MAX}")
        work.check_may_spend()
        auction.check_open(work.now)
        auction.check_tier(work.member.tier)
        standing = await work.shared(AuctionStanding, auction=auction.id)
        if standing is not None and standing.state != OPEN:
            raise AuctionSettled(auction=auction.id, state=standing.state)
        auction.check_bid(self.points, standing.highest if standing else 0)
        # Also what was outbid and that nobody has freed yet: the member has these points for this bid.
        for earlier in await work.rows(Hold, "state = 'open'", channel=CHANNEL, reference=auction.id):
            await _free(work, earlier.seq)
        if standing is not None and standing.bidder not in {None, work.member.id}:
            work.tell(OUTBID, auction=auction.id, bidder=standing.bidder, bid=standing.bid_id, hold=standing.hold)
        until = auction.closes + timedelta(days=settings.settle_days)
        hold = await work.hold(self.points, until=until, reference=auction.id)
        if standing is None:
            work.add(
                AuctionStanding,
                auction=auction.id,
                state=OPEN,
                bids=1,
                highest=self.points,
                bidder=work.member.id,
                bid_id=work.operation_id,
                hold=hold.seq,
            )
        else:
            standing.bids += 1
            standing.highest, standing.hold = self.points, hold.seq
            standing.bidder, standing.bid_id = work.member.id, work.operation_id
            work.save(standing)
        work.add(
            AuctionBid,
            bid_id=work.operation_id,
            auction=auction.id,
            title=auction.title,
            points=self.points,
            hold=hold.seq,
            placed_at=work.now,
        )
        work.tell(BID_PLACED, auction=auction.id, bid=work.operation_id, points=self.points)
        return {"auction": auction.id, "bid": work.operation_id, "points": self.points, "hold": hold.seq}


@dataclass(frozen=True, kw_only=True)
class ReleaseBid(Operation):
    """Another bid is higher: what the member's set aside is free again."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "release"
    reaches_merged: ClassVar[bool] = True

    bid: str
    hold: int

    async def perform(self, work: Work) -> dict[str, Any]:
        return {"bid": self.bid, "points": await _free(work, self.hold)}


@dataclass(frozen=True, kw_only=True)
class CloseAuction(Operation):
    """The auction is over: the highest bid, the member's, is spent.

    Refuses AuctionNotFound, AuctionStillOpen, AuctionWithoutBids, AuctionSettled, AuctionOutbidMeanwhile; HoldNotOpen
    when the bid was set aside for no longer, and MemberNotActive, MemberFrozen: then the auction stays as it was.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "close"

    auction: str

    async def perform(self, work: Work) -> dict[str, Any]:
        auction = _offered(work).by_id.get(self.auction)
        if auction is None:
            raise AuctionNotFound(auction=self.auction[:64])
        if work.now < auction.closes:
            raise AuctionStillOpen(auction=auction.id, closes_at=auction.closes)
        standing = await _led(work, auction.id)
        assert standing.hold is not None, "whose bid leads has set it aside"
        hold = await work.capture(standing.hold)
        standing.state = CLOSED
        work.save(standing)
        work.tell(WON, auction=auction.id, bid=standing.bid_id, points=hold.captured)
        return {"auction": auction.id, "bid": standing.bid_id, "points": hold.captured}


@dataclass(frozen=True, kw_only=True)
class CancelAuction(Operation):
    """There is no auction: the highest bid, the member's, is free again.

    Refuses AuctionWithoutBids, AuctionSettled, AuctionOutbidMeanwhile.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "cancel"

    auction: str

    async def perform(self, work: Work) -> dict[str, Any]:
        standing = await _led(work, self.auction)
        points = await _free(work, standing.hold)
        standing.state = CANCELLED
        work.save(standing)
        return {"auction": self.auction, "bid": standing.bid_id, "points": points}


async def close_auctions(run: Run) -> int:
    """The job that lets the highest bid win as soon as the auction is over.

    What is refused (the member is frozen) is tried again each day, for as long as the bid is set aside.
    """
    settings = run.programme.channels.get(CHANNEL)
    if not isinstance(settings, AuctionSettings):
        return 0
    settle = timedelta(days=settings.settle_days)
    over = {auction.id for auction in settings.auctions if auction.closes <= run.now < auction.closes + settle}
    day = local_day(run.now, run.programme.zone)
    rows = await run.reader.query(
        f"SELECT auction, bidder, bid_id FROM auction_standing WHERE state = '{OPEN}' AND bidder IS NOT NULL"
    )
    return await run.submit(
        CloseAuction(member=ById(bidder), idempotency_key=f"close:{bid}:{day}", actor=run.actor, auction=auction)
        for auction, bidder, bid in sorted(rows)
        if auction in over
    )


async def release_outbid(event: Delivery, submit: Submit) -> None:
    """Free what an outbid bid had set aside. The bid is in the key, so it is freed once."""
    if event.name == OUTBID:
        await submit(
            ReleaseBid(
                member=ById(event.payload["bidder"]),
                idempotency_key=f"outbid:{event.payload['bid']}",
                actor=f"plugin {CHANNEL}",
                bid=event.payload["bid"],
                hold=event.payload["hold"],
            )
        )


async def check_order(event: Event, work: Work) -> None:
    """An order cannot be paid with a bid."""
    if event.name == ORDER_PAID and "hold" in event.payload:
        number = event.payload["hold"]["hold"]
        if any(hold.channel == CHANNEL for hold in await work.rows(Hold, unit=POINTS, seq=number)):
            raise HoldNotFound(hold=str(number))


async def follow_reversal(event: Event, work: Work) -> None:
    """An operator has taken back the highest bid, or what it won: then nobody leads, or the auction is cancelled."""
    payload = event.payload
    if event.name != TRANSACTION_REVERSED or payload["channel"] != CHANNEL or not payload["whole"]:
        return
    (reversed_,) = await work.rows(Recorded, id=payload["transaction"])
    standing = await work.shared(AuctionStanding, auction=reversed_.result["auction"])
    if standing is None or standing.bid_id != reversed_.result["bid"]:
        return
    if reversed_.kind == CloseAuction.kind:
        standing.state = CANCELLED
    else:
        _begin_anew(standing)
    work.save(standing)


async def follow_closing(event: Event, work: Work) -> None:
    """Who has left the programme leads no auction: bids begin anew."""
    if event.name != MEMBER_STATUS_CHANGED or event.payload["status"] != MemberStatus.CLOSED:
        return
    for auction in sorted({bid.auction for bid in await work.rows(AuctionBid)}):
        standing = await work.shared(AuctionStanding, auction=auction)
        if standing is not None and standing.state == OPEN and standing.bidder == work.member.id:
            await _free(work, standing.hold)
            _begin_anew(standing)
            work.save(standing)


def _begin_anew(standing: AuctionStanding) -> None:
    """Nobody leads. Whoever was outbid has their points back."""
    standing.bidder = standing.bid_id = standing.hold = None
    standing.highest = 0


def _offered(work: Work) -> AuctionSettings:
    settings = work.programme.channels.get(CHANNEL)
    if settings is None:
        raise AuctionsNotOffered(at=work.now)
    assert isinstance(settings, AuctionSettings)
    return settings


async def _led(work: Work, auction: str) -> AuctionStanding:
    """Where an auction stands that the member leads and that is not settled, claimed."""
    standing = await work.shared(AuctionStanding, auction=auction)
    if standing is None or standing.bidder is None:
        raise AuctionWithoutBids(auction=auction)
    if standing.state != OPEN:
        raise AuctionSettled(auction=auction, state=standing.state)
    if standing.bidder != work.member.id:
        raise AuctionOutbidMeanwhile(auction=auction)
    return standing


async def _free(work: Work, number: int | None) -> int:
    """Release a bid's hold unless its time was over or somebody did; how much was set aside until now."""
    if number is None:
        return 0
    holds: list[Hold] = await work.rows(Hold, unit=POINTS, seq=number)
    if not holds or holds[0].state != HoldState.OPEN:
        return 0
    return (await work.release(number)).amount
