"""The channel's section of the programme, and what its expressions see."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from pydantic import Field

from core.rulebook.programme import ChannelSettings
from core.rulebook.rules import RuleSet, UnitName

CHANNEL: Final = "store_visit"


@dataclass(slots=True)
class EventFacts:
    """``event``: the store visit."""

    at: datetime


@dataclass(slots=True)
class MemberFacts:
    """``member``: whose it is."""

    tier: str


class StoreVisitSettings(ChannelSettings):
    """The programme's section ``channels: store_visit:``."""

    facts: ClassVar[Mapping[str, Any]] = {"event": EventFacts, "member": MemberFacts}

    earn: dict[UnitName, RuleSet] = Field(min_length=1)
