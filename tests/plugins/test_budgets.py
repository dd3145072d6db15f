"""What all members together may earn, by any channel: never more than the budget, and nothing for latecomers."""

from typing import Any, Final

import pytest

from core.verify import verify
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
