"""The lottery in the schema: pools with their odds, drawing, a member's luck, and the verification of a draw."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast

import strawberry

from core.books.members import ById
from core.books.tallies import Tally
from core.channels.limits import Left, used_of
from core.engine.operations import Outcome
from core.engine.work import FUTURE_TOLERANCE
from core.rulebook.programme import Programme
from core.store.questions import Rows
from core.time.calendar import local_day
from graph.vocabulary import (
    ACTING,
    EVERYONE,
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
    Where,
    actor,
    global_id,
    may_see,
    mutation,
    newest,
    oldest,
    page_of_all,
    page_of_member,
    paged,
    parts_of,
    perform,
    query,
)

from .draws import commitment_of, place_of, roll
from .models import LotteryDraw, LotteryGiven, LotteryPlayer, LotterySeed
from .operations import DeliverPrize, DrawLottery, FulfilPrize
from .periods import Period, period_at
from .refusals import LotteryDrawNotFound, LotteryNotOffered, LotteryNotReady, LotterySeedNotRevealed
from .rules import CHANNEL, LotterySettings, Pool, Prize
from .seeds import commit_seeds

_POOL = "The pool's id in the programme."
_KEY = (
    "A key of your own for this request, 1 to 200 characters: sent again with the same key it is not performed again, "
    "and answered as before."
)
_HANDLING = {Role.SERVICE, Role.OPERATOR}

# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class DrawLotteryInput:
    """Draws to make, all of them or none."""

    member: MemberByInput = strawberry.field(description="The member it is about.")
    pool: str = strawberry.field(description=_POOL)
    count: int = strawberry.field(default=1, description="How many draws, 1 to 100.")
    points: Points | None = strawberry.field(
        default=None, description="What the member was told that they come to; refused if they come to something else."
    )
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 200 characters: sent again with the same key nothing is "
        "drawn again, and it is answered as before."
    )


@strawberry.input
class FulfilPrizeInput:
    """What a draw won, and that is on its way or ready."""

    draw: ID = strawberry.field(description="The draw's id.")
    note: str | None = strawberry.field(default=None, description="What the member should know: the parcel's number.")
    idempotency_key: str = strawberry.field(description=_KEY)


@strawberry.input
class DeliverPrizeInput:
    """What a draw won, and that the member has received."""

    draw: ID = strawberry.field(description="The draw's id.")
    note: str | None = strawberry.field(default=None, description="What should be kept with it: who signed for it.")
    idempotency_key: str = strawberry.field(description=_KEY)


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class LotteryPrizeKind(Enum):
    """What sort of thing a prize is."""

    POINTS = strawberry.enum_value("points", description="Points, given with the draw.")
    VOUCHER = strawberry.enum_value("voucher", description="Something to show at the till.")
    GOODS = strawberry.enum_value("goods", description="Something to be sent or fetched.")
    NOTHING = strawberry.enum_value("nothing", description="No luck.")


@strawberry.enum
class LotteryReason(Enum):
    """Why a draw brought what it did."""

    ROLL = strawberry.enum_value("roll", description="The number landed on it.")
    SOLD_OUT = strawberry.enum_value("sold_out", description="The number landed on a prize that was out of stock.")
    PITY = strawberry.enum_value("pity", description="It ended a row of draws without a prize.")


@strawberry.enum
class LotteryPrizeStatus(Enum):
    """Where a prize that has to be handed over stands."""

    WON = strawberry.enum_value("won", description="Nobody has seen to it yet.")
    FULFILLED = strawberry.enum_value("fulfilled", description="On its way, or ready.")
    DELIVERED = strawberry.enum_value("delivered", description="The member has it.")


@strawberry.type
class Fraction:
    """An exact share: `numerator` of `denominator`."""

    numerator: int = strawberry.field(description="How many of them.")
    denominator: int = strawberry.field(description="How many there are.")


@strawberry.type
class LotteryPrize:
    """A prize of a pool."""

    id: ID = strawberry.field(description="The prize's id in the programme, unique in its pool.")
    name: str = strawberry.field(description="Its name.")
    kind: LotteryPrizeKind = strawberry.field(description="What sort of thing it is.")
    points: Points = strawberry.field(description="The points that it brings; 0 unless it is of that kind.")
    weight: int = strawberry.field(description="How many of the pool's numbers land on it.")
    odds: Fraction = strawberry.field(
        description="The odds of a draw at this moment, as they are used: those of the prizes of a pool add up to one. "
        "A prize that is out of stock has none, and the pool's `soldOut` has them as well as its own. "
        "Only `pity` is not in them."
    )
    stock_left: int | None = strawberry.field(description="How many are left; null when there is always one.")


@strawberry.type
class LotteryPity:
    """The promise that bad luck ends."""

    draws: int = strawberry.field(
        description="After so many draws in a row, at the latest, there is a prize: the last of them brings this one "
        "where it would bring nothing."
    )
    prize: ID = strawberry.field(description="The prize's id.")


@strawberry.type
class LotteryPeriod:
    """The time for which one seed is used, and what is known of the seed."""

    period: str = strawberry.field(description="The period's name, which is part of what is hashed for a draw.")
    starts_at: datetime = strawberry.field(description="From when on the seed is used.")
    ends_at: datetime = strawberry.field(description="From when on it is no longer used.")
    commitment: str = strawberry.field(description="SHA-256 of the seed, in hexadecimal.")
    committed_at: datetime = strawberry.field(description="When the seed was made. It never changes.")
    reveals_at: datetime = strawberry.field(
        description="When the seed is revealed: minutes after its last use, as no two clocks agree."
    )
    seed: str | None = strawberry.field(description="The seed in hexadecimal; null until it is revealed.")

    @classmethod
    def of(cls, seed: Any, now: datetime) -> "LotteryPeriod":
        return cls(
            period=seed.period,
            starts_at=seed.starts_at,
            ends_at=seed.ends_at,
            commitment=seed.commitment,
            committed_at=seed.committed_at,
            reveals_at=reveals_at(seed),
            # The one place where a seed leaves, but for the verification, which asks the same.
            seed=seed.seed if now >= reveals_at(seed) else None,
        )


@strawberry.type
class LotteryPool:
    """Prizes to draw from."""

    id: ID = strawberry.field(description=_POOL)
    name: str = strawberry.field(description="Its name.")
    price: Points = strawberry.field(description="What a draw costs.")
    opens_at: datetime | None = strawberry.field(description="From when on it can be drawn from; null for always.")
    closes_at: datetime | None = strawberry.field(description="From when on it can not; null for never.")
    tiers: list[str] = strawberry.field(description="The tiers that it is for; empty when for everybody.")
    total: int = strawberry.field(description="How many numbers there are: the sum of the weights.")
    prizes: list[LotteryPrize] = strawberry.field(
        description="The prizes, in the order in which they cover the numbers from 0 on."
    )
    sold_out: ID | None = strawberry.field(
        description="The prize that is given in place of one that is out of stock; null when no prize has a stock."
    )
    pity: LotteryPity | None = strawberry.field(description="The promise that bad luck ends; null when there is none.")
    current: LotteryPeriod = strawberry.field(description="The period now.")
    next: LotteryPeriod = strawberry.field(description="The period after it, whose seed is committed to already.")


@strawberry.type(name="LotteryDraw")
class LotteryDrawNode(Node):
    """A draw, as it is on record."""

    pool: str = strawberry.field(description=_POOL)
    number: int = strawberry.field(description="The how-manieth draw of the member from the pool it is, from 1.")
    period: str = strawberry.field(description="The name of the period whose seed was used.")
    roll: int = strawberry.field(description="The number that was drawn, from 0.")
    total: int = strawberry.field(description="How many numbers there were.")
    landed: ID = strawberry.field(description="The prize on which the number landed.")
    prize: ID = strawberry.field(description="The prize that was given.")
    because: LotteryReason = strawberry.field(description="Why that one was given.")
    name: str = strawberry.field(description="The name of the prize when it was given.")
    kind: LotteryPrizeKind = strawberry.field(description="What sort of thing the prize is.")
    points: Points = strawberry.field(description="The points that it brought.")
    is_reversed: bool = strawberry.field(description="Whether an operator has taken the draw back.")
    drawn_at: datetime = strawberry.field(description="When it was drawn.")
    status: LotteryPrizeStatus | None = strawberry.field(
        description="Where the prize stands; null when nothing has to be handed over."
    )
    note: str | None = strawberry.field(description="What was noted last: the parcel's number.")
    fulfilled_at: datetime | None = strawberry.field(description="When the prize was fulfilled.")
    delivered_at: datetime | None = strawberry.field(description="When the prize was delivered.")
    _member_id: strawberry.Private[str]
    _transaction_id: strawberry.Private[str]

    @classmethod
    def of(cls, member_id: str, row: Any) -> "LotteryDrawNode":
        return cls(
            id=global_id("LotteryDraw", member_id, row.draw_id),
            pool=row.pool,
            number=row.number,
            period=row.period,
            roll=row.roll,
            total=row.total,
            landed=ID(row.landed),
            prize=ID(row.prize),
            because=LotteryReason(row.because),
            name=row.name,
            kind=LotteryPrizeKind(row.kind),
            points=Points(row.points),
            is_reversed=row.reversed,
            drawn_at=row.drawn_at,
            status=None if row.status is None else LotteryPrizeStatus(row.status),
            note=row.note,
            fulfilled_at=row.fulfilled_at,
            delivered_at=row.delivered_at,
            _member_id=member_id,
            _transaction_id=row.transaction_id,
        )

    @classmethod
    async def find(cls, info: Info, member_id: str, draw_id: str) -> "LotteryDrawNode | None":
        """A member's draw by Laurel's id."""
        found = await info.context.loaders.rows(LotteryDraw, member_id, draw_id=draw_id)
        return cls.of(member_id, found[0]) if found else None

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "LotteryDrawNode | None":
        match parts:
            case (member_id, draw_id) if may_see(info, member_id):
                return await cls.find(info, member_id, draw_id)
            case _:
                return None

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """Who drew; null for who may not see them."""
        return await Member.find(info, self._member_id) if may_see(info, self._member_id) else None

    @strawberry.field
    async def transaction(self, info: Info) -> Transaction | None:
        """The transaction that spent the points and brought the prize's."""
        return await Transaction.find(info, self._member_id, self._transaction_id)


