"""The progress bar: how far a tier is, what keeps this one and until when, and how it came to be."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from core.oversight.verify import verify
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins

PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
tiers:
  window: {months: 12}
  keep: {review: yearly, ratio: "0.8", warn_days: 30, grace_days: 14}
  ladder:
  - {id: regular}
  - {id: silver, name: Silver, all: [{fact: points_earned, at_least: 1000}]}
  - {id: gold, any: [{fact: points_earned, at_least: 5000}, {fact: growth_earned, at_least: 100}]}
"""
NOON: Final = datetime(2027, 3, 10, 4, tzinfo=UTC)
BAR: Final = """query ($id: ID!) { node(id: $id) { ... on Member {
  tier { code }
  progress { nextTier { code } ratio criteria { fact since until remaining } nextActions { fact remaining } }
  silver: progress(tier: "silver") { nextTier { code } ratio nextActions { fact } }
  regular: progress(tier: "regular") { mode ratio criteria { fact } }
  keeping {
    tier { code } state judgedAt lostAt daysLeft lockedUntil projectedTier { code } mode ratio
    criteria { fact since until current required remaining ratio } nextActions { fact remaining channels }
  }
} } }"""
HISTORY: Final = """query ($id: ID!, $after: String) { node(id: $id) { ... on Member {
  tierChanges(first: 2, after: $after) {
    nodes { former { code } tier { code } cause transaction { kind reason actor } }
    pageInfo { endCursor hasNextPage }
  }
} } }"""
SET: Final = """mutation ($input: SetTierInput!) { setTier(input: $input) {
  member { tier { code } keeping { state lockedUntil } } transaction { channel kind reason } replayed
  errors { code message ... on TierNotFound { tier tiers } }
} }"""


@pytest.fixture
async def club(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path, PROGRAMME, plugins=Plugins(), now=NOON) as shop:
        yield shop


async def bar(shop: Shop, member: str) -> Any:
    return (await shop.ask(BAR, {"id": member}))["node"]


async def set_tier(shop: Shop, member: str, tier: str, key: str, **said: Any) -> Any:
    asked = {"member": {"id": member}, "tier": tier, "reason": "our first guest", "idempotencyKey": key, **said}
    return (await shop.ask(SET, {"input": asked}, role=Role.OPERATOR))["setTier"]


async def test_the_bar_tells_of_the_next_tier_of_any_and_of_what_keeps_this_one(club: Shop) -> None:
    ann = await club.enrol("ann")
    began = await bar(club, ann)
    await club.give(ann, 1_500, "g1")
    reached = await bar(club, ann)
    club.clock.set(datetime(2028, 3, 1, 4, tzinfo=UTC))
    await club.give(ann, -1_500, "g2")
    later = await bar(club, ann)

    assert began["keeping"] is None
    assert began["progress"]["nextTier"] == {"code": "silver"}
    window = {"since": "2026-03-11", "until": "2027-03-10"}
    assert reached["progress"] == {
        "nextTier": {"code": "gold"},
        "ratio": 0.3,
        "criteria": [
            {"fact": "points_earned", **window, "remaining": "3500"},
            {"fact": "growth_earned", **window, "remaining": "100"},
        ],
        # The nearest first: any of them is enough.
        "nextActions": [{"fact": "points_earned", "remaining": "3500"}, {"fact": "growth_earned", "remaining": "100"}],
    }
    assert reached["silver"] == {"nextTier": {"code": "silver"}, "ratio": 1, "nextActions": []}
    assert reached["regular"] == {"mode": None, "ratio": 1, "criteria": []}
    assert reached["keeping"] == {
        "tier": {"code": "silver"},
        "state": "SAFE",
        "judgedAt": "2028-03-09T16:00:00Z",
        "lostAt": "2028-03-23T16:00:00Z",
        "daysLeft": 366,
        "lockedUntil": None,
        "projectedTier": {"code": "silver"},
        "mode": "ALL",
        "ratio": 1,
        "criteria": [
            {
                "fact": "points_earned",
                "since": "2027-03-10",
                "until": "2028-03-09",
                "current": "1500",
                "required": "800",
                "remaining": "0",
                "ratio": 1,
            }
        ],
        "nextActions": [],
    }
    assert (later["keeping"]["state"], later["keeping"]["daysLeft"]) == ("SAFE", 9)


