"""Places outside that events are carried to: webhook endpoints, a broker, whatever carries messages to members."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

from core.rulebook.programmes import Programmes
from core.telling.carriers import Carrier
from core.telling.event_types import EventType
from core.telling.events import Delivery
from core.time.clock import Clock

RETRIES: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long is waited after each failure: the schedule of the Standard Webhooks specification, three days in all."""


class NotHeard(Exception):
    """A place outside did not take an event. The message is kept and shown to operators.

    ``whole_place``: not this event is at fault but the place, so nothing else is sent there before the retry.
    ``for_good``: to send it again would be of no use, so it is given up at once.
    """

    def __init__(self, message: str, *, whole_place: bool = False, for_good: bool = False) -> None:
        super().__init__(message)
        self.whole_place = whole_place
        self.for_good = for_good


class NotYet(Exception):
    """An event must not be carried before ``until``. That is no failure and counts as no attempt."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"not before {until.isoformat()}")
        self.until = until


class Destinations(ABC):
    """Places of one plugin, which come and go while Laurel runs. Entered when Laurel opens, left when it closes.

    ``options`` are the installation's settings for the plugin: ``LAUREL_<PLUGIN>_<OPTION>`` of the environment is
    ``option`` there. ``event_types`` are the events that may be told outside, by name. Who writes to members needs the
    ``programmes`` and the ``carriers`` as well, which are open for as long as the destinations are. ``clock`` is the
    programme's, which is moved in a sandbox; what is signed is signed at the time of the ``machine``.
    """

    def __init__(
        self,
        options: Mapping[str, str],
        clock: Clock,
        event_types: Mapping[str, EventType],
        *,
        programmes: Programmes | None = None,
        carriers: Mapping[str, Carrier] | None = None,
        machine: Clock | None = None,
    ) -> None:
        self.options = options
        self.clock = clock
        self.machine = machine or clock
        self.event_types = event_types
        self.programmes = programmes
        self.carriers = carriers or {}

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
        """Bring an event to a place, within ten seconds.

        Raises NotHeard when it was not taken, and NotYet when it must not be brought there before some time.
        """

    async def give_up(self, place: str, event: Delivery, error: NotHeard) -> None:
        """Hear that the last of ``RETRIES`` has failed. The event is kept, dead, until it is revived."""
        return
