"""A programme document as text that is changed in places, with everything else left as it was written.

Comments, order, quotes and the style of lists stay. Nothing is given a meaning on the way: to the document every
scalar is the text that it was written as, so that what is not touched cannot become something else. ``ruamel.yaml``
keeps the text, ``core.rulebook.programme`` says what it means.

A path names keys, and members of lists by their ``id``, by themselves where they are words, or by their number from 0:
``("channels", "lottery", "pools", "wheel", "price")``.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tag import Tag
from ruamel.yaml.tokens import CommentToken

from core.errors import Problem, ProgrammeInvalid
from core.rulebook.programme import check_readable
from core.suggest import did_you_mean

Path = Sequence[str]
Value = str | int | bool | Decimal | datetime | date | None | Mapping[str, Any] | Sequence[Any]

WIDTH_MIN: Final = 160
LINE_MAX: Final = 100
"""What is put in beside members of one line each is on one line itself up to this length."""
NODES_MAX: Final = 5_000
"""A value that is put in has no more parts than that; no section needs as many."""

_PLAIN: Final = re.compile(r"(?!(?:true|false|null)$)[^\W\d][\w-]*(?: [\w-]+)*")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,5}", re.ASCII)


class Misplaced(Exception):
    """The document has no such place, or something else stands there."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


