"""What can be bid for, by whom, from when until when, and how much at least. All of it is pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.rulebook.document import Identifier, Instant, Section
from core.rulebook.programme import ChannelSettings, Misfit, Programme, unknown_tiers
from core.units import AMOUNT_MAX
from core.wording.words import Said, Topic, Words

from .refusals import AuctionClosed, AuctionNotYetOpen, AuctionOfOtherTier, BidTooLow

CHANNEL: Final = "auction"

Amount = Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]


class Auction(Section):
    """One auction: bids are taken from ``opens`` until just before ``closes``, of members of ``tiers`` or of all.

    The first bid is ``least_bid`` or more, and each further one ``least_raise`` above the highest: no two are equal.
    """

    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=200)]
    opens: Instant
    closes: Instant
    least_bid: Amount = 1
    least_raise: Amount = 1
    tiers: tuple[Identifier, ...] = ()

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens >= self.closes:
            raise PydanticCustomError("auction", "it closes before it opens")
        return self

    def least_now(self, highest: int) -> int:
        """The lowest bid there can be now; ``highest`` is 0 when there is none."""
        return highest + self.least_raise if highest else self.least_bid

    def check_open(self, at: datetime) -> None:
        """Raise AuctionNotYetOpen or AuctionClosed unless it takes bids at that instant."""
        if at < self.opens:
            raise AuctionNotYetOpen(auction=self.id, opens_at=self.opens)
        if at >= self.closes:
            raise AuctionClosed(auction=self.id, closed_at=self.closes)

    def check_tier(self, tier: str) -> None:
        """Raise AuctionOfOtherTier when it is for members of other tiers."""
        if self.tiers and tier not in self.tiers:
            raise AuctionOfOtherTier(auction=self.id, tier=tier, tiers=", ".join(self.tiers))

    def check_bid(self, points: int, highest: int) -> None:
        """Raise BidTooLow when it does not outbid the highest."""
        if points < self.least_now(highest):
            raise BidTooLow(auction=self.id, points=points, needed=self.least_now(highest))


class AuctionSettings(ChannelSettings):
    """The programme's section ``channels: auction:``.

    ``settle_days``: for so many days after the close the highest bid stays set aside; then it is free by itself.
    """

    called = ("Auction", "拍卖")

    auctions: Annotated[tuple[Auction, ...], Field(min_length=1, max_length=200)]
    settle_days: Annotated[int, Field(strict=True, ge=1, le=90)] = 7

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(self.by_id) < len(self.auctions):
            raise PydanticCustomError("auctions", "an id is used twice")
        return self

    def check(self, programme: Programme) -> Iterable[Misfit]:
        return unknown_tiers(
            programme,
            [
                (("auctions", at, "tiers", place), tier)
                for at, auction in enumerate(self.auctions)
                for place, tier in enumerate(auction.tiers)
            ],
        )

    @cached_property
    def by_id(self) -> Mapping[str, Auction]:
        return {auction.id: auction for auction in self.auctions}

    def says(self, words: Words) -> Iterable[Said]:
        for auction in self.auctions:
            text = words.say(
                "Auction “{title}”, from {opens} until {closes}: the first bid is {least} or more, each further one "
                "{raised} higher. The highest bid wins; all others get their points back.",
                "竞拍“{title}”（{opens}至{closes}）：起拍{least}，每次加价至少{raised}；价高者得，其余出价如数退回。",
                title=auction.title, opens=words.moment(auction.opens), closes=words.moment(auction.closes),
                least=words.points(auction.least_bid), raised=words.points(auction.least_raise),
            )  # fmt: skip
            if auction.tiers:
                only = words.say("For {who} only.", "仅限{who}。", who=words.members(auction.tiers))
                text = words.say("{text} {only}", "{text}{only}", text=text, only=only)
            yield Said(Topic.SPENDING, text, ("auctions", auction.id))
