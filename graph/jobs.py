"""Jobs in the schema: where each stands, and letting one be due now."""

from datetime import datetime

import strawberry

from core.scheduling.jobs import JobState
from graph.context import Info
from graph.errors import UserError
from graph.permissions import mutation, query
from graph.tokens import Role


@strawberry.type
class Job:
    """Something that is done when nobody asks: every so often, or daily."""

    name: str = strawberry.field(description="Its name; a plugin's begins with the plugin's.")
    description: str = strawberry.field(description="What it does.")
    schedule: str = strawberry.field(description="When it is due: every 0:15:00, or daily at 09:00.")
    is_running: bool = strawberry.field(description="Whether some process runs it at this moment.")
    due_at: datetime | None = strawberry.field(
        description="When it is due next; null when no process has looked for it yet."
    )
    started_at: datetime | None = strawberry.field(description="When it last began; null for never.")
    finished_at: datetime | None = strawberry.field(description="When it last ended, well or not; null for never.")
    succeeded_at: datetime | None = strawberry.field(
        description="When the run began that last ended well; null for never."
    )
    lag_seconds: int = strawberry.field(description="For how many seconds it has been due; 0 when it is not.")
    runs: int = strawberry.field(description="How often it has run.")
    failures: int = strawberry.field(description="How often it has failed.")
    failures_in_a_row: int = strawberry.field(description="How often it has failed since it last ended well.")
    done: int = strawberry.field(description="How many things the last run that ended well did.")
    error: str | None = strawberry.field(description="What the last run failed with; null when it did not.")

    @classmethod
    def of(cls, state: JobState) -> "Job":
        return cls(
            name=state.job.name,
            description=state.job.says,
            schedule=str(state.job.when),
            is_running=state.is_running,
            due_at=state.next_at,
            started_at=state.started_at,
            finished_at=state.finished_at,
            succeeded_at=state.succeeded_at,
            lag_seconds=int(state.lag.total_seconds()),
            runs=state.runs,
            failures=state.failures,
            failures_in_a_row=state.failures_in_a_row,
            done=state.done,
            error=state.error,
        )


@strawberry.type
class JobQueries:
    """What can be asked about jobs."""

    @query(allow={Role.OPERATOR, Role.ANALYST})
    async def jobs(self, info: Info) -> list[Job]:
        """All jobs by name, and where each stands."""
        return [Job.of(state) for state in await info.context.laurel.jobs.states()]


@strawberry.input
class RunJobInput:
    """A job to run."""

    name: str = strawberry.field(description="The job's name.")


@strawberry.type
class RunJobPayload:
    """What became of the request."""

    job: Job | None = strawberry.field(default=None, description="The job, due now; null when it was refused.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was not."
    )


@strawberry.type
class JobMutations:
    """What can be done about jobs."""

    @mutation(allow={Role.OPERATOR})
    async def run_job(self, info: Info, input: RunJobInput) -> RunJobPayload:
        """Let a job be due now; a process that runs jobs takes it within seconds. Running it twice does nothing twice.

        JOB_NOT_FOUND, JOB_RUNNING.
        """
        return RunJobPayload(job=Job.of(await info.context.laurel.jobs.ask_for(input.name)))
