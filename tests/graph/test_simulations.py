"""A programme simulated over the API: begun, followed, read, given up, and refused."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest

from core.models import SimulationRow
from core.simulating import book
from graph.ids import global_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import Apps, SqliteFolder

pytestmark = pytest.mark.timeout(600)  # it waits for a process that lets all others go first

PROGRAMME = """
id: corner-shop
currency: CNY
timezone: Asia/Shanghai
starts_on: 2020-01-01
point_value: "0.01"
channels:
  purchase:
    earn:
      points:
        groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]
tiers:
  window: {months: 12}
  ladder: [{id: regular}, {id: gold, all: [{fact: points_earned, at_least: 150}]}]
"""
HALF = PROGRAMME.replace('"order.amount"', '"order.amount * 0.5"')
SIMULATION = """{ id state error step: progress { step done total } picture result {
  worse better same migration { today draft members }
  hurt { member { externalId } pointsToday pointsDraft tierToday tierDraft }
  judgedAnew { channel kind count } carriedOver { channel kind count }
  fidelity { unit members apart } fidelityTiers
  today { revenue redemptionShare units { unit issued redeemed clawedBack outstanding liability } }
  draft { revenue units { unit issued redeemed clawedBack outstanding liability }
    unredeemed { unit points times } rules { rule times gave } } } }"""
SIMULATE = f"""mutation ($input: SimulateProgrammeInput!) {{ simulateProgramme(input: $input) {{
  simulation {SIMULATION} errors {{ code message ... on SimulationRunning {{ simulatedBy }} }} }} }}"""
READ = f"query ($id: ID!) {{ simulation(id: $id) {SIMULATION} }}"
FOLLOW = "subscription ($id: ID!) { simulationProgress(id: $id) { state error progress { step done total } } }"
ALL = "{ simulations { totalCount nodes { state error finishedAt } } }"
STEPS = ("begin", "gather", "today", "draft", "compare", "end")
AUDIT = "{ auditLog { nodes { mutation reason } } }"
CANCEL = """mutation ($input: CancelSimulationInput!) { cancelSimulation(input: $input) {
  simulation { state } errors { code } } }"""
PURCHASE = "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { code } } }"
REFUND = "mutation ($input: RefundPurchaseInput!) { refundPurchase(input: $input) { errors { code } } }"
ADJUST = "mutation ($input: AdjustPointsInput!) { adjustPoints(input: $input) { errors { code } } }"
BALANCES = "{ members { nodes { externalId balances { unit available } } } }"


PLUGINS = load_plugins()


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@pytest.fixture
async def shop(sqlite_folder: SqliteFolder, apps: Apps) -> AsyncIterator[Shop]:
    async with open_shop(sqlite_folder.migrated(apps), PROGRAMME, plugins=PLUGINS) as shop:
        yield shop


@pytest.fixture
async def every_shop(fresh_database: str) -> AsyncIterator[Shop]:
    async with open_shop(fresh_database, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop


async def live(shop: Shop) -> datetime:
    """Ann buys for 200 and half of it comes back, and spends 120; Bert buys for 100. When it began."""
    begun = shop.clock.now()
    for name in ("ann", "bert"):
        await shop.enrol(name)
    ann, bert = {"externalId": "ann"}, {"externalId": "bert"}
    shop.clock.advance(timedelta(days=1))
    for key, member, amount in (("1", ann, "200.00"), ("2", bert, "100.00")):
        await done(
            shop,
            PURCHASE,
            "recordPurchase",
            member=member,
            reference=key,
            amount={"amount": amount, "currency": "CNY"},
            idempotencyKey=f"order:{key}",
            role=Role.SERVICE,
        )
    await done(shop, ADJUST, "adjustPoints", member=ann, points=-120, reason="a gift", idempotencyKey="3")
    shop.clock.advance(timedelta(days=1))
    await done(
        shop,
        REFUND,
        "refundPurchase",
        member=ann,
        order="1",
        reference="r",
        role=Role.SERVICE,
        amount={"amount": "50.00", "currency": "CNY"},
        idempotencyKey="refund:r",
    )
    shop.clock.advance(timedelta(days=1))
    return begun


async def done(shop: Shop, text: str, name: str, *, role: Role = Role.OPERATOR, **input: Any) -> None:
    payload = (await shop.ask(text, {"input": input}, role=role))[name]
    assert payload["errors"] == []


async def simulate(shop: Shop, role: Role = Role.OPERATOR, **input: Any) -> Any:
    return (await shop.ask(SIMULATE, {"input": input}, role=role))["simulateProgramme"]


async def read(shop: Shop, id: str) -> Any:
    return (await shop.ask(READ, {"id": id}, role=Role.OPERATOR))["simulation"]


async def followed(shop: Shop, id: str) -> list[Any]:
    """What somebody who follows it is told, until it has ended."""
    response = await shop.client.post(
        "/graphql",
        json={"query": FOLLOW, "variables": {"id": id}},
        headers={"Authorization": f"Bearer {shop.token(Role.ANALYST)}", "Accept": "text/event-stream"},
    )
    told = [json.loads(line.removeprefix("data:")) for line in response.text.splitlines() if line.startswith("data: {")]
    assert "event: complete" in response.text
    return [each["data"]["simulationProgress"] for each in told]


async def children() -> list[int]:
    """The processes that replay for this one, once there is one."""
    while True:
        if found := [each.pid for each in psutil.Process().children() if "graph.simulating" in each.cmdline()]:
            return found
        await asyncio.sleep(0.05)


async def test_half_the_points_are_simulated_and_nothing_is_changed(every_shop: Shop) -> None:
    shop = every_shop
    begun = await live(shop)
    before = await shop.ask(BALANCES, role=Role.OPERATOR)

    payload = await simulate(
        shop, Role.ANALYST, programme={"document": HALF}, since=begun.isoformat(), until=shop.clock.now().isoformat()
    )
    assert payload["errors"] == []
    other = await simulate(shop, programme={"version": 1}, since=begun.isoformat(), until=shop.clock.now().isoformat())
    seen = await followed(shop, payload["simulation"]["id"])
    found = await read(shop, payload["simulation"]["id"])

    assert [error["code"] for error in other["errors"]] == ["SIMULATION_RUNNING"]
    assert (seen[0]["state"], seen[-1]["state"]) == ("RUNNING", "DONE")
    assert {each["state"] for each in seen[:-1]} == {"RUNNING"}
    assert seen[-1]["progress"] == {"step": "end", "done": 1, "total": 1}
    # Who follows may miss some, and is never told of an earlier one.
    steps = [STEPS.index(each["progress"]["step"]) for each in seen]
    assert steps == sorted(steps)
    assert (found["state"], found["error"]) == ("DONE", None)
    result = found["result"]
    today, draft = ({unit["unit"]: unit for unit in result[run]["units"]} for run in ("today", "draft"))
    assert [today["points"][name] for name in ("issued", "clawedBack", "outstanding")] == [300, 50, 130]
    # Ann had 100 and spent 120 in truth; 25 of what she spent came back with the refund, as a debt.
    assert [draft["points"][name] for name in ("issued", "clawedBack")] == [150, 25]
    assert result["draft"]["unredeemed"] == [{"unit": "points", "points": 20, "times": 1}]
    assert {unit["unit"]: (unit["members"], unit["apart"]) for unit in result["fidelity"]}["points"] == (0, 0)
    assert result["fidelityTiers"] == 0
    assert {"today": "gold", "draft": "regular", "members": 1} in result["migration"]
    assert (result["worse"], result["better"], result["same"]) == (2, 0, 0)
    assert [(each["member"]["externalId"], each["pointsToday"], each["pointsDraft"]) for each in result["hurt"]] == [
        ("ann", 30, -25),
        ("bert", 100, 50),
    ]
    row = await SimulationRow.get()
    assert "ann" not in json.dumps(row.result["members"])  # nor anybody else whom the shop may have to erase
    assert result["draft"]["rules"] == [{"rule": "spend", "times": 2, "gave": "150"}]
    assert {"channel": "purchase", "kind": "refund", "count": 1} in result["judgedAnew"]
    assert {"channel": "ledger", "kind": "adjust", "count": 1} in result["carriedOver"]
    picture = ElementTree.fromstring(found["picture"])
    assert picture.find("{http://www.w3.org/2000/svg}title") is not None
    assert await shop.ask(BALANCES, role=Role.OPERATOR) == before


async def test_what_cannot_be_simulated_is_refused(shop: Shop) -> None:
    begun = await live(shop)
    now = shop.clock.now()
    since, until = begun.isoformat(), now.isoformat()
    document = {"document": HALF}
    draft = global_id("ProgrammeDraft", "01a225c8-0000-7000-8000-000000000000")
    wrong: dict[str, dict[str, Any]] = {
        "PROGRAMME_INVALID": {"programme": {"document": "id: ["}, "since": since, "until": until},
        "VERSION_NOT_FOUND": {"programme": {"version": 9}, "since": since, "until": until},
        "DRAFT_NOT_FOUND": {"programme": {"draft": draft}, "since": since, "until": until},
        "INVALID_ID": {"programme": {"draft": "U2ltdWxhdGlvbjox"}, "since": since, "until": until},
        "NOTHING_TO_SIMULATE": {
            "programme": document,
            "since": (begun - timedelta(days=90)).isoformat(),
            "until": (begun - timedelta(days=60)).isoformat(),
        },
        "INVALID_VALUE": {"programme": document, "since": since, "until": until, "reason": "x"},
    }
    codes = {code: await simulate(shop, **input) for code, input in wrong.items()}
    other_currency = await simulate(shop, programme={"document": HALF.replace("CNY", "EUR")}, since=since, until=until)
    reversed_ = await simulate(shop, programme=document, since=until, until=since)
    ahead = await simulate(shop, programme=document, since=since, until=(now + timedelta(days=1)).isoformat())

    assert {code: [error["code"] for error in payload["errors"]] for code, payload in codes.items()} == {
        code: [code] for code in wrong
    }
    assert [error["code"] for error in other_currency["errors"]] == ["PROGRAMME_INVALID"]
    for payload in (reversed_, ahead):
        assert [error["code"] for error in payload["errors"]] == ["INVALID_INSTANT"]
    assert (await shop.ask("{ simulations { totalCount } }", role=Role.OPERATOR))["simulations"]["totalCount"] == 0


async def test_one_is_given_up_and_another_takes_its_place(shop: Shop) -> None:
    begun = await live(shop)
    asked: dict[str, Any] = {
        "programme": {"document": HALF},
        "since": begun.isoformat(),
        "until": shop.clock.now().isoformat(),
    }
    first = (await simulate(shop, **asked))["simulation"]["id"]

    give_up = {"input": {"simulation": first, "reason": "too slow"}}
    cancelled = (await shop.ask(CANCEL, give_up, role=Role.OPERATOR))["cancelSimulation"]
    again = (await shop.ask(CANCEL, give_up, role=Role.OPERATOR))["cancelSimulation"]
    unknown = {"input": {"simulation": global_id("Simulation", "none"), "reason": "too slow"}}
    nowhere = (await shop.ask(CANCEL, unknown, role=Role.OPERATOR))["cancelSimulation"]
    seen = await followed(shop, first)
    second = await simulate(shop, **asked)

    assert cancelled == {"simulation": {"state": "CANCELLED"}, "errors": []}
    assert [error["code"] for error in again["errors"]] == ["SIMULATION_ENDED"]
    assert [error["code"] for error in nowhere["errors"]] == ["SIMULATION_NOT_FOUND"]
    assert [each["state"] for each in seen] == ["CANCELLED"]
    assert second["errors"] == []
    log = (await shop.ask(AUDIT, role=Role.ADMIN))["auditLog"]["nodes"]
    assert [
        (entry["mutation"], entry["reason"])
        for entry in log
        if entry["mutation"] in {"simulateProgramme", "cancelSimulation"}
    ] == [
        ("simulateProgramme", None),
        ("cancelSimulation", "too slow"),
        ("simulateProgramme", None),
    ]


async def test_a_process_that_is_killed_has_failed(shop: Shop) -> None:
    begun = await live(shop)
    asked: dict[str, Any] = {
        "programme": {"version": 1},
        "since": begun.isoformat(),
        "until": shop.clock.now().isoformat(),
    }
    first = (await simulate(shop, **asked))["simulation"]["id"]

    for pid in await children():
        os.kill(pid, signal.SIGKILL)
    seen = await followed(shop, first)
    second = await simulate(shop, **asked)

    assert (seen[-1]["state"], seen[-1]["error"]) == ("FAILED", "it ended with status -9")
    assert (await read(shop, first))["result"] is None
    assert second["errors"] == []


async def test_a_server_that_is_gone_leaves_its_place_to_others(shop: Shop) -> None:
    """What a killed server leaves: a row under a lease that nobody renews."""
    begun = await live(shop)
    until = shop.clock.now()
    asked: dict[str, Any] = {
        "document": HALF,
        "digest": "x",
        "since": begun,
        "until": until,
        "actor": "a",
        "reason": None,
    }
    await book.begin(**asked, now=until, machine_now=shop.laurel.machine.now())
    wanted: dict[str, Any] = {"programme": {"version": 1}, "since": begun.isoformat(), "until": until.isoformat()}
    early = await simulate(shop, **wanted)
    shop.clock.advance(book.LEASE + timedelta(seconds=1))
    gone = (await shop.ask(ALL, role=Role.OPERATOR))["simulations"]["nodes"]
    late = await simulate(shop, **wanted)

    assert [error["code"] for error in early["errors"]] == ["SIMULATION_RUNNING"]
    assert [(each["state"], each["error"]) for each in gone] == [("FAILED", "the process that ran it is gone")]
    assert late["errors"] == []


@pytest.mark.parametrize("role", [Role.SERVICE, Role.PARTNER])
async def test_who_is_no_operator_neither_begins_nor_reads_one(shop: Shop, role: Role) -> None:
    begun = await live(shop)
    input = {"programme": {"version": 1}, "since": begun.isoformat(), "until": shop.clock.now().isoformat()}

    begin = await shop.post(SIMULATE, {"input": input}, role=role)
    look = await shop.post(ALL, role=role)

    assert [error["extensions"]["code"] for error in begin["errors"]] == ["FORBIDDEN"]
    assert [error["extensions"]["code"] for error in look["errors"]] == ["FORBIDDEN"]
    assert (await shop.ask(ALL, role=Role.OPERATOR))["simulations"]["totalCount"] == 0
