"""The public page of rules: its languages, its headers, and that nobody's text becomes markup."""

from datetime import timedelta
from typing import Any

import pytest

from graph.testing import Shop
from graph.tokens import Role

DOCUMENT = """id: corner-shop
name: "<b>Corner</b> & shop"
currency: CNY
timezone: Asia/Shanghai
tiers:
  ladder:
    - {id: regular}
    - {id: gold, name: "<script>alert(1)</script>", all: [{fact: points_earned, at_least: 10}]}
"""


async def publish(shop: Shop, document: str = DOCUMENT) -> None:
    payload = await shop.ask(
        "mutation ($input: PublishProgrammeInput!) { publishProgramme(input: $input) { errors { message } } }",
        {"input": {"document": document, "reason": "rules to read"}},
        role=Role.OPERATOR,
    )
    assert payload["publishProgramme"]["errors"] == []


async def read(shop: Shop, query: str = "", **headers: str) -> Any:
    return await shop.client.get(f"/rules{query}", headers={"Accept-Language": "", **headers})


async def test_everybody_reads_the_rules_without_a_token_and_without_a_script(shop: Shop) -> None:
    answer = await read(shop)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<h2 id="tiers-title">Tiers</h2>' in answer.text
    assert "<script" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["vary"].split(", ")[0] == "Accept-Language"


async def test_no_text_of_the_document_becomes_markup(shop: Shop) -> None:
    await publish(shop)

    answer = await read(shop)

    assert "The rules of &lt;b&gt;Corner&lt;/b&gt; &amp; shop" in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;: 10 points earned." in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("", "en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("", "fr, zh;q=0.5, en;q=0.9", "en"),
        ("", "fr", "en"),
        ("", "zh;q=0", "en"),
        ("", "zh;q=much, ,;;", "en"),
        ("?locale=zh", "en", "zh-Hans"),
        ("?locale=zh_CN", "en", "zh-Hans"),
        ("?locale=EN", "zh", "en"),
        ("?locale=xx", "zh", "zh-Hans"),
        ("?locale=" + "z" * 5_000, "", "en"),
    ],
)
async def test_the_language_is_what_was_asked_for_or_what_is_understood(
    shop: Shop, query: str, accepted: str, language: str
) -> None:
    answer = await read(shop, query, **{"Accept-Language": accepted})

    assert answer.status_code == 200
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}">' in answer.text


async def test_what_is_unchanged_is_not_sent_again_and_a_new_version_is(shop: Shop) -> None:
    first = await read(shop)
    again = await read(shop, **{"If-None-Match": first.headers["etag"]})
    shop.clock.advance(timedelta(minutes=1))
    await publish(shop)
    changed = await read(shop, **{"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
