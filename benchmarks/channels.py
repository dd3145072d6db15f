"""Operations a second of each channel's mutation, against recording a purchase in the same run.

All contenders share one database and its members, and each does one operation of every other member a round. What can
be done once a day or a year is possible again: the clock stands still in a round, and a year lies between two.
What a round needs beforehand (codes, newcomers, reviews that wait) is made while nothing is measured.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from statistics import median
from typing import Any, Final

from benchmarks.importing import LONG_AGO
from benchmarks.operations import accepted
from benchmarks.rounds import Sample, call_each, ratio, take_turns
from core.books.members import ByExternalId, ById
from core.channels.corrections import AdjustPoints
from core.engine.operations import Operation, Outcome
from core.people.membership import EnrolMember
from core.rulebook.publishing import publish
from core.time.clock import StoppedClock
from graph.laurel import Laurel, open_laurel, tables
from graph.settings import Settings
from plugins.auction.operations import PlaceBid
from plugins.birthday.operations import GiveBirthdayGift
from plugins.checkout.operations import HoldCheckout
from plugins.coupon.operations import IssueCoupon, UseCoupon
from plugins.coupon.rules import code_of
from plugins.donation.operations import DonatePoints
from plugins.gift.operations import GivePoints
from plugins.investment.operations import StakePoints
from plugins.lottery.operations import DrawLottery
from plugins.lottery.periods import period_at
from plugins.lottery.rules import LotterySettings
from plugins.lottery.seeds import commit_seeds
from plugins.manager import load_plugins
from plugins.profile.operations import CompleteProfileSection
from plugins.purchase.operations import RecordPurchase
from plugins.quest.operations import RecordQuestEvent
from plugins.referral.operations import AcceptReferral, IssueReferralCode
from plugins.review.operations import ApproveReview, SubmitReview
from plugins.rewards.operations import RedeemReward
from plugins.rewards.rules import RewardsSettings
from plugins.rewards.stock import CODES_MAX, Delivery
from plugins.share.operations import RecordShare
from plugins.sign_in.operations import RecordSignIn
from plugins.tier_purchase.operations import BuyTier
from tests.databases import Server

MEMBERS: Final = 2_000
CALLERS: Final = 512
WARM_UP: Final = 100
WEALTH: Final = 1_000_000
BEGIN: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
BORN: Final = date(1990, 6, 1)

PROGRAMME: Final = """\
id: bench
currency: EUR
timezone: UTC
expiry: {{mode: never}}
channels:
  purchase:
    earn: {{points: {{groups: [{{id: base, add: sum, rules: [{{id: spend, points: "order.amount"}}]}}]}}}}
  sign_in:
    earn: {{points: {{groups: [{{id: base, add: sum, rules: [{{id: daily, points: "5 + event.streak"}}]}}]}}}}
  profile: {{sections: {{{sections}}}}}
  review:
    earn: {{points: {{groups: [{{id: base, add: sum, rules: [{{id: review, points: 20}}]}}]}}}}
  share: {{points: 10, limits: {{month: 3}}}}
  referral: {{inviter: 80, invitee: 80}}
  quest:
    events: {{viewed: A page was opened, read: A page was read}}
    quests:
      - {{id: look, title: Look around, count: {{viewed: 1}}, points: 5, period: daily}}
      - {{id: read, title: Read on, count: {{read: 1}}, points: 5, period: daily, budget: {{lifetime: 1000000000}}}}
  birthday: {{points: 50}}
  rewards:
    items:
      - {{id: mug, name: A mug, kind: goods, price: 10, stock: true}}
      - {{id: coffee, name: A coffee, kind: voucher, price: 10, codes: true}}
  lottery:
    pools:
      - id: cup
        name: The cup
        price: 10
        sold_out: nothing
        prizes:
          - {{id: beans, name: Beans, kind: goods, weight: 10, stock: 1000000}}
          - {{id: fifty, name: Fifty points, kind: points, weight: 300, points: 50}}
          - {{id: nothing, name: Nothing, kind: nothing, weight: 690}}
  checkout: {{points_per_unit: {{default: 100}}, caps: {{amount: "50.00", ratio: "0.20"}}}}
  donation:
    projects: [{{id: trees, title: Trees, goal: 1000000, beyond_goal: true}}]
  investment:
    projects:
      - {{id: farm, title: A farm, goal: 1000000000, success: "1.1", window: {{to: "2100-01-01T00:00:00Z"}}}}
  auction: {{auctions: [{auctions}]}}
  gift: {{}}
  coupon: {{coupons: [{{id: tenth, name: A tenth off, ratio: "0.10", days: 30}}]}}
  tier_purchase: {{prices: {{{prices}}}, steps: 19}}
  tier_gift: {{gifts: {{{gifts}}}}}
