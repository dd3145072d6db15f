"""Messages in: what other systems tell through the broker is done, as if it had come by webhook."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.errors import Unavailable
from graph.incoming.messages import Incoming
from graph.laurel import Laurel

from . import Broker, Handled, broker_of
from .events import NAME

log = logging.getLogger("laurel.broker")


@asynccontextmanager
async def listening(laurel: Laurel) -> AsyncIterator[None]:
    """Take what comes through the broker, for as long as this is entered; nothing where no setting names it."""
    options = laurel.settings.of_plugin(NAME)
    if not options.get("in"):
        yield
        return
    incoming = Incoming(laurel, f"broker:{options['in']}")
    task = asyncio.create_task(_listen(broker_of(options), options["in"], incoming))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _listen(broker: Broker, name: str, incoming: Incoming) -> None:
    async def take(body: bytes) -> Handled:
        try:
            taken = await incoming.take(body)
        except Unavailable as away:
            log.warning("a message from %s has to come again: %s", name, away)
            return Handled.LATER
        except Exception:
            log.exception("a message from %s has to come again", name)
            return Handled.LATER
        if taken.refusal is None:
            return Handled.DONE
        if taken.again:
            return Handled.LATER
        log.warning("a message from %s was refused: %s", name, taken.refusal.code)
        return Handled.REFUSED

    while True:
        try:
            async with broker:
                await broker.listen(name, take)
        except Exception:
            log.exception("listening to %s broke off, and is taken up again", name)
            await asyncio.sleep(1)
