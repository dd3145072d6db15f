"""What members are likely to do, as staff read it: from CDNOW's orders, beside the same computed from the file."""

import re
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from core.books.members import ByExternalId
from core.engine.operations import Operation
from core.errors import ProgrammeInvalid
from core.files.importing import Reject, examine, import_rows, read
from core.models import PredictionModelRow, PredictionRow
from core.predictions.buying import Buying
from core.predictions.fitting import Payments, fit_buying, fit_spending
from core.trust.freezing import CloseMembership
from examples.data.predict import Days, cdnow
from graph.commands.importing import columns_of, maker
from graph.laurel import tables
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import load_plugins
from plugins.rewards.operations import RedeemReward
from tests.databases import Apps, SqliteFolder
from tests.plugins.orders import told

ROOT: Final = Path(__file__).parents[2]
PLUGINS: Final = load_plugins()
REWARDS: Final = "  rewards: {items: [{id: sticker, name: A sticker, kind: goods, price: 10}]}\n"
PROGRAMME: Final = (
    (ROOT / "examples" / "programmes" / "cdnow.yaml").read_text().replace("channels:\n", f"channels:\n{REWARDS}")
)
NOW: Final = datetime(1998, 7, 1, 12, tzinfo=UTC)
UNTIL: Final = date(1998, 6, 30)
# What was bought for nothing is no order.
PAID: Final = {id: {day: paid for day, paid in days.items() if paid} for id, days in cdnow().items()}
CUSTOMERS: Final = {id: days for id, days in PAID.items() if days and int(id) % 50 == 0}
# As few as a fit needs, and some more.
_CUSTOMERS = sorted(id for id, days in PAID.items() if len([day for day in days if day < date(1997, 12, 1)]) > 1)[:105]
FEW: Final = {id: PAID[id] for id in [*_CUSTOMERS, *sorted(id for id, days in PAID.items() if len(days) == 1)[:60]]}

FIELDS: Final = """
  withheld likelyGone expectedOrders long: expectedOrders(weeks: 39) expectedValue { amount currency }
  pointsDue pointsLikelyLost redemptions
  basis { until orderDays firstOrderOn lastOrderOn average { amount } }
  run { number refused daysHeldBack errors { figure measure model guess } }
"""
MEMBER: Final = f"query ($by: MemberByInput!) {{ member(by: $by) {{ prediction {{ {FIELDS} }} }} }}"
LIABILITY: Final = """
  query { liability {
    months { month available pending likelyLost likelyLostValue { amount } }
    likelyLost likelyLostValue { amount } likelyLostUntil
  } }
"""
LIST: Final = """
  query ($order: PredictionOrder!, $first: Int, $after: String) {
    predictions(order: $order, first: $first, after: $after) {
      nodes { likelyGone pointsLikelyLost pointsDue expectedValue { amount } member { externalId status } }
      pageInfo { hasNextPage endCursor } totalCount
    }
  }
"""
RUNS: Final = """{ predictionRuns { nodes {
  number until members repeaters redeemers refused redeemingRefused daysHeldBack parameters { model name value }
} } }"""


@pytest.fixture(scope="session")
def apps() -> Apps:
    return tables(PLUGINS)


@asynccontextmanager
async def shop_of(
    url: str, folder: Path, customers: Mapping[str, Days], programme: str = PROGRAMME
) -> AsyncIterator[Shop]:
    """A shop at the end of CDNOW's orders, those of a day being one."""
    file = folder / "orders.csv"
    lines = [
        f"{customer}/{day},{customer},{day},{paid:.2f}"
        for day, customer, paid in sorted(
            (day, id, paid) for id, days in customers.items() for day, paid in days.items()
        )
    ]
    file.write_text("\n".join(["reference,member,at,amount", *lines]) + "\n")
    async with open_shop(url, programme, plugins=PLUGINS, now=NOW) as shop:
        importer = PLUGINS.importers["orders"]
        columns = columns_of(importer, None)
        make = maker(importer, shop.laurel, actor="the tests", as_of="row")
        await import_rows(read(examine(file, columns), columns), make, shop.laurel.committer, reject=unexpected)
        yield shop


def unexpected(reject: Reject) -> None:
    raise RuntimeError(reject.reason)


async def submit(shop: Shop, operations: list[Operation]) -> None:
    for at in range(0, len(operations), 500):
        for outcome in await shop.laurel.committer.submit_many(operations[at : at + 500]):
            assert not isinstance(outcome, BaseException)
            assert outcome.accepted, outcome


async def prediction(shop: Shop, external_id: str, role: Role = Role.ANALYST) -> Any:
    data = await shop.ask(MEMBER, {"by": {"externalId": external_id}}, role=role)
    return data["member"]["prediction"]


