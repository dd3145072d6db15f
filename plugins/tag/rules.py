"""The channel's section of the programme, and the tags of a member on a day. Everything is pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.channels.predicted import Predicted
from core.channels.tags import TagGiver
from core.rulebook.expressions import Expression
from core.rulebook.programme import Misfit, Programme, parts
from core.rulebook.segments import History, Segment, Segments
from core.wording.words import Said, Topic, Words

CHANNEL: Final = "tag"

_SEEN_IN: Final = frozenset({"member", "member.tags"})
"""The facts in which a rule can come upon a tag."""


class Tag(Segment):
    """A tag, and who has it: those for whom the criteria hold, or of whom that is ``predicted``."""

    predicted: Predicted | None = None

    @model_validator(mode="after")
    def _by_one_or_the_other(self) -> Self:
        if self.predicted is not None and self.criteria:
            # What somebody did turns at once and to the day, what is predicted once a day.
            raise PydanticCustomError("tag", "has criteria, or what is predicted, not both")
        return self


class TagSettings(TagGiver):
    """The programme's section ``channels: tag:``.

    A tag with criteria is had by those for whom they hold. It can be given by hand as well; one without criteria is
    given in no other way. One that is ``predicted`` is given by the predictions alone, and no rule may ask for it.
    """

    called = ("Tag", "标签")

    tags: Annotated[tuple[Tag, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        seen = set[str]()
        for tag in self.tags:
            if tag.id in seen:
                raise PydanticCustomError("id", "{reason}", {"reason": f"id {tag.id!r} is used twice"})
            seen.add(tag.id)
        return self

    def check(self, programme: Programme) -> Iterable[Misfit]:
        for at, tag in enumerate(self.tags):
            if tag.predicted is None:
                continue
            for channel, section in programme.channels.items():
                if section is not self and isinstance(section, TagGiver) and tag.id in section.tag_ids():
                    reason = f"{channel} gives a tag of that name too, which rules see; what is predicted has its own"
                    yield Misfit(("tags", at, "id"), reason)
                for path, expression in parts(Expression, section, ("channels", channel)):
                    if not _SEEN_IN.isdisjoint(expression.facts) and expression.names(tag.id):
                        reason = (
                            f"{programme.path_text(path)} asks for {tag.id!r}: nothing is given, taken, judged or "
                            "priced by what is predicted, so no rule can see this tag"
                        )
                        yield Misfit(("tags", at, "predicted"), reason)

    def tag_ids(self) -> Collection[str]:
        return [tag.id for tag in self.tags]

    def predicted_tags(self) -> Mapping[str, Predicted]:
        return {tag.id: tag.predicted for tag in self.tags if tag.predicted is not None}

    @cached_property
    def by_rule(self) -> tuple[Tag, ...]:
        """The tags that have criteria."""
        return tuple(tag for tag in self.tags if tag.criteria)

    @cached_property
    def segments(self) -> Segments:
        return Segments(self.by_rule)

    @cached_property
    def _each(self) -> Mapping[str, Segments]:
        return {tag.id: Segments([tag]) for tag in self.by_rule}

    def one(self, tag: Tag) -> Segments:
        """One of the tags by itself."""
        return self._each[tag.id]

    def find(self, name: str) -> Tag | None:
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
