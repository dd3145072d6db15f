"""Places outside that events are carried to: webhook endpoints, a broker, whatever carries messages to members."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from core.clock import Clock
from core.event_types import EventType
from core.events import Delivery

RETRIES: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long is waited after each failure: the schedule of the Standard Webhooks specification, three days in all."""


class NotHeard(Exception):
    """A place outside did not take an event. The message is kept and shown to operators.

    ``whole_place``: not this event is at fault but the place, so nothing else is sent there before the retry.
    """

    def __init__(self, message: str, *, whole_place: bool = False) -> None:
        super().__init__(message)
        self.whole_place = whole_place


class Destinations(ABC):
    """Places of one plugin, which come and go while Laurel runs. Entered when Laurel opens, left when it closes.

    ``options`` are the installation's settings for the plugin: ``LAUREL_<PLUGIN>_<OPTION>`` of the environment is
    ``option`` there. ``event_types`` are the events that may be told outside, by name.
    """

    def __init__(self, options: Mapping[str, str], clock: Clock, event_types: Mapping[str, EventType]) -> None:
        self.options = options
        self.clock = clock
        self.event_types = event_types

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @abstractmethod
    async def wanted(self) -> Mapping[str, Collection[str]]:
        """The places, each with the names of the events that it wants. Asked every few seconds."""

    @abstractmethod
    async def carry(self, place: str, event: Delivery) -> None:
        """Bring an event to a place, within ten seconds. Raises NotHeard when it was not taken."""

    async def give_up(self, place: str, event: Delivery, error: NotHeard) -> None:
        """Hear that the last of ``RETRIES`` has failed. The event is kept, dead, until it is revived."""
        return
