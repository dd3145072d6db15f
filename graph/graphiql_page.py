"""GraphiQL, the page for operators, from our own files only: ``make graphiql`` builds them of graph/graphiql."""

from pathlib import Path
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from graph.settings import Settings

STATIC: Final = Path(__file__).parent / "static"
BUILT: Final = STATIC / "graphiql"

# The editors put styles of their own into the page; scripts and workers are our own files and no others.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_LIVE: Final = '<meta name="laurel-live" content="yes" />'
_NOT_LIVE: Final = '<meta name="laurel-live" content="no" />'


def graphiql_routes(settings: Settings) -> list[BaseRoute]:
    """The page and its files. The page asks before it sends a mutation to a live programme."""
    text = (STATIC / "graphiql.html").read_text(encoding="utf-8")
    assert _LIVE in text, "the page doesn't say whether the programme is live"
    page = text if settings.live else text.replace(_LIVE, _NOT_LIVE)

    async def answer(request: Request) -> Response:
        return HTMLResponse(page, headers=_HEADERS)

    # A quarter of the bytes goes over the wire, at a level that takes a quarter of the time of the best.
    compressed = Middleware(GZipMiddleware, minimum_size=1000, compresslevel=4)
    return [
        Route("/graphiql", answer),
        Mount("/graphiql", StaticFiles(directory=BUILT), middleware=[compressed]),
    ]
