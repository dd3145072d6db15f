"""How badges follow what is counted, and how they come to those who had earned them before there were any.

A badge is given in the transaction that counted enough for it. When badges or their terms are new, each member is
judged once by all that was counted before: with the next operation, before what that counts, or by the job. Both find
the same, since a level is reached on the first day on which there was enough.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

from core.books.members import BUCKETS, ById, bucket_of
from core.channels.coupons import revoke
from core.channels.gifts import Given
from core.engine.operations import Operation
from core.engine.work import Work
from core.money import parse_money
from core.people.merging import CHANNEL as PEOPLE
from core.rulebook.programme import Programme
from core.scheduling.jobs import Run
from core.store.dialect import in_words_of
from core.telling.events import MERGE_GIVEN_BACK, MERGE_TAKEN, TALLIES_COUNTED, TRANSACTION_REVERSED, Event

from .events import BADGE_TAKEN_BACK, BADGE_UNLOCKED
from .models import BadgeHeld, BadgeStanding, BadgeSweep
from .rules import CHANNEL, Badge, BadgeSettings, judge, occasion

GIVEN: Final = "given"
TAKEN_BACK: Final = "taken_back"
REVERSED: Final = "reversed"

_SLICES: Final = 64
_IN_DOUBT: Final = ""


@dataclass(frozen=True, kw_only=True)
class JudgeBadges(Operation):
    """Give the member what they had earned before there were such badges."""

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "judge"

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = settings_of(work.programme_now)
        if settings is not None:
            await _catch_up(work, settings)
        return {}


def settings_of(programme: Programme) -> BadgeSettings | None:
    """The programme's badges; None when it has none."""
    settings = programme.channels.get(CHANNEL)
    assert settings is None or isinstance(settings, BadgeSettings)
    return settings


# -- what happens elsewhere ---------------------------------------------------------------------------


async def follow(event: Event, work: Work) -> None:
    """Give what has been earned."""
    match event.name:
        case name if name == MERGE_TAKEN and event.payload["first"]:
            await _take_over(work, event.payload["other"])
        case name if name == MERGE_GIVEN_BACK:
            await _let_go(work, event.payload["other"])
        case name if name == TRANSACTION_REVERSED and event.payload["whole"]:
            await _reverse(work, event.payload["transaction"])
        case _:
            pass
    if work.operation.channel == PEOPLE:
        # What moves from one member to another was earned before; what it comes to is given with the next operation.
        await _put_off(work)
        return
    # Badges are those in force now, though an older version may judge the order. Who was merged has none to come.
    settings = settings_of(work.programme_now)
    if settings is None or work.member.merged_into is not None:
        return
    await _catch_up(work, settings)
    if event.name == TALLIES_COUNTED:
        counted = frozenset(event.payload["days"])
        await _settle(work, [badge for badge in settings.badges if not counted.isdisjoint(badge.count)])


async def _catch_up(work: Work, settings: BadgeSettings) -> None:
    """Judge the member by what was counted before this operation, if nobody has by these terms."""
    row = await work.find(BadgeStanding)
    if (row is not None and row.terms == settings.terms) or not work.may_earn:
        return
    if row is None:
        work.add(BadgeStanding, terms=settings.terms)
    else:
        row.terms = settings.terms
        work.save(row)
    await _settle(work, settings.badges, before=True)


async def _settle(work: Work, badges: Iterable[Badge], *, before: bool = False) -> None:
    rows: dict[tuple[str, int], Any] = {(row.badge, row.level): row for row in await work.rows(BadgeHeld)}
    for badge in badges:
        of = {number: rows.get((badge.id, number)) for number in range(1, len(badge.steps) + 1)}
        if not any(_is_open(badge, row) for row in of.values()):
            continue
        counted = await _counted(work, badge, before=before)
        reached = judge(badge, counted, work.today, work.programme_now).reached_on
        for (number, row), on in zip(of.items(), reached, strict=True):
            if on is not None and (row is None or row.state == TAKEN_BACK):
                if work.may_earn:
                    await _give(work, badge, number, on)
                else:
                    await _put_off(work)
            elif on is None and row is not None and _may_go(badge, row):
                await _take_back(work, badge, number)


def _is_open(badge: Badge, row: Any) -> bool:
    """Whether anything can become of it."""
    return row is None or row.state == TAKEN_BACK or _may_go(badge, row)


def _may_go(badge: Badge, row: Any) -> bool:
    return row.state == REVERSED or (row.state == GIVEN and badge.taken_back)


async def _counted(work: Work, badge: Badge, *, before: bool) -> dict[int, int]:
    total: dict[int, int] = {}
    for name in badge.count:
        for day, amount in (await work.counted_days(name, before=before)).items():
            total[day] = total.get(day, 0) + amount
    return total


