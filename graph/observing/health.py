"""Two questions for whoever watches over the process: is it alive, and may it be sent requests."""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from graph.laurel import Laurel

PATIENCE_SECONDS: Final = 5


def health_routes(running: Callable[[], Laurel | None]) -> list[BaseRoute]:
    """``/health/live`` and ``/health/ready``. Without its migrations the process does not start at all."""

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        laurel = running()
        if laurel is None:
            return JSONResponse({"status": "not started"}, 503)
        if not laurel.committer.working:
            return JSONResponse({"status": "the committer takes nothing", "waiting": laurel.committer.waiting}, 503)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await laurel.store.reader().query("SELECT 1")
        except Exception as error:  # whatever it is, the answer is that it is not ready
            return JSONResponse({"status": f"the database does not answer: {type(error).__name__}"}, 503)
        return JSONResponse({"status": "ok", "waiting": laurel.committer.waiting})

    return [Route("/health/live", live), Route("/health/ready", ready)]
