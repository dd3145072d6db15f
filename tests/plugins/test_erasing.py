"""A member who is erased: nothing personal is left in any table, and everything else is as it was."""

from collections.abc import AsyncIterator
from datetime import date
from importlib import import_module
from typing import Any, Final

import pytest
from tortoise.fields import TextField
from tortoise.models import Model

from core.books.members import ByExternalId, ById
from core.channels.corrections import AdjustPoints
from core.engine.operations import Operation, Outcome
from core.errors import MemberNotFound
from core.oversight.verify import verify
from core.people.disclosing import disclose
from core.people.membership import EnrolMember
from core.people.merging import MergeMember
from core.store.fields import JsonField
from graph.ids import read_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.birthday.operations import GiveBirthdayGift
from plugins.gift.operations import GivePoints
from plugins.manager import Plugins, load_plugins
from plugins.message.operations import UpdateMessagePreferences
from plugins.referral.operations import IssueReferralCode
from plugins.review.operations import RejectReview, SubmitReview
from plugins.rewards.operations import FulfilReward, RedeemReward
from plugins.ticket.operations import AnswerTicket, OpenTicket
from tests.databases import Apps
from tests.plugins.channel import told

PROGRAMME: Final = """
id: counter
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 12}
channels:
  purchase:
    earn:
      points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}
  gift: {least: 1}
  ticket: {due_hours: 48, open: 2, reopen_days: 7, compensation_max: 500}
  rewards: {items: [{id: flask, name: Flask, kind: goods, price: 10}]}
  review: {earn: {points: {groups: [{id: base, add: sum, rules: [{id: any, points: "5"}]}]}}}
  birthday: {points: 7}
  referral: {inviter: 80, invitee: 80}
  message: {locale: en, topics: {news: {kind: marketing}}}
"""
NAME: Final = "anna@example.com"
BUY: Final = """mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { code message } } }"""
ERASE: Final = """mutation ($input: EraseMemberInput!) { eraseMember(input: $input) {
  forfeited member { externalId status birthday attributes { name } erasedAt } transaction { kind channel }
  errors { code ... on MemberErased { erasedAt } ... on MemberNotFound { member } ... on InvalidValue { field } } } }"""
PERSONAL: Final = (
    NAME,
    "1990-06-01",
    "vegetarian",
    "Elm Street",
    "my dear",
    "my neighbour",
    "Europe/Paris",
    "a horrid word",
    "Dear Anna",
)


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture(scope="module")
def apps(plugins: Plugins) -> Apps:
    return tables(plugins)


@pytest.fixture
async def counter(fresh_database: str, plugins: Plugins) -> AsyncIterator[Shop]:
    """A shop with every channel that keeps something of who its members are, on every database."""
    async with open_shop(fresh_database, PROGRAMME, plugins=plugins) as shop:
        yield shop


async def do(shop: Shop, kind: type[Operation], member: str, key: str, **request: Any) -> Outcome:
    """Do something, as the member or as an operator."""
    actor = "operator:eve" if kind in {AnswerTicket, FulfilReward, RejectReview} else f"member:{member}"
    outcome = await shop.laurel.committer.submit(
        kind(member=ByExternalId(member), idempotency_key=key, actor=actor, **request)
    )
    assert outcome.accepted, outcome.refusal
    return outcome


async def erase(shop: Shop, member: dict[str, str], key: str = "erase", reason: str = "as they asked") -> Any:
    given = {"member": member, "idempotencyKey": key, "reason": reason}
    return (await shop.ask(ERASE, {"input": given}, role=Role.OPERATOR))["eraseMember"]


async def everything(shop: Shop) -> dict[str, str]:
    """All that stands in the database, a text a table."""
    reader = shop.laurel.store.reader()
    names = [model._meta.db_table for app in shop.laurel.plugins.tables.values() for model in _models(app.models)]
    names += [model._meta.db_table for model in _models(("core.models",))]
    return {name: "\n".join(map(str, await reader.query(f"SELECT * FROM {name}"))) for name in names}


