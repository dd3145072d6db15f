"""Tags: short names for what members are like, given by rules or by hand, and asked for by rules and in lists.

Who gives a tag is its ``source``: a channel, an operator, or a prediction. What channels give is theirs to take away,
and no channel knows another: a rule that asks for a tag sees those of all sources, and those that the brand keeps among
the member's attributes. Those by prediction no rule sees: they are for lists, for messages and for the order of
suggestions, and never a reason to give or to take.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from core.books.members import MemberTag
from core.channels.predicted import Predicted
from core.rulebook.programme import ChannelSettings, Programme

if TYPE_CHECKING:
    from core.engine.work import Work

BY_HAND: Final = "operator"
PREDICTED: Final = "prediction"
ATTRIBUTE: Final = "tags"
"""The attribute of a member under which the brand keeps tags of its own: a list of texts."""

TAG_GIVEN: Final = "tag.given"
TAG_LOST: Final = "tag.lost"
"""Payload: ``tag`` and ``source``."""


class TagGiver(ChannelSettings):
    """The section of a channel that gives tags."""

    gives_tags: ClassVar[bool] = True

    def tag_ids(self) -> Collection[str]:
        """The tags that there are."""
        raise NotImplementedError

    def predicted_tags(self) -> Mapping[str, Predicted]:
        """Those that a prediction gives, and for which: they are given in no other way."""
        return {}


def predicted_tags(programme: Programme) -> Mapping[str, Predicted]:
    """The tags of a programme that a prediction gives."""
    sections = [section for section in programme.channels.values() if isinstance(section, TagGiver)]
    return {id: predicted for section in sections for id, predicted in section.predicted_tags().items()}


def of_attributes(attributes: Mapping[str, Any]) -> list[str]:
    """The tags that the brand keeps of a member."""
    tags = attributes.get(ATTRIBUTE)
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


async def tags_of(work: "Work") -> list[str]:
    """The tags that the member has now, each once, as rules see them: none by prediction."""
    found = of_attributes(work.member.attributes)
    if work.programme_now.gives_tags:
        rows: list[MemberTag] = await work.rows(MemberTag)
        found += [row.tag for row in rows if row.source != PREDICTED and row.holds(work.now)]
    return list(dict.fromkeys(found))


async def set_tags(work: "Work", source: str, wanted: Mapping[str, datetime | None], *, tells: bool = True) -> None:
    """Let the member have just these tags from a source, each until then at most.

    With ``tells`` it is told of each that is new, and of each that is gone.
    """
    rows: list[MemberTag] = [row for row in await work.rows(MemberTag) if row.source == source]
    known = {row.tag: row for row in rows}
    for row in rows:
        if row.held and row.tag not in wanted:
            work.keep(row._replace(held=False, until=None, since=work.now, operation_id=work.operation_id))
            if tells:
                work.tell(TAG_LOST, tag=row.tag, source=source)
    for tag, until in wanted.items():
        row_now = known.get(tag)
        if row_now is not None and row_now.held:
            if row_now.until != until:
                work.keep(row_now._replace(until=until))
            continue
        work.keep(MemberTag(tag, source, True, work.now, until, work.operation_id))
        if tells:
            work.tell(TAG_GIVEN, tag=tag, source=source)