@strawberry.type
class LotteryVerification:
    """A draw computed anew from the seed that was revealed, beside what is on record."""

    genuine: bool = strawberry.field(
        description="Whether the seed is the one that was committed to, and the number and where it landed come out "
        "as they are on record."
    )
    seed: str = strawberry.field(description="The seed, in hexadecimal.")
    commitment: str = strawberry.field(description="What was published before the period: SHA-256 of the seed.")
    committed_at: datetime = strawberry.field(description="When that was.")
    drawn_at: datetime = strawberry.field(description="When the draw was made.")
    place: str = strawberry.field(
        description="What is hashed with the seed, but for the attempt: pool, period, member and number of the draw."
    )
    total: int = strawberry.field(description="How many numbers there were.")
    roll: int = strawberry.field(description="The number that comes out.")
    landed: ID = strawberry.field(description="The prize on which it lands.")
    prize: ID = strawberry.field(description="The prize that was given, by the record.")
    because: LotteryReason = strawberry.field(description="Why that one was given, by the record.")


@strawberry.type
class DrawLotteryPayload(Payload):
    """What became of drawing."""

    draws: list[LotteryDrawNode] = strawberry.field(
        default_factory=list, description="The draws, as many as were asked for, in order; empty when it was refused."
    )


_DRAW_NOW = "The draw as it is now; null when it was refused."


