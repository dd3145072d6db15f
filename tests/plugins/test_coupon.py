"""Coupons: given by channels and operators, used once with an order, gone at an instant, taken back in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from core.errors import ProgrammeInvalid
from core.oversight.verify import verify
from core.rulebook.programme import load_programme
from graph.laurel import tables
from graph.testing import Shop
from graph.tokens import Role
from plugins.coupon.rules import Terms
from tests.databases import Apps, SqliteFolder
from tests.plugins.channel import freeze, only, reverse
from tests.plugins.orders import buy, document, of_member, send_back, shop_at

PLUGINS: Final = only("purchase", "coupon", "birthday", "welcome", "win_back")
COUPONS: Final = """
  coupon:
    coupons:
      - {id: fifth, name: A fifth off, ratio: "0.20", amount_max: "50.00", days: 3}
      - {id: ten, name: Ten off a hundred, amount: "10.00", least_order: "100.00"}
      - {id: cake, name: A cake}
"""
GIFTS: Final = """
  birthday: {coupons: [fifth]}
  welcome: {pack: {points: 50}, coupons: [ten, cake]}
  win_back: {coupons: [ten], dormant_days: 90}
"""
FACTS: Final = """
  ... on CouponKindNotFound { coupon } ... on CouponCodeMalformed { couponCode } ... on CouponNotFound { couponCode }
  ... on CouponLapsed { expiredAt } ... on CouponAlreadyUsed { order usedAt } ... on CouponWithdrawn { withdrawnAt }
  ... on CouponOrderTooSmall { amount leastOrder } ... on MemberNotActive { status } ... on CurrencyMismatch { given }
