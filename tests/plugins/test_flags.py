"""Members who are too active: flagged, held back, let go or not, on every database."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from core.books.figures import BALANCES, Balances
from core.books.lots import Extension, Lot
from core.books.members import Frozen
from core.books.tallies import Tally
from core.channels.corrections import ExpirePoints, ReverseTransaction
from core.channels.redemption import RedeemPoints
from core.errors import InsufficientPoints, Refusal
from core.oversight.verify import verify
from core.people.merging import MergeMember
from core.rulebook.programme import load_programme
from core.trust.flags import Flag, FlagAlreadyDecided, FlagNotFound, FlagsOpen, FlagState, Pace
from core.trust.reviewing import DecideFlag
from core.units import POINTS
from core.value.liability import liability
from tests.plugins.shopping import JULY, PLUGINS, Shop, open_shop

DOCUMENT = """
id: shop
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 1}
units: {growth: {expiry: {mode: per_lot, months: 12}}}
channels:
  purchase:
    earn:
      points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}
      growth: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}
trust:
  velocity:
    - {channel: purchase, more_than: 2, within_minutes: 10, then: hold}
    - {channel: purchase, more_than: 5, within_minutes: 60}
"""


@pytest.fixture
async def shop(connected: TortoiseContext) -> AsyncIterator[Shop]:
    """A shop that holds back the third order within ten minutes, and has a look at the sixth within an hour."""
    async with open_shop(DOCUMENT) as shop:
        yield shop


async def buy(shop: Shop, *references: str, minutes: int = 1, **how: Any) -> None:
    """An order of 10 for each reference, so many minutes apart."""
    for reference in references:
        await shop.buy(reference, "10", **how)
        shop.clock.advance(timedelta(minutes=minutes))


async def decide(shop: Shop, state: FlagState, **how: Any) -> dict[str, Any]:
    return dict((await shop.submit(decision(shop, state, **how))).result)


def decision(shop: Shop, state: FlagState, flag: int = 1, reason: str = "looked at", **how: Any) -> DecideFlag:
    request = shop.request("ann", how)
    return DecideFlag(**{**request, "actor": "operator:eve"}, flag=flag, state=state, reason=reason, **how)


async def spend(shop: Shop, points: int) -> Refusal | None:
    return (await shop.submit(RedeemPoints(**shop.request("ann", {}), points=points))).refusal


async def figures_of(shop: Shop) -> dict[str, int]:
    """What everybody reads, who adds up where it lies."""
    programme = load_programme(DOCUMENT, PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)
    reader, key = shop.store.reader(), Balances.key(shop.members["ann"], POINTS, shop.clock.now())
    balance = (await BALANCES.answer(reader, [key]))[key]
    owed = await liability(reader, programme, shop.clock.now())
    return {"pending": balance.pending, "total": balance.total, "outstanding": owed.outstanding.pending}


async def waiting(shop: Shop) -> Sequence[tuple[str, int]]:
    return [(lot.unit, lot.seq) for lot in await shop.rows(Lot) if lot.waits_for_review]


async def test_what_is_earned_beyond_the_pace_cannot_be_spent(shop: Shop) -> None:
    await buy(shop, "1", "2", "3", "4")
    again = shop.order("3", "10", key="key 2")
    await shop.submit(again)

    (flag,) = await shop.rows(Flag)
    assert (flag.number, flag.channel, flag.more_than, flag.state) == (1, "purchase", 2, "open")
    assert len(flag.operations) == 4
    assert [(lot.unit, lot.seq) for lot in flag.held_lots] == [("points", 3), ("points", 4)]
    assert await waiting(shop) == [("points", 3), ("points", 4)]
    assert await shop.available() == 20
    assert await shop.balance() == 40
    refused = await spend(shop, 21)
    assert isinstance(refused, InsufficientPoints)
    assert refused.available == 20
    assert await spend(shop, 20) is None
    assert await verify(shop.store.reader()) == []


async def test_at_the_limit_nothing_happens(shop: Shop) -> None:
    # Half-open: at ten minutes sharp the first no longer counts.
    await buy(shop, "1", "2", "3", "4", "5", minutes=5)

    assert await shop.rows(Flag) == []
    (pace,) = await shop.rows(Pace)
    assert len(pace.recent) <= 11


async def test_clearing_gives_back_the_days_that_it_took(shop: Shop) -> None:
    await buy(shop, "1", "2", "3")
    shop.clock.set(datetime(2026, 8, 20, 4, tzinfo=UTC))
    await shop.submit(ExpirePoints(**shop.request("ann", {})))
    # Two of three lots have lapsed on 2 August; the third waits.
    assert (await shop.available(), await shop.balance()) == (0, 10)
    assert await figures_of(shop) == {"pending": 10, "total": 10, "outstanding": 10}
    assert await verify(shop.store.reader()) == []

    cleared = await decide(shop, FlagState.CLEARED, key="decide")
    shop.clock.set(datetime(2026, 9, 19, 15, 59, 59, tzinfo=UTC))
    until_the_last_second = await shop.available()
    shop.clock.advance(timedelta(seconds=1))

    assert cleared["released"] == {"points": 10}
    assert until_the_last_second == 10
    assert await shop.available() == 0
    (extension,) = await shop.rows(Extension)
    assert (extension.cause, extension.expires_at - extension.former) == ("review", timedelta(days=49))
    (flag,) = await shop.rows(Flag)
    assert (flag.state, flag.decided_by, flag.reason) == ("cleared", "operator:eve", "looked at")
    assert await verify(shop.store.reader()) == []


async def test_what_waits_lasts_longer_for_what_was_done_meanwhile_and_told_late(connected: TortoiseContext) -> None:
    async with open_shop(DOCUMENT.replace("per_lot, months: 1}", "renewed, months: 1}")) as shop:
        await buy(shop, "1", "2", "3")
        shop.clock.set(datetime(2026, 8, 20, 4, tzinfo=UTC))
        # It lasts until 9 August by that, which is over, and the days that it waited come on top.
        await shop.buy("4", "10", occurred_at=datetime(2026, 7, 10, 4, tzinfo=UTC))
        (late,) = await shop.rows(Extension)
        cleared = await decide(shop, FlagState.CLEARED, key="decide")

        assert (late.cause, late.expires_at) == ("activity", datetime(2026, 8, 9, 16, tzinfo=UTC))
        assert cleared["released"] == {"points": 10}
        assert await shop.available() == 10
        assert await verify(shop.store.reader()) == []


async def test_what_has_been_looked_at_counts_no_more(shop: Shop) -> None:
    await buy(shop, "1", "2", "3")
    await decide(shop, FlagState.CLEARED)
    await buy(shop, "4", "5")
    one_flag = len(await shop.rows(Flag))
    await buy(shop, "6")

    assert one_flag == 1
    flags = await shop.rows(Flag)
    assert [flag.state for flag in flags] == ["cleared", "open"]
    assert await waiting(shop) == [("points", 6)]


async def test_refunds_and_reversals_take_what_is_held_back_and_make_no_debt(shop: Shop) -> None:
    await buy(shop, "1", "2", "3", "4", "5")
    await shop.send_back("3")
    fourth = (await shop.stored("4")).transaction_id
    await shop.submit(ReverseTransaction(**shop.request("ann", {}), transaction=fourth, reason="a mistake"))
    assert (await shop.balance(), await shop.available()) == (30, 20)
    assert await verify(shop.store.reader()) == []

    cleared = await decide(shop, FlagState.CLEARED)

    assert cleared["released"] == {"points": 10}
    assert (await shop.balance(), await shop.available()) == (30, 30)
    assert await verify(shop.store.reader()) == []


async def test_confirming_takes_what_was_held_back_once(shop: Shop) -> None:
    await buy(shop, "1", "2", "3")
    confirmed = await decide(shop, FlagState.CONFIRMED, key="decide")
    replayed = await shop.submit(decision(shop, FlagState.CONFIRMED, key="decide"))
    refused = await shop.submit(decision(shop, FlagState.CLEARED))
    unknown = await shop.submit(decision(shop, FlagState.CLEARED, flag=7))

    assert confirmed["forfeited"] == {"points": 10}
    assert replayed.replayed
    assert isinstance(refused.refusal, FlagAlreadyDecided)
    assert refused.refusal.facts == {
        "flag_state": "confirmed",
        "decided_at": JULY + timedelta(minutes=3),
        "decided_by": "operator:eve",
    }
    assert isinstance(unknown.refusal, FlagNotFound)
    assert (await shop.balance(), await shop.available(), await waiting(shop)) == (20, 20, [])
    assert await shop.balance("growth") == 30
    assert await verify(shop.store.reader()) == []


async def test_confirming_can_freeze_and_take_all_at_one_stroke(shop: Shop) -> None:
    await buy(shop, "1", "2", "3")
    await spend(shop, 15)
    frozen = {"frozen": Frozen.BOTH, "until": shop.clock.now() + timedelta(days=7), "forfeit": True}
    confirmed = await decide(shop, FlagState.CONFIRMED, **frozen)

    assert confirmed["forfeited"] == {"points": 30, "growth": 30}
    assert await shop.balance() == -15
    assert await shop.balance("growth") == 0
    (member,) = await shop.store.reader().query("SELECT status, frozen FROM member")
    assert tuple(member) == ("frozen", "both")
    assert sum(tally.amount for tally in await shop.rows(Tally) if tally.name == "points_earned") == 0
    assert await verify(shop.store.reader()) == []


@pytest.mark.parametrize(
    ("state", "how", "code"),
    [
        (FlagState.CLEARED, {"frozen": Frozen.BOTH}, "INVALID_VALUE"),
        (FlagState.CLEARED, {"forfeit": True}, "INVALID_VALUE"),
        (FlagState.CONFIRMED, {"until": JULY + timedelta(days=9)}, "INVALID_VALUE"),
        (FlagState.CONFIRMED, {"until": JULY, "frozen": Frozen.BOTH}, "INVALID_INSTANT"),
        (FlagState.CONFIRMED, {"reason": "  x "}, "INVALID_VALUE"),
    ],
)
async def test_a_decision_that_cannot_be_meant_leaves_nothing(
    shop: Shop, state: FlagState, how: dict[str, Any], code: str
) -> None:
    await buy(shop, "1", "2", "3")
    before = await shop.rows(Flag), await shop.rows(Lot), await shop.balance()
    outcome = await shop.submit(decision(shop, state, **how))

    assert outcome.refusal is not None
    assert outcome.refusal.code == code
    assert (await shop.rows(Flag), await shop.rows(Lot), await shop.balance()) == before


async def test_a_second_rule_looks_at_a_longer_stretch(shop: Shop) -> None:
    await buy(shop, "1", "2", "3", "4", "5", "6", "7", minutes=8)

    (flag,) = await shop.rows(Flag)
    assert (flag.more_than, flag.within_minutes, flag.holds) == (5, 60, False)
    assert (len(flag.operations), list(flag.lots), await waiting(shop)) == (7, [], [])


async def test_an_activity_counts_when_it_happened(shop: Shop) -> None:
    hours = [shop.clock.now() - timedelta(hours=number) for number in (5, 3, 4, 2, 1)]
    for number, at in enumerate(hours):
        await shop.buy(f"A{number}", "10", occurred_at=at)
    spread = len(await shop.rows(Flag))
    # The one in the middle comes last, and fills the stretch.
    for number, seconds in enumerate((0, 60, 30)):
        await shop.buy(f"B{number}", "10", occurred_at=shop.clock.now() - timedelta(minutes=20, seconds=-seconds))

    assert spread == 0
    (flag,) = await shop.rows(Flag)
    assert len(flag.operations) == 3


async def test_replays_of_the_past_and_what_puts_things_right_do_not_count(shop: Shop) -> None:
    past = datetime(2026, 6, 1, tzinfo=UTC)
    for number in range(4):
        await shop.buy(f"A{number}", "10", at=past + timedelta(seconds=number))
        await shop.submit(replace(shop.order(f"B{number}", "10"), actor="operator:eve"))
    for number in range(4):
        await shop.send_back(f"A{number}")

    assert await shop.rows(Flag) == []
    assert await shop.rows(Pace) == []


async def test_nobody_is_merged_before_somebody_has_looked(shop: Shop) -> None:
    await shop.buy("B1", "10", member="bert")
    await buy(shop, "1", "2", "3")

    async def merge() -> Refusal | None:
        request = shop.request("ann", {})
        return (await shop.submit(MergeMember(**request, into=shop.members["bert"], reason="the same one"))).refusal

    refused = await merge()
    await decide(shop, FlagState.CLEARED)

    assert isinstance(refused, FlagsOpen)
    assert refused.open_flags == 1
    assert await merge() is None
