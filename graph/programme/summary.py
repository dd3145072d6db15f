"""The rules in words in the schema: what a member would read before joining."""

from enum import Enum

import strawberry

from core.rulebook import programme as rulebook
from core.wording import summary as wording
from core.wording.words import Topic
from graph.phrases import Locale


@strawberry.enum
class SummaryTopic(Enum):
    """What a section of the summary is about."""

    EARNING = strawberry.enum_value(Topic.EARNING.value, description="How points are earned.")
    SPENDING = strawberry.enum_value(Topic.SPENDING.value, description="What they can be spent on.")
    EXPIRY = strawberry.enum_value(Topic.EXPIRY.value, description="How long they last.")
    TIERS = strawberry.enum_value(Topic.TIERS.value, description="The tiers: how one is reached and kept.")
    BENEFITS = strawberry.enum_value(Topic.BENEFITS.value, description="What members of each tier have.")
    TOGETHER = strawberry.enum_value(Topic.TOGETHER.value, description="Badges, leaderboards and groups.")
    REFUNDS = strawberry.enum_value(
        Topic.REFUNDS.value, description="What becomes of points when an order is refunded."
    )
    SERVICE = strawberry.enum_value(
        Topic.SERVICE.value, description="Messages, questions and what else is to be known."
    )


@strawberry.type
class SummarySentence:
    """A sentence about the rules."""

    channel: str | None = strawberry.field(
        description="The channel whose rule it tells; null for the programme's own: expiry, tiers, refunds."
    )
    text: str = strawberry.field(description="The sentence.")


@strawberry.type
class SummarySection:
    """What there is to say about one topic."""

    topic: SummaryTopic = strawberry.field(description="What it is about.")
    title: str = strawberry.field(description="Its heading, in the language.")
    sentences: list[SummarySentence] = strawberry.field(description="The sentences, in their order.")


@strawberry.type
class ProgrammeSummary:
    """The rules as a member would read them, made from the programme document."""

    title: str = strawberry.field(description="What members call the programme.")
    sections: list[SummarySection] = strawberry.field(description="The topics of which there is something to say.")


def summary_of(programme: rulebook.Programme, locale: Locale) -> ProgrammeSummary:
    """The programme in words."""
    told = wording.summary(programme, locale.language)
    return ProgrammeSummary(
        title=told.title,
        sections=[
            SummarySection(
                topic=SummaryTopic(chapter.topic.value),
                title=chapter.title,
                sentences=[SummarySentence(channel=each.channel, text=each.text) for each in chapter.sentences],
            )
            for chapter in told.chapters
        ],
    )
