"""The jobs that every programme has."""

from collections.abc import Sequence
from datetime import time, timedelta
from typing import Final

from core.people.remedies import REMEDIES
from core.predictions.predicting import predict
from core.predictions.tagging import tag
from core.scheduling.jobs import Daily, Every, Job, Run
from core.scheduling.reminders import reminders_due
from core.scheduling.reviewing import adoptions, begun, reviews_due
from core.scheduling.sweep import release_overdue, settle, sweep
from core.value.redemption_cost import watch


async def _expire(run: Run) -> int:
    return (await sweep(run.reader, run.committer, run.now, actor=run.actor)).done


async def _release(run: Run) -> int:
    return await release_overdue(run.reader, run.committer, run.now, actor=run.actor)


async def _remind(run: Run) -> int:
    done = 0
    async for reminders in reminders_due(run.reader, run.programme, run.now, run.since, actor=run.actor):
        done += await run.submit(reminders)
    return done


async def _review(run: Run) -> int:
    done = 0
    for version in begun(run.programmes, run.now, run.since):
        async for operations in adoptions(run.reader, version, actor=run.actor):
            done += await run.submit(operations)
    async for _, outcomes in settle(run.reader, run.committer, reviews_due(run.actor, run.now)):
        done += len(outcomes)
    return done


async def _predict(run: Run) -> int:
    done = await predict(run)
    await tag(run)
    return done


CHORES: Final[Sequence[Job]] = (
    Job(
        name="expire",
        says="Writes down the points that have expired. Nobody could spend them before that either.",
        when=Every(timedelta(minutes=15)),
        run=_expire,
    ),
    Job(
        name="holds",
        says="Gives back the points of holds whose time is over.",
        when=Every(timedelta(minutes=1)),
        run=_release,
    ),
    Job(
        name="remind",
        says="Tells members what they are about to lose, on the days that the programme names.",
        when=Daily(time(9)),
        run=_remind,
    ),
    Job(
        name="tiers",
        says="Warns whose tier is at risk, judges the tiers that are due, and lets new ladders hold.",
        when=Every(timedelta(minutes=1)),
        run=_review,
    ),
    Job(
        name="redemption_cost",
        says="Tells when the cost of redemption leaves the programme's band, and when it is back.",
        when=Daily(time(6)),
        run=watch,
    ),
    Job(
        name="predict",
        says="Expects what members will do, judges how good that is, and tags them by it; needs laurel[predictions].",
        when=Daily(time(4)),
        run=_predict,
    ),
    REMEDIES,
)
