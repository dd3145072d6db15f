"""Operators see where every job stands, and let one be due."""

from datetime import timedelta
from typing import Any, Final

import pytest

from core.scheduling.chores import CHORES
from graph.testing import Shop, open_shop
from graph.tokens import Role
from plugins.manager import Plugins
from tests.databases import Apps, SqliteFolder

PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 1}
"""
JOBS: Final = """{ jobs {
  name schedule isRunning dueAt startedAt finishedAt succeededAt lagSeconds runs failures failuresInARow done error
} }"""
RUN: Final = """mutation ($input: RunJobInput!) { runJob(input: $input) {
  job { name dueAt lagSeconds } errors { code ... on JobNotFound { job } }
} }"""


async def run(shop: Shop, name: str) -> Any:
    return (await shop.ask(RUN, {"input": {"name": name}}, role=Role.OPERATOR))["runJob"]


async def test_jobs_show_their_runs_and_can_be_asked_for(sqlite_folder: SqliteFolder, apps: Apps) -> None:
    async with open_shop(sqlite_folder.migrated(apps), PROGRAMME, plugins=Plugins()) as shop:
        ann = await shop.enrol("ann")
        await shop.give(ann, 100, "gift")
        shop.clock.advance(timedelta(days=40))
        unknown = await run(shop, "expired")
        before = (await shop.ask(JOBS, role=Role.ANALYST))["jobs"]
        asked = await run(shop, "expire")
        worked = await shop.laurel.jobs.work()
        after = (await shop.ask(JOBS, role=Role.OPERATOR))["jobs"]

        now = "2026-07-11T12:00:00Z"
        never = {"isRunning": False, "startedAt": None, "finishedAt": None, "succeededAt": None, "error": None}
        nothing = {"lagSeconds": 0, "runs": 0, "failures": 0, "failuresInARow": 0, "done": 0}
        assert unknown == {"job": None, "errors": [{"code": "JOB_NOT_FOUND", "job": "expired"}]}
        assert before[0] == {"name": "expire", "schedule": "every 0:15:00", "dueAt": None, **never, **nothing}
        assert asked == {"job": {"name": "expire", "dueAt": now, "lagSeconds": 0}, "errors": []}
        assert worked == 4
        assert after[0] == {
            "name": "expire", "schedule": "every 0:15:00", "isRunning": False, "dueAt": "2026-07-11T12:15:00Z",
            "startedAt": now, "finishedAt": now, "succeededAt": now, "lagSeconds": 0, "runs": 1, "failures": 0,
            "failuresInARow": 0, "done": 1, "error": None,
        }  # fmt: skip
        (remind,) = [job for job in after if job["name"] == "remind"]
        assert (remind["schedule"], remind["dueAt"]) == ("daily at 09:00", "2026-07-12T01:00:00Z")


@pytest.mark.parametrize("role", [Role.SERVICE, Role.PARTNER, Role.ANALYST])
async def test_only_operators_run_jobs(sqlite_folder: SqliteFolder, apps: Apps, role: Role) -> None:
    async with open_shop(sqlite_folder.migrated(apps), PROGRAMME, plugins=Plugins()) as shop:
        answer = await shop.post(RUN, {"input": {"name": "expire"}}, role=role)

        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        assert await shop.laurel.jobs.lags() == dict.fromkeys((job.name for job in CHORES), 0)
