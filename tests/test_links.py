"""Links of the documentation lead somewhere: to a file that is there, and to a heading in it."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[1]
_LEFT_OUT: Final = {"node_modules", "prose"}
"""What npm installs is others'; the prose of the tests becomes pages of docs/programmes."""

PAGES: Final = sorted(
    path.relative_to(ROOT)
    for path in ROOT.rglob("*.md")
    if not any(part in _LEFT_OUT or part.startswith(".") for part in path.relative_to(ROOT).parts)
)
_MARKDOWN: Final = MarkdownIt().enable("table")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_of_the_page_lead_somewhere(page: Path) -> None:
    assert [link for link in links(ROOT / page) if not leads_somewhere(ROOT / page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    """Whether it does, if it stays within the repository."""
    if re.match(r"[a-z]+:", link):
        return True
    path, _, anchor = unquote(link).partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or target.suffix != ".md" or anchor in anchors(target))


def links(page: Path) -> Iterator[str]:
    for token in _inline(page):
        for child in token.children or ():
            for name in ("href", "src"):
                if name in child.attrs:
                    yield str(child.attrs[name])


@cache
def anchors(page: Path) -> frozenset[str]:
    """What the headings of a page are called in addresses, as GitHub calls them."""
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    seen = Counter[str]()
    found = set[str]()
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            text = "".join(child.content for child in token.children or () if child.type in {"text", "code_inline"})
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    return frozenset(found)


def _inline(page: Path) -> list[Token]:
    return [token for token in _MARKDOWN.parse(page.read_text(encoding="utf-8")) if token.type == "inline"]
