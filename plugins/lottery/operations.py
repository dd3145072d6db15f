"""Drawing: so many draws for so many points, all of them or none; and handing over what was won.

The numbers depend on nothing that members share, so the stock of what they landed on is claimed afterwards, in the
order of the prizes' ids.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple

from core.channels.limits import used
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidValue
from core.telling.events import TRANSACTION_REVERSED, Event

from .draws import place_of, roll
from .models import LotteryDraw, LotteryGiven, LotteryPlayer, LotterySeed
from .periods import period_at
from .refusals import (
    LotteryDrawNotFound,
    LotteryNotOffered,
    LotteryNotReady,
    LotteryPoolNotFound,
    LotteryPriceChanged,
    LotteryPrizeNotOpen,
)
from .rules import CHANNEL, DRAWS_MAX, LotterySettings, Pool, Prize, Result

DRAWS: Final = "lottery_draws"
"""The tally of the draws from all pools together."""

LOTTERY_DRAWN: Final = "lottery.drawn"

HANDED_OVER: Final = frozenset({"goods", "voucher"})
"""The kinds of prizes that somebody has to hand over."""

WON: Final = "won"
FULFILLED: Final = "fulfilled"
DELIVERED: Final = "delivered"

NOTE_MAX: Final = 200


class _Drawn(NamedTuple):
    """One draw: its number, what was rolled, and what came of it."""

    number: int
    roll: int
    result: Result


@dataclass(frozen=True, kw_only=True)
class DrawLottery(Operation):
    """Spend points on ``count`` draws from a pool. ``points`` is what the caller says that they come to.

    Refuses LotteryPoolNotFound, LotteryNotYetOpen, LotteryClosed, LotteryOfOtherTier, LotteryLimitReached,
    LotteryPriceChanged, LotteryNotReady, InsufficientPoints, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "draw"

    pool: str
    count: int = 1
    points: int | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        pool = await self._pool(work)
        await work.spend(pool.price * self.count)
        period = period_at(pool.period, work.now, work.programme.zone)
        # After all else that can be refused: who is told that there is no seed yet could draw, had it been made.
        seed = await work.look(LotterySeed, pool=pool.id, period=period.name)
        if seed is None:
            raise LotteryNotReady(pool=pool.id, period=period.name)
        player = await work.find(LotteryPlayer, pool=pool.id)
        before = player.draws if player else 0
        rolls = {
            number: roll(bytes.fromhex(seed.seed), place_of(pool.id, period.name, work.member.id, number), pool.total)
            for number in range(before + 1, before + self.count + 1)
        }
        drawn, without_prize = await _settle(work, pool, rolls, player.without_prize if player else 0)
        if player is None:
            work.add(LotteryPlayer, pool=pool.id, draws=self.count, without_prize=without_prize)
        else:
            player.draws, player.without_prize = before + self.count, without_prize
            work.save(player)
        if won := sum(draw.result.prize.points or 0 for draw in drawn):
            await work.earn(won)
        work.count(pool.tally, self.count)
        work.count(DRAWS, self.count)
        self._write(work, pool, period.name, drawn)
        prizes = [draw.result.prize.id for draw in drawn]
        work.tell(LOTTERY_DRAWN, transaction=work.operation_id, pool=pool.id, prizes=prizes)
        return {"pool": pool.id, "spent": pool.price * self.count, "won": won, "prizes": prizes}

    async def _pool(self, work: Work) -> Pool:
        """The pool, if the member may draw from it so often now."""
        settings = work.programme.channels.get(CHANNEL)
        if settings is None:
            raise LotteryNotOffered(at=work.now)
        assert isinstance(settings, LotterySettings)
        pool = settings.by_id.get(self.pool)
        if pool is None:
            raise LotteryPoolNotFound(pool=self.pool[:64])
        if not 0 < self.count <= DRAWS_MAX:
            raise InvalidValue(field="count", reason=f"it must be 1 to {DRAWS_MAX}")
        work.check_may_spend()
        work.check_may_earn()
        pool.check_open(work.now)
        done = await used(work, pool.tally, pool.limits)
        pool.check_member(work.member.tier, self.count, pool.limits.left(done, work.today, work.programme.zone))
        if self.points is not None and self.points != pool.price * self.count:
            raise LotteryPriceChanged(pool=pool.id, price_expected=self.points, price=pool.price * self.count)
        return pool

    @staticmethod
    def _write(work: Work, pool: Pool, period: str, drawn: list[_Drawn]) -> None:
        for at, (number, rolled, (landed, prize, because)) in enumerate(drawn):
            work.add(
                LotteryDraw,
                draw_id=f"{work.operation_id}-{at:03}",
                transaction_id=work.operation_id,
                pool=pool.id,
                number=number,
                period=period,
                programme_version=work.version.number,
                roll=rolled,
                total=pool.total,
                landed=landed.id,
                prize=prize.id,
                name=prize.name,
                kind=prize.kind,
                points=prize.points or 0,
                because=because,
                counted=prize.stock is not None,
                reversed=False,
                drawn_at=work.now,
                status=WON if prize.kind in HANDED_OVER else None,
                note=None,
                fulfilled_at=None,
                delivered_at=None,
            )


