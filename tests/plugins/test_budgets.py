"""What all members together may earn, by any channel: never more than the budget, and nothing for latecomers."""

import asyncio
from datetime import timedelta
from typing import Any, Final

import orjson
import pytest

from core.oversight.verify import verify
from core.rulebook.publishing import publish
from graph.laurel import tables
from graph.testing import Shop
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import Apps, SqliteFolder
from tests.plugins.orders import balance, buy, document, of_member, send_back, shop_at, told

PLUGINS: Final = load_plugins()
TIERS: Final = (
    "tiers: {ladder: [{id: regular}, {id: silver, all: [{fact: orders, at_least: 1}]}]}\n"
    "expiry: {mode: never}"
)  # fmt: skip


def earning(points: int) -> str:
    rules = f"groups: [{{id: base, add: sum, rules: [{{id: each, points: {points}}}]}}]"
    return f"{{earn: {{points: {{caps: {{programme: {{BUDGET}}}}, {rules}}}}}}}"


SECTIONS: Final = {
    "purchase": earning(10),
    "sign_in": earning(10),
    "review": earning(10),
    "share": "{points: 10, budget: {BUDGET}}",
    "profile": "{sections: {phone: 10}, budget: {BUDGET}}",
    "quest": "{quests: [{id: buy, title: Buy, count: {orders: 1}, points: 10, budget: {BUDGET}}]}",
    "birthday": "{points: 10, within: month, budget: {BUDGET}}",
    "welcome": "{pack: {points: 10}, budget: {BUDGET}}",
    "win_back": "{points: 10, dormant_days: 2, budget: {BUDGET}}",
    "tier_gift": "{gifts: {silver: {pack: {points: 10}, budget: {BUDGET}}}}",
}


def programme(channel: str, budget: str) -> str:
    """A shop with that channel alone; orders bring nothing unless they are it."""
    silent = "{groups: [{id: none, add: sum, rules: [{id: none, points: 0}]}]}"
    sections = {"purchase": f"{{earn: {{points: {silent}}}}}", channel: SECTIONS[channel].replace("BUDGET", budget)}
    channels = "\n".join(f"  {name}: {section}" for name, section in sections.items())
    return f"id: shop\ncurrency: CNY\ntimezone: Asia/Shanghai\n{TIERS}\nchannels:\n{channels}\n"


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


async def ask(shop: Shop, name: str, *, role: Role = Role.SERVICE, **asked: Any) -> dict[str, Any]:
    query = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ errors {{ code }} }} }}"
    given = {"idempotencyKey": f"{name} {shop.clock.now()}", **asked}
    payload: dict[str, Any] = (await shop.ask(query, {"input": given}, role=role))[name]
    assert payload["errors"] == []
    return payload


async def earn(shop: Shop, channel: str, name: str) -> str:
    """Enrol a member, and let them do what the channel rewards."""
    enrol = "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { member { id } } }"
    joined = {"externalId": name, "birthday": "1990-01-20", "idempotencyKey": name}
    data = await shop.ask(enrol, {"input": joined})
    member: str = data["enrolMember"]["member"]["id"]
    by: dict[str, Any] = {"member": {"id": member}}
    match channel:
        case "purchase" | "quest" | "tier_gift":
            await buy(shop, member, f"order of {name}", "30.00")
        case "sign_in":
            await ask(shop, "recordSignIn", **by)
        case "share":
            await ask(shop, "recordShare", item="tea", **by)
        case "profile":
            await ask(shop, "completeProfileSection", section="phone", **by)
        case "birthday":
            await ask(shop, "claimBirthdayGift", **by)
        case "review":
            content = {"rating": 5, "length": 30, "pictures": 0}
            await ask(
                shop, "submitReview", reference=name, order=f"order of {name}", product="tea", content=content, **by
            )
            node = await of_member(shop, member, "reviews { nodes { id } }")
            await ask(shop, "approveReview", role=Role.OPERATOR, review=node["reviews"]["nodes"][0]["id"])
    return member


@pytest.mark.parametrize("channel", sorted(SECTIONS.keys() - {"win_back"}))
async def test_all_members_together_get_no_more_than_the_budget_of_a_day(
    sqlite_folder: SqliteFolder, apps: Apps, channel: str
) -> None:
    async with shop_at(sqlite_folder.migrated(apps), programme(channel, "day: 15, month: 25"), PLUGINS) as shop:
        members = [await earn(shop, channel, name) for name in ("ann", "bob", "cid")]
        assert [await balance(shop, member) for member in members] == [10, 5, 0]

        shop.clock.set(shop.clock.now().replace(day=6))
        later = [await earn(shop, channel, name) for name in ("dan", "eve")]

        assert [await balance(shop, member) for member in later] == [10, 0]
        assert await verify(shop.laurel.store.reader()) == []


