"""Editing a draft in parts over the API, rolling back, and the warning where core rules change again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import SqliteFolder
from tests.graph.test_drafts import begin, codes, everything
from tests.graph.test_programme import VERSIONS

PLUGINS = load_plugins()
PROGRAMME = """# The shop on the corner
id: corner
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 12}  # a year
lists:
  core: [tea]
tiers:
  ladder:
    - {id: regular}
    - {id: gold, all: [{fact: growth_earned, at_least: 5000}]}  # the top
channels:
  purchase:
    earn:
      points:
        groups:
          - {id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}  # a point a yuan
  lottery:
    pools:
      - id: wheel
        name: Wheel
        price: 10
        prizes: [{id: mug, name: Mug, kind: goods, weight: 1}]
"""
EDIT = """mutation ($input: EditProgrammeDraftInput!) { editProgrammeDraft(input: $input) {
  draft { document revision problems { path message } }
  errors { code message path ... on EditInvalid { edit place reason } } } }"""
WARNING = """coreRuleWarning { message rules quarterEndsOn
  earlier { version rules author reason startsAt publishedAt } }"""
ROLL_BACK = f"""mutation ($input: RollBackProgrammeInput!) {{ rollBackProgramme(input: $input) {{
  programme {{ version startsAt publication {{ reason author document }} }} {WARNING}
  errors {{ code message ... on RollbackImpossible {{ version reason }} }} }} }}"""
PUBLISH = f"""mutation ($input: PublishProgrammeInput!) {{ publishProgramme(input: $input) {{
  programme {{ version }} {WARNING} errors {{ code message }} }} }}"""


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder) -> AsyncIterator[Shop]:
    url = sqlite_folder.migrated(tables(PLUGINS))
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop
    sqlite_folder.done(url)


async def edit(shop: Shop, draft: str, revision: int, *edits: dict[str, Any]) -> Any:
    input = {"draft": draft, "revision": revision, "edits": list(edits)}
    return (await shop.ask(EDIT, {"input": input}, role=Role.OPERATOR))["editProgrammeDraft"]


async def publish(shop: Shop, document: str, **input: Any) -> Any:
    asked = {"document": document, "reason": "a test"} | input
    return (await shop.ask(PUBLISH, {"input": asked}, role=Role.OPERATOR))["publishProgramme"]


async def roll_back(shop: Shop, version: int, **input: Any) -> Any:
    asked = {"version": version, "reason": "it was better"} | input
    return (await shop.ask(ROLL_BACK, {"input": asked}, role=Role.OPERATOR))["rollBackProgramme"]


async def test_what_operators_do_is_an_edit_and_comments_stay(shop: Shop) -> None:
    draft = (await begin(shop))["id"]
    week = {"from": "2026-06-08T00:00:00+08:00", "until": "2026-06-15T00:00:00+08:00"}

    done = await edit(
        shop,
        draft,
        1,
        {"putGroup": {"id": "week", "multiply": "BEST", "rules": [{"id": "tea", "factor": "2", **week}]}},
        {"putRule": {"group": "week", "rule": {"id": "core", "when": "order.category in core", "factor": "1.5"}}},
        {"changeList": {"name": "core", "add": ["milk powder"]}},
        {
            "putTier": {
                "tier": {"id": "silver", "name": "Silver", "all": [{"fact": "growth_earned", "atLeast": "1000"}]},
                "above": "regular",
            }
        },
        {"setTierKeeping": {"reviewMonths": 12, "ratio": "0.8", "graceDays": 30}},
        {"setCaps": {"order": 5000, "day": 8000}},
        {"setExpiry": {"mode": "PER_LOT", "months": 9}},
        {"setRounding": {"mode": "HALF_UP"}},
        {"setPointValue": {"value": "0.01"}},
        {"setRedemptionCost": {"atMost": "0.05"}},
        {"setValue": {"path": ["channels", "lottery", "pools", "wheel", "price"], "value": {"whole": 5}}},
        {
            "insertValue": {
                "path": ["channels", "lottery", "pools", "wheel", "prizes"],
                "value": {
                    "fields": [
                        {"key": "id", "value": {"text": "ten"}},
                        {"key": "name", "value": {"text": "Ten points"}},
                        {"key": "kind", "value": {"text": "points"}},
                        {"key": "points", "value": {"whole": 10}},
                        {"key": "weight", "value": {"whole": 9}},
                    ]
                },
            }
        },
    )

    assert done["errors"] == []
    assert done["draft"]["problems"] == []
    assert done["draft"]["revision"] == 2
    assert done["draft"]["document"] == (
        PROGRAMME.replace("months: 12}  #", "months: 9}   #", 1)
        .replace("[tea]", "[tea, milk powder]")
        .replace(
            "    - {id: regular}\n",
            "    - {id: regular}\n    - {id: silver, name: Silver, all: [{fact: growth_earned, at_least: 1000}]}\n",
        )
        .replace("  # the top\n", '  # the top\n  keep: {review: {months: 12}, ratio: "0.8", grace_days: 30}\n')
        .replace(
            "  # a point a yuan\n",
            "  # a point a yuan\n"
            "          - id: week\n"
            "            multiply: best\n"
            "            rules:\n"
            "              - id: tea\n"
            '                factor: "2"\n'
            '                valid: {from: "2026-06-07T16:00:00+00:00", to: "2026-06-14T16:00:00+00:00"}\n'
            "              - id: core\n"
            '                when: "order.category in core"\n'
            '                factor: "1.5"\n'
            "        caps: {order: 5000, day: 8000}\n",
        )
        .replace("price: 10", "price: 5")
        .replace("weight: 1}]", "weight: 1}, {id: ten, name: Ten points, kind: points, points: 10, weight: 9}]")
        + "rounding: {mode: half_up}\n"
        + 'point_value: "0.01"\n'
        + 'redemption_cost: {at_most: "0.05"}\n'
    )


@pytest.mark.parametrize(
    ("wrong", "code", "facts"),
    [
        (
            {"putRule": {"group": "bse", "rule": {"id": "x", "points": "1"}}},
            "EDIT_INVALID",
            {
                "edit": 2,
                "place": "channels.purchase.earn.points.groups",
                "reason": "no group 'bse' in channels.purchase.earn.points.groups, did you mean 'base'?",
            },
        ),
        ({"removeTier": {"tier": "gld"}}, "EDIT_INVALID", {"place": "tiers.ladder", "edit": 2}),
        ({"removeValue": {"path": ["channels", "loterry"]}}, "EDIT_INVALID", {"place": "channels", "edit": 2}),
        ({"setValue": {"path": [], "value": {"whole": 1}}}, "INVALID_VALUE", {"path": ["path"]}),
        ({"setValue": {"path": ["a"] * 21, "value": {"whole": 1}}}, "INVALID_VALUE", {"path": ["path"]}),
        ({"setValue": {"path": ["id"], "value": {"text": "a\0b"}}}, "INVALID_VALUE", {"path": ["text"]}),
        (
            {"putRule": {"group": "base", "rule": {"id": "x", "points": "1"}, "position": 0}},
            "INVALID_VALUE",
            {"path": ["position"]},
        ),
        (
            {"putRule": {"group": "base", "rule": {"id": "x", "points": "1"}, "position": 4}},
            "EDIT_INVALID",
            {"edit": 2},
        ),
    ],
)
async def test_when_one_edit_is_refused_none_is_made(
    shop: Shop, wrong: dict[str, Any], code: str, facts: dict[str, Any]
) -> None:
    draft = (await begin(shop))["id"]
    before = await everything(shop)

    refused = await edit(shop, draft, 1, {"setValue": {"path": ["name"], "value": {"text": "Corner"}}}, wrong)

    (error,) = refused["errors"]
    assert error["code"] == code
    assert {key: error[key] for key in facts} == facts
    assert await everything(shop) == before


async def test_of_somebody_elses_revision_nothing_is_edited(shop: Shop) -> None:
    draft = (await begin(shop))["id"]
    await edit(shop, draft, 1, {"setPointValue": {"value": "0.01"}})
    before = await everything(shop)

    assert codes(await edit(shop, draft, 1, {"setPointValue": {"value": "0.02"}})) == ["DRAFT_CHANGED"]
    assert codes(await edit(shop, draft, 2)) == ["INVALID_VALUE"]
    assert await everything(shop) == before


async def test_a_broken_document_is_replaced_and_not_edited(shop: Shop) -> None:
    draft = (await begin(shop, document="id: ["))["id"]

    refused = await edit(shop, draft, 1, {"setPointValue": {"value": "0.01"}})

    assert codes(refused) == ["PROGRAMME_INVALID"]
    assert "not YAML" in refused["errors"][0]["message"]


@pytest.mark.parametrize("value", ["!!timestamp x", "!!bool x", "!!int x", "!!map [a]", "a # \u2028b: c"])
async def test_what_is_not_plain_yaml_has_problems_and_is_replaced_and_not_edited(shop: Shop, value: str) -> None:
    draft = (await begin(shop, document=f"lists: {{a: [b]}}\nname: {value}\n"))["id"]

    refused = await edit(shop, draft, 1, {"setPointValue": {"value": "0.01"}})
    listed = await shop.ask(
        "{ programmeDrafts { nodes { problems { path } programme { code } } } }", role=Role.OPERATOR
    )

    assert codes(refused) == ["PROGRAMME_INVALID"]
    assert "not plain YAML" in refused["errors"][0]["message"]
    assert [node["programme"] for node in listed["programmeDrafts"]["nodes"]] == [None]


@pytest.mark.parametrize(
    ("edits", "path", "message"),
    [
        ([{"removeValue": {"path": ["lists", "core"]}}], "rules[core].when", "core"),
        ([{"removeValue": {"path": ["channels", "coupon"]}}], "coupons", "tenner"),
        ([{"removeValue": {"path": ["channels", "coupon", "coupons", "tenner"]}}], "coupons", "tenner"),
        ([{"removeTier": {"tier": "gold"}}], "points_per_unit.gold", "no tier 'gold'"),
        ([{"removeTier": {"tier": "gold"}}], "pools[wheel].tiers", "no tier 'gold'"),
        ([{"removeTier": {"tier": "gold"}}], "items[flask].tiers", "no tier 'gold'"),
        ([{"removeValue": {"path": ["units", "stamps"]}}], "earn.stamps", "unknown unit 'stamps'"),
        ([{"removeValue": {"path": ["channels", "share"]}}], "trust.velocity", "no channel 'share'"),
    ],
)
async def test_rules_that_refer_to_what_was_deleted_are_problems_of_the_draft(
    shop: Shop, edits: list[dict[str, Any]], path: str, message: str
) -> None:
    draft = await begin(shop, document=REFERRING)
    assert draft["problems"] == []

    done = await edit(shop, draft["id"], 1, *edits)

    assert [one for one in done["draft"]["problems"] if path in one["path"] and message in one["message"]] != [], done


REFERRING = """id: referring
currency: CNY
timezone: Asia/Shanghai
units: {stamps: {}}
lists: {core: [tea]}
tiers:
  ladder: [{id: regular}, {id: gold, all: [{fact: orders, at_least: 10}]}]
