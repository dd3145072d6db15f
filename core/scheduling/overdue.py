"""Finding what is to be judged of members: by an index, so that it costs what is due and not what there is."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from core.books.members import BUCKETS
from core.engine.operations import Operation
from core.errors import ProgrammeInvalid
from core.ladder.judging import Judge, Judgement, Judges, due_at, judgement
from core.rulebook.programmes import Programmes
from core.scheduling.jobs import Every, Job, Run
from core.scheduling.sweep import Due, settle
from core.store.dialect import Reader
from core.store.tables import Row
from core.time.clock import instant, microseconds

_SLICES: Final = 64
"""How many parts the members are read in, so that memory does not grow with a new version."""


def job_of(judges: Judges) -> Job:
    """The job that judges those to whom nothing happens."""

    async def judge(run: Run) -> int:
        done = 0
        for channel, kind in judges.items():
            if has_begun(channel, run.programmes, run.now, run.since):
                async for operations in adoptions(run.reader, kind, run.programmes, run.now, run.actor):
                    done += await run.submit(operations)
        async for _, outcomes in settle(run.reader, run.committer, judgements_due(judges, run.actor, run.now)):
            done += len(outcomes)
        return done

    return Job(
        name="judge",
        says="Judges what turns with time: stages of life, tags and the like, whether or not the member does anything.",
        when=Every(timedelta(minutes=1)),
        run=judge,
    )


def judgements_due(judges: Judges, actor: str, now: datetime) -> Due:
    """What is due, by the index of the instants."""

    def operation(row: Row) -> Operation:
        member_id, channel, number, due = row
        at = instant(due)
        return judgement(judges[channel], member_id, Judgement(channel, number, at, 0), at, actor)

    known = ", ".join(f"'{channel}'" for channel in sorted(judges))
    where = f"due_at <= {microseconds(now)} AND channel IN ({known})"
    return Due("member_id, channel, number, due_at", "judgement", where, "due_at", operation)


def has_begun(channel: str, programmes: Programmes, now: datetime, since: datetime | None) -> bool:
    """Whether a version with another section of the channel has come into force since then."""
    fresh = [v for v in programmes.versions if v.starts_at <= now and (since is None or v.starts_at > since)]
    try:
        before = None if since is None else programmes.latest(since)
    except ProgrammeInvalid:
        return bool(fresh)  # it is not understood any more, so whatever comes after it may be another
    section = None if before is None else before.programme.channels.get(channel)
    return any(version.programme.channels.get(channel) != section for version in fresh)


async def adoptions(
    reader: Reader, kind: type[Judge], programmes: Programmes, now: datetime, actor: str
) -> AsyncIterator[Sequence[Operation]]:
    """The first judgement of everybody whom an earlier version of the channel's section has judged, or none, in parts.

    All members are looked at, once for each version that changes the section.
    """
    channel, width = kind.channel, BUCKETS // _SLICES
    for part in range(_SLICES):
        rows = await reader.query(
            "SELECT m.id, m.enrolled_at, j.number, j.due_at, j.version FROM member m LEFT JOIN judgement j"
            f" ON j.bucket = m.bucket AND j.member_id = m.id AND j.channel = '{channel}'"
            f" WHERE m.bucket >= {part * width} AND m.bucket < {(part + 1) * width}"
            " AND m.merged_into IS NULL ORDER BY m.bucket, m.id"
        )
        found = []
        for member_id, enrolled_at, number, due, version in rows:
            row = None
            if number is not None:
                row = Judgement(channel, number, None if due is None else instant(due), version)
            at = due_at(channel, instant(enrolled_at), row, programmes, now)
            if at is not None and at <= now:
                found.append(judgement(kind, member_id, row, at, actor))
        yield found
