"""The channel's section of the programme: badges, and when what was counted is enough. Everything is pure."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Final, NamedTuple, Self

import orjson
from pydantic import BeforeValidator, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from core.books.tallies import SPEND, day_of, fact_value
from core.channels.coupons import unknown_coupons
from core.channels.gifts import Gift
from core.errors import InvalidAmount
from core.money import parse_money
from core.rulebook.budgets import NamedBudget
from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.programme import ChannelSettings, Misfit, Path, Programme
from core.rulebook.rules import Validity, check_countable
from core.time.calendar import local_day
from core.time.windows import LIFETIME, WindowField
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "badge"

_ONE_DAY: Final = timedelta(days=1)
_PLACES: Final = Decimal("0.0001")

Title = Annotated[str, Field(min_length=1, max_length=200)]


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_several), Field(min_length=1, max_length=10)]


class Step(Section):
    """So much is needed for it, and so much does it bring."""

    at_least: QuotedDecimal
    title: Title | None = None
    award: Gift | None = None


class Badge(Section):
    """What is counted, and how much of it is enough: for the badge, or for each of its levels.

    ``count`` names one tally, or several that are added up. It is counted over any ``window``; with ``in_a_row``
    unbroken days on which there was something to count are. Only days within ``valid`` count. ``taken_back``: a badge
    goes again when what it was given for does.
    """

    id: Identifier
    title: Title
    count: Names
    window: WindowField = LIFETIME
    in_a_row: Annotated[bool, Field(strict=True)] = False
    valid: Validity = Validity()
    at_least: QuotedDecimal | None = None
    award: Gift | None = None
    levels: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)] | None = None
    taken_back: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _can_be_reached(self, info: ValidationInfo) -> Self:
        for name in self.count:
            check_countable(name, info, (SPEND,))
        if len(set(self.count)) < len(self.count):
            raise _wrong("count names something twice")
        if SPEND in self.count and len(self.count) > 1 and not self.in_a_row:
            raise _wrong("money is not added to what is no money")
        if (self.at_least is None) == (self.levels is None):
            raise _wrong("a badge has at_least, or levels")
        if self.levels is not None and self.award is not None:
            raise _wrong("a badge with levels brings what its levels do")
        if self.in_a_row and self.window != LIFETIME:
            raise _wrong("days in a row have no window")
        needs = [step.at_least for step in self.steps]
        if needs[0] <= 0 or any(high <= low for low, high in pairwise(needs)):
            raise _wrong("each level needs more than the one before, and the first more than 0")
        if not self.is_money and any(need != int(need) for need in needs):
            raise _wrong(f"{', '.join(self.count)}: counted in whole numbers")
        return self

    @property
    def is_money(self) -> bool:
        """Whether what is counted is money: it is needed in the currency's unit, and counted in its minor one."""
        return self.count == (SPEND,) and not self.in_a_row

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The levels from the first up; a badge without levels has one."""
        if self.levels is not None:
            return self.levels
        assert self.at_least is not None
        return (Step(at_least=self.at_least, award=self.award),)

    @property
    def terms(self) -> list[Any]:
        """All that decides over who has it."""
        since, until = self.valid.since, self.valid.until
        needs = [str(step.at_least.normalize()) for step in self.steps]
        return [self.id, self.count, str(self.window), self.in_a_row, since, until, needs]


class Judgement(NamedTuple):
    """How far a badge is: the day on which each of its levels was first reached, and where it stands today."""

    reached_on: tuple[date | None, ...]
    current: Decimal


class Progress(NamedTuple):
    """How far the next level of a badge is."""

    level: int
    current: Decimal
    required: Decimal

    @property
    def ratio(self) -> Decimal:
        """0 to 1, four places, rounded down."""
        return (self.current / self.required).quantize(_PLACES, rounding=ROUND_DOWN)


class BadgeSettings(ChannelSettings):
    """The programme's section ``channels: badge:``."""

    called = ("Badge", "徽章")

    badges: Annotated[tuple[Badge, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _ids_are_used_once(self) -> Self:
        seen = set[str]()
        for badge in self.badges:
            if badge.id in seen:
                raise PydanticCustomError("id", "{reason}", {"reason": f"id {badge.id!r} is used twice"})
            seen.add(badge.id)
        return self

    @cached_property
    def terms(self) -> str:
        """The terms of all badges, as a digest: who was judged by others may have something coming."""
        return hashlib.sha256(orjson.dumps([badge.terms for badge in self.badges])).hexdigest()

    def budgets(self, channel: str) -> Iterable[NamedBudget]:
        for badge in self.badges:
            for number, step in enumerate(badge.steps, 1):
                if step.award is not None:
                    yield from step.award.budgets_of(occasion(badge, number))

    def check(self, programme: Programme) -> Iterable[Misfit]:
        named: list[tuple[Path, str]] = []
        for at, badge in enumerate(self.badges):
            place = ("badges", at)
            for number, step in enumerate(badge.steps):
                inner: Path = (*place, "award") if badge.levels is None else (*place, "levels", number, "award")
                if badge.is_money:
                    try:
                        parse_money(step.at_least, programme.currency)
                    except InvalidAmount as error:
                        yield Misfit(place if badge.levels is None else (*place, "levels", number), str(error))
                coupons = step.award.coupons if step.award is not None else ()
                named += [((*inner, "coupons", each), name) for each, name in enumerate(coupons)]
        yield from unknown_coupons(programme, named)

    def says(self, words: Words) -> Iterable[Said]:
        for badge in self.badges:
            for number, step in enumerate(badge.steps, 1):
                yield Said(Topic.TOGETHER, _step_in_words(words, badge, step), (*_path(badge, number),))


def _path(badge: Badge, number: int) -> tuple[str, ...]:
    return ("badges", badge.id) if badge.levels is None else ("badges", badge.id, "levels", str(number))


def _step_in_words(words: Words, badge: Badge, step: Step) -> str:
    if badge.in_a_row:
        asked = words.say(
            "{days} in a row with {what}", "连续{days}有活动（{what}）",
            days=words.days(int(step.at_least)), what=words.activity(badge.count),
        )  # fmt: skip
    else:
        asked = words.tally(badge.count[0], step.at_least)
        if len(badge.count) > 1:
            asked = words.say(
                "{n} in all of {what}", "合计 {n}（{what}）", n=words.number(step.at_least),
                what=words.listed([words.measure(name) for name in badge.count]),
            )  # fmt: skip
        if span := words.window(badge.window):
            asked = words.say("{asked} {span}", "{span}{asked}", asked=asked, span=span)
    if validity := words.validity(badge.valid):
        asked = words.say("{asked}, {validity}", "{asked}（{validity}）", asked=asked, validity=validity)
    title = step.title or badge.title
    if step.award is None:
        return words.say("Badge “{title}”: {asked}.", "勋章“{title}”：{asked}。", title=title, asked=asked)
    return words.say(
        "Badge “{title}”: {asked}. It brings {gift}.", "勋章“{title}”：{asked}，奖励{gift}。",
        title=title, asked=asked, gift=words.gift(step.award.pack, step.award.coupons),
    )  # fmt: skip


def occasion(badge: Badge, level: int) -> str:
    """What an award is given for: it names its budget, and its coupons."""
    return f"{CHANNEL}:{badge.id}:{level}"


def judge(badge: Badge, counted: Mapping[int, int], today: date, programme: Programme) -> Judgement:
    """How far the badge is, when so much was counted on each day, by the day's number.

    A level is reached on the first day on which there was enough, whenever somebody looks: so a job that runs late
    finds what was to be found in time.
    """
    since, until, zone = badge.valid.since, badge.valid.until, programme.zone
    opens = None if since is None else local_day(since, zone)
    # It is over at ``until``, so an end at midnight belongs to the day before.
    closes = None if until is None else local_day(until - timedelta(microseconds=1), zone)
    days = [
        (day, amount)
        for day, amount in ((day_of(number), counted[number]) for number in sorted(counted))
        if (opens is None or opens <= day) and (closes is None or day <= closes)
    ]
    figures = list(_runs(days) if badge.in_a_row else _sums(badge, days))
    if badge.is_money:
        valued = [(day, fact_value(SPEND, figure, programme.currency)) for day, figure in figures]
    else:
        valued = [(day, Decimal(figure)) for day, figure in figures]
    reached = tuple(next((day for day, figure in valued if figure >= step.at_least), None) for step in badge.steps)
    return Judgement(reached, _current(badge, days, valued, today, programme))


def progress(badge: Badge, judgement: Judgement, held: Iterable[int]) -> Progress | None:
    """How far the lowest level is that the member has not got; None when there is none. It is full when it is due."""
    had = set(held)
    for number, step in enumerate(badge.steps, 1):
        if number not in had:
            due = judgement.reached_on[number - 1] is not None
            current = step.at_least if due else max(min(judgement.current, step.at_least), Decimal(0))
            return Progress(number, current, step.at_least)
    return None


def _runs(days: Iterable[tuple[date, int]]) -> Iterator[tuple[date, int]]:
    """The unbroken days up to each day on which there was something."""
    last, run = None, 0
    for day, amount in days:
        if amount > 0:
            run = run + 1 if last == day - _ONE_DAY else 1
            last = day
            yield day, run


def _sums(badge: Badge, days: list[tuple[date, int]]) -> Iterator[tuple[date, int]]:
    """What the window that ends on each day holds."""
    total, first = 0, 0
    for day, amount in days:
        total += amount
        start = badge.window.start(day)
        while start is not None and days[first][0] < start:
            total -= days[first][1]
            first += 1
        yield day, total


def _current(
    badge: Badge, days: list[tuple[date, int]], valued: list[tuple[date, Decimal]], today: date, programme: Programme
) -> Decimal:
    if badge.in_a_row:
        # Today is not over: a row that reached yesterday is unbroken.
        return valued[-1][1] if valued and valued[-1][0] >= today - _ONE_DAY else Decimal(0)
    start = badge.window.start(today)
    total = sum(amount for day, amount in days if start is None or start <= day)
    return fact_value(SPEND, total, programme.currency) if badge.is_money else Decimal(total)


def _wrong(reason: str) -> PydanticCustomError:
    return PydanticCustomError("badge", "{reason}", {"reason": reason})