channels:
  purchase:
    earn:
      points:
        groups:
          - id: base
            add: sum
            rules:
              - {id: core, when: "order.category in core", points: 2}
              - {id: gold, when: "member.tier == 'gold'", points: 1}
      stamps: {groups: [{id: base, add: sum, rules: [{id: one, points: 1}]}]}
  checkout: {points_per_unit: {default: 100, gold: 90}, caps: {ratio: "0.50"}}
  coupon:
    coupons:
      - {id: tenner, name: Ten yuan off, amount: "10.00", days: 30}
      - {id: fiver, name: Five yuan off, amount: "5.00", days: 30}
  birthday: {coupons: [tenner]}
  share: {points: 10}
  rewards: {items: [{id: flask, name: Flask, kind: goods, price: 500, tiers: [gold]}]}
  lottery:
    pools:
      - {id: wheel, name: Wheel, price: 10, tiers: [gold], prizes: [{id: mug, name: Mug, kind: goods, weight: 1}]}
trust: {velocity: [{channel: share, more_than: 1, within_minutes: 10}]}
"""


# -- rolling back --------------------------------------------------------------------------------------


async def test_a_former_version_comes_back_as_the_newest(shop: Shop) -> None:
    other = PROGRAMME.replace("price: 10", "price: 20")
    await publish(shop, other)
    back = await roll_back(shop, 1)
    later = await roll_back(shop, 2, startsAt="2026-07-01T00:00:00+08:00")

    assert (back["errors"], back["programme"]["version"]) == ([], 3)
    assert back["programme"]["publication"] == {
        "reason": "it was better",
        "author": "operator:a operator",
        "document": PROGRAMME,
    }
    assert (later["errors"], later["programme"]["startsAt"]) == ([], "2026-06-30T16:00:00Z")
    assert (await shop.ask(VERSIONS))["programme"] == {"version": 3}


async def test_what_has_moved_past_a_version_stands_in_its_way(shop: Shop) -> None:
    await publish(shop, PROGRAMME.replace("currency: CNY\n", "currency: CNY\nunits: {stamps: {}}\n"))
    anna = await shop.enrol("anna")
    await shop.give(anna, 3, "stamps", unit="stamps")
    await publish(
        shop,
        PROGRAMME.replace("id: gold", "id: top").replace("currency: CNY\n", "currency: CNY\nunits: {stamps: {}}\n"),
    )
    await shop.give(anna, 6000, "growth", unit="growth")
    before = await everything(shop)

    refused = [await roll_back(shop, number) for number in (1, 2, 3, 9, -1)]
    past = await roll_back(shop, 2, startsAt="2025-01-01T00:00:00Z")
    silent = await roll_back(shop, 2, reason=" ")

    assert [codes(one) for one in refused] == [
        ["ROLLBACK_IMPOSSIBLE"],
        ["ROLLBACK_IMPOSSIBLE"],
        ["ROLLBACK_IMPOSSIBLE"],
        ["VERSION_NOT_FOUND"],
        ["VERSION_NOT_FOUND"],
    ]
    assert [one["errors"][0]["reason"] for one in refused[:3]] == [
        "it has no unit 'stamps', which 1 members hold",
        "it has no tier 'top', on which 1 members are",
        "it is the newest already",
    ]
    assert codes(past) == ["ROLLBACK_IMPOSSIBLE"]
    assert codes(silent) == ["ROLLBACK_IMPOSSIBLE"]
    assert await everything(shop) == before


async def test_where_nobody_publishes_alone_nobody_rolls_back_alone(tmp_path: Path) -> None:
    async with open_shop(tmp_path, PROGRAMME, plugins=PLUGINS, variables={"LAUREL_PUBLISH_BY_TWO": "yes"}) as shop:
        assert codes(await roll_back(shop, 1)) == ["SECOND_PERSON_NEEDED"]
        assert (await shop.ask(VERSIONS))["programme"] == {"version": 1}


# -- core rules ----------------------------------------------------------------------------------------


async def test_who_changes_core_rules_again_in_a_quarter_is_told_who_did_and_why_and_is_not_stopped(shop: Shop) -> None:
    first = await publish(shop, PROGRAMME.replace("months: 12", "months: 9"), reason="shorter lives")
    shop.clock.advance(timedelta(days=2))
    lottery = await publish(shop, PROGRAMME.replace("months: 12", "months: 9").replace("price: 10", "price: 20"))
    draft = await begin(shop)
    on_draft = f"query ($id: ID!) {{ programmeDraft(id: $id) {{ document {WARNING} }} }}"
    nothing = await shop.ask(on_draft, {"id": draft["id"]}, role=Role.ANALYST)
    await edit(shop, draft["id"], 1, {"setRounding": {"mode": "CEIL"}}, {"setExpiry": {"mode": "NEVER"}})
    warned = await shop.ask(on_draft, {"id": draft["id"]}, role=Role.ANALYST)
    again = await publish(shop, warned["programmeDraft"]["document"], reason="for ever")
    next_quarter = await publish(shop, PROGRAMME, startsAt="2026-07-01T00:00:00+08:00")

    expected = {
        "message": "core rules change again in the quarter that ends on 2026-06-30: expiry, rounding. "
        "Before, version 2 by operator:a operator (shorter lives) changed expiry",
        "rules": ["expiry", "rounding"],
        "quarterEndsOn": "2026-06-30",
        "earlier": [
            {
                "version": 2,
                "rules": ["expiry"],
                "author": "operator:a operator",
                "reason": "shorter lives",
                "startsAt": "2026-06-01T12:00:00Z",
                "publishedAt": "2026-06-01T12:00:00Z",
            }
        ],
    }
    assert (
        first["coreRuleWarning"] is lottery["coreRuleWarning"] is nothing["programmeDraft"]["coreRuleWarning"] is None
    )
    assert warned["programmeDraft"]["coreRuleWarning"] == again["coreRuleWarning"] == expected
    assert (again["errors"], again["programme"]["version"]) == ([], 4)
    assert next_quarter["coreRuleWarning"] is None


async def test_a_rule_that_ends_by_itself_is_no_core_rule(shop: Shop) -> None:
    await publish(shop, PROGRAMME.replace("months: 12", "months: 9"))
    draft = (await begin(shop))["id"]
    rule = {"id": "week", "points": "10", "from": "2026-06-08T00:00:00+08:00", "until": "2026-06-15T00:00:00+08:00"}
    on_draft = "query ($id: ID!) { programmeDraft(id: $id) { coreRuleWarning { rules } } }"

    await edit(shop, draft, 1, {"putRule": {"group": "base", "rule": rule}})
    campaign = await shop.ask(on_draft, {"id": draft}, role=Role.OPERATOR)
    await edit(shop, draft, 2, {"putRule": {"group": "base", "rule": {"id": "week", "points": "10"}}})
    lasting = await shop.ask(on_draft, {"id": draft}, role=Role.OPERATOR)

    assert campaign["programmeDraft"]["coreRuleWarning"] is None
    assert lasting["programmeDraft"]["coreRuleWarning"] == {"rules": ["channels.purchase.earn"]}
