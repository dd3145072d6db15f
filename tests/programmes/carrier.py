"""The carrier of a story's messages: a server of the brand's own, at which they really arrive, signed."""

from typing import Final

from tests.plugins.receiver import Receiver

SECRET: Final = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpBQkNERUY="


def carried_by(receiver: Receiver) -> dict[str, str]:
    """What the environment says, for messages to go there; what arrives must be signed."""
    receiver.secret, receiver.ahead = SECRET, True
    return {
        "LAUREL_MESSAGE_WEBHOOK_URL": receiver.url,
        "LAUREL_MESSAGE_WEBHOOK_SECRET": SECRET,
        "LAUREL_MESSAGE_WEBHOOK_PRIVATE": "yes",
    }
