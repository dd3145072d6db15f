"""The channel's section of the programme: quests, the periods they are done in, and progress. Everything is pure."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from core.rulebook.budgets import NamedBudget
from core.rulebook.document import Identifier, Section
from core.rulebook.programme import ChannelSettings, Misfit, Programme, unknown_tiers
from core.rulebook.rules import Budget, Validity, check_countable
from core.time.calendar import day_start, local_day, next_day
from core.time.periods import PeriodKind, period_of
from core.units import AMOUNT_MAX, POINTS
from core.wording.facts import TallyWords
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "quest"

JOINED: Final = "joined"
"""What every member has done once: joining, on the day it was."""

_KINDS: Final[Mapping[str, PeriodKind]] = {"daily": "day", "weekly": "week", "monthly": "month"}

Need = Annotated[int, Field(strict=True, ge=1, le=10_000)]


class Period(NamedTuple):
    """The days in which a quest is done once, both ends included; None is without end.

    ``resets_on`` is the day from which it can be done anew.
    """

    name: str
    first: date | None
    last: date | None
    resets_on: date | None

    def __contains__(self, day: object) -> bool:
        assert isinstance(day, date)
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class Progress(NamedTuple):
    """How far a quest is; ``current`` never counts more of anything than is asked for."""

    current: int
    required: int

    @property
    def is_reached(self) -> bool:
        return self.current == self.required


class Quest(Section):
    """So much of each that is to be counted, in one period, brings ``points``.

    It is paid at once, or with ``claim`` when the member asks for it. Only members of ``tiers`` can do it, if given.
    All members together get what ``budget`` has. It is suggested first to members with a tag of ``suits``.
    """

    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=200)]
    count: Annotated[dict[str, Need], Field(min_length=1, max_length=10)]
    points: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
    period: Literal["once", "daily", "weekly", "monthly"] = "once"
    valid: Validity = Validity()
    tiers: tuple[Identifier, ...] | None = None
    claim: Annotated[bool, Field(strict=True)] = False
    budget: Budget = Budget()
    suits: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], Field(max_length=20)] = ()

    def is_for(self, tier: str) -> bool:
        return self.tiers is None or tier in self.tiers

    def period_of(self, day: date, zone: ZoneInfo) -> Period | None:
        """The period in which the day lies; None when the quest is not offered on that day."""
        first, last, name = _natural(self.period, day)
        resets_on = None if last is None else next_day(last)
        since, until = self.valid.since, self.valid.until
        opens = None if since is None else local_day(since, zone)
        # The quest is over at ``until``, so an end at midnight belongs to the day before.
        closes = None if until is None else local_day(until - timedelta(microseconds=1), zone)
        if resets_on is not None and closes is not None and resets_on > closes:
            resets_on = None
        first = max((each for each in (first, opens) if each is not None), default=None)
        last = min((each for each in (last, closes) if each is not None), default=None)
        period = Period(name, first, last, resets_on)
        return period if day in period else None

    def progress(self, counted: Mapping[str, int]) -> Progress:
        """How far it is when so much was counted."""
        current = sum(min(max(counted[name], 0), need) for name, need in self.count.items())
        return Progress(current, sum(self.count.values()))


class QuestSettings(ChannelSettings):
    """The programme's section ``channels: quest:``.

    ``events`` names what the brand's own service tells of (``recordQuestEvent``), each with what it is. A quest counts
    these, ``joined``, and whatever tallies plugins offer.
    """

    called = ("Quest", "任务")

    events: Annotated[dict[Identifier, Annotated[str, Field(max_length=200)]], Field(max_length=100)] = Field(
        default_factory=dict
    )
    quests: Annotated[tuple[Quest, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _quests_count_what_is_counted(self, info: ValidationInfo) -> Self:
        seen = set[str]()
        for quest in self.quests:
            if quest.id in seen:
                raise PydanticCustomError("id", "{reason}", {"reason": f"id {quest.id!r} is used twice"})
            seen.add(quest.id)
            for name in quest.count:
                check_countable(name, info, (JOINED, *self.events))
        return self

    def budgets(self, channel: str) -> Iterable[NamedBudget]:
        return (NamedBudget(f"{channel}:{quest.id}", POINTS, quest.budget) for quest in self.quests)

    def check(self, programme: Programme) -> Iterable[Misfit]:
        return unknown_tiers(
            programme,
            [
                (("quests", at, "tiers", place), tier)
                for at, quest in enumerate(self.quests)
                for place, tier in enumerate(quest.tiers or ())
            ],
        )

    def find(self, name: str) -> Quest | None:
        return next((quest for quest in self.quests if quest.id == name), None)

    def tallies_in_words(self) -> Mapping[str, TallyWords]:
        # What the brand has written stands in its own language.
        return {
            name: TallyWords(f"“{text}”", f"{{n}} × “{text}”", f"“{text}”{{n}}次") for name, text in self._said_events()
        }

    def _said_events(self) -> Iterable[tuple[str, str]]:
        return ((name, text.replace("{", "(").replace("}", ")")) for name, text in self.events.items())

    def says(self, words: Words) -> Iterable[Said]:
        for quest in self.quests:
            asked = words.listed([words.tally(name, need) for name, need in quest.count.items()])
            how_often = words.say(*_HOW_OFTEN[quest.period])
            text = words.say(
                "Quest “{title}”, {how_often}, for {points}: {asked}.",
                "任务“{title}”（{how_often}）：{asked}，得{points}。",
                title=quest.title, how_often=how_often, asked=asked, points=words.points(quest.points),
            )  # fmt: skip
            for more in (
                words.say("For {who} only.", "仅限{who}。", who=words.members(quest.tiers)) if quest.tiers else "",
                words.say("It is open {v}.", "开放时间：{v}。", v=v) if (v := words.validity(quest.valid)) else "",
                words.say("You claim it yourself.", "须自行领取。") if quest.claim else "",
                words.budget(quest.budget),
            ):
                if more:
                    text = words.say("{text} {more}", "{text}{more}", text=text, more=more)
            yield Said(Topic.EARNING, text, ("quests", quest.id))


_HOW_OFTEN: Final[Mapping[str, tuple[str, str]]] = {
    "once": ("once", "一次"),
    "daily": ("every day anew", "每日"),
    "weekly": ("every week anew", "每周"),
    "monthly": ("every month anew", "每月"),
}


def _natural(period: str, day: date) -> tuple[date | None, date | None, str]:
    """The calendar's first and last day of the period in which the day lies, and its name."""
    kind = _KINDS.get(period)
    if kind is None:
        return None, None, "once"
    name, first, last = period_of(kind, day)
    return first, last, name


def resets_at(period: Period, zone: ZoneInfo) -> datetime | None:
    """When the quest can be done anew; None for never."""
    return None if period.resets_on is None else day_start(period.resets_on, zone)
