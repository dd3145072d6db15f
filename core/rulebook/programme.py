"""What the brand has published: the programme document as values.

``load_programme`` reads a document, as YAML text or as the mapping it stands for, and either gives a
``Programme`` in which every rule is compiled, or refuses it with *all* the problems it can find, each
with its path and, in a text, its line and column. What a channel's section may hold is said by the
channel: a subclass of ``ChannelSettings`` that its plugin registers.

A programme is equal to, and hashed as, its digest; the digest of a text and of the mapping it stands
for are the same.
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation, localcontext
from functools import cache, cached_property, partial
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    NamedTuple,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
)
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    SerializeAsAny,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from core.errors import Problem, ProgrammeInvalid, UnknownUnit
from core.ladder.benefits import Benefit
from core.ladder.tiers import FACTS, FactKind, Ladder
from core.money import currencies
from core.rulebook.budgets import NamedBudget, budget_of
from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.expiry import NEVER, ExpiryPolicy, ExpiryTerms
from core.rulebook.expressions import ExpressionInvalid
from core.rulebook.language import NUMBERS
from core.rulebook.outside import NOTHING_OUTSIDE, Outside
from core.rulebook.rules import ROUNDINGS, Budget, Compilation, Rounding, RuleSet, UnitName
from core.suggest import did_you_mean
from core.trust.settings import PaceRule, TrustSettings
from core.units import GROWTH, POINTS
from core.wording.facts import Both, TallyWords, Wording

if TYPE_CHECKING:
    # Words speak of programmes.
    from core.wording.words import Said, Words

BYTES_MAX: Final = 256 * 1024
DEPTH_MAX: Final = 20
PROBLEMS_MAX: Final = 50

Path = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)
T = TypeVar("T")


class ChannelSettings(Section):
    """What a channel's section of the document may hold; a plugin subclasses it.

    Fields may be rule sets, or hold rule sets anywhere within. ``facts`` names what their expressions
    see and of which type: dataclasses or plain types. A fact named ``line`` is seen by groups ``per:
    line`` only, one for each of the activity's lines. What the channel gives lasts as ``expiry`` says, where it says
    something of the unit.
    """

    facts: ClassVar[Mapping[str, Any]] = {}
    called: ClassVar[Both] = ("", "")
    """The channel's name for people, in English and in Chinese; that for machines, where nobody says."""
    wording: ClassVar[Wording] = Wording()
    """What the channel calls its occasion, its facts and its tallies, for sentences about rules."""
    gives_tags: ClassVar[bool] = False
    """Whether it gives tags: see ``core.channels.tags``."""
    core_rules: ClassVar[frozenset[str]] = frozenset()
    """The keys of the section that hold core rules: what members plan by, so that changing them twice is told of."""

    expiry: dict[UnitName, ExpiryTerms] = Field(default_factory=dict)

    def adds_to(self) -> Collection[str]:
        """The facts of tiers that members add to by what they do here: what brings them nearer to the next one."""
        return {f"{unit}_earned" for unit in getattr(self, "earn", ())}

    def check(self, programme: "Programme") -> "Iterable[Misfit]":
        """What of the section does not fit the rest of the programme: the tiers that it names, say.

        Asked when each part by itself is right.
        """
        return ()

    def brings(self, programme: "Programme", tier: str) -> "Iterable[Benefit]":
        """What members of a tier have of the channel, for those who show what a tier brings."""
        return ()

    def mints(self) -> "Iterable[Path]":
        """The parts that give points without any limit for what a member may do at will and pays nothing for.

        For those who are warned of it before a programme is published.
        """
        return ()

    def says(self, words: "Words") -> "Iterable[Said]":
        """The section as members read it, a sentence for each thing that they can do, get or lose by it.

        Without being told: its rule sets ``earn``, and what it brings to tiers. A section that holds anything else for
        members says it, and a test of the suite asks each channel for a sentence in both languages.
        """
        yield from words.earnings(self)
        yield from words.benefits(self)

    def tallies_in_words(self) -> "Mapping[str, TallyWords]":
        """What the section lets be counted by names of its own, in words."""
        return {}

    def budgets(self, channel: str) -> "Iterable[NamedBudget]":
        """The budgets that the section has, for those who ask how much is left of them.

        Those of its rule sets ``earn``, and its ``budget``, without being told. A section that has others names them.
        """
        earn, budget = getattr(self, "earn", None), getattr(self, "budget", None)
        if isinstance(earn, Mapping):
            for unit, rules in earn.items():
                if isinstance(rules, RuleSet):
                    yield budget_of(channel, unit, rules.caps)
        if isinstance(budget, Budget):
            yield NamedBudget(f"{channel}:{POINTS}", POINTS, budget)


