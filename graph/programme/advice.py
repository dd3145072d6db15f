"""Warnings about a programme and its differences from another, in the schema: for whoever is about to publish."""

from datetime import datetime
from enum import Enum

import strawberry

from core.advice.differences import DifferenceKind, differences
from core.advice.lint import WarningCode, lint
from core.rulebook import programme as rulebook
from graph.phrases import Locale
from graph.programme.summary import SummaryTopic


@strawberry.enum
class ProgrammeWarningCode(Enum):
    """What is worth a second look. Nothing of it stops a publication."""

    RULE_NEVER_MATCHES = strawberry.enum_value(
        WarningCode.RULE_NEVER_MATCHES.value, description="A rule whose condition holds for nobody."
    )
    RULE_IS_OVER = strawberry.enum_value(WarningCode.RULE_IS_OVER.value, description="A rule whose time is over.")
    RULE_IS_SHADOWED = strawberry.enum_value(
        WarningCode.RULE_IS_SHADOWED.value,
        description="A rule of a group of which only the first counts, where another always comes first.",
    )
    TIER_OUT_OF_REACH = strawberry.enum_value(
        WarningCode.TIER_OUT_OF_REACH.value, description="A tier that asks for what no channel gives."
    )
    MINTS_WITHOUT_LIMIT = strawberry.enum_value(
        WarningCode.MINTS_WITHOUT_LIMIT.value,
        description="Points without any limit for what a member does at will and pays nothing for.",
    )
    COSTS_TOO_MUCH = strawberry.enum_value(
        WarningCode.COSTS_TOO_MUCH.value,
        description="The points for a unit of money are worth more than redemption shall cost of it: "
        "`redemption_cost`, or 3 %.",
    )
    NOTHING_WITHOUT_LINES = strawberry.enum_value(
        WarningCode.NOTHING_WITHOUT_LINES.value,
        description="Points for the money of each line, and none for an order that is told of without its lines.",
    )


@strawberry.type
class ProgrammeWarning:
    """Something about a programme that is worth a second look before it is published."""

    code: ProgrammeWarningCode = strawberry.field(description="What it is.")
    path: str = strawberry.field(description="Where in the document: channels.purchase.earn.points.groups[tier].")
    line: int | None = strawberry.field(description="The line of the document, from 1.")
    column: int | None = strawberry.field(description="The column of the line, from 1.")
    message: str = strawberry.field(description="It in a sentence.")


@strawberry.enum
class ProgrammeDifferenceKind(Enum):
    """What became of a part of a programme."""

    ADDED = strawberry.enum_value(DifferenceKind.ADDED.value, description="It is there now, and was not.")
    REMOVED = strawberry.enum_value(DifferenceKind.REMOVED.value, description="It was there, and is not any more.")
    CHANGED = strawberry.enum_value(DifferenceKind.CHANGED.value, description="It is another.")


@strawberry.type
class ProgrammeDifference:
    """A part of a programme that is otherwise than in another version."""

    path: str = strawberry.field(description="Where in the document, by keys and ids: tiers.ladder.gold.")
    kind: ProgrammeDifferenceKind = strawberry.field(description="What became of it.")
    before: str | None = strawberry.field(description="What it was, as JSON; null where it was not there.")
    after: str | None = strawberry.field(description="What it is, as JSON; null where it is not there any more.")
    topic: SummaryTopic | None = strawberry.field(
        description="What of the rules members notice it by; null where they read nothing of it."
    )
    text: str = strawberry.field(description="It in a sentence.")


def warnings_of(programme: rulebook.Programme, now: datetime, locale: Locale) -> list[ProgrammeWarning]:
    """What there is to warn of at that instant."""
    return [
        ProgrammeWarning(
            code=ProgrammeWarningCode(each.code.value),
            path=each.path_text,
            line=None if each.place is None else each.place.line,
            column=None if each.place is None else each.place.column,
            message=each.text(locale.language),
        )
        for each in lint(programme, now)
    ]


def differences_of(
    former: rulebook.Programme, programme: rulebook.Programme, locale: Locale
) -> list[ProgrammeDifference]:
    """What the second has otherwise than the first."""
    return [
        ProgrammeDifference(
            path=each.path,
            kind=ProgrammeDifferenceKind(each.kind.value),
            before=each.before,
            after=each.after,
            topic=None if each.topic is None else SummaryTopic(each.topic.value),
            text=each.text,
        )
        for each in differences(former, programme, locale.language)
    ]
