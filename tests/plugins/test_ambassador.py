"""Ambassadors through the schema: who may be one, what an order of a friend gives, and what refunds leave of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Final

import pytest

from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from graph.ids import read_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse, standing
from tests.plugins.orders import BEGIN, buy, send_back, told

PLUGINS: Final[Plugins] = only("purchase", "referral", "ambassador")
DAY: Final = timedelta(days=1)
PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
expiry: {{mode: per_lot, months: 12}}
point_value: "0.01"
channels:
  purchase: {{earn: {{growth: {{groups: [{{id: base, add: sum, rules: [{{id: spend, points: order.amount}}]}}]}}}}}}
  referral: {{{referral}}}
  ambassador: {{{ambassador}}}
tiers:
  ladder:
    - {{id: regular}}
    - {{id: gold, all: [{{fact: growth_earned, at_least: 1000}}]}}
"""
SHARES: Final = 'shares: {default: "0.05", gold: "0.08"}, days: 90, entry: at_once'
NO_BONUS: Final = "inviter: 0, invitee: 0"
APPLY: Final = """mutation ($input: ApplyAsAmbassadorInput!) { applyAsAmbassador(input: $input) {
  ambassador { status note mayApply } errors { code ... on AmbassadorTierMissing { tier tiers }
  ... on AlreadyAmbassador { appointedAt } ... on AmbassadorApplicationPending { appliedAt }
  ... on InvalidValue { field } ... on AmbassadorsNotOffered { at } ... on MemberNotActive { status } } } }"""
WITHDRAW: Final = """mutation ($input: WithdrawAsAmbassadorInput!) { withdrawAsAmbassador(input: $input) {
  ambassador { status } errors { code } } }"""
APPROVE: Final = """mutation ($input: ApproveAmbassadorInput!) { approveAmbassador(input: $input) {
  ambassador { status } errors { code ... on AmbassadorTierMissing { tier } } } }"""
DECLINE: Final = """mutation ($input: DeclineAmbassadorInput!) { declineAmbassador(input: $input) {
  ambassador { status reason } errors { code } } }"""
END: Final = """mutation ($input: EndAmbassadorInput!) { endAmbassador(input: $input) {
  ambassador { status reason } errors { code } } }"""
ISSUE: Final = """mutation ($input: IssueReferralCodeInput!) {
  issueReferralCode(input: $input) { referralCode errors { code } } }"""
ACCEPT: Final = """mutation ($input: AcceptReferralInput!) { acceptReferral(input: $input) { errors { code } } }"""
AMBASSADOR: Final = """query ($id: ID!) { node(id: $id) { ... on Member { points { balance available pending debt }
  ambassador { status orders points share pointsPerUnit mayApply commissions { nodes { status given points
    friend { externalId } transaction { id kind } } } } } } }"""
LIST: Final = """query ($status: AmbassadorStatus!) { ambassadors(status: $status) {
  totalCount nodes { member { externalId } } } }"""


def programme(ambassador: str = SHARES, referral: str = NO_BONUS) -> str:
    return PROGRAMME.format(ambassador=ambassador, referral=referral)


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def url(sqlite_folder: SqliteFolder, apps: Apps) -> str:
    return sqlite_folder.migrated(apps)


def opened(url: str, ambassador: str = SHARES, referral: str = NO_BONUS) -> AbstractAsyncContextManager[Shop]:
    return open_shop(url, programme(ambassador, referral), plugins=PLUGINS, now=BEGIN)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """5 % of the money, and 8 % for gold, on every database."""
    async with opened(fresh_database) as shop:
        yield shop
        await in_order(shop)


@pytest.fixture
async def quick(url: str) -> AsyncIterator[Shop]:
    """The same, on SQLite alone."""
    async with opened(url) as shop:
        yield shop
        await in_order(shop)


async def in_order(shop: Shop) -> None:
    assert await verify(shop.laurel.store.reader(), PLUGINS.invariants) == []


async def do(shop: Shop, mutation: str, member: str, key: str, **more: Any) -> dict[str, Any]:
    given = {"member": {"id": member}, "idempotencyKey": key, **more}
    (payload,) = (await shop.ask(mutation, {"input": given}, role=Role.OPERATOR)).values()
    answer: dict[str, Any] = payload
    return answer


async def done(shop: Shop, mutation: str, member: str, key: str, **more: Any) -> Any:
    payload = await do(shop, mutation, member, key, **more)
    assert payload["errors"] == []
    return payload.get("ambassador")


