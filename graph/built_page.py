"""What the pages share that are built of npm projects: how their files are served, and which build they are."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

STATIC: Final = Path(__file__).parent / "static"
DOCUMENTS: Final = "documents.json"
"""The manifest of what a page asks, among its files."""
NO_BUILD: Final = '<meta name="laurel-build" content="" />'


def headers(policy: str) -> Mapping[str, str]:
    """The headers of a page that loads what its ``policy`` says, is framed by nobody and tells nobody where it was."""
    return {
        "Content-Security-Policy": f"default-src 'none'; {policy}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


def build_of(folder: Path, page: str = "") -> str:
    """Which build it is: another for any other byte of its files or of the page itself."""
    digest = hashlib.sha256(page.encode())
    for file in sorted(folder.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def marked(page: str, build: str) -> str:
    """The page that says which build it is, so that one which is open finds out that the server has another."""
    assert NO_BUILD in page, "the page doesn't say which build it is"
    return page.replace(NO_BUILD, NO_BUILD.replace('""', f'"{build}"'))


def files(path: str, folder: Path) -> BaseRoute:
    """The built files below a path."""
    # A quarter of the bytes goes over the wire, at a level that takes a quarter of the time of the best.
    compressed = Middleware(GZipMiddleware, minimum_size=1000, compresslevel=4)
    return Mount(path, StaticFiles(directory=folder), middleware=[compressed])
