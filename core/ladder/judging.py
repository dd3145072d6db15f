"""What is judged of a member at an instant that stands in a row: before anything else happens to them, or by a job.

A channel whose rules turn with time (a tag that lapses, a stage of life that is entered) sets the instant at which
something can next be otherwise (``Work.set_judgement``). What is due is performed before the member's next operation,
as an operation of its own that is effective at that instant; the job only does it for those to whom nothing happens. So
a late job, a job each minute and no job at all write the same history, and it costs what is due. A version of the
programme with another section of the channel is an instant at which all its members are judged anew.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from core.books.members import ById, Member
from core.engine.operations import DueOperation
from core.time.clock import microseconds

if TYPE_CHECKING:
    from core.engine.work import Work
    from core.rulebook.programmes import Programmes

KIND: Final = "judge"


class Judgement(NamedTuple):
    """When a channel judges the member next, None for never.

    ``number`` counts how often that was set, ``version`` is the programme's by which. With ``quiet`` what comes of it
    is no deed of the member: two memberships became one, say.
    """

    channel: str
    number: int
    due_at: datetime | None
    version: int
    quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class Judge(DueOperation):
    """Judge a member for a channel, as of ``due``."""

    kind: ClassVar[str] = KIND

    due: datetime

    async def perform(self, work: "Work") -> dict[str, Any]:
        row = await work.judgement(self.channel)
        if await work.judged_next(self.channel) != self.due:
            return {}  # something has happened since, and it is judged at another instant
        return await self.judge(work, quiet=row is None or row.quiet or row.due_at != self.due)

    @abstractmethod
    async def judge(self, work: "Work", *, quiet: bool) -> dict[str, Any]:
        """Judge, in the member's ``Work``, and set the next instant; it must refuse nothing.

        With ``quiet`` the member has done nothing to be rewarded for: a version of the programme has begun to judge,
        or judges otherwise, or another membership was merged into this one.
        """


Judges = Mapping[str, type[Judge]]
"""Who judges, by channel."""


def first_due(
    judges: Judges, member: Member, rows: Sequence[Judgement], programmes: "Programmes", now: datetime
) -> Judge | None:
    """What is to be judged of a member first, by ``now``; None when nothing is."""
    if member.merged_into is not None:
        return None
    by_channel = {row.channel: row for row in rows}
    found: list[tuple[datetime, str]] = []
    for channel in judges:
        at = due_at(channel, member.enrolled_at, by_channel.get(channel), programmes, now)
        if at is not None and at <= now:
            found.append((at, channel))
    if not found:
        return None
    at, channel = min(found)
    return judgement(judges[channel], member.id, by_channel.get(channel), at, "laurel")


def due_at(
    channel: str, enrolled_at: datetime, row: Judgement | None, programmes: "Programmes", now: datetime
) -> datetime | None:
    """When the channel judges a member next, as far as is known by ``now``; None for never."""
    latest = programmes.latest(now)
    if latest is None:
        return None
    if row is None:
        begun = _on_since(channel, programmes, now)
        return None if begun is None else max(begun, enrolled_at)
    if row.version == latest.number:
        return row.due_at
    changed = _changed_at(channel, row.version, programmes, now)
    if changed is None or (row.due_at is not None and row.due_at <= changed):
        return row.due_at
    return changed


def _on_since(channel: str, programmes: "Programmes", now: datetime) -> datetime | None:
    """Since when the channel has been on without a break; None when it is off."""
    since = None
    for version in reversed(programmes.versions):
        if version.starts_at <= now:
            if channel not in version.programme.channels:
                break
            since = version.starts_at
    return since


def _changed_at(channel: str, number: int, programmes: "Programmes", now: datetime) -> datetime | None:
    """When, after a version, the channel's section was first another one; None when it is the same until ``now``.

    What the section of a version was that is not understood any more nobody knows: whatever comes after it is another.
    """
    known = [version for version in programmes.versions if version.starts_at <= now]
    place = next((at for at, version in enumerate(known) if version.number == number), None)
    if place is None:
        begun = next((other.starts_at for other in programmes.not_understood if other.number == number), None)
        return next((version.starts_at for version in known if begun is not None and version.starts_at >= begun), None)
    section = known[place].programme.channels.get(channel)
    return next((v.starts_at for v in known[place + 1 :] if v.programme.channels.get(channel) != section), None)


def judgement(kind: type[Judge], member_id: str, row: Judgement | None, at: datetime, actor: str) -> Judge:
    # The number of times, as a date may be set once more that has been, by a replay of what happened before.
    key = f"{KIND}:{row.number if row else 0}:{microseconds(at)}"
    return kind(member=ById(member_id), idempotency_key=key, actor=actor, at=at, due=at)