def buying(days: Days) -> Buying:
    first, last = min(days), max(days)
    return Buying(len(days) - 1, (last - first).days, (UNTIL - first).days)


def average(days: Days) -> float:
    repeats = sorted(days)[1:]
    return sum(days[day] for day in repeats) / len(repeats) if repeats else 0.0


async def test_what_is_predicted_is_what_the_orders_say(fresh_database: str, tmp_path: Path) -> None:
    model = fit_buying(buying(days) for days in CUSTOMERS.values())
    spending = fit_spending([Payments(len(days) - 1, average(days)) for days in CUSTOMERS.values()])
    async with shop_of(fresh_database, tmp_path, CUSTOMERS) as shop:
        assert (await prediction(shop, min(CUSTOMERS)))["withheld"] == "NOT_YET"
        await shop.enrol("nobody")

        assert await shop.laurel.jobs.run("predict") == len(CUSTOMERS) + 1

        for id, days in sorted(CUSTOMERS.items())[::100]:
            found, member = await prediction(shop, id), buying(days)
            assert found["withheld"] is None
            assert float(found["likelyGone"]) == pytest.approx(model.gone(member), abs=1e-3)
            assert float(found["expectedOrders"]) == pytest.approx(model.orders(member, 91), rel=0.01, abs=1e-3)
            assert float(found["long"]) == pytest.approx(model.orders(member, 273), rel=0.01, abs=1e-3)
            value = model.orders(member, 91) * spending.mean(member.repeats, average(days))
            assert float(found["expectedValue"]["amount"]) == pytest.approx(value, rel=0.01, abs=0.02)
            assert found["basis"]["until"] == "1998-06-30"
            assert found["basis"]["orderDays"] == len(days)
            assert found["basis"]["firstOrderOn"] == str(min(days))
            assert found["basis"]["lastOrderOn"] == str(max(days))
            errors = {(one["figure"], one["measure"]): one for one in found["run"]["errors"]}
            assert Decimal(errors["orders", "mean"]["model"]) < Decimal(errors["orders", "mean"]["guess"])
            # Too few have redeemed: what is due is known, and no more.
            assert found["pointsLikelyLost"] is None
            assert found["pointsDue"] >= 0
        assert (await prediction(shop, "nobody"))["withheld"] == "NO_ORDERS"
        (run,) = (await shop.ask(RUNS, role=Role.ANALYST))["predictionRuns"]["nodes"]
        assert (run["number"], run["members"], run["refused"]) == (1, len(CUSTOMERS), None)
        assert run["repeaters"] == sum(len(days) > 1 for days in CUSTOMERS.values())
        assert run["daysHeldBack"] == 181
        assert run["redeemingRefused"] == "NBD of redemptions: 0 members to learn from, 100 are needed"
        liability = (await shop.ask(LIABILITY, role=Role.ANALYST))["liability"]
        assert (liability["likelyLost"], liability["likelyLostValue"], liability["likelyLostUntil"]) == (None,) * 3
        assert [month["likelyLost"] for month in liability["months"]] == [None] * len(liability["months"])


async def test_members_are_listed_by_what_is_predicted(fresh_database: str, tmp_path: Path) -> None:
    async with shop_of(fresh_database, tmp_path, CUSTOMERS) as shop:
        rich = [id for id, days in sorted(CUSTOMERS.items()) if max(days) >= date(1997, 8, 1) and days[max(days)] > 12]
        for time in range(3):
            # More than a chance would have it redeem more than once.
            some = [
                id for n, id in enumerate(rich) if time == 0 or (n % 3 == 0 and CUSTOMERS[id][max(CUSTOMERS[id])] > 36)
            ]
            await submit(shop, [redeeming(id, time) for id in some])
        await shop.laurel.jobs.run("predict")

        for order, value in (
            ("LIKELY_GONE", lambda node: Decimal(node["likelyGone"])),
            ("EXPECTED_VALUE", lambda node: Decimal(node["expectedValue"]["amount"])),
            ("POINTS_LIKELY_LOST", lambda node: node["pointsLikelyLost"]),
        ):
            nodes: list[Any] = []
            after = None
            while True:
                asked = {"order": order, "first": 100, "after": after}
                page = (await shop.ask(LIST, asked, role=Role.OPERATOR))["predictions"]
                nodes += page["nodes"]
                after = page["pageInfo"]["endCursor"]
                if not page["pageInfo"]["hasNextPage"]:
                    break
            assert len(nodes) == page["totalCount"] == len({node["member"]["externalId"] for node in nodes})
            values = [value(node) for node in nodes]
            assert values == sorted(values, reverse=True)
            if order == "POINTS_LIKELY_LOST":
                assert 0 < len(nodes) < len(CUSTOMERS)
                assert all(0 < node["pointsLikelyLost"] <= node["pointsDue"] for node in nodes)
                of_lists = sum(int(each) for each in values)
            else:
                assert len(nodes) == len(CUSTOMERS)
        await check_liability(shop, of_lists)