@strawberry.type
class FulfilPrizePayload(Payload):
    """What became of fulfilling a prize."""

    draw: LotteryDrawNode | None = strawberry.field(default=None, description=_DRAW_NOW)


@strawberry.type
class DeliverPrizePayload(Payload):
    """What became of delivering a prize."""

    draw: LotteryDrawNode | None = strawberry.field(default=None, description=_DRAW_NOW)


@strawberry.type
class LotteryChances:
    """What a pool holds for a member."""

    pool: ID = strawberry.field(description=_POOL)
    price: Points = strawberry.field(description="What a draw costs.")
    draws_left: int | None = strawberry.field(
        description="How often the member may still draw; null when there is no limit."
    )
    resets_at: datetime | None = strawberry.field(
        description="When the limit that leaves least begins anew; null when never."
    )
    next_pity_in: int | None = strawberry.field(
        description="On which draw from now there is a prize at the latest, 1 being the next; null without a promise."
    )
    draws_made: int = strawberry.field(description="How often the member has drawn.")
    _member_id: strawberry.Private[str]

    @strawberry.field
    @paged
    async def draws(self, info: Info, page: Page) -> Connection[LotteryDrawNode]:
        """The member's draws from the pool, the newest first."""
        member_id = self._member_id

        def node(row: Any) -> LotteryDrawNode:
            return LotteryDrawNode.of(member_id, row)

        where = [Where("pool = ?", (self.pool,))]
        return await page_of_member(info, LotteryDraw, member_id, node, page, newest("draw_id"), where)