class Place(NamedTuple):
    """A place in a text, both counted from 1."""

    line: int
    column: int


class Misfit(NamedTuple):
    """Where in a channel's section something does not fit the rest of the programme, and why."""

    path: Path
    reason: str


# -- the document -----------------------------------------------------------------------------------


def _currency(code: str) -> str:
    if code not in currencies():
        reason = f"no currency {code!r} in ISO 4217"
        raise PydanticCustomError("currency", "{reason}", {"reason": reason})
    return code


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())  # reads a few hundred files


def _timezone(name: str) -> str:
    known = _timezones()
    if name not in known:
        reason = f"unknown time zone {name!r}{did_you_mean(name, known)}"
        raise PydanticCustomError("timezone", "{reason}", {"reason": reason})
    return name


def _day(value: Any) -> date:
    if isinstance(value, str):
        with suppress(ValueError):
            value = date.fromisoformat(value)
    if type(value) is not date:
        raise PydanticCustomError("day", "not a day, such as 2026-01-01")
    return value


class RoundingSettings(Section):
    """How the one rounding of an award is done."""

    mode: Rounding = "floor"


class RedemptionBand(Section):
    """Between which shares of what members pay the cost of redemption should lie, over the last ``days``."""

    at_least: QuotedDecimal = Decimal("0.01")
    at_most: QuotedDecimal = Decimal("0.03")
    days: Annotated[int, Field(strict=True, ge=1, le=366)] = 30

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        if self.at_least > self.at_most:
            raise PydanticCustomError("band", "at_least is more than at_most")
        return self


class UnitSettings(Section):
    """A unit of the ledger. Without an expiry of its own it takes the programme's."""

    expiry: ExpiryPolicy | None = None
    spendable: Annotated[bool, Field(strict=True)] | None = None


class Unit(NamedTuple):
    """A unit with everything decided."""

    name: str
    expiry: ExpiryPolicy
    spendable: bool


ListName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
ListMembers = Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=5000)]