def _models(modules: Any) -> list[Any]:
    found = [value for module in modules for value in vars(import_module(module)).values()]
    return [value for value in found if isinstance(value, type) and issubclass(value, Model) and value is not Model]


async def live(shop: Shop) -> None:
    """Let Anna leave a trace in every channel that keeps one."""
    profile = {"birthday": date(1990, 6, 1), "attributes": {"food": "vegetarian", "tags": ["vegetarian"]}}
    await do(shop, EnrolMember, NAME, f"enrol:{NAME}", **profile)
    await do(shop, EnrolMember, "bert", "enrol:bert")
    for member in (NAME, "bert"):
        await do(shop, AdjustPoints, member, "gift", points=500, reason=f"for {member}, my neighbour")
    await do(shop, GiveBirthdayGift, NAME, "birthday")
    paid = {"amount": "12.00", "currency": "CNY"}
    order = {"member": {"externalId": NAME}, "reference": "A1", "amount": paid, "idempotencyKey": "A1"}
    bought = (await shop.ask(BUY, {"input": order}))["recordPurchase"]
    assert bought["errors"] == []
    await do(shop, GivePoints, NAME, "g1", to="bert", points=10, message="my dear")
    await do(shop, GivePoints, "bert", "g2", to=NAME, points=20, message="thanks")
    order_id = (await do(shop, RedeemReward, NAME, "r1", reward="flask")).recorded
    assert order_id
    await do(shop, FulfilReward, NAME, "r2", order=order_id.id, note="to 7 Elm Street")
    review = (
        await do(shop, SubmitReview, NAME, "v1", reference="V1", order="A1", rating=1, length=20, pictures=0)
    ).recorded
    assert review
    await do(shop, RejectReview, NAME, "v2", review=review.id, reason="a horrid word in it")
    ticket = (await do(shop, OpenTicket, NAME, "t1", subject="Elm Street", text="I live in Elm Street")).recorded
    assert ticket
    await do(shop, AnswerTicket, NAME, "t2", ticket=ticket.id, text="Dear Anna, so what?", compensation=5)
    await do(shop, IssueReferralCode, NAME, "c1")
    await do(shop, UpdateMessagePreferences, NAME, "p1", addresses={"smtp": NAME}, timezone="Europe/Paris")
    await told(shop)


async def test_nothing_personal_is_left_and_the_books_balance(counter: Shop) -> None:
    await live(counter)
    before = await everything(counter)
    assert [word for word in PERSONAL if not any(word in text for text in before.values())] == []
    ((transactions, entries),) = await counter.laurel.store.reader().query(
        "SELECT (SELECT COUNT(*) FROM operation), (SELECT COUNT(*) FROM entry)"
    )

    modules = [import_module(module) for of in tables(counter.laurel.plugins).values() for module in of.models]
    known = await disclose(counter.laurel.store.reader(), NAME, modules)
    # Who asks is told of every table that knows them.
    assert {"member", "operation", "gift_sent", "ticket_message", "message_preferences"} < known.keys()
    assert (known["member"][0]["external_id"], known["member"][0]["birthday"]) == (NAME, "1990-06-01")
    assert [row["text"] for row in known["ticket_message"]] == ["I live in Elm Street", "Dear Anna, so what?"]

    erased = await erase(counter, {"externalId": NAME})
    await told(counter)

    with pytest.raises(MemberNotFound):
        await disclose(counter.laurel.store.reader(), NAME, modules)
    member = erased["member"]
    assert member.pop("externalId").startswith("erased:")
    assert erased == {
        "forfeited": 500 + 7 + 12 - 10 - 10 + 20 + 5,
        "member": {"status": "CLOSED", "birthday": None, "attributes": [], "erasedAt": "2026-06-01T12:00:00Z"},
        "transaction": {"kind": "erase", "channel": "people"},
        "errors": [],
    }
    after = await everything(counter)
    # Anna's history, and what Bert keeps of her; what an operator noted of Bert is his.
    left = {(word, table) for table, text in after.items() for word in PERSONAL if word in text}
    assert left == {("my neighbour", "operation")}
    ((more, also),) = await counter.laurel.store.reader().query(
        "SELECT (SELECT COUNT(*) FROM operation), (SELECT COUNT(*) FROM entry)"
    )
    # The erasure, its entry of what was lost, and two gifts that Bert's books forget the name of.
    assert (more, also) == (transactions + 3, entries + 1)
    assert await verify(counter.laurel.store.reader()) == []


