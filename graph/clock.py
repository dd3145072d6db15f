"""The programme's clock in the schema: what time it is, and moving it in a sandbox."""

from datetime import datetime

import strawberry

from core.sandbox.advancing import Advance
from core.sandbox.clock import moving_to
from core.sandbox.durations import Duration
from core.sandbox.walking import Walked
from graph.context import Info
from graph.errors import UserError
from graph.permissions import EVERYONE, mutation, query
from graph.tokens import Role


@strawberry.type
class Clock:
    """The clock by which points expire, tiers are judged and jobs are due. In a sandbox it is moved."""

    stands_at: datetime = strawberry.field(description="What time it is for the programme.")
    is_sandbox: bool = strawberry.field(description="Whether the database is a sandbox, whose clock can be moved.")
    moving_until: datetime | None = strawberry.field(
        description="Where the clock is on its way to, while somebody moves it; null otherwise."
    )


async def _clock(info: Info) -> Clock:
    clock = info.context.laurel.clock
    moving = await moving_to(clock.machine) if clock.is_sandbox else None
    return Clock(stands_at=info.context.now, is_sandbox=clock.is_sandbox, moving_until=moving)


@strawberry.type
class ClockQueries:
    """What can be asked about the clock."""

    @query(allow=EVERYONE)
    async def clock(self, info: Info) -> Clock:
        """The programme's clock."""
        return await _clock(info)


@strawberry.input
class AdvanceClockInput:
    """How far, or until when; one of both."""

    by: Duration | None = strawberry.field(default=None, description="How far: P12M, P1D, PT90M.")
    until: datetime | None = strawberry.field(default=None, description="Until when.")


@strawberry.type
class JobDone:
    """What a job did while the clock was moved."""

    name: str = strawberry.field(description="The job's name.")
    runs: int = strawberry.field(description="How often it ran.")
    done: int = strawberry.field(description="How many things it did, in all of its runs.")
    failures: int = strawberry.field(description="How many of the runs failed.")
    error: str | None = strawberry.field(description="What its last run failed with; null when it did not.")

    @classmethod
    def of(cls, walked: Walked) -> "JobDone":
        return cls(
            name=walked.job.name, runs=walked.runs, done=walked.done, failures=walked.failures, error=walked.error
        )


@strawberry.type
class AdvanceClockPayload:
    """What became of the move."""

    stood_at: datetime | None = strawberry.field(
        default=None, description="Where the clock stood; null when it was refused."
    )
    clock: Clock | None = strawberry.field(default=None, description="The clock now; null when it was refused.")
    jobs: list[JobDone] = strawberry.field(
        default_factory=list,
        description="What the jobs did on the way, those that were due; empty when it was refused.",
    )
    heard_events: int = strawberry.field(
        default=0, description="How many events were delivered on the way, by the process that moved the clock."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was not."
    )


@strawberry.type
class ClockMutations:
    """What can be done about the clock."""

    @mutation(allow={Role.OPERATOR, Role.SERVICE})
    async def advance_clock(self, info: Info, input: AdvanceClockInput) -> AdvanceClockPayload:
        """Move a sandbox's clock on, two years at most at once, and do what becomes due on the way.

        Afterwards all is as if the time had passed: points have expired, tiers were judged, reminders were sent. Months
        and days are those of the programme's time zone. It answers when the clock has arrived.

        NOT_A_SANDBOX, CLOCK_GOES_FORWARD, CLOCK_TOO_FAR, CLOCK_MOVING, JOB_RUNNING, PROGRAMME_NOT_FOUND, INVALID_VALUE.
        """
        done: Advance = await info.context.laurel.sandbox.advance(by=input.by, until=input.until)
        info.context.wrote()
        return AdvanceClockPayload(
            stood_at=done.was,
            clock=await _clock(info),
            jobs=[JobDone.of(walked) for walked in done.jobs],
            heard_events=done.heard,
        )
