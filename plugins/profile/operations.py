"""What is rewarded once in a life: joining, completing a section of the profile, completing all of it."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from core.channels.caps import draw
from core.engine.operations import Operation
from core.engine.work import Work
from core.telling.events import MEMBER_ENROLLED, TRANSACTION_REVERSED, Event
from core.time.calendar import local_day
from core.units import POINTS

from .models import WHOLE, ProfileSection
from .refusals import ProfileNotOffered, ProfileSectionAlreadyCompleted, ProfileSectionNotFound
from .rules import CHANNEL, ProfileSettings

SECTIONS: Final = "profile_sections"
WHOLES: Final = "profile_completed"


@dataclass(frozen=True, kw_only=True)
class CompleteProfileSection(Operation):
    """The member has completed a section, and with the last of them the profile.

    Refuses ProfileSectionAlreadyCompleted, ProfileSectionNotFound, ProfileNotOffered, MemberNotActive, MemberFrozen.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "complete"

    section: str

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = work.programme.channels.get(CHANNEL)
        if settings is None:
            raise ProfileNotOffered(at=work.now)
        assert isinstance(settings, ProfileSettings)
        work.check_may_earn()
        if self.section not in settings.sections:
            raise ProfileSectionNotFound(section=self.section[:100])
        done = {row.section: row for row in await work.rows(ProfileSection) if row.done}
        if before := done.get(self.section):
            raise ProfileSectionAlreadyCompleted(
                section=self.section, completed_at=before.completed_at, transaction=before.transaction_id
            )
        points = settings.sections[self.section]
        await _complete(work, self.section)
        work.tell("profile.section_completed", section=self.section)
        is_whole = WHOLE not in done and settings.sections.keys() <= done.keys() | {self.section}
        if is_whole:
            points += settings.complete
            await _complete(work, WHOLE)
            work.tell("profile.completed")
        points = await _earn(work, settings, points)
        return {"section": self.section, "points": points, "complete": is_whole}


async def welcome(event: Event, work: Work) -> None:
    """Who joins today is given the points of joining; whose membership began elsewhere, earlier, had them there."""
    if event.name != MEMBER_ENROLLED:
        return
    settings = work.programme.channels.get(CHANNEL)
    if settings is None:
        return
    assert isinstance(settings, ProfileSettings)
    if local_day(work.member.enrolled_at, work.programme.zone) == work.today:
        await _earn(work, settings, settings.join)


async def follow_reversal(event: Event, work: Work) -> None:
    """When an operator takes a section back, it can be completed anew."""
    if event.name != TRANSACTION_REVERSED or event.payload["channel"] != CHANNEL or not event.payload["whole"]:
        return
    for row in await work.rows(ProfileSection, transaction_id=event.payload["transaction"]):
        section = await work.find(ProfileSection, section=row.section)
        assert section is not None, "it was just read"
        section.done = False
        work.save(section)
        work.count(_tally(row.section), -1, at=row.completed_at)


async def _earn(work: Work, settings: ProfileSettings, points: int) -> int:
    """Give so many points, or what the budget has of them; how many."""
    granted = await draw(work, f"{CHANNEL}:{POINTS}", settings.budget, points)
    if granted:
        await work.earn(granted)
    return granted


async def _complete(work: Work, name: str) -> None:
    work.count(_tally(name), 1)
    section = await work.find(ProfileSection, section=name)
    if section is None:
        now, transaction = work.now, work.operation_id
        work.add(ProfileSection, section=name, transaction_id=transaction, completed_at=now, done=True)
        return
    section.transaction_id, section.completed_at, section.done = work.operation_id, work.now, True
    work.save(section)


def _tally(name: str) -> str:
    return WHOLES if name == WHOLE else SECTIONS