async def test_who_signs_up_later_with_the_same_external_id_is_somebody_new(counter: Shop) -> None:
    await do(counter, EnrolMember, NAME, "enrol", birthday=date(1990, 6, 1))
    anna = (await counter.ask("query { members { nodes { id } } }"))["members"]["nodes"][0]["id"]
    await counter.give(anna, 100, "g")
    await erase(counter, {"id": anna})

    again = await erase(counter, {"id": anna}, "again")
    unknown = await erase(counter, {"externalId": NAME}, "unknown")
    outcome = await do(counter, EnrolMember, NAME, "enrol")
    short = await erase(counter, {"externalId": NAME}, "short", "x")

    assert again["errors"] == [{"code": "MEMBER_ERASED", "erasedAt": "2026-06-01T12:00:00Z"}]
    assert unknown["errors"] == [{"code": "MEMBER_NOT_FOUND", "member": NAME}]
    assert short["errors"] == [{"code": "INVALID_VALUE", "field": "reason"}]
    assert not outcome.replayed
    assert outcome.member_id != read_id(anna)[1]
    standing = await counter.ask(
        "query ($m: String!) { member(by: {externalId: $m}) { birthday status points { balance } } }", {"m": NAME}
    )
    assert standing["member"] == {"birthday": None, "status": "ACTIVE", "points": {"balance": 0}}
    assert await verify(counter.laurel.store.reader()) == []


async def test_who_was_merged_into_an_erased_member_is_erased_too(counter: Shop) -> None:
    ids = [(await do(counter, EnrolMember, name, "enrol")).member_id or "" for name in ("anna@old", NAME)]
    merge = MergeMember(member=ById(ids[0]), idempotency_key="m", actor="a test", into=ids[1], reason="the same")
    assert (await counter.laurel.committer.submit(merge)).accepted
    await told(counter)

    await erase(counter, {"externalId": NAME})
    await told(counter)

    text = "\n".join((await everything(counter)).values())
    assert [name for name in ("anna@old", NAME) if name in text] == []
    assert await verify(counter.laurel.store.reader()) == []


TEXT_MIN: Final = 100
HARMLESS: Final = {
    # What programmes, shops and operators call things.
    "name", "title", "reference", "order_reference", "product", "object", "item", "moderator", "waiting",
    # Numbers of lots, transactions and codes; what was bought, by what rules it was worth what.
    "lots", "transactions", "codes", "coupons", "pack", "terms", "items", "awards", "refunds", "cut", "room",
}  # fmt: skip


def test_every_column_with_room_for_a_text_is_cleared_or_said_to_be_harmless(plugins: Plugins) -> None:
    cleared = {of.model._meta.db_table: set(of.cleared) for of in plugins.personal_data}
    doubtful = []
    for offered in plugins.tables.values():
        for model in _models(offered.models):
            columns = model._meta.fields_map
            for name, column in columns.items() if "member_id" in columns else ():
                roomy = (
                    isinstance(column, (TextField, JsonField)) or (getattr(column, "max_length", None) or 0) >= TEXT_MIN
                )
                if roomy and name not in HARMLESS | cleared.get(model._meta.db_table, set()):
                    doubtful.append((model._meta.db_table, name))
    assert doubtful == []
