"""The plugin's chores: who is absent is told of, and what was sent is listed for a while and then forgotten."""

from datetime import time
from typing import Final

from core.scheduling.jobs import Daily, Job, Run
from core.time.clock import microseconds

from .absence import tell_absent
from .models import WAITING, MemberMessage
from .rules import CHANNEL, MessageSettings

_AT_ONCE_MAX: Final = 1_000


async def forget_old(run: Run) -> int:
    """Drop the list of what was sent so long ago that the programme keeps it no more."""
    settings = run.programme.channels.get(CHANNEL)
    if not isinstance(settings, MessageSettings):
        return 0
    until, done = microseconds(settings.kept_since(run.now)), 0
    while True:
        rows = await run.reader.query(
            f"SELECT bucket, member_id, message_id FROM member_message WHERE queued_at < {until}"
            f" AND state <> '{WAITING}' ORDER BY queued_at LIMIT {_AT_ONCE_MAX}"
        )
        for bucket, member_id, message_id in rows:
            done += await MemberMessage.filter(bucket=bucket, member_id=member_id, message_id=message_id).delete()
        if len(rows) < _AT_ONCE_MAX:
            return done


JOBS: Final = (
    Job(
        name="message_absent",
        says="Tells that members have not been there for as long as the programme asks for.",
        when=Daily(time(9, 30)),
        run=tell_absent,
    ),
    Job(
        name="message_forget",
        says="Drops from the list of messages what was sent too long ago to be kept.",
        when=Daily(time(3, 30)),
        run=forget_old,
    ),
)
