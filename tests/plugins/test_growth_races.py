"""Fifty members in four processes at the same moment: a budget is not overspent, and no invitation is counted twice."""

from collections import Counter
from typing import Any

import pytest

from core.oversight.verify import verify
from core.store import Store
from core.time.clock import SystemClock
from graph.laurel import tables
from graph.testing import Shop, open_shop
from plugins.manager import Plugins
from tests.databases import Apps
from tests.plugins.channel import only
from tests.plugins.orders import document
from tests.processes.racing import Racers

NAMES = ("purchase", "campaign", "referral")
PROCESSES = 4
CALLERS = 50

PROGRAMME = document(
    """
  campaign:
    campaigns:
      - id: sale
        title: Sale
        budget: 100
        bonus: {groups: [{id: fix, add: sum, rules: [{id: seven, points: 7}]}]}
  referral: {inviter: 80, invitee: 80, a_month: 10}
"""
)


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return only(*NAMES)


@pytest.fixture(scope="module")
def apps(plugins: Plugins) -> Apps:
    return tables(plugins)


async def race(racers: Racers, url: str, members: list[str], **request: Any) -> list[dict[str, Any]]:
    """What became of each member's request."""
    requests = [{"members": members, **request}]
    outcomes = await racers.run("channels", url, processes=PROCESSES, plugins=NAMES, requests=requests)
    assert len(outcomes) == len(members)
    assert [outcome for outcome in outcomes if "error" in outcome] == []
    return outcomes


async def enrolled(shop: Shop) -> list[str]:
    members = [f"member {number}" for number in range(CALLERS)]
    for member in members:
        await shop.enrol(member)
    return members


async def test_a_budget_of_a_hundred_gives_fifty_orders_a_hundred(
    fresh_database: str, racers: Racers, plugins: Plugins
) -> None:
    async with open_shop(fresh_database, PROGRAMME, plugins=plugins, now=SystemClock().now()) as shop:
        members = await enrolled(shop)

    outcomes = await race(racers, fresh_database, members, kind="record_purchase", reference="A1", amount="10.00")

    assert [outcome["refusal"] for outcome in outcomes] == [None] * CALLERS
    given = [event["points"] for outcome in outcomes for event in outcome["result"]["events"] if "campaign" in event]
    assert Counter(given) == {7: 14, 2: 1, 0: CALLERS - 15}
    async with open_shop(fresh_database, None, plugins=plugins, now=SystemClock().now()) as shop:
        assert await verify(Store().reader()) == []
        ((points,),) = await shop.laurel.store.reader().query("SELECT SUM(credited - debited) FROM account")
        assert int(points) == 10 * CALLERS + 100
        (found,) = (await shop.ask("{ campaigns { budget { used left } } }"))["campaigns"]
        assert found["budget"] == {"used": 100, "left": 0}


async def test_of_fifty_friends_at_once_ten_count_in_the_month(
    fresh_database: str, racers: Racers, plugins: Plugins
) -> None:
    async with open_shop(fresh_database, PROGRAMME, plugins=plugins, now=SystemClock().now()) as shop:
        ann, members = await shop.enrol("ann"), await enrolled(shop)
        issued = await shop.ask(
            "mutation ($input: IssueReferralCodeInput!) { issueReferralCode(input: $input) { referralCode } }",
            {"input": {"member": {"id": ann}, "idempotencyKey": "code"}},
        )

    code = issued["issueReferralCode"]["referralCode"]
    outcomes = await race(racers, fresh_database, members, kind="accept_referral", code=code)

    assert Counter(outcome["refusal"] for outcome in outcomes) == {None: 10, "INVITATIONS_USED_UP": CALLERS - 10}
    async with open_shop(fresh_database, None, plugins=plugins, now=SystemClock().now()) as shop:
        query = "query ($id: ID!) { node(id: $id) { ... on Member { referral { invited } } } }"
        assert (await shop.ask(query, {"id": ann}))["node"] == {"referral": {"invited": 10}}
