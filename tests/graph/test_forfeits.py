"""What was gained wrongly: traced to what it bought, and taken back once."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from core.oversight.verify import verify
from graph.ids import global_id, read_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins, find_offers, load_plugins
from tests.databases import SqliteFolder
from tests.graph.test_statements import statements
from tests.graph.test_trust import standing

PLUGINS: Plugins = load_plugins(offers=[offer for offer in find_offers() if offer.name in ("purchase", "gift")])
PROGRAMME = """
id: counter
currency: CNY
timezone: Asia/Shanghai
expiry: {{mode: per_lot, months: 1}}
claw_back: {policy}
channels:
  purchase:
    earn:
      points: {{groups: [{{id: base, add: sum, rules: [{{id: spend, points: "order.amount"}}]}}]}}
      growth: {{groups: [{{id: base, add: sum, rules: [{{id: spend, points: "order.amount"}}]}}]}}
  gift: {{}}
"""
Counters = Callable[[str], AbstractAsyncContextManager[Shop]]

UNITS = "units { unit demanded taken debt forgiven uncollected }"
ERRORS = """errors { code ... on TransactionNotFound { transaction } ... on NothingGained { transaction }
  ... on AlreadyTakenBack { transaction gained } ... on NothingToForfeit { channel }
  ... on ForfeitExceedsGains { needed left } ... on InvalidValue { path } }"""
PREVIEW = f"""query ($input: PreviewForfeitInput!) {{ previewForfeit(input: $input) {{ {UNITS} {ERRORS}
  gains(first: 50) {{ totalCount nodes {{ unit amount left expired repaid passedOn taken askedBack setAside
    lot {{ source }} transaction {{ reference }}
    spent {{ amount transaction {{ channel kind reference }} givenTo {{ externalId }} }} }} }} }} }}"""
FORFEIT = f"""mutation ($input: ForfeitGainsInput!) {{ forfeitGains(input: $input) {{
  {UNITS} {ERRORS} replayed transaction {{ channel kind reason entries {{ unit amount }} }} }} }}"""
AUDIT = "{ auditLog(first: 1) { nodes { mutation reason facts { name before after } } } }"


@pytest.fixture
def counters(sqlite_folder: SqliteFolder) -> Counters:
    """Opens a shop with orders and gifts, and a policy for what is taken back."""

    @asynccontextmanager
    async def counter(policy: str) -> AsyncIterator[Shop]:
        url = sqlite_folder.migrated(tables(PLUGINS))
        async with open_shop(url, PROGRAMME.format(policy=policy), plugins=PLUGINS) as shop:
            yield shop
        sqlite_folder.done(url)

    return counter


@pytest.fixture
async def counter(counters: Counters) -> AsyncIterator[Shop]:
    async with counters("lots_then_debt") as shop:
        yield shop


async def act(shop: Shop, mutation: str, selected: str = "", **said: Any) -> dict[str, Any]:
    """The answer to a mutation of the brand's backend that must not be refused."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ errors {{ message }} {selected} }} }}"
    key = f"{mutation} {said.get('reference', '')} {said.get('points', '')}"
    answer: dict[str, Any] = (await shop.ask(query, {"input": {"idempotencyKey": key, **said}}))[mutation]
    assert answer["errors"] == []
    return answer


async def buy(shop: Shop, member: str, reference: str, amount: int) -> str:
    """An order that brings as many points and as much growth as it costs; the transaction's id."""
    paid = {"amount": str(amount), "currency": "CNY"}
    said: dict[str, Any] = {"member": {"id": member}, "reference": reference, "amount": paid}
    answer = await act(shop, "recordPurchase", "transaction { id }", **said)
    transaction: str = answer["transaction"]["id"]
    return transaction


async def preview(shop: Shop, member: str, **named: Any) -> dict[str, Any]:
    found = await shop.ask(PREVIEW, {"input": {"member": {"id": member}, **named}}, role=Role.OPERATOR)
    answer: dict[str, Any] = found["previewForfeit"]
    return answer


async def forfeit(shop: Shop, member: str, key: str = "f", **named: Any) -> dict[str, Any]:
    given = {"member": {"id": member}, "reason": "made by a machine", "idempotencyKey": key, **named}
    answer: dict[str, Any] = (await shop.ask(FORFEIT, {"input": given}, role=Role.OPERATOR))["forfeitGains"]
    return answer


