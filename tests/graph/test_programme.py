import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core.wording.language import channel_names
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins, load_plugins

PUBLISH = """mutation ($input: PublishProgrammeInput!) { publishProgramme(input: $input) {
  programme { version code name startsAt tiers { code name rank } units { name spendable }
    publication { author reason } }
  errors { __typename code path message ... on ProgrammeInvalid { count problems { path message line column } } }
} }"""
VERSIONS = "{ programmeVersions { version startsAt } programme { version } }"

DOCUMENT = """id: corner-shop
currency: CNY
timezone: Asia/Shanghai
tiers:
  ladder:
    - {id: regular}
    - {id: bronze, name: Bronze, all: [{fact: points_earned, at_least: 10}]}
"""


async def publish(shop: Shop, **input: Any) -> Any:
    document = {"document": DOCUMENT, "reason": "a new ladder"}
    return (await shop.ask(PUBLISH, {"input": document | input}, role=Role.OPERATOR))["publishProgramme"]


async def test_a_published_version_judges_from_its_start(every_shop: Shop) -> None:
    anna = await every_shop.enrol("anna")
    payload = await publish(every_shop, startsAt="2026-06-02T00:00:00+08:00")
    await every_shop.give(anna, 20, "g1")
    before = await every_shop.ask(VERSIONS)
    every_shop.clock.advance(timedelta(hours=4))
    await every_shop.give(anna, 20, "g2")
    after = await every_shop.ask(VERSIONS)
    member = await every_shop.ask(
        "query ($id: ID!) { member(by: {id: $id}) { tier { code rank } transactions { nodes { programmeVersion } } } }",
        {"id": anna},
    )

    assert payload == {
        "errors": [],
        "programme": {
            "version": 2,
            "code": "corner-shop",
            "name": "corner-shop",
            "startsAt": "2026-06-01T16:00:00Z",
            "tiers": [
                {"code": "regular", "name": "regular", "rank": 1},
                {"code": "bronze", "name": "Bronze", "rank": 2},
            ],
            "units": [{"name": "points", "spendable": True}, {"name": "growth", "spendable": False}],
            "publication": {"author": "operator:a operator", "reason": "a new ladder"},
        },
    }
    assert [version["version"] for version in before["programmeVersions"]] == [1, 2]
    assert (before["programme"], after["programme"]) == ({"version": 1}, {"version": 2})
    assert member["member"]["tier"] == {"code": "bronze", "rank": 2}
    assert [node["programmeVersion"] for node in member["member"]["transactions"]["nodes"]] == [2, 1, 1]


async def test_a_version_without_a_start_judges_at_once(shop: Shop) -> None:
    assert (await publish(shop))["errors"] == []
    assert (await shop.ask(VERSIONS))["programme"] == {"version": 2}


async def test_an_invalid_document_is_refused_with_every_problem_and_its_place(shop: Shop) -> None:
    before = await shop.ask(VERSIONS)
    document = "id: x\ncurrency: XXX\ntimezone: Asia/Shanghi\nexpiri: never\nchannels: {lottery: {}}\n"

    payload = await publish(shop, document=document)

    (error,) = payload["errors"]
    assert (error["__typename"], error["code"], error["count"]) == ("ProgrammeInvalid", "PROGRAMME_INVALID", 4)
    assert [(problem["path"], problem["line"]) for problem in error["problems"]] == [
        ("currency", 2),
        ("timezone", 3),
        ("expiri", 4),
        ("channels.lottery", 5),
    ]
    assert payload["programme"] is None
    assert await shop.ask(VERSIONS) == before


@pytest.mark.parametrize(
    ("input", "code", "path"),
    [
        ({"reason": " "}, "INVALID_VALUE", ["reason"]),
        ({"startsAt": "2026-06-01T11:00:00Z"}, "INVALID_INSTANT", None),
        ({"document": ""}, "PROGRAMME_INVALID", None),
        ({"document": "[" * 100}, "PROGRAMME_INVALID", None),
        ({"document": "a: &a [*a]"}, "PROGRAMME_INVALID", None),
        ({"document": "x" * 300_000}, "PROGRAMME_INVALID", None),
        ({"document": "id: \u0000"}, "PROGRAMME_INVALID", None),
        ({"document": DOCUMENT.replace("CNY", "JPY")}, "PROGRAMME_INVALID", None),
    ],
)
async def test_what_cannot_be_meant_is_not_published(
    shop: Shop, input: dict[str, str], code: str, path: list[str] | None
) -> None:
    before = await shop.ask(VERSIONS)

    payload = await publish(shop, **input)

    assert [(error["code"], error["path"]) for error in payload["errors"]] == [(code, path)]
    assert await shop.ask(VERSIONS) == before


async def test_of_many_who_publish_at_once_each_gets_a_number(every_shop: Shop) -> None:
    payloads = await asyncio.gather(*(publish(every_shop, reason=f"attempt {number}") for number in range(4)))

    assert sorted(payload["programme"]["version"] for payload in payloads) == [2, 3, 4, 5]


