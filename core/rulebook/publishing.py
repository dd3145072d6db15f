"""Publishing a version of the programme. It moves no points, so it goes around the committer."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from tortoise.exceptions import IntegrityError

from core.engine.work import FUTURE_TOLERANCE
from core.errors import InvalidInstant, Problem, ProgrammeInvalid
from core.models import ProgrammeVersionRow
from core.oversight.auditing import write_down
from core.people.membership import check_reason
from core.rulebook.programme import Programme
from core.rulebook.programmes import Version
from core.store.databases import unit_of_work
from core.time.calendar import day_start
from core.time.clock import Clock

_TRIES: Final = 5


async def publish(
    document: str,
    *,
    author: str,
    reason: str,
    load: Callable[[str], Programme],
    clock: Clock,
    starts_at: datetime | None = None,
    in_the_past: bool = False,
) -> Version:
    """Publish the document as the next version, in force from ``starts_at``; every process sees it at once.

    Without ``starts_at`` the first version begins on the programme's first day, and any other now. ``in_the_past``
    allows a start that lies back, for a programme whose past is imported. Raises ProgrammeInvalid, InvalidValue for
    a reason that says nothing, InvalidInstant.
    """
    programme = load(document)
    check_reason(reason)
    now = clock.now()
    if starts_at is None:
        is_first = not await ProgrammeVersionRow.exists()
        first_day = programme.starts_on if is_first else None
        starts_at = now if first_day is None else day_start(first_day, programme.zone)
    elif starts_at < now - FUTURE_TOLERANCE and not in_the_past:
        raise InvalidInstant(value=starts_at.isoformat(), reason="a version begins now or later")

    async def write() -> int:
        newest = await ProgrammeVersionRow.all().order_by("-number").first()
        number = 1 if newest is None else newest.number + 1
        if newest is not None and (former := load(newest.document).currency) != programme.currency:
            # What members have spent is counted in its minor units, and would count for something else.
            kept = Problem("currency", f"it is {former} in the version before, and cannot change")
            raise ProgrammeInvalid.of((kept,))
        await ProgrammeVersionRow.create(
            number=number,
            document=document,
            digest=programme.digest,
            author=author,
            reason=reason,
            starts_at=starts_at,
            published_at=now,
        )
        await write_down(
            now,
            before={} if newest is None else {"version": newest.number, "digest": newest.digest},
            after={"version": number, "digest": programme.digest, "starts_at": starts_at.isoformat()},
        )
        return number

    for attempt in range(1, _TRIES + 1):
        try:
            return Version(await unit_of_work(write), starts_at, programme)
        except IntegrityError:
            # Somebody else took the number; theirs stands, and ours is the next.
            if attempt == _TRIES:
                raise
    raise AssertionError("the last attempt returns or raises")
