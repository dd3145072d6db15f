"""A webhook that is posted every message, ready to be sent by whatever the brand has: signed like all webhooks."""

from base64 import b64decode
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from core.telling.addresses import AddressRefused, check_url
from core.telling.carriers import Carrier, CarrierInvalid, Letter
from core.telling.destinations import NotHeard
from core.telling.posting import AWAY, client, is_private, post_signed
from core.time.clock import Clock, rfc3339

_SECRET_BYTES_MIN: Final = 24
_REFUSED: Final = {400, 413, 422}
"""Answers to which the same message is not sent again: it is kept as undelivered."""


class MessageWebhook(Carrier):
    """Options, each ``LAUREL_MESSAGE_WEBHOOK_…``: ``url``, ``secret`` (whsec_…), ``private`` for a private network."""

    has_addresses = False

    def __init__(self, options: Mapping[str, str], clock: Clock) -> None:
        super().__init__(options, clock)
        self._url, self._private = options.get("webhook_url", ""), is_private(options, "webhook_private")
        # Several are there while one is being replaced by the next.
        self._secrets = options.get("webhook_secret", "").replace(",", " ").split()
        if not self._url:
            return
        try:
            check_url(self._url, private=self._private)
        except AddressRefused as refused:
            raise CarrierInvalid(f"LAUREL_MESSAGE_WEBHOOK_URL: {refused}") from None
        if not self._secrets or not all(map(_is_secret, self._secrets)):
            raise CarrierInvalid("LAUREL_MESSAGE_WEBHOOK_SECRET is whsec_ and 24 bytes in base64 or more")

    async def __aenter__(self) -> Self:
        self._client = client()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    @property
    def is_set_up(self) -> bool:
        return bool(self._url)

    async def carry(self, letter: Letter) -> None:
        if not self._url:
            raise NotHeard("the webhook is not set up: LAUREL_MESSAGE_WEBHOOK_URL", whole_place=True)
        message = {
            "id": letter.id,
            "type": "message",
            "timestamp": rfc3339(letter.recorded_at),
            "member": dict(letter.member),
            "data": {
                "message": letter.message,
                "event": letter.event,
                "topic": letter.topic,
                "locale": letter.locale.replace("_", "-"),
                "subject": letter.subject,
                "text": letter.text,
                "html": letter.html,
            },
        }
        status = await post_signed(
            self._client, self._url, self._secrets, message, now=self.clock.now(), private=self._private
        )
        if not 200 <= status < 300:
            raise NotHeard(f"the answer was {status}", whole_place=status in AWAY, for_good=status in _REFUSED)


def _is_secret(secret: str) -> bool:
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return False
    return secret.startswith("whsec_") and len(key) >= _SECRET_BYTES_MIN
