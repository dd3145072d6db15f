"""What changes from one programme to another, part by part, in words that members and operators understand.

Documents are compared by their structure: keys, and what is on lists by its id, wherever it stands. What a difference
means is said by what the channels say of that part before and after; the path and the values stand beside it.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from core.rulebook.programme import Programme
from core.wording.facts import Both
from core.wording.language import Language
from core.wording.summary import TITLES, summary
from core.wording.words import Path, Topic, Words


class DifferenceKind(StrEnum):
    """What became of a part."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Difference(NamedTuple):
    """A part of the document that is another, with its values as JSON (None where it is not there).

    ``topic`` is what members notice by it; None where they notice nothing.
    """

    path: str
    kind: DifferenceKind
    before: str | None
    after: str | None
    topic: Topic | None
    text: str


class _Leaf(NamedTuple):
    path: Path
    before: Any
    after: Any


class _Told(NamedTuple):
    """What was said of a part before, and what is said of it now."""

    topic: Topic | None
    before: tuple[str, ...]
    after: tuple[str, ...]


_MISSING: Final = object()
_ORDER: Final = (*TITLES, None)
_SAYS: Final[Mapping[str, Both]] = {
    "added": ("New: {after}", "新增：{after}"),
    "removed": ("No longer: {before}", "取消：{before}"),
    "changed": ("{after} Until now: {before}", "{after}此前：{before}"),
    "tier": ("{tier} now asks for {after} instead of {before}.", "{tier}的条件由{before}改为{after}。"),
    "set": ("{path} is set to {after}.", "{path} 设为 {after}。"),
    "unset": ("{path} is not set any more; it was {before}.", "{path} 不再设置，此前为 {before}。"),
    "other": ("{path} is now {after} instead of {before}.", "{path} 由 {before} 改为 {after}。"),
}


def differences(former: Programme, programme: Programme, language: Language) -> list[Difference]:
    """What the second has otherwise than the first: what members notice by its topic, then the rest."""
    told = _Tellings(former, programme, language)
    leaves = list(_compare((), former.document, programme.document))
    found: dict[tuple[Path, _Told], list[_Leaf]] = defaultdict(list)
    for leaf in leaves:
        owner, telling = told.of(leaf.path)
        found[owner, telling].append(leaf)
    if any(leaf.path[:1] == ("lists",) for leaf in leaves):
        # What a list holds is said where it is asked for.
        covered = {owner for owner, _ in found}
        for path, telling in told.changed():
            if path not in covered:
                found[path, telling] = [_Leaf(path, _MISSING, _MISSING)]
    words = Words(programme, language)
    said = [_difference(words, former, owner, telling, group) for (owner, telling), group in found.items()]
    return sorted(said, key=lambda each: _ORDER.index(each.topic))


def _difference(words: Words, former: Programme, owner: Path, telling: _Told, leaves: list[_Leaf]) -> Difference:
    if len(leaves) == 1 and leaves[0].before is not leaves[0].after:
        path, before, after = leaves[0]
    else:
        path = owner
        before, after = (_at(each.document, owner) for each in (former, words.programme))
    kind = (
        DifferenceKind.ADDED
        if before is _MISSING and after is not _MISSING
        else DifferenceKind.REMOVED
        if after is _MISSING and before is not _MISSING
        else DifferenceKind.CHANGED
    )
    text = _text(words, former, _shown(path), telling, before, after, owner)
    return Difference(_shown(path), kind, _json(before), _json(after), telling.topic, text)


def _text(words: Words, former: Programme, path: str, telling: _Told, before: Any, after: Any, owner: Path) -> str:
    once, now = " ".join(telling.before), " ".join(telling.after)
    if words.language == "zh":
        once, now = "".join(telling.before), "".join(telling.after)
    if once == now:
        parts = {"path": path, "before": _json(before) or "", "after": _json(after) or ""}
        return words.say(*_SAYS["set" if before is _MISSING else "unset" if after is _MISSING else "other"], **parts)
    if once and now and owner[:2] == ("tiers", "ladder") and len(telling.before) == len(telling.after) == 1:
        (tier, was), (name, asked) = (_split(text) for text in (once, now))
        if tier == name and was and asked:
            return words.say(*_SAYS["tier"], tier=name, before=was, after=asked)
    return words.say(*_SAYS["changed" if once and now else "added" if now else "removed"], before=once, after=now)


