"""Events out: the broker is one place where all of them go, in order for each member."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

import orjson

from core.telling.destinations import Destinations, NotHeard
from core.telling.events import Delivery
from graph.telling import member_told

from . import Broker, broker_of

NAME: Final = "broker"
_PLACE: Final = "events"
_PUBLISH_SECONDS: Final = 8.0


class BrokerEvents(Destinations):
    """The broker as the one place where all events go."""

    async def __aenter__(self) -> Self:
        self._opened = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._broker: Broker | None = None
        # A wrong address is told at the start; a broker that is away keeps nobody from starting.
        broker_of(self.options)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    async def wanted(self) -> Mapping[str, Collection[str]]:
        return {_PLACE: self.event_types.keys()}

    async def carry(self, place: str, event: Delivery) -> None:
        message = self.event_types[event.name].message(event, member=await member_told(event))
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                broker = await self._connected()
                await broker.publish(self.options.get("out", "laurel"), event.name, event.id, orjson.dumps(message))
        except Exception as error:  # each library has errors of its own, and all mean the same here
            raise NotHeard(f"{type(error).__name__}: {error}", whole_place=True) from error

    async def _connected(self) -> Broker:
        async with self._opening:
            if self._broker is None:
                self._broker = await self._opened.enter_async_context(broker_of(self.options))
        return self._broker
