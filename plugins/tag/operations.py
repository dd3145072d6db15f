"""How members come by tags: by rules, at once and as days go by, and by hand."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from core.books.members import MemberStatus, MemberTag
from core.channels.tags import BY_HAND, PREDICTED, set_tags
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidInstant, MemberNotActive
from core.ladder.judging import Judge
from core.people.membership import check_reason
from core.rulebook.segments import History
from core.telling.events import MEMBER_ENROLLED, MEMBER_ERASED, MEMBER_STATUS_CHANGED, TALLIES_COUNTED, Event
from core.time.calendar import day_start, local_day

from .refusals import TagAlreadyGiven, TagIsPredicted, TagNotFound, TagNotGiven, TagsNotOffered
from .rules import CHANNEL, TagSettings

_SHOWN: Final = 64


@dataclass(frozen=True, kw_only=True)
class TagMember(Operation):
    """Give a member a tag by hand, until then at most. Of one that they have so, only the end changes.

    Refuses TagsNotOffered, TagNotFound, TagIsPredicted, TagAlreadyGiven, InvalidInstant, InvalidValue, MemberNotActive.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "give"

    tag: str
    reason: str
    until: datetime | None = None

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        settings = _offered(work)
        if work.member.status == MemberStatus.CLOSED:
            raise MemberNotActive(status=work.member.status)
        tag = settings.find(self.tag)
        if tag is None:
            raise TagNotFound(tag=self.tag[:_SHOWN], tags=", ".join(settings.tag_ids()))
        if tag.predicted is not None:
            raise TagIsPredicted(tag=tag.id)
        if self.until is not None and self.until <= work.now:
            raise InvalidInstant(value=self.until.isoformat(), reason="a tag ends in the future")
        by_hand = await _by_hand(work)
        row = by_hand.get(self.tag)
        if row is not None and row.until == self.until:
            raise TagAlreadyGiven(tag=self.tag, given_at=row.since)
        work.put_down(f"tag {self.tag}", "given" if row else None, "given")
        work.put_down(f"tag {self.tag}.until", _plain(row.until if row else None), _plain(self.until))
        await set_tags(work, BY_HAND, {tag: has.until for tag, has in by_hand.items()} | {self.tag: self.until})
        await _look(work)
        return {"tag": self.tag, "until": _plain(self.until), "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class UntagMember(Operation):
    """Take away a tag that was given by hand. One that its rule gives as well is still there.

    Refuses TagsNotOffered, TagNotGiven, InvalidValue.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "take"

    tag: str
    reason: str

    async def perform(self, work: Work) -> dict[str, Any]:
        check_reason(self.reason)
        _offered(work)
        by_hand = await _by_hand(work)
        if self.tag not in by_hand:
            raise TagNotGiven(tag=self.tag[:_SHOWN])
        work.put_down(f"tag {self.tag}", "given", None)
        await set_tags(work, BY_HAND, {tag: row.until for tag, row in by_hand.items() if tag != self.tag})
        await _look(work)
        return {"tag": self.tag, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class JudgeTags(Judge):
    """Look which tags a member has, on a day on which it can be others."""

    channel: ClassVar[str] = CHANNEL

    async def judge(self, work: Work, *, quiet: bool) -> dict[str, Any]:
        return {"tags": await _look(work)}


async def follow(event: Event, work: Work) -> None:
    """Look at the tags whenever something that they depend on has changed."""
    settings = _settings(work)
    match event.name:
        case name if name == MEMBER_ERASED:
            for source in (CHANNEL, BY_HAND, PREDICTED):
                await set_tags(work, source, {}, tells=False)
        case _ if settings is None:
            return
        case name if name in (MEMBER_ENROLLED, MEMBER_STATUS_CHANGED):
            await _look(work)
        case name if name == TALLIES_COUNTED and not settings.segments.names.isdisjoint(event.payload["days"]):
            await _look(work)


def _settings(work: Work) -> TagSettings | None:
    # What a member is like is seen by the rules of now, whichever judge what was just done.
    settings = work.programme_now.channels.get(CHANNEL)
    assert settings is None or isinstance(settings, TagSettings)
    return settings


def _offered(work: Work) -> TagSettings:
    settings = _settings(work)
    if settings is None:
        raise TagsNotOffered(at=work.now)
    return settings


async def _by_hand(work: Work) -> dict[str, MemberTag]:
    rows: list[MemberTag] = await work.rows(MemberTag, source=BY_HAND)
    return {row.tag: row for row in rows if row.holds(work.now)}


async def _look(work: Work) -> list[str]:
    """Have the member have the tags of this instant, and say when to look next."""
    settings, member, now = _settings(work), work.member, work.now
    if settings is None or member.status == MemberStatus.CLOSED:
        await work.set_judgement(CHANNEL, None)
        for source in (CHANNEL, BY_HAND, PREDICTED):
            await set_tags(work, source, {})
        return []
    zone = work.programme_now.zone
    day = local_day(now, zone)
    counted = await work.counts(since=settings.segments.since(day)) if settings.by_rule else []
    history = History(local_day(member.enrolled_at, zone), work.programme_now.currency, counted)
    look = settings.segments.look(lambda on: settings.held_on(history, on), history, day)
    predicted = settings.predicted_tags()
    by_hand = {
        tag: row.until
        for tag, row in (await _by_hand(work)).items()
        if settings.find(tag) is not None and tag not in predicted
    }
    await set_tags(work, CHANNEL, dict.fromkeys(look.now))
    await set_tags(work, BY_HAND, by_hand)
    # What is predicted is not asked here: a tag of which it is said no more is gone, and the job brings the others.
    held: list[MemberTag] = await work.rows(MemberTag, source=PREDICTED)
    await set_tags(work, PREDICTED, {row.tag: None for row in held if row.held and row.tag in predicted})
    ends = [until for until in by_hand.values() if until is not None]
    if look.turns_on is not None:
        ends.append(day_start(look.turns_on, zone))
    await work.set_judgement(CHANNEL, min(ends, default=None))
    return [*look.now, *(tag for tag in by_hand if tag not in look.now)]


def _plain(until: datetime | None) -> str | None:
    return None if until is None else until.isoformat()
