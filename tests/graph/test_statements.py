"""However many members a page has, it costs the same number of statements."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import pytest
from tortoise.connection import get_connection

from core.store import sqlite_immediate
from graph.testing import Shop
from graph.tokens import Role

# What is looked into now and then, whoever asks.
MEANWHILE = ("programme_version", "outbox", "webhook", "job")
PAGE = """query ($first: Int!) { members(first: $first) { nodes {
  externalId status
  tier { code name rank }
  tierHistory { tier { code } at }
  points { available pending held debt balance expiring { points at } }
  growth { available }
  balances { unit balance }
  progress { tier { code } nextTier { code } ratio criteria { fact current required remaining ratio } }
  lots(first: 2) { nodes { remaining expiresAt transaction { kind } } }
  holds(first: 2) { nodes { state } }
  transactions(first: 2) { nodes { kind lots { amount }
    entries { amount moves { amount lot { remaining } } } reversalOf { kind } reversedBy { kind } } }
} } }"""

TIERS = """query ($first: Int!) { members(first: $first) { nodes {
  externalId
  tierChanges(first: 2) { nodes { cause tier { code } transaction { kind } } }
  progress { nextTier { code } ratio criteria { fact since until current required remaining ratio }
    nextActions { fact remaining channels } }
  gold: progress(tier: "gold") { ratio criteria { remaining } }
  keeping { state judgedAt lostAt daysLeft projectedTier { code } ratio criteria { fact required } }
} } }"""


@asynccontextmanager
async def statements() -> AsyncIterator[list[str]]:
    """The statements that SQLite is sent meanwhile."""
    seen: list[str] = []
    client: Any = get_connection("default")
    # Its driver's types forget that None takes the callback away.
    connection: Any = client._connection

    def note(sql: str) -> None:
        # What begins with two dashes is the start of a json_each inside of a statement.
        if not sql.startswith("--") and not any(table in sql for table in MEANWHILE):
            seen.append(sql)

    # Short reads have a connection of their own. One that was given up there would be noted twice.
    with patch.object(sqlite_immediate, "SHORT_INSTRUCTIONS", 10**12):
        await connection.set_trace_callback(note)
        client._reads.set_trace_callback(note)
        try:
            yield seen
        finally:
            client._reads.set_trace_callback(None)
            await connection.set_trace_callback(None)


@pytest.fixture
async def crowd(shop: Shop) -> Shop:
    """A shop with 50 members who have earned, spent, been reversed and have a hold."""
    document = """mutation ($m: ID!, $t: ID!) {
      a: redeemPoints(input: {member: {id: $m}, points: 5, idempotencyKey: "r"}) { errors { code } }
      b: holdPoints(input: {member: {id: $m}, points: 5, idempotencyKey: "h"}) { errors { code } }
      c: reverseTransaction(input: {transaction: $t, points: 3, reason: "a test", idempotencyKey: "v"})
        { errors { code } }
      d: setTier(input: {member: {id: $m}, tier: "silver", until: "2027-01-01T00:00:00Z", reason: "a test",
        idempotencyKey: "t"}) { errors { code } }
    }"""
    for number in range(50):
        member = await shop.enrol(f"m{number}")
        given = await shop.give(member, 100 + number, "g1")
        await shop.give(member, 50, "g2", unit="growth")
        answer = await shop.ask(document, {"m": member, "t": given}, role=Role.OPERATOR)
        assert answer == {"a": {"errors": []}, "b": {"errors": []}, "c": {"errors": []}, "d": {"errors": []}}
    return shop


async def test_a_page_of_members_costs_a_fixed_number_of_statements(crowd: Shop) -> None:
    for page, most in ((PAGE, 17), (TIERS, 4)):
        counted = {}
        for first in (1, 10, 50):
            async with statements() as seen:
                answer = await crowd.ask(page, {"first": first})
            assert len(answer["members"]["nodes"]) == first
            counted[first] = len(seen)

        assert 0 < counted[1] == counted[10] == counted[50]
        assert counted[50] <= most, seen
    assert {member["keeping"]["projectedTier"]["code"] for member in answer["members"]["nodes"]} == {"regular"}


OF_MEMBERS = ("account", "entry", "hold", "lot", "lot_move", "operation", "tally", "tier_change")


async def test_what_is_asked_about_members_is_looked_up_by_member(crowd: Shop) -> None:
    bar = """{ viewer { member { tier { name } points { available pending expiring { points at } } progress { ratio
      criteria { current required } } } } }"""
    anna = (await crowd.ask("{ members(first: 1) { nodes { id } } }"))["members"]["nodes"][0]["id"]
    async with statements() as seen:
        await crowd.ask(PAGE, {"first": 50})
        await crowd.ask(bar, member=anna)

    connection: Any = get_connection("default")
    looked_up = []
    for sql in seen:
        if not sql.lstrip().startswith(("SELECT", "WITH")):
            continue
        for row in await connection.execute_query_dict(f"EXPLAIN QUERY PLAN {sql}"):
            how, _, rest = row["detail"].partition(" ")
            looked_up += [(how, rest, sql)] if names_table(rest, sql) else []

    assert len(looked_up) >= 8
    assert [(rest, sql) for how, rest, sql in looked_up if how == "SCAN" or "member_id=?" not in rest] == []


def names_table(detail: str, sql: str) -> bool:
    """Whether a step of a plan reads a table of members, which may have another name in the statement."""
    named, *_ = detail.split(maxsplit=1)
    of = re.search(rf"\b(?:FROM|JOIN) \"?(\w+)\"? (?:AS )?{named}\b", sql)
    return (of[1] if of else named) in OF_MEMBERS
