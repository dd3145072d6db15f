"""What operators do with endpoints. It moves no points, so it goes around the committer, into the audit log."""

import contextlib
import secrets
from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from core.books.members import new_id
from core.errors import InvalidValue
from core.oversight.auditing import audited, write_down
from core.telling.addresses import AddressRefused, check_url, find
from core.telling.outbox import forget, revive
from core.time.clock import Clock

from .models import ACTIVE, PAUSED, WebhookEndpoint
from .refusals import TooManyWebhookEndpoints, UnknownEventType, WebhookAddressRefused, WebhookEndpointNotFound

ENDPOINTS_MAX: Final = 50
OVERLAP_HOURS_MAX: Final = 168


@dataclass(frozen=True)
class Endpoints:
    """The endpoints of this installation. ``event_types`` are the names of the events that are told outside.

    Secrets end by the clock of the ``machine``, by which requests are signed.
    """

    clock: Clock
    machine: Clock
    event_types: Collection[str]
    private: bool

    async def create(self, *, url: str, events: list[str], description: str, actor: str) -> WebhookEndpoint:
        """Raises WebhookAddressRefused, UnknownEventType, TooManyWebhookEndpoints, InvalidValue."""
        await self._check(url, events)

        async def write() -> WebhookEndpoint:
            if await WebhookEndpoint.all().count() >= ENDPOINTS_MAX:
                raise TooManyWebhookEndpoints(limit=ENDPOINTS_MAX)
            endpoint = await WebhookEndpoint.create(
                id=new_id(),
                url=url,
                description=description,
                events=sorted(set(events)),
                state=ACTIVE,
                disabled_because="",
                secret=_new_secret(),
                created_by=actor,
                created_at=self.clock.now(),
            )
            await self._write_down({}, endpoint)
            return endpoint

        return await audited(write)

    async def update(self, id: str, **changes: Any) -> WebhookEndpoint:
        """Change url, events, description or state. What waits for a paused endpoint waits on. Raises as ``create``."""
        await self._check(changes.get("url"), changes.get("events"))

        async def write() -> WebhookEndpoint:
            endpoint = await self._find(id)
            before = _state_of(endpoint)
            endpoint.update_from_dict(changes)
            if endpoint.state in {ACTIVE, PAUSED}:
                endpoint.disabled_because = ""
            await endpoint.save()
            await self._write_down(before, endpoint)
            return endpoint

        return await audited(write)

    async def rotate(self, id: str, overlap_hours: int) -> WebhookEndpoint:
        """Give it a new secret; the old one signs beside it for some hours more."""
        if not 0 <= overlap_hours <= OVERLAP_HOURS_MAX:
            raise InvalidValue(field="overlapHours", reason=f"it must be 0 to {OVERLAP_HOURS_MAX}")

        async def write() -> WebhookEndpoint:
            endpoint = await self._find(id)
            before = _state_of(endpoint)
            endpoint.former_secret = endpoint.secret
            endpoint.former_until = self.machine.now() + timedelta(hours=overlap_hours)
            endpoint.secret = _new_secret()
            await endpoint.save()
            await self._write_down(before, endpoint)
            return endpoint

        return await audited(write)

    async def delete(self, id: str, consumer: str) -> int:
        """Forget it, and what waits for it; how many events that were."""

        async def write() -> int:
            endpoint = await self._find(id)
            before = _state_of(endpoint)
            await endpoint.delete()
            forgotten = await forget(consumer)
            await write_down(self.clock.now(), before=before, after={"forgotten": forgotten})
            return forgotten

        return await audited(write)

    async def tried(self, endpoint: WebhookEndpoint, answer: str) -> None:
        """Keep that it was sent something to try it, and what came of it."""

        async def write() -> None:
            facts = {"endpoint": endpoint.id, "url": endpoint.url}
            await write_down(self.clock.now(), before=facts, after={**facts, "answer": answer[:200]})

        await audited(write)

    async def replay(self, endpoint: WebhookEndpoint, consumer: str, events: Collection[str] | None) -> int:
        """Send what it has not taken once more, all of it or those events; how many they are."""

        async def write() -> int:
            replayed = await revive(consumer, events)
            facts = {"endpoint": endpoint.id}
            await write_down(self.clock.now(), before=facts, after={**facts, "replayed": replayed})
            return replayed

        return await audited(write)

    async def _check(self, url: str | None, events: Collection[str] | None) -> None:
        """What of them is given. A name that is not found today may be found tomorrow: each sending looks again."""
        if url is not None:
            try:
                checked = check_url(url, private=self.private)
                if not self.private:
                    with contextlib.suppress(OSError):
                        await find(checked, private=False)
            except AddressRefused as refused:
                raise WebhookAddressRefused(url=url[:200], reason=str(refused)) from refused
        if events is not None and not events:
            raise InvalidValue(field="events", reason="at least one event must be named")
        for event in events or ():
            if event not in self.event_types:
                raise UnknownEventType(event=event[:100])

    @staticmethod
    async def _find(id: str) -> WebhookEndpoint:
        endpoint = await WebhookEndpoint.get_or_none(id=id)
        if endpoint is None:
            raise WebhookEndpointNotFound(endpoint=id)
        return endpoint

    async def _write_down(self, before: Mapping[str, str | int], endpoint: WebhookEndpoint) -> None:
        await write_down(self.clock.now(), before=before, after=_state_of(endpoint))


def _state_of(endpoint: WebhookEndpoint) -> dict[str, str | int]:
    """What the audit log keeps of an endpoint: everything but the secrets, of which only that they changed."""
    return {
        "endpoint": endpoint.id,
        "url": endpoint.url,
        "events": " ".join(endpoint.events),
        "state": endpoint.state,
        "rotated until": endpoint.former_until.isoformat() if endpoint.former_until else "",
    }


def _new_secret() -> str:
    """24 random bytes, as the specification writes them."""
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()