"""
SHOWN: Final = "coupon status discount { amount } order expiresAt"


def asking(name: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}Input"
    return (
        f"mutation ($input: {kind}!) {{ {name}(input: $input) {{"
        f" coupon {{ code {SHOWN} }} replayed errors {{ code {FACTS} }} }} }}"
    )


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


def opened(url: str, gifts: str = "") -> AbstractAsyncContextManager[Shop]:
    return shop_at(url, document(COUPONS + gifts), PLUGINS)


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    async with opened(sqlite_folder.migrated(apps)) as shop:
        yield shop


async def ask(shop: Shop, name: str, role: Role = Role.SERVICE, **asked: Any) -> dict[str, Any]:
    given = {"idempotencyKey": str(len(asked)) + repr(sorted(asked.items())), **asked}
    payload: dict[str, Any] = (await shop.ask(asking(name), {"input": given}, role=role))[name]
    return payload


async def issued(shop: Shop, member: str, coupon: str = "ten", key: str = "issue") -> str:
    """The code of a coupon that an operator has issued."""
    asked = {"member": {"id": member}, "coupon": coupon, "reason": "a test", "idempotencyKey": f"{key} {coupon}"}
    payload = await ask(shop, "issueCoupon", Role.OPERATOR, **asked)
    assert payload["errors"] == []
    code: str = payload["coupon"]["code"]
    return code


async def use(shop: Shop, code: str, amount: str = "100.00", order: str = "A1", **more: Any) -> dict[str, Any]:
    currency = more.pop("currency", "CNY")
    return await ask(shop, "useCoupon", code=code, order=order, amount={"amount": amount, "currency": currency}, **more)


async def coupons(shop: Shop, member: str, only: str = "") -> list[tuple[str, str]]:
    """What the member has, the oldest first, with its status."""
    found = await of_member(shop, member, f"coupons{only} {{ nodes {{ coupon status }} }}")
    return [(node["coupon"], node["status"]) for node in reversed(found["coupons"]["nodes"])]


# -- the rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "order", "off"),
    [
        (Terms(amount=1_000), 999, 999),
        (Terms(amount=1_000), 100_000, 1_000),
        (Terms(ratio="0.20"), 4_999, 999),
        (Terms(ratio="0.20", amount_max=5_000), 100_000, 5_000),
        (Terms(), 5_000, 0),
    ],
)
def test_a_coupon_takes_off_what_it_says_rounded_down_and_no_more_than_there_is(
    terms: Terms, order: int, off: int
) -> None:
    assert terms.discount(order) == off


@pytest.mark.parametrize(
    ("channels", "says"),
    [
        ("  coupon: {coupons: []}", "at least 1"),
        ("  coupon: {coupons: [{id: a, name: A, amount: 1, ratio: 1}]}", "an amount or a ratio, not both"),
        ("  coupon: {coupons: [{id: a, name: A, amount_max: 1}]}", "amount_max belongs to a ratio"),
        ('  coupon: {coupons: [{id: a, name: A, amount: "0.001"}]}', "finer than the minor unit"),
        ('  coupon: {coupons: [{id: a, name: A, ratio: "1.01"}]}', "more than 0 and at most 1"),
        ("  coupon: {coupons: [{id: a, name: A, days: 0}]}", "greater than or equal to 1"),
        ("  coupon: {coupons: [{id: a, name: A}, {id: a, name: B}]}", "used twice"),
        (COUPONS + "  birthday: {coupons: [tenn]}", r"birthday.coupons\[0\]: no coupon 'tenn' in the .*'ten'"),
        ("  welcome: {coupons: [ten]}", r"welcome.coupons\[0\]: no coupon 'ten' in the programme"),
        ("  win_back: {dormant_days: 90}", "points, or coupons, or both"),
        ("  birthday: {within: day}", "points, or coupons, or both"),
        ("  welcome: {expires_days: 3}", "a pack, or coupons, or both"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(channels: str, says: str) -> None:
    with pytest.raises(ProgrammeInvalid, match=says):
        load_programme(document(channels), PLUGINS.settings, PLUGINS.facts, PLUGINS.countables)


# -- at the till --------------------------------------------------------------------------------------


async def test_a_coupon_is_used_once_and_can_be_used_again_when_that_is_undone(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    code = await issued(shop, ann)
    typed = f"{code[:4]}-{code[4:8]} {code[8:]}".lower()

    used = await use(shop, typed, "120.00", order="A1")
    replay = await use(shop, typed, "120.00", order="A1")
    again = await use(shop, code, "120.00", order="A2")

    coupon = {"coupon": "ten", "status": "USED", "discount": {"amount": "10.00"}, "order": "A1", "expiresAt": None}
    assert used == {"coupon": {"code": code, **coupon}, "replayed": False, "errors": []}
    assert replay == {**used, "replayed": True}
    assert again["errors"] == [{"code": "COUPON_ALREADY_USED", "order": "A1", "usedAt": "2026-01-05T04:00:00Z"}]

    undone = await ask(shop, "undoCouponUse", code=code, reason="the order failed")
    assert (undone["errors"], undone["coupon"]["status"], undone["coupon"]["order"]) == ([], "OPEN", None)
    assert (await ask(shop, "undoCouponUse", code=code, reason="once more"))["errors"] == [{"code": "COUPON_NOT_USED"}]
    assert (await use(shop, code, "120.00", order="A3"))["errors"] == []


async def test_a_coupon_lapses_at_the_instant_and_undoing_its_use_makes_it_last_no_longer(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    first, second = await issued(shop, ann, "fifth"), await issued(shop, ann, "fifth", "another")
    end = datetime(2026, 1, 7, 16, tzinfo=UTC)  # 8 January 00:00 in Shanghai: the third day is over

    shop.clock.set(end - timedelta(microseconds=1))
    assert (await use(shop, first, "300.00"))["coupon"]["discount"] == {"amount": "50.00"}
    shop.clock.set(end)

    assert (await use(shop, second))["errors"] == [{"code": "COUPON_LAPSED", "expiredAt": "2026-01-07T16:00:00Z"}]
    await ask(shop, "undoCouponUse", code=first, reason="the order failed")
    assert await coupons(shop, ann) == [("fifth", "LAPSED")] * 2
    assert await coupons(shop, ann, "(status: OPEN)") == []
    assert len(await coupons(shop, ann, "(status: LAPSED)")) == 2


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"code": "no code"}, {"code": "COUPON_CODE_MALFORMED", "couponCode": "no code"}),
        ({"code": "QFBM48ZKMD000001"}, {"code": "COUPON_CODE_MALFORMED", "couponCode": "QFBM48ZKMD000001"}),
        ({"code": "0" * 16}, {"code": "COUPON_NOT_FOUND", "couponCode": "0" * 16}),
        ({"amount": "99.99"}, {"code": "COUPON_ORDER_TOO_SMALL", "amount": "99.99", "leastOrder": "100.00"}),
        ({"amount": "0"}, {"code": "INVALID_AMOUNT"}),
        ({"amount": "-100"}, {"code": "INVALID_AMOUNT"}),
        ({"amount": "100.001"}, {"code": "INVALID_AMOUNT"}),
        ({"amount": "99999999999999999"}, {"code": "INVALID_AMOUNT"}),
        ({"currency": "EUR"}, {"code": "CURRENCY_MISMATCH", "given": "EUR"}),
        ({"order": ""}, {"code": "INVALID_VALUE"}),
        ({"order": "x" * 129}, {"code": "INVALID_VALUE"}),
        ({"member": {"externalId": "bob"}}, {"code": "COUPON_NOT_FOUND"}),
    ],
)
async def test_a_wrong_coupon_or_order_is_refused_and_nothing_is_used(
    shop: Shop, asked: dict[str, Any], error: dict[str, Any]
) -> None:
    ann, _ = await shop.enrol("ann"), await shop.enrol("bob")
    code = await issued(shop, ann)

    (found,) = (await use(shop, **{"code": code, **asked}))["errors"]

    assert found.items() >= error.items()
    assert await coupons(shop, ann) == [("ten", "OPEN")]


async def test_who_is_frozen_uses_and_gets_no_coupon_and_only_staff_give_and_take_them(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    code = await issued(shop, ann)
    asked = {"member": {"id": ann}, "coupon": "cake", "reason": "a test", "idempotencyKey": "x"}
    for name, given in (("issueCoupon", asked), ("withdrawCoupon", {"code": code, "reason": "mine"})):
        answer = await shop.post(asking(name), {"input": {"idempotencyKey": "y", **given}}, member=ann)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    unknown = await ask(shop, "issueCoupon", Role.OPERATOR, **{**asked, "coupon": "pie", "idempotencyKey": "z"})
    assert unknown["errors"] == [{"code": "COUPON_KIND_NOT_FOUND", "coupon": "pie"}]

    await freeze(shop, ann)

    assert (await use(shop, code))["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]
    refused = await ask(shop, "issueCoupon", Role.OPERATOR, **asked)
    assert refused["errors"] == [{"code": "MEMBER_NOT_ACTIVE", "status": "frozen"}]


async def test_an_operator_withdraws_a_coupon_but_none_that_was_used(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    gone, used = await issued(shop, ann, "cake"), await issued(shop, ann)
    await use(shop, used)

    withdrawn = await ask(shop, "withdrawCoupon", Role.OPERATOR, code=gone, reason="a mistake")
    assert (withdrawn["errors"], withdrawn["coupon"]["status"]) == ([], "WITHDRAWN")
    kept = await ask(shop, "withdrawCoupon", Role.OPERATOR, code=used, reason="a mistake")
    assert kept["errors"][0]["code"] == "COUPON_ALREADY_USED"
    assert (await use(shop, gone))["errors"] == [{"code": "COUPON_WITHDRAWN", "withdrawnAt": "2026-01-05T04:00:00Z"}]


async def test_a_coupon_at_two_tills_at_once_is_used_once_on_every_database(fresh_database: str) -> None:
    async with opened(fresh_database) as shop:
        code = await issued(shop, await shop.enrol("ann"))

        answers = await asyncio.gather(*(use(shop, code, order=f"A{number}") for number in range(8)))

        assert sorted(len(answer["errors"]) for answer in answers) == [0] + [1] * 7


# -- given and taken back -----------------------------------------------------------------------------


async def test_joining_birthdays_and_coming_back_bring_coupons_and_undoing_takes_them_back(
    sqlite_folder: SqliteFolder, apps: Apps
) -> None:
    async with opened(sqlite_folder.migrated(apps), GIFTS) as shop:
        asked = {"externalId": "ann", "birthday": "1990-01-05", "idempotencyKey": "enrol"}
        enrolled = await shop.ask(
            "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { member { id } } }", {"input": asked}
        )
        ann = enrolled["enrolMember"]["member"]["id"]
        assert await coupons(shop, ann) == [("ten", "OPEN"), ("cake", "OPEN")]
        gift = {"member": {"id": ann}, "idempotencyKey": "birthday"}
        claimed = await shop.ask(
            "mutation ($input: ClaimBirthdayGiftInput!) { claimBirthdayGift(input: $input)"
            " { member { birthdayGift { coupons points } } errors { code } } }",
            {"input": gift},
        )
        assert claimed["claimBirthdayGift"] == {
            "member": {"birthdayGift": {"coupons": ["fifth"], "points": 0}}, "errors": []
        }  # fmt: skip

        shop.clock.advance(timedelta(days=91))
        transaction = await buy(shop, ann, "A1", "10.00")
        assert await coupons(shop, ann, "(status: OPEN)") == [("ten", "OPEN"), ("cake", "OPEN"), ("ten", "OPEN")]
        occasions = await of_member(shop, ann, "coupons { nodes { occasion transaction { id } } }")
        assert occasions["coupons"]["nodes"][0] == {
            "occasion": "win_back:2026-04-06", "transaction": {"id": transaction}
        }  # fmt: skip

        await send_back(shop, ann, "A1")

        assert (await coupons(shop, ann))[-1] == ("ten", "WITHDRAWN")
        assert await verify(shop.laurel.store.reader()) == []


async def test_when_the_whole_order_comes_back_its_coupon_does_and_a_reversed_gift_goes(
    sqlite_folder: SqliteFolder, apps: Apps
) -> None:
    async with opened(sqlite_folder.migrated(apps), "  welcome: {pack: {points: 50}, coupons: [ten]}") as shop:
        ann = await shop.enrol("ann")
        node = (await of_member(shop, ann, "coupons { nodes { code transaction { id } } }"))["coupons"]["nodes"][0]
        await use(shop, node["code"], "120.00", order="A1")
        await buy(shop, ann, "A1", "110.00")

        await send_back(shop, ann, "A1", "10.00")
        assert await coupons(shop, ann) == [("ten", "USED")]
        await send_back(shop, ann, "A1", reference="the rest")
        assert await coupons(shop, ann) == [("ten", "OPEN")]

        await reverse(shop, node["transaction"]["id"])
        assert await coupons(shop, ann) == [("ten", "WITHDRAWN")]


async def test_a_gift_that_is_reversed_after_its_coupon_was_used_does_not_come_back_with_the_order(
    sqlite_folder: SqliteFolder, apps: Apps
) -> None:
    async with opened(sqlite_folder.migrated(apps), "  welcome: {pack: {points: 50}, coupons: [ten]}") as shop:
        ann = await shop.enrol("ann")
        node = (await of_member(shop, ann, "coupons { nodes { code transaction { id } } }"))["coupons"]["nodes"][0]
        await use(shop, node["code"], "120.00", order="A1")
        await buy(shop, ann, "A1", "110.00")

        await reverse(shop, node["transaction"]["id"])
        used = (await of_member(shop, ann, "coupons(status: USED) { totalCount }"))["coupons"]["totalCount"]
        assert (await coupons(shop, ann), used) == ([("ten", "USED")], 1)
        await send_back(shop, ann, "A1")

        withdrawn = (await of_member(shop, ann, "coupons(status: WITHDRAWN) { totalCount }"))["coupons"]["totalCount"]
        assert (await coupons(shop, ann), withdrawn) == ([("ten", "WITHDRAWN")], 1)
        assert [error["code"] for error in (await use(shop, node["code"], "120.00", order="A2"))["errors"]] == [
            "COUPON_WITHDRAWN"
        ]


async def test_a_coupon_keeps_what_it_promised(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    code = await issued(shop, ann)
    answer = await shop.ask(
        "mutation ($input: PublishProgrammeInput!) { publishProgramme(input: $input) { errors { message } } }",
        {"input": {"document": document(""), "reason": "no more coupons"}},
        role=Role.ADMIN,
    )
    assert answer["publishProgramme"]["errors"] == []

    assert (await use(shop, code, "120.00"))["coupon"]["discount"] == {"amount": "10.00"}
    refused = await ask(
        shop, "issueCoupon", Role.OPERATOR, member={"id": ann}, coupon="ten", reason="a test", idempotencyKey="x"
    )
    assert refused["errors"] == [{"code": "COUPONS_NOT_OFFERED"}]