class Programme(Section):
    """A programme that can be published."""

    id: Identifier
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    currency: Annotated[str, AfterValidator(_currency)]
    timezone: Annotated[str, AfterValidator(_timezone)]
    lang: Literal["rex/1"] = "rex/1"
    # Nothing can have happened before this day.
    starts_on: Annotated[date, BeforeValidator(_day)] | None = None
    rounding: RoundingSettings = RoundingSettings()
    expiry: ExpiryPolicy = NEVER
    units: Annotated[dict[ListName, UnitSettings], Field(max_length=20, default_factory=dict)]
    # What one point is worth in money: 0.01 where 100 points pay for 1.
    point_value: QuotedDecimal | None = None
    # Somebody is told when the cost of redemption leaves it.
    redemption_cost: RedemptionBand | None = None
    # Where taken-back points come from: the lot they were in, then other lots, then a debt.
    claw_back: Literal["lot_only", "lots", "lots_then_debt"] = "lots_then_debt"
    lists: Annotated[dict[ListName, ListMembers], Field(max_length=100, default_factory=dict)]
    channels: Mapping[str, SerializeAsAny[ChannelSettings]] = Field(default_factory=dict)
    tiers: Ladder | None = None
    trust: TrustSettings = TrustSettings()

    _digest: str = PrivateAttr(default="")
    _document: Mapping[str, Any] = PrivateAttr(default_factory=dict)
    _places: Mapping[Path, Place] = PrivateAttr(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the document's content, in hexadecimal."""
        return self._digest

    @property
    def document(self) -> Mapping[str, Any]:
        """The document as plain values."""
        return self._document

    def place(self, path: Path) -> Place | None:
        """Where in the text something stands, or what holds it; None where there was no text."""
        return next((self._places[each] for each in _upwards(path) if each in self._places), None)

    def path_text(self, path: Path) -> str:
        """A path as people read it: ``groups[tier].rules[gold].when``."""
        return _path_text(self._document, path)

    # Asked for by every operation, where pydantic's private attributes would be too slow.

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def all_units(self) -> Mapping[str, Unit]:
        """Every unit by name: the two that each programme has, and its own."""
        usual = {
            POINTS: Unit(POINTS, self.expiry, spendable=True),
            # Growth of the last twelve months is then a balance, not a yearly job.
            GROWTH: Unit(GROWTH, ExpiryPolicy(mode="per_lot", months=12), spendable=False),
        }
        for name, given in self.units.items():
            unit = usual.get(name, Unit(name, self.expiry, spendable=True))
            usual[name] = Unit(
                name,
                expiry=unit.expiry if given.expiry is None else given.expiry,
                spendable=unit.spendable if given.spendable is None else given.spendable,
            )
        return usual

    @cached_property
    def gives_tags(self) -> bool:
        """Whether any channel gives tags."""
        return any(section.gives_tags for section in self.channels.values())

    @property
    def unit_names(self) -> tuple[str, ...]:
        return tuple(self.all_units)

    def budgets(self) -> "Iterator[tuple[str, NamedBudget]]":
        """The budgets of all channels, each with its channel's name."""
        for channel, settings in self.channels.items():
            for budget in settings.budgets(channel):
                yield channel, budget

    def unit(self, name: str) -> Unit:
        """Raises UnknownUnit."""
        try:
            return self.all_units[name]
        except KeyError:
            # No name is longer, and the refusal is kept: a stranger's text must not be kept whole.
            raise UnknownUnit(unit=name[:64]) from None

    def terms(self, unit: str, channel: str) -> ExpiryTerms:
        """How long what a channel gives of a unit lasts. Raises UnknownUnit."""
        settings = self.channels.get(channel)
        own = settings.expiry.get(unit) if settings else None
        return own or self.unit(unit).expiry

    @cached_property
    def renewed_by(self) -> Mapping[str, frozenset[str]]:
        """The units of which lots can come to last longer, each with the tallies whose counting does it."""
        found = {}
        for unit in self.unit_names:
            settings = (settings.expiry.get(unit) for settings in self.channels.values())
            terms = [self.unit(unit).expiry, *(one for one in settings if one)]
            if names := frozenset(name for one in terms for name in one.activities):
                found[unit] = names
        return found

    @cached_property
    def paces(self) -> Mapping[str, tuple[PaceRule, ...]]:
        """How often a member may be active before somebody looks at it, by channel."""
        rules = self.trust.velocity
        return {rule.channel: tuple(one for one in rules if one.channel == rule.channel) for rule in rules}

    def round(self, value: Decimal) -> int:
        """To a whole amount, in the programme's mode."""
        with localcontext(NUMBERS):
            return int(value.to_integral_value(ROUNDINGS[self.rounding.mode]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Programme) and self._digest == other._digest

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self._digest)


def parts(kind: type[T], section: Any, path: Path = ()) -> Iterator[tuple[Path, T]]:
    """Whatever is of a kind in a section, wherever it stands there, and its path."""
    if isinstance(section, kind):
        yield path, section
    elif isinstance(section, Mapping):
        for key, inner in section.items():
            yield from parts(kind, inner, (*path, str(key)))
    elif isinstance(section, tuple | list):
        for number, inner in enumerate(section):
            yield from parts(kind, inner, (*path, number))
    elif isinstance(section, BaseModel):
        for name, field in type(section).model_fields.items():
            yield from parts(kind, getattr(section, name), (*path, field.alias or name))


def unknown_tiers(programme: Programme, named: Iterable[tuple[Path, str]]) -> Iterator[Misfit]:
    """Those of the tiers that a section names, each at its path, which the programme's ladder does not have."""
    ladder = [tier.id for tier in programme.tiers.ladder] if programme.tiers else []
    for path, tier in named:
        if tier not in ladder:
            yield Misfit(path, f"no tier {tier!r} on the ladder{did_you_mean(tier, ladder)}")


# -- loading ----------------------------------------------------------------------------------------


def load_programme(
    document: str | Mapping[str, Any],
    channels: Mapping[str, type[ChannelSettings]],
    facts: Mapping[str, FactKind] = FACTS,
    countables: Mapping[str, str] | None = None,
    outside: Outside = NOTHING_OUTSIDE,
) -> Programme:
    """The programme that the document describes.

    ``channels`` are the settings classes of the channels installed, by name; ``facts`` what tiers can
    ask for, and ``countables`` the tallies that a quest can count, described; the whole numbers of
    ``facts`` if left out. ``outside`` are the events and carriers that messages can name. Raises
    ProgrammeInvalid with every problem found.
    """
    known = countables_of(facts) if countables is None else countables
    return _Loader(_read(document), channels, facts, known, outside).load()


def check_readable(document: str) -> None:
    """Raise ProgrammeInvalid unless the text is YAML of ours: a mapping, whatever it says."""
    _read(document)


def countables_of(facts: Mapping[str, FactKind]) -> dict[str, str]:
    """The facts that are tallies of whole numbers, described."""
    whole = ((name, kind) for name, kind in facts.items() if not kind.fractional and kind.quotient_of is None)
    return {name: kind.description for name, kind in whole}


class _Source(NamedTuple):
    """The document as plain values, what was wrong already, and where in the text things are."""

    data: Any
    problems: list[tuple[Path, str]]
    marks: Mapping[Path, yaml.Mark]


class _Found(NamedTuple):
    """Something wrong. It is put in words when it is told: of very many few are, and near names take long to find."""

    path: Path
    message: str | Callable[[], str]
    position: int | None
    place: Place | None


class _Loader:
    def __init__(
        self,
        source: _Source,
        channels: Mapping[str, type[ChannelSettings]],
        facts: Mapping[str, FactKind],
        countables: Mapping[str, str],
        outside: Outside,
    ) -> None:
        self._source = source
        self._outside = outside
        self._data = source.data
        self._channels = channels
        self._facts = facts
        self._countables = countables
        self._problems: list[_Found] = []
        for path, message in source.problems:
            self._add(path, message)
        self._refused = {path for path, _ in source.problems}

    def load(self) -> Programme:
        rest = {key: value for key, value in self._data.items() if key not in ("channels", "tiers")}
        programme = self._validate(Programme, rest, (), Compilation({}, countables=self._countables))
        channels = self._load_channels(programme)
        tiers = self._data.get("tiers")
        ladder = None if tiers is None else self._validate(Ladder, tiers, ("tiers",), self._facts)
        if self._problems or programme is None:
            raise self._refusal()
        loaded = programme.model_copy(update={"channels": channels, "tiers": ladder})
        loaded._document = self._data
        for name, settings in channels.items():
            for path, reason in settings.check(loaded):
                self._add(("channels", name, *path), reason)
        if loaded.redemption_cost is not None and loaded.point_value is None:
            self._add(("redemption_cost",), "without point_value redemption costs nothing that could be compared")
        for number, rule in enumerate(loaded.trust.velocity):
            if rule.channel not in channels:
                near = did_you_mean(rule.channel, channels)
                self._add(
                    ("trust", "velocity", number, "channel"), f"the programme has no channel {rule.channel!r}{near}"
                )
        if self._problems:
            raise self._refusal()
        canonical = json.dumps(self._data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        loaded._places = {path: Place(mark.line + 1, mark.column + 1) for path, mark in self._source.marks.items()}
        loaded._digest = hashlib.sha256(canonical.encode()).hexdigest()
        return loaded

    def _refusal(self) -> ProgrammeInvalid:
        ordered = sorted(self._problems, key=lambda found: found.place or Place(0, 0))
        return ProgrammeInvalid.of(tuple(self._problem(found) for found in ordered[:PROBLEMS_MAX]))

    def _load_channels(self, programme: Programme | None) -> dict[str, ChannelSettings]:
        sections = self._data.get("channels", {})
        if not isinstance(sections, dict):
            self._add(("channels",), "must be a mapping of channels to their settings")
            return {}
        loaded = {}
        for name, section in sections.items():
            kind = self._channels.get(name)
            if kind is None:
                self._add(("channels", name), partial(_not_installed, name, self._channels))
                continue
            try:
                compilation = self._compilation(kind, programme)
            except ExpressionInvalid as error:
                self._add(("lists",), str(error))
                continue
            settings = self._validate(kind, section, ("channels", name), compilation)
            if settings is not None:
                loaded[name] = settings
        return loaded

    def _compilation(self, kind: type[ChannelSettings], programme: Programme | None) -> Compilation:
        if programme is not None:
            return Compilation(
                kind.facts,
                lists=programme.lists,
                zone=programme.zone,
                rounding=programme.rounding.mode,
                units=programme.unit_names,
                countables=self._countables,
                outside=self._outside,
            )
        # The rest of the document is wrong; take from it what the rules can still be checked against.
        lists, units = self._data.get("lists"), self._data.get("units")
        return Compilation(
            kind.facts,
            lists=dict.fromkeys(lists, ()) if isinstance(lists, dict) else {},
            units={POINTS, GROWTH, *(units if isinstance(units, dict) else ())},
            countables=self._countables,
            outside=self._outside,
        )

    def _validate(self, model: type[Model], data: Any, at: Path, context: Any) -> Model | None:
        try:
            return model.model_validate(data, context=context)
        except ValidationError as error:
            found = [
                (details, tuple(part for part in details["loc"] if part != "[key]"))
                for details in error.errors(include_url=False)
            ]
            wrong = {(*at, *loc) for _, loc in found} | self._refused
            holders = {path[:length] for path in wrong for length in range(len(path))}
            for details, loc in found:
                path = (*at, *loc)
                # A float was refused with its path before, and a list is not too short when its members are wrong.
                if path not in self._refused and not (details["type"] == "too_short" and path in holders):
                    position = details.get("ctx", {}).get("position")
                    self._add(path, partial(_spoken, details, model, loc), position)
            return None

    def _add(self, path: Path, message: str | Callable[[], str], position: int | None = None) -> None:
        mark = next((self._source.marks[p] for p in _upwards(path) if p in self._source.marks), None)
        place = None if mark is None else Place(mark.line + 1, mark.column + 1)
        self._problems.append(_Found(path, message, position, place))

    def _problem(self, found: _Found) -> Problem:
        message = found.message if isinstance(found.message, str) else found.message()
        line, column = found.place or (None, None)
        return Problem(_path_text(self._data, found.path), message, found.position, line, column)


def _upwards(path: Path) -> Iterator[Path]:
    """The path and those of what holds it: a key that is missing has no place of its own."""
    return (path[:length] for length in range(len(path), -1, -1))


def _path_text(data: Any, path: Path) -> str:
    """``groups[tier].rules[0].when``: members of a list are named by their id where they have one."""
    text = ""
    for part in path:
        inner = None
        with suppress(LookupError, TypeError):
            inner = data[part]
        if isinstance(part, int):
            name = inner.get("id") if isinstance(inner, dict) else None
            text += f"[{name if isinstance(name, str) else part}]"
        else:
            text += f".{part}" if text else part
        data = inner
    return text


def _not_installed(channel: str, installed: Collection[str]) -> str:
    return f"channel {channel!r} is not installed{did_you_mean(channel, installed)}"


def _spoken(details: ErrorDetails, model: type[BaseModel], loc: Path) -> str:
    given = details["input"]
    match details["type"]:
        case "extra_forbidden":
            return f"unknown key {loc[-1]!r}{did_you_mean(str(loc[-1]), _keys(model, loc[:-1]))}"
        case "missing":
            return "is missing"
        case "literal_error" if isinstance(given, str):
            expected = details["ctx"]["expected"]
            near = did_you_mean(given, expected.replace("'", "").replace(" or ", ", ").split(", "))
            return f"{given!r} is not {expected}{near}"
        case "string_pattern_mismatch":
            return f"{given!r} is not a name of lower-case letters, digits, - and _"
        case _:
            return details["msg"].replace("Input should be", "must be")


def _keys(model: type[BaseModel], loc: Path) -> list[str]:
    """The keys that the section at ``loc`` may have."""
    kind: Any = model
    for part in loc:
        kind = _inside(kind, part)
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return []
    return [field.alias or name for name, field in kind.model_fields.items()]


def _inside(kind: Any, part: str | int) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = kind.model_fields.items()
        kind = next((field.annotation for name, field in fields if (field.alias or name) == part), None)
    elif isinstance(part, int):
        kind = (get_args(kind) or (None,))[0]
    else:
        kind = (get_args(kind) or (None,))[-1]
    return _bare(kind)


def _bare(kind: Any) -> Any:
    """Without ``Annotated`` and ``| None``."""
    while get_origin(kind) in (Annotated, Union, UnionType):
        kind = get_args(kind)[0]
    return kind


# -- reading: text or mapping to plain values -------------------------------------------------------

_FLOAT_REFUSED = "a number with a point must be quoted, so that it is exact"


def _read(document: str | Mapping[str, Any]) -> _Source:
    source = _read_text(document) if isinstance(document, str) else _read_mapping(document)
    if not isinstance(source.data, dict):
        raise _refused("a programme is a mapping of keys to values")
    return source


def _refused(message: str, mark: yaml.Mark | None = None) -> ProgrammeInvalid:
    line, column = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
    return ProgrammeInvalid.of((Problem("", message, None, line, column),))


def _too_large(text: str) -> bool:
    return len(text) > BYTES_MAX or len(text.encode(errors="surrogatepass")) > BYTES_MAX


def _read_mapping(document: Mapping[str, Any]) -> _Source:
    problems: list[tuple[Path, str]] = []
    data = _plain(document, (), problems)
    if _too_large(json.dumps(data, ensure_ascii=False, default=str)):
        raise _refused(f"larger than {BYTES_MAX // 1024} kB")
    return _Source(data, problems, {})


def _plain(value: Any, path: Path, problems: list[tuple[Path, str]]) -> Any:
    """A copy in the types that YAML text would have given."""
    if len(path) > DEPTH_MAX:
        raise _refused(f"nested deeper than {DEPTH_MAX}")
    match value:
        case Mapping():
            return {str(key): _plain(inner, (*path, str(key)), problems) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner, (*path, index), problems) for index, inner in enumerate(value)]
        case None | bool() | int() | str():
            return value
        case Decimal() | date():
            return str(value) if isinstance(value, Decimal) else value.isoformat()
        case float():
            problems.append((path, _FLOAT_REFUSED))
            return Decimal(repr(value))  # so that what stands around it can be checked
        case _:
            problems.append((path, f"a {type(value).__name__} cannot stand in a document"))
            return None


class _Yaml(yaml.SafeLoader):
    """YAML without its surprises: no aliases, no ``on`` and ``no``, no dates, no numbers in base 60."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs forgot it
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refused("aliases and anchors are not allowed", event.start_mark)
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _refused(f"nested deeper than {DEPTH_MAX}", event.start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


_PATTERNS: Final = {
    "bool": re.compile("^(?:true|false)$"),
    "null": re.compile("^(?:null|~|)$"),
    "int": re.compile("^(?:-?(?:0|[1-9][0-9]{0,17}))$"),
    "float": re.compile(r"^(?:[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?)$"),
}
"""What is read as something else than text; also where a tag says that it is."""

# Set apart from the base class, whose resolvers would be shared.
_Yaml.yaml_implicit_resolvers = {}
for _tag, _first in (
    ("bool", [*"tf"]),
    ("null", [*"n~", ""]),
    ("int", [*"-0123456789"]),
    ("float", [*"-+.0123456789"]),
):
    _Yaml.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _PATTERNS[_tag], _first)

_SCALARS: Final[Mapping[str, Callable[[str], Any]]] = {
    "str": str,
    "int": int,
    "bool": "true".__eq__,
    "null": lambda _: None,
}


def _read_text(text: str) -> _Source:
    if _too_large(text):
        raise _refused(f"larger than {BYTES_MAX // 1024} kB")
    try:
        node = _Yaml(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _refused(f"not YAML: {error.problem or error.context}", error.problem_mark) from None
    except yaml.reader.ReaderError as error:
        lines = text[: error.position].splitlines() or [""]
        place = Place(len(lines), len(lines[-1]) + 1)
        message = f"not YAML: {error.reason}: U+{ord(text[error.position]):04X}"
        raise ProgrammeInvalid.of((Problem("", message, None, *place),)) from None
    except yaml.YAMLError as error:
        raise _refused(f"not YAML: {error}") from None
    problems: list[tuple[Path, str]] = []
    marks: dict[Path, yaml.Mark] = {}
    data = None if node is None else _value(node, (), problems, marks)
    return _Source(data, problems, marks)


def _value(node: yaml.Node, path: Path, problems: list[tuple[Path, str]], marks: dict[Path, yaml.Mark]) -> Any:
    marks[path] = node.start_mark
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    match node:
        case yaml.MappingNode() if kind == "map":
            values: dict[str, Any] = {}
            for key_node, inner in node.value:
                key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
                if key is None or key in values:
                    what = "a key must be plain text" if key is None else f"key {key!r} is given twice"
                    raise _refused(what, key_node.start_mark)
                values[key] = _value(inner, (*path, key), problems, marks)
                marks[(*path, key)] = key_node.start_mark
            return values
        case yaml.SequenceNode() if kind == "seq":
            return [_value(inner, (*path, i), problems, marks) for i, inner in enumerate(node.value)]
        case yaml.ScalarNode() if kind in _PATTERNS and not _PATTERNS[kind].fullmatch(node.value):
            problems.append((path, f"the tag {node.tag} does not fit what follows"))
        case yaml.ScalarNode() if kind in _SCALARS:
            return _SCALARS[kind](node.value)
        case yaml.ScalarNode() if kind == "float":
            problems.append((path, _FLOAT_REFUSED))
            try:
                return Decimal(node.value)  # so that what stands around it can be checked
            except InvalidOperation:
                return Decimal(0)  # its exponent is beyond all numbers
        case _:
            problems.append((path, f"the tag {node.tag} is not allowed"))
    return None
