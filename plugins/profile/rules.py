"""The channel's section of the programme: plain numbers, as each is given once."""

from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from core.rulebook.document import Count, Identifier
from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import Budget

CHANNEL: Final = "profile"


class ProfileSettings(ChannelSettings):
    """The programme's section ``channels: profile:``.

    ``join`` points are given on joining, those of ``sections`` on completing each, ``complete`` on completing all.
    All members together get what ``budget`` has.
    """

    join: Count = 0
    sections: Annotated[dict[Identifier, Count], Field(max_length=100, default_factory=dict)]
    complete: Count = 0
    budget: Budget = Budget()

    @model_validator(mode="after")
    def _has_what_can_be_completed(self) -> Self:
        if self.complete and not self.sections:
            raise PydanticCustomError("profile", "complete needs sections that can be completed")
        return self
