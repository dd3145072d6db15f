"""Tags by what is predicted: up to date after each run, told, listed, and seen by no rule and no member."""

import re
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from core.books.members import ByExternalId, bucket_of
from core.engine.operations import Operation
from core.errors import ProgrammeInvalid
from core.models import PredictionRow
from core.oversight.verify import verify
from core.predictions.tagging import tag
from core.rulebook.publishing import publish
from core.scheduling.jobs import Run
from core.trust.freezing import CloseMembership
from graph.laurel import load_document, tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import Apps, SqliteFolder
from tests.graph.test_predictions import FEW, NOW, PROGRAMME, ROOT, shop_of
from tests.graph.test_statements import statements
from tests.plugins.channel import told
from tests.plugins.receiver import receiving
from tests.plugins.test_message import SECRET

PLUGINS: Final = load_plugins()
TAGS: Final = """
  tag:
    tags:
      - {id: at_risk, name: Likely gone, predicted: {likely_gone: {at_least: "0.7"}}}
      - {id: loyal, predicted: {likely_gone: {below: "0.4"}, expected_orders: {at_least: "0.5"}}}
      - {id: worth_it, predicted: {expected_value: {at_least: 20}}}
      - {id: losing, predicted: {points_likely_lost: {at_least: 1}}}
      - {id: vip}
  message:
    locale: en
    topics: {back: {}}
    messages:
      - id: come_back
        event: tag.given
        topic: back
        carriers: [webhook]
        when: "event.tag == 'at_risk'"
        texts: {en: {text: "We have something for you."}}
"""
SHOP: Final = PROGRAMME.replace("channels:\n", f"channels:{TAGS}")
LIST: Final = """
  query ($after: String) { predictions(order: EXPECTED_VALUE, first: 100, after: $after) {
    nodes { likelyGone expectedOrders expectedValue { amount } member { externalId } }
    pageInfo { hasNextPage endCursor } } }
"""
TAGGED: Final = """
  query ($tag: String!, $after: String) { members(filter: {tag: {eq: $tag}}, first: 100, after: $after) {
    nodes { externalId } pageInfo { hasNextPage endCursor } } }
"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


async def everything(shop: Shop, query: str, field: str, **variables: Any) -> list[Any]:
    nodes: list[Any] = []
    after = None
    while True:
        page = (await shop.ask(query, {**variables, "after": after}, role=Role.OPERATOR))[field]
        nodes += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes


async def listed(shop: Shop, name: str) -> set[str]:
    return {node["externalId"] for node in await everything(shop, TAGGED, "members", tag=name)}


async def tags(shop: Shop, external_id: str) -> list[str]:
    data = await shop.ask(
        "query ($by: MemberByInput!) { member(by: $by) { tags { tag source until } } }",
        {"by": {"externalId": external_id}},
        role=Role.ANALYST,
    )
    found = data["member"]["tags"]
    assert all(one["source"] == "PREDICTED" and one["until"] is None for one in found if one["tag"] != "vip")
    return [one["tag"] for one in found]


async def counted(shop: Shop) -> int:
    ((found,),) = await shop.laurel.store.reader().query("SELECT COUNT(*) FROM operation WHERE channel = 'prediction'")
    return int(found)


def run_of(shop: Shop) -> Run:
    laurel = shop.laurel
    version = laurel.programmes.at(shop.clock.now())
    return Run(
        "predict", shop.clock.now(), None, version.programme, laurel.programmes, laurel.store.reader(), laurel.committer
    )


async def set_predicted(shop: Shop, external_id: str, **figures: Any) -> None:
    ((id,),) = await shop.laurel.store.reader().query(f"SELECT id FROM member WHERE external_id = '{external_id}'")
    blank: dict[str, Any] = dict.fromkeys(("recency_days", "age_days", "average", "redemptions", "due"), 0)
    unknown: dict[str, Any] = dict.fromkeys(("repeats", "gone", "orders", "spend", "lost"), -1)
    until = (shop.clock.now() - timedelta(days=1)).date()
    await PredictionRow.filter(bucket=bucket_of(str(id)), member_id=str(id)).delete()
    await PredictionRow.create(
        **{
            "bucket": bucket_of(str(id)),
            "member_id": str(id),
            "model": 1,
            "until": until,
            **blank,
            **unknown,
            **figures,
        }
    )


async def act(shop: Shop, *operations: Operation) -> None:
    for outcome in await shop.laurel.committer.submit_many(list(operations)):
        assert not isinstance(outcome, BaseException)
        assert outcome.accepted, outcome


async def test_members_are_tagged_by_what_the_run_says_of_them(fresh_database: str, tmp_path: Path) -> None:
    async with shop_of(fresh_database, tmp_path, FEW, SHOP) as shop:
        assert await shop.laurel.jobs.run("predict") == len(FEW)

        said = await everything(shop, LIST, "predictions")
        assert len(said) == len(FEW)

        def those(*names: str, least: Any = None, most: Any = None) -> set[str]:
            return {
                one["member"]["externalId"]
                for one in said
                if (least is None or figure(one, names) >= least) and (most is None or figure(one, names) < most)
            }

        def figure(one: Any, names: Iterable[str]) -> Decimal:
            for name in names:
                one = one[name]
            return Decimal(one)

        at_risk = those("likelyGone", least=Decimal("0.7"))
        assert 0 < len(at_risk) < len(FEW)
        assert await listed(shop, "at_risk") == at_risk
        loyal = those("likelyGone", most=Decimal("0.4")) & those("expectedOrders", least=Decimal("0.5"))
        assert 0 < len(loyal) < len(FEW)
        assert await listed(shop, "loyal") == loyal
        assert await listed(shop, "worth_it") == those("expectedValue", "amount", least=20) != set()
        # Too few have redeemed: nothing is said of losses, and nobody has the tag.
        assert await listed(shop, "losing") == set()
        assert "at_risk" in await tags(shop, min(at_risk))

        changed = await counted(shop)
        assert changed == len(at_risk | loyal | those("expectedValue", "amount", least=20))
        assert await shop.laurel.jobs.run("predict") == len(FEW)
        assert await counted(shop) == changed
        assert await verify(shop.laurel.store.reader()) == []


async def test_a_tag_is_gone_when_it_is_said_no_more_and_a_message_can_follow_it(fresh_database: str) -> None:
    async with (
        receiving() as receiver,
        open_shop(
            fresh_database,
            SHOP,
            plugins=PLUGINS,
            now=NOW,
            variables={
                "LAUREL_MESSAGE_WEBHOOK_URL": receiver.url,
                "LAUREL_MESSAGE_WEBHOOK_SECRET": SECRET,
                "LAUREL_MESSAGE_WEBHOOK_PRIVATE": "yes",
            },
        ) as shop,
    ):
        await shop.laurel.deliverer.refresh()
        await shop.enrol("ann")
        await shop.enrol("bob")
        await set_predicted(shop, "ann", gone=700_000, orders=100_000, spend=1_999, lost=1)
        await set_predicted(shop, "bob", gone=699_999, orders=100_000, spend=2_000, lost=0)

        assert await tag(run_of(shop)) == 2
        assert (await tags(shop, "ann"), await tags(shop, "bob")) == (["at_risk", "losing"], ["worth_it"])
        assert await tag(run_of(shop)) == 0
        await told(shop)
        letters = [(letter["member"]["externalId"], letter["data"]["message"]) for letter in receiver.taken]
        assert letters == [("ann", "come_back")]

        # What is likely, and then withheld, and then likely again.
        await set_predicted(shop, "ann", lost=5)
        assert await tag(run_of(shop)) == 1
        assert await tags(shop, "ann") == ["losing"]
        await set_predicted(shop, "ann", gone=900_000)
        assert await tag(run_of(shop)) == 1
        assert await tags(shop, "ann") == ["at_risk"]
        # Nobody has said anything for a week.
        shop.clock.advance(timedelta(days=8))
        assert await tag(run_of(shop)) == 2
        assert await listed(shop, "at_risk") == await listed(shop, "worth_it") == set()


async def test_who_leaves_or_is_erased_has_none_at_once_and_gets_none_again(
    sqlite_folder: SqliteFolder, apps: Apps
) -> None:
    async with open_shop(sqlite_folder.migrated(apps), SHOP, plugins=PLUGINS, now=NOW) as shop:
        for name in ("ann", "bob", "eve", "kim"):
            await shop.enrol(name)
            await set_predicted(shop, name, gone=900_000)
        assert await tag(run_of(shop)) == 4

        await act(
            shop,
            CloseMembership(member=ByExternalId("ann"), idempotency_key="close", actor="the tests", reason="a test"),
        )
        why = 'reason: "a test", idempotencyKey: "one"'
        for mutation in (
            f'eraseMember(input: {{member: {{externalId: "bob"}}, {why}}})',
            f'mergeMembers(input: {{from: {{externalId: "eve"}}, into: {{externalId: "kim"}}, {why}}})',
        ):
            data = await shop.ask(f"mutation {{ it: {mutation} {{ errors {{ message }} }} }}", role=Role.OPERATOR)
            assert data["it"]["errors"] == []
        await told(shop)

        assert await listed(shop, "at_risk") == {"kim"}
        assert await tag(run_of(shop)) == 0
        assert await listed(shop, "at_risk") == {"kim"}


async def test_a_version_that_does_not_ask_takes_them_at_once(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), SHOP, plugins=PLUGINS, now=NOW) as shop:
        await shop.enrol("ann")
        await set_predicted(shop, "ann", gone=900_000, spend=5_000)
        assert await tag(run_of(shop)) == 1
        fewer = SHOP.replace(
            '      - {id: at_risk, name: Likely gone, predicted: {likely_gone: {at_least: "0.7"}}}\n', ""
        )
        shop.clock.advance(timedelta(days=1))
        await publish(fewer, author="a test", reason="fewer", load=shop.laurel.load, clock=shop.clock)
        await shop.laurel.programmes.refresh(shop.laurel.store.reader())

        assert await tags(shop, "ann") == ["worth_it"]
        await shop.laurel.jobs.run("judge")
        assert await listed(shop, "at_risk") == set()
        assert await listed(shop, "worth_it") == {"ann"}


# -- never a penalty ----------------------------------------------------------------------------------

RULE: Final = '{id: dollars, points: "order.amount"}'
GROUPS: Final = "  group: {groups: [{id: club, title: Club, when: \"'at_risk' in member.tags\"}]}\n"
WHY: Final = "nothing is given, taken, judged or priced by what is predicted, so no rule can see this tag"


@pytest.mark.parametrize(
    ("asking", "where"),
    [
        (
            SHOP.replace(RULE, '{id: dollars, when: "not \'at_risk\' in member.tags", points: "order.amount"}'),
            "channels.purchase.earn.points.groups[base].rules[dollars].when",
        ),
        (
            SHOP.replace(RULE, "{id: dollars, points: \"'at_risk' in member.tags ? 0 : order.amount\"}"),
            "channels.purchase.earn.points.groups[base].rules[dollars].points",
        ),
        (
            SHOP.replace(
                RULE, '{id: dollars, when: "any([t in risky for t in member.tags])", points: "order.amount"}'
            ).replace("channels:", "lists: {risky: [at_risk, other]}\nchannels:"),
            "channels.purchase.earn.points.groups[base].rules[dollars].when",
        ),
        (SHOP.replace("channels:\n", f"channels:\n{GROUPS}"), "channels.group.groups[club].when"),
    ],
)
def test_a_rule_that_asks_for_one_is_not_published(asking: str, where: str) -> None:
    assert asking != SHOP
    with pytest.raises(ProgrammeInvalid) as refused:
        load_document(PLUGINS, asking)

    (problem,) = refused.value.problems
    assert problem.path == "channels.tag.tags[at_risk].predicted"
    assert problem.message == f"{where} asks for 'at_risk': {WHY}"


async def test_rules_do_not_see_them_whatever_they_ask(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    by_length = SHOP.replace(RULE, '{id: dollars, when: "member.tags.length == 0", points: "order.amount"}')
    async with open_shop(sqlite_folder.migrated(apps), by_length, plugins=PLUGINS, now=NOW) as shop:
        ann = await shop.enrol("ann")
        await set_predicted(shop, "ann", gone=900_000)
        assert await tag(run_of(shop)) == 1
        await buy_for(shop, ann, "10.00")
        data = await shop.ask("query ($id: ID!) { member(by: {id: $id}) { points { available } } }", {"id": ann})
        assert data["member"]["points"]["available"] == 10


async def test_whether_a_group_can_be_joined_does_not_depend_on_one(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    alone = '  group: {groups: [{id: club, title: Club, when: "member.tags.length == 0"}]}\n'
    asked = SHOP.replace("channels:\n", f"channels:\n{alone}")
    async with open_shop(sqlite_folder.migrated(apps), asked, plugins=PLUGINS, now=NOW) as shop:
        ann = await shop.enrol("ann")
        await set_predicted(shop, "ann", gone=900_000)
        assert await tag(run_of(shop)) == 1

        groups = "query ($id: ID!) { member(by: {id: $id}) { groups { mayJoin } } }"
        assert (await shop.ask(groups, {"id": ann}, member=ann))["member"]["groups"] == [{"mayJoin": True}]


async def test_staff_are_told_whom_to_write_to_of_what_and_why(fresh_database: str) -> None:
    query = """{ predictions { nodes {
      member { externalId } suggestedAction { kind reason zh: reason(locale: ZH) offer { kind subject title } }
    } } }"""
    async with open_shop(fresh_database, SHOP, plugins=PLUGINS, now=NOW) as shop:
        for name in ("ann", "bob", "eve", "kim", "lea"):
            await buy_for(shop, await shop.enrol(name), "30.00")
        shop.clock.advance(timedelta(days=300))
        until = (shop.clock.now() - timedelta(days=1)).date()
        await set_predicted(shop, "ann", gone=950_000, repeats=3, due=30, lost=24)
        await set_predicted(shop, "bob", gone=919_999, repeats=2, age_days=90, recency_days=80, lost=0, due=30)
        await set_predicted(shop, "eve", gone=499_999, repeats=0, lost=0)
        await set_predicted(shop, "kim", gone=500_000, repeats=0, age_days=40)
        await set_predicted(shop, "lea", gone=990_000, lost=24, due=30)
        await act(
            shop,
            CloseMembership(member=ByExternalId("lea"), idempotency_key="close", actor="the tests", reason="a test"),
        )

        nodes = (await shop.ask(query, role=Role.ANALYST))["predictions"]["nodes"]

        offer = {"kind": "SPEND", "subject": "sticker", "title": "A sticker"}
        due, last = until + timedelta(days=91), until - timedelta(days=10)
        alone = until - timedelta(days=40)
        assert {node["member"]["externalId"]: node["suggestedAction"] for node in nodes} == {
            "ann": {
                "kind": "REMIND_OF_POINTS",
                "reason": f"24 of the 30 points that expire until {due} are likely to be lost.",
                "zh": f"{due} 前到期的 30 积分中，预计有 24 积分将失效。",
                "offer": offer,
            },
            "bob": {
                "kind": "WIN_BACK",
                "reason": f"Gone with a likelihood of 91 %; ordered on 3 days, last on {last}.",
                "zh": f"流失的可能性为 91%；共有 3 天下单，最近一次为 {last}。",
                "offer": offer,
            },
            "eve": None,
            "kim": {
                "kind": "WIN_BACK",
                "reason": f"Gone with a likelihood of 50 %; ordered on one day, {alone}.",
                "zh": f"流失的可能性为 50%；共有 1 天下单，最近一次为 {alone}。",
                "offer": offer,
            },
            "lea": None,
        }


async def test_a_page_of_suggested_actions_costs_a_fixed_number_of_statements(
    sqlite_folder: SqliteFolder, apps: Apps
) -> None:
    query = """query ($first: Int!) { predictions(first: $first) { nodes {
      suggestedAction { kind offer { subject } } } } }"""
    async with open_shop(sqlite_folder.migrated(apps), SHOP, plugins=PLUGINS, now=NOW) as shop:
        for number in range(10):
            await buy_for(shop, await shop.enrol(f"m{number}"), "30.00")
            await set_predicted(shop, f"m{number}", gone=900_000, repeats=0)
        counted = []
        for first in (1, 10):
            async with statements() as seen:
                data = await shop.ask(query, {"first": first}, role=Role.ANALYST)
            assert len(data["predictions"]["nodes"]) == first
            counted.append(len(seen))

    assert counted[0] == counted[1] <= 10


async def buy_for(shop: Shop, member: str, amount: str) -> None:
    order = {
        "member": {"id": member},
        "amount": {"amount": amount, "currency": "USD"},
        "reference": f"A1/{member}",
        "idempotencyKey": "order:A1",
    }
    data = await shop.ask(
        "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { message } } }",
        {"input": order},
    )
    assert data["recordPurchase"]["errors"] == []


async def test_nobody_gives_one_by_hand(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), SHOP, plugins=PLUGINS, now=NOW) as shop:
        await shop.enrol("ann")
        given = (
            'mutation { tagMember(input: {member: {externalId: "ann"}, tag: "at_risk", reason: "I think so",'
            ' idempotencyKey: "one"}) { errors { code'
            " ... on TagIsPredicted { tag } } } }"
        )
        errors = (await shop.ask(given, role=Role.OPERATOR))["tagMember"]["errors"]
        assert errors == [{"code": "TAG_IS_PREDICTED", "tag": "at_risk"}]
        assert await tags(shop, "ann") == []


async def test_the_member_learns_nothing_of_it(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    query = """query ($id: ID!) { member(by: {id: $id}) {
      transactions { totalCount nodes { id channel kind } } } }"""
    async with open_shop(sqlite_folder.migrated(apps), SHOP, plugins=PLUGINS, now=NOW) as shop:
        ann = await shop.enrol("ann")
        await set_predicted(shop, "ann", gone=900_000)
        before = await shop.post(query, {"id": ann}, member=ann)
        assert await tag(run_of(shop)) == 1

        assert await shop.post(query, {"id": ann}, member=ann) == before
        staff = await shop.ask(query, {"id": ann}, role=Role.OPERATOR)
        (done,) = [one for one in staff["member"]["transactions"]["nodes"] if one["channel"] == "prediction"]
        node = "query ($id: ID!) { node(id: $id) { id } }"
        assert (await shop.post(node, {"id": done["id"]}, member=ann))["data"]["node"] is None
        assert (await shop.ask(node, {"id": done["id"]}, role=Role.OPERATOR))["node"] == {"id": done["id"]}


async def test_a_member_learns_nothing_of_a_message_about_a_tag_that_was_not_sent(fresh_database: str) -> None:
    recent = "query ($id: ID!) { member(by: {id: $id}) { messages { recent { nodes { message event state } } } } }"
    hello = "{id: hello, event: member.enrolled, topic: back, carriers: [webhook], texts: {en: {text: Hello}}}"
    programme = SHOP.replace("    messages:\n", f"    messages:\n      - {hello}\n")
    async with open_shop(fresh_database, programme, plugins=PLUGINS, now=NOW) as shop:
        await shop.laurel.deliverer.refresh()
        ann = await shop.enrol("ann")
        declined = 'input: {member: {externalId: "ann"}, carriers: [{carrier: "webhook", wanted: false}], '
        data = await shop.ask(
            f'mutation {{ updateMessagePreferences({declined} idempotencyKey: "one"}}) {{ errors {{ message }} }} }}'
        )
        assert data["updateMessagePreferences"]["errors"] == []
        await set_predicted(shop, "ann", gone=900_000)
        assert await tag(run_of(shop)) == 1
        await told(shop)

        staff = (await shop.ask(recent, {"id": ann}, role=Role.OPERATOR))["member"]["messages"]["recent"]["nodes"]
        own = (await shop.ask(recent, {"id": ann}, member=ann))["member"]["messages"]["recent"]["nodes"]

        assert staff[0] == {"message": "come_back", "event": "tag.given", "state": "SKIPPED"}
        assert [one["message"] for one in own] == ["hello"]
        assert own == staff[1:]


@pytest.mark.parametrize(
    ("predicted", "said"),
    [
        ("{}", "asks for one at least of likely_gone, expected_orders, expected_value, points_likely_lost"),
        ("{likely_gone: {}}", "needs at_least, or below, or both"),
        ("{likely_gone: {at_least: 0.7}}", "must be quoted"),
        ('{likely_gone: {at_least: "1.5"}}', "likely_gone lies between 0 and 1"),
        ('{likely_gone: {at_least: "0.7", below: "0.7"}}', "nothing is both at_least and below that"),
        ("{expected_orders: {at_least: 0}}", "holds for nobody, or for everybody"),
        ("{likly_gone: {at_least: 1}}", "unknown key 'likly_gone'"),
        ("{likely_gone: {at_least: 1}}, all: [{fact: orders, at_least: 1}]", "has criteria, or what is predicted"),
    ],
)
def test_what_cannot_be_meant_is_not_published(predicted: str, said: str) -> None:
    asked = SHOP.replace(
        '{id: at_risk, name: Likely gone, predicted: {likely_gone: {at_least: "0.7"}}}',
        f"{{id: at_risk, predicted: {predicted}}}",
    )
    with pytest.raises(ProgrammeInvalid) as refused:
        load_document(PLUGINS, asked)

    assert [problem for problem in refused.value.problems if said in problem.message], refused.value.summary


def test_a_stage_of_life_cannot_have_the_name_of_one() -> None:
    stages = "  life_cycle: {stages: [{id: at_risk, all: [{fact: orders, at_least: 1}]}, {id: fresh}]}\n"
    with pytest.raises(ProgrammeInvalid, match="life_cycle gives a tag of that name too"):
        load_document(PLUGINS, SHOP.replace("channels:\n", f"channels:\n{stages}"))


def test_tags_reach_rules_through_one_door_that_holds_back_what_is_predicted() -> None:
    knowing = (
        "core/books/members.py",
        "core/channels/tags.py",
        "core/store/tables.py",
        "core/models.py",
        "plugins/tag/",
    )
    for room in ("core", "plugins"):
        for module in (ROOT / room).rglob("*.py"):
            name = str(module.relative_to(ROOT))
            if not name.startswith((*knowing, "core/migrations/", "core/predictions/tagging.py")):
                text = module.read_text(encoding="utf-8")
                assert not re.search(r"\bMemberTag(Row)?\b|(FROM|JOIN) member_tag", text), module