# -- the fields ---------------------------------------------------------------------------------------


@strawberry.type
class LotteryQueries:
    """What can be asked about the lottery."""

    @query(allow=EVERYONE)
    async def lottery_pools(self, info: Info) -> list[LotteryPool]:
        """The pools of the programme in force, with their odds and the commitments to their seeds."""
        programme, settings = await _offered(info)
        seeds = await _seeds(info, settings.pools, programme)
        return [await _pool(info, pool, *seeds[pool.id]) for pool in settings.pools]

    @query(allow=_HANDLING)
    @paged
    async def lottery_prizes(
        self,
        info: Info,
        page: Page,
        status: Annotated[LotteryPrizeStatus, strawberry.argument(description="Those that stand so.")],
    ) -> Connection[LotteryDrawNode]:
        """The draws of all members whose prizes have to be handed over, the oldest first."""
        where = [Where("status = ?", (str(status.value),)), Where("NOT reversed")]
        return await page_of_all(info, LotteryDraw, LotteryDrawNode.of, page, oldest("draw_id"), where)

    @query(allow=EVERYONE)
    async def verify_draw(
        self, info: Info, draw: Annotated[ID, strawberry.argument(description="The draw's id.")]
    ) -> LotteryVerification:
        """Compute a draw anew, once the seed of its period has been revealed. Whoever has its id may."""
        member_id, draw_id = parts_of(draw, "LotteryDraw", 2)
        found = await info.context.loaders.rows(LotteryDraw, member_id, draw_id=draw_id)
        if not found:
            raise LotteryDrawNotFound(draw=draw[:100])
        row = found[0]
        (seed,) = await info.context.loaders.ask(Rows(LotterySeed, ("pool", "period")), (row.pool, row.period))
        if info.context.now < reveals_at(seed):
            raise LotterySeedNotRevealed(pool=row.pool, reveals_at=reveals_at(seed))
        settings = (await info.context.programmes()).version(row.programme_version).programme.channels[CHANNEL]
        assert isinstance(settings, LotterySettings)
        return _verified(row, seed, settings.by_id[row.pool], member_id)


