"""Notices: who reads what, when, and what is kept of it."""

from datetime import timedelta
from typing import Any

import pytest

from graph.ids import global_id
from graph.testing import Shop
from graph.tokens import Role

PUBLISH = """mutation ($input: PublishNoticeInput!) { publishNotice(input: $input) { replayed
  notice { id title text startsAt endsAt author publishedAt } errors { code path
    ... on IdempotencyKeyMismatch { idempotencyKey } } } }"""
WITHDRAW = """mutation ($notice: ID!) { withdrawNotice(input: {notice: $notice, reason: "it was a mistake"}) {
  notice { endsAt } errors { code ... on NoticeEnded { endedAt } ... on NoticeNotFound { notice } } } }"""
NOTICES = "query ($all: Boolean! = false) { notices(all: $all) { totalCount nodes { title } } }"
AUDIT = "{ auditLog(first: 1) { nodes { mutation reason facts { name before after } } } }"
SAID = "Points made by machines were taken back. They are for people who learn."


async def publish(shop: Shop, title: str = "Fair play", key: str = "1", **more: Any) -> dict[str, Any]:
    given = {"title": title, "text": SAID, "idempotencyKey": key, **more}
    answer: dict[str, Any] = (await shop.ask(PUBLISH, {"input": given}, role=Role.OPERATOR))["publishNotice"]
    return answer


async def withdraw(shop: Shop, notice: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await shop.ask(WITHDRAW, {"notice": notice}, role=Role.OPERATOR))["withdrawNotice"]
    return answer


async def read(shop: Shop, all_: bool = False, **who: Any) -> list[str]:
    found = (await shop.ask(NOTICES, {"all": all_}, **who))["notices"]
    titles = [node["title"] for node in found["nodes"]]
    assert found["totalCount"] == len(titles)
    return titles


async def test_everybody_reads_a_notice_from_its_start_until_its_end(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    now = shop.clock.now()
    tomorrow, friday = now + timedelta(days=1), now + timedelta(days=4)
    published = await publish(shop)
    await publish(shop, "Later", "2", startsAt=tomorrow.isoformat(), endsAt=friday.isoformat())

    at_first = await read(shop, member=anna)
    shop.clock.set(tomorrow)
    then = [await read(shop, member=anna), *[await read(shop, role=role) for role in Role if role is not Role.MEMBER]]
    shop.clock.set(friday)

    assert published["errors"] == []
    assert published["notice"]["author"] == "operator:a operator"
    assert at_first == ["Fair play"]
    assert then == [["Later", "Fair play"]] * len(Role)
    assert await read(shop, member=anna) == ["Fair play"]
    assert await read(shop, True, role=Role.ANALYST) == ["Later", "Fair play"]


async def test_what_is_not_read_at_present_is_for_operators_and_analysts(shop: Shop) -> None:
    anna = await shop.enrol("anna")
    later = (shop.clock.now() + timedelta(days=1)).isoformat()
    notice = (await publish(shop, startsAt=later))["notice"]
    node = "query ($id: ID!) { node(id: $id) { ... on Notice { title author } } }"

    listed = await shop.post(NOTICES, {"all": True}, member=anna)
    named = await shop.ask(node, {"id": notice["id"]}, member=anna)
    shop.clock.advance(timedelta(days=1))
    its_author = await shop.post(node, {"id": notice["id"]}, member=anna)

    assert listed["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert named == {"node": None}
    assert its_author["data"]["node"] == {"title": "Fair play", "author": None}
    assert its_author["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_the_same_key_publishes_once(every_shop: Shop) -> None:
    shop = every_shop
    first, again = await publish(shop), await publish(shop)
    other = await publish(shop, "Something else")

    assert again == {**first, "replayed": True}
    assert other["errors"] == [{"code": "IDEMPOTENCY_KEY_MISMATCH", "path": None, "idempotencyKey": "1"}]
    assert await read(shop) == ["Fair play"]
    log = await shop.ask("{ auditLog { totalCount } }", role=Role.OPERATOR)
    assert log["auditLog"]["totalCount"] == 1


async def test_a_notice_is_withdrawn_once_and_kept(every_shop: Shop) -> None:
    shop = every_shop
    notice = (await publish(shop))["notice"]
    shop.clock.advance(timedelta(hours=1))
    withdrawn = await withdraw(shop, notice["id"])
    audit = (await shop.ask(AUDIT, role=Role.OPERATOR))["auditLog"]["nodes"][0]
    again = await withdraw(shop, notice["id"])
    unknown = await withdraw(shop, global_id("Notice", "nothing"))

    end = "2026-06-01T13:00:00Z"
    assert withdrawn == {"notice": {"endsAt": end}, "errors": []}
    assert (audit["mutation"], audit["reason"]) == ("withdrawNotice", "it was a mistake")
    assert {"name": "ends_at", "before": None, "after": end} in audit["facts"]
    assert again["errors"] == [{"code": "NOTICE_ENDED", "endedAt": end}]
    assert unknown["errors"] == [{"code": "NOTICE_NOT_FOUND", "notice": "nothing"}]
    assert (await read(shop), await read(shop, True, role=Role.OPERATOR)) == ([], ["Fair play"])


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"title": " x "}, {"code": "INVALID_VALUE", "path": ["title"]}),
        ({"text": "x" * 4_001}, {"code": "INVALID_VALUE", "path": ["text"]}),
        ({"startsAt": "2026-06-01T11:00:00Z"}, {"code": "INVALID_INSTANT", "path": None}),
        ({"endsAt": "2026-06-01T12:00:00Z"}, {"code": "INVALID_INSTANT", "path": None}),
        (
            {"startsAt": "2026-06-03T12:00:00Z", "endsAt": "2026-06-02T12:00:00Z"},
            {"code": "INVALID_INSTANT", "path": None},
        ),
    ],
)
async def test_a_notice_that_cannot_be_meant_is_refused(
    shop: Shop, more: dict[str, Any], error: dict[str, Any]
) -> None:
    assert (await publish(shop, **more))["errors"] == [error]
    assert await read(shop, True, role=Role.OPERATOR) == []
