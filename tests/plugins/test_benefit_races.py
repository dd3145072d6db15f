"""Four processes want the last uses of one member's benefit at the same moment, on every database."""

from collections import Counter
from typing import Final

import pytest

from core.oversight.verify import verify
from core.time.clock import SystemClock
from graph.laurel import tables
from graph.testing import open_shop
from plugins.manager import Plugins
from tests.databases import Apps
from tests.plugins.channel import only
from tests.plugins.orders import document
from tests.plugins.test_channel_races import PROCESSES, race
from tests.processes.racing import Racers

PROGRAMME: Final = document("""
  coupon: {coupons: [{id: five, name: Five off, amount: "5.00"}]}
  benefit:
    benefits:
      - {id: wrapping, name: Gift wrapping, kind: service, per: membership, quota: 3}
      - {id: welcome, name: Five off, kind: coupon, coupons: [five], per: membership}
""")


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return only("purchase", "coupon", "benefit")


@pytest.fixture(scope="module")
def apps(plugins: Plugins) -> Apps:
    return tables(plugins)


async def test_of_four_processes_no_more_use_a_benefit_than_its_quota_and_one_gives_its_coupon(
    fresh_database: str, racers: Racers, plugins: Plugins
) -> None:
    async with open_shop(fresh_database, PROGRAMME, plugins=plugins, now=SystemClock().now()) as shop:
        ann = await shop.enrol("ann")
    everywhere = ["ann"] * PROCESSES

    outcomes = await race(
        racers,
        fresh_database,
        plugins,
        *(
            {"kind": "use_benefit", "members": everywhere, "benefit": "wrapping", "reference": f"A{number}"}
            for number in range(8)
        ),
        {"kind": "collect_benefit", "members": everywhere, "benefit": "welcome"},
    )

    done = Counter((outcome["kind"], outcome["refusal"]) for outcome in outcomes)
    assert done["use", None] == 3
    # With the order of another process it was used already, or it was used up.
    assert done["use", "BENEFIT_ALREADY_USED"] + done["use", "BENEFIT_USED_UP"] == 8 * PROCESSES - 3
    assert done["collect", None] == 1
    assert done["collect", "BENEFIT_USED_UP"] == PROCESSES - 1
    async with open_shop(fresh_database, None, plugins=plugins, now=SystemClock().now()) as shop:
        query = """query ($id: ID!) { node(id: $id) { ... on Member {
          benefits { used left } benefitUses { totalCount } coupons { totalCount } } } }"""
        assert (await shop.ask(query, {"id": ann}))["node"] == {
            "benefits": [{"used": 3, "left": 0}, {"used": 1, "left": 0}],
            "benefitUses": {"totalCount": 4},
            "coupons": {"totalCount": 1},
        }
        assert await verify(shop.laurel.store.reader(), plugins.invariants) == []
