"""The channel's section of the programme, and the stage of a member on a day. Everything is pure."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Final, NamedTuple, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.channels.coupons import unknown_coupons
from core.channels.gifts import Gift
from core.channels.tags import TagGiver
from core.rulebook.budgets import NamedBudget
from core.rulebook.programme import Misfit, Programme
from core.rulebook.segments import History, Look, Segment, Segments
from core.time.calendar import add_months
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "life_cycle"

_TURNS_MAX: Final = 400


class Cause(StrEnum):
    """Why a member came to a stage."""

    ENROLMENT = "enrolment"
    COUNTED = "counted"
    TIME = "time"
    PROGRAMME = "programme"


class EntryGift(Gift):
    """What entering a stage brings, at most once in ``every_months``; each time if that is left out."""

    every_months: Annotated[int, Field(strict=True, ge=1, le=120)] | None = None

    def is_free(self, last_gift: date | None, day: date) -> bool:
        """Whether enough months have gone by since the last one."""
        if last_gift is None or self.every_months is None:
            return True
        return add_months(last_gift, self.every_months) <= day


class Stage(Segment):
    """A stage of the life cycle: who is in it, and what entering it brings."""

    enter: EntryGift | None = None


class Turn(NamedTuple):
    """A stage, and the first day in it."""

    stage: str
    day: date


class LifeCycleSettings(TagGiver):
    """The programme's section ``channels: life_cycle:``.

    A member is in the first of the ``stages`` whose criteria hold. The last one has none: everybody else is there.
    Whoever is in a stage has a tag of its id.
    """

    called = ("Life cycle", "生命周期")

    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _everybody_is_somewhere(self) -> Self:
        if len(self.stages) == 1:
            raise PydanticCustomError("stages", "there is one stage, which nobody leaves")
        seen = set[str]()
        for stage in self.stages:
            if stage.id in seen:
                raise PydanticCustomError("id", "{reason}", {"reason": f"id {stage.id!r} is used twice"})
            seen.add(stage.id)
            if not stage.criteria and stage is not self.stages[-1]:
                reason = f"stage {stage.id!r} has no criteria, so nobody is in one that follows"
                raise PydanticCustomError("stages", "{reason}", {"reason": reason})
        if self.stages[-1].criteria:
            raise PydanticCustomError("stages", "the last stage is where everybody else is; it has no criteria")
        return self

    def budgets(self, channel: str) -> Iterable[NamedBudget]:
        for stage in self.stages:
            if stage.enter is not None:
                yield from stage.enter.budgets_of(f"{channel}:{stage.id}")

    def check(self, programme: Programme) -> Iterable[Misfit]:
        return unknown_coupons(
            programme,
            [
                (("stages", at, "enter", "coupons", place), name)
                for at, stage in enumerate(self.stages)
                for place, name in enumerate(stage.enter.coupons if stage.enter else ())
            ],
        )

    def tag_ids(self) -> Collection[str]:
        return [stage.id for stage in self.stages]

    @cached_property
    def segments(self) -> Segments:
        return Segments(self.stages)

    def stage(self, name: str) -> Stage | None:
        """The stage of that id; None for one that the programme has no longer."""
        return next((stage for stage in self.stages if stage.id == name), None)

    def stage_on(self, history: History, day: date) -> str:
        """In which stage who has this history is on a day."""
        return next(stage.id for stage in self.stages if stage.has(history, day))

    def look(self, history: History, day: date) -> Look:
        """The stage on a day, and when it is another if nothing more is counted."""
        return self.segments.look(lambda on: self.stage_on(history, on), history, day)

    def turns(self, history: History, day: date) -> Iterator[Turn]:
        """The stage on a day, and those that follow it if nothing more is counted."""
        for _ in range(_TURNS_MAX):
            look = self.look(history, day)
            yield Turn(look.now, day)
            if look.turns_on is None:
                return
            day = look.turns_on

    def says(self, words: Words) -> Iterable[Said]:
        # Which there are, and what one brings, is for staff and the brand's backend, as everybody reads this.
        text = words.say(
            "What we offer you may depend on what you did of late.", "我们提供的内容可能因您近期的活动而不同。"
        )
        yield Said(Topic.SERVICE, text, ("stages",))
