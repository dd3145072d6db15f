"""Signed requests to addresses outside, by the Standard Webhooks specification (standardwebhooks.com).

``webhook-id`` is the message's id and the same for every attempt; ``webhook-timestamp`` is the attempt's time. What is
signed is ``id.timestamp.body``, with HMAC-SHA256 and each secret that is valid.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import httpx
import orjson
from standardwebhooks import Webhook

from core.telling.addresses import AddressRefused, Target, check_url, find
from core.telling.destinations import NotHeard

SECONDS_MAX: Final = 10.0
AWAY: Final = frozenset({408, 425, 429, 502, 503, 504})
"""Answers that say something of the place and nothing of the message."""


def client(**more: Any) -> httpx.AsyncClient:
    """What requests are sent with.

    No connection is used twice: those of two names that stand at one address would be the same to it, and the rest of
    an answer would be taken for the next one's.
    """
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(timeout=SECONDS_MAX, follow_redirects=False, trust_env=False, limits=limits, **more)


def is_private(options: Mapping[str, str], name: str = "private") -> bool:
    """Whether addresses may be of a private network."""
    return options.get(name, "").lower() in {"yes", "true", "on", "1"}


async def post_signed(
    client: httpx.AsyncClient,
    url: str,
    secrets: Sequence[str],
    message: Mapping[str, Any],
    *,
    now: datetime,
    private: bool,
) -> int:
    """Send one message; the status of the answer, of which nothing else is read. Raises NotHeard without an answer."""
    body = orjson.dumps(message)
    signatures = [Webhook(secret).sign(message["id"], now, body.decode()) for secret in secrets]
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
            targets = await find(check_url(url, private=private), private=private)
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
