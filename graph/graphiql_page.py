"""GraphiQL, the page for operators, from our own files only: ``make graphiql`` builds them of graph/graphiql."""

from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from graph.built_page import STATIC, files, headers
from graph.settings import Settings

BUILT: Final = STATIC / "graphiql"

# The editors put styles of their own into the page; scripts and workers are our own files and no others.
_HEADERS: Final = headers(
    "script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:"
)
_LIVE: Final = '<meta name="laurel-live" content="yes" />'
_NOT_LIVE: Final = '<meta name="laurel-live" content="no" />'


def graphiql_routes(settings: Settings) -> list[BaseRoute]:
    """The page and its files. The page asks before it sends a mutation to a live programme."""
    text = (STATIC / "graphiql.html").read_text(encoding="utf-8")
    assert _LIVE in text, "the page doesn't say whether the programme is live"
    page = text if settings.live else text.replace(_LIVE, _NOT_LIVE)

    async def answer(request: Request) -> Response:
        return HTMLResponse(page, headers=_HEADERS)

    return [Route("/graphiql", answer), files("/graphiql", BUILT)]
