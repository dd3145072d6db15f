"""A guide of ``docs/guides`` as it is read: its blocks in order, of kinds that can be done.

===================== ==================================================================================
`````sh``             typed into a terminal; the next ``text`` or ``json`` is what it prints
`````sh server``      typed into a terminal of its own, where it runs until the next one takes its place
`````graphql as ROLE``asked with the token that the server has printed for the role; ``json`` is the answer
`````LANGUAGE PATH``  the file, as it is to be written
===================== ==================================================================================

In what is shown ``…`` stands for anything, and after ````json about`` a number for any number. What a reader puts in is
in words: ``the draft's id`` is that of the last draft that was answered, ``yesterday: 2026-06-30`` a day written so.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from markdown_it import MarkdownIt

ANYTHING: Final = "…"
_ANSWERS: Final = frozenset({"text", "json"})
_NUMBER: Final = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_DAYS_AGO: Final = {"today": 0, "yesterday": 1, "a month ago": 30, "half a year ago": 182, "a year ago": 365}


class Answer(NamedTuple):
    """What a page shows as an answer; ``about`` where the reader's has other numbers."""

    text: str
    about: bool


class Block(NamedTuple):
    """A fenced block that something is done with; ``line`` is where it begins."""

    language: str
    word: str
    text: str
    line: int
    shown: Answer | None = None


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page, each with what it is answered."""
    blocks = list[Block]()
    for language, word, text, line in _fences(page.read_text(encoding="utf-8")):
        if language in _ANSWERS and word in {"", "about"}:
            assert blocks, f"line {line} answers nothing"
            assert blocks[-1].shown is None, f"line {line} is a second answer"
            blocks[-1] = blocks[-1]._replace(shown=Answer(text, word == "about"))
        else:
            blocks.append(Block(language, word, text, line))
    return blocks


def _fences(text: str) -> Iterator[tuple[str, str, str, int]]:
    for token in MarkdownIt().parse(text):
        if token.type == "fence":
            assert token.map is not None
            language, _, word = token.info.strip().partition(" ")
            yield language, word, token.content, token.map[0] + 1


def is_shown(answer: Answer, answered: str | Any) -> bool:
    """Whether a page shows what was printed, a text, or answered, anything of JSON.

    >>> is_shown(Answer("version …", about=False), "version 2"), is_shown(Answer("7 of 10", about=True), "8 of 11")
    (True, True)
    >>> is_shown(Answer('{"id": "…", "of": [1, "…"]}', about=False), {"id": "x", "of": [1, 2, 3]})
    True
    >>> is_shown(Answer('{"points": 10}', about=False), {"points": 8})
    False
    """
    if isinstance(answered, str):
        return _says(answer, answered)
    return _is_like(json.loads(answer.text), answered, about=answer.about)


def _says(answer: Answer, said: str) -> bool:
    def pattern(line: str) -> str:
        if line.strip() == ANYTHING:
            return r"(?:.*\n)*?"
        words = re.escape(line.rstrip()).replace(ANYTHING, ".*?")
        return f"{_NUMBER.sub(lambda _: _NUMBER.pattern, words) if answer.about else words}[ \\t]*\\n"

    return re.fullmatch("".join(map(pattern, answer.text.splitlines())), f"{said.rstrip()}\n") is not None


def _is_like(shown: Any, answered: Any, *, about: bool) -> bool:
    if shown == ANYTHING:
        return True
    if isinstance(shown, Mapping) and isinstance(answered, Mapping):
        return shown.keys() == answered.keys() and all(
            _is_like(each, answered[key], about=about) for key, each in shown.items()
        )
    if isinstance(shown, list) and isinstance(answered, list):
        if shown[-1:] == [ANYTHING]:
            shown, answered = shown[:-1], answered[: len(shown) - 1]
        return len(shown) == len(answered) and all(
            _is_like(each, other, about=about) for each, other in zip(shown, answered, strict=True)
        )
    if isinstance(shown, str) and isinstance(answered, str):
        return _says(Answer(shown, about), answered)
    if about and isinstance(shown, int | float) and isinstance(answered, int | float):
        return True
    return bool(shown == answered and type(shown) is type(answered))


def ids_in(answered: Any) -> Iterator[tuple[str, str]]:
    """What an answer names with an id, each by its key: ``draft``."""
    if isinstance(answered, Mapping):
        for key, value in answered.items():
            if isinstance(value, Mapping) and isinstance(value.get("id"), str):
                yield key, value["id"]
            yield from ids_in(value)
    elif isinstance(answered, Sequence) and not isinstance(answered, str):
        for each in answered:
            yield from ids_in(each)


def filled(text: str, ids: Mapping[str, str], now: datetime) -> str:
    """A query with what its reader puts in.

    >>> filled("yesterday: 2020-01-01T00:00:00Z", {}, datetime(2026, 7, 1, 9))
    '2026-06-30T00:00:00Z'
    """
    text = re.sub(r"the (\w+)'s id", lambda found: ids[found[1]], text)
    days = "|".join(_DAYS_AGO)
    return re.sub(
        rf"({days}): \d{{4}}-\d\d-\d\d", lambda found: f"{now - timedelta(_DAYS_AGO[found[1]]):%Y-%m-%d}", text
    )


def pretty(answered: Any) -> str:
    """An answer as a page shows it: in one line what has room in one."""
    return _pretty(answered, 0)


def _pretty(value: Any, indent: int) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= 110 or not isinstance(value, dict | list):
        return line
    room = " " * (indent + 2)
    if isinstance(value, dict):
        lines = (f"{json.dumps(key)}: {_pretty(each, indent + 2)}" for key, each in value.items())
        return "{\n" + ",\n".join(f"{room}{line}" for line in lines) + f"\n{' ' * indent}}}"
    return "[\n" + ",\n".join(f"{room}{_pretty(each, indent + 2)}" for each in value) + f"\n{' ' * indent}]"