BUDGETS: Final = "{ budgets { name channel unit period since limit used left alarmAt stops status } }"
WATCHED: Final = ("budget.low", "budget.exhausted")


async def alarms(shop: Shop) -> list[tuple[str, str, str, int, int]]:
    """What was told of budgets, in order: the event, the budget, the period, what was used and of how much."""
    rows = await shop.laurel.store.reader().query("SELECT result FROM operation WHERE accepted ORDER BY id")
    told = [event for (result,) in rows for event in orjson.loads(result).get("events", ())]
    return [
        (event["name"], event["budget"], event["period"], event["used"], event["limit"])
        for event in told
        if event["name"] in WATCHED
    ]


@pytest.mark.parametrize("channel", sorted(SECTIONS.keys() - {"win_back"}))
async def test_what_is_left_of_a_budget_can_be_asked_and_its_end_is_told_once(
    sqlite_folder: SqliteFolder, apps: Apps, channel: str
) -> None:
    budget = "day: 15, month: 25, alarm_at: 60"
    async with shop_at(sqlite_folder.migrated(apps), programme(channel, budget), PLUGINS) as shop:
        for name in ("ann", "bob", "cid"):
            await earn(shop, channel, name)
        day, month = (await shop.ask(BUDGETS, role=Role.ANALYST))["budgets"]
        first = await alarms(shop)
        shop.clock.set(shop.clock.now().replace(day=6))
        for name in ("dan", "eve"):
            await earn(shop, channel, name)
        tomorrow, _ = (await shop.ask(BUDGETS, role=Role.OPERATOR))["budgets"]

        name = day["name"]
        assert name.startswith(channel)
        same = {"name": name, "channel": channel, "unit": "points", "alarmAt": 60, "stops": True}
        assert day == {
            **same, "period": "DAY", "since": "2026-01-05", "limit": 15, "used": 15, "left": 0, "status": "EXHAUSTED",
        }  # fmt: skip
        assert month == {
            **same, "period": "MONTH", "since": "2026-01-01", "limit": 25, "used": 15, "left": 10, "status": "LOW",
        }  # fmt: skip
        assert (tomorrow["since"], tomorrow["used"], tomorrow["status"]) == ("2026-01-06", 10, "LOW")
        assert first == [
            ("budget.low", name, "2026-01-05", 10, 15),
            ("budget.exhausted", name, "2026-01-05", 15, 15),
            ("budget.low", name, "2026-01", 15, 25),
        ]
        assert (await alarms(shop))[3:] == [
            ("budget.low", name, "2026-01-06", 10, 15),
            ("budget.exhausted", name, "2026-01", 25, 25),
        ]


@pytest.mark.parametrize("channel", ["purchase", "sign_in", "share", "welcome"])
async def test_a_budget_that_does_not_stop_is_counted_and_told_of_and_no_more(
    sqlite_folder: SqliteFolder, apps: Apps, channel: str
) -> None:
    budget = "lifetime: 15, stops: false"
    async with shop_at(sqlite_folder.migrated(apps), programme(channel, budget), PLUGINS) as shop:
        members = [await earn(shop, channel, name) for name in ("ann", "bob", "cid")]
        (left,) = (await shop.ask(BUDGETS, role=Role.OPERATOR))["budgets"]

        assert [await balance(shop, member) for member in members] == [10, 10, 10]
        assert (left["used"], left["left"], left["stops"], left["status"]) == (30, 0, False, "EXHAUSTED")
        assert await alarms(shop) == [
            ("budget.low", f"{channel}:points", "lifetime", 20, 15),
            ("budget.exhausted", f"{channel}:points", "lifetime", 20, 15),
        ]


async def test_another_limit_is_told_of_again_and_one_below_what_was_given_at_once(
    sqlite_folder: SqliteFolder, apps: Apps
) -> None:
    async with shop_at(sqlite_folder.migrated(apps), programme("purchase", "lifetime: 12"), PLUGINS) as shop:
        for number, limit in enumerate((12, 100, 10, 10)):
            shop.clock.advance(timedelta(days=1))
            changed = programme("purchase", f"lifetime: {limit}")
            await publish(changed, author="a test", reason="another limit", load=shop.laurel.load, clock=shop.clock)
            await earn(shop, "purchase", f"m{number}")

        name = "purchase:points"
        assert await alarms(shop) == [
            ("budget.low", name, "lifetime", 10, 12),
            ("budget.low", name, "lifetime", 20, 10),
            ("budget.exhausted", name, "lifetime", 20, 10),
        ]


