"""The channel's section of the programme, and the tags of a member on a day. Everything is pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.channels.tags import TagGiver
from core.rulebook.segments import History, Segment, Segments
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "tag"


class TagSettings(TagGiver):
    """The programme's section ``channels: tag:``.

    A tag with criteria is had by those for whom they hold. Any tag can be given by hand as well; one without criteria
    is given in no other way.
    """

    tags: Annotated[tuple[Segment, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        seen = set[str]()
        for tag in self.tags:
            if tag.id in seen:
                raise PydanticCustomError("id", "{reason}", {"reason": f"id {tag.id!r} is used twice"})
            seen.add(tag.id)
        return self

    def tag_ids(self) -> Collection[str]:
        return [tag.id for tag in self.tags]

    @cached_property
    def by_rule(self) -> tuple[Segment, ...]:
        """The tags that have criteria."""
        return tuple(tag for tag in self.tags if tag.criteria)

    @cached_property
    def segments(self) -> Segments:
        return Segments(self.by_rule)

    @cached_property
    def _each(self) -> Mapping[str, Segments]:
        return {tag.id: Segments([tag]) for tag in self.by_rule}

    def one(self, tag: Segment) -> Segments:
        """One of the tags by itself."""
        return self._each[tag.id]

    def find(self, name: str) -> Segment | None:
        return next((tag for tag in self.tags if tag.id == name), None)

    def held_on(self, history: History, day: date) -> list[str]:
        """The tags that rules give who has this history on a day."""
        return [tag.id for tag in self.by_rule if tag.has(history, day)]

    def says(self, words: Words) -> Iterable[Said]:
        # Which there are is for staff and the brand's backend, as everybody reads this.
        text = words.say(
            "By what you do you may be given tags, on which what we offer you may depend.",
            "根据您的活动，您可能获得标签，我们提供的内容可能因此不同。",
        )
        yield Said(Topic.SERVICE, text, ("tags",))
