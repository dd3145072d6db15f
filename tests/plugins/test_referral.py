"""Referrals through the schema: 80 and 80 for a friend's first order, on every database; and who is no friend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Final

import pytest

from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from graph.laurel import tables
from graph.testing import Shop
from plugins.referral.rules import code_of, read_code
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse, standing
from tests.plugins.orders import BEGIN, balance, buy, document, of_member, send_back, shop_at, told

PLUGINS: Final = only("purchase", "referral")
DAY: Final = timedelta(days=1)

ISSUE: Final = """
mutation ($input: IssueReferralCodeInput!) {
  issueReferralCode(input: $input) { referralCode errors { code } }
}"""
ACCEPT: Final = """
mutation ($input: AcceptReferralInput!) {
  acceptReferral(input: $input) {
    replayed
    errors {
      code
      ... on ReferralCodeMalformed { referralCode }
      ... on ReferralCodeNotFound { referralCode }
      ... on ReferralCodeExpired { expiredAt }
      ... on ReferralLoop { invited }
      ... on AlreadyInvited { acceptedAt }
      ... on NotANewcomer { enrolledAt orders }
      ... on InvitationsUsedUp { limit resetsAt }
      ... on ReferralNotOffered { at }
      ... on MemberNotActive { status }
    }
  }
}"""


def programme(settings: str = "") -> str:
    return document(f"  referral: {{inviter: 80, invitee: 80{settings and ', '}{settings}}}")


def opened(url: str, settings: str = "") -> AbstractAsyncContextManager[Shop]:
    return shop_at(url, programme(settings), PLUGINS)


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
def quick_url(sqlite_folder: SqliteFolder, apps: Apps) -> str:
    return sqlite_folder.migrated(apps)


@pytest.fixture
async def shop(fresh_database: str) -> AsyncIterator[Shop]:
    """80 for each, on every database."""
    async with opened(fresh_database) as shop:
        yield shop


async def issue(shop: Shop, member: str, key: str = "code") -> str:
    answer = (await shop.ask(ISSUE, {"input": {"member": {"id": member}, "idempotencyKey": key}}))["issueReferralCode"]
    assert answer["errors"] == []
    code: str = answer["referralCode"]
    return code


async def accept(shop: Shop, member: str, code: str, key: str = "accept") -> list[dict[str, Any]]:
    """What an acceptance was refused with; nothing when it was done."""
    given = {"member": {"id": member}, "code": code, "idempotencyKey": key}
    errors: list[dict[str, Any]] = (await shop.ask(ACCEPT, {"input": given}))["acceptReferral"]["errors"]
    return errors


async def refused(shop: Shop, member: str, code: str) -> dict[str, Any]:
    """The refusal of an acceptance, which must leave everything as it was."""
    before = await standing(shop, member)
    (error,) = await accept(shop, member, code, key=f"refused {code}")
    assert await standing(shop, member) == before
    return error


async def friends(shop: Shop) -> tuple[str, str]:
    """Ann, and Bob whom she has brought."""
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    assert await accept(shop, bob, await issue(shop, ann)) == []
    return ann, bob


async def referral(shop: Shop, member: str, fields: str = "invited rewarded points") -> Any:
    return (await of_member(shop, member, f"referral {{ {fields} }}"))["referral"]


# -- both are paid ------------------------------------------------------------------------------------


async def test_the_first_order_brings_eighty_to_both(shop: Shop) -> None:
    ann, bob = await friends(shop)
    assert await referral(shop, ann) == {"invited": 1, "rewarded": 0, "points": 0}

    await buy(shop, bob, "B1", "30.00")
    await told(shop)
    await buy(shop, bob, "B2", "30.00")
    await told(shop)

    assert (await balance(shop, ann), await balance(shop, bob)) == (80, 80 + 60)
    assert await referral(shop, ann) == {"invited": 1, "rewarded": 1, "points": 80}
    assert await referral(shop, bob, "code invitation { acceptedAt status points }") == {
        "code": None,
        "invitation": {"acceptedAt": "2026-01-05T04:00:00Z", "status": "REWARDED", "points": 80},
    }
    assert await verify(shop.laurel.store.reader()) == []


async def test_a_friend_is_enrolled_and_brought_in_one_stroke(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    code = await issue(shop, ann)
    given = {"member": {"externalId": "bob"}, "code": code, "enrolIfUnknown": True, "idempotencyKey": "join"}
    assert (await shop.ask(ACCEPT, {"input": given}))["acceptReferral"] == {"replayed": False, "errors": []}
    assert (await shop.ask(ACCEPT, {"input": given}))["acceptReferral"] == {"replayed": True, "errors": []}

    assert (await referral(shop, ann))["invited"] == 1


async def test_a_newcomer_with_a_wrong_code_is_not_enrolled(shop: Shop) -> None:
    given = {"member": {"externalId": "bob"}, "code": "0000", "enrolIfUnknown": True, "idempotencyKey": "join"}
    answer = (await shop.ask(ACCEPT, {"input": given}))["acceptReferral"]

    assert answer["errors"] == [{"code": "REFERRAL_CODE_MALFORMED", "referralCode": "0000"}]
    found = await shop.ask('{ member(by: {externalId: "bob"}) { id } }')
    assert found == {"member": None}


async def test_a_code_stays_what_it_is_and_is_read_however_it_is_typed(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    code = await issue(shop, ann)
    assert await issue(shop, ann, "again") == code
    assert (await referral(shop, ann, "code"))["code"] == code

    typed = f" {code[:5]}-{code[5:]}".lower().replace("0", "o").replace("1", "l")
    assert await accept(shop, bob, typed) == []


# -- what comes back ----------------------------------------------------------------------------------


async def test_refunding_the_first_order_takes_both_bonuses_back_once(shop: Shop) -> None:
    ann, bob = await friends(shop)
    await buy(shop, bob, "B1", "30.00")
    await told(shop)

    await send_back(shop, bob, "B1")
    await told(shop)
    await buy(shop, bob, "B2", "30.00")
    await send_back(shop, bob, "B2")
    await told(shop)

    assert (await balance(shop, ann), await balance(shop, bob)) == (0, 0)
    assert await referral(shop, ann) == {"invited": 1, "rewarded": 0, "points": 0}
    assert (await referral(shop, bob, "invitation { status points }"))["invitation"] == {
        "status": "TAKEN_BACK",
        "points": 0,
    }
    assert await verify(shop.laurel.store.reader()) == []


async def test_a_bonus_that_was_spent_is_owed(shop: Shop) -> None:
    ann, bob = await friends(shop)
    await buy(shop, bob, "B1", "30.00")
    await told(shop)
    await shop.give(ann, -80, "spent")

    await send_back(shop, bob, "B1")
    await told(shop)

    assert await balance(shop, ann) == -80


async def test_reversing_the_first_order_takes_both_bonuses_back_once(shop: Shop) -> None:
    ann, bob = await friends(shop)
    transaction = await buy(shop, bob, "B1", "30.00")
    await told(shop)

    await reverse(shop, transaction)
    await told(shop)

    assert (await balance(shop, ann), await balance(shop, bob)) == (0, 0)


async def test_a_refund_before_the_inviter_heard_of_the_order_is_heard_after_it(shop: Shop) -> None:
    ann, bob = await friends(shop)
    await buy(shop, bob, "B1", "30.00")
    await send_back(shop, bob, "B1")
    await told(shop)

    assert (await balance(shop, ann), await balance(shop, bob)) == (0, 0)


@pytest.mark.parametrize(
    ("settings", "kept"), [("", 80), ('order_at_least: "50.00"', 80), ("partial_refund: minimum", 80)]
)
async def test_part_of_the_first_order_may_come_back(quick_url: str, settings: str, kept: int) -> None:
    async with opened(quick_url, settings) as shop:
        ann, bob = await friends(shop)
        await buy(shop, bob, "B1", "60.00")
        await send_back(shop, bob, "B1", "20.00")
        await told(shop)

        assert (await balance(shop, ann), await balance(shop, bob)) == (kept, kept + 40)


async def test_a_rest_below_the_least_amount_can_take_both_bonuses_with_it(quick_url: str) -> None:
    async with opened(quick_url, 'order_at_least: "50.00", partial_refund: minimum') as shop:
        ann, bob = await friends(shop)
        await buy(shop, bob, "B1", "60.00")
        await send_back(shop, bob, "B1", "10.00")
        await told(shop)
        assert (await balance(shop, ann), await balance(shop, bob)) == (80, 80 + 50)

        await send_back(shop, bob, "B1", "0.01")
        await told(shop)
        assert (await balance(shop, ann), await balance(shop, bob)) == (0, 49)


# -- throwaway accounts -------------------------------------------------------------------------------


async def test_an_order_below_the_least_amount_is_no_first_order(quick_url: str) -> None:
    async with opened(quick_url, 'order_at_least: "50.00"') as shop:
        ann, bob = await friends(shop)
        await buy(shop, bob, "B1", "49.99")
        assert await balance(shop, bob) == 49
        paid = {"paidWithPoints": {"points": 49, "amount": "0.49"}}
        await buy(shop, bob, "B2", "50.00", **paid)
        assert await balance(shop, bob) == 49
        await buy(shop, bob, "B3", "50.00")
        await told(shop)

        assert (await balance(shop, ann), await balance(shop, bob)) == (80, 49 + 50 + 80)


async def test_an_order_that_cost_no_money_is_no_first_order(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann, bob = await friends(shop)
        await shop.give(bob, 50, "for joining")
        await buy(shop, bob, "B1", "0.00")
        await buy(shop, bob, "B2", "0.50", paidWithPoints={"points": 50, "amount": "0.50"})
        await told(shop)
        assert (await balance(shop, ann), await balance(shop, bob)) == (0, 0)

        await buy(shop, bob, "B3", "1.00")
        await told(shop)

        assert (await balance(shop, ann), await balance(shop, bob)) == (80, 1 + 80)


async def test_bonuses_can_wait_until_the_goods_cannot_come_back(quick_url: str) -> None:
    async with opened(quick_url, "pending_days: 14") as shop:
        ann, bob = await friends(shop)
        await buy(shop, bob, "B1", "30.00")
        await told(shop)

        pending = "points { available pending }"
        assert (await of_member(shop, ann, pending))["points"] == {"available": 0, "pending": 80}
        assert (await of_member(shop, bob, pending))["points"] == {"available": 30, "pending": 80}
        shop.clock.advance(14 * DAY)
        assert (await of_member(shop, ann, pending))["points"] == {"available": 80, "pending": 0}


async def test_a_first_order_that_comes_too_late_brings_nothing(quick_url: str) -> None:
    async with opened(quick_url, "complete_days: 30") as shop:
        ann, bob = await friends(shop)
        shop.clock.advance(30 * DAY)
        await buy(shop, bob, "B1", "30.00")
        await told(shop)

        assert (await balance(shop, ann), await balance(shop, bob)) == (0, 30)
        assert (await referral(shop, bob, "invitation { status }"))["invitation"] == {"status": "LAPSED"}


async def test_an_order_from_before_the_invitation_shows_an_existing_customer(quick_url: str) -> None:
    async with opened(quick_url) as shop:
        ann, bob = await friends(shop)
        await buy(shop, bob, "B1", "30.00", occurredAt=(BEGIN - DAY).isoformat())
        await buy(shop, bob, "B2", "30.00")
        await told(shop)

        assert (await balance(shop, ann), await balance(shop, bob)) == (0, 60)


async def test_only_so_many_friends_a_month_count(quick_url: str) -> None:
    async with opened(quick_url, "a_month: 2") as limited:
        code = await issue(limited, await limited.enrol("ann"))
        members = [await limited.enrol(f"friend {number}") for number in range(6)]
        answers = await asyncio.gather(*(accept(limited, member, code) for member in members[:5]))

        used_up = {"code": "INVITATIONS_USED_UP", "limit": 2, "resetsAt": "2026-01-31T16:00:00Z"}
        assert sorted(len(answer) for answer in answers) == [0, 0, 1, 1, 1]
        assert [error for answer in answers for error in answer] == [used_up] * 3

        limited.clock.advance(26 * DAY + timedelta(hours=11, minutes=59))
        assert await refused(limited, members[5], code) == used_up
        limited.clock.advance(timedelta(minutes=1))
        assert await accept(limited, members[5], code) == []


# -- who is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "0", "hello", "123456789", "0000000001", "0000000000x", "ÄÖÜ0000000", "🎁" * 10])
async def test_what_cannot_be_a_code_is_refused(quick_url: str, text: str) -> None:
    async with opened(quick_url) as shop:
        bob = await shop.enrol("bob")

        assert await refused(shop, bob, text) == {"code": "REFERRAL_CODE_MALFORMED", "referralCode": text}


async def test_a_code_that_nobody_has_is_refused(shop: Shop) -> None:
    bob, code = await shop.enrol("bob"), code_of("nobody")

    assert await refused(shop, bob, code) == {"code": "REFERRAL_CODE_NOT_FOUND", "referralCode": code}


async def test_an_expired_code_is_refused_until_it_is_renewed(quick_url: str) -> None:
    async with opened(quick_url, "code_days: 30") as shop:
        ann = await shop.enrol("ann")
        code = await issue(shop, ann)
        assert await referral(shop, ann, "codeExpiresAt") == {"codeExpiresAt": "2026-02-04T04:00:00Z"}
        shop.clock.advance(30 * DAY)
        bob = await shop.enrol("bob")

        expired = {"code": "REFERRAL_CODE_EXPIRED", "expiredAt": "2026-02-04T04:00:00Z"}
        assert await refused(shop, bob, code) == expired
        assert await issue(shop, ann, "renew") == code
        assert await accept(shop, bob, code) == []


async def test_nobody_refers_themselves(shop: Shop) -> None:
    ann = await shop.enrol("ann")

    assert await refused(shop, ann, await issue(shop, ann)) == {"code": "SELF_REFERRAL"}


async def test_who_was_invited_cannot_invite_the_inviter(shop: Shop) -> None:
    ann, bob = await friends(shop)

    assert await refused(shop, ann, await issue(shop, bob)) == {"code": "REFERRAL_LOOP", "invited": 1}


async def test_of_two_who_invite_one_another_at_once_one_is_invited(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    of_ann, of_bob = await issue(shop, ann), await issue(shop, bob)

    answers = await asyncio.gather(accept(shop, ann, of_bob), accept(shop, bob, of_ann))

    loop = [{"code": "REFERRAL_LOOP", "invited": 1}]
    assert sorted(answers, key=len) == [[], loop]


async def test_three_in_a_ring_are_not_closed(shop: Shop) -> None:
    ann, bob = await friends(shop)
    cat = await shop.enrol("cat")
    assert await accept(shop, cat, await issue(shop, bob)) == []

    assert (await refused(shop, ann, await issue(shop, cat)))["code"] == "REFERRAL_LOOP"


async def test_an_invitation_is_accepted_once(shop: Shop) -> None:
    _, bob = await friends(shop)
    cat = await shop.enrol("cat")

    again = {"code": "ALREADY_INVITED", "acceptedAt": "2026-01-05T04:00:00Z"}
    assert await refused(shop, bob, await issue(shop, cat)) == again


async def test_a_double_tap_accepts_once(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    code = await issue(shop, ann)

    answers = await asyncio.gather(*(accept(shop, bob, code, f"tap {number}") for number in range(5)))

    assert sorted(len(answer) for answer in answers) == [0, 1, 1, 1, 1]
    assert (await referral(shop, ann))["invited"] == 1


async def test_a_customer_cannot_be_invited_not_even_when_everything_came_back(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    code = await issue(shop, ann)
    await buy(shop, bob, "B1", "30.00")
    customer = {"code": "NOT_A_NEWCOMER", "enrolledAt": "2026-01-05T04:00:00Z", "orders": 1}
    assert await refused(shop, bob, code) == customer

    await send_back(shop, bob, "B1")
    (error,) = await accept(shop, bob, code, "after all came back")
    assert error == {**customer, "orders": 0}


async def test_who_joined_long_ago_cannot_be_invited(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    shop.clock.advance(30 * DAY)

    assert (await refused(shop, bob, await issue(shop, ann)))["code"] == "NOT_A_NEWCOMER"


async def test_a_frozen_member_neither_invites_nor_accepts_nor_is_paid(shop: Shop) -> None:
    ann, bob = await friends(shop)
    cat = await shop.enrol("cat")
    code = await issue(shop, ann)
    await freeze(shop, ann)
    await freeze(shop, cat)

    assert await refused(shop, cat, code) == {"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}
    again = {"input": {"member": {"id": ann}, "idempotencyKey": "again"}}
    assert (await shop.ask(ISSUE, again))["issueReferralCode"]["errors"] == [{"code": "MEMBER_NOT_ACTIVE"}]
    await buy(shop, bob, "B1", "30.00")
    await told(shop)
    await send_back(shop, bob, "B1")
    await told(shop)
    assert await balance(shop, ann) == 0


async def test_a_member_acts_for_nobody_else(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    code = await issue(shop, ann)
    given = {"input": {"member": {"id": bob}, "code": code, "idempotencyKey": "x"}}

    answer = await shop.post(ACCEPT, given, member=ann)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await shop.ask(ACCEPT, given, member=bob))["acceptReferral"]["errors"] == []


async def test_without_the_section_there_are_no_referrals(quick_url: str) -> None:
    async with shop_at(quick_url, document(""), PLUGINS) as shop:
        ann = await shop.enrol("ann")

        not_offered = {"code": "REFERRAL_NOT_OFFERED", "at": "2026-01-05T04:00:00Z"}
        assert await refused(shop, ann, code_of("somebody")) == not_offered
        assert await referral(shop, ann) is None


@pytest.mark.parametrize("settings", ["a_month: 0", "order_at_least: 0.5", "pending_days: -1", "partial_refund: half"])
def test_a_section_that_cannot_be_meant_is_refused(settings: str) -> None:
    with pytest.raises(ProgrammeInvalid):
        load_programme(programme(settings), PLUGINS.settings)


# -- codes --------------------------------------------------------------------------------------------


def test_every_wrong_letter_of_a_code_shows() -> None:
    code = code_of("ann")
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    wrong = [code[:at] + letter + code[at + 1 :] for at in range(10) for letter in letters if letter != code[at]]

    assert read_code(code) == code
    assert [text for text in wrong if read_code(text)] == []


def test_codes_of_members_differ() -> None:
    assert len({code_of(f"member {number}") for number in range(10_000)}) == 10_000
    assert code_of("ann") != code_of("ann", 1)