async def refused(shop: Shop, mutation: str, member: str, **more: Any) -> dict[str, Any]:
    """The refusal, which must leave everything as it was."""
    before = await ambassador(shop, member), await standing(shop, member)
    key = f"refused {mutation[:40]} {before}"[:200]
    (error,) = (await do(shop, mutation, member, key, **more))["errors"]
    assert (await ambassador(shop, member), await standing(shop, member)) == before
    found: dict[str, Any] = error
    return found


async def ambassador(shop: Shop, member: str, *, by: str | None = None) -> Any:
    """How a member stands, as the service sees it, or the member ``by``."""
    return (await shop.ask(AMBASSADOR, {"id": member}, member=by))["node"]["ambassador"]


async def points(shop: Shop, member: str) -> Any:
    return (await shop.ask(AMBASSADOR, {"id": member}))["node"]["points"]


async def given(shop: Shop, member: str) -> list[tuple[str, int, int]]:
    """What became of each commission, the oldest first: its status, what was given and what stands."""
    found = (await ambassador(shop, member))["commissions"]["nodes"]
    return [(one["status"], one["given"], one["points"]) for one in reversed(found)]


async def brings(shop: Shop, inviter: str, friend: str) -> dict[str, Any]:
    """The friend accepts the inviter's code; the answer."""
    data = await shop.ask(ISSUE, {"input": {"member": {"id": inviter}, "idempotencyKey": "code"}})
    return await do(shop, ACCEPT, friend, f"by {inviter}", code=data["issueReferralCode"]["referralCode"])


async def friends(shop: Shop) -> tuple[str, str]:
    """Ann, an ambassador, and Bob whom she has brought."""
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    await done(shop, APPLY, ann, "apply")
    assert (await brings(shop, ann, bob))["errors"] == []
    return ann, bob


# -- becoming one -------------------------------------------------------------------------------------


async def test_who_applies_is_decided_upon_and_dismissed_by_an_operator(url: str) -> None:
    async with opened(url, 'tiers: [gold], shares: {default: "0.05"}, days: 90') as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        assert await refused(shop, APPLY, bob) == {
            "code": "AMBASSADOR_TIER_MISSING",
            "tier": "regular",
            "tiers": "gold",
        }
        assert (await ambassador(shop, bob))["mayApply"] is False
        await shop.give(ann, 1_000, "gold", unit="growth")
        assert (await ambassador(shop, ann))["mayApply"] is True

        applied = await done(shop, APPLY, ann, "1", note="I know everybody.")
        assert applied == {"status": "APPLIED", "note": "I know everybody.", "mayApply": False}
        pending = await refused(shop, APPLY, ann)
        queue = (await shop.ask(LIST, {"status": "APPLIED"}))["ambassadors"]
        declined = await done(shop, DECLINE, ann, "2", reason="not yet, please")
        assert await refused(shop, APPROVE, ann) == {"code": "NO_AMBASSADOR_APPLICATION"}
        await done(shop, APPLY, ann, "3")
        assert await done(shop, APPROVE, ann, "4") == {"status": "ACTIVE"}
        already = await refused(shop, APPLY, ann)
        ended = await done(shop, END, ann, "5", reason="spammed people")
        assert await refused(shop, WITHDRAW, ann) == {"code": "NOT_AN_AMBASSADOR"}
        assert await refused(shop, END, bob, reason="why not") == {"code": "NOT_AN_AMBASSADOR"}

        assert pending == {"code": "AMBASSADOR_APPLICATION_PENDING", "appliedAt": "2026-01-05T04:00:00Z"}
        assert queue == {"totalCount": 1, "nodes": [{"member": {"externalId": "ann"}}]}
        assert declined == {"status": "DECLINED", "reason": "not yet, please"}
        assert already == {"code": "ALREADY_AMBASSADOR", "appointedAt": "2026-01-05T04:00:00Z"}
        assert ended == {"status": "ENDED", "reason": "spammed people"}
        await in_order(shop)


async def test_who_was_dismissed_asks_again_where_everybody_is_let_in_at_once(quick: Shop) -> None:
    ann = await quick.enrol("ann")
    assert (await done(quick, APPLY, ann, "1"))["status"] == "ACTIVE"
    await done(quick, END, ann, "2", reason="spammed people")

    assert (await done(quick, APPLY, ann, "3"))["status"] == "APPLIED"
    assert await done(quick, WITHDRAW, ann, "4") == {"status": "WITHDRAWN"}
    assert await refused(quick, APPLY, ann, note="x" * 501) == {"code": "INVALID_VALUE", "field": "note"}
    # Neither taking the application back nor being declined makes them anybody else.
    assert (await done(quick, APPLY, ann, "5"))["status"] == "APPLIED"
    assert await done(quick, DECLINE, ann, "6", reason="once is enough") == {
        "status": "DECLINED",
        "reason": "once is enough",
    }
    assert (await done(quick, APPLY, ann, "7"))["status"] == "APPLIED"
    assert await done(quick, APPROVE, ann, "8") == {"status": "ACTIVE"}
    await done(quick, WITHDRAW, ann, "9")
    assert (await done(quick, APPLY, ann, "10"))["status"] == "ACTIVE"


