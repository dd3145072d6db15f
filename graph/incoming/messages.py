"""A message: read, made an operation, performed."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from core.engine.operations import Operation
from core.errors import InvalidInput, ProgrammeNotFound, Refusal, fact
from graph.laurel import Laurel
from graph.payload import check_operation
from plugins.hookspecs import Importer, Importing, Message

BYTES_MAX: Final = 1_000_000
VERSION: Final = 1


class MessageInvalid(InvalidInput):
    """The message cannot be read."""

    code = "MESSAGE_INVALID"
    says = "the message is not understood: {reason}"
    reason: str = fact("What is wrong with it.")


class UnknownMessage(InvalidInput):
    """No channel takes messages of this type and version."""

    code = "UNKNOWN_MESSAGE"
    says = "no channel takes messages of the type {message_type}, version {version}"
    message_type: str = fact("The type as it was given.")
    version: str = fact("The version as it was given.")


class Taken(NamedTuple):
    """What became of a message. ``refusal`` says why it was not done; ``again`` that it may be done later."""

    transaction: str | None
    replayed: bool = False
    refusal: Refusal | None = None
    again: bool = False


@dataclass(frozen=True)
class Incoming:
    """Takes messages. ``actor`` is who they are from, for the record."""

    laurel: Laurel
    actor: str

    async def take(self, body: bytes) -> Taken:
        """Do what a message asks for. Raises Unavailable when it is not known whether it was done: then once more."""
        try:
            message, operation = self._read(body)
            if message.waits_for:
                # A refusal is stored for ever, and what this one builds upon may only be on its way.
                rehearsed = await self.laurel.committer.rehearse(operation)
                if rehearsed.refusal is not None and rehearsed.refusal.code in message.waits_for:
                    return Taken(None, refusal=rehearsed.refusal, again=True)
        except ProgrammeNotFound as early:
            # Not the message is at fault: the shop has yet to open.
            return Taken(None, refusal=early, again=True)
        except Refusal as refused:
            return Taken(None, refusal=refused)
        outcome = await self.laurel.committer.submit(operation)
        transaction = outcome.recorded.id if outcome.recorded is not None and outcome.accepted else None
        return Taken(transaction, outcome.replayed, outcome.refusal)

    def _read(self, body: bytes) -> tuple[Message, Operation]:
        if len(body) > BYTES_MAX:
            raise MessageInvalid(reason=f"it has more than {BYTES_MAX} bytes")
        try:
            message = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise MessageInvalid(reason="it is not JSON") from error
        match message:
            case {"type": str(kind), "data": dict(data)}:
                version = message.get("version", VERSION)
            case _:
                raise MessageInvalid(reason="it must be an object with a type and data")
        offered = self._offered().get(kind)
        # To Python, true and 1.0 would be 1.
        if offered is None or type(version) is not int or version != VERSION:
            raise UnknownMessage(message_type=kind[:100], version=orjson.dumps(version).decode()[:20])
        importer, wanted = offered
        if missing := sorted(importer.required - data.keys()):
            raise MessageInvalid(reason=f"data has no {', '.join(missing)}")
        if fixed := sorted(data.keys() & wanted.columns.keys()):
            raise MessageInvalid(reason=f"the type says what {', '.join(fixed)} is")
        zone = self.laurel.programmes.at(self.laurel.clock.now()).programme.zone
        operation = importer.operation({**data, **wanted.columns}, Importing(zone=zone, actor=self.actor))
        check_operation(operation)
        return wanted, operation

    def _offered(self) -> dict[str, tuple[Importer, Message]]:
        importers = self.laurel.plugins.importers.values()
        return {kind: (importer, message) for importer in importers for kind, message in importer.messages.items()}


def told(taken: Taken) -> dict[str, Any]:
    """What became of a message, as plain JSON."""
    if taken.refusal is not None:
        return {"accepted": False, "code": taken.refusal.code, "message": taken.refusal.message}
    return {"accepted": True, "transaction": taken.transaction, "replayed": taken.replayed}