async def _give(work: Work, badge: Badge, level: int, on: date) -> None:
    step = badge.steps[level - 1]
    title = step.title or badge.title
    given, coupons = Given({}, {}), []
    lost = await work.find(BadgeHeld, badge=badge.id, level=level)
    # What a merged member was given for it is still there: nobody can take back what others had.
    brought = lost.merged_from if lost is not None else ""
    if step.award is not None and not brought:
        given = await step.award.give(work, occasion(badge, level), occasion(badge, level))
        coupons = list(step.award.coupons)
    await _write(
        work,
        badge=badge.id,
        level=level,
        title=title,
        state=GIVEN,
        reached_on=on,
        given_at=work.now,
        transaction_id=work.operation_id,
        pack=given.pack,
        lots=given.lots,
        coupons=coupons,
        merged_from=brought,
    )
    work.tell(
        BADGE_UNLOCKED,
        badge=badge.id,
        level=level,
        title=title,
        reached_on=on.isoformat(),
        pack=given.pack,
        coupons=coupons,
    )


async def _take_back(work: Work, badge: Badge, level: int) -> None:
    row = await work.find(BadgeHeld, badge=badge.id, level=level)
    assert row is not None, "it was just read"
    for unit, lot in row.lots.items():
        await work.take_back([lot], unit=unit)
    if row.coupons and row.state == GIVEN:
        revoke(work, occasion(badge, level))
    row.state = TAKEN_BACK
    work.save(row)
    work.tell(BADGE_TAKEN_BACK, badge=badge.id, level=level)


async def _put_off(work: Work) -> None:
    """Who may not earn gets it with the next operation after they may again."""
    row = await work.find(BadgeStanding)
    if row is not None and row.terms != _IN_DOUBT:
        row.terms = _IN_DOUBT
        work.save(row)


async def _reverse(work: Work, transaction: str) -> None:
    """What a transaction's badges brought went with it; the badges go as well if there is no ground for them left."""
    for row in await work.rows(BadgeHeld, transaction_id=transaction):
        if row.state == GIVEN and not row.merged_from:
            await _write(work, **{**row._asdict(), "state": REVERSED})


async def _take_over(work: Work, other: str) -> None:
    """Have the badges of who was merged into the member. What they brought was given already."""
    mine = {(row.badge, row.level): row for row in await work.rows(BadgeHeld)}
    for row in await work.look_all(BadgeHeld, bucket=bucket_of(other), member_id=other):
        own = mine.get((row.badge, row.level))
        if row.state != TAKEN_BACK and (own is None or own.state == TAKEN_BACK):
            had = {"state": GIVEN, "pack": {}, "lots": {}, "coupons": [], "merged_from": other}
            await _write(work, **{**row._asdict(), **had, "transaction_id": work.operation_id})


async def _let_go(work: Work, other: str) -> None:
    """The other is a member of their own again, and has these badges themselves."""
    for row in await work.rows(BadgeHeld, merged_from=other):
        await _write(work, **{**row._asdict(), "state": TAKEN_BACK, "merged_from": ""})


async def _write(work: Work, **values: Any) -> None:
    row = await work.find(BadgeHeld, badge=values["badge"], level=values["level"])
    if row is None:
        work.add(BadgeHeld, **values)
    else:
        work.save(row.update_from_dict(values))


# -- when nobody asks ---------------------------------------------------------------------------------


async def give_earned(run: Run) -> int:
    """Give badges to those who had earned them before there were such. Once for the terms of a programme."""
    settings = settings_of(run.programme)
    if settings is None:
        return 0
    sweep, _ = await BadgeSweep.get_or_create(terms=settings.terms, defaults={"bucket_next": 0})
    given = 0
    while sweep.bucket_next < BUCKETS:
        # However many members there are, few of them are in memory at a time.
        first, end = sweep.bucket_next, sweep.bucket_next + BUCKETS // _SLICES
        found = sorted({member for badge in settings.badges for member in await _likely(run, badge, first, end)})
        given += await run.submit(
            JudgeBadges(member=ById(member), idempotency_key=f"badges:{settings.terms}", actor=run.actor)
            for member in found
        )
        sweep.bucket_next = end
        await sweep.save(update_fields=["bucket_next"])
    return given


async def _likely(run: Run, badge: Badge, first: int, end: int) -> list[str]:
    """Those of some buckets who may have enough for the badge: those of whom so much was ever counted."""
    least = badge.steps[0].at_least
    need = parse_money(least, run.programme.currency) if badge.is_money else int(least)
    counted = "COUNT(DISTINCT day)" if badge.in_a_row else "SUM(amount)"
    names = ", ".join("?" * len(badge.count))
    sql = (
        f"SELECT member_id FROM tally WHERE bucket >= ? AND bucket < ? AND name IN ({names})"
        f" AND amount > 0 GROUP BY member_id HAVING {counted} >= ?"
    )
    rows = await run.reader.query(in_words_of(run.reader, sql), [first, end, *badge.count, need])
    return [member for (member,) in rows]
