"""The member centre, for front-end teams to copy: ``make centre`` builds its files of graph/centre.

Whoever opens it signs in with a member's token. On a machine of one's own, where Laurel was started with sample
members, the page gives out tokens for these (``/demo/samples``); nowhere else is there such a way, so that nobody
becomes a member of a programme whose points are worth something.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from core.books.members import Member
from graph.built_page import STATIC, build_of, files, headers, marked
from graph.laurel import Laurel
from graph.settings import LOOPBACK, Settings
from graph.starting.opening import member_called
from graph.tokens import Role, issue_token

BUILT: Final = STATIC / "centre"
SUBJECT: Final = "sample"
LIFETIME: Final = timedelta(days=1)

_HEADERS: Final = headers("script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:")
_PASSED_ON: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_NOT_KEPT: Final = {"Cache-Control": "no-store"}
_NO_SAMPLES: Final = '<meta name="laurel-samples" content="no" />'


def centre_routes(settings: Settings, opened: Callable[[], Laurel | None], *, folder: Path = BUILT) -> list[BaseRoute]:
    """The page, its files, and where there are some, its sample members.

    A page that is open learns from ``Laurel-Build`` that the server has another by now.
    """
    build = build_of(folder)
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert _NO_SAMPLES in page, "the page doesn't say whether there are sample members"
    page = marked(page, build)
    if settings.sample_members:
        page = page.replace(_NO_SAMPLES, _NO_SAMPLES.replace("no", "yes"))

    async def answer(request: Request) -> Response:
        return HTMLResponse(page, headers={**_HEADERS, "Laurel-Build": build})

    return [
        Route("/demo", answer),
        *(
            [Route("/demo/samples", _samples(settings, opened), methods=["GET", "POST"])]
            if settings.sample_members
            else []
        ),
        files("/demo", folder),
    ]


def _samples(settings: Settings, opened: Callable[[], Laurel | None]) -> Callable[[Request], Awaitable[Response]]:
    names = settings.sample_members

    async def samples(request: Request) -> Response:
        """Who there is to be; posted one of them, a token that stands for them."""
        if not _comes_from_here(request):
            return PlainTextResponse("sample members are for this machine only", 403)
        laurel = opened()
        assert laurel is not None, "requests come after the start"
        if request.method != "POST":
            found = [await member_called(laurel, name) for name in names]
            return JSONResponse([_told(laurel, member) for member in found if member], headers=_NOT_KEPT)
        name = await _asked(request)
        member = await member_called(laurel, name) if name in names else None
        if member is None:
            return PlainTextResponse("no such sample member", 404)
        now = laurel.machine.now()
        token = issue_token(
            settings.secret, role=Role.MEMBER, subject=SUBJECT, now=now, lifetime=LIFETIME, member_id=member.id
        )
        return JSONResponse({"token": token}, headers=_NOT_KEPT)

    return samples


def _comes_from_here(request: Request) -> bool:
    """Whether the browser runs on this machine and was told so by its address.

    The name in the address is checked as well, since a page from elsewhere can let its own name mean this machine; and
    what a proxy has passed on comes from anywhere. Some proxies pass on without a word, under this machine's name: then
    the browser still says in ``Origin`` by which address it came.
    """
    passed_on = any(name in request.headers for name in _PASSED_ON)
    peer = request.client.host if request.client else ""
    origins = request.headers.getlist("origin")
    told_here = all(_hostname(origin) in LOOPBACK for origin in origins)
    return peer in LOOPBACK and request.url.hostname in LOOPBACK and told_here and not passed_on


def _hostname(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


async def _asked(request: Request) -> str:
    """The external id that was posted. Only JSON is read: pages of other sites can't send that unasked."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return ""
    try:
        said = await request.json()
    except ValueError:
        return ""
    name = said.get("externalId") if isinstance(said, dict) else None
    return name if isinstance(name, str) else ""


def _told(laurel: Laurel, member: Member) -> dict[str, str | None]:
    tiers = laurel.programmes.at(laurel.clock.now()).programme.tiers
    names = {tier.id: tier.name for tier in tiers.ladder} if tiers else {}
    return {"externalId": member.external_id, "tier": names.get(member.tier) if member.tier else None}
