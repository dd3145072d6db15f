"""Answers as server-sent events: ``graphql-sse`` in the mode of distinct connections, one operation a request.

::

    event: next        one answer
    event: complete    the last one was it
    :                  nothing to tell, but still there
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from starlette.types import Receive, Scope, Send

from graph.tokens import Caller
from graph.transport.execution import Answer, Engine, failed_answer

PING_SECONDS: Final = 12.0
"""Shorter than what proxies wait for before they take a silent connection for dead."""

Field = tuple[bytes, bytes]
"""A field of the header, as it goes over the wire."""

# nginx would keep what it is sent until there is more of it.
_FIELDS: Final = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no"))
_PING: Final = b":\n\n"
_COMPLETE: Final = b"event: complete\ndata:\n\n"


class EventStream:
    """The response that tells ``answers`` one by one, an ASGI application. It ends when the client leaves.

    ``authorization`` is looked at again when the token of ``caller`` ends, and now and then before.
    """

    def __init__(
        self,
        engine: Engine,
        answers: AsyncGenerator[Answer, None],
        *,
        caller: Caller | None,
        authorization: str | None,
        request_id: str,
        fields: Sequence[Field],
    ) -> None:
        self._engine = engine
        self._answers = answers
        self._caller = caller
        self._authorization = authorization
        self._request_id = request_id
        self._fields = [*fields, *_FIELDS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self._fields})
        async with aclosing(self._chunks()) as chunks, aclosing(self._answers):
            telling = asyncio.create_task(_tell(chunks, send))
            leaving = asyncio.create_task(departure(receive))
            stopping = asyncio.create_task(self._engine.stopping.wait())
            tasks = (telling, leaving, stopping)
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        if done == {stopping}:
            # Without the event complete, so that the client asks again, and elsewhere.
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        """What goes over the wire, to the end."""
        yield _PING
        loop = asyncio.get_running_loop()
        look_at = loop.time() + self._seconds_trusted()
        coming = asyncio.ensure_future(anext(self._answers, None))
        try:
            while True:
                await asyncio.wait({coming}, timeout=min(PING_SECONDS, max(look_at - loop.time(), 0.0)))
                if loop.time() >= look_at:
                    await self._authenticate()
                    look_at = loop.time() + self._seconds_trusted()
                if not coming.done():
                    yield _PING
                    continue
                answer = coming.result()
                if answer is None:
                    break
                yield _next(answer)
                coming = asyncio.ensure_future(anext(self._answers, None))
        except Exception as error:
            yield _next(failed_answer(error, self._request_id))
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        yield _COMPLETE

    def _seconds_trusted(self) -> float:
        return float("inf") if self._caller is None else self._engine.seconds_trusted(self._caller)

    async def _authenticate(self) -> None:
        self._caller = await self._engine.authenticate(self._authorization)


def _next(answer: Answer) -> bytes:
    # JSON has no line ends, so that one line of data is all of it.
    return b"event: next\ndata: " + answer.encoded() + b"\n\n"


async def _tell(chunks: AsyncGenerator[bytes, None], send: Send) -> None:
    async for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def departure(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
