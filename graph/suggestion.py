"""What fits a member now, in the schema."""

import asyncio
from datetime import datetime, timedelta
from enum import Enum
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Final

import strawberry

from core.channels import suggestions
from core.channels.predicted import KEPT_DAYS
from core.channels.suggestions import OF_CHANNEL_MAX, place
from core.errors import InvalidValue
from core.models import PredictionRow
from graph.context import Info
from graph.phrases import Locale
from graph.scalars import Points

if TYPE_CHECKING:
    from graph.member import Member

FIRST_MAX: Final = 20


@strawberry.enum
class SuggestionKind(Enum):
    """What the member would do."""

    EARN = strawberry.enum_value("earn", description="Do something that brings points: a quest.")
    SPEND = strawberry.enum_value("spend", description="Spend points on something: a reward.")
    USE = strawberry.enum_value("use", description="Use something that the member has already: a benefit.")


@strawberry.type
class Suggestion:
    """Something that fits a member now."""

    kind: SuggestionKind = strawberry.field(description="What the member would do.")
    channel: str = strawberry.field(description="The channel that it is of: quest, rewards, benefit …")
    subject: str = strawberry.field(description="What it is, by its id in the channel's section of the programme.")
    title: str = strawberry.field(description="What members call it.")
    points: Points | None = strawberry.field(description="What it brings, or what it costs where points are spent.")
    until: datetime | None = strawberry.field(
        description="From when on it is too late: it is over, or what it would be paid with is lost; null for never."
    )
    _value: strawberry.Private[suggestions.Suggestion]

    @property
    def saves_points(self) -> bool:
        """Whether it can be done at once, and takes points that are lost otherwise."""
        return self._value.saves

    @strawberry.field
    def reason(
        self, locale: Annotated[Locale, strawberry.argument(description="The language of the sentence.")] = Locale.EN
    ) -> str:
        """Why it fits, in a sentence for the member."""
        return self._value.reason_zh if locale is Locale.ZH else self._value.reason


async def suggestions_of(info: Info, member: "Member", first: int) -> list[Suggestion]:
    """The most fitting first. Raises InvalidValue."""
    if not 1 <= first <= FIRST_MAX:
        raise InvalidValue(field="first", reason=f"it lies between 1 and {FIRST_MAX}")
    channels = (await info.context.version()).programme.channels
    asked = {name: suggest for name, suggest in info.context.laurel.plugins.suggesters.items() if name in channels}
    # Side by side, so that what they ask about together is one question.
    answers = await asyncio.gather(*(suggest(info, member) for suggest in asked.values()))
    (tags, predicted), loses = await asyncio.gather(
        _tags(info, member, wanted=any(one.suits for found in answers for one in found)),
        _loses(info, member, wanted=any(one.saves for found in answers for one in found)),
    )
    kept = [
        # Who is likely to lose points sees first what they can be spent on: the order is all that says so.
        ((not (loses and one.saves), *place(one)), channel, one)
        for channel, found in zip(asked, answers, strict=True)
        for one in sorted((each.suited(tags, predicted) for each in found), key=place)[:OF_CHANNEL_MAX]
    ]
    return [
        Suggestion(
            kind=SuggestionKind(one.kind.value),
            channel=channel,
            subject=one.subject,
            title=one.title,
            points=None if one.points is None else Points(one.points),
            until=one.until,
            _value=one,
        )
        for _, channel, one in sorted(kept, key=itemgetter(0, 1))[:first]
    ]


async def _tags(info: Info, member: "Member", *, wanted: bool) -> tuple[list[str], list[str]]:
    return await member.tags_written(info) if wanted else ([], [])


async def _loses(info: Info, member: "Member", *, wanted: bool) -> bool:
    """Whether the member is likely to lose points, by what was predicted last."""
    if not wanted:
        return False
    since = info.context.now.date() - timedelta(days=KEPT_DAYS)
    rows = await info.context.loaders.rows(PredictionRow, member.member_id)
    return any(row.lost > 0 and row.until >= since for row in rows)
