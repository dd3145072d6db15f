"""What looks suspicious, in the schema: who sees it, what is decided, and what is told of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from pydantic.alias_generators import to_camel

from core.oversight.verify import verify
from core.telling.event_types import EVENT_TYPES
from core.telling.events import Delivery
from graph.ids import global_id, read_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins, find_offers, load_plugins
from tests.databases import SqliteFolder
from tests.graph.test_statements import statements
from tests.graph.test_trust import FREEZE, PROGRAMME, buy, do, redeem, standing

PLUGINS: Plugins = load_plugins(offers=[offer for offer in find_offers() if offer.name in ("purchase", "webhooks")])

FLAGS = """query ($filter: FlagsFilter, $first: Int) { flags(filter: $filter, first: $first) { totalCount nodes {
  id channel moreThan withinMinutes holds state raisedAt decidedAt decidedBy reason pointsHeld
  member { externalId } transactions(first: 2) { totalCount nodes { kind reference channel } }
  lots { nodes { remaining available waitsForReview availableFrom } } } } }"""
DECIDE = """mutation ($input: DecideFlagInput!) { decideFlag(input: $input) {
  released forfeited replayed flag { state decidedBy pointsHeld reason } member { status freeze { scope } }
  errors { code path ... on FlagAlreadyDecided { flagState decidedAt decidedBy } ... on MemberFrozen { frozen }
    ... on FlagNotFound { flag } } } }"""
AUDIT = """{ auditLog(first: 1) { nodes { mutation reason facts { name before after } } } }"""


@pytest.fixture
async def counter(sqlite_folder: SqliteFolder) -> AsyncIterator[Shop]:
    """A shop that holds back the third order within ten minutes, and where webhooks may hear of it."""
    url = sqlite_folder.migrated(tables(PLUGINS))
    async with open_shop(url, PROGRAMME, plugins=PLUGINS) as shop:
        yield shop
    sqlite_folder.done(url)


async def flagged(shop: Shop, name: str) -> str:
    """Somebody with three orders of 5 at one moment, of which the last is held back; their global id."""
    member = await shop.enrol(name)
    for number in range(3):
        answer = await buy(shop, member, f"{name}{number}")
        assert answer["errors"] == []
    return member


async def flags(shop: Shop, role: Role = Role.OPERATOR, **filter: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await shop.ask(FLAGS, {"filter": filter, "first": 50}, role=role))["flags"]
    return found


async def decide(shop: Shop, flag: str, decision: str, key: str = "d", **more: Any) -> dict[str, Any]:
    given = {"flag": flag, "decision": decision, "reason": "I have looked", "idempotencyKey": key, **more}
    answer: dict[str, Any] = (await shop.ask(DECIDE, {"input": given}, role=Role.OPERATOR))["decideFlag"]
    return answer


async def test_the_queue_shows_who_what_and_how_much(counter: Shop) -> None:
    anna = await flagged(counter, "anna")
    await flagged(counter, "bert")

    found = await flags(counter, state={"eq": "OPEN"})
    annas = await flags(counter, Role.ANALYST, member={"id": anna}, channel={"eq": "purchase"})
    none = await flags(counter, state={"in": ["CLEARED", "CONFIRMED"]})

    assert found["totalCount"] == 2
    assert annas["nodes"] == found["nodes"][:1]
    assert none["nodes"] == []
    assert annas["nodes"][0] == {
        "id": global_id("Flag", read_id(anna)[1], 1),
        "channel": "purchase",
        "moreThan": 2,
        "withinMinutes": 10,
        "holds": True,
        "state": "OPEN",
        "raisedAt": "2026-06-01T12:00:00Z",
        "decidedAt": None,
        "decidedBy": None,
        "reason": None,
        "pointsHeld": 5,
        "member": {"externalId": "anna"},
        "transactions": {
            "totalCount": 3,
            "nodes": [{"kind": "record", "reference": f"anna{number}", "channel": "purchase"} for number in (0, 1)],
        },
        "lots": {
            "nodes": [
                {
                    "remaining": 5,
                    "available": 0,
                    "waitsForReview": True,
                    "availableFrom": "9999-12-31T00:00:00Z",
                }
            ]
        },
    }
    assert (await standing(counter, anna))["points"] == {"available": 10, "balance": 15, "debt": 0}


async def test_a_page_of_flags_costs_as_many_statements_as_one(counter: Shop) -> None:
    await flagged(counter, "m0")
    async with statements() as one:
        await flags(counter)
    for number in range(1, 12):
        await flagged(counter, f"m{number}")
    async with statements() as twelve:
        found = await flags(counter)

    assert len(found["nodes"]) == 12
    assert len(one) == len(twelve)


async def test_where_no_rule_is_nothing_is_asked(counter: Shop) -> None:
    anna = await counter.enrol("anna")
    await counter.give(anna, 10, "g")
    async with statements() as unwatched:
        await redeem(counter, anna, "r")
    async with statements() as watched:
        await buy(counter, anna, "1")

    assert [sql for sql in unwatched if " pace" in sql or " flag" in sql] == []
    assert [sql.split()[0] for sql in watched if " pace" in sql] == ["SELECT", "INSERT"]
    assert [sql for sql in watched if " flag" in sql] == []


async def test_a_cleared_flag_gives_back_and_is_written_down(counter: Shop) -> None:
    anna = await flagged(counter, "anna")
    (flag,) = (await flags(counter))["nodes"]
    cleared = await decide(counter, flag["id"], "CLEAR")
    replayed = await decide(counter, flag["id"], "CLEAR")
    audit = (await counter.ask(AUDIT, role=Role.OPERATOR))["auditLog"]["nodes"][0]
    again = await decide(counter, flag["id"], "CONFIRM", key="d2")

    assert cleared == {
        "released": 5,
        "forfeited": 0,
        "replayed": False,
        "flag": {"state": "CLEARED", "decidedBy": "operator:a operator", "pointsHeld": 0, "reason": "I have looked"},
        "member": {"status": "ACTIVE", "freeze": None},
        "errors": [],
    }
    assert replayed == {**cleared, "replayed": True}
    assert (audit["mutation"], audit["reason"]) == ("decideFlag", "I have looked")
    assert {"name": "flag.1", "before": "open", "after": "cleared"} in audit["facts"]
    assert again["errors"] == [
        {
            "code": "FLAG_ALREADY_DECIDED",
            "path": None,
            "flagState": "cleared",
            "decidedAt": "2026-06-01T12:00:00Z",
            "decidedBy": "operator:a operator",
        }
    ]
    assert (await standing(counter, anna))["points"]["available"] == 15
    assert await verify(counter.laurel.store.reader()) == []


async def test_a_confirmed_flag_freezes_and_forfeits_or_does_nothing(counter: Shop) -> None:
    anna = await flagged(counter, "anna")
    (flag,) = (await flags(counter))["nodes"]
    await do(counter, FREEZE, anna, "f", scope="EARNING")
    refused = await decide(counter, flag["id"], "CONFIRM", freeze="BOTH", forfeit=True)
    (still,) = (await flags(counter))["nodes"]
    confirmed = await decide(counter, flag["id"], "CONFIRM", key="d2", forfeit=True)
    audit = (await counter.ask(AUDIT, role=Role.OPERATOR))["auditLog"]["nodes"][0]

    assert refused["errors"] == [{"code": "MEMBER_FROZEN", "path": None, "frozen": "earning"}]
    assert still == flag
    assert confirmed["errors"] == []
    assert (confirmed["forfeited"], confirmed["released"]) == (15, 0)
    assert (await standing(counter, anna))["points"] == {"available": 0, "balance": 0, "debt": 0}
    assert {"name": "points.balance", "before": "15", "after": "0"} in audit["facts"]
    assert await verify(counter.laurel.store.reader()) == []


async def test_wrong_ids_are_refused_with_what_was_asked_for(counter: Shop) -> None:
    anna = await flagged(counter, "anna")
    raw = read_id(anna)[1]

    unknown = await decide(counter, global_id("Flag", raw, 9), "CLEAR")
    odd = await decide(counter, global_id("Flag", raw, "x"), "CLEAR", key="2")
    wrong = await decide(counter, anna, "CLEAR", key="3")

    assert unknown["errors"] == [{"code": "FLAG_NOT_FOUND", "path": None, "flag": "9"}]
    assert [odd["errors"][0]["code"], wrong["errors"][0]["code"]] == ["INVALID_ID", "INVALID_ID"]
    assert (await flags(counter))["nodes"][0]["state"] == "OPEN"


async def test_only_staff_sees_flags(counter: Shop) -> None:
    anna = await flagged(counter, "anna")
    (flag,) = (await flags(counter))["nodes"]
    node = "query ($id: ID!) { node(id: $id) { id } }"

    listed = await counter.post(FLAGS, member=anna)
    named = [
        (await counter.ask(node, {"id": flag["id"]}, role=role))["node"]
        for role in (Role.SERVICE, Role.PARTNER, Role.ANALYST)
    ]

    assert listed["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await counter.ask(node, {"id": flag["id"]}, member=anna))["node"] is None
    assert named == [None, None, {"id": flag["id"]}]


async def test_what_is_told_has_the_promised_shape(counter: Shop) -> None:
    anna = await flagged(counter, "anna")
    (flag,) = (await flags(counter))["nodes"]
    counter.clock.advance(timedelta(hours=1))
    await decide(counter, flag["id"], "CONFIRM")

    rows = await counter.laurel.store.reader().query(
        f"SELECT result FROM operation WHERE member_id = '{read_id(anna)[1]}' ORDER BY id"
    )
    events = [event for (result,) in rows for event in orjson.loads(result).get("events", ())]
    told = {event["name"]: event for event in events if event["name"] in ("member.flagged", "flag.decided")}
    for name, event in told.items():
        payload = {key: value for key, value in event.items() if key != "name"}
        delivery = Delivery("1", read_id(anna)[1], name, payload, counter.clock.now())
        assert EVENT_TYPES[name].message(delivery, member={})["data"].keys() == {to_camel(key) for key in payload}
    assert told["member.flagged"] == {
        "name": "member.flagged",
        "flag": 1,
        "channel": "purchase",
        "more_than": 2,
        "within_minutes": 10,
        "holds": True,
    }
    assert told["flag.decided"]["forfeited"] == {"points": 5}
