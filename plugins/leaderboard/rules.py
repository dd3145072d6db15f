"""The channel's section of the programme: boards, their periods and what the first places win. Everything is pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Final, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from core.books.tallies import SPEND
from core.channels.coupons import unknown_coupons
from core.channels.gifts import Gift
from core.errors import InvalidAmount
from core.money import parse_money
from core.rulebook.budgets import NamedBudget
from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.programme import ChannelSettings, Misfit, Path, Programme
from core.rulebook.rules import check_countable
from core.time.calendar import day_start, next_day
from core.time.periods import Period, PeriodKind, period_after, period_of
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "leaderboard"

PLACES_MAX: Final = 1_000
"""The last place that can win something."""


class Prize(Section):
    """What those win who are on the places after the prize before, up to this one."""

    up_to: Annotated[int, Field(strict=True, ge=1, le=PLACES_MAX)]
    award: Gift


class Measure(NamedTuple):
    """What a board goes by: a tally, over which periods, and how long afterwards what is told late still counts.

    Boards of one measure have the same scores.
    """

    tally: str
    kind: PeriodKind
    settles_days: int

    def __str__(self) -> str:
        return f"{self.tally}/{self.kind}/{self.settles_days}"

    def ends_at(self, period: Period, zone: ZoneInfo) -> datetime:
        """When a period is over. Whatever the programme says a moment before holds for it."""
        return day_start(next_day(period.last), zone)

    def closes_at(self, period: Period, zone: ZoneInfo) -> datetime:
        """When the scores of a period are final."""
        return day_start(next_day(period.last) + timedelta(days=self.settles_days), zone)

    def open(self, today: date, now: datetime, zone: ZoneInfo) -> Iterator[Period]:
        """The periods whose scores are not final, from the first on; those that are ahead left out."""
        period = period_of(self.kind, today - timedelta(days=self.settles_days + 1))
        while period.first <= today:
            if now < self.closes_at(period, zone):
                yield period
            period = period_after(self.kind, period)


class Board(Section):
    """A leaderboard: members by how much was counted of them in a period.

    Only with ``at_least`` so much is anything won. What is told within ``settles_days`` after the end still counts.
    """

    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=200)]
    count: str
    period: PeriodKind
    settles_days: Annotated[int, Field(strict=True, ge=0, le=60)] = 0
    at_least: QuotedDecimal | None = None
    prizes: Annotated[tuple[Prize, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _can_be_led(self, info: ValidationInfo) -> Self:
        check_countable(self.count, info, (SPEND,))
        if any(second.up_to <= first.up_to for first, second in pairwise(self.prizes)):
            raise _wrong("each prize is for places after those of the one before")
        if self.at_least is not None and self.at_least <= 0:
            raise _wrong("at_least must be more than 0")
        if self.at_least is not None and not self.is_money and self.at_least != int(self.at_least):
            raise _wrong(f"{self.count} is counted in whole numbers")
        return self

    @property
    def is_money(self) -> bool:
        return self.count == SPEND

    @property
    def measure(self) -> Measure:
        return Measure(self.count, self.period, self.settles_days)

    def least(self, programme: Programme) -> int:
        """The least score that wins, as it is counted."""
        if self.at_least is None:
            return 1
        return parse_money(self.at_least, programme.currency) if self.is_money else int(self.at_least)

    def prize_of(self, place: int) -> Prize | None:
        """What a place wins."""
        return next((prize for prize in self.prizes if place <= prize.up_to), None)


class Names(Section):
    """Which of the attributes that the brand knows of members is the name that others may read.

    With ``hidden`` members are nameless until they let it be shown.
    """

    attribute: Annotated[str, Field(min_length=1, max_length=64)]
    hidden: Annotated[bool, Field(strict=True)] = False


class LeaderboardSettings(ChannelSettings):
    """The programme's section ``channels: leaderboard:``. Without ``names`` nobody's is shown."""

    called = ("Leaderboard", "排行榜")

    boards: Annotated[tuple[Board, ...], Field(min_length=1, max_length=20)]
    names: Names | None = None

    @model_validator(mode="after")
    def _ids_are_used_once(self) -> Self:
        seen = set[str]()
        for board in self.boards:
            if board.id in seen:
                raise PydanticCustomError("id", "{reason}", {"reason": f"id {board.id!r} is used twice"})
            seen.add(board.id)
        return self

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is scored, each once."""
        return tuple(dict.fromkeys(board.measure for board in self.boards))

    def find(self, name: str) -> Board | None:
        return next((board for board in self.boards if board.id == name), None)

    def budgets(self, channel: str) -> Iterable[NamedBudget]:
        for board in self.boards:
            for prize in board.prizes:
                yield from prize.award.budgets_of(budget_name(board, prize))

    def check(self, programme: Programme) -> Iterable[Misfit]:
        named: list[tuple[Path, str]] = []
        for at, board in enumerate(self.boards):
            try:
                board.least(programme)
            except InvalidAmount as error:
                yield Misfit(("boards", at, "at_least"), str(error))
            for place, prize in enumerate(board.prizes):
                inner: Path = ("boards", at, "prizes", place, "award", "coupons")
                named += [((*inner, each), name) for each, name in enumerate(prize.award.coupons)]
        yield from unknown_coupons(programme, named)

    def says(self, words: Words) -> Iterable[Said]:
        for board in self.boards:
            period = words.say(*_PERIODS[board.period])
            text = words.say(
                "Leaderboard “{title}”: anew each {period}, by {count}.",
                "排行榜“{title}”：每{period}一期，按{count}排名。",
                title=board.title, period=period, count=words.measure(board.count),
            )  # fmt: skip
            won = []
            first = 1
            for prize in board.prizes:
                place = str(first) if prize.up_to == first else f"{first}-{prize.up_to}"
                gift = words.gift(prize.award.pack, prize.award.coupons)
                won.append(words.say("place {place} wins {gift}", "第{place}名奖励{gift}", place=place, gift=gift))
                first = prize.up_to + 1
            if won:
                prizes = words.say("; ", "；").join(won)
                if board.at_least is not None:
                    least = words.tally(board.count, board.at_least)
                    prizes = words.say(
                        "{prizes}, with {least} or more", "{prizes}（须{least}）", prizes=prizes, least=least
                    )
                text = words.say("{text} {prizes}.", "{text}{prizes}。", text=text, prizes=_capital(prizes))
            yield Said(Topic.TOGETHER, text, ("boards", board.id))
        if self.names is None:
            text = words.say("Nobody's name is shown.", "不显示任何会员姓名。")
        elif self.names.hidden:
            text = words.say("Your name is shown only when you let it be.", "仅在您同意时显示您的名称。")
        else:
            text = words.say("Your name is shown; you can hide it.", "默认显示您的名称，您可选择隐藏。")
        yield Said(Topic.TOGETHER, text, ("names",))


_PERIODS: Final[Mapping[str, tuple[str, str]]] = {
    "day": ("day", "日"),
    "week": ("week", "周"),
    "month": ("month", "月"),
    "quarter": ("quarter", "季"),
}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def budget_name(board: Board, prize: Prize) -> str:
    """By which name a prize's budget is counted."""
    return f"{CHANNEL}:{board.id}:{prize.up_to}"


def places(scores: Iterable[int], place: int | None = 1, before: int = 0) -> Iterator[int | None]:
    """The places of members by their scores, the best first: those who are level share one, and the next is left out.

    ``place`` is the first one's, and ``before`` how many are ahead of it on the list; None where that is too many.

    >>> list(places([50, 40, 40, 10]))
    [1, 2, 2, 4]
    """
    last: int | None = None
    for at, score in enumerate(scores):
        if last is not None and score != last and place is not None:
            place = before + at + 1
        last = score
        yield place


def _wrong(reason: str) -> PydanticCustomError:
    return PydanticCustomError("leaderboard", "{reason}", {"reason": reason})
