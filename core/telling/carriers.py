"""What brings messages to members: e-mail, a webhook, whatever a plugin registers.

Which message goes to whom, when, in which language and by which carrier is said by the programme and by the member; a
carrier is handed a letter that is ready, at least once, and says what became of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import ClassVar, Final, Self

from core.errors import LaurelError
from core.time.clock import Clock

ADDRESS_MAX: Final = 254


class CarrierInvalid(LaurelError):
    """The settings of a carrier cannot be meant. The message tells no secret."""


class AddressInvalid(ValueError):
    """No member can be reached there. The message says why, and does not hold the address."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message to one member, ready to be sent.

    ``id`` is the same for every attempt. ``message`` is its id in the programme, ``event`` the type of the event that
    it tells of, ``recorded_at`` when that was. ``address`` is the member's with this carrier, empty where it has none.
    ``html`` says the same as ``text``, for those who can show it.
    """

    id: str
    message: str
    event: str
    topic: str
    recorded_at: datetime
    locale: str
    member: Mapping[str, str]
    address: str
    subject: str
    text: str
    html: str | None = None


class Carrier(ABC):
    """One way to reach members. Entered when Laurel opens, left when it closes.

    ``options`` are the installation's settings for the plugin that offers it: ``LAUREL_<PLUGIN>_<OPTION>`` of the
    environment is ``option`` there; ``clock`` is the machine's. What cannot be meant raises CarrierInvalid here, at
    the start.
    """

    has_addresses: ClassVar[bool] = True
    """Whether a member has an address with it; otherwise it knows members by their ids."""

    def __init__(self, options: Mapping[str, str], clock: Clock) -> None:
        self.options = options
        self.clock = clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @property
    def is_set_up(self) -> bool:
        """Whether the installation has said all that it needs; a letter waits otherwise."""
        return True

    @classmethod
    def check_address(cls, address: str) -> str:
        """The address as it is kept. Raises AddressInvalid for what is none."""
        return address

    @abstractmethod
    async def carry(self, letter: Letter) -> None:
        """Send a letter, within ten seconds. Raises NotHeard, whose message holds nothing personal, if it did not."""
