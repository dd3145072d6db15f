"""What the store offers, to whom, and for how many points. All of it is pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from core.channels.limits import Left, Limits
from core.ladder.benefits import Benefit, BenefitKind
from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.programme import ChannelSettings, Misfit, Path, Programme, unknown_tiers
from core.rulebook.rules import Validity
from core.units import AMOUNT_MAX
from core.wording.facts import TallyWords, Wording
from core.wording.words import Said, Topic, Words

from .refusals import RewardClosed, RewardLimitReached, RewardNotYetOpen, RewardOfOtherTier, RewardSoldOut

CHANNEL: Final = "rewards"

Kind = Literal["goods", "voucher", "service"]


def _share(value: Decimal) -> Decimal:
    if not 0 < value <= 1:
        raise PydanticCustomError("share", 'a share of the price is more than 0 and at most 1, such as "0.90"')
    return value


TierPrices = dict[Identifier, Annotated[QuotedDecimal, AfterValidator(_share)]]
"""By tier, the share of the price that its members pay."""


class Item(Section):
    """A reward. With ``stock`` its pieces are counted; with ``codes`` each piece is a code of its own.

    It is suggested first to members with a tag of ``suits``.
    """

    id: Identifier
    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Kind
    category: Identifier | None = None
    price: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
    valid: Validity = Validity()
    tiers: tuple[Identifier, ...] = ()
    tier_prices: TierPrices | None = None
    limits: Limits = Limits()
    stock: Annotated[bool, Field(strict=True)] = False
    codes: Annotated[bool, Field(strict=True)] = False
    suits: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _is_counted_in_one_way(self) -> Self:
        if self.codes and self.kind != "voucher":
            raise PydanticCustomError("codes", "only a voucher has codes")
        if self.codes and self.stock:
            raise PydanticCustomError("codes", "a voucher's codes are its stock; leave stock out")
        return self

    @property
    def counted(self) -> bool:
        """Whether there can be none left."""
        return self.stock or self.codes

    @property
    def tally(self) -> str:
        """What counts how many a member has had."""
        return f"{CHANNEL}:{self.id}"


class RewardsSettings(ChannelSettings):
    """The programme's section ``channels: rewards:``.

    ``tier_prices`` hold for every item that has none of its own. ``cancelled_codes`` says whether a code of a
    cancelled order is given to somebody else, or to nobody, as the member has seen it.
    """

    called = ("Reward", "礼品兑换")

    wording: ClassVar[Wording] = Wording(
        tallies={
            "rewards_redeemed": TallyWords(
                "a reward redeemed", "{n} rewards redeemed", "兑换奖品 {n} 件", ("rewards redeemed", "兑换奖品数")
            )
        }
    )

    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=500)]
    tier_prices: TierPrices = Field(default_factory=dict)
    cancelled_codes: Literal["back", "void"] = "void"

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        seen = set[str]()
        for item in self.items:
            if item.id in seen:
                raise PydanticCustomError("id", "{reason}", {"reason": f"id {item.id!r} is used twice"})
            seen.add(item.id)
        return self

    def check(self, programme: Programme) -> Iterable[Misfit]:
        named: list[tuple[Path, str]] = [(("tier_prices", tier), tier) for tier in self.tier_prices]
        for at, item in enumerate(self.items):
            named += [(("items", at, "tiers", place), tier) for place, tier in enumerate(item.tiers)]
            named += [(("items", at, "tier_prices", tier), tier) for tier in item.tier_prices or ()]
        return unknown_tiers(programme, named)

    def brings(self, programme: Programme, tier: str) -> Iterable[Benefit]:
        if price := self.tier_prices.get(tier):
            yield Benefit(CHANNEL, "price", "Rewards for fewer points", BenefitKind.REWARD_PRICE, price=price)

    @cached_property
    def by_id(self) -> Mapping[str, Item]:
        return {item.id: item for item in self.items}

    def price(self, item: Item, tier: str | None, programme: Programme) -> int:
        """What one costs a member of that tier, rounded as the programme rounds; never nothing."""
        prices = self.tier_prices if item.tier_prices is None else item.tier_prices
        share = prices.get(tier) if tier else None
        return item.price if share is None else max(programme.round(item.price * share), 1)

    def says(self, words: Words) -> Iterable[Said]:
        for item in self.items:
            text = words.say(
                "Reward “{name}”: {price}", "奖品“{name}”：{price}", name=item.name, price=words.points(item.price)
            )
            limits = words.limits(item.limits.day, item.limits.month, item.limits.lifetime)
            prices = [
                words.say(
                    "for {who} {share} of that",
                    "{who}按{share}计",
                    who=words.members([tier]),
                    share=words.percent(share),
                )
                for tier, share in (item.tier_prices or {}).items()
            ]
            for more in (
                *prices,
                words.say("for {who} only", "仅限{who}", who=words.members(item.tiers)) if item.tiers else "",
                words.say("{limits} at most", "最多{limits}", limits=limits) if limits else "",
                words.validity(item.valid),
                words.say("while there are any left", "数量有限，换完即止") if item.counted else "",
            ):
                if more:
                    text = words.say("{text}, {more}", "{text}，{more}", text=text, more=more)
            yield Said(Topic.SPENDING, words.say("{text}.", "{text}。", text=text), ("items", item.id))
        for tier, share in self.tier_prices.items():
            text = words.say(
                "{who} pay {share} of the points for rewards.", "{who}兑换所需积分按{share}计。",
                who=words.members([tier]), share=words.percent(share),
            )  # fmt: skip
            yield Said(Topic.BENEFITS, text, ("tier_prices", tier))


def check_open(item: Item, at: datetime) -> None:
    """Raise RewardNotYetOpen or RewardClosed unless it can be redeemed at that instant."""
    if item.valid.since is not None and at < item.valid.since:
        raise RewardNotYetOpen(reward=item.id, opens_at=item.valid.since)
    if item.valid.until is not None and at >= item.valid.until:
        raise RewardClosed(reward=item.id, closed_at=item.valid.until)


def check_member(item: Item, tier: str, quantity: int, left: Left | None) -> None:
    """Raise RewardOfOtherTier or RewardLimitReached unless this member may have so many."""
    if item.tiers and tier not in item.tiers:
        raise RewardOfOtherTier(reward=item.id, tier=tier, tiers=", ".join(item.tiers))
    if left is not None and quantity > left.times:
        raise RewardLimitReached(
            reward=item.id, period=left.period, asked=quantity, limit_left=left.times, resets_at=left.resets_at
        )


def check_stock(item: Item, quantity: int, stock_left: int) -> None:
    """Raise RewardSoldOut unless so many are left."""
    if quantity > stock_left:
        raise RewardSoldOut(reward=item.id, asked=quantity, stock_left=stock_left)
