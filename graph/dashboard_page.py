"""The dashboard for analysts and operators, from our own files only: ``make dashboard`` builds them of graph/dashboard.

The page holds nothing of the programme: all that it shows it asks of the graph, with the token of whoever looks.
"""

from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from graph.built_page import STATIC, build_of, files, headers, marked

BUILT: Final = STATIC / "dashboard"

_HEADERS: Final = headers("script-src 'self'; connect-src 'self'; style-src 'self'; img-src data:")
_LOADED: Final = ("dashboard/style.css", "dashboard/page.js")


def dashboard_routes(*, folder: Path = BUILT) -> list[BaseRoute]:
    """The page, its files, and which build it is: so a page that is open finds out that the server has another."""
    text = (STATIC / "dashboard.html").read_text(encoding="utf-8")
    build = build_of(folder, text)
    page = marked(text, build)
    for loaded in _LOADED:
        # So that a browser which has kept the files of another build doesn't take them for these.
        assert f'"{loaded}"' in page, f"the page doesn't load {loaded}"
        page = page.replace(f'"{loaded}"', f'"{loaded}?{build}"')

    async def answer(request: Request) -> Response:
        return HTMLResponse(page, headers=_HEADERS)

    async def which(request: Request) -> Response:
        return PlainTextResponse(build, headers={"Cache-Control": "no-store"})

    return [Route("/dashboard", answer), Route("/dashboard/build", which), files("/dashboard", folder)]