async def test_a_campaign_has_a_budget_that_refunds_give_back_to(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    rules = "groups: [{id: bonus, add: sum, rules: [{id: each, points: 10}]}]"
    campaign = f"{{id: sale, title: Sale, budget: 20, alarm_at: 50, bonus: {{{rules}}}}}"
    async with shop_at(
        sqlite_folder.migrated(apps), document(f"  campaign: {{campaigns: [{campaign}]}}"), PLUGINS
    ) as shop:
        ann = await shop.enrol("ann")
        seen = []
        for step in ("A1", "A2", "back", "A3"):
            if step == "back":
                await send_back(shop, ann, "A2")
            else:
                await buy(shop, ann, step, "30.00")
            (budget,) = (await shop.ask(BUDGETS, role=Role.OPERATOR))["budgets"]
            seen.append((budget["used"], budget["left"], budget["status"]))

        assert seen == [(10, 10, "LOW"), (20, 0, "EXHAUSTED"), (10, 10, "LOW"), (20, 0, "EXHAUSTED")]
        assert (budget["name"], budget["channel"], budget["period"]) == ("campaign:sale", "campaign", "LIFETIME")
        assert await alarms(shop) == [
            ("budget.low", "campaign:sale", "lifetime", 10, 20),
            ("budget.exhausted", "campaign:sale", "lifetime", 20, 20),
        ]


async def test_however_many_want_the_last_points_the_end_is_told_once(fresh_database: str) -> None:
    budget = programme("purchase", "day: 155, lifetime: 155")
    async with shop_at(fresh_database, budget, PLUGINS) as shop:
        members = [await shop.enrol(f"m{number}") for number in range(40)]
        await asyncio.gather(*(buy(shop, member, f"order of {member}", "30.00") for member in members))

        assert sum([await balance(shop, member) for member in members]) == 155
        assert sorted((name, period) for name, _, period, _, _ in await alarms(shop)) == [
            ("budget.exhausted", "2026-01-05"),
            ("budget.exhausted", "lifetime"),
            ("budget.low", "2026-01-05"),
            ("budget.low", "lifetime"),
        ]
        assert await verify(shop.laurel.store.reader()) == []


async def test_who_comes_back_too_late_for_the_budget_finds_nothing(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with shop_at(sqlite_folder.migrated(apps), programme("win_back", "lifetime: 15"), PLUGINS) as shop:
        members = [await shop.enrol(name) for name in ("ann", "bob", "cid")]
        shop.clock.set(shop.clock.now().replace(day=20))
        for member in members:
            await buy(shop, member, f"order of {member}", "30.00")

        assert [await balance(shop, member) for member in members] == [10, 5, 0]


async def test_inviters_and_friends_share_a_budget(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    section = "  referral: {inviter: 10, invitee: 10, budget: {lifetime: 15}}"
    silent = document(section).replace("points: order.amount", "points: 0")
    async with shop_at(sqlite_folder.migrated(apps), silent, PLUGINS) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        issue = "mutation ($input: IssueReferralCodeInput!) { issueReferralCode(input: $input) { referralCode } }"
        issued = await shop.ask(issue, {"input": {"member": {"id": ann}, "idempotencyKey": "code"}})
        code = issued["issueReferralCode"]["referralCode"]
        await ask(shop, "acceptReferral", member={"id": bob}, code=code)

        await buy(shop, bob, "B1", "30.00")
        await told(shop)
        assert (await balance(shop, ann), await balance(shop, bob)) == (5, 10)

        await send_back(shop, bob, "B1")
        await told(shop)
        assert (await balance(shop, ann), await balance(shop, bob)) == (0, 0)


async def test_a_refund_makes_no_new_room_and_the_trace_says_what_the_budget_took(
    sqlite_folder: SqliteFolder, apps: Apps
) -> None:
    budget = document("").replace("{groups: [{id: base", "{caps: {programme: {lifetime: 150}}, groups: [{id: base")
    async with shop_at(sqlite_folder.migrated(apps), budget, PLUGINS) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        await buy(shop, ann, "A1", "100.00")
        transaction = await buy(shop, bob, "B1", "100.00")
        shown = await shop.ask(
            "query ($id: ID!) { node(id: $id) { ... on Transaction {"
            " ... on Transaction { trace { unit group rules { rule value } total } } } } }",
            {"id": transaction},
        )
        steps = [step for step in shown["node"]["trace"] if step["group"] == "caps"]
        assert steps == [
            {"unit": "points", "group": "caps", "rules": [{"rule": "programme", "value": "50"}], "total": "50"}
        ]

        # Half of the order is worth what its room held; the rest of it is worth nothing more.
        await send_back(shop, bob, "B1", "50.00")
        assert await balance(shop, bob) == 50
        await send_back(shop, bob, "B1", "40.00")
        assert await balance(shop, bob) == 10
        await send_back(shop, ann, "A1")
        await buy(shop, ann, "A2", "100.00")

        assert await balance(shop, ann) == 0