@pytest.mark.parametrize(("lost", "status"), [("end", "LAPSED"), ("stay", "ACTIVE")])
async def test_a_lost_tier_ends_it_where_the_programme_says_so(url: str, lost: str, status: str) -> None:
    terms = f'tiers: [gold], tier_lost: {lost}, shares: {{default: "0.05"}}, days: 90, entry: at_once'
    async with opened(url, terms) as shop:
        ann = await shop.enrol("ann")
        await shop.give(ann, 1_000, "gold", unit="growth")
        await done(shop, APPLY, ann, "1")
        lower = "mutation ($input: SetTierInput!) { setTier(input: $input) { errors { message } } }"
        await done(shop, lower, ann, "2", tier="regular", reason="a test")

        assert (await ambassador(shop, ann))["status"] == status


# -- what orders give ---------------------------------------------------------------------------------


async def test_each_order_of_a_friend_gives_a_share_by_the_ambassadors_tier(shop: Shop) -> None:
    ann, bob = await friends(shop)

    await buy(shop, bob, "B1", "199.90")
    await told(shop)
    await shop.give(ann, 1_000, "gold", unit="growth")
    await buy(shop, bob, "B2", "200.00")
    await told(shop)

    # 5 % of 199.90 is 9.995, which are 999 points of a cent; 8 % of 200 is 16.
    assert await given(shop, ann) == [("GIVEN", 999, 999), ("GIVEN", 1600, 1600)]
    found = await ambassador(shop, ann)
    assert (found["orders"], found["points"], found["share"], found["pointsPerUnit"]) == (2, 2_599, "0.08", None)
    assert [one["transaction"]["kind"] for one in found["commissions"]["nodes"]] == ["commission"] * 2
    assert (await points(shop, ann))["available"] == 2_599
    assert (await points(shop, bob))["balance"] == 0


async def test_points_for_each_unit_of_money_can_be_given_instead(url: str) -> None:
    async with opened(url, 'points: {default: "0.5"}, days: 90, entry: at_once') as shop:
        ann, bob = await friends(shop)
        await buy(shop, bob, "B1", "199.90")
        await told(shop)

        assert await given(shop, ann) == [("GIVEN", 99, 99)]
        assert (await ambassador(shop, ann))["pointsPerUnit"] == "0.5"


async def test_an_order_counts_for_so_many_days_from_the_amount_on_and_by_its_money(url: str) -> None:
    async with opened(url, f'{SHARES}, order_at_least: "50.00"') as shop:
        ann, bob = await friends(shop)
        await buy(shop, bob, "B1", "49.99")
        await buy(shop, bob, "B2", "50.00")
        shop.clock.advance(90 * DAY - timedelta(microseconds=1))
        await buy(shop, bob, "B3", "100.00")
        shop.clock.advance(timedelta(microseconds=1))
        await buy(shop, bob, "B4", "100.00")
        await told(shop)

        assert await given(shop, ann) == [("GIVEN", 250, 250), ("GIVEN", 500, 500)]


async def test_caps_bound_an_order_and_a_month_and_a_refund_makes_no_new_room(url: str) -> None:
    async with opened(url, f"{SHARES}, caps: {{order: 600, month: 1000}}") as shop:
        ann, bob = await friends(shop)
        for number, amount in enumerate(("200.00", "100.00", "100.00")):
            await buy(shop, bob, f"B{number}", amount)
            await told(shop)
        await send_back(shop, bob, "B1", "50.00")
        await told(shop)
        shop.clock.advance(31 * DAY)
        await buy(shop, bob, "B9", "100.00")
        await told(shop)

        # Of the second order 400 fitted into the month, and half of it is worth 250.
        assert await given(shop, ann) == [
            ("GIVEN", 600, 600),
            ("REDUCED", 400, 250),
            ("GIVEN", 0, 0),
            ("GIVEN", 500, 500),
        ]
        await in_order(shop)