class _AsWritten(VersionedResolver):
    """Every scalar is text, whatever it looks like."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        named = {ScalarNode: "str", SequenceNode: "seq", MappingNode: "map"}[kind]
        return Tag(suffix=f"tag:yaml.org,2002:{named}")


class Document:
    """A document that is being changed. Raises ProgrammeInvalid for a text that is no YAML of ours."""

    def __init__(self, text: str) -> None:
        check_readable(text)
        self._yaml = _yaml(text)
        try:
            self._root: CommentedMap = self._yaml.load(text)
        except (YAMLError, KeyError, ValueError) as error:
            # A tag promises what its value does not keep, or a line ends where YAML 1.1 and 1.2 disagree.
            raise ProgrammeInvalid.of((_unreadable(error),)) from None

    @property
    def text(self) -> str:
        written = StringIO()
        self._yaml.dump(self._root, written)
        return written.getvalue()

    def has(self, path: Path) -> bool:
        try:
            self._at(path)
        except Misplaced:
            return False
        return True

    def members(self, path: Path) -> list[str]:
        """The names by which the members of a list, or the keys of a mapping, are asked for."""
        return list(_names(self._at(path)))

    def scalar(self, path: Path) -> str | None:
        """What is written there, if it is neither a list nor a mapping; None where there is nothing."""
        try:
            found = self._at(path)
        except Misplaced:
            return None
        return str(found) if isinstance(found, str) else None

    def require(self, path: Path) -> None:
        """Raise Misplaced unless there is something."""
        self._at(path)

    def set(self, path: Path, value: Value, *, make: bool = False) -> None:
        """Put a value there. With ``make`` the keys that lead to it are made where they are not; members never are."""
        container, name = self._container(path, make=make)
        if isinstance(container, CommentedMap):
            if name in container:
                _keep_comment(container, name, _made(value, flow=_is_flow(container) or _is_flow(container[name])))
            else:
                _append(container, name, _made(value, flow=_is_flow(container) or _is_leaf(value)))
            return
        at = self._index(container, name, path)
        _keep_comment(container, at, _made(value, flow=_is_flow(container) or _is_flow(container[at])))

    def remove(self, path: Path) -> None:
        """Take out what is there."""
        container, name = self._container(path)
        if isinstance(container, CommentedMap):
            if name not in container:
                raise self._missing(container, name, path)
            below = _take_out(container, name)
        else:
            below = _take_out(container, self._index(container, name, path))
        if not len(container) and len(path) > 1:
            _put_below(*self._keyed(path[:-1]), below)

    def insert(self, path: Path, value: Value, position: int | None = None) -> None:
        """Put a value into the list there, which is made where it is not; last, or with ``position`` for its number."""
        if not self.has(path):
            self.set(path, [], make=True)
        into = self._at(path)
        if not isinstance(into, CommentedSeq):
            raise Misplaced(self.place(path), "is no list")
        at = len(into) if position is None else position
        if not 0 <= at <= len(into):
            raise Misplaced(self.place(path), f"has {len(into)} members, so that position {at} is not there")
        beside = all(map(_is_flow, into)) and _is_short(value) if len(into) else _is_leaf(value)
        flow = _is_flow(into) or beside
        if not len(into) and not _is_leaf([value]):
            into.fa.set_block_style()
            flow = _is_leaf(value)
        made = _made(value, flow=flow)
        if at == len(into):
            _append(into, at, made)
        else:
            into.insert(at, made)

    def move(self, path: Path, position: int) -> None:
        """Let a member of a list have this number."""
        container, name = self._container(path)
        if not isinstance(container, CommentedSeq):
            raise Misplaced(self.place(path[:-1]), "is no list")
        at = self._index(container, name, path)
        if not 0 <= position < len(container):
            raise Misplaced(
                self.place(path[:-1]), f"has {len(container)} members, so that position {position} is not there"
            )
        if at != position:
            value, below = container[at], _take_below(container, at)
            behind = container.ca.items.get(at)
            _put_below(container, at, below)
            _take_out(container, at)
            if position == len(container):
                _append(container, position, value)
            else:
                container.insert(position, value)
            if behind:
                _put_behind(container, position, behind[0])

    def place(self, path: Path) -> str:
        """A path in the words of problems: ``tiers.ladder[gold].name``."""
        text = ""
        node: Any = self._root
        for name in path:
            text += f"[{name}]" if isinstance(node, CommentedSeq) else f".{name}" if text else name
            node = _peek(node, name)
        return text

    # -- finding ---------------------------------------------------------------------------------------

    def _at(self, path: Path) -> Any:
        node: Any = self._root
        for length, name in enumerate(path, 1):
            node = self._step(node, name, path[:length])
        return node

    def _container(self, path: Path, *, make: bool = False) -> tuple[Any, str]:
        """What holds the place, and the place's name in it."""
        if not path:
            raise Misplaced("", "a path has at least one name")
        node: Any = self._root
        for length, name in enumerate(path[:-1], 1):
            if make and isinstance(node, CommentedMap) and (name not in node or _is_nothing(node[name])):
                flow = _is_flow(node)
                if name in node:
                    _keep_comment(node, name, _made({}, flow=flow))
                else:
                    _append(node, name, _made({}, flow=flow))
            node = self._step(node, name, path[:length])
        if not isinstance(node, CommentedMap | CommentedSeq):
            raise Misplaced(self.place(path[:-1]), "is neither a list nor a mapping of keys")
        return node, path[-1]

    def _keyed(self, path: Path) -> tuple[Any, Any]:
        """As ``_container``, with a list's number for a name."""
        container, name = self._container(path)
        return container, name if isinstance(container, CommentedMap) else self._index(container, name, path)

    def _step(self, node: Any, name: str, path: Path) -> Any:
        match node:
            case CommentedMap() if name in node:
                return node[name]
            case CommentedSeq():
                return node[self._index(node, name, path)]
            case _:
                raise self._missing(node, name, path)

    def _index(self, node: CommentedSeq, name: str, path: Path) -> int:
        names = list(_names(node))
        if name in names:
            return names.index(name)
        if _INDEX.fullmatch(name) and int(name) < len(node):
            return int(name)
        raise self._missing(node, name, path)

    def _missing(self, node: Any, name: str, path: Path) -> Misplaced:
        near = did_you_mean(name, _names(node))
        what = _NOUNS.get(path[-2], "") if len(path) > 1 else ""
        where = self.place(path[:-1])
        return Misplaced(where, f"no {what or 'key'} {name!r} in {where or 'the document'}{near}")