async def test_before_the_first_programme_there_is_none_to_ask_about(fresh_database: str) -> None:
    async with open_shop(fresh_database, None, plugins=Plugins()) as shop:
        asked = await shop.post("{ programme { version } }")
        done = await shop.ask(
            'mutation { enrolMember(input: {externalId: "a", idempotencyKey: "1"}) { errors { code } member { id } } }'
        )

    assert asked["data"] == {"programme": None}
    assert [error["extensions"]["code"] for error in asked["errors"]] == ["PROGRAMME_NOT_FOUND"]
    assert done == {"enrolMember": {"errors": [{"code": "PROGRAMME_NOT_FOUND"}], "member": None}}


async def test_the_programme_of_the_past_can_be_asked_for(shop: Shop) -> None:
    await publish(shop)
    query = "query ($at: Instant) { programme(at: $at) { version } }"

    assert await shop.ask(query, {"at": "2026-06-01T11:59:59Z"}) == {"programme": {"version": 1}}
    assert await shop.ask(query, {"at": None}) == {"programme": {"version": 2}}


SUMMARY = """query ($locale: Locale!) { programme { summary(locale: $locale) {
  title sections { topic title sentences { channel text } } } } }"""


@pytest.mark.parametrize(
    ("locale", "title", "text"),
    [("EN", "Tiers", "Bronze: 10 points earned."), ("ZH", "会员等级", "Bronze：累计获得 10 积分。")],
)
async def test_everybody_reads_the_rules_in_words(shop: Shop, locale: str, title: str, text: str) -> None:
    assert (await publish(shop))["errors"] == []

    anna = await shop.enrol("anna")

    answer = await shop.ask(SUMMARY, {"locale": locale}, member=anna)

    summary = answer["programme"]["summary"]
    assert summary["title"] == "corner-shop"
    [tiers] = [section for section in summary["sections"] if section["topic"] == "TIERS"]
    assert tiers["title"] == title
    assert {"channel": None, "text": text} in tiers["sentences"]


ADVICE = """query ($from: Int) { programmeVersions { version
  warnings { code path line message } differences(from: $from) { path kind before after topic text } } }"""


CHANNELS = "query ($locale: Locale!) { programme { channels(locale: $locale) { channel name } } }"


async def test_channels_have_names_for_people_in_both_languages(shop: Shop) -> None:
    assert (await publish(shop))["errors"] == []

    english, chinese = [
        {one["channel"]: one["name"] for one in answer["programme"]["channels"]}
        for answer in [await shop.ask(CHANNELS, {"locale": locale}) for locale in ("EN", "ZH")]
    ]

    assert (english["ledger"], chinese["ledger"]) == ("Account", "账户")
    assert english.keys() == chinese.keys()


def test_each_plugin_says_what_its_channel_is_called_and_a_strangers_may_be_silent() -> None:
    called = {name: settings.called for name, settings in load_plugins().settings.items()}

    assert [name for name, both in called.items() if not all(both)] == []
    assert channel_names("zh", {**called, "store_visit": ("", "")}).items() >= {
        ("sign_in", "签到"),
        ("store_visit", "store visit"),
    }


async def test_a_refusal_is_said_in_the_language_that_is_asked_for(shop: Shop) -> None:
    document = """mutation { publishProgramme(input: {document: "[]", reason: "to see"}) {
      errors { message en: message(locale: EN) zh: message(locale: ZH) } } }"""
    (error,) = (await shop.ask(document, role=Role.OPERATOR))["publishProgramme"]["errors"]

    assert error["message"] == error["en"]
    assert error["zh"].startswith("规则有 1 处问题")


async def test_staff_is_warned_and_told_what_changes(shop: Shop) -> None:
    await publish(shop)
    await publish(shop, document=DOCUMENT.replace("at_least: 10", "at_least: 20") + "channels: {}\n")

    versions = (await shop.ask(ADVICE, {"from": 2}, role=Role.OPERATOR))["programmeVersions"]

    second, third = (next(each for each in versions if each["version"] == number) for number in (2, 3))
    assert second["differences"] == []
    assert third["differences"][0] == {
        "path": "tiers.ladder.bronze.all.0.at_least",
        "kind": "CHANGED",
        "before": "10",
        "after": "20",
        "topic": "TIERS",
        "text": "Bronze now asks for 20 points earned instead of 10 points earned.",
    }
    assert third["warnings"] == [
        {
            "code": "TIER_OUT_OF_REACH",
            "path": "tiers.ladder[bronze]",
            "line": 7,
            "message": "Nobody can reach Bronze: it asks for points earned, which no channel of the programme gives.",
        }
    ]


async def test_differences_from_no_version_are_refused(shop: Shop) -> None:
    answer = await shop.post("{ programme { differences(from: 99) { text } } }", role=Role.OPERATOR)

    assert answer["errors"][0]["extensions"]["code"] == "VERSION_NOT_FOUND"


@pytest.mark.parametrize("field", ["warnings { code }", "differences(from: 1) { text }"])
async def test_members_read_neither_warnings_nor_differences(shop: Shop, field: str) -> None:
    anna = await shop.enrol("anna")

    answer = await shop.post(f"{{ programme {{ {field} }} }}", member=anna)

    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
