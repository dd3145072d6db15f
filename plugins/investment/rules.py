"""The projects that points can be staked on, who may stake how many, and what comes back. All of it is pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import Validity
from core.units import AMOUNT_MAX
from core.wording.words import Said, Topic, Words

from .refusals import (
    InvestmentClosed,
    InvestmentGoalReached,
    InvestmentNotYetOpen,
    InvestmentTooLarge,
    InvestmentTooSmall,
)

CHANNEL: Final = "investment"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
FACTOR_MAX: Final = 100
_PLACES_MAX: Final = 4


def _exact(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if -exponent > _PLACES_MAX:
        raise PydanticCustomError("factor", f"a factor has at most {_PLACES_MAX} places")
    return value


def _success(value: Decimal) -> Decimal:
    if not 1 <= value <= FACTOR_MAX:
        raise PydanticCustomError("success", f"on success 1 to {FACTOR_MAX} points come back for each")
    return _exact(value)


def _failure(value: Decimal) -> Decimal:
    if value > 1:
        raise PydanticCustomError("failure", "on failure no more than the points themselves come back: at most 1")
    return _exact(value)


class Window(Validity):
    """When a project takes points. It has an end, as what is staked waits for it."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.until is None:
            raise PydanticCustomError("window", "to is missing: until when it takes points")
        return self


class Project(Section):
    """A project. Of each point staked ``success`` points come back when it succeeds, ``failure`` when it fails."""

    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=200)]
    goal: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
    window: Window
    least: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)] = 1
    most: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)] | None = None
    success: Annotated[QuotedDecimal, AfterValidator(_success)]
    failure: Annotated[QuotedDecimal, AfterValidator(_failure)] = Decimal(1)
    cancellable: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _can_be_staked_on(self) -> Self:
        if self.least > min(self.goal, self.most or self.goal):
            raise PydanticCustomError("least", "the least of a member is more than the most, or than the goal")
        return self

    @property
    def closes_at(self) -> datetime:
        """From when on it takes no points."""
        assert self.window.until is not None
        return self.window.until

    def check_open(self, at: datetime) -> None:
        """Raise InvestmentNotYetOpen or InvestmentClosed unless its time is now."""
        if self.window.since is not None and at < self.window.since:
            raise InvestmentNotYetOpen(project=self.id, opens_at=self.window.since)
        if at >= self.closes_at:
            raise InvestmentClosed(project=self.id, closed_at=self.closes_at)

    def check_points(self, points: int, mine: int, raised: int) -> None:
        """Raise unless a member with ``mine`` points on it can add these when all have raised so many.

        Raises InvestmentGoalReached, InvestmentTooLarge, InvestmentTooSmall.
        """
        goal_left = max(self.goal - raised, 0)
        if points > goal_left:
            raise InvestmentGoalReached(project=self.id, goal=self.goal, goal_left=goal_left)
        if self.most is not None and mine + points > self.most:
            raise InvestmentTooLarge(project=self.id, points=points, left=max(self.most - mine, 0))
        # The last ones may be fewer: else a goal could be left that nobody can reach.
        needed = min(self.least - mine, goal_left)
        if points < needed:
            raise InvestmentTooSmall(project=self.id, points=points, needed=needed)


def paid_back(points: int, outcome: str, success: Decimal, failure: Decimal) -> tuple[int, int]:
    """What comes back of so many points: their own, and what is new; both rounded down.

    >>> paid_back(101, SUCCEEDED, Decimal("1.2"), Decimal("0.5"))
    (101, 20)
    >>> paid_back(101, FAILED, Decimal("1.2"), Decimal("0.5"))
    (50, 0)
    """
    if outcome == SUCCEEDED:
        return points, int(points * (success - 1))
    return int(points * failure), 0


class InvestmentSettings(ChannelSettings):
    """The programme's section ``channels: investment:``."""

    called = ("Investment", "共建投资")

    projects: Annotated[tuple[Project, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len(self.by_id) < len(self.projects):
            raise PydanticCustomError("projects", "an id is used twice")
        return self

    @cached_property
    def by_id(self) -> Mapping[str, Project]:
        return {project.id: project for project in self.projects}

    def says(self, words: Words) -> Iterable[Said]:
        for project in self.projects:
            most = "" if project.most is None else words.points(project.most)
            stake = (
                words.say("{least} to {most}", "{least}至{most}", least=words.number(project.least), most=most)
                if most
                else words.say("{least} or more", "{least}起", least=words.points(project.least))
            )
            text = words.say(
                "You can stake points on “{title}” {validity}, {stake}. For each point {success} come back when it "
                "succeeds, {failure} when it fails.",
                "可用积分支持“{title}”（{validity}），每人{stake}；"
                "每投入 1 积分，成功返还{success}，失败返还{failure}。",
                title=project.title, validity=words.validity(project.window), stake=stake,
                success=words.number(project.success), failure=words.number(project.failure),
            )  # fmt: skip
            yield Said(Topic.SPENDING, text, ("projects", project.id))
