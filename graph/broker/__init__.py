"""A message broker: events go out through it, and what other systems tell comes in.

::

    LAUREL_BROKER_URL    nats://host:4222 (JetStream) or amqp://user:password@host:5672 (RabbitMQ)
    LAUREL_BROKER_OUT    the name under which events are published, laurel unless it is said otherwise
    LAUREL_BROKER_IN     the name of what is listened to; nothing when left out
    LAUREL_BROKER_AGAIN_SECONDS   when a message comes again that came too early, 5 unless it is said otherwise

Each broker is spoken to through its own library, an extra of this package. Messages are kept until they are
acknowledged, and come again otherwise.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from core.errors import LaurelError

AT_ONCE_MAX: Final = 512
"""How many messages are being taken at a time: as many as fit into one transaction."""
AGAIN_SECONDS: Final = 5.0
AGAIN_MAX: Final = 1_000
"""How often a message comes again that builds upon something which has not come: for well over an hour."""


class Handled(Enum):
    """What is to become of a message."""

    DONE = "done"
    LATER = "later"
    REFUSED = "refused"


Take = Callable[[bytes], Awaitable[Handled]]


class BrokerInvalid(LaurelError):
    """The broker of this address cannot be used. The message names no password."""


class Broker(ABC):
    """A connection to a broker, for as long as it is entered. It comes back by itself when it is lost."""

    def __init__(self, url: str, again_seconds: float) -> None:
        self.url = url
        self.again_seconds = again_seconds

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @abstractmethod
    async def publish(self, name: str, subject: str, message_id: str, body: bytes) -> None:
        """Hand a message over; when this returns, the broker keeps it. Raises whatever the library does."""

    @abstractmethod
    async def listen(self, name: str, take: Take) -> None:
        """Take what comes under a name, until cancelled.

        What is done is acknowledged. What has to come later comes again, and counts as refused in the end. What is
        refused is kept aside, under the name with ``refused`` behind it, for somebody to look at.
        """


def broker_of(options: Mapping[str, str]) -> Broker:
    """The broker that an installation has chosen. Raises BrokerInvalid."""
    url = options["url"]
    scheme = urlsplit(url).scheme
    try:
        again_seconds = float(options.get("again_seconds", AGAIN_SECONDS))
    except ValueError:
        raise BrokerInvalid("LAUREL_BROKER_AGAIN_SECONDS is a number of seconds") from None
    try:
        if scheme in {"nats", "tls"}:
            from .nats import NatsBroker

            return NatsBroker(url, again_seconds)
        if scheme in {"amqp", "amqps"}:
            from .rabbitmq import RabbitBroker

            return RabbitBroker(url, again_seconds)
    except ModuleNotFoundError as missing:
        extra = "nats" if scheme == "nats" else "rabbitmq"
        raise BrokerInvalid(f"a broker {scheme}:// needs the extra: pip install 'laurel[{extra}]'") from missing
    raise BrokerInvalid(f"a broker's address begins with nats:// or amqp://, not with {scheme!r}")
