"""Tags: short names for what members are like, given by rules or by hand, and asked for by rules and in lists.

Who gives a tag is its ``source``: a channel, or an operator. What channels give is theirs to take away, and no channel
knows another: a rule that asks for a tag sees those of all sources, and those that the brand keeps among the member's
attributes.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from core.books.members import MemberTag
from core.rulebook.programme import ChannelSettings

if TYPE_CHECKING:
    from core.engine.work import Work

BY_HAND: Final = "operator"
ATTRIBUTE: Final = "tags"
"""The attribute of a member under which the brand keeps tags of its own: a list of texts."""

TAG_GIVEN: Final = "tag.given"
TAG_LOST: Final = "tag.lost"
"""Payload: ``tag`` and ``source``."""


class TagGiver(ChannelSettings):
    """The section of a channel that gives tags."""

    def tag_ids(self) -> Collection[str]:
        """The tags that there are."""
        raise NotImplementedError


def of_attributes(attributes: Mapping[str, Any]) -> list[str]:
    """The tags that the brand keeps of a member."""
    tags = attributes.get(ATTRIBUTE)
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


async def tags_of(work: "Work") -> list[str]:
    """The tags that the member has now, each once, as rules see them."""
    found = of_attributes(work.member.attributes)
    if any(isinstance(section, TagGiver) for section in work.programme_now.channels.values()):
        found += [row.tag for row in await work.rows(MemberTag) if row.holds(work.now)]
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
