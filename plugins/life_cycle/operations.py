"""Entering a stage: at once by what was counted, and on the day on which it turns as time goes by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from core.books.members import MemberStatus
from core.channels.coupons import revoke
from core.channels.gifts import Given
from core.channels.tags import set_tags
from core.engine.work import Work
from core.ladder.judging import Judge
from core.rulebook.segments import History
from core.telling.events import MEMBER_ENROLLED, MEMBER_STATUS_CHANGED, TALLIES_COUNTED, Event
from core.time.calendar import day_start, local_day

from .events import GIFT_TAKEN_BACK, STAGE_ENTERED
from .models import LifeCycleEntry
from .rules import CHANNEL, Cause, LifeCycleSettings

LATE: Final = timedelta(days=1)
"""Who joined longer ago than this is brought over from another system, and did nothing here to be where they are."""

_NOTHING: Final = Given({}, {})


@dataclass(frozen=True, kw_only=True)
class JudgeLifeCycle(Judge):
    """Look in which stage a member is, on a day on which it can be another."""

    channel: ClassVar[str] = CHANNEL

    async def judge(self, work: Work, *, quiet: bool) -> dict[str, Any]:
        return {"stage": await _look(work, Cause.PROGRAMME if quiet else Cause.TIME)}


async def follow(event: Event, work: Work) -> None:
    """Look at the stage whenever something that it depends on has changed."""
    settings = _settings(work)
    match event.name:
        case name if name == MEMBER_STATUS_CHANGED:
            if settings is not None or await work.judgement(CHANNEL) is not None:
                await _look(work, Cause.PROGRAMME)
        case _ if settings is None:
            return
        case name if name == MEMBER_ENROLLED:
            late = work.now - work.member.enrolled_at > LATE
            await _look(work, Cause.PROGRAMME if late else Cause.ENROLMENT)
        case name if name == TALLIES_COUNTED and not settings.segments.names.isdisjoint(event.payload["days"]):
            if work.programme is not work.programme_now and work.programme.channels.get(CHANNEL) != settings:
                # An older version judges what has just been done. This one does so in its own name, at once.
                await work.set_judgement(CHANNEL, work.now)
            else:
                await _look(work, Cause.COUNTED)


def _settings(work: Work) -> LifeCycleSettings | None:
    settings = work.programme_now.channels.get(CHANNEL)
    assert settings is None or isinstance(settings, LifeCycleSettings)
    return settings


async def _look(work: Work, cause: Cause) -> str | None:
    """Have the member in the stage of today, and say when to look next; the stage, if there is one."""
    settings, member = _settings(work), work.member
    if settings is None or member.status == MemberStatus.CLOSED:
        await work.set_judgement(CHANNEL, None)
        await set_tags(work, CHANNEL, {}, tells=False)
        return None
    zone = work.programme_now.zone
    entries: Sequence[Any] = await work.rows(LifeCycleEntry)
    last = entries[-1] if entries else None
    # A replay of the past does not lead behind where the member is.
    day = local_day(work.now if last is None else max(work.now, last.entered_at), zone)
    doubtful = [entry for entry in entries if work.counted_off and _can_be_undone(work, entry)]
    since = settings.segments.since(min((local_day(entry.entered_at, zone) for entry in doubtful), default=day))
    history = History(local_day(member.enrolled_at, zone), work.programme_now.currency, await work.counts(since=since))
    look = settings.look(history, day)
    await work.set_judgement(CHANNEL, None if look.turns_on is None else day_start(look.turns_on, zone))
    for entry in doubtful:
        stays = last is not None and entry is last and look.now == last.stage
        if not stays and settings.stage_on(history, local_day(entry.entered_at, zone)) != entry.stage:
            await _take_back(work, entry)
    if last is None or last.stage != look.now:
        await _enter(work, settings, look.now, cause, day)
    # That a stage was entered is told by its own name.
    await set_tags(work, CHANNEL, {look.now: None}, tells=False)
    return str(look.now)


def _can_be_undone(work: Work, entry: Any) -> bool:
    """Whether there is a gift to lose, given by what was done, and by the rules that are in force."""
    given = entry.cause == Cause.COUNTED and not entry.is_taken_back and (entry.lots or entry.coupons)
    return bool(given) and entry.entered_at >= work.version.starts_at


async def _enter(work: Work, settings: LifeCycleSettings, name: str, cause: Cause, day: date) -> None:
    entries: Sequence[Any] = await work.rows(LifeCycleEntry)
    former, number = (entries[-1].stage, entries[-1].number + 1) if entries else (None, 1)
    stage, given = settings.stage(name), _NOTHING
    coupons: Sequence[str] = ()
    assert stage is not None
    gift = stage.enter
    if gift is not None and cause != Cause.PROGRAMME and work.may_earn:
        zone = work.programme_now.zone
        days = [
            local_day(entry.entered_at, zone)
            for entry in entries
            if entry.stage == name and not entry.is_taken_back and (entry.lots or entry.coupons)
        ]
        if gift.is_free(max(days, default=None), day):
            given = await gift.give(work, f"{CHANNEL}:{name}", _occasion(number))
            coupons = gift.coupons
    work.add(
        LifeCycleEntry,
        number=number,
        former=former,
        stage=name,
        operation_id=work.operation_id,
        entered_at=work.now if not entries else max(work.now, entries[-1].entered_at),
        cause=str(cause),
        pack=given.pack,
        lots=given.lots,
        coupons=list(coupons),
        is_taken_back=False,
    )
    work.tell(STAGE_ENTERED, stage=name, former=former, pack=given.pack, coupons=list(coupons))


async def _take_back(work: Work, entry: Any) -> None:
    """What the stage was entered with has come back, and takes the gift with it."""
    for unit, lot in entry.lots.items():
        await work.take_back([lot], unit=unit)
    revoke(work, _occasion(entry.number))
    row = await work.find(LifeCycleEntry, number=entry.number)
    assert row is not None
    row.is_taken_back = True
    work.save(row)
    work.tell(GIFT_TAKEN_BACK, stage=entry.stage, pack=entry.pack)


def _occasion(number: int) -> str:
    return f"{CHANNEL}:{number}"
