"""Sending: events as signed requests, by the Standard Webhooks specification (standardwebhooks.com).

``webhook-id`` is the event's id and the same for every attempt; ``webhook-timestamp`` is the attempt's time. What is
signed is ``id.timestamp.body``, with HMAC-SHA256 and each secret that is valid.
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import httpx
import orjson
from standardwebhooks import Webhook

from core.clock import Clock
from core.destinations import Destinations, NotHeard
from core.event_types import EventType
from core.events import Delivery
from core.members import bucket_of
from core.models import MemberRow
from graph.vocabulary import global_id

from .addresses import AddressRefused, Target, check_url, find
from .models import ACTIVE, DISABLED, WebhookEndpoint

SECONDS_MAX: Final = 10.0
_AWAY: Final = {408, 425, 429, 502, 503, 504}
"""Answers that say something of the place and nothing of the event."""
_GONE: Final = 410


class Webhooks(Destinations):
    """The endpoints. Options: ``private`` (yes) lets them be of a private network, and http."""

    def __init__(self, options: Mapping[str, str], clock: Clock, event_types: Mapping[str, EventType]) -> None:
        super().__init__(options, clock, event_types)
        self.private = is_private(options)
        self._endpoints: Mapping[str, WebhookEndpoint] = {}

    async def __aenter__(self) -> Self:
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
        row = await MemberRow.get(bucket=bucket_of(event.member_id), id=event.member_id)
        member = {"id": global_id("Member", event.member_id), "externalId": row.external_id}
        message = self.event_types[event.name].message(event, member=member)
        status = await send(self._client, endpoint, message, now=self.clock.now(), private=self.private)
        if status == _GONE:
            await _disable(place, "the endpoint says that it is gone (410)")
        if not 200 <= status < 300:
            raise NotHeard(f"the answer was {status}", whole_place=status in {*_AWAY, _GONE})

    async def give_up(self, place: str, event: Delivery, error: NotHeard) -> None:
        if error.whole_place:
            await _disable(place, f"it could not be reached for three days: {error}")


def client(**more: Any) -> httpx.AsyncClient:
    """What requests are sent with.

    No connection is used twice: those of two names that stand at one address would be the same to it, and the rest of
    an answer would be taken for the next one's.
    """
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(timeout=SECONDS_MAX, follow_redirects=False, trust_env=False, limits=limits, **more)


def is_private(options: Mapping[str, str]) -> bool:
    """Whether endpoints may be of a private network."""
    return options.get("private", "").lower() in {"yes", "true", "on", "1"}


async def send(
    client: httpx.AsyncClient, endpoint: WebhookEndpoint, message: Mapping[str, Any], *, now: datetime, private: bool
) -> int:
    """Send one message; the status of the answer, of which nothing else is read. Raises NotHeard without an answer."""
    body = orjson.dumps(message)
    signatures = [Webhook(secret).sign(message["id"], now, body.decode()) for secret in endpoint.secrets(now)]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Laurel",
        "webhook-id": message["id"],
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    try:
        # A receiver that says a byte now and then keeps nobody longer than one that says nothing.
        async with asyncio.timeout(SECONDS_MAX):
            targets = await find(check_url(endpoint.url, private=private), private=private)
            for target in targets[:-1]:
                with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                    return await _post(client, target, body, headers)
            return await _post(client, targets[-1], body, headers)
    except TimeoutError as error:
        raise NotHeard(f"no answer within {SECONDS_MAX:.0f} seconds", whole_place=True) from error
    except (AddressRefused, httpx.HTTPError, OSError) as error:
        raise NotHeard(str(error) or type(error).__name__, whole_place=True) from error


async def _post(client: httpx.AsyncClient, target: Target, body: bytes, headers: Mapping[str, str]) -> int:
    extensions = {"sni_hostname": target.server_name}
    named = {"Host": target.host, **headers}
    async with client.stream("POST", target.url, content=body, headers=named, extensions=extensions) as answer:
        return answer.status_code


async def _disable(place: str, because: str) -> None:
    await WebhookEndpoint.filter(id=place, state=ACTIVE).update(state=DISABLED, disabled_because=because[:500])
