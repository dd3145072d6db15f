"""Two years of the example programmes, with a leap day: what is lost on which local day, and who was told when."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import orjson
import pytest

from core.oversight.verify import verify
from core.rulebook.publishing import publish
from core.time.calendar import day_start, local_day
from core.time.clock import instant
from graph.ids import global_id
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins
from tests.databases import SqliteFolder
from tests.plugins.channel import standing

PROGRAMMES: Final = Path(__file__).parents[2] / "examples" / "programmes"
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
BEGIN: Final = datetime(2027, 1, 1, 10, tzinfo=SHANGHAI)
REMINDED: Final = (30, 7, 1)

Programme = Callable[[str], AbstractAsyncContextManager[Shop]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("lifetimes"))


@pytest.fixture
def programme(folder: SqliteFolder) -> Programme:
    """Opens a shop with an example programme and every channel there is, at the beginning of 2027."""
    every = load_plugins()
    url = folder.migrated(tables(every))
    return lambda name: open_shop(url, (PROGRAMMES / f"{name}.yaml").read_text(), plugins=every, now=BEGIN)


async def buys(shop: Shop, member: str, said: Mapping[str, Any]) -> None:
    at = shop.clock.now().isoformat()
    order = {"member": {"id": member}, "reference": at, "idempotencyKey": f"order:{at}", **said}
    data = await shop.ask(
        "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { message } } }",
        {"input": order},
    )
    assert data["recordPurchase"]["errors"] == []


def cups(number: int) -> dict[str, Any]:
    line = {"sku": "latte", "category": "coffee", "quantity": str(number), "amount": f"{20 * number}.00"}
    return {"amount": {"amount": line["amount"], "currency": "CNY"}, "lines": [line]}


def pays(amount: int) -> dict[str, Any]:
    return {
        "amount": {"amount": f"{amount}.00", "currency": "CNY"},
        "lines": [{"sku": "stay", "amount": f"{amount}.00"}],
    }


SIGNS_IN: Final[dict[str, Any]] = {}


async def acts(shop: Shop, member: str, said: Mapping[str, Any]) -> None:
    if said is not SIGNS_IN:
        await buys(shop, member, said)
        return
    data = await shop.ask(
        "mutation ($input: RecordSignInInput!) { recordSignIn(input: $input) { errors { message } } }",
        {"input": {"member": {"id": member}, "idempotencyKey": f"sign-in:{shop.clock.now()}"}},
    )
    assert data["recordSignIn"]["errors"] == []


class Life(NamedTuple):
    """What a member does, by local time, and what is lost of it by day."""

    programme: str
    does: Mapping[str, Mapping[str, Any]]
    loses: Mapping[date, int]


LIVES: Final = (
    Life(
        # Nine months; 50 for joining on 1 January.
        "coffee-shop",
        {
            "2027-05-29T10:00": cups(1),
            "2027-05-31T10:00": cups(2),
            "2027-08-31T23:59": cups(3),
            "2027-09-01T00:01": cups(4),
            "2028-02-29T10:00": cups(5),
        },
        {
            date(2027, 10, 1): 50,
            date(2028, 2, 29): 30,  # there is no 31 February, and no 30
            date(2028, 5, 31): 30,
            date(2028, 6, 1): 40,
            date(2028, 11, 29): 50,
        },
    ),
    Life(
        "hotel",
        {
            "2027-01-31T22:00": pays(100),
            "2027-02-28T22:00": pays(200),
            "2028-02-29T00:30": pays(400),
            "2028-08-31T10:00": pays(50),
        },
        {
            date(2028, 2, 28): 300,  # the stay of the day after came too late
            date(2029, 8, 31): 450,
        },
    ),
    Life(
        "hotel-activity",
        {
            "2027-01-31T10:00": pays(100),
            "2027-10-30T23:59": SIGNS_IN,  # not yet in the last three months
            "2027-10-31T00:00": SIGNS_IN,
            "2028-04-30T10:00": pays(200),
        },
        {
            date(2028, 1, 30): 1,
            date(2028, 1, 31): 1,
            date(2029, 1, 31): 100,  # a year and twice six months
            date(2029, 4, 30): 200,
        },
    ),
    Life(
        # Twelve months; 50 for joining on 1 January; bronze members are given double.
        "sme",
        {"2027-02-28T10:00": pays(100), "2027-12-31T23:59": pays(10), "2028-02-29T10:00": pays(100)},
        {
            date(2028, 1, 1): 50,
            date(2028, 2, 28): 200,
            date(2028, 12, 31): 20,
            date(2029, 2, 28): 200,
        },
    ),
)


async def told(shop: Shop) -> list[tuple[date, date, int, int]]:
    """Every reminder: the local day on which it was told, and of which day, how many points, how many days before."""
    rows = await shop.laurel.store.reader().query(
        "SELECT effective_at, result FROM operation WHERE kind = 'remind' ORDER BY effective_at"
    )
    return [
        (local_day(instant(at), SHANGHAI), date.fromisoformat(event["expires_on"]), event["points"], event["days"])
        for at, result in rows
        for event in orjson.loads(result).get("events", ())
    ]


def visited(life: Life) -> list[datetime]:
    """When somebody looks: at every act, and at ten of the days around each loss and each reminder."""
    around = {
        day - timedelta(days=before + days) for day in life.loses for before in (0, *REMINDED) for days in (-1, 0, 1)
    }
    mornings = {datetime.combine(day, time(10), SHANGHAI) for day in around}
    return sorted(mornings | {datetime.fromisoformat(at).replace(tzinfo=SHANGHAI) for at in life.does})


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.programme)
async def test_everything_is_lost_on_its_local_day_and_told_of_three_times(programme: Programme, life: Life) -> None:
    async with programme(life.programme) as shop:
        ann = await shop.enrol("ann")
        lost: dict[date, int] = {}
        before, _ = await standing(shop, ann)
        for at in visited(life):
            midnight = day_start(local_day(at, SHANGHAI), SHANGHAI)
            if shop.clock.now() < midnight:
                # No job runs before it: what is lost is lost by itself, at this instant and not before.
                shop.clock.set(midnight - timedelta(microseconds=1))
                assert (await standing(shop, ann))[0] == before
                shop.clock.set(midnight)
                available, _ = await standing(shop, ann)
                if available != before:
                    lost[local_day(at, SHANGHAI)] = before - available
            shop.clock.set(at.astimezone(UTC))
            await shop.laurel.jobs.work()
            said = life.does.get(f"{at:%Y-%m-%dT%H:%M}")
            if said is not None:
                await acts(shop, ann, said)
            before, _ = await standing(shop, ann)

        assert lost == life.loses
        assert sorted(await told(shop)) == sorted(
            (day - timedelta(days=days), day, points, days) for day, points in life.loses.items() for days in REMINDED
        )
        assert await verify(shop.laurel.store.reader()) == []


@pytest.mark.parametrize("name", [life.programme for life in LIVES])
async def test_with_all_jobs_off_the_last_instant_still_buys_and_the_next_does_not(
    programme: Programme, name: str
) -> None:
    query = "mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { errors { code } } }"
    async with programme(name) as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        for member in (ann, bob):
            await shop.give(member, 7, f"gift for {member}")
        (lots,) = await shop.laurel.store.reader().query("SELECT MIN(expires_at), MAX(expires_at) FROM lot")
        lapse = instant(lots[0])
        assert lots[0] == lots[1]
        # Midnight in Shanghai, of a day that many months after.
        assert lapse.astimezone(SHANGHAI).time() == time(0)
        before = [(await standing(shop, member))[0] for member in (ann, bob)]

        async def spend(member: str) -> list[str]:
            said = {"member": {"id": member}, "points": before[0], "idempotencyKey": f"{member}{shop.clock.now()}"}
            answer = await shop.ask(query, {"input": said})
            return [error["code"] for error in answer["redeemPoints"]["errors"]]

        shop.clock.set(lapse - timedelta(microseconds=1))
        in_time = await spend(ann)
        shop.clock.set(lapse)
        too_late = await spend(bob)

        assert (in_time, too_late) == ([], ["INSUFFICIENT_POINTS"])
        assert [(await standing(shop, member))[0] for member in (ann, bob)] == [0, 0]
        # Nobody has written the loss down, and the refusal has left nothing.
        reader = shop.laurel.store.reader()
        assert await reader.query("SELECT COUNT(*) FROM entry WHERE contra = 'breakage'") == [(0,)]
        assert await reader.query("SELECT COUNT(*) FROM entry WHERE contra = 'redemption'") == [(1,)]
        assert await verify(reader) == []


async def extend(shop: Shop, member: str, key: str, **said: Any) -> Any:
    query = """
        mutation ($input: ExtendPointsInput!) {
          extendPoints(input: $input) {
            points
            member { lots { nodes { remaining expiresAt extensions { former cause transaction { reason actor } } } } }
            errors { code message }
          }
        }
    """
    said = {"member": {"id": member}, "reason": "you were in hospital", "idempotencyKey": key, **said}
    return (await shop.ask(query, {"input": said}, role=Role.OPERATOR))["extendPoints"]


async def test_an_operator_extends_with_a_reason_and_nobody_can_shorten(programme: Programme) -> None:
    async with programme("coffee-shop") as shop:
        ann, bob = await shop.enrol("ann"), await shop.enrol("bob")
        bobs = await shop.ask(
            "query ($id: ID!) { node(id: $id) { ... on Member { lots { nodes { id } } } } }", {"id": bob}
        )
        others = bobs["node"]["lots"]["nodes"][0]["id"]

        wrong: list[dict[str, Any]] = [
            {"expiresOn": "2027-01-01"},
            {"expiresOn": "2127-01-02"},
            {"expiresOn": "2027-10-01"},
            {"expiresOn": "2027-05-01"},
            {"expiresOn": "2027-12-01", "reason": " "},
            {"expiresOn": "2027-12-01", "unit": "stars"},
            {"expiresOn": "2027-12-01", "lots": [others]},
            {"expiresOn": "2027-12-01", "lots": [others[:-4]]},
        ]
        answers = [await extend(shop, ann, f"no {number}", **said) for number, said in enumerate(wrong)]
        refused = [answer["errors"][0]["code"] for answer in answers]
        done = await extend(shop, ann, "yes", expiresOn="2027-12-01")
        again = await extend(shop, ann, "yes", expiresOn="2027-12-01")
        shop.clock.set(datetime(2027, 12, 1, tzinfo=SHANGHAI))
        (too_late,) = (await extend(shop, ann, "late", expiresOn="2028-12-01"))["errors"]

        assert refused == [
            "INVALID_INSTANT",
            "INVALID_INSTANT",
            "NOTHING_TO_EXTEND",
            "NOTHING_TO_EXTEND",
            "INVALID_VALUE",
            "UNKNOWN_UNIT",
            "LOT_NOT_FOUND",
            "INVALID_ID",
        ]
        assert done == again
        assert done["points"] == 50
        assert done["member"]["lots"]["nodes"] == [
            {
                "remaining": 50,
                "expiresAt": "2027-11-30T16:00:00Z",
                "extensions": [
                    {
                        "former": "2027-09-30T16:00:00Z",
                        "cause": "OPERATOR",
                        "transaction": {"reason": "you were in hospital", "actor": "operator:a operator"},
                    }
                ],
            }
        ]
        assert too_late["code"] == "NOTHING_TO_EXTEND"
        assert await verify(shop.laurel.store.reader()) == []


async def test_a_new_version_says_beforehand_whose_points_it_would_have_changed_and_changes_none(
    programme: Programme,
) -> None:
    query = """
        query ($document: String!) {
          expiryChanges(document: $document) {
            unit
            sooner { points lots memberCount members { externalId } }
            later { points }
            noLongerRenewed { points memberCount }
          }
        }
    """
    async with programme("hotel") as shop:
        document = (PROGRAMMES / "hotel.yaml").read_text()
        for name in ("ann", "bob"):
            await buys(shop, await shop.enrol(name), {**pays(100), "reference": name, "idempotencyKey": name})
        policy = "{mode: renewed, months: 12, by: [orders], remind_days: [30, 7, 1]}"

        async def change(to: str) -> Any:
            asked = {"document": document.replace(policy, to)}
            points, growth = (await shop.ask(query, asked, role=Role.ANALYST))["expiryChanges"]
            assert growth["sooner"]["lots"] == 0
            return points

        same, shorter, longer, fixed = [
            await change(to)
            for to in (policy, "{mode: renewed, months: 6}", "{mode: never}", "{mode: per_lot, months: 12}")
        ]
        await publish(
            document.replace(policy, "{mode: per_lot, months: 1}"),
            author="a test",
            reason="to save",
            load=shop.laurel.load,
            clock=shop.clock,
        )
        shop.clock.set(datetime(2027, 12, 31, 23, 59, tzinfo=SHANGHAI))
        (ann,) = [row for (row,) in await shop.laurel.store.reader().query("SELECT id FROM member LIMIT 1")]

        none = {"points": 0, "lots": 0, "memberCount": 0, "members": []}
        assert same == {
            "unit": "points",
            "sooner": none,
            "later": {"points": 0},
            "noLongerRenewed": {"points": 0, "memberCount": 0},
        }
        assert (shorter["sooner"]["points"], shorter["sooner"]["memberCount"]) == (200, 2)
        assert {member["externalId"] for member in shorter["sooner"]["members"]} == {"ann", "bob"}
        assert (longer["later"]["points"], longer["sooner"]) == (200, none)
        assert (fixed["sooner"], fixed["noLongerRenewed"]) == (none, {"points": 200, "memberCount": 2})
        assert (await standing(shop, global_id("Member", ann)))[0] == 100
