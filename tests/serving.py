"""A shop on a port of this machine, for clients that are processes of their own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from starlette.applications import Starlette

from graph.commands.serve import KEPT_SECONDS

_PATIENCE_SECONDS: Final = 30


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """The address of an application that has been started, served in this event loop."""
    # Its lifespan is the caller's, who has the shop open.
    config = uvicorn.Config(
        app, lifespan="off", log_level="warning", timeout_graceful_shutdown=5, timeout_keep_alive=KEPT_SECONDS
    )
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not server.started:
                    assert not serving.done(), "the server did not start"
                    await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