async def test_it_can_be_spent_after_the_days_in_which_goods_come_back(url: str) -> None:
    async with opened(url, f"{SHARES}, pending_days: 14") as shop:
        ann, bob = await friends(shop)
        await buy(shop, bob, "B1", "100.00")
        await told(shop)
        before = await points(shop, ann)
        shop.clock.advance(14 * DAY)

        assert (before["available"], before["pending"]) == (0, 500)
        assert (await points(shop, ann))["available"] == 500


async def test_a_refund_takes_back_what_the_rest_is_not_worth_once(shop: Shop) -> None:
    ann, bob = await friends(shop)
    await buy(shop, bob, "B1", "100.00")
    await told(shop)
    await send_back(shop, bob, "B1", "40.00")
    await told(shop)
    partly = await given(shop, ann), (await points(shop, ann))["balance"]
    await send_back(shop, bob, "B1")
    await told(shop)

    assert partly == ([("REDUCED", 500, 300)], 300)
    assert await given(shop, ann) == [("TAKEN_BACK", 500, 0)]
    found = await ambassador(shop, ann)
    assert (found["orders"], found["points"], (await points(shop, ann))["balance"]) == (0, 0, 0)


async def test_what_was_spent_already_becomes_a_debt_by_the_units_policy(quick: Shop) -> None:
    ann, bob = await friends(quick)
    await buy(quick, bob, "B1", "100.00")
    await told(quick)
    redeem = """mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { errors { code } } }"""
    await done(quick, redeem, ann, "spent", points=500)
    await send_back(quick, bob, "B1")
    await told(quick)

    found = await points(quick, ann)
    assert (found["available"], found["debt"]) == (0, 500)


async def test_an_order_that_has_brought_a_bonus_gives_no_commission(url: str) -> None:
    async with opened(url, SHARES, 'inviter: 80, invitee: 80, order_at_least: "50.00"') as shop:
        ann, bob = await friends(shop)
        # Too small for the bonus, and so for nothing but the commission.
        await buy(shop, bob, "B1", "40.00")
        await told(shop)
        await buy(shop, bob, "B2", "100.00")
        await told(shop)
        await buy(shop, bob, "B3", "100.00")
        await told(shop)

        assert await given(shop, ann) == [("GIVEN", 200, 200), ("GIVEN", 500, 500)]
        assert (await points(shop, ann))["balance"] == 80 + 200 + 500
        await in_order(shop)


async def test_an_order_that_is_told_again_gives_nothing_twice(quick: Shop) -> None:
    ann, bob = await friends(quick)
    for _ in range(2):
        await buy(quick, bob, "B1", "100.00")
        await told(quick)

    assert await given(quick, ann) == [("GIVEN", 500, 500)]


async def test_orders_of_many_friends_at_once_are_all_paid_for_within_the_cap(url: str) -> None:
    async with opened(url, f"{SHARES}, caps: {{month: 2000}}") as shop:
        ann, bob = await friends(shop)
        names = [await shop.enrol(f"friend{number}") for number in range(6)]
        for name in names:
            assert (await brings(shop, ann, name))["errors"] == []
        await asyncio.gather(*(buy(shop, name, f"F{name}", "100.00") for name in (bob, *names)))
        await told(shop)

        found = await ambassador(shop, ann)
        assert (found["orders"], found["points"]) == (7, 2_000)
        await in_order(shop)


async def test_who_is_no_ambassador_is_given_nothing(quick: Shop) -> None:
    ann, bob = await quick.enrol("ann"), await quick.enrol("bob")
    assert (await brings(quick, ann, bob))["errors"] == []
    await buy(quick, bob, "B1", "100.00")
    await told(quick)
    await done(quick, APPLY, ann, "1")
    await buy(quick, bob, "B2", "100.00")
    await told(quick)
    await done(quick, WITHDRAW, ann, "2")
    await buy(quick, bob, "B3", "100.00")
    await told(quick)
    # What was given stays, and goes with a refund all the same.
    kept = await given(quick, ann)
    await send_back(quick, bob, "B2")
    await told(quick)

    assert kept == [("GIVEN", 500, 500)]
    assert await given(quick, ann) == [("TAKEN_BACK", 500, 0)]


async def test_an_ambassador_who_is_frozen_is_given_nothing(quick: Shop) -> None:
    ann, bob = await friends(quick)
    await freeze(quick, ann)
    await buy(quick, bob, "B1", "100.00")
    await told(quick)

    assert await given(quick, ann) == []


async def test_what_an_operator_reverses_stands_no_more_and_is_not_taken_twice(quick: Shop) -> None:
    ann, bob = await friends(quick)
    await buy(quick, bob, "B1", "100.00")
    await told(quick)
    (commission,) = (await ambassador(quick, ann))["commissions"]["nodes"]
    await reverse(quick, commission["transaction"]["id"])
    await send_back(quick, bob, "B1")
    await told(quick)

    assert await given(quick, ann) == [("TAKEN_BACK", 500, 0)]
    assert (await points(quick, ann))["balance"] == 0


