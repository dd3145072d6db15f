"""The language of texts: a small part of Jinja, checked when the programme is published.

A text can print what there is (``{{ event.points }}``), choose (``{% if %}``) and go through a list of the event
(``{% for %}``), and no more: nothing is called, nothing is computed without bound. Numbers, days and instants are
written as readers of the language are used to, instants in the programme's zone, and what stands in HTML is escaped.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple, get_origin
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal, format_percent
from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel

from core.money import money
from core.suggest import did_you_mean

from .facts import fields_of, item_of

RENDERED_MAX: Final = 200_000

_NODES: Final = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For),
    *(nodes.Name, nodes.Getattr, nodes.Const, nodes.Filter, nodes.CondExpr, nodes.Concat),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub),
)
_FILTERS: Final = frozenset(
    {"day", "default", "first", "join", "last", "length", "lower", "money", "percent", "tier", "time", "trim", "upper"}
)


class TextInvalid(ValueError):
    """A text cannot be published. ``position`` is where the line begins that is wrong."""

    def __init__(self, reason: str, position: int | None = None, line: int | None = None) -> None:
        super().__init__(reason if line in {None, 1} else f"line {line}: {reason}")
        self.position = position


class CannotRender(Exception):
    """A text does not go with what it was to speak of. The message holds nothing of a member."""


class Style(NamedTuple):
    """How values are written: for which readers, in which zone and money, and what tiers are called."""

    locale: str
    timezone: str
    currency: str
    tiers: tuple[tuple[str, str], ...] = ()


def check(source: str, known: Mapping[str, Any]) -> None:
    """See that a text can be rendered whenever there is what ``known`` names: a type, or the names within and theirs.

    Raises TextInvalid.
    """
    try:
        tree = _environment(Style("en", "UTC", "CNY"), html=False).parse(source)
    except TemplateSyntaxError as error:
        raise _invalid(str(error.message), source, error.lineno) from None
    _Check(source, known).statements(tree.body, {})


def _invalid(reason: str, source: str, line: int) -> TextInvalid:
    begins = sum(len(text) for text in source.splitlines(keepends=True)[: line - 1])
    return TextInvalid(reason, begins, line)


class _Check:
    """Walks over a text: only what is listed, only names that there are, and no loop within a loop."""

    def __init__(self, source: str, known: Mapping[str, Any]) -> None:
        self._source = source
        self._known = known

    def statements(self, body: list[nodes.Node], loops: Mapping[str, Any]) -> None:
        for node in body:
            if isinstance(node, nodes.For):
                self._loop(node, loops)
            else:
                self._node(node, loops)
                if isinstance(node, nodes.If):
                    self._branches(node, loops)

    def _branches(self, node: nodes.If, loops: Mapping[str, Any]) -> None:
        self._value(node.test, loops)
        self.statements(node.body, loops)
        self.statements(list(node.elif_), loops)
        self.statements(node.else_, loops)

    def _loop(self, node: nodes.For, loops: Mapping[str, Any]) -> None:
        if loops:
            raise self._refused("a loop within a loop", node)
        if not isinstance(node.target, nodes.Name) or node.recursive or node.test is not None:
            raise self._refused("a loop takes one name and nothing else", node)
        if node.target.name in self._known:
            raise self._refused(f"the loop variable {node.target.name!r} has the name of something else", node)
        of = self._value(node.iter, loops)
        if (item := item_of(of)) is None:
            raise self._refused("loops over what is no list of the event", node)
        self.statements(node.body, {node.target.name: item})
        self.statements(node.else_, loops)

    def _node(self, node: nodes.Node, loops: Mapping[str, Any]) -> None:
        if not isinstance(node, _NODES):
            raise self._refused(f"{_spoken(node)} cannot stand in a text", node)
        if not isinstance(node, nodes.If | nodes.TemplateData):
            for inner in node.iter_child_nodes():
                self._value(inner, loops)

    def _value(self, node: nodes.Node, loops: Mapping[str, Any]) -> Any:
        """The type of what it stands for, where that is known."""
        match node:
            case nodes.Name():
                return self._name(node, loops)
            case nodes.Getattr():
                return self._attribute(node, loops)
            case nodes.Filter() if node.name not in _FILTERS:
                raise self._refused(f"unknown filter {node.name!r}{did_you_mean(node.name, _FILTERS)}", node)
            case _:
                self._node(node, loops)
                return None

    def _name(self, node: nodes.Name, loops: Mapping[str, Any]) -> Any:
        known = {**self._known, **loops}
        if node.name not in known:
            raise self._refused(f"unknown name {node.name!r}{did_you_mean(node.name, known)}", node)
        return known[node.name]

    def _attribute(self, node: nodes.Getattr, loops: Mapping[str, Any]) -> Any:
        within = self._value(node.node, loops)
        if isinstance(within, type) and issubclass(within, BaseModel):
            within = fields_of(within)
        if within is dict or get_origin(within) is dict:
            return None  # what there is in it differs from member to member
        if not isinstance(within, Mapping):
            raise self._refused(f"there is nothing within it called {node.attr!r}", node)
        if node.attr not in within:
            raise self._refused(f"unknown name {node.attr!r}{did_you_mean(node.attr, within)}", node)
        return within[node.attr]

    def _refused(self, reason: str, node: nodes.Node) -> TextInvalid:
        return _invalid(reason, self._source, node.lineno)


def _spoken(node: nodes.Node) -> str:
    return {"Call": "a call", "Mul": "'*'", "Pow": "'**'", "Getitem": "[…]"}.get(
        type(node).__name__, f"{type(node).__name__.lower()}"
    )


# -- rendering --------------------------------------------------------------------------------------


def render(source: str, values: Mapping[str, Any], style: Style, *, html: bool = False) -> str:
    """The text for these values. Raises CannotRender."""
    parts: list[str] = []
    try:
        length = 0
        for part in _compiled(source, style, html).generate(**values):
            parts.append(part)
            length += len(part)
            if length > RENDERED_MAX:
                raise CannotRender(f"it is longer than {RENDERED_MAX} characters")
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # What these say may hold what they stumbled on.
        raise CannotRender(f"a text cannot be rendered: {type(error).__name__}") from None
    return "".join(parts)


@lru_cache(maxsize=1_024)
def _compiled(source: str, style: Style, html: bool) -> Any:
    return _environment(style, html=html).from_string(source)


@lru_cache(maxsize=256)
def _environment(style: Style, *, html: bool) -> ImmutableSandboxedEnvironment:
    locale, zone = Locale.parse(style.locale), ZoneInfo(style.timezone)
    environment = ImmutableSandboxedEnvironment(
        autoescape=html, finalize=lambda value: written(value, locale, zone), cache_size=0, keep_trailing_newline=False
    )
    environment.globals.clear()
    names = dict(style.tiers)
    own: dict[str, Callable[..., Any]] = {
        "day": lambda value: format_date(_day(value, zone), "long", locale),
        "time": lambda value: format_time(value, "short", zone, locale),
        "money": lambda value: format_currency(money(value, style.currency), style.currency, locale=locale),
        "percent": lambda value: format_percent(Decimal(value) / 100, locale=locale),
        "tier": lambda value: names.get(value, value),
    }
    usual = {name: environment.filters[name] for name in _FILTERS if name in environment.filters}
    environment.filters = {**usual, **own}
    environment.tests = {}
    return environment


def written(value: Any, locale: Locale, zone: tzinfo = UTC) -> Any:
    """A value as readers of the language are used to it."""
    match value:
        case bool() | str():
            return value
        case None:
            return ""
        case int() | Decimal():
            return format_decimal(value, locale=locale)
        case datetime():
            return f"{format_date(_day(value, zone), 'long', locale)} {format_time(value, 'short', zone, locale)}"
        case date():
            return format_date(value, "long", locale)
        case _:
            return value


def _day(value: date, zone: tzinfo) -> date:
    return value.astimezone(zone).date() if isinstance(value, datetime) else value


def wider(locale: str) -> Iterator[str]:
    """The locale, and those that hold it, the nearest first: zh_Hant_TW, zh_Hant, zh."""
    parsed = Locale.parse(locale)
    for language, script, territory in (
        (parsed.language, parsed.script, parsed.territory),
        (parsed.language, parsed.script, None),
        (parsed.language, None, parsed.territory),
        (parsed.language, None, None),
    ):
        yield "_".join(part for part in (language, script, territory) if part)
