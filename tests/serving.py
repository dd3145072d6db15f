"""A shop on a port of this machine: for clients that are processes of their own, or as a process that can be killed."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import uvicorn
from starlette.applications import Starlette

from graph.settings import Settings
from graph.transport.connections import connection_options

HERE: Final = Path(__file__).parents[1]
_PATIENCE_SECONDS: Final = 30


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """The address of an application that has been started, served in this event loop."""
    # Its lifespan is the caller's, who has the shop open.
    options = connection_options(Settings())
    config = uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=5, **options)
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


@asynccontextmanager
async def process_of(url: str, secret: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Laurel as it is served, over a database that is there; killed in the end."""
    environment = {
        **os.environ, "LAUREL_DATABASE_URL": url, "LAUREL_SECRET": secret, "LAUREL_PORT": "0", **variables
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "graph", "serve", env=environment, cwd=HERE,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


@asynccontextmanager
async def ready_process(url: str, secret: str, **variables: str) -> AsyncIterator[str]:
    """The address, without its scheme, of a process that answers."""
    port = free_port()
    running = process_of(url, secret, LAUREL_PORT=str(port), LAUREL_JOBS="no", **variables)
    async with running as process, httpx.AsyncClient() as client:
        async with asyncio.timeout(100):
            while True:
                assert process.returncode is None, "the server did not start"
                try:
                    if (await client.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.2)
        yield f"127.0.0.1:{port}"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
