"""Publishing a version of the programme. It moves no points, so it goes around the committer."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError

from core.engine.work import FUTURE_TOLERANCE
from core.errors import InvalidInstant, Problem, ProgrammeInvalid, Refusal, fact
from core.models import ProgrammeVersionRow
from core.oversight.auditing import write_down
from core.people.membership import check_reason
from core.rulebook.programme import Programme
from core.rulebook.programmes import Version
from core.rulebook.reading import Read
from core.sandbox.clock import settle_clock
from core.store import writer
from core.store.databases import unit_of_work
from core.time.calendar import day_start
from core.time.clock import Clock

_TRIES: Final = 5
AHEAD_MAX: Final = timedelta(days=36_525)
"""A version that begins in more than a hundred years is a slip of the pen, and calendars end."""

Beside = Callable[[int, ProgrammeVersionRow | None], Awaitable[None]]
"""What is written with a version: awaited in its transaction with its number and the newest version before it."""


class StartTaken(Refusal):
    """Another version begins at the same instant: which of the two is meant must not be left to chance."""

    code = "START_TAKEN"
    says = "version {version} begins at {starts_at} already, published by {published_by}: {published_reason}"
    says_zh = "版本 {version} 已定于 {starts_at} 生效，由 {published_by} 发布：{published_reason}"
    version: int = fact("The version that begins then.")
    starts_at: datetime = fact("The instant.")
    published_by: str = fact("Who published it.")
    published_reason: str = fact("Why it was published.")


def check_start(starts_at: datetime, now: datetime, *, in_the_past: bool = False) -> None:
    """Raise InvalidInstant where no version can begin then."""
    if starts_at < now - FUTURE_TOLERANCE and not in_the_past:
        raise InvalidInstant(value=starts_at.isoformat(), reason="a version begins now or later")
    if starts_at > now + AHEAD_MAX:
        raise InvalidInstant(value=starts_at.isoformat(), reason="a version begins within a hundred years")


async def publish(
    document: str,
    *,
    author: str,
    reason: str,
    load: Read,
    clock: Clock,
    starts_at: datetime | None = None,
    in_the_past: bool = False,
    beside: Beside | None = None,
) -> Version:
    """Publish the document as the next version, in force from ``starts_at``; every process sees it at once.

    Without ``starts_at`` the first version begins on the programme's first day, and any other now. ``in_the_past``
    allows a start that lies back, for a programme whose past is imported. What ``beside`` refuses is not published.
    Raises ProgrammeInvalid, InvalidValue for a reason that says nothing, InvalidInstant, StartTaken.
    """
    programme = await load(document)
    # Read by now, so that nobody waits for it while nobody may judge.
    await newest_understood(load)
    check_reason(reason)
    now = clock.now()
    if starts_at is not None:
        check_start(starts_at, now, in_the_past=in_the_past)

    async def write() -> Version:
        # What is being judged is judged to its end by the versions there are, and begins before this one does.
        await writer(get_connection("default")).change_rules()
        newest = await _newest()
        # Who publishes at once means to take over from whatever holds now; who names an instant means that one alone.
        taken = await ProgrammeVersionRow.filter(starts_at=starts_at).first() if starts_at is not None else None
        if taken is not None:
            raise StartTaken(
                version=taken.number,
                starts_at=taken.starts_at,
                published_by=taken.author,
                published_reason=taken.reason,
            )
        number = 1 if newest is None else newest.number + 1
        former = await newest_understood(load)
        if former is not None and former.currency != programme.currency:
            # What members have spent is counted in its minor units, and would count for something else.
            kept = Problem("currency", f"it is {former.currency} in the version before, and cannot change")
            raise ProgrammeInvalid.of((kept,))
        if newest is None:
            await settle_clock()
        # At once means now that nobody is judging, and not when it was asked for.
        begins = starts_at if starts_at is not None and in_the_past else max(starts_at or now, clock.now())
        if newest is None and starts_at is None and programme.starts_on is not None:
            begins = day_start(programme.starts_on, programme.zone)
        await ProgrammeVersionRow.create(
            number=number,
            document=document,
            digest=programme.digest,
            author=author,
            reason=reason,
            starts_at=begins,
            published_at=now,
        )
        if beside is not None:
            await beside(number, newest)
        await write_down(
            now,
            before={} if newest is None else {"version": newest.number, "digest": newest.digest},
            after={"version": number, "digest": programme.digest, "starts_at": begins.isoformat()},
        )
        return Version(number, begins, programme)

    for attempt in range(1, _TRIES + 1):
        try:
            return await unit_of_work(write)
        except IntegrityError:
            # Somebody else took the number; theirs stands, and ours is the next.
            if attempt == _TRIES:
                raise
    raise AssertionError("the last attempt returns or raises")


async def newest_understood(load: Read) -> Programme | None:
    """The newest programme but for versions that are not understood any more: these are what is to be replaced."""
    row = await _newest()
    while row is not None:
        try:
            return await load(row.document)
        except ProgrammeInvalid:
            row = await ProgrammeVersionRow.filter(number__lt=row.number).order_by("-number").first()
    return None


async def _newest() -> ProgrammeVersionRow | None:
    return await ProgrammeVersionRow.all().order_by("-number").first()
