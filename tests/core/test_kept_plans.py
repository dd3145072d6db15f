"""PostgreSQL keeps the plans of look-ups by key, and plans by the values where these decide how many rows there are."""

import pytest

from core.books.figures import BALANCES, Balances, Totals
from core.books.lots import Lot
from core.books.members import Member
from core.books.tallies import Tally
from core.store import Store
from core.store.questions import Rows
from core.store.tables import table_of
from core.time.clock import SystemClock

pytestmark = [
    pytest.mark.usefixtures("connected"),
    pytest.mark.parametrize("database_server", ["postgres"], indirect=True),
]

TIMES = 10
PLANS = "SELECT generic_plans > 0, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%FROM%' || $1 || '%'"


async def test_a_look_up_by_key_is_planned_a_few_times() -> None:
    now = SystemClock().now()
    async with Store().transaction() as reader:
        for _ in range(TIMES):
            await BALANCES.answer(reader, [Balances.key("a", "points", now)])
            await Totals().answer(reader, Totals.keys("a", [("spend", 20_000)]))
            await Rows(Lot, ("bucket", "member_id"), "remaining > 0").answer(reader, [(1, "a")])
            await Rows(Member, ("external_id",)).answer(reader, [("a",)])
            await reader.lock(table_of(Member), ("bucket", "id"), [(1, "a")])
        plans = await reader.query(PLANS, ["unnest"])

    assert [tuple(plan) for plan in plans] == [(True, 5)] * 5


@pytest.mark.parametrize("many", [1, 30])
async def test_periods_are_planned_for_as_many_as_there_are(many: int) -> None:
    sql = "SELECT k.k0, SUM(t.amount) FROM {keys} {join} tally t ON t.name = 'orders' AND t.day BETWEEN k.k0 AND k.k1"
    periods = [(day, day + 6) for day in range(20_000, 20_000 + 7 * many, 7)]
    async with Store().transaction() as reader:
        plan = await reader.look_up(f"EXPLAIN {sql} GROUP BY k.k0", table_of(Tally), ("day", "day"), periods)

    assert any("Function Scan on k" in line and f"rows={many} " in line for (line,) in plan)


async def test_what_is_looked_for_by_a_filter_is_planned_by_its_values() -> None:
    # The plan for any tier goes through all members in the order that is asked for: nobody is found of a tier of few.
    async with Store().transaction() as reader:
        await reader.query("SELECT id FROM member WHERE tier = $1 ORDER BY enrolled_at, id LIMIT 21", ["gold"])
        plans = await reader.query(PLANS, ["tier ="])

    assert [tuple(plan) for plan in plans] == [(False, 1)]