@dataclass(frozen=True, kw_only=True)
class FulfilPrize(Operation):
    """What a draw won is on its way, or ready. ``note`` says how: the number of the parcel.

    Refuses LotteryDrawNotFound, LotteryPrizeNotOpen, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "fulfil"
    reaches_merged: ClassVar[bool] = True

    draw: str
    note: str | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        draw = await _prize_of(work, self.draw, WON)
        draw.status, draw.fulfilled_at = FULFILLED, work.now
        draw.note = _note(self.note, draw.note)
        work.save(draw)
        return {"draw": self.draw, "status": draw.status}


@dataclass(frozen=True, kw_only=True)
class DeliverPrize(Operation):
    """The member has what the draw won. Refuses LotteryDrawNotFound, LotteryPrizeNotOpen, InvalidValue."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "deliver"
    reaches_merged: ClassVar[bool] = True

    draw: str
    note: str | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        draw = await _prize_of(work, self.draw, WON, FULFILLED)
        draw.status, draw.delivered_at = DELIVERED, work.now
        draw.note = _note(self.note, draw.note)
        work.save(draw)
        return {"draw": self.draw, "status": draw.status}


async def _prize_of(work: Work, draw_id: str, *statuses: str) -> LotteryDraw:
    draw = await work.find(LotteryDraw, draw_id=draw_id)
    if draw is None:
        raise LotteryDrawNotFound(draw=draw_id[:64])
    status = "reversed" if draw.reversed else draw.status or "none"
    if status not in statuses:
        raise LotteryPrizeNotOpen(draw=draw_id, status=status)
    return draw


def _note(note: str | None, before: str | None) -> str | None:
    if note is not None and not 0 < len(note) <= NOTE_MAX:
        raise InvalidValue(field="note", reason=f"it must have 1 to {NOTE_MAX} characters")
    return note or before


async def _settle(work: Work, pool: Pool, rolls: dict[int, int], without_prize: int) -> tuple[list[_Drawn], int]:
    """What the numbers bring, one after the other, and how many of the last in a row brought nothing."""
    landed: dict[int, Prize] = {number: pool.land(rolled) for number, rolled in rolls.items()}
    given: dict[str, LotteryGiven | None] = {}
    for prize_id in sorted({prize.id for prize in landed.values() if prize.stock is not None}):
        given[prize_id] = await work.shared(LotteryGiven, pool=pool.id, prize=prize_id)
    times = {prize_id: row.given if row else 0 for prize_id, row in given.items()}
    drawn = []
    for number, prize in landed.items():
        in_stock = prize.stock is None or times[prize.id] < prize.stock
        result = pool.result(prize, in_stock=in_stock, without_prize=without_prize)
        if result.prize.stock is not None:
            times[result.prize.id] += 1
        without_prize = without_prize + 1 if result.prize.kind == "nothing" else 0
        drawn.append(_Drawn(number, rolls[number], result))
    for prize_id, row in given.items():
        if row is None:
            if times[prize_id]:
                work.add(LotteryGiven, pool=pool.id, prize=prize_id, given=times[prize_id])
        elif row.given != times[prize_id]:
            row.given = times[prize_id]
            work.save(row)
    return drawn, without_prize


async def follow_reversal(event: Event, work: Work) -> None:
    """When an operator takes draws back as a whole, their prizes go back to the stock, but for those delivered.

    The draws stay on record and stay used: their numbers are never drawn again, and limits still count them.
    """
    payload = event.payload
    if event.name != TRANSACTION_REVERSED or payload["channel"] != CHANNEL or not payload["whole"]:
        return
    back: dict[tuple[str, str], int] = {}
    for value in await work.rows(LotteryDraw, transaction_id=payload["transaction"]):
        draw = await work.find(LotteryDraw, draw_id=value.draw_id)
        assert draw is not None
        if draw.reversed:
            continue
        draw.reversed = True
        work.save(draw)
        if draw.counted and draw.status != DELIVERED:
            back[draw.pool, draw.prize] = back.get((draw.pool, draw.prize), 0) + 1
    for (pool, prize), times in sorted(back.items()):
        row = await work.shared(LotteryGiven, pool=pool, prize=prize)
        assert row is not None, "what was given has been counted"
        row.given -= times
        work.save(row)
