"""Badges in the schema. There is nothing to ask for: a badge is given when there is enough for it."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, cast

import strawberry

from core.books.tallies import Tally
from core.channels.gifts import Gift
from core.rulebook.programme import Programme
from core.time.calendar import local_day
from graph.vocabulary import Decimal, Info, Member, Points

from .models import BadgeHeld
from .operations import TAKEN_BACK, settings_of
from .rules import Badge, judge, progress


@strawberry.type
class BadgeAward:
    """So much of a unit."""

    unit: str = strawberry.field(description="points, growth, or a unit of the programme's own.")
    amount: Points = strawberry.field(description="How much of it.")


@strawberry.type
class BadgeLevel:
    """A level of a badge; a badge without levels has one."""

    level: int = strawberry.field(description="Which one, from 1.")
    title: str = strawberry.field(description="What it is called.")
    required: Decimal | None = strawberry.field(
        description="How much is needed for it: money in the currency's unit, days in a row as days. Null for a level "
        "that the programme has no more."
    )
    unlocked_at: datetime | None = strawberry.field(description="When the member got it; null when they have not.")
    reached_on: date | None = strawberry.field(description="The day on which there was enough; null before.")
    pack: list[BadgeAward] = strawberry.field(description="How much it brings, or has brought, of each unit.")
    coupons: list[str] = strawberry.field(description="The coupons that come with it, by their ids in the programme.")


@strawberry.type
class BadgeProgress:
    """How far the next level of a badge is."""

    level: int = strawberry.field(description="Which level, from 1.")
    current: Decimal = strawberry.field(description="How much there is, no more than is needed.")
    required: Decimal = strawberry.field(description="How much is needed.")
    remaining: Decimal = strawberry.field(description="How much is missing.")
    ratio: Decimal = strawberry.field(description="current / required, from 0 to 1, rounded down to four decimals.")


@strawberry.type(name="Badge")
class BadgeType:
    """A badge, and where a member stands with it."""

    name: str = strawberry.field(description="Its id in the programme: big_spender.")
    title: str = strawberry.field(description="What it is called: as the highest level that the member has.")
    level: int = strawberry.field(description="The highest level that the member has; 0 for none.")
    unlocked_at: datetime | None = strawberry.field(description="When they got that level; null for none.")
    levels: list[BadgeLevel] = strawberry.field(description="Its levels, from the first up.")
    counts: list[str] = strawberry.field(description="What is counted for it, by name: sign_ins, spend.")
    window: str | None = strawberry.field(
        description="Over how long: lifetime, 12 months, in a row. Null for a badge that cannot be had any more."
    )
    progress: BadgeProgress | None = strawberry.field(
        description="How far the next level is; null when the member has all there are."
    )


@strawberry.type
class BadgeMemberFields:
    """What a member has of badges."""

    @strawberry.field
    async def badges(self, info: Info) -> list[BadgeType]:
        """The programme's badges, each with how far it is, and those that the member has of former programmes."""
        # Fields of Member, so they are resolved with a member as self.
        member = cast(Member, self)
        programme = (await info.context.version()).programme
        settings = settings_of(programme)
        badges = settings.badges if settings is not None else ()
        names = sorted({name for badge in badges for name in badge.count})
        loaders, member_id = info.context.loaders, member.member_id
        # Together, so that all of them are one statement.
        held, *tallies = await asyncio.gather(
            loaders.rows(BadgeHeld, member_id), *(loaders.rows(Tally, member_id, name=name) for name in names)
        )
        counted = dict(zip(names, tallies, strict=True))
        rows: dict[str, dict[int, Any]] = {}
        for row in sorted(held, key=lambda row: (row.badge, row.level)):
            if row.state != TAKEN_BACK:
                rows.setdefault(row.badge, {})[row.level] = row
        today = local_day(info.context.now, programme.zone)
        shown = [
            _badge(badge, rows.pop(badge.id, {}), [counted[name] for name in badge.count], today, programme)
            for badge in badges
        ]
        return shown + [_former(name, levels) for name, levels in rows.items()]


def _badge(
    badge: Badge, held: dict[int, Any], tallies: Sequence[Sequence[Tally]], today: date, programme: Programme
) -> BadgeType:
    counted: dict[int, int] = {}
    for tally in (tally for of_name in tallies for tally in of_name):
        counted[tally.day] = counted.get(tally.day, 0) + tally.amount
    judgement = judge(badge, counted, today, programme)
    due = progress(badge, judgement, held)
    highest = held[max(held)] if held else None
    steps = {
        number: _step(badge, number, judgement.reached_on[number - 1]) for number in range(1, 1 + len(badge.steps))
    }
    return BadgeType(
        name=badge.id,
        title=highest.title if highest is not None else badge.title,
        level=max(held, default=0),
        unlocked_at=highest.given_at if highest is not None else None,
        levels=[
            _had(held[number], steps.get(number)) if number in held else steps[number]
            for number in sorted({*steps, *held})
        ],
        counts=list(badge.count),
        window="in a row" if badge.in_a_row else str(badge.window),
        progress=None
        if due is None
        else BadgeProgress(
            level=due.level,
            current=due.current,
            required=due.required,
            remaining=due.required - due.current,
            ratio=due.ratio,
        ),
    )


def _step(badge: Badge, number: int, reached_on: date | None) -> BadgeLevel:
    step = badge.steps[number - 1]
    award: Gift | None = step.award
    return BadgeLevel(
        level=number,
        title=step.title or badge.title,
        required=step.at_least,
        unlocked_at=None,
        reached_on=reached_on,
        pack=_pack(award.pack if award is not None else {}),
        coupons=list(award.coupons) if award is not None else [],
    )


def _had(row: Any, step: BadgeLevel | None) -> BadgeLevel:
    return BadgeLevel(
        level=row.level,
        title=row.title,
        required=step.required if step is not None else None,
        unlocked_at=row.given_at,
        reached_on=row.reached_on,
        pack=_pack(row.pack),
        coupons=list(row.coupons),
    )


def _former(name: str, held: dict[int, Any]) -> BadgeType:
    highest = held[max(held)]
    return BadgeType(
        name=name,
        title=highest.title,
        level=highest.level,
        unlocked_at=highest.given_at,
        levels=[_had(row, None) for row in held.values()],
        counts=[],
        window=None,
        progress=None,
    )


def _pack(pack: dict[str, int]) -> list[BadgeAward]:
    return [BadgeAward(unit=unit, amount=Points(amount)) for unit, amount in sorted(pack.items())]
