"""X15: the shop in a messenger. Ann climbs, is spoken to at each stage of life, and is warned before she falls."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.plugins.channel import told
from tests.plugins.receiver import Receiver, receiving
from tests.programmes.carrier import carried_by
from tests.programmes.conftest import Tell
from tests.programmes.draws import draws
from tests.programmes.story import Life
from tests.programmes.till import holds, pays


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def stage(life: Life) -> tuple[str, list[str]]:
    """Where the brand's backend sees the member: the stage of life, and the tags."""
    query = "query ($id: ID!) { node(id: $id) { ... on Member { lifeCycle { stage } tags { tag } } } }"
    found = (await life.story.shop.ask(query, {"id": life.id}))["node"]
    return found["lifeCycle"]["stage"], [one["tag"] for one in found["tags"]]


async def coupons(life: Life) -> dict[str, str]:
    """The codes of the coupons that can be used, by kind."""
    found = await life.has("coupons(status: OPEN) { nodes { coupon code } }")
    return {one["coupon"]: one["code"] for one in found["coupons"]["nodes"]}


async def benefits(life: Life) -> list[str]:
    return [one["benefit"]["code"] for one in (await life.has("benefits { benefit { code } }"))["benefits"]]


async def test_members_of_the_shop_in_a_messenger(tell: Tell, receiver: Receiver) -> None:
    async with tell("mini-programme", "2026-01-05", variables=carried_by(receiver)) as story:

        async def heard(life: Life) -> list[str]:
            """Which messages have arrived since this was asked last."""
            await told(story.shop)
            mine = [sent for sent in receiver.taken if sent["member"]["externalId"] == life.name.lower()]
            receiver.taken[:] = [sent for sent in receiver.taken if sent not in mine]
            texts.update({sent["data"]["message"]: sent["data"]["text"] for sent in mine})
            return [sent["data"]["message"] for sent in mine]

        texts: dict[str, str] = {}
        story.facts["texts"] = texts
        await story.operates("stockReward", reward="bag", quantity=5)

        # New: a welcome, and many ways to points.
        ann = await story.joins("Ann", "joins: a newcomer, with a coupon and a welcome", birthday="1990-08-20")
        bob = await story.joins("Bob", birthday="1985-08-20", mark=False)
        assert await stage(ann) == ("newcomer", [])
        assert list(await coupons(ann)) == ["welcome"]
        assert await heard(ann) == ["newcomer"]
        assert await ann.signs_in(1, "signs in") == [5]
        assert (await ann.completes("profile", "completes her profile")).points == 20
        first: dict[str, Any] = {
            "amount": story.money("130.00"),
            "code": (await coupons(ann))["welcome"],
            "order": "A1",
            "named": False,
        }
        used = await ann.does("uses her coupon for 130.00", "useCoupon", "coupon { discount { amount } }", **first)
        assert used["coupon"]["discount"] == {"amount": "10.00"}
        assert (await ann.buys("120.00", "pays the other 120.00", reference="A1", mark=True)).points == 120
        assert (await ann.reviews("A1")).points == 10
        shared = await ann.does("shares a teapot", "recordShare", "share { code }", item="teapot")
        code = shared["share"]["code"]
        await ann.does("a friend follows her link", "confirmShare", named=False, code=code, visitor="bob")
        assert ann.last.points == 10
        assert await benefits(ann) == ["wrapping"]
        await ann.does("has a present wrapped for nothing", "useBenefit", benefit="wrapping", reference="A1")

        # Growing: the second order; the third in a month makes her known as a frequent buyer.
        await story.until("2026-01-15")
        await ann.buys("120.00", "buys for 120.00: she is growing")
        assert (await stage(ann), await heard(ann)) == (("growing", []), ["growing"])
        await story.until("2026-01-25")
        await ann.buys("120.00", "buys for 120.00, the third time in a month: a frequent buyer")
        assert await stage(ann) == ("growing", ["frequent"])
        await story.until("2026-02-05")
        assert await stage(ann) == ("growing", [])

        # 1000 points make silver, and who is near is told.
        await ann.buys("300.00")
        assert await heard(ann) == []
        await story.until("2026-03-20")
        near = await ann.buys("294.00", "buys for 294.00: a point is missing to silver, and she is told how near it is")
        assert (near.balance, near.tier) == (999, "member")
        assert (await heard(ann), texts["near"]) == (["near"], "再努力一下：距离白银会员已完成 99%。")
        await story.until("2026-04-10")
        silver = await ann.buys("1.00", "buys for 1.00, the sixth order: 1000 points earned, and mature", mark=True)
        assert (silver.balance, silver.tier) == (1000, "silver")
        assert (await stage(ann), await heard(ann)) == (("mature", []), ["mature"])
        assert await benefits(ann) == ["wrapping", "birthday"]

        await story.until("2026-06-05")
        await ann.buys("100.00")
        await story.until("2026-07-25")
        await ann.buys("99.00")

        # On the birthday points are double, from silver on.
        await story.until("2026-08-20")
        birthday = await ann.buys("200.00", "buys for 200.00 on her birthday: double points", mark=True)
        assert birthday.points == 400
        assert (await bob.buys("200.00", "buys for 200.00 on his birthday, as a common member")).points == 200

        # 3000 more make gold, which tries new products first.
        await story.until("2026-09-10")
        almost = await ann.buys("2400.00", "buys for 2,400.00: a point is missing to gold", mark=True)
        assert (almost.balance, almost.tier) == (3999, "silver")
        await story.until("2026-09-20")
        gold = await ann.buys("1.00", "buys for 1.00: 3000 more than silver", mark=True)
        assert (gold.balance, gold.tier) == (4000, "gold")
        assert await benefits(ann) == ["wrapping", "birthday", "trial"]
        trial = await ann.has("tier { benefits { code hoursAhead } }")
        assert {"code": "trial", "hoursAhead": 72} in trial["tier"]["benefits"]
        assert await heard(ann) == ["near"]

        # Points are spent: 100 pay 1 CNY, up to a fifth of an order.
        await story.until("2026-10-05")
        held = await holds(ann, "has as many points set aside for 100.00 as she may", "100.00", "A10")
        assert (held.points, held.money) == (2000, "20.00")
        paid = await pays(ann, "pays 20.00 with 2,000 points and 80.00 with money", held, mark=True)
        assert paid.points == -2000 + 80
        assert await heard(ann) == []

        # And then she does not come any more: on the wane, dormant, lost, from midnight on, before any job has looked.
        for eve, day, former, entered, brings in (
            ("2026-12-03", "2026-12-04", "mature", "declining", ["wake_up"]),
            ("2027-02-01", "2027-02-02", "declining", "dormant", []),
            ("2027-04-02", "2027-04-03", "dormant", "lost", ["come_back"]),
        ):
            await story.until(eve, "23:59")
            assert await stage(ann) == (former, [])
            story.shop.clock.set(story.at(day, "00:00"))
            assert await stage(ann) == (entered, [])
            await story.until(day, "09:00")
            assert await heard(ann) == [entered]
            assert list(await coupons(ann)) == brings
        assert texts["dormant"] == "您有 2,080 积分在沉睡：100 积分可抵 1 元。"
        way = await story.shop.ask(
            "query ($id: ID!) { node(id: $id) { ... on Member {"
            " lifeCycle { entries(first: 20) { nodes { stage enteredAt coupons } } } } } }",
            {"id": ann.id},
        )
        entries = way["node"]["lifeCycle"]["entries"]["nodes"][::-1]
        assert [(one["stage"], one["enteredAt"], one["coupons"]) for one in entries] == [
            ("newcomer", "2026-01-05T02:00:00Z", []),
            ("growing", "2026-01-15T02:00:00Z", []),
            ("mature", "2026-04-10T02:00:00Z", []),
            ("declining", "2026-12-03T16:00:00Z", ["wake_up"]),
            ("dormant", "2027-02-01T16:00:00Z", []),
            ("lost", "2027-04-02T16:00:00Z", ["come_back"]),
        ]

        # She is won back by 30 CNY.
        await story.until("2027-04-10")
        back: dict[str, Any] = {
            "amount": story.money("230.00"),
            "code": (await coupons(ann))["come_back"],
            "order": "A11",
            "named": False,
        }
        used = await ann.does("is back: uses the coupon over 30 CNY for 230.00", "useCoupon",
                              "coupon { discount { amount } }", **back)  # fmt: skip
        assert used["coupon"]["discount"] == {"amount": "30.00"}
        won = await ann.buys("200.00", "pays the other 200.00: she is mature again", reference="A11", mark=True)
        assert (won.points, (await stage(ann))[0]) == (200, "mature")
        assert await heard(ann) == ["mature"]
        assert (await ann.redeems("bag", "takes a bag with the bear for her points", mark=True)).points == -800
        await draws(ann, "bag", "bear", "draws from the lucky bag, and wins a bear")
        assert ann.last.points == -50
        await ann.does("gives 100 points for books", "donatePoints", project="books", points=100)
        assert ann.balance == 2280 - 950

        # Gold is judged a year after it was reached. First the warning, then the fall, by one tier.
        await story.until("2027-08-21")
        assert "at_risk" in await heard(ann)
        assert texts["at_risk"] == "2027年9月20日前再得 3719 积分，即可保住黄金会员。"
        await story.until("2027-09-19", "23:59")
        assert ann.tier == "gold"
        await story.until("2027-09-20", "00:01")
        assert ann.tier == "silver"
        assert await benefits(ann) == ["wrapping", "birthday"]

        # Silver she keeps: exactly 1000 in the year.
        await story.until("2028-03-01")
        await ann.buys("1000.00", "buys for 1,000.00", mark=True)
        await story.until("2028-09-20")
        assert ann.tier == "silver"
        await story.until("2028-10-10")
        asked: dict[str, Any] = await ann.has("points { available } tier { code }")
        assert asked == {"points": {"available": 1000}, "tier": {"code": "silver"}}