@strawberry.type
class LotteryMutations:
    """What can be done in the lottery."""

    @mutation(allow=ACTING)
    async def draw_lottery(self, info: Info, input: DrawLotteryInput) -> DrawLotteryPayload:
        """Spend points on draws: as many as were asked for, or none and a refusal."""
        programme, settings = await _offered(info)
        operation = DrawLottery(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            pool=input.pool,
            count=input.count,
            points=input.points,
        )
        pool = settings.by_id.get(input.pool)
        if pool is not None and not await _seeds_known(info, pool, programme):
            # The period's first draw makes its seed, but only if nothing else stands in its way.
            outcome = await info.context.laurel.committer.rehearse(operation)
            if isinstance(outcome.refusal, LotteryNotReady):
                await _seeds(info, [pool], programme)
        return await perform(info, operation, DrawLotteryPayload, lambda outcome: _drawn(info, outcome))

    @mutation(allow=_HANDLING)
    async def fulfil_prize(self, info: Info, input: FulfilPrizeInput) -> FulfilPrizePayload:
        """Say that what a draw won is on its way, or ready."""
        operation = FulfilPrize(**_about(info, input), note=input.note)
        return await perform(info, operation, FulfilPrizePayload, lambda outcome: _draw_now(info, outcome))

    @mutation(allow=_HANDLING)
    async def deliver_prize(self, info: Info, input: DeliverPrizeInput) -> DeliverPrizePayload:
        """Say that the member has what the draw won."""
        operation = DeliverPrize(**_about(info, input), note=input.note)
        return await perform(info, operation, DeliverPrizePayload, lambda outcome: _draw_now(info, outcome))


@strawberry.type
class LotteryMemberFields:
    """What a member has of the lottery."""

    @strawberry.field
    async def lottery(
        self, info: Info, id: Annotated[ID, strawberry.argument(description=_POOL)]
    ) -> LotteryChances | None:
        """What a pool holds for the member; null when the programme in force has no such pool."""
        # Fields of Member, so they are resolved with a member as self.
        member_id = cast(Member, self).member_id
        programme = (await info.context.version()).programme
        settings = programme.channels.get(CHANNEL)
        pool = settings.by_id.get(id) if isinstance(settings, LotterySettings) else None
        if pool is None:
            return None
        players = await info.context.loaders.rows(LotteryPlayer, member_id, pool=pool.id)
        left = await _left(info, member_id, pool, programme)
        return LotteryChances(
            pool=ID(pool.id),
            price=Points(pool.price),
            draws_left=left.times if left else None,
            resets_at=left.resets_at if left else None,
            next_pity_in=pool.pity_in(players[0].without_prize if players else 0),
            draws_made=players[0].draws if players else 0,
            _member_id=member_id,
        )


# -- how it is found ----------------------------------------------------------------------------------


def reveals_at(seed: Any) -> datetime:
    """When nothing is drawn with the seed any more, by the clock of any machine that draws."""
    ends_at: datetime = seed.ends_at
    return ends_at + FUTURE_TOLERANCE


async def _offered(info: Info) -> tuple[Programme, LotterySettings]:
    programme = (await info.context.version()).programme
    settings = programme.channels.get(CHANNEL)
    if settings is None:
        raise LotteryNotOffered(at=info.context.now)
    assert isinstance(settings, LotterySettings)
    return programme, settings


def _about(info: Info, input: FulfilPrizeInput | DeliverPrizeInput) -> dict[str, Any]:
    member_id, draw_id = parts_of(input.draw, "LotteryDraw", 2)
    return {
        "member": ById(member_id),
        "idempotency_key": input.idempotency_key,
        "actor": actor(info),
        "draw": draw_id,
    }