async def test_who_slacks_is_at_risk_then_in_grace_and_sees_by_how_much(club: Shop) -> None:
    ann = await club.enrol("ann")
    await club.give(ann, 1_500, "g1")
    at_first: dict[str, Any] = {}
    for day in ("2028-03-09", "2028-03-10", "2029-03-09", "2029-03-10", "2029-03-23", "2029-03-24"):
        club.clock.set(datetime.fromisoformat(f"{day}T04:00:00+00:00"))
        await club.laurel.jobs.run("tiers")
        at_first[day] = await bar(club, ann)

    seen = {
        day: told["keeping"]
        and (told["keeping"]["state"], told["keeping"]["daysLeft"], told["keeping"]["projectedTier"]["code"])
        for day, told in at_first.items()
    }

    assert seen == {
        "2028-03-09": ("SAFE", 1, "silver"),
        "2028-03-10": ("AT_RISK", 365, "regular"),
        "2029-03-09": ("AT_RISK", 1, "regular"),
        "2029-03-10": ("GRACE", 14, "regular"),
        "2029-03-23": ("GRACE", 1, "regular"),
        "2029-03-24": None,
    }
    (criterion,) = at_first["2029-03-10"]["keeping"]["criteria"]
    assert (criterion["since"], criterion["until"], criterion["remaining"]) == ("2028-03-10", "2029-03-23", "800")
    history = (await club.ask(HISTORY, {"id": ann}))["node"]["tierChanges"]
    assert [step["cause"] for step in history["nodes"]] == ["REVIEW", "EARNED"]
    assert history["nodes"][0]["transaction"] == {"kind": "review", "reason": None, "actor": "job tiers"}
    (first,) = (await club.ask(HISTORY, {"id": ann, "after": history["pageInfo"]["endCursor"]}))["node"]["tierChanges"][
        "nodes"
    ]
    assert (first["former"], first["tier"], first["cause"]) == (None, {"code": "regular"}, "ENROLMENT")
    assert await verify(club.laurel.store.reader()) == []


