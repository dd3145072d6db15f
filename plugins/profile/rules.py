"""The channel's section of the programme: plain numbers, as each is given once."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.rulebook.document import Count, Identifier
from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import Budget
from core.wording.facts import TallyWords, Wording
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "profile"


class ProfileSettings(ChannelSettings):
    """The programme's section ``channels: profile:``.

    ``join`` points are given on joining, those of ``sections`` on completing each, ``complete`` on completing all.
    All members together get what ``budget`` has.
    """

    called = ("Profile", "个人资料")

    wording: ClassVar[Wording] = Wording(
        tallies={
            "profile_sections": TallyWords(
                "a section of the profile",
                "{n} sections of the profile",
                "完善个人资料 {n} 项",
                ("sections", "资料项数"),
            ),
            "profile_completed": TallyWords("the whole profile", "the whole profile", "完善全部个人资料"),
        }
    )

    join: Count = 0
    sections: Annotated[dict[Identifier, Count], Field(max_length=100, default_factory=dict)]
    complete: Count = 0
    budget: Budget = Budget()

    @model_validator(mode="after")
    def _has_what_can_be_completed(self) -> Self:
        if self.complete and not self.sections:
            raise PydanticCustomError("profile", "complete needs sections that can be completed")
        return self

    def says(self, words: Words) -> Iterable[Said]:
        if self.join:
            text = words.say("Joining earns {points}.", "入会得{points}。", points=words.points(self.join))
            yield Said(Topic.EARNING, text, ("join",))
        for section, points in self.sections.items():
            text = words.say(
                "Completing “{section}” of your profile earns {points}.", "完善个人资料“{section}”得{points}。",
                section=words.term(section), points=words.points(points),
            )  # fmt: skip
            yield Said(Topic.EARNING, text, ("sections", section))
        if self.complete:
            more = words.points(self.complete)
            text = words.say("Completing all of it earns another {more}.", "全部完善另得{more}。", more=more)
            yield Said(Topic.EARNING, text, ("complete",))
        if shared := words.budget(self.budget):
            yield Said(Topic.EARNING, shared, ("budget",))
