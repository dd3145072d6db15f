"""What coming back brings, in the transaction of whatever the member came back with.

A return that turns out to be none, because its order came back, takes its gift with it.
"""

from datetime import date, timedelta
from typing import Final

from core.books.tallies import day_number, day_of
from core.channels.caps import draw
from core.channels.coupons import grant, revoke
from core.engine.work import Work
from core.telling.events import TALLIES_COUNTED, Event
from core.time.calendar import local_day
from core.units import POINTS

from .models import WinBackGift
from .rules import CHANNEL, WinBackSettings

LATE_DAYS: Final = 7
"""How late an activity may be told and still be a return: tills send their orders at night, or after a weekend."""


async def follow(event: Event, work: Work) -> None:
    """Look at the days on which activities were counted, or taken away."""
    settings = work.programme.channels.get(CHANNEL)
    if event.name != TALLIES_COUNTED or settings is None:
        return
    assert isinstance(settings, WinBackSettings)
    counted = event.payload["days"]
    days = sorted({day_of(number) for name in settings.activities for number in counted.get(name, ())})
    for day in days:
        await _take_back(work, settings, day)
    if days and work.today - timedelta(days=LATE_DAYS) <= days[-1] <= work.today:
        await _give(work, settings, days[-1])


async def _give(work: Work, settings: WinBackSettings, day: date) -> None:
    member = work.member
    enrolled_on = local_day(member.enrolled_at, work.programme.zone)
    if not work.may_earn or not settings.was_member(enrolled_on, day):
        return
    first, last = settings.quiet(day)
    if await _done(work, settings, first, last) or not await _done(work, settings, day, day):
        return
    gifts = [day_of(gift.day) for gift in await work.rows(WinBackGift) if not gift.is_taken_back]
    if not settings.is_free(max(gifts, default=None), day):
        return
    points = await draw(work, f"{CHANNEL}:{POINTS}", settings.budget, settings.points)
    lots = [(await work.earn(points, days=settings.expires_days)).seq] if points else []
    grant(work, settings.coupons, _occasion(day))
    row = await work.find(WinBackGift, day=day_number(day))
    if row is None:
        work.add(
            WinBackGift,
            day=day_number(day),
            points=points,
            lots=lots,
            is_taken_back=False,
            given_at=work.now,
        )
    else:
        row.points, row.lots, row.is_taken_back, row.given_at = points, lots, False, work.now
        work.save(row)
    work.tell("win_back.given", points=points, coupons=list(settings.coupons))


async def _take_back(work: Work, settings: WinBackSettings, day: date) -> None:
    row = await work.find(WinBackGift, day=day_number(day))
    if row is None or row.is_taken_back or await _done(work, settings, day, day):
        return
    await work.take_back(row.lots)
    revoke(work, _occasion(day))
    row.is_taken_back = True
    work.save(row)
    work.tell("win_back.taken_back", points=row.points)


def _occasion(day: date) -> str:
    return f"{CHANNEL}:{day.isoformat()}"


async def _done(work: Work, settings: WinBackSettings, first: date, last: date) -> bool:
    """Whether the member did any of the activities on these days, both included."""
    for name in settings.activities:
        if await work.counted(name, since=first, until=last) > 0:
            return True
    return False