async def check_liability(shop: Shop, of_lists: int) -> None:
    """What all lose by month: no more than there is, and with the months of the lists no less than these say."""
    liability = (await shop.ask(LIABILITY, role=Role.ANALYST))["liability"]
    months = liability["months"]
    assert liability["likelyLostUntil"] == str(UNTIL)
    assert liability["likelyLost"] == sum(month["likelyLost"] for month in months) > of_lists
    for month in months:
        assert 0 < month["likelyLost"] <= month["available"] + month["pending"]
        assert Decimal(month["likelyLostValue"]["amount"]) == Decimal(month["likelyLost"]) / 100
    soon = sum(month["likelyLost"] for month in months if month["month"] <= "1998-09-01")
    assert soon == pytest.approx(of_lists, rel=0.05)
    growth = await shop.ask(LIABILITY.replace("liability {", 'liability(unit: "growth") {'), role=Role.ANALYST)
    assert growth["liability"]["likelyLost"] is None


def redeeming(external_id: str, number: int) -> RedeemReward:
    return RedeemReward(
        member=ByExternalId(external_id),
        idempotency_key=f"redeem:{number}",
        actor="the tests",
        reward="sticker",
    )


async def test_a_fit_that_is_refused_leaves_the_former_one(
    sqlite_folder: SqliteFolder, apps: Apps, tmp_path: Path
) -> None:
    async with shop_of(sqlite_folder.migrated(apps), tmp_path, FEW) as shop:
        await shop.laurel.jobs.run("predict")
        left, *stay = sorted(id for id, days in FEW.items() if len(days) > 1)
        before = await prediction(shop, stay[0])
        leaving = [left, *stay[95:]]
        await submit(
            shop,
            [
                CloseMembership(member=ByExternalId(id), idempotency_key="close", actor="the tests", reason="a test")
                for id in leaving
            ],
        )
        assert (await prediction(shop, left))["withheld"] == "LEFT"

        await shop.laurel.jobs.run("predict")

        runs = (await shop.ask(RUNS, role=Role.ANALYST))["predictionRuns"]["nodes"]
        assert [(run["number"], run["refused"]) for run in runs] == [
            (2, "MBG/NBD: 95 members to learn from, 100 are needed"),
            (1, None),
        ]
        assert await prediction(shop, stay[0]) == before
        listed = await shop.ask(LIST, {"order": "LIKELY_GONE", "first": 1}, role=Role.SERVICE)
        assert listed["predictions"]["totalCount"] == len(FEW) - len(leaving)


async def test_who_was_forgotten_or_merged_is_predicted_no_more(
    sqlite_folder: SqliteFolder, apps: Apps, tmp_path: Path
) -> None:
    async with shop_of(sqlite_folder.migrated(apps), tmp_path, FEW) as shop:
        await shop.laurel.jobs.run("predict")
        gone, away, stays = sorted(FEW)[:3]
        at = 'reason: "a test", idempotencyKey: "one"'
        erased = await shop.ask(
            f'mutation {{ eraseMember(input: {{member: {{externalId: "{gone}"}}, {at}}})'
            " { member { id } errors { message } } }",
            role=Role.OPERATOR,
        )
        assert erased["eraseMember"]["errors"] == []
        merged = await shop.ask(
            f'mutation {{ mergeMembers(input: {{from: {{externalId: "{away}"}}, into: {{externalId: "{stays}"}},'
            f" {at}}})"
            " { errors { message } } }",
            role=Role.OPERATOR,
        )
        assert merged["mergeMembers"]["errors"] == []
        id = erased["eraseMember"]["member"]["id"]
        await told(shop)

        for by in ({"id": id}, {"externalId": away}):
            data = await shop.ask(MEMBER, {"by": by}, role=Role.ANALYST)
            assert data["member"]["prediction"]["withheld"] == "LEFT"
            assert data["member"]["prediction"]["basis"] is None
        assert await shop.laurel.jobs.run("predict") == len(FEW) - 2
        assert await PredictionRow.all().count() == len(FEW) - 2
        both = FEW[away].keys() | FEW[stays].keys()
        assert (await prediction(shop, stays))["basis"]["orderDays"] == len(both)