tiers:
  ladder: [{{id: entry}}, {tiers}]
"""
AUCTIONS: Final = 200
TIERS: Final = 19
"""A member buys a tier a round, so that there are no more rounds than tiers."""

PURCHASE: Final = "recordPurchase"
LEAST: Final = 0.5
"""What is slower than this share of a purchase needs a reason."""

_IN_TURN: Final = "all callers claim one row, and a batch lets them have it one after the other"
REASONS: Final = {
    "redeemReward, of a stock": _IN_TURN,
    "redeemReward, a code": _IN_TURN,
    "drawLottery, five times": "five draws keep five rows for whoever checks them; by the draw it is faster",
    "donatePoints": _IN_TURN,
    "stakePoints": _IN_TURN,
    "placeBid": f"{_IN_TURN}; and who is outbid is freed of their bid meanwhile, by an operation of its own",
    "giftPoints": "it is two operations: while the next are given, the last are received",
    "recordQuestEvent, with a budget": _IN_TURN,
}
"""Why a mutation may be slower than half a purchase, as it is on some databases."""


class Round:
    """The operations of one round, for a member by their number."""

    def __init__(self, number: int, members: Sequence[str], newcomers: Sequence[str], codes: Sequence[str]) -> None:
        self.number = number
        self._members = members
        self._newcomers = newcomers
        self._codes = codes
        self.reviews: Sequence[str] = ()
        self.coupons: Sequence[str] = ()

    def _asked(self, member: int, what: str) -> dict[str, Any]:
        return {
            "member": ById(self._members[member]),
            "idempotency_key": f"{what}:{self.number}",
            "actor": "bench",
        }

    def purchase(self, member: int) -> Operation:
        asked = self._asked(member, "purchase")
        return RecordPurchase(**asked, reference=f"order {self.number}-{member}", amount=Decimal("49.90"))

    def sign_in(self, member: int) -> Operation:
        return RecordSignIn(**self._asked(member, "sign in"))

    def profile(self, member: int) -> Operation:
        return CompleteProfileSection(**self._asked(member, "profile"), section=f"section_{self.number}")

    def submission(self, member: int) -> Operation:
        return self._review(member, "submit")

    def waiting(self, member: int) -> Operation:
        """A review that ``approval`` then approves."""
        return self._review(member, "wait")

    def _review(self, member: int, what: str) -> Operation:
        reference = f"{what} {self.number}-{member}"
        asked = self._asked(member, what)
        return SubmitReview(
            **asked, reference=reference, order=reference, product="tea", rating=5, length=30, pictures=1
        )

    def approval(self, member: int) -> Operation:
        return ApproveReview(**self._asked(member, "approve"), review=self.reviews[member])

    def share(self, member: int) -> Operation:
        return RecordShare(**self._asked(member, "share"), item="tea")

    def referral(self, member: int) -> Operation:
        asked = {**self._asked(member, "accept"), "member": ById(self._newcomers[member])}
        return AcceptReferral(**asked, code=self._codes[member])

    def quest(self, member: int) -> Operation:
        return RecordQuestEvent(**self._asked(member, "quest"), event="viewed", object="a page")

    def birthday(self, member: int) -> Operation:
        return GiveBirthdayGift(**self._asked(member, "birthday"))

    def piece(self, member: int) -> Operation:
        return RedeemReward(**self._asked(member, "mug"), reward="mug")

    def code(self, member: int) -> Operation:
        return RedeemReward(**self._asked(member, "coffee"), reward="coffee")

    def draw(self, member: int) -> Operation:
        return DrawLottery(**self._asked(member, "draw"), pool="cup")

    def five_draws(self, member: int) -> Operation:
        return DrawLottery(**self._asked(member, "five draws"), pool="cup", count=5)

    def checkout(self, member: int) -> Operation:
        asked = self._asked(member, "hold")
        reference = f"basket {self.number}-{member}"
        return HoldCheckout(**asked, reference=reference, basket=Decimal("49.90"), currency="EUR")

    def quest_within_a_budget(self, member: int) -> Operation:
        return RecordQuestEvent(**self._asked(member, "read"), event="read", object="a page")

    def bid(self, member: int) -> Operation:
        # Each is higher than the one before: operations are performed in the order in which they come.
        points = 1_000 * (self.number + 1) + member // AUCTIONS
        return PlaceBid(**self._asked(member, "bid"), auction=f"lot_{member % AUCTIONS}", points=points)

    def gift(self, member: int) -> Operation:
        return GivePoints(**self._asked(member, "gift"), to=f"member {(member + 1) % len(self._members)}", points=10)

    def stake(self, member: int) -> Operation:
        return StakePoints(**self._asked(member, "stake"), project="farm", points=10)

    def tier(self, member: int) -> Operation:
        return BuyTier(**self._asked(member, "tier"), tier=f"tier_{self.number}", price=10)

    def issue(self, member: int) -> Operation:
        return IssueCoupon(**self._asked(member, "issue"), coupon="tenth", reason="bench")

    def coupon(self, member: int) -> Operation:
        """Use the coupon that ``begin`` has issued."""
        asked = self._asked(member, "use")
        order, amount = f"coupon {self.number}-{member}", Decimal("49.90")
        return UseCoupon(**asked, code=self.coupons[member], order=order, amount=amount, currency="EUR")

    def donation(self, member: int) -> Operation:
        return DonatePoints(**self._asked(member, "donate"), project="trees", points=10)


CONTENDERS: Final[Mapping[str, Callable[[Round, int], Operation]]] = {
    PURCHASE: Round.purchase,
    "recordSignIn": Round.sign_in,
    "completeProfileSection": Round.profile,
    "submitReview": Round.submission,
    "approveReview": Round.approval,
    "recordShare": Round.share,
    "acceptReferral": Round.referral,
    "recordQuestEvent": Round.quest,
    "claimBirthdayGift": Round.birthday,
    "redeemReward, of a stock": Round.piece,
    "redeemReward, a code": Round.code,
    "drawLottery, once": Round.draw,
    "drawLottery, five times": Round.five_draws,
    "holdCheckout": Round.checkout,
    "donatePoints": Round.donation,
    "stakePoints": Round.stake,
    "placeBid": Round.bid,
    "giftPoints": Round.gift,
    "buyTier, and its gift": Round.tier,
    "issueCoupon": Round.issue,
    "useCoupon": Round.coupon,
    "recordQuestEvent, with a budget": Round.quest_within_a_budget,
}


class Bench:
    """A shop with every channel, and the members in it."""

    def __init__(self, laurel: Laurel, clock: StoppedClock, size: int) -> None:
        self._laurel = laurel
        self._clock = clock
        self._size = size
        self._members: Sequence[str] = ()
        self._codes: Sequence[str] = ()
        self.round = Round(0, (), (), ())

    async def open(self, rounds: int) -> None:
        """Publish the programme, and enrol members who can afford everything."""
        sections = ", ".join(f"section_{number}: 20" for number in range(rounds))
        await publish(
            _programme(sections),
            author="bench",
            reason="to measure channels",
            load=self._laurel.load,
            clock=self._clock,
            starts_at=LONG_AGO,
            in_the_past=True,
        )
        await self._laurel.programmes.refresh(self._laurel.store.reader())
        self._members = await self._enrol("member")
        members = [ById(member) for member in self._members]
        await self._submit(
            AdjustPoints(member=by, idempotency_key="wealth", actor="bench", points=WEALTH, reason="bench")
            for by in members
        )
        issued = await self._submit(
            IssueReferralCode(member=by, idempotency_key="code", actor="bench") for by in members
        )
        self._codes = [outcome.result["code"] for outcome in issued]

    async def begin(self, number: int) -> None:
        """Make what the next round needs, a year after the last."""
        now = BEGIN.replace(year=BEGIN.year + 1 + number)
        self._clock.set(now)
        programme = self._laurel.programmes.at(now).programme
        rewards, lottery = programme.channels["rewards"], programme.channels["lottery"]
        assert isinstance(rewards, RewardsSettings)
        assert isinstance(lottery, LotterySettings)
        for first in range(0, self._size, CODES_MAX):
            fresh = [f"{number}-{code}" for code in range(first, min(first + CODES_MAX, self._size))]
            await Delivery(rewards.by_id["coffee"], len(fresh), fresh, f"codes:{fresh[0]}", "bench", now).record()
        await Delivery(rewards.by_id["mug"], self._size, (), f"mugs:{number}", "bench", now).record()
        await commit_seeds([(pool.id, period_at(pool.period, now, programme.zone)) for pool in lottery.pools], now)
        newcomers = await self._enrol(f"newcomer {number}")
        self.round = Round(number, self._members, newcomers, self._codes)
        waiting = await self._submit(map(self.round.waiting, range(self._size)))
        self.round.reviews = [outcome.recorded.id for outcome in waiting if outcome.recorded is not None]
        issued = await self._submit(
            IssueCoupon(
                member=ById(member),
                idempotency_key=f"beforehand:{number}",
                actor="bench",
                coupon="tenth",
                reason="bench",
            )
            for member in self._members
        )
        self.round.coupons = [code_of(outcome.recorded.id, 0) for outcome in issued if outcome.recorded is not None]

    async def measure(self, operation: Callable[[Round, int], Operation], most: int = MEMBERS) -> Sample:
        """One operation of half of the members (``most`` of them), the other half of those in the round before."""

        async def call(member: int) -> None:
            accepted(await self._laurel.committer.submit(operation(self.round, member)))

        return await call_each(call, range(self.round.number % 2, self._size, 2)[:most], CALLERS)

    async def _enrol(self, name: str) -> list[str]:
        outcomes = await self._submit(
            EnrolMember(member=ByExternalId(f"{name} {at}"), idempotency_key="enrol", actor="bench", birthday=BORN)
            for at in range(self._size)
        )
        return [accepted(outcome) for outcome in outcomes]

    async def _submit(self, operations: Iterable[Operation]) -> list[Outcome]:
        """What became of operations that nobody times."""
        outcomes: list[Outcome] = []
        for outcome in await self._laurel.committer.submit_many(operations):
            accepted(outcome)
            assert isinstance(outcome, Outcome)
            outcomes.append(outcome)
        return outcomes


@asynccontextmanager
async def opened(server: Server, rounds: int, size: int) -> AsyncIterator[Bench]:
    """A shop on a database of its own."""
    plugins, clock = load_plugins(), StoppedClock(BEGIN)
    url = server.migrated(tables(plugins))
    async with open_laurel(Settings(database_url=url), plugins=plugins, clock=clock) as laurel:
        bench = Bench(laurel, clock, size)
        await bench.open(rounds)
        yield bench
    server.done(url)


async def measure_channels(server: Server, *, rounds: int, members: int) -> list[dict[str, Any]]:
    """The rate of each mutation, and how many times as fast as a purchase it was in the median of the rounds."""
    async with opened(server, rounds + 1, members) as bench:
        turns = {name: _turn(bench, operation) for name, operation in CONTENDERS.items()}
        # Connections, prepared statements and caches are made in a round that does not count.
        await bench.begin(0)
        for operation in CONTENDERS.values():
            await bench.measure(operation, WARM_UP)
        samples = await take_turns(turns, rounds, before=lambda number: bench.begin(number + 1))
    return [
        {
            "mutation": name,
            "rate": round(median(sample.rate for sample in of_name)),
            "p99_ms": round(median(sample.percentile(99) for sample in of_name) * 1000, 1),
            "times": round(times := ratio(samples, name, PURCHASE), 2),
            "why": REASONS.get(name, "not explained yet") if times < LEAST else "",
        }
        for name, of_name in samples.items()
    ]


def _programme(sections: str) -> str:
    opened = 'opens: "2020-01-01T00:00:00Z", closes: "2100-01-01T00:00:00Z"'
    tiers = [f"tier_{number}" for number in range(TIERS)]
    criterion = "fact: points_earned, at_least: {}"
    return PROGRAMME.format(
        sections=sections,
        auctions=", ".join(f"{{id: lot_{number}, title: A lot, {opened}}}" for number in range(AUCTIONS)),
        prices=", ".join(f"{tier}: 10" for tier in tiers),
        gifts=", ".join(f"{tier}: {{pack: {{points: 5}}}}" for tier in tiers),
        tiers=", ".join(
            f"{{id: {tier}, all: [{{{criterion.format(10**12 + number)}}}]}}" for number, tier in enumerate(tiers)
        ),
    )


def _turn(bench: Bench, operation: Callable[[Round, int], Operation]) -> Callable[[], Awaitable[Sample]]:
    return lambda: bench.measure(operation)
