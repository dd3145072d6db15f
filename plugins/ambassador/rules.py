"""The channel's section of the programme: who may be an ambassador, and what an order is worth. Everything is pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.errors import InvalidAmount
from core.ladder.benefits import Benefit, BenefitKind
from core.money import money, parse_money
from core.rulebook.budgets import NamedBudget, budget_of
from core.rulebook.document import Identifier, QuotedDecimal
from core.rulebook.language import NUMBERS
from core.rulebook.programme import ChannelSettings, Misfit, Path, Programme, unknown_tiers
from core.rulebook.rules import Caps
from core.units import POINTS
from core.wording.rules import caps as caps_in_words
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "ambassador"
REFERRAL: Final = "referral"
"""The channel that records who has brought whom."""

DEFAULT: Final = "default"

Days = Annotated[int, Field(strict=True, ge=1, le=3660)]
Rates = Annotated[dict[Identifier, QuotedDecimal], Field(min_length=1, max_length=21)]


class AmbassadorSettings(ChannelSettings):
    """The programme's section ``channels: ambassador:``.

    Members of ``tiers``, if any are named, may be ambassadors: when an operator lets them, or at once, as ``entry``
    says; who loses the tier stays one, or not (``tier_lost``). Each order that a member they brought pays within so
    many ``days`` brings them a part of its money (``shares``), paid in points at the programme's ``point_value``, or
    ``points`` for each unit of it: by the ambassador's tier, and ``default`` for all others. That can be spent after
    ``pending_days``, and is bounded by ``caps``. Orders of less than ``order_at_least`` bring nothing.
    """

    called = ("Ambassadors", "推广大使")

    tiers: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=20)] | None = None
    entry: Literal["at_once", "application"] = "application"
    tier_lost: Literal["stay", "end"] = "stay"
    shares: Rates | None = None
    points: Rates | None = None
    days: Days
    order_at_least: QuotedDecimal | None = None
    pending_days: Days | None = None
    caps: Caps = Caps()

    @model_validator(mode="after")
    def _is_meant(self) -> Self:
        if (self.shares is None) == (self.points is None):
            raise PydanticCustomError("commission", "a commission has shares of the money, or points, not both")
        if any(share > 1 for share in (self.shares or {}).values()):
            raise PydanticCustomError("commission", "a share is 1 at most")
        if not any(self._rates.values()):
            raise PydanticCustomError("commission", "nobody would be given anything")
        if self.tiers is None and "tier_lost" in self.model_fields_set:
            raise PydanticCustomError("commission", "tier_lost: members of every tier may be ambassadors")
        return self

    def check(self, programme: Programme) -> Iterable[Misfit]:
        key = "points" if self.shares is None else "shares"
        named: list[tuple[Path, str]] = [((key, tier), tier) for tier in self._rates if tier != DEFAULT]
        named += [(("tiers", at), tier) for at, tier in enumerate(self.tiers or ())]
        yield from unknown_tiers(programme, named)
        if REFERRAL not in programme.channels:
            yield Misfit((), "ambassadors bring members by their referral codes: the section referral is missing")
        if self.shares is not None and not programme.point_value:
            yield Misfit(("shares",), "a share of money is paid at the programme's point_value, which is missing")
        if self.order_at_least is not None:
            try:
                parse_money(self.order_at_least, programme.currency)
            except InvalidAmount as error:
                yield Misfit(("order_at_least",), str(error))

    def brings(self, programme: Programme, tier: str) -> Iterable[Benefit]:
        if self.tiers is not None and tier in self.tiers:
            yield Benefit(CHANNEL, CHANNEL, "Ambassador", BenefitKind.SERVICE)

    def budgets(self, channel: str) -> Iterable[NamedBudget]:
        yield budget_of(channel, POINTS, self.caps)

    @property
    def _rates(self) -> Mapping[str, Decimal]:
        return self.shares if self.shares is not None else self.points or {}

    def takes(self, tier: str) -> bool:
        """Whether members of the tier may be ambassadors."""
        return self.tiers is None or tier in self.tiers

    def rate(self, tier: str) -> Decimal:
        """The share, or the points for each unit of the money, of an ambassador of that tier."""
        return self._rates.get(tier, self._rates.get(DEFAULT, Decimal(0)))

    def counts(self, brought_at: datetime, occurred_at: datetime) -> bool:
        """Whether an order of then is one of the time for which there is a commission."""
        return timedelta(0) <= occurred_at - brought_at < timedelta(days=self.days)

    def commission(self, paid: int, tier: str, programme: Programme) -> int:
        """The points for an order on which so much money was paid, in minor units; rounded down, once."""
        worth = money(paid, programme.currency)
        if worth <= 0 or (self.order_at_least is not None and worth < self.order_at_least):
            return 0
        exact = NUMBERS.multiply(worth, self.rate(tier))
        if self.shares is not None:
            assert programme.point_value, "checked on publishing"
            exact = NUMBERS.divide(exact, programme.point_value)
        points = int(exact.to_integral_value(ROUND_FLOOR))
        return points if self.caps.order is None else min(points, self.caps.order)

    def says(self, words: Words) -> Iterable[Said]:
        who = words.members(self.tiers) if self.tiers else words.say("All members", "所有会员")
        text = (
            words.say("{who} are ambassadors.", "{who}均为推广大使。", who=who)
            if self.entry == "at_once"
            else words.say("{who} can apply to be ambassadors.", "{who}可申请成为推广大使。", who=who)
        )
        yield Said(Topic.TOGETHER, text, ("entry",))
        for tier, rate in self._rates.items():
            of = words.say("An ambassador", "推广大使")
            if tier != DEFAULT:
                of = words.say("An ambassador who is a {tier} member", "{tier}推广大使", tier=words.tier(tier))
            elif len(self._rates) > 1:
                of = words.say("Any other ambassador", "其他推广大使")
            if self.shares is not None:
                gets = words.say("{share} of the money", "金额的{share}", share=words.percent(rate))
            else:
                gets = words.say(
                    "{points} for each {unit}", "每{unit}得{points}", points=words.amount(rate), unit=words.money(1)
                )
            yield Said(
                Topic.EARNING,
                words.say(
                    "{of} is given {gets} in points for each order that a friend they brought pays within {days}.",
                    "{of}所邀好友在{days}内的每笔订单，可得{gets}（以积分发放）。",
                    of=of, gets=gets, days=words.days(self.days),
                ),
                ("shares" if self.shares is not None else "points", tier),
            )  # fmt: skip
        if self.order_at_least is not None:
            least = words.money(self.order_at_least)
            text = words.say(
                "Orders of less than {least} bring ambassadors nothing.", "不足{least}的订单不计。", least=least
            )
            yield Said(Topic.EARNING, text, ("order_at_least",))
        if self.pending_days is not None:
            days = words.days(self.pending_days)
            text = words.say("Ambassadors can spend it {days} later.", "推广所得{days}后可用。", days=days)
            yield Said(Topic.EARNING, text, ("pending_days",))
        if capped := caps_in_words(words, self.caps, POINTS, ("an order", "每笔订单")):
            yield Said(Topic.EARNING, capped, ("caps",))
        yield from words.benefits(self)
