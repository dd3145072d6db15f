"""Explanations through the schema: what a member is told of an order, of a sign-in, and of what gave nothing."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from graph.errors import refusals_of
from graph.laurel import tables
from graph.phrases import PHRASES, Locale
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins, load_plugins
from tests.databases import SqliteFolder
from tests.plugins.channel import freeze
from tests.plugins.orders import BEGIN, buy, document, send_back

PLUGINS: Final[Plugins] = load_plugins()
MORE: Final = """
  campaign:
    campaigns:
      - {id: spring, title: Spring, valid: {to: "2026-02-01T00:00:00+08:00"}, budget: 30,
         bonus: {groups: [{id: fifth, add: sum, rules: [{id: of, points: earned * 0.2}]}]}}
      - {id: summer, title: Summer, valid: {from: "2026-06-01T00:00:00+08:00"},
         bonus: {groups: [{id: fix, add: sum, rules: [{id: all, points: 5}]}]}}
  sign_in:
    earn: {points: {groups: [{id: base, add: sum, rules: [{id: daily, points: 5},
      {id: week, when: "(event.streak + 1) % 7 == 0", points: 50}]}]}}
"""
EXPLAIN: Final = """query ($id: ID!, $locale: Locale) {
  node(id: $id) { ... on Transaction { explanation(locale: $locale) {
  transaction { id } refusal { code } programmeVersion text
  awards { channel of unit isOpen exact rounding rounded points cuts { cap points }
    steps { group adds combines before after rules { rule verdict value when amount line facts { name value } } } }
} } } }"""
WHY_NOT: Final = """query ($member: MemberByInput!, $channel: String!, $key: String!, $locale: Locale) {
  whyNot(member: $member, channel: $channel, idempotencyKey: $key, locale: $locale) {
    transaction { id } refusal { code ... on AlreadySignedIn { day streak } } awards { points } text } }"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("explained"))


@pytest.fixture
async def shop(folder: SqliteFolder) -> AsyncIterator[Shop]:
    async with open_shop(folder.migrated(tables(PLUGINS)), document(MORE), plugins=PLUGINS, now=BEGIN) as shop:
        yield shop


async def explained(shop: Shop, transaction: str, locale: str = "EN") -> dict[str, Any]:
    found: dict[str, Any] = (await shop.ask(EXPLAIN, {"id": transaction, "locale": locale}))["node"]["explanation"]
    return found


