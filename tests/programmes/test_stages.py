"""The stages of life of ``mini-programme``, from newcomer to lost, and what each is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from core.oversight.verify import verify
from graph.testing import Shop, open_shop
from plugins.manager import load_plugins
from tests.plugins.channel import told
from tests.plugins.orders import buy, of_member
from tests.plugins.receiver import receiving
from tests.plugins.test_message import SECRET

PROGRAMME: Final = Path(__file__).parents[2] / "examples" / "programmes" / "mini-programme.yaml"
MONDAY: Final = datetime(2026, 1, 5, 4, tzinfo=UTC)
SHOWN: Final = """lifeCycle { stage name entries(first: 20) { nodes { stage enteredAt coupons } } } tags { tag name }
  coupons { nodes { coupon status } }"""


async def seen(shop: Shop, member: str) -> Any:
    found = await of_member(shop, member, SHOWN)
    found["way"] = [
        (one["stage"], one["enteredAt"][:10], one["coupons"]) for one in found["lifeCycle"]["entries"]["nodes"][::-1]
    ]
    return found


async def test_a_member_grows_ripens_wanes_is_lost_and_is_spoken_to_at_each_stage(tmp_path: Path) -> None:
    async with receiving() as receiver:
        variables = {
            "LAUREL_MESSAGE_WEBHOOK_URL": receiver.url,
            "LAUREL_MESSAGE_WEBHOOK_SECRET": SECRET,
            "LAUREL_MESSAGE_WEBHOOK_PRIVATE": "yes",
        }
        async with open_shop(tmp_path, PROGRAMME.read_text(), now=MONDAY, variables=variables) as shop:
            await shop.laurel.deliverer.refresh()
            ann = await shop.enrol("ann")
            for number in range(6):
                await buy(shop, ann, f"A{number}", "120.00")
                if number == 2:
                    assert (await seen(shop, ann))["tags"] == [{"tag": "frequent", "name": "高频用户"}]
                shop.clock.advance(timedelta(days=10 if number < 2 else 20))
            # Nobody has looked for half a year, and no job has run.
            shop.clock.advance(timedelta(days=161))
            lost = await seen(shop, ann)
            assert (lost["lifeCycle"]["stage"], lost["lifeCycle"]["name"], lost["tags"]) == ("lost", "流失期", [])
            await shop.laurel.jobs.run("judge")
            lost = await seen(shop, ann)
            await buy(shop, ann, "back", "120.00")
            await told(shop)

            assert lost["way"] == [
                ("newcomer", "2026-01-05", []),
                ("growing", "2026-01-15", []),
                ("mature", "2026-03-26", []),
                ("declining", "2026-05-24", ["wake_up"]),
                ("dormant", "2026-07-23", []),
                ("lost", "2026-09-21", ["come_back"]),
            ]
            assert [one["coupon"] for one in lost["coupons"]["nodes"]] == ["come_back", "wake_up", "welcome"]
            assert (await seen(shop, ann))["lifeCycle"]["stage"] == "mature"
            assert await verify(shop.laurel.store.reader(), load_plugins().invariants) == []
    told_of_stages = [sent["data"] for sent in receiver.taken if sent["data"]["event"] == "life_cycle.entered"]
    assert [sent["message"] for sent in told_of_stages] == [
        "newcomer",
        "growing",
        "mature",
        "declining",
        "dormant",
        "lost",
        "mature",
    ]