async def test_with_little_to_learn_from_nothing_is_predicted_and_it_says_why(
    sqlite_folder: SqliteFolder, apps: Apps, tmp_path: Path
) -> None:
    few = dict(sorted(CUSTOMERS.items())[:50])
    async with shop_of(sqlite_folder.migrated(apps), tmp_path, few) as shop:
        assert await shop.laurel.jobs.run("predict") == 0
        assert (await prediction(shop, min(few)))["withheld"] == "NOT_YET"
        (run,) = (await shop.ask(RUNS, role=Role.ANALYST))["predictionRuns"]["nodes"]
        assert "members to learn from, 100 are needed" in run["refused"]
        assert run["parameters"] == []


async def test_a_shop_without_orders_or_with_those_of_a_month_has_no_past(
    sqlite_folder: SqliteFolder, apps: Apps
) -> None:
    async with open_shop(sqlite_folder.migrated(apps), PROGRAMME, plugins=PLUGINS, now=NOW) as shop:
        await shop.enrol("ann")
        assert await shop.laurel.jobs.run("predict") == 0
        assert (await PredictionModelRow.get(id=1)).refused == "MBG/NBD: 0 days of orders, 90 are needed"
        listed = await shop.ask(LIST, {"order": "EXPECTED_VALUE"}, role=Role.ANALYST)
        assert listed["predictions"]["nodes"] == []
        assert (await prediction(shop, "ann"))["withheld"] == "NOT_YET"


@pytest.mark.parametrize("weeks", [0, -1, 105])
async def test_weeks_that_are_none_or_too_many_are_refused(sqlite_folder: SqliteFolder, apps: Apps, weeks: int) -> None:
    async with open_shop(sqlite_folder.migrated(apps), PROGRAMME, plugins=PLUGINS, now=NOW) as shop:
        await shop.enrol("ann")
        answer = await shop.post(
            f'{{ member(by: {{externalId: "ann"}}) {{ prediction {{ expectedOrders(weeks: {weeks}) }} }} }}',
            role=Role.ANALYST,
        )
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_VALUE"]


async def test_predictions_are_for_staff_and_never_for_the_member(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), PROGRAMME, plugins=PLUGINS, now=NOW) as shop:
        ann = await shop.enrol("ann")
        for query in (
            "{ viewer { member { prediction { likelyGone } } } }",
            "{ predictions { nodes { likelyGone } } }",
            RUNS,
        ):
            answer = await shop.post(query, member=ann)
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        for query in ("{ predictions { nodes { likelyGone } } }", RUNS):
            answer = await shop.post(query, role=Role.PARTNER)
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


# -- never a reason to take anything away -------------------------------------------------------------


@pytest.mark.parametrize("fact", ["member.likely_gone", "member.prediction", "prediction.likely_gone", "likely_gone"])
async def test_no_rule_of_earning_can_ask_for_a_prediction(fact: str) -> None:
    from graph.laurel import load_document

    rule = '{id: dollars, points: "order.amount"}'
    asking = PROGRAMME.replace(rule, f"{{id: dollars, when: '{fact} > 0.5', points: \"order.amount\"}}")

    assert asking != PROGRAMME
    with pytest.raises(ProgrammeInvalid, match="unknown"):
        load_document(PLUGINS, asking)


def test_no_tier_can_be_reached_or_lost_by_a_prediction() -> None:
    from graph.laurel import load_document

    asking = PROGRAMME.replace("fact: points_earned, at_least: 100", "fact: likely_gone, at_least: 1")

    assert asking != PROGRAMME
    with pytest.raises(ProgrammeInvalid):
        load_document(PLUGINS, asking)


def test_nothing_that_gives_takes_judges_or_trusts_reads_predictions() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = [one for one in contracts if one.get("forbidden_modules") == ["core.predictions"]]
    (seen,) = [one for one in contracts if one.get("protected_modules") == ["core.predictions"]]
    assert seen["allowed_importers"] == ["core.scheduling.chores", "graph.prediction", "graph.value"]
    assert set(contract["source_modules"]) >= {
        *("core.books", "core.channels", "core.engine", "core.ladder", "core.people", "core.rulebook", "core.trust"),
        *("core.value", "plugins"),
    }
    knowing = ("core/predictions/", "core/migrations/", "core/models.py", "core/scheduling/chores.py")
    modules = [module for room in ("core", "plugins") for module in (ROOT / room).rglob("*.py")]
    for module in modules:
        if not str(module.relative_to(ROOT)).startswith(knowing):
            text = module.read_text(encoding="utf-8")
            assert not re.search(r"core\.predictions|Prediction(Model)?Row|(FROM|JOIN) prediction", text), module
