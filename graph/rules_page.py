"""The public page of rules: what members may read before joining. It is the summary, in HTML, and runs no script."""

import base64
import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import ProgrammeNotFound
from core.rulebook.programmes import Version
from core.wording.language import LANGUAGES, Language
from core.wording.summary import summary
from core.wording.words import Words
from graph.laurel import Laurel

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates" / "rules"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_NAMES: Final = {"en": "English", "zh": "中文"}
_TAGS: Final = {"en": "en", "zh": "zh-Hans"}
SECONDS: Final = 60
"""For how long a page may be shown that a new version has changed since."""


def rules_routes(opened: Callable[[], Laurel | None]) -> list[BaseRoute]:
    """The page ``/rules``, and its style."""
    style = (Path(__file__).parent / "templates" / "rules" / "rules.css").read_text(encoding="utf-8")

    async def page(request: Request) -> Response:
        laurel = opened()
        assert laurel is not None, "requests come after the start"
        await laurel.programmes.refresh(laurel.store.reader())
        language = _language(request)
        try:
            version = laurel.programmes.at(laurel.clock.now())
        except ProgrammeNotFound:
            return PlainTextResponse("no rules are in force", 404, headers={"Cache-Control": "no-store"})
        body = _page(version, language, style)
        tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
        headers = {
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_digest(style)}'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'self'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": f"public, max-age={SECONDS}",
            "Vary": "Accept-Language",
            "Content-Language": _TAGS[language],
            "ETag": tag,
        }
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return HTMLResponse(body, headers=headers)

    return [Route("/rules", page, middleware=[Middleware(GZipMiddleware, minimum_size=1000)])]


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


@lru_cache(maxsize=16)
def _page(version: Version, language: Language, style: str) -> str:
    words = Words(version.programme, language)
    told = summary(version.programme, language)
    others = [(each, _TAGS[each], _NAMES[each]) for each in LANGUAGES if each != language]
    return _TEMPLATES.get_template("rules.html").render(
        tag=_TAGS[language],
        title=told.title,
        heading=words.say("The rules of {name}", "{name}会员规则", name=told.title),
        chapters=told.chapters,
        contents=words.say("Contents", "目录"),
        since=words.say(
            "Version {version}, in force since {since}. Days are days of the time zone {zone}.",
            "第 {version} 版，自{since}起生效。日期以 {zone} 时区为准。",
            version=str(version.number), since=words.moment(version.starts_at), zone=version.programme.timezone,
        ),
        others=others,
        style=style,
    )  # fmt: skip


def _language(request: Request) -> Language:
    """The one that was asked for, or the first that the reader understands, or English."""
    asked = request.query_params.get("locale", "").lower().replace("_", "-").partition("-")[0]
    for language in LANGUAGES:
        if asked == language:
            return language
    wanted: list[tuple[float, int, Language]] = []
    for place, part in enumerate(request.headers.get("accept-language", "")[:500].split(",")):
        tag, _, weight = part.strip().lower().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        wanted += [(-quality, place, each) for each in LANGUAGES if tag.partition("-")[0] == each and 0 < quality <= 1]
    return min(wanted)[2] if wanted else "en"
