"""The dashboard for analysts and operators, from our own files only: ``make dashboard`` builds them of graph/dashboard.

The page holds nothing of the programme: all that it shows it asks of the graph, with the token of whoever looks.
"""

import hashlib
from pathlib import Path
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

STATIC: Final = Path(__file__).parent / "static"
BUILT: Final = STATIC / "dashboard"

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_LOADED: Final = ("dashboard/style.css", "dashboard/page.js")
_UNNAMED: Final = '<meta name="laurel-build" content="" />'


def dashboard_routes() -> list[BaseRoute]:
    """The page, its files, and which build it is: so a page that is open finds out that the server has another."""
    text = (STATIC / "dashboard.html").read_text(encoding="utf-8")
    assert _UNNAMED in text, "the page doesn't say which build it is"
    digest = hashlib.sha256(text.encode())
    for file in sorted(BUILT.iterdir()):
        digest.update(file.read_bytes())
    build = digest.hexdigest()[:16]
    page = text.replace(_UNNAMED, _UNNAMED.replace('""', f'"{build}"'))
    for loaded in _LOADED:
        # So that a browser which has kept the files of another build doesn't take them for these.
        assert f'"{loaded}"' in page, f"the page doesn't load {loaded}"
        page = page.replace(f'"{loaded}"', f'"{loaded}?{build}"')

    async def answer(request: Request) -> Response:
        return HTMLResponse(page, headers=_HEADERS)

    async def which(request: Request) -> Response:
        return PlainTextResponse(build, headers={"Cache-Control": "no-store"})

    compressed = Middleware(GZipMiddleware, minimum_size=1000, compresslevel=4)
    return [
        Route("/dashboard", answer),
        Route("/dashboard/build", which),
        Mount("/dashboard", StaticFiles(directory=BUILT), middleware=[compressed]),
    ]
