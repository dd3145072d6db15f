"""Auctions in the schema: where they stand, bidding, and their end."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast

import strawberry

from core.books.members import ById
from core.engine.operations import Outcome
from core.errors import MemberNotFound
from core.store.questions import Rows
from graph.vocabulary import (
    ACTING,
    ID,
    Connection,
    Info,
    Member,
    MemberByInput,
    Node,
    Page,
    Payload,
    Points,
    Role,
    Transaction,
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
)

from .models import AuctionBid, AuctionStanding
from .operations import CANCELLED, CLOSED, CancelAuction, CloseAuction, PlaceBid
from .refusals import AuctionNotFound, AuctionsNotOffered, AuctionWithoutBids
from .rules import CHANNEL, Auction, AuctionSettings

_AUCTION = "The auction's id in the programme."
_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class PlaceBidInput:
    """Points to bid."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    auction: str = strawberry.field(description=_AUCTION)
    points: Points = strawberry.field(description="How many in all, with what an earlier bid has set aside.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class CloseAuctionInput:
    """An auction that is over."""

    auction: str = strawberry.field(description=_AUCTION)
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class CancelAuctionInput:
    """An auction that is not to be won."""

    auction: str = strawberry.field(description=_AUCTION)
    idempotency_key: str = strawberry.field(description=_KEY)
    reason: str | None = strawberry.field(
        default=None, description="Why, 3 to 1000 characters. It is kept in the audit log."
    )


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class AuctionState(Enum):
    """Where an auction stands."""

    UPCOMING = strawberry.enum_value("upcoming", description="It takes bids later.")
    OPEN = strawberry.enum_value("open", description="It takes bids.")
    OVER = strawberry.enum_value("over", description="It takes no more bids, and the highest is still to be spent.")
    CLOSED = strawberry.enum_value("closed", description="The highest bid has won and is spent.")
    CANCELLED = strawberry.enum_value("cancelled", description="Nobody wins, and all points were given back.")


@strawberry.enum
class BidState(Enum):
    """What has become of a bid."""

    LEADING = strawberry.enum_value("leading", description="It is the highest; its points are set aside.")
    WON = strawberry.enum_value("won", description="It was the highest when the auction closed; its points are spent.")
    OUTBID = strawberry.enum_value("outbid", description="It is not the highest any more; its points are free.")
    CANCELLED = strawberry.enum_value("cancelled", description="The auction was cancelled; its points are free.")


@strawberry.type(name="AuctionBid")
class AuctionBidNode(Node):
    """A member's bid."""

    auction: str = strawberry.field(description=_AUCTION)
    title: str = strawberry.field(description="The auction's title when it was placed.")
    points: Points = strawberry.field(description="How many.")
    placed_at: datetime = strawberry.field(description="When it was placed.")
    _member_id: strawberry.Private[str]
    _bid_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "AuctionBidNode":
        return cls(
            id=global_id("AuctionBid", member_id, row.bid_id),
            auction=row.auction,
            title=row.title,
            points=Points(row.points),
            placed_at=row.placed_at,
            _member_id=member_id,
            _bid_id=row.bid_id,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, bid_id: str) -> "AuctionBidNode | None":
        """A member's bid by Laurel's id."""
        found = await info.context.loaders.rows(AuctionBid, member_id, bid_id=bid_id)
        return cls.of(member_id, found[0]) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "AuctionBidNode | None":
        match parts:
            case (member_id, bid_id) if may_see(info, member_id):
                return await cls.find(info, member_id, bid_id)
            case _:
                return None

    @strawberry.field
    async def state(self, info: Info) -> BidState:
        """What has become of it."""
        standing = await _standing(info, self.auction)
        if standing is None or standing.bid_id != self._bid_id:
            return BidState.OUTBID
        match standing.state:
            case state if state == CLOSED:
                return BidState.WON
            case state if state == CANCELLED:
                return BidState.CANCELLED
            case _:
                return BidState.LEADING

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that set the points aside."""
        return await Transaction.find(info, self._member_id, self._bid_id)


@strawberry.type(name="Auction")
class AuctionNode:
    """Something that the highest bid gets."""

    id: ID = strawberry.field(description=_AUCTION)
    title: str = strawberry.field(description="Its title.")
    state: AuctionState = strawberry.field(description="Where it stands.")
    bids: int = strawberry.field(description="How many bids there were.")
    highest: Points | None = strawberry.field(description="The highest bid; null when there is none.")
    least: Points = strawberry.field(description="The lowest bid that there could be now.")
    opens_at: datetime = strawberry.field(description="From when on it takes bids.")
    closes_at: datetime = strawberry.field(description="From when on it takes none.")
    tiers: list[str] = strawberry.field(description="The tiers that it is for; empty when for everybody.")
    mine: AuctionBidNode | None = strawberry.field(
        description="The member's newest bid; null when there is none, or no member was named."
    )


@strawberry.type
class PlaceBidPayload(Payload):
    """What became of a bid."""

    bid: AuctionBidNode | None = strawberry.field(default=None, description="The bid; null when it was refused.")
    auction: AuctionNode | None = strawberry.field(
        default=None, description="The auction as it is now; null when the bid was refused."
    )


@strawberry.type
class CloseAuctionPayload(Payload):
    """What became of closing an auction; the member is who has won."""

    bid: AuctionBidNode | None = strawberry.field(
        default=None, description="The bid that has won; null when it was refused."
    )


@strawberry.type
class CancelAuctionPayload(Payload):
    """What became of cancelling an auction; the member is whose bid was the highest."""

    bid: AuctionBidNode | None = strawberry.field(
        default=None, description="The bid that was the highest; null when it was refused."
    )


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class AuctionQueries:
    """What can be asked about auctions."""

    @query(allow={*ACTING, Role.ANALYST})
    async def auctions(
        self,
        info: Info,
        member: Annotated[
            MemberByInput | None,
            strawberry.argument(description="For whom; a member's own token asks for its member."),
        ] = None,
    ) -> list[AuctionNode]:
        """The auctions of the programme in force, in the programme's order. Who the other bidders are is not told."""
        settings = await _settings(info)
        if settings is None:
            raise AuctionsNotOffered(at=info.context.now)
        visitor = await _visitor(info, member)
        return [await _auction(info, auction, visitor) for auction in settings.auctions]


@strawberry.type
class AuctionMutations:
    """What can be done about auctions."""

    @mutation(allow=ACTING)
    async def place_bid(self, info: Info, input: PlaceBidInput) -> PlaceBidPayload:
        """Bid points. They are set aside until another bid is higher, or the auction is settled."""
        operation = PlaceBid(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            auction=input.auction,
            points=input.points,
        )
        return await perform(info, operation, PlaceBidPayload, lambda outcome: _placed(info, outcome))

    @mutation(allow={Role.SERVICE, Role.OPERATOR})
    async def close_auction(self, info: Info, input: CloseAuctionInput) -> CloseAuctionPayload:
        """Let the highest bid win, once the auction is over, and spend it."""
        operation = CloseAuction(
            member=await _leader(info, input.auction),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            auction=input.auction,
        )
        return await perform(info, operation, CloseAuctionPayload, lambda outcome: _bid(info, outcome))

    @mutation(allow={Role.OPERATOR})
    async def cancel_auction(self, info: Info, input: CancelAuctionInput) -> CancelAuctionPayload:
        """Let nobody win, and give the points of the highest bid back."""
        if input.reason is not None:
            check_text("reason", input.reason, 1_000, shortest=3)
        operation = CancelAuction(
            member=await _leader(info, input.auction),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            auction=input.auction,
        )
        return await perform(info, operation, CancelAuctionPayload, lambda outcome: _bid(info, outcome))


@strawberry.type
class AuctionMemberFields:
    """What a member has of auctions."""

    @strawberry.field
    @paged
    async def auction_bids(self, info: Info, page: Page) -> Connection[AuctionBidNode]:
        """The member's bids, the newest first."""
        # Fields of Member, so they are resolved with a member as self.
        member_id = cast(Member, self).member_id

        def node(row: Any) -> AuctionBidNode:
            return AuctionBidNode.of(member_id, row)

        return await page_of_member(info, AuctionBid, member_id, node, page, newest("bid_id"))


# -- how it is found ----------------------------------------------------------------------------------


async def _settings(info: Info) -> AuctionSettings | None:
    settings = (await info.context.version()).programme.channels.get(CHANNEL)
    assert settings is None or isinstance(settings, AuctionSettings)
    return settings


async def _standing(info: Info, auction: str) -> Any:
    """Where an auction stands; None when nobody has bid."""
    found = await info.context.loaders.ask(Rows(AuctionStanding, ("auction",)), (auction,))
    return found[0] if found else None


async def _leader(info: Info, auction: str) -> ById:
    """Whose bid is the highest. Raises AuctionsNotOffered, AuctionNotFound, AuctionWithoutBids."""
    standing = await _standing(info, auction)
    if standing is None or standing.bidder is None:
        settings = await _settings(info)
        if settings is None:
            raise AuctionsNotOffered(at=info.context.now)
        if auction not in settings.by_id:
            raise AuctionNotFound(auction=auction[:64])
        raise AuctionWithoutBids(auction=auction)
    return ById(standing.bidder)


async def _visitor(info: Info, by: MemberByInput | None) -> str | None:
    """Whose bids are shown."""
    caller = info.context.caller
    if by is not None:
        member = await find_member(info, by)
        if member is None:
            raise MemberNotFound(member=by.id or by.external_id or "")
        return member.member_id
    return caller.member_id if caller is not None and caller.role is Role.MEMBER else None


async def _auction(info: Info, auction: Auction, visitor: str | None) -> AuctionNode:
    standing = await _standing(info, auction.id)
    bids = await info.context.loaders.rows(AuctionBid, visitor, auction=auction.id) if visitor else []
    latest = max(bids, key=lambda bid: bid.bid_id, default=None)
    highest = standing.highest if standing else 0
    return AuctionNode(
        id=ID(auction.id),
        title=auction.title,
        state=_state(auction, standing, info.context.now),
        bids=standing.bids if standing else 0,
        highest=Points(highest) if highest else None,
        least=Points(auction.least_now(highest)),
        opens_at=auction.opens,
        closes_at=auction.closes,
        tiers=list(auction.tiers),
        mine=AuctionBidNode.of(visitor, latest) if visitor and latest else None,
    )


def _state(auction: Auction, standing: Any, at: datetime) -> AuctionState:
    if standing is not None and standing.state == CANCELLED:
        return AuctionState.CANCELLED
    if standing is not None and standing.state == CLOSED:
        return AuctionState.CLOSED
    if at < auction.opens:
        return AuctionState.UPCOMING
    return AuctionState.OPEN if at < auction.closes else AuctionState.OVER


async def _bid(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    return {"bid": await AuctionBidNode.find(info, outcome.member_id, outcome.result["bid"])}


async def _placed(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    settings = await _settings(info)
    auction = settings.by_id.get(outcome.result["auction"]) if settings else None
    return {
        **await _bid(info, outcome),
        "auction": await _auction(info, auction, outcome.member_id) if auction else None,
    }
