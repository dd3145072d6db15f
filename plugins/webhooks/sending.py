"""Sending: events as signed requests (``core.telling.posting``) to the endpoints that want them."""

from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Final, Self

from core.telling.destinations import Destinations, NotHeard
from core.telling.events import Delivery
from core.telling.posting import AWAY, client, is_private, post_signed
from graph.vocabulary import member_told

from .models import ACTIVE, DISABLED, WebhookEndpoint

_GONE: Final = 410


class Webhooks(Destinations):
    """The endpoints. Options: ``private`` (yes) lets them be of a private network, and http."""

    async def __aenter__(self) -> Self:
        self.private = is_private(self.options)
        self._endpoints: Mapping[str, WebhookEndpoint] = {}
        self._client = client()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def wanted(self) -> Mapping[str, Collection[str]]:
        active = await WebhookEndpoint.filter(state=ACTIVE)
        self._endpoints = {endpoint.id: endpoint for endpoint in active}
        return {endpoint.id: self.event_types.keys() & set(endpoint.events) for endpoint in active}

    async def carry(self, place: str, event: Delivery) -> None:
        endpoint = self._endpoints[place]
        message = self.event_types[event.name].message(event, member=await member_told(event))
        now = self.machine.now()
        status = await post_signed(
            self._client, endpoint.url, endpoint.secrets(now), message, now=now, private=self.private
        )
        if status == _GONE:
            await _disable(place, "the endpoint says that it is gone (410)")
        if not 200 <= status < 300:
            raise NotHeard(f"the answer was {status}", whole_place=status in {*AWAY, _GONE})

    async def give_up(self, place: str, event: Delivery, error: NotHeard) -> None:
        if error.whole_place:
            await _disable(place, f"it could not be reached for three days: {error}")


async def _disable(place: str, because: str) -> None:
    await WebhookEndpoint.filter(id=place, state=ACTIVE).update(state=DISABLED, disabled_because=because[:500])