async def test_nobody_is_brought_by_themselves_twice_or_in_a_circle(quick: Shop) -> None:
    ann, bob = await friends(quick)
    await done(quick, APPLY, bob, "apply")
    cat = await quick.enrol("cat")
    await done(quick, APPLY, cat, "apply")

    codes = [
        [error["code"] for error in (await brings(quick, inviter, friend))["errors"]]
        for inviter, friend in ((ann, ann), (bob, ann), (cat, bob))
    ]

    assert codes == [["SELF_REFERRAL"], ["REFERRAL_LOOP"], ["ALREADY_INVITED"]]


async def test_whose_order_it_was_is_for_staff_alone(quick: Shop) -> None:
    ann, bob = await friends(quick)
    await buy(quick, bob, "B1", "100.00")
    await told(quick)

    (for_staff,) = (await ambassador(quick, ann))["commissions"]["nodes"]
    (for_ann,) = (await ambassador(quick, ann, by=ann))["commissions"]["nodes"]

    assert for_staff["friend"] == {"externalId": "bob"}
    assert for_ann["friend"] is None
    await send_back(quick, bob, "B1", "10.00")
    await told(quick)
    page = "transactions(first: 9) { nodes { id actor idempotencyKey reference reason trace { total } } }"
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on Member {{ {page} }} }} }}"
    seen = str(await quick.ask(query, {"id": ann}, member=ann))
    assert seen.count("plugin ambassador") == 2
    assert "B1" not in seen
    assert read_id(bob)[1] not in seen
    assert (await quick.post(LIST, {"status": "ACTIVE"}, member=ann))["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_closed_membership_is_no_ambassadors_and_an_erased_one_leaves_no_words(quick: Shop) -> None:
    ann = await quick.enrol("ann")
    await done(quick, APPLY, ann, "1", note="I live in Elm Street")
    erase = "mutation ($input: EraseMemberInput!) { eraseMember(input: $input) { errors { message } } }"
    await done(quick, erase, ann, "2", reason="she asked for it")

    assert (await ambassador(quick, ann))["status"] == "LAPSED"
    assert await quick.laurel.store.reader().query("SELECT note, reason FROM ambassador") == [(None, None)]


async def test_a_programme_without_ambassadors_says_so(url: str) -> None:
    bare = "id: x\ncurrency: CNY\ntimezone: UTC"
    async with open_shop(url, bare, plugins=PLUGINS, now=BEGIN) as shop:
        ann = await shop.enrol("ann")

        assert (await do(shop, APPLY, ann, "1"))["errors"] == [
            {"code": "AMBASSADORS_NOT_OFFERED", "at": "2026-01-05T04:00:00Z"}
        ]
        assert await ambassador(shop, ann) is None


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ("days: 90", "a commission has shares of the money, or points, not both"),
        ('shares: {default: "0.1"}, points: {default: 1}, days: 90', "not both"),
        ('shares: {default: "1.01"}, days: 90', "a share is 1 at most"),
        ("points: {default: 0}, days: 90", "nobody would be given anything"),
        ("points: {silver: 1}, days: 90", "no tier 'silver' on the ladder"),
        ("points: {gold: 1}, days: 90, tiers: [god]", "no tier 'god' on the ladder"),
        ("points: {gold: 1}, days: 90, tier_lost: end", "members of every tier may be ambassadors"),
        ("points: {gold: 1}", "days: is missing"),
        ("points: {gold: 1}, days: 0", "greater than or equal to 1"),
        ('points: {gold: 1}, days: 9, order_at_least: "0.001"', "order_at_least"),
    ],
)
async def test_terms_that_cannot_be_meant_are_refused_on_publishing(quick: Shop, terms: str, message: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refusal:
        await quick.laurel.load(programme(terms))

    assert message in str(refusal.value)


async def test_ambassadors_need_referrals_and_shares_a_value_of_points(quick: Shop) -> None:
    whole = programme()
    without_referral = "\n".join(line for line in whole.splitlines() if not line.startswith("  referral"))
    without_value = "\n".join(line for line in whole.splitlines() if not line.startswith("point_value"))

    with pytest.raises(ProgrammeInvalid, match="the section referral is missing"):
        await quick.laurel.load(without_referral)
    with pytest.raises(ProgrammeInvalid, match="point_value, which is missing"):
        await quick.laurel.load(without_value)
