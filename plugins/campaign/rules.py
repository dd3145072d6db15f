"""The channel's section of the programme, and what a campaign is worth for an order. Everything is pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.channels.orders import FACTS
from core.rulebook.budgets import NamedBudget, budget_of
from core.rulebook.document import Count, Identifier, Section
from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import Activity, AlarmPercent, Award, Budget, CapRoom, RuleSet, Validity
from core.units import POINTS
from core.wording.facts import FactWords, Wording
from core.wording.words import Said, Topic, Words

from .models import CampaignBudget

CHANNEL: Final = "campaign"


def counted(campaign: str, terms: Budget) -> NamedBudget:
    """The budget of a campaign, counted in the channel's own table, as refunds give back to it."""
    return NamedBudget(f"{CHANNEL}:{campaign}", POINTS, terms, (CampaignBudget, {"campaign": campaign}))


class CampaignState(StrEnum):
    """Where a campaign stands."""

    AHEAD = "ahead"
    OPEN = "open"
    OVER = "over"


class Campaign(Section):
    """A bonus on orders while it is ``valid``, by rules that see what purchase rules see, and ``earned``.

    All members together get ``budget`` points at most; at ``alarm_at`` percent of them somebody is told, and a budget
    that does not stop is told of and no more. ``refunds`` says what a refund leaves of the bonus: what the
    rules give for the rest of the order, or at most the rest's share of what was given (for a fixed bonus).
    """

    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=200)]
    valid: Validity = Validity()
    bonus: RuleSet
    budget: Count | None = None
    alarm_at: AlarmPercent = 80
    stops: Annotated[bool, Field(strict=True)] = True
    refunds: Literal["rework", "proportion"] = "rework"

    @property
    def terms(self) -> Budget:
        """Its budget, for as long as there are points in it."""
        return Budget(lifetime=self.budget, alarm_at=self.alarm_at, stops=self.stops)

    def award(self, order: Activity, awards: Mapping[str, int], room: CapRoom) -> Award:
        """What it gives for an order that has earned ``awards``, by unit, when the caps leave so much room."""
        return self.bonus.award(self.activity(order, awards), room)

    def activity(self, order: Activity, awards: Mapping[str, int]) -> Activity:
        """What its rules see of the order."""
        return Activity(CHANNEL, order.at, {**order.bindings, "earned": awards.get(POINTS, 0)}, order.lines)

    def state(self, at: datetime) -> CampaignState:
        """Where it stands at that instant."""
        if self.valid.holds(at):
            return CampaignState.OPEN
        since = self.valid.since
        return CampaignState.AHEAD if since is not None and at < since else CampaignState.OVER


class CampaignSettings(ChannelSettings):
    """The programme's section ``channels: campaign:``. ``earned`` are the points that the order has brought."""

    called = ("Campaign", "活动")

    facts: ClassVar[Mapping[str, Any]] = {**FACTS, "earned": int}
    wording: ClassVar[Wording] = Wording(
        occasion=("each order", "每笔订单"),
        facts={
            "earned": FactWords(
                ("the points that the order has brought", "该订单所得积分"),
                itself=("as many points as the order has brought", "与该订单所得相同的积分"),
                per=(
                    "for each point that the order has brought",
                    "for every {n} points that the order has brought",
                    "该订单每得 {n} 积分",
                ),
            )
        },
    )

    campaigns: Annotated[tuple[Campaign, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _ids_are_of_one_campaign(self) -> Self:
        seen = set[str]()
        for campaign in self.campaigns:
            if campaign.id in seen:
                raise PydanticCustomError("id", "{reason}", {"reason": f"id {campaign.id!r} is used twice"})
            seen.add(campaign.id)
        return self

    def budgets(self, channel: str) -> Iterator[NamedBudget]:
        for campaign in self.campaigns:
            yield budget_of(f"{channel}:{campaign.id}", POINTS, campaign.bonus.caps)
            yield counted(campaign.id, campaign.terms)

    def open_at(self, at: datetime) -> list[Campaign]:
        """The campaigns that are open at that instant, by id: budgets are claimed in that order."""
        return sorted((each for each in self.campaigns if each.valid.holds(at)), key=lambda campaign: campaign.id)

    def find(self, name: str) -> Campaign | None:
        return next((campaign for campaign in self.campaigns if campaign.id == name), None)

    def says(self, words: Words) -> Iterable[Said]:
        for campaign in self.campaigns:
            path = ("campaigns", campaign.id)
            validity = words.validity(campaign.valid) or words.say("always", "长期有效")
            named = words.say(
                "“{title}” ({validity})", "“{title}”（{validity}）", title=campaign.title, validity=validity
            )
            for said in words.rules(campaign.bonus, POINTS, path=(*path, "bonus")):
                yield said._replace(text=words.say("{named}: {text}", "{named}：{text}", named=named, text=said.text))
            if shared := words.budget(campaign.terms):
                text = words.say("{named}: {text}", "{named}：{text}", named=named, text=shared)
                yield Said(Topic.EARNING, text, (*path, "budget"))