_NOUNS: Final = {
    "groups": "group",
    "rules": "rule",
    "ladder": "tier",
    "channels": "channel",
    "lists": "list",
    "units": "unit",
    "earn": "unit",
    "pools": "pool",
    "prizes": "prize",
    "items": "item",
}
"""What the members of these are called."""


# -- text ----------------------------------------------------------------------------------------------


def _unreadable(error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    line, column = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
    said = getattr(error, "problem", None) or str(error)
    return Problem("", f"it cannot be edited in parts, as it is not plain YAML: {said}"[:300], None, line, column)


def _yaml(text: str) -> YAML:
    """What reads the text and writes it again as it was: with its own indentation and the width of its lines."""
    lines = text.split("\n")
    yaml = YAML(typ="rt", pure=True)
    yaml.Resolver = _AsWritten
    yaml.preserve_quotes = True
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.width = max(WIDTH_MIN, *map(len, lines))
    offset = _offset(lines)
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml


def _offset(lines: Sequence[str]) -> int:
    """How far the members of a list stand behind its key, as most of them do."""
    far = near = 0
    for above, line in pairwise(lines):
        if above.rstrip().endswith(":") and line.lstrip().startswith("- "):
            indented = len(line) - len(line.lstrip()) > len(above) - len(above.lstrip())
            far, near = far + indented, near + (not indented)
    return 0 if near > far else 2


# -- values --------------------------------------------------------------------------------------------


def _made(value: Value, *, flow: bool) -> Any:
    """The value as it is to be written."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            # A number with a point must be quoted, so that it is exact.
            return DoubleQuotedScalarString(format(value, "f"))
        case datetime():
            return DoubleQuotedScalarString(value.isoformat())
        case date():
            return value.isoformat()
        case str():
            return value if _PLAIN.fullmatch(value) else DoubleQuotedScalarString(value)
        case Mapping():
            mapping = CommentedMap(
                (_made(key, flow=flow), _made(inner, flow=flow or _is_leaf(inner))) for key, inner in value.items()
            )
            _style(mapping, flow=flow or not value)
            return mapping
        case _:
            listed = CommentedSeq(_made(inner, flow=flow or _is_leaf(inner)) for inner in value)
            _style(listed, flow=flow or not len(value) or not any(isinstance(one, Mapping) for one in value))
            return listed


def _style(node: CommentedMap | CommentedSeq, *, flow: bool) -> None:
    if flow:
        node.fa.set_flow_style()
    else:
        node.fa.set_block_style()


def _is_leaf(value: Any) -> bool:
    """Whether it reads well on one line: a scalar, or a short list or mapping of scalars and words."""
    match value:
        case str():
            return True
        case Mapping():
            return all(_is_leaf(inner) and not isinstance(inner, Mapping) for inner in value.values())
        case Sequence():
            return not any(isinstance(inner, Mapping) or not _is_leaf(inner) for inner in value)
        case _:
            return True


def _is_short(value: Any) -> bool:
    return len(json.dumps(value, default=str, ensure_ascii=False)) <= LINE_MAX


def _is_flow(node: Any) -> bool:
    return isinstance(node, CommentedMap | CommentedSeq) and bool(node.fa.flow_style())


def _is_nothing(node: Any) -> bool:
    return node in ("null", "~", "") and not isinstance(node, DoubleQuotedScalarString)


def _peek(node: Any, name: str) -> Any:
    match node:
        case CommentedMap():
            return node.get(name)
        case CommentedSeq():
            return next((inner for inner, called in zip(node, _names(node), strict=True) if called == name), None)
        case _:
            return None


def _names(node: Any) -> Iterator[str]:
    match node:
        case CommentedMap():
            yield from (str(key) for key in node)
        case CommentedSeq():
            for inner in node:
                if isinstance(inner, CommentedMap):
                    yield str(inner.get("id", ""))
                else:
                    yield inner if isinstance(inner, str) else ""


# -- comments ------------------------------------------------------------------------------------------
# ruamel keeps what is written behind a value and on the lines below with that value. What stands below belongs to
# what comes next, and stays with that.


def _keep_comment(container: Any, name: Any, value: Any) -> None:
    """Put a value in the place of another one. What was written within that is gone; what stands below stays."""
    below = _take_below(container, name)
    container[name] = value
    _put_below(container, name, below)


def _append(container: Any, name: Any, value: Any) -> None:
    last = _last(container)
    below = None
    if last is not None:
        within, below = _split(_take_below(container, last), container.lc.col)
        _put_below(container, last, within)
    if isinstance(container, CommentedSeq):
        container.append(value)
    else:
        container[name] = value
    _put_below(container, name, below)


def _take_out(container: Any, name: Any) -> str:
    """Remove a value; what stood below it, which then stands below the one before, if there is one."""
    below = _take_below(container, name)
    keys = list(range(len(container))) if isinstance(container, CommentedSeq) else list(container)
    at = keys.index(name)
    del container[name]
    if not isinstance(container, CommentedSeq):
        container.ca.items.pop(name, None)
    if at:
        _put_below(container, keys[at - 1], below)
    elif len(container):
        _put_above(container, below)
    else:
        container.fa.set_flow_style()
    return below


def _last(container: Any) -> Any:
    if not len(container):
        return None
    return len(container) - 1 if isinstance(container, CommentedSeq) else next(reversed(container))


def _leaf(container: Any, name: Any) -> tuple[Any, Any]:
    """Where ruamel keeps what is written behind a value: with the last thing that is in it."""
    inner = container[name]
    while isinstance(inner, CommentedMap | CommentedSeq) and len(inner) and not _is_flow(inner):
        container, name = inner, _last(inner)
        inner = container[name]
    return container, name


def _take_below(container: Any, name: Any) -> str:
    """What is written on the lines below a value, taken from there."""
    container, name = _leaf(container, name)
    slot = 0 if isinstance(container, CommentedSeq) else 2
    tokens = container.ca.items.get(name)
    token = tokens[slot] if tokens else None
    if not isinstance(token, CommentToken):
        return ""
    behind, line_end, below = token.value.partition("\n")
    if not below:
        return ""
    token.value = behind + line_end
    return str(below)


def _split(below: str, column: int | None) -> tuple[str, str]:
    """What of it is set in deeper than the container, and so belongs to what it stands below; and the rest."""
    lines = below.splitlines(keepends=True)
    within = 0
    for number, line in enumerate(lines, 1):
        if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) <= (column or 0):
            break
        within = number
    return "".join(lines[:within]), "".join(lines[within:])


def _put_below(container: Any, name: Any, below: str | None) -> None:
    if not below:
        return
    container, name = _leaf(container, name)
    slot = 0 if isinstance(container, CommentedSeq) else 2
    tokens = container.ca.items.setdefault(name, [None] * 4)
    if isinstance(tokens[slot], CommentToken):
        tokens[slot].value = tokens[slot].value.rstrip("\n") + "\n" + below
    else:
        tokens[slot] = CommentToken("\n" + below, CommentMark(0), None)


def _put_above(container: Any, above: str) -> None:
    """Let it stand above the first thing in the container."""
    if not above.strip():
        return
    lines = above.strip("\n").split("\n")
    column = len(lines[0]) - len(lines[0].lstrip(" "))
    tokens = [CommentToken(f"{line.strip()}\n", CommentMark(column), None) for line in lines]
    before = container.ca.comment[1] if container.ca.comment and len(container.ca.comment) > 1 else None
    container.ca.comment = [container.ca.comment[0] if container.ca.comment else None, [*(before or ()), *tokens]]


def _put_behind(container: CommentedSeq, at: int, token: Any) -> None:
    """What was written behind a member of a list, on its line."""
    if isinstance(token, CommentToken) and token.value.strip():
        behind = token.value.partition("\n")[0] + "\n"
        tokens = container.ca.items.setdefault(at, [None] * 4)
        below = tokens[0].value if isinstance(tokens[0], CommentToken) else ""
        tokens[0] = CommentToken(behind + below.removeprefix("\n"), CommentMark(0), None)