async def _draw_now(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    return {"draw": await LotteryDrawNode.find(info, outcome.member_id, outcome.result["draw"])}


async def _seeds_known(info: Info, pool: Pool, programme: Programme) -> bool:
    """Whether the seed of the pool's present period has been made."""
    period = period_at(pool.period, info.context.now, programme.zone)
    return bool(await info.context.loaders.ask(Rows(LotterySeed, ("pool", "period")), (pool.id, period.name)))


async def _seeds(info: Info, pools: Sequence[Pool], programme: Programme) -> Mapping[str, tuple[Any, Any]]:
    """By pool, the seeds of the present period and the next. They are made here if nobody has made them yet."""
    periods: dict[str, tuple[Period, Period]] = {}
    for pool in pools:
        present = period_at(pool.period, info.context.now, programme.zone)
        periods[pool.id] = present, period_at(pool.period, present.ends_at, programme.zone)
    question = Rows(LotterySeed, ("pool", "period"))

    async def read() -> dict[tuple[str, str], Any]:
        found = {}
        for pool, both in periods.items():
            for period in both:
                rows = await info.context.loaders.ask(question, (pool, period.name))
                if rows:
                    found[pool, period.name] = rows[0]
        return found

    known = await read()
    missing = [(pool, p) for pool, both in periods.items() for p in both if (pool, p.name) not in known]
    if missing:
        await commit_seeds(missing, info.context.now)
        info.context.wrote()
        known = await read()
    return {pool: (known[pool, now.name], known[pool, then.name]) for pool, (now, then) in periods.items()}


async def _pool(info: Info, pool: Pool, seed: Any, following: Any) -> LotteryPool:
    left = {prize.id: await _stock_left(info, pool, prize) for prize in pool.prizes if prize.stock is not None}
    odds = pool.odds([prize for prize, pieces in left.items() if not pieces])
    now = info.context.now
    return LotteryPool(
        id=ID(pool.id),
        name=pool.name,
        price=Points(pool.price),
        opens_at=pool.valid.since,
        closes_at=pool.valid.until,
        tiers=list(pool.tiers),
        total=pool.total,
        prizes=[
            LotteryPrize(
                id=ID(prize.id),
                name=prize.name,
                kind=LotteryPrizeKind(prize.kind),
                points=Points(prize.points or 0),
                weight=prize.weight,
                odds=Fraction(numerator=odds[prize.id], denominator=pool.total),
                stock_left=left.get(prize.id),
            )
            for prize in pool.prizes
        ],
        sold_out=None if pool.sold_out is None else ID(pool.sold_out),
        pity=None if pool.pity is None else LotteryPity(draws=pool.pity.draws, prize=ID(pool.pity.prize)),
        current=LotteryPeriod.of(seed, now),
        next=LotteryPeriod.of(following, now),
    )


async def _stock_left(info: Info, pool: Pool, prize: Prize) -> int:
    assert prize.stock is not None
    rows = await info.context.loaders.ask(Rows(LotteryGiven, ("pool", "prize")), (pool.id, prize.id))
    return max(prize.stock - (rows[0].given if rows else 0), 0)


async def _left(info: Info, member_id: str, pool: Pool, programme: Programme) -> Left | None:
    tallies: list[Tally] = await info.context.loaders.rows(Tally, member_id, name=pool.tally)
    today = local_day(info.context.now, programme.zone)
    return pool.limits.left(used_of(tallies, today), today, programme.zone)


async def _drawn(info: Info, outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.member_id is not None
    assert outcome.recorded is not None
    rows = await info.context.loaders.rows(LotteryDraw, outcome.member_id, transaction_id=outcome.recorded.id)
    rows = sorted(rows, key=lambda row: row.number)
    return {"draws": [LotteryDrawNode.of(outcome.member_id, row) for row in rows]}


def _verified(row: Any, seed: Any, pool: Pool, member_id: str) -> LotteryVerification:
    key = bytes.fromhex(seed.seed)
    place = place_of(row.pool, row.period, member_id, row.number)
    rolled = roll(key, place, pool.total)
    landed = pool.land(rolled)
    recorded = (row.roll, row.total, row.landed)
    return LotteryVerification(
        genuine=commitment_of(key) == seed.commitment and recorded == (rolled, pool.total, landed.id),
        seed=seed.seed,
        commitment=seed.commitment,
        committed_at=seed.committed_at,
        drawn_at=row.drawn_at,
        place=place,
        total=pool.total,
        roll=rolled,
        landed=ID(landed.id),
        prize=ID(row.prize),
        because=LotteryReason(row.because),
    )
