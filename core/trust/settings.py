"""What a programme says of trust: ``trust:`` in the document."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.rulebook.document import Section


class PaceRule(Section):
    """How often a member may be active in a channel before somebody looks at it."""

    channel: Annotated[str, Field(min_length=1, max_length=64)]
    more_than: Annotated[int, Field(strict=True, ge=1, le=200)]
    within_minutes: Annotated[int, Field(strict=True, ge=1, le=10_080)]
    # Hold: what is earned beyond it can be spent only when somebody has looked.
    then: Literal["flag", "hold"] = "flag"


class TrustSettings(Section):
    """Who is looked at, and what a membership that is closed leaves behind."""

    velocity: Annotated[tuple[PaceRule, ...], Field(max_length=100)] = ()
    # What becomes of what is left of a membership that is closed.
    on_closing: Literal["forfeit", "keep"] = "forfeit"

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> Self:
        limits = [(rule.channel, rule.more_than, rule.within_minutes) for rule in self.velocity]
        if twice := [limit for limit in limits if limits.count(limit) > 1]:
            channel, more_than, minutes = twice[0]
            reason = f"{channel}: more than {more_than} within {minutes} minutes stands there twice"
            raise PydanticCustomError("velocity", "{reason}", {"reason": reason})
        return self
