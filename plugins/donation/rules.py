"""The projects that points can be given to, who may give, and what the brand adds. All of it is pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, ClassVar, Final, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import Validity
from core.units import AMOUNT_MAX
from core.wording.facts import TallyWords, Wording
from core.wording.language import plain
from core.wording.words import Said, Topic, Words

from .refusals import DonationClosed, DonationGoalReached, DonationNotYetOpen, DonationTooSmall

CHANNEL: Final = "donation"
MATCH_MAX: Final = 100


def _match(value: Decimal) -> Decimal:
    if value > MATCH_MAX:
        raise PydanticCustomError("match", f"what the brand adds for a point is at most {MATCH_MAX} points")
    return value


class Project(Section):
    """A project. For each point that a member gives the brand adds ``match`` points, as far as the goal needs them.

    With ``beyond_goal`` members may go on giving when the goal is reached, and nothing cuts what the brand adds.
    """

    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=200)]
    goal: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
    valid: Validity = Validity()
    least: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)] = 1
    match: Annotated[QuotedDecimal, AfterValidator(_match)] = Decimal(0)
    beyond_goal: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.least > self.goal:
            raise PydanticCustomError("least", "a donation of the least would be more than the goal")
        return self

    @property
    def tally(self) -> str:
        """What counts how many points a member has given."""
        return f"{CHANNEL}:{self.id}"

    def left(self, raised: int) -> int | None:
        """How many more points it takes; None when there is no end to it."""
        return None if self.beyond_goal else max(self.goal - raised, 0)

    def least_now(self, raised: int) -> int:
        """The fewest points that can be given: less than usual when less than that is left to the goal."""
        left = self.left(raised)
        return self.least if left is None else min(self.least, left)

    def added(self, points: int, raised: int) -> int:
        """What the brand adds to so many points, rounded down, and no more than the goal still needs."""
        added = int(points * self.match)
        left = self.left(raised)
        return added if left is None else min(added, left - points)

    def check_open(self, at: datetime, raised: int) -> None:
        """Raise DonationNotYetOpen, DonationClosed or DonationGoalReached unless it takes points at that instant."""
        if self.valid.since is not None and at < self.valid.since:
            raise DonationNotYetOpen(project=self.id, opens_at=self.valid.since)
        if self.valid.until is not None and at >= self.valid.until:
            raise DonationClosed(project=self.id, closed_at=self.valid.until)
        if self.left(raised) == 0:
            raise DonationGoalReached(project=self.id, goal=self.goal, goal_left=0)

    def check_points(self, points: int, raised: int) -> None:
        """Raise DonationTooSmall, or DonationGoalReached when it is more than the project takes."""
        if points < self.least_now(raised):
            raise DonationTooSmall(project=self.id, points=points, needed=self.least_now(raised))
        left = self.left(raised)
        if left is not None and points > left:
            raise DonationGoalReached(project=self.id, goal=self.goal, goal_left=left)


class DonationSettings(ChannelSettings):
    """The programme's section ``channels: donation:``."""

    called = ("Donation", "捐赠")

    wording: ClassVar[Wording] = Wording(
        tallies={
            "points_donated": TallyWords(
                "1 point donated", "{n} points donated", "捐赠 {n} 积分", ("points donated", "捐赠的积分")
            )
        }
    )

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
            text = words.say(
                "You can give points to “{title}”, {least} or more at a time; the goal is {goal}.",
                "可向“{title}”捐赠积分，每次{least}起，目标{goal}。",
                title=project.title, least=words.points(project.least), goal=words.points(project.goal),
            )  # fmt: skip
            if project.match:
                added = words.say(
                    "For each point that is given we add {match}.", "每捐 1 积分，我们另捐{match}。",
                    match=words.amount(plain(project.match)),
                )  # fmt: skip
                text = words.say("{text} {added}", "{text}{added}", text=text, added=added)
            if validity := words.validity(project.valid):
                text = words.say(
                    "{text} It is open {validity}.", "{text}开放时间：{validity}。", text=text, validity=validity
                )
            yield Said(Topic.SPENDING, text, ("projects", project.id))
