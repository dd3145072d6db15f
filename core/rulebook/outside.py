"""What a programme may name of the world outside: the events that are told there, and what carries messages."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    # Events hold what rules see, and rules are compiled against this.
    from core.telling.carriers import Carrier
    from core.telling.event_types import EventType


class Outside(NamedTuple):
    """The events that are told outside and the carriers that are installed, by name."""

    event_types: "Mapping[str, EventType]"
    carriers: "Mapping[str, type[Carrier]]"


NOTHING_OUTSIDE = Outside({}, {})
