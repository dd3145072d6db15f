"""Messages by signed webhook: ``POST /incoming/<source>``, by the Standard Webhooks specification.

::

    200   done, or done before
    401   no such source, or the signature is missing, wrong, or more than five minutes old
    409   it builds upon something that has not come yet: to be sent again
    413   too large
    422   not understood, or refused: sending it again changes nothing
    503   not now: to be sent again
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import orjson
from standardwebhooks import Webhook
from starlette.requests import Request
from starlette.responses import Response

from core.errors import Unavailable
from core.time.clock import EPOCH, Clock
from graph.laurel import Laurel

from .messages import BYTES_MAX, Incoming, told

TOLERANCE: Final = timedelta(minutes=5)
RETRY_SECONDS: Final = "30"

Sources = Mapping[str, Sequence[str]]
"""The secrets of each source, any of which may have signed."""


class SignatureInvalid(Exception):
    """The message is not from the source, or not of now. The text is safe to show."""


async def receive(request: Request, laurel: Laurel) -> Response:
    """Take a message that a source has signed."""
    source = request.path_params["source"]
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BYTES_MAX:
            return _answer(413, {"code": "BODY_TOO_LARGE", "message": f"at most {BYTES_MAX} bytes"})
    try:
        check_signature(bytes(body), request.headers, laurel.settings.incoming.get(source, ()), laurel.machine)
    except SignatureInvalid as error:
        return _answer(401, {"code": "SIGNATURE_INVALID", "message": str(error)})
    try:
        taken = await Incoming(laurel, f"webhook:{source}").take(bytes(body))
    except Unavailable as away:
        return _answer(503, {"code": "UNAVAILABLE", "message": str(away)}, {"Retry-After": RETRY_SECONDS})
    if taken.refusal is None:
        return _answer(200, told(taken))
    if taken.again:
        return _answer(409, told(taken), {"Retry-After": RETRY_SECONDS})
    return _answer(422, told(taken))


def check_signature(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], clock: Clock) -> None:
    """Raise SignatureInvalid unless one of the secrets has signed this body, just now."""
    message_id, stamp, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (message_id and given and stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise SignatureInvalid("the headers webhook-id, webhook-timestamp and webhook-signature are needed")
    signed_at = EPOCH + timedelta(seconds=int(stamp))
    if abs(clock.now() - signed_at) > TOLERANCE:
        raise SignatureInvalid("it was signed more than five minutes ago, or hence")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise SignatureInvalid("the body is no text") from error
    # The library's own check goes by the machine's clock.
    right = [Webhook(secret).sign(message_id, signed_at, text).encode() for secret in secrets]
    signatures = [signature.encode() for signature in given.split(" ")]
    if not any(hmac.compare_digest(one, other) for one in right for other in signatures):
        raise SignatureInvalid("the signature is not the source's")


def _answer(status: int, said: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(said), status, headers, "application/json")