async def test_an_order_is_explained_rule_by_rule_with_the_campaigns_that_added_to_it(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    order = await buy(shop, ann, "A1", "199.90")
    await send_back(shop, ann, "A1", "100.00")

    found = await explained(shop, order)

    own, spring, summer = found["awards"]
    assert own == {
        "channel": "purchase",
        "of": None,
        "unit": "points",
        "isOpen": True,
        "exact": "199.90",
        "rounding": "floor",
        "rounded": 199,
        "points": 199,
        "cuts": [],
        "steps": [
            {
                "group": "base",
                "adds": True,
                "combines": "sum",
                "before": "0",
                "after": "199.90",
                "rules": [
                    {
                        "rule": "spend",
                        "verdict": "APPLIED",
                        "value": "199.90",
                        "when": None,
                        "amount": "order.amount",
                        "line": None,
                        "facts": [{"name": "order.amount", "value": "199.90"}],
                    }
                ],
            }
        ],
    }
    assert (spring["of"], spring["isOpen"], spring["rounded"], spring["points"]) == ("spring", True, 39, 30)
    assert (summer["of"], summer["isOpen"], summer["points"]) == ("summer", False, 0)
    assert found["text"] == [
        "purchase.record took effect on 2026-01-05 12:00 and was judged by version 1 of the programme.",
        "purchase gave 199 points. 199.90 is rounded down to 199.",
        "base adds: 0 becomes 199.90.",
        "spend counted with 199.90.",
        "Of 39 points only 30 could be given, as no more was left of the budget. 39.8 is rounded down to 39.",
        "fifth adds: 0 becomes 39.8.",
        "of counted with 39.8.",
        "campaign.summer was not open then.",
        "199 points were earned.",
        "30 points were earned.",
    ]


async def test_a_rule_that_did_not_count_says_what_it_looked_at_in_both_languages(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    data = await shop.ask(
        'mutation ($m: ID!) { recordSignIn(input: {member: {id: $m}, idempotencyKey: "d"})'
        " { transaction { id } errors { code } } }",
        {"m": ann},
    )
    assert data["recordSignIn"]["errors"] == []
    signed_in = data["recordSignIn"]["transaction"]["id"]

    english, chinese = await explained(shop, signed_in), await explained(shop, signed_in, "ZH")

    assert english["text"][-4:] == [
        "base adds: 0 becomes 5.",
        "daily counted with 5.",
        "week did not count: (event.streak + 1) % 7 == 0 does not hold, as event.streak = 0.",
        "5 points were earned.",
    ]
    assert chinese["text"] == [
        "sign_in.record 于 2026-01-05 12:00 生效，按规则第 1 版计算。",
        "sign_in 发放 5 积分。",
        "base 累加：0 变为 5。",
        "daily 生效，值为 5。",
        "week 未生效：不满足 (event.streak + 1) % 7 == 0，因为 event.streak = 0。",
        "获得 5 积分。",
    ]


async def test_what_was_spent_names_the_lots_it_came_from(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await buy(shop, ann, "A1", "100.00")
    data = await shop.ask(
        'mutation ($m: ID!) { redeemPoints(input: {member: {id: $m}, points: 40, idempotencyKey: "r"})'
        " { transaction { id } errors { code } } }",
        {"m": ann},
    )

    found = await explained(shop, data["redeemPoints"]["transaction"]["id"])

    assert found["awards"] == []
    assert found["text"][1:] == [
        "40 points were spent.",
        "40 of what was earned on 2026-01-05, to be used before 2027-01-05.",
    ]


async def test_what_was_refused_says_why_and_who_may_not_ask_is_not_told(shop: Shop) -> None:
    ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
    for key in ("first", "again"):
        await shop.ask(
            "mutation ($m: ID!, $k: String!) { recordSignIn(input: {member: {id: $m}, idempotencyKey: $k})"
            " { errors { code } } }",
            {"m": ann, "k": key},
        )
    asked = {"member": {"id": ann}, "channel": "sign_in", "key": "again"}

    why = (await shop.ask(WHY_NOT, asked))["whyNot"]

    assert why["transaction"] is None
    assert why["refusal"] == {"code": "ALREADY_SIGNED_IN", "day": "2026-01-05", "streak": 1}
    assert why["awards"] == []
    assert len(why["text"]) == 1
    own = await shop.ask(WHY_NOT, asked, role=Role.MEMBER, member=ann)
    assert own["whyNot"] == why
    others = await shop.ask(WHY_NOT, asked, role=Role.MEMBER, member=bob)
    assert others["whyNot"] is None
    unknown = await shop.ask(WHY_NOT, asked | {"key": "never sent"})
    assert unknown["whyNot"] is None
    zh = (await shop.ask(WHY_NOT, asked | {"locale": "ZH"}))["whyNot"]["text"][0]
    assert zh.startswith("sign_in.record 于 2026-01-05 12:00 被拒绝")
    assert "streak" not in zh
    assert "signed" not in zh


async def test_an_order_of_a_frozen_member_says_so(shop: Shop) -> None:
    ann = await shop.enrol("ann")
    await freeze(shop, ann)
    await shop.ask(
        'mutation ($m: ID!) { recordPurchase(input: {member: {id: $m}, reference: "A1", idempotencyKey: "order:A1",'
        ' amount: {amount: "10.00", currency: "CNY"}}) { errors { code } } }',
        {"m": ann},
    )

    why = (await shop.ask(WHY_NOT, {"member": {"id": ann}, "channel": "purchase", "key": "order:A1"}))["whyNot"]

    assert why["refusal"]["code"] == "MEMBER_NOT_ACTIVE"


def test_every_sentence_is_said_in_both_languages_with_the_same_parts() -> None:
    for key, said in PHRASES.items():
        assert set(said) == set(Locale), key
        parts = {locale: _parts(text) for locale, text in said.items()}
        assert parts[Locale.EN] == parts[Locale.ZH], key


def test_every_refusal_of_ours_is_said_in_chinese_with_the_same_facts() -> None:
    ours = refusals_of(PLUGINS.refusals)
    facts = {kind: [_parts(kind.says), _parts(kind.says_zh)] for kind in ours}

    assert [kind.code for kind, (english, chinese) in facts.items() if not kind.says_zh or english != chinese] == []


def _parts(text: str) -> set[str]:
    return {part.partition("}")[0] for part in text.split("{")[1:]}