def _split(text: str) -> tuple[str, str]:
    """``Gold: 5,000 growth.`` as the tier and what it asks for."""
    for between in (": ", "："):
        name, found, asked = text.partition(between)
        if found:
            return name, asked.rstrip(".。")
    return text, ""


class _Tellings:
    """What two programmes say of their parts, by path."""

    def __init__(self, former: Programme, programme: Programme, language: Language) -> None:
        self._topics: dict[Path, Topic] = {}
        self._before = self._read(former, language)
        self._after = self._read(programme, language)
        self._paths = self._before.keys() | self._after.keys()

    def _read(self, programme: Programme, language: Language) -> Mapping[Path, tuple[str, ...]]:
        said: dict[Path, tuple[str, ...]] = {}
        for chapter in summary(programme, language).chapters:
            for sentence in chapter.sentences:
                if sentence.path:
                    said[sentence.path] = (*said.get(sentence.path, ()), sentence.text)
                    self._topics.setdefault(sentence.path, chapter.topic)
        return said

    def of(self, path: Path) -> tuple[Path, _Told]:
        """The part that is spoken of, which holds the path or all that is below it, and what is said of it."""
        below = [each for each in self._ordered() if each[: len(path)] == path]
        if below:
            return path, self._told(below)
        for length in range(len(path), 0, -1):
            if path[:length] in self._paths:
                return path[:length], self._told([path[:length]])
        return path, _Told(None, (), ())

    def changed(self) -> Iterator[tuple[Path, _Told]]:
        """The parts of which something else is said."""
        for path in self._ordered():
            if self._before.get(path) != self._after.get(path):
                yield path, self._told([path])

    def _ordered(self) -> list[Path]:
        return list(dict.fromkeys((*self._after, *self._before)))

    def _told(self, paths: list[Path]) -> _Told:
        before = tuple(text for path in paths for text in self._before.get(path, ()))
        after = tuple(text for path in paths for text in self._after.get(path, ()))
        if len(before) > 1 or len(after) > 1:
            # Of many only those that changed are worth telling.
            before, after = (
                tuple(text for text in before if text not in after),
                tuple(text for text in after if text not in before),
            )
        return _Told(self._topics[paths[0]] if before != after else None, before, after)


# -- structure ------------------------------------------------------------------------------------------


def _compare(path: Path, before: Any, after: Any) -> Iterator[_Leaf]:
    """The smallest parts that differ."""
    if before == after and type(before) is type(after):
        return
    one, other = _parts(before), _parts(after)
    if one is None or other is None:
        yield _Leaf(path, before, after)
        return
    for key in dict.fromkeys((*one, *other)):
        yield from _compare((*path, key), one.get(key, _MISSING), other.get(key, _MISSING))
    common = [key for key in one if key in other]
    if isinstance(after, list) and common != [key for key in other if key in one]:
        # Only their order is another, and it can matter: of which only the first counts.
        yield _Leaf(path, list(one), list(other))


def _parts(value: Any) -> Mapping[str, Any] | None:
    """What a value is made of, by key or by id; None for what is one thing."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        return {str(each["id"]) if "id" in each else str(at): each for at, each in enumerate(value)}
    return None


def _at(document: Any, path: Path) -> Any:
    for key in path:
        parts = _parts(document)
        if parts is None or key not in parts:
            return _MISSING
        document = parts[key]
    return document


def _shown(path: Path) -> str:
    return ".".join(path)


def _json(value: Any) -> str | None:
    return None if value is _MISSING else json.dumps(value, ensure_ascii=False, sort_keys=True)