async def test_every_point_of_a_gain_is_traced(counter: Shop) -> None:
    anna, bert = await counter.enrol("anna"), await counter.enrol("bert")
    illicit = await buy(counter, anna, "A1", 100)
    await act(counter, "redeemPoints", member={"id": anna}, points=30, reference="a flask")
    await act(counter, "giftPoints", member={"id": anna}, to="bert", points=20)
    await counter.laurel.deliverer.drain()
    held = await act(counter, "holdPoints", "hold { id }", member={"id": anna}, points=15, reference="checkout 7")
    await act(counter, "captureHold", hold=held["hold"]["id"], points=10)
    await act(counter, "holdPoints", member={"id": anna}, points=5, reference="open")
    back = await act(counter, "redeemPoints", "transaction { id }", member={"id": anna}, points=8, reference="back")
    await counter.ask(
        'mutation ($t: ID!) { reverseTransaction(input: {transaction: $t, points: 6, reason: "returned",'
        ' idempotencyKey: "rev"}) { errors { code } } }',
        {"t": back["transaction"]["id"]},
        role=Role.OPERATOR,
    )
    before = await standing(counter, anna)

    seen = await preview(counter, anna, transactions=[illicit])

    points, growth = seen["gains"]["nodes"]
    assert points == {
        "unit": "points",
        "amount": 100,
        "left": 38,
        "expired": 0,
        "repaid": 0,
        "passedOn": 0,
        "taken": 0,
        "askedBack": 0,
        "setAside": 5,
        "lot": {"source": "purchase"},
        "transaction": {"reference": "A1"},
        "spent": [
            {"amount": 30, "transaction": spent_on("ledger", "redeem", "a flask"), "givenTo": None},
            {"amount": 20, "transaction": spent_on("gift", "give", None), "givenTo": {"externalId": "bert"}},
            {"amount": 10, "transaction": spent_on("ledger", "capture", None), "givenTo": None},
            {"amount": 2, "transaction": spent_on("ledger", "redeem", "back"), "givenTo": None},
        ],
    }
    assert (growth["unit"], growth["amount"], growth["left"], growth["spent"]) == ("growth", 100, 100, [])
    assert seen["units"] == [unit("points", 100, taken=33, debt=67), unit("growth", 100, taken=100)]
    assert (await standing(counter, anna), await standing(counter, bert)) == (before, await standing(counter, bert))
    assert await verify(counter.laurel.store.reader()) == []


def spent_on(channel: str, kind: str, reference: str | None) -> dict[str, Any]:
    return {"channel": channel, "kind": kind, "reference": reference}


def unit(name: str, demanded: int, **became: int) -> dict[str, Any]:
    nothing = {"taken": 0, "debt": 0, "forgiven": 0, "uncollected": 0}
    return {"unit": name, "demanded": demanded, **nothing, **became}


@pytest.mark.parametrize(
    ("policy", "became", "left"),
    [
        ("lot_only", {"taken": 40, "uncollected": 60}, {"available": 50, "balance": 50, "debt": 0}),
        ("lots", {"taken": 90, "uncollected": 10}, {"available": 0, "balance": 0, "debt": 0}),
        ("lots_then_debt", {"taken": 90, "debt": 10}, {"available": 0, "balance": -10, "debt": 10}),
    ],
)
async def test_what_is_spent_is_taken_by_the_programmes_policy(
    counters: Counters, policy: str, became: dict[str, int], left: dict[str, int]
) -> None:
    async with counters(policy) as shop:
        anna = await shop.enrol("anna")
        illicit = await buy(shop, anna, "A1", 100)
        await act(shop, "redeemPoints", member={"id": anna}, points=60, reference="a flask")
        await buy(shop, anna, "A2", 50)
        foreseen = await preview(shop, anna, transactions=[illicit])

        done = await forfeit(shop, anna, transactions=[illicit])
        replayed = await forfeit(shop, anna, transactions=[illicit])
        audit = (await shop.ask(AUDIT, role=Role.OPERATOR))["auditLog"]["nodes"][0]

        assert done["units"] == foreseen["units"] == [unit("points", 100, **became), unit("growth", 100, taken=100)]
        assert replayed == {**done, "replayed": True}
        assert done["transaction"]["reason"] == audit["reason"] == "made by a machine"
        assert {"name": "points.forfeited", "before": "0", "after": "100"} in audit["facts"]
        assert (await standing(shop, anna))["points"] == left
        assert await verify(shop.laurel.store.reader()) == []


