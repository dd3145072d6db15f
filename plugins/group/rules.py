"""The channel's section of the programme: the groups, and who may belong to them. Everything is pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.books.members import Member
from core.ladder.benefits import Benefit, BenefitKind
from core.rulebook.document import Identifier, Section
from core.rulebook.programme import ChannelSettings, Misfit, Programme, unknown_tiers
from core.rulebook.rules import Condition
from core.time.calendar import day_start, local_day
from core.wording.expressions import condition
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "group"

Days = Annotated[int, Field(strict=True, ge=1, le=366)]


@dataclass(slots=True)
class MemberFacts:
    """``member``, as they are when they ask to belong."""

    tier: str
    tags: list[str]
    enrolled_at: datetime


class Group(Section):
    """A group, and who may belong: members of ``tiers``, if any are named, for whom ``when`` holds as they join.

    Who joins belongs at once, or when an operator lets them, as ``entry`` says. Who loses the tier leaves: at once,
    after ``grace_days`` in which the tier may come back, or never, if they ``stay``.
    """

    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    tiers: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=20)] | None = None
    when: Condition | None = None
    entry: Literal["at_once", "application"] = "at_once"
    tier_lost: Literal["leave", "stay"] = "leave"
    grace_days: Days | None = None

    @model_validator(mode="after")
    def _is_meant(self) -> Self:
        if self.tiers is None and "tier_lost" in self.model_fields_set:
            raise PydanticCustomError("group", "tier_lost: the group is for members of every tier")
        if self.grace_days is not None and (self.tiers is None or self.tier_lost == "stay"):
            raise PydanticCustomError("group", "grace_days: nobody has to leave")
        return self

    def takes(self, tier: str) -> bool:
        """Whether members of the tier may belong."""
        return self.tiers is None or tier in self.tiers

    def holds_for(self, member: Member, tags: Sequence[str]) -> bool:
        """Whether the condition holds for a member who has these tags."""
        facts = MemberFacts(member.tier, list(tags), member.enrolled_at)
        return self.when is None or self.when.evaluate({"member": facts})

    def ends_at(self, now: datetime, programme: Programme) -> datetime:
        """When who loses the tier now leaves: at once, or when so many local days are over."""
        if self.grace_days is None:
            return now
        return day_start(local_day(now, programme.zone) + timedelta(days=self.grace_days), programme.zone)


class GroupSettings(ChannelSettings):
    """The programme's section ``channels: group:``."""

    called = ("Group", "社群")

    facts: ClassVar[Mapping[str, Any]] = {"member": MemberFacts}

    groups: Annotated[tuple[Group, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _ids_are_used_once(self) -> Self:
        if len(self.by_id) < len(self.groups):
            raise PydanticCustomError("id", "two groups have one id")
        return self

    @cached_property
    def by_id(self) -> Mapping[str, Group]:
        """The groups by id."""
        return {group.id: group for group in self.groups}

    def check(self, programme: Programme) -> Iterable[Misfit]:
        yield from unknown_tiers(
            programme,
            [
                (("groups", at, "tiers", place), tier)
                for at, group in enumerate(self.groups)
                for place, tier in enumerate(group.tiers or ())
            ],
        )

    def brings(self, programme: Programme, tier: str) -> Iterable[Benefit]:
        for group in self.groups:
            if group.tiers is not None and tier in group.tiers:
                yield Benefit(CHANNEL, group.id, group.title, BenefitKind.GROUP)

    def says(self, words: Words) -> Iterable[Said]:
        for group in self.groups:
            who = words.say("all members", "所有会员") if group.tiers is None else words.members(group.tiers)
            text = words.say("Group “{title}”, for {who}", "社群“{title}”：{who}", title=group.title, who=who)
            if group.when is not None:
                when = condition(words, group.when)
                text = words.say("{text} when {when}", "{text}，且{when}", text=text, when=when)
            enters = (
                words.say("you can join at any time", "可随时加入")
                if group.entry == "at_once"
                else words.say("you can apply to join", "须申请加入")
            )
            text = words.say("{text}: {enters}.", "{text}；{enters}。", text=text, enters=enters)
            if group.tiers is not None and group.tier_lost == "leave":
                leaves = (
                    words.say("Whoever loses the tier leaves.", "失去等级即退出。")
                    if group.grace_days is None
                    else words.say(
                        "Whoever loses the tier leaves after {days}.",
                        "失去等级{days}后退出。",
                        days=words.days(group.grace_days),
                    )
                )
                text = words.say("{text} {leaves}", "{text}{leaves}", text=text, leaves=leaves)
            yield Said(Topic.TOGETHER, text, ("groups", group.id))