async def test_an_operator_sets_a_tier_with_a_reason_and_it_is_written_down(club: Shop) -> None:
    ann = await club.enrol("ann")

    done = await set_tier(club, ann, "gold", "1", until="2027-06-01T00:00:00+08:00")
    again = await set_tier(club, ann, "gold", "1", until="2027-06-01T00:00:00+08:00")
    wrong = [
        await set_tier(club, ann, "diamond", "2"),
        await set_tier(club, ann, "gold", "3", until="2027-06-01T00:00:00+08:00"),
        await set_tier(club, ann, "silver", "4", until="2027-03-10T00:00:00+08:00"),
        await set_tier(club, ann, "silver", "5", reason="x"),
    ]
    forbidden = await club.post(
        SET,
        {"input": {"member": {"id": ann}, "tier": "gold", "reason": "myself", "idempotencyKey": "6"}},
        role=Role.SERVICE,
    )

    assert done == {
        "member": {"tier": {"code": "gold"}, "keeping": {"state": "AT_RISK", "lockedUntil": "2027-05-31T16:00:00Z"}},
        "transaction": {"channel": "tiers", "kind": "set", "reason": "our first guest"},
        "replayed": False,
        "errors": [],
    }
    assert again == {**done, "replayed": True}
    codes = [answer["errors"][0]["code"] for answer in wrong]
    assert codes == ["TIER_NOT_FOUND", "INVALID_VALUE", "INVALID_INSTANT", "INVALID_VALUE"]
    assert wrong[0]["errors"][0]["tiers"] == "regular, silver, gold"
    assert forbidden["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    history = (await club.ask(HISTORY, {"id": ann}))["node"]["tierChanges"]["nodes"]
    assert [(step["tier"]["code"], step["cause"]) for step in history] == [
        ("gold", "OPERATOR"),
        ("regular", "ENROLMENT"),
    ]
    assert history[0]["transaction"] == {"kind": "set", "reason": "our first guest", "actor": "operator:a operator"}
    audit = await club.laurel.store.reader().query("SELECT mutation, reason FROM audit WHERE mutation = 'setTier'")
    assert [tuple(row) for row in audit] == [("setTier", "our first guest")]


async def test_a_tier_that_the_programme_has_not_is_named(club: Shop) -> None:
    ann = await club.enrol("ann")
    answer = await club.post(
        'query ($id: ID!) { node(id: $id) { ... on Member { progress(tier: "diamond") { ratio } } } }', {"id": ann}
    )

    assert answer["errors"][0]["extensions"]["code"] == "TIER_NOT_FOUND"


CHANGES: Final = """query ($document: String!) { ladderChanges(document: $document) {
  rise { former { code } tier { code } memberCount }
  fall { former { code } tier { code } memberCount }
  gone { former { code } tier { code } memberCount }
} }"""


async def test_it_is_told_before_a_ladder_is_published_whom_it_would_move(club: Shop) -> None:
    for name, points in (("ann", 1_000), ("bob", 900), ("cat", 6_000), ("dan", 800)):
        await club.give(await club.enrol(name), points, f"g-{name}")
    kept = await set_tier(club, await club.enrol("eve"), "gold", "1", until="2028-01-01T00:00:00Z")

    async def changes(*replaced: tuple[str, str]) -> Any:
        document = PROGRAMME
        for before, after in replaced:
            document = document.replace(before, after)
        told = (await club.ask(CHANGES, {"document": document}, role=Role.ANALYST))["ladderChanges"]
        return {way: [(m["former"]["code"], m["tier"]["code"], m["memberCount"]) for m in told[way]] for way in told}

    same = await changes()
    easier = await changes(("1000", "850"))
    harder = await changes(("1000", "1300"), ("5000", "9000"))
    without = await changes(("- {id: silver", "- {id: bronze"))
    refused = await club.post(CHANGES, {"document": PROGRAMME}, role=Role.SERVICE)

    assert kept["errors"] == []
    assert same == {"rise": [], "fall": [], "gone": []}
    assert easier == {"rise": [("regular", "silver", 1)], "fall": [], "gone": []}
    # Eighty in a hundred of 1300 are 1040, and of 9000 are 7200; one tier at a time; what is locked stays.
    assert harder == {"rise": [], "fall": [("gold", "silver", 1), ("silver", "regular", 1)], "gone": []}
    assert without == {"rise": [], "fall": [], "gone": [("silver", "bronze", 1)]}
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_what_is_foreseen_by_the_tier_before_spoils_no_answer(club: Shop) -> None:
    mine = "{ viewer { member { tier { code } progress { nextTier { code } criteria { fact current } } } } }"
    ann = await club.enrol("ann")
    for points, tier, following, facts in (
        (1_500, "silver", "gold", ["points_earned", "growth_earned"]),
        (6_000, "gold", None, []),
    ):
        await club.ask(mine, member=ann)
        assert list(club.laurel.tiers_seen.values()) != [tier]
        await club.give(ann, points, f"{points}")
        told = (await club.ask(mine, member=ann))["viewer"]["member"]
        assert told["tier"] == {"code": tier}
        assert told["progress"]["nextTier"] == (following and {"code": following})
        assert [one["fact"] for one in told["progress"]["criteria"]] == facts
        assert told == (await club.ask(mine, member=ann))["viewer"]["member"]
        assert list(club.laurel.tiers_seen.values()) == [tier]