async def test_each_gain_is_taken_once(counter: Shop) -> None:
    anna = await counter.enrol("anna")
    one, two = await buy(counter, anna, "A1", 100), await buy(counter, anna, "A2", 50)
    await forfeit(counter, anna, transactions=[one])

    again = await forfeit(counter, anna, "f2", transactions=[one])
    with_another = await forfeit(counter, anna, "f3", transactions=[two, one])
    rest = await forfeit(counter, anna, "f4", channel="purchase")
    nothing = await forfeit(counter, anna, "f5", channel="purchase")
    refunded = await act(counter, "refundPurchase", member={"id": anna}, order="A1", reference="R1")

    taken = [{"code": "ALREADY_TAKEN_BACK", "transaction": read_id(one)[2], "gained": 200}]
    assert again["errors"] == with_another["errors"] == taken
    assert rest["units"] == [unit("points", 50, taken=50), unit("growth", 50, taken=50)]
    assert nothing["errors"] == [{"code": "NOTHING_TO_FORFEIT", "channel": "purchase"}]
    assert refunded["errors"] == []
    assert (await standing(counter, anna))["points"] == {"available": 0, "balance": 0, "debt": 0}
    assert await verify(counter.laurel.store.reader()) == []


async def test_a_refund_before_leaves_only_the_rest_to_forfeit(counter: Shop) -> None:
    anna = await counter.enrol("anna")
    illicit = await buy(counter, anna, "A1", 100)
    part = {"amount": "40", "currency": "CNY"}
    await act(counter, "refundPurchase", member={"id": anna}, order="A1", reference="R1", amount=part)

    too_much = await forfeit(counter, anna, "f1", transactions=[illicit], points=61)
    some = await forfeit(counter, anna, "f2", transactions=[illicit], points=15)
    seen = await preview(counter, anna, transactions=[illicit])

    assert too_much["errors"] == [{"code": "FORFEIT_EXCEEDS_GAINS", "needed": 61, "left": 60}]
    assert some["units"] == [unit("points", 15, taken=15)]
    assert seen["units"] == [unit("points", 45, taken=45), unit("growth", 60, taken=60)]
    assert (seen["gains"]["nodes"][0]["taken"], seen["gains"]["nodes"][0]["askedBack"]) == (55, 55)
    assert await verify(counter.laurel.store.reader()) == []


async def test_what_has_expired_is_forgiven_and_a_period_is_half_open(counter: Shop) -> None:
    anna = await counter.enrol("anna")
    await buy(counter, anna, "A1", 10)
    counter.clock.advance(timedelta(days=40))
    middle = counter.clock.now()
    await buy(counter, anna, "A2", 20)
    counter.clock.advance(timedelta(days=1))
    after = counter.clock.now()
    await buy(counter, anna, "A3", 40)

    period = {"from": middle.isoformat(), "before": after.isoformat()}
    done = await forfeit(counter, anna, "f1", channel="purchase", **period)
    rest = await forfeit(counter, anna, "f2", channel="purchase")

    assert done["units"] == [unit("points", 20, taken=20), unit("growth", 20, taken=20)]
    assert rest["units"] == [unit("points", 50, taken=40, forgiven=10), unit("growth", 50, taken=50)]
    assert await verify(counter.laurel.store.reader()) == []


async def test_what_was_given_on_can_be_taken_from_who_has_it(counter: Shop) -> None:
    anna, bert = await counter.enrol("anna"), await counter.enrol("bert")
    await buy(counter, anna, "A1", 100)
    await act(counter, "giftPoints", member={"id": anna}, to="bert", points=70)
    await counter.laurel.deliverer.drain()

    taken = await forfeit(counter, bert, channel="gift")

    assert taken["units"] == [unit("points", 70, taken=70)]
    assert (await standing(counter, bert))["points"] == {"available": 0, "balance": 0, "debt": 0}
    assert await verify(counter.laurel.store.reader()) == []


