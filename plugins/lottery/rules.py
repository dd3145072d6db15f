"""The pools of the programme: what a draw costs, who may draw, and what a number that is drawn brings. All is pure.

A pool's prizes stand side by side, each as wide as its weight; a draw is a number below the sum of the weights. What
it lands on never depends on stock or luck so far. Only then the two exceptions apply: a prize that is out of stock is
replaced by the pool's ``sold_out``, and a long row of nothing is ended by the pool's ``pity``.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal, NamedTuple, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.channels.limits import Left, Limits
from core.rulebook.document import Identifier, Section
from core.rulebook.programme import ChannelSettings, Misfit, Path, Programme, unknown_tiers
from core.rulebook.rules import Validity
from core.units import AMOUNT_MAX
from core.wording.facts import TallyWords, Wording
from core.wording.words import Said, Topic, Words

from .periods import PeriodKind
from .refusals import LotteryClosed, LotteryLimitReached, LotteryNotYetOpen, LotteryOfOtherTier

CHANNEL: Final = "lottery"
DRAWS_MAX: Final = 100

Kind = Literal["points", "voucher", "goods", "nothing"]

ROLL: Final = "roll"
SOLD_OUT: Final = "sold_out"
PITY: Final = "pity"


class Prize(Section):
    """A prize. A weight of 0 is never drawn, but may stand in for another prize."""

    id: Identifier
    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Kind
    weight: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
    points: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX // DRAWS_MAX)] | None = None
    stock: Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)] | None = None

    @model_validator(mode="after")
    def _is_worth_what_it_is(self) -> Self:
        if (self.points is not None) != (self.kind == "points"):
            raise PydanticCustomError("prize", "a prize of kind points says how many, and no other does")
        if self.kind == "nothing" and self.stock is not None:
            raise PydanticCustomError("prize", "there is always enough of nothing; leave stock out")
        return self


class Pity(Section):
    """After so many draws in a row, at the latest, there is a prize: this one if the last brings nothing either."""

    draws: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    prize: Identifier


class Result(NamedTuple):
    """What a draw landed on, what it brings, and why: roll, sold_out or pity."""

    landed: Prize
    prize: Prize
    because: str


class Pool(Section):
    """Prizes to draw from. ``period`` is how long one seed is used, and then revealed."""

    id: Identifier
    name: Annotated[str, Field(min_length=1, max_length=200)]
    price: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX // DRAWS_MAX)]
    valid: Validity = Validity()
    tiers: tuple[Identifier, ...] = ()
    limits: Limits = Limits()
    period: PeriodKind = "day"
    prizes: Annotated[tuple[Prize, ...], Field(min_length=1, max_length=100)]
    sold_out: Identifier | None = None
    pity: Pity | None = None

    @model_validator(mode="after")
    def _covers_every_draw(self) -> Self:
        if len(self.by_id) < len(self.prizes):
            raise PydanticCustomError("prizes", "an id is used twice")
        if not self.total:
            raise PydanticCustomError("prizes", "a prize must have a weight")
        if any(prize.stock is not None for prize in self.prizes):
            instead = self.by_id.get(self.sold_out or "")
            if instead is None or instead.stock is not None:
                raise PydanticCustomError("sold_out", "must name a prize without stock, as there are prizes with stock")
        elif self.sold_out is not None:
            raise PydanticCustomError("sold_out", "no prize has a stock; leave it out")
        if self.pity is not None:
            given = self.by_id.get(self.pity.prize)
            if given is None or given.stock is not None or given.kind == "nothing":
                raise PydanticCustomError("pity", "must name a prize without stock that is not nothing")
        return self

    @cached_property
    def by_id(self) -> Mapping[str, Prize]:
        return {prize.id: prize for prize in self.prizes}

    @cached_property
    def total(self) -> int:
        """The sum of the weights; a draw is a number below it."""
        return sum(prize.weight for prize in self.prizes)

    @property
    def tally(self) -> str:
        """What counts how often a member has drawn."""
        return f"{CHANNEL}:{self.id}"

    def land(self, number: int) -> Prize:
        """The prize that stands where the number points to."""
        assert 0 <= number < self.total
        for prize in self.prizes:
            if number < prize.weight:
                return prize
            number -= prize.weight
        raise AssertionError("the weights cover every number below their sum")

    def result(self, landed: Prize, *, in_stock: bool, without_prize: int) -> Result:
        """What landing there brings a member whose last ``without_prize`` draws in a row brought nothing."""
        prize, because = landed, ROLL
        if not in_stock:
            prize, because = self.by_id[self.sold_out or ""], SOLD_OUT
        if prize.kind == "nothing" and self.pity is not None and without_prize + 1 >= self.pity.draws:
            prize, because = self.by_id[self.pity.prize], PITY
        return Result(landed, prize, because)

    def odds(self, gone: Iterable[str]) -> dict[str, int]:
        """How many of the ``total`` numbers bring each prize while those that are ``gone`` are out of stock."""
        odds = {prize.id: prize.weight for prize in self.prizes}
        for prize in gone:
            assert self.sold_out is not None
            odds[self.sold_out] += odds[prize]
            odds[prize] = 0
        return odds

    def pity_in(self, without_prize: int) -> int | None:
        """On which draw from now there is a prize at the latest: 1 is the next. None without such a promise."""
        return None if self.pity is None else max(self.pity.draws - without_prize, 1)

    # -- who may draw -----------------------------------------------------------------------------

    def check_open(self, at: datetime) -> None:
        """Raise LotteryNotYetOpen or LotteryClosed unless it can be drawn from at that instant."""
        if self.valid.since is not None and at < self.valid.since:
            raise LotteryNotYetOpen(pool=self.id, opens_at=self.valid.since)
        if self.valid.until is not None and at >= self.valid.until:
            raise LotteryClosed(pool=self.id, closed_at=self.valid.until)

    def check_member(self, tier: str, draws: int, left: Left | None) -> None:
        """Raise LotteryOfOtherTier or LotteryLimitReached unless this member may draw so often."""
        if self.tiers and tier not in self.tiers:
            raise LotteryOfOtherTier(pool=self.id, tier=tier, tiers=", ".join(self.tiers))
        if left is not None and draws > left.times:
            raise LotteryLimitReached(
                pool=self.id, period=left.period, asked=draws, limit_left=left.times, resets_at=left.resets_at
            )


class LotterySettings(ChannelSettings):
    """The programme's section ``channels: lottery:``."""

    called = ("Lottery", "抽奖")

    wording: ClassVar[Wording] = Wording(
        tallies={"lottery_draws": TallyWords("a draw", "{n} draws", "抽奖 {n} 次", ("draws", "抽奖次数"))}
    )

    pools: Annotated[tuple[Pool, ...], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(self.by_id) < len(self.pools):
            raise PydanticCustomError("pools", "an id is used twice")
        return self

    def check(self, programme: Programme) -> Iterable[Misfit]:
        return unknown_tiers(
            programme,
            [
                (("pools", at, "tiers", place), tier)
                for at, pool in enumerate(self.pools)
                for place, tier in enumerate(pool.tiers)
            ],
        )

    @cached_property
    def by_id(self) -> Mapping[str, Pool]:
        return {pool.id: pool for pool in self.pools}

    def mints(self) -> Iterable[Path]:
        for at, pool in enumerate(self.pools):
            # On the average of many draws.
            given = sum((prize.points or 0) * prize.weight for prize in pool.prizes)
            if pool.limits == Limits() and given > pool.price * pool.total:
                yield ("pools", at)

    def says(self, words: Words) -> Iterable[Said]:
        for pool in self.pools:
            path = ("pools", pool.id)
            text = words.say(
                "Draw from “{name}” for {price} a time", "抽奖“{name}”：每次{price}", name=pool.name,
                price=words.points(pool.price),
            )  # fmt: skip
            limits = words.limits(pool.limits.day, pool.limits.month, pool.limits.lifetime)
            for more in (
                words.say("{limits} at most", "最多{limits}", limits=limits) if limits else "",
                words.say("for {who} only", "仅限{who}", who=words.members(pool.tiers)) if pool.tiers else "",
                words.validity(pool.valid),
            ):
                if more:
                    text = words.say("{text}, {more}", "{text}，{more}", text=text, more=more)
            yield Said(Topic.SPENDING, words.say("{text}.", "{text}。", text=text), path)
            for prize in pool.prizes:
                text = words.say(
                    "“{name}”: a chance of {chance}", "“{name}”：概率{chance}", name=prize.name,
                    chance=words.chance(prize.weight, pool.total),
                )  # fmt: skip
                if prize.stock is not None:
                    stock = words.number(prize.stock)
                    text = words.say("{text}, {stock} in all", "{text}，共{stock}份", text=text, stock=stock)
                yield Said(
                    Topic.SPENDING,
                    words.say("In “{pool}”, {text}.", "“{pool}”中{text}。", pool=pool.name, text=text),
                    (*path, "prizes", prize.id),
                )
            if pool.sold_out is not None:
                text = words.say(
                    "A prize of “{pool}” that is gone is replaced by “{instead}”.",
                    "“{pool}”中奖品发完后以“{instead}”代替。",
                    pool=pool.name, instead=pool.by_id[pool.sold_out].name,
                )  # fmt: skip
                yield Said(Topic.SPENDING, text, (*path, "sold_out"))
            if pool.pity is not None:
                text = words.say(
                    "In “{pool}” there is a prize after {draws} at the latest: “{prize}”.",
                    "“{pool}”最多{draws}必有奖品：“{prize}”。",
                    pool=pool.name, prize=pool.by_id[pool.pity.prize].name,
                    draws=words.count(pool.pity.draws, "{n} draw", "{n} draws", "{n}次"),
                )  # fmt: skip
                yield Said(Topic.SPENDING, text, (*path, "pity"))