@pytest.mark.parametrize(
    ("named", "errors"),
    [
        ({}, [{"code": "INVALID_VALUE", "path": ["transactions"]}]),
        ({"from": "2026-01-01T00:00:00Z"}, [{"code": "INVALID_VALUE", "path": ["transactions"]}]),
        (
            {"channel": "purchase", "from": "2026-06-01T00:00:00Z", "before": "2026-06-01T00:00:00Z"},
            [{"code": "INVALID_VALUE", "path": ["before"]}],
        ),
        ({"channel": "lottery"}, [{"code": "NOTHING_TO_FORFEIT", "channel": "lottery"}]),
        ({"channel": "purchase", "points": 0}, [{"code": "INVALID_AMOUNT"}]),
        ({"channel": "purchase", "reason": "?"}, [{"code": "INVALID_VALUE", "path": ["reason"]}]),
        ({"transactions": [global_id("Hold", "1", "2")]}, [{"code": "INVALID_ID"}]),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    counter: Shop, named: dict[str, Any], errors: list[dict[str, Any]]
) -> None:
    anna = await counter.enrol("anna")
    await buy(counter, anna, "A1", 100)
    before = await standing(counter, anna)

    assert (await forfeit(counter, anna, **named))["errors"] == errors
    assert await standing(counter, anna) == before


async def test_a_transaction_that_gave_nothing_or_is_anothers_is_refused(counter: Shop) -> None:
    anna, bert = await counter.enrol("anna"), await counter.enrol("bert")
    berts = await buy(counter, bert, "B1", 10)
    await buy(counter, anna, "A1", 10)
    spent = await act(counter, "redeemPoints", "transaction { id }", member={"id": anna}, points=3, reference="x")
    gave_nothing = spent["transaction"]["id"]
    unknown = global_id("Transaction", read_id(anna)[1], "nothing")

    answers = [
        await forfeit(counter, anna, str(number), transactions=[id])
        for number, id in enumerate((berts, gave_nothing, unknown))
    ]
    seen = await preview(counter, anna, transactions=[gave_nothing])

    assert [answer["errors"] for answer in answers] == [
        [{"code": "TRANSACTION_NOT_FOUND", "transaction": berts}],
        [{"code": "NOTHING_GAINED", "transaction": read_id(gave_nothing)[2]}],
        [{"code": "TRANSACTION_NOT_FOUND", "transaction": "nothing"}],
    ]
    assert seen["errors"] == answers[1]["errors"]
    assert seen["gains"]["nodes"] == []
    assert (await standing(counter, bert))["points"]["available"] == 10


async def test_a_preview_of_many_gains_costs_as_many_statements_as_of_one(counter: Shop) -> None:
    anna = await counter.enrol("anna")
    await buy(counter, anna, "A0", 10)
    await act(counter, "redeemPoints", member={"id": anna}, points=3, reference="x")
    async with statements() as one:
        await preview(counter, anna, channel="purchase")
    for number in range(1, 12):
        await buy(counter, anna, f"A{number}", 10)
        await act(counter, "redeemPoints", member={"id": anna}, points=9, reference=f"x{number}")
    async with statements() as many:
        seen = await preview(counter, anna, channel="purchase")

    assert len(seen["gains"]["nodes"]) == 24
    assert len([gain for gain in seen["gains"]["nodes"] if gain["spent"]]) > 9
    assert len(many) == len(one)


async def test_gains_are_traced_and_taken_on_every_database(every_shop: Shop) -> None:
    shop = every_shop
    anna = await shop.enrol("anna")
    illicit = await shop.give(anna, 100, "g")
    await act(shop, "redeemPoints", member={"id": anna}, points=30, reference="a flask")

    seen = await preview(shop, anna, channel="ledger")
    done = await forfeit(shop, anna, transactions=[illicit])
    queue = await shop.ask(
        "query ($m: ID!) { flags(filter: {state: {in: [OPEN]}, member: {id: $m}}) { totalCount nodes { id } } }",
        {"m": anna},
        role=Role.OPERATOR,
    )

    (gain,) = seen["gains"]["nodes"]
    assert (gain["amount"], gain["left"], [one["amount"] for one in gain["spent"]]) == (100, 70, [30])
    assert done["units"] == seen["units"] == [unit("points", 100, taken=70, debt=30)]
    assert queue["flags"] == {"totalCount": 0, "nodes": []}
    assert await verify(shop.laurel.store.reader()) == []
