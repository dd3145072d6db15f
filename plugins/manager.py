"""Finds plugins, checks them, and puts together what they offer.

There is no global manager: ``load_plugins`` makes a fresh one. Whatever is wrong is an error at start-up that names
all sides of it, never a silence.
"""

import importlib
import importlib.metadata
import inspect
import pkgutil
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final, TypeVar

import pluggy
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case
from tortoise.models import Model

import plugins
from core.channels.annual import Recaller
from core.channels.suggestions import Suggester
from core.engine.work import Reaction
from core.errors import LaurelError, Refusal
from core.ladder.judging import Judge, Judges
from core.ladder.tiers import FACTS, FactKind
from core.oversight.verify import INVARIANTS, Invariant
from core.people.erasing import PersonalData
from core.rulebook.explaining import Explainer
from core.rulebook.programme import ChannelSettings, countables_of
from core.scheduling.jobs import Job
from core.simulating.anew import Anew
from core.store.databases import Tables
from core.suggest import did_you_mean
from core.telling.carriers import Carrier
from core.telling.destinations import Destinations
from core.telling.event_types import EVENT_TYPES, EventType
from core.telling.events import of_channel
from core.telling.outbox import Consumer
from plugins import CONTRACT, PROJECT, hookspecs
from plugins.hookspecs import Importer

ENTRY_POINTS: Final = "laurel.plugins"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_CORE: Final = "core"
_ROOTS: Final = {
    "register_queries": "Query",
    "register_mutations": "Mutation",
    "register_subscriptions": "Subscription",
    "register_member_fields": "Member",
}
"""The types of the schema whose fields plugins offer."""

T = TypeVar("T")


class PluginsInvalid(LaurelError):
    """The plugins that are installed cannot run together, or one of them cannot run at all."""


@dataclass(frozen=True)
class Offer:
    """A plugin that was found: its name, where it is from, and how it is imported."""

    name: str
    origin: str
    load: Callable[[], Any]

    def __str__(self) -> str:
        return f"plugin {self.name!r} ({self.origin})"


@dataclass(frozen=True, kw_only=True)
class Plugins:
    """What all plugins offer together, in the order of their names. ``facts`` and ``countables`` include the core's.

    ``offered_by`` says whose a field is: the plugin's name by ``Mutation.recordPurchase``, and
    ``carried_by`` whose a carrier is.
    """

    names: tuple[str, ...] = ()
    offered_by: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, type[ChannelSettings]] = field(default_factory=dict)
    facts: Mapping[str, FactKind] = field(default_factory=lambda: FACTS)
    countables: Mapping[str, str] = field(default_factory=lambda: countables_of(FACTS))
    tables: Mapping[str, Tables] = field(default_factory=dict)
    personal_data: tuple[PersonalData, ...] = ()
    refusals: tuple[type[Refusal], ...] = ()
    capabilities: Mapping[str, str] = field(default_factory=dict)
    queries: tuple[type, ...] = ()
    mutations: tuple[type, ...] = ()
    subscriptions: tuple[type, ...] = ()
    member_fields: tuple[type, ...] = ()
    importers: Mapping[str, Importer] = field(default_factory=dict)
    jobs: tuple[Job, ...] = ()
    judges: Judges = field(default_factory=dict)
    suggesters: Mapping[str, Suggester] = field(default_factory=dict)
    recallers: Mapping[str, Recaller] = field(default_factory=dict)
    explainers: Mapping[tuple[str, str], tuple[Explainer, ...]] = field(default_factory=dict)
    anew: tuple[Anew, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    outgoing: Mapping[str, frozenset[str]] = field(default_factory=dict)
    consumers: Mapping[str, Consumer] = field(default_factory=dict)
    destinations: Mapping[str, type[Destinations]] = field(default_factory=dict)
    event_types: Mapping[str, EventType] = field(default_factory=lambda: EVENT_TYPES)
    carriers: Mapping[str, type[Carrier]] = field(default_factory=dict)
    carried_by: Mapping[str, str] = field(default_factory=dict)


def find_offers() -> list[Offer]:
    """The folders beside this module, then the entry points of installed packages."""
    offers = [
        Offer(found.name, "built in", _importer(f"{plugins.__name__}.{found.name}"))
        for found in pkgutil.iter_modules(plugins.__path__)
        if found.ispkg
    ]
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        distribution = f"{point.dist.name} {point.dist.version}" if point.dist else "no distribution"
        offers.append(Offer(point.name, distribution, point.load))
    return offers


def _importer(module: str) -> Callable[[], ModuleType]:
    return lambda: importlib.import_module(module)


def load_plugins(disabled: Collection[str] = frozenset(), offers: Iterable[Offer] | None = None) -> Plugins:
    """Import the plugins that are not disabled, and check that they meet the contract and one another.

    ``offers`` are the plugins there are; those found when it is None. Raises PluginsInvalid.
    """
    wanted = _wanted(list(find_offers() if offers is None else offers), disabled)
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    modules = {offer.name: _register(manager, offer) for offer in wanted}
    _check_hooks(manager, modules, {offer.name: offer for offer in wanted})
    return _Assembly(manager, {offer.name: str(offer) for offer in wanted}).plugins()


def _wanted(offers: Sequence[Offer], disabled: Collection[str]) -> list[Offer]:
    """Those not disabled, by name."""
    by_name: dict[str, Offer] = {}
    for offer in offers:
        if not _NAME.fullmatch(offer.name) or offer.name == _CORE:
            raise PluginsInvalid(f"{offer}: not a name a plugin can have: lower-case letters, digits and _, not 'core'")
        if other := by_name.get(offer.name):
            raise PluginsInvalid(f"plugin {offer.name!r} is offered twice: {other.origin} and {offer.origin}")
        by_name[offer.name] = offer
    for name in sorted(disabled):
        if name not in by_name:
            raise PluginsInvalid(f"cannot disable {name!r}: no such plugin{did_you_mean(name, by_name)}")
    return [by_name[name] for name in sorted(by_name) if name not in disabled]


def _register(manager: pluggy.PluginManager, offer: Offer) -> Any:
    try:
        module = offer.load()
    except Exception as error:
        # Whatever a stranger's module raises, the operator must read whose it is.
        raise PluginsInvalid(f"{offer} cannot be imported: {type(error).__name__}: {error}") from error
    contract = getattr(module, "CONTRACT", None)
    if contract != CONTRACT:
        stated = "states no contract" if contract is None else f"was written for contract {contract}"
        raise PluginsInvalid(f"{offer} {stated}; this Laurel needs CONTRACT = {CONTRACT}")
    try:
        manager.register(module, name=offer.name)
    except pluggy.PluginValidationError as error:
        reason = str(error).splitlines()[-1]
        raise PluginsInvalid(f"{offer} has a hook with wrong arguments: {reason}") from error
    return module


def _check_hooks(manager: pluggy.PluginManager, modules: Mapping[str, Any], offers: Mapping[str, Offer]) -> None:
    known = [name for name, found in vars(hookspecs).items() if hasattr(found, f"{PROJECT}_spec")]
    for name, module in modules.items():
        for attribute, found in vars(module).items():
            marked = hasattr(found, f"{PROJECT}_impl")
            if marked and attribute not in known:
                raise PluginsInvalid(f"{offers[name]}: unknown hook {attribute!r}{did_you_mean(attribute, known)}")
            if attribute in known and not marked:
                raise PluginsInvalid(
                    f"{offers[name]}: {attribute!r} is the name of a hook but not marked with hookimpl"
                )
            if marked:
                _check_shape(offers[name], attribute, found)
    manager.check_pending()


def _check_shape(offer: Offer, hook: str, found: Callable[..., Any]) -> None:
    """Hooks are called as plain functions, so they take just what is specified, as what it is specified."""
    specified = getattr(hookspecs, hook)
    takes = list(inspect.signature(specified).parameters)
    if list(inspect.signature(found).parameters) != takes:
        raise PluginsInvalid(f"{offer} has a hook with wrong arguments: {hook} takes ({', '.join(takes)})")
    if inspect.iscoroutinefunction(found) != inspect.iscoroutinefunction(specified):
        kind = "a coroutine" if inspect.iscoroutinefunction(specified) else "a plain function"
        raise PluginsInvalid(f"{offer}: {hook} is {kind}")


class _Assembly:
    """Asks every plugin for what it offers, and remembers who offered what, so that two of one name are found."""

    def __init__(self, manager: pluggy.PluginManager, who: Mapping[str, str]) -> None:
        self._manager = manager
        self._who = who
        self._owners: dict[tuple[str, str], str] = {}
        self._offered_by: dict[str, str] = {}

    def plugins(self) -> Plugins:
        for fact in FACTS:
            self._claim("fact", fact, "the core")
        mutations, queries = self._types("register_mutations"), self._types("register_queries")
        settings = {name: self._settings(name, given) for name, given in self._ask("register_settings")}
        consumers = dict(self._implementations("after_event"))
        facts = {**FACTS, **self._facts()}
        carriers = self._carriers()
        return Plugins(
            names=tuple(self._who),
            offered_by=self._offered_by,
            settings=settings,
            facts=facts,
            countables={**countables_of(facts), **self._countables()},
            tables=self._tables(),
            personal_data=self._personal_data(),
            refusals=self._refusals(),
            capabilities=self._capabilities(mutations),
            queries=queries,
            mutations=mutations,
            subscriptions=self._types("register_subscriptions"),
            member_fields=self._types("register_member_fields"),
            importers=self._importers(),
            jobs=self._jobs(),
            judges=self._judges(),
            suggesters=self._coroutines("register_suggestions"),
            recallers=self._coroutines("register_highlights"),
            explainers=self._explainers(),
            anew=self._anew(),
            invariants=self._invariants(),
            reactions=tuple(
                of_channel(function, name) if name in settings else function
                for name, function in self._implementations("react")
            ),
            outgoing=self._outgoing(consumers),
            consumers=consumers,
            destinations=self._destinations(),
            event_types=self._event_types(),
            carriers={carrier: kind for carrier, (_, kind) in carriers.items()},
            carried_by={carrier: name for carrier, (name, _) in carriers.items()},
        )

    # -- asking -----------------------------------------------------------------------------------

    def _implementations(self, hook: str) -> list[tuple[str, Callable[..., Any]]]:
        """The functions that implement a hook, by the name of their plugin."""
        found = ((impl.plugin_name, impl.function) for impl in getattr(self._manager.hook, hook).get_hookimpls())
        return sorted(found, key=lambda pair: pair[0])

    def _ask(self, hook: str) -> list[tuple[str, Any]]:
        return [(name, function()) for name, function in self._implementations(hook)]

    def _ask_each(self, hook: str, kind: type[T]) -> list[tuple[str, T]]:
        """What plugins offer in lists, one by one."""
        offered = []
        for name, given in self._ask(hook):
            if not isinstance(given, list | tuple) or not all(isinstance(one, kind) for one in given):
                raise PluginsInvalid(f"{self._who[name]}: {hook} must give a list of {kind.__name__}, not {given!r}")
            offered += [(name, one) for one in given]
        return offered

    def _claim(self, kind: str, label: str, owner: str) -> None:
        other = self._owners.setdefault((kind, label), owner)
        if other is not owner:
            raise PluginsInvalid(f"{kind} {label!r} is offered by both {other} and {owner}")

    # -- what they offer --------------------------------------------------------------------------

    def _settings(self, name: str, given: Any) -> type[ChannelSettings]:
        if not (isinstance(given, type) and issubclass(given, ChannelSettings)):
            raise PluginsInvalid(f"{self._who[name]}: register_settings must give a subclass of ChannelSettings")
        return given

    def _facts(self) -> dict[str, FactKind]:
        facts: dict[str, FactKind] = {}
        for name, offered in self._ask("register_facts"):
            for fact in offered:
                self._claim("fact", fact, self._who[name])
            facts |= offered
        return facts

    def _countables(self) -> dict[str, str]:
        countables: dict[str, str] = {}
        for name, offered in self._ask("register_countables"):
            if not isinstance(offered, Mapping) or not all(isinstance(said, str) for said in offered.values()):
                raise PluginsInvalid(f"{self._who[name]}: register_countables must give descriptions by name")
            for tally in offered:
                # A fact is a tally, too, and can be counted without being offered twice.
                self._claim("fact", tally, self._who[name])
            countables |= offered
        return countables

    def _tables(self) -> dict[str, Tables]:
        for table in _table_names("core.models"):
            self._claim("table", table, "the core")
        tables: dict[str, Tables] = {}
        for name, offered in self._ask("register_models"):
            if not isinstance(offered, Tables):
                raise PluginsInvalid(f"{self._who[name]}: register_models must give Tables")
            for module in offered.models:
                for table in _table_names(module):
                    self._claim("table", table, self._who[name])
            tables[name] = offered
        return tables

    def _personal_data(self) -> tuple[PersonalData, ...]:
        offered = self._ask_each("register_personal_data", PersonalData)
        for name, personal in offered:
            try:
                personal.check()
            except TypeError as error:
                raise PluginsInvalid(f"{self._who[name]}: {error}") from error
            self._claim("personal data of", personal.model._meta.db_table, self._who[name])
        return tuple(personal for _, personal in offered)

    def _refusals(self) -> tuple[type[Refusal], ...]:
        offered = self._ask_each("register_refusals", type)
        for name, refusal in offered:
            if not issubclass(refusal, Refusal) or "code" not in vars(refusal):
                raise PluginsInvalid(f"{self._who[name]}: {refusal.__name__} is no refusal with a code of its own")
            if refusal.__module__.startswith(f"{_CORE}."):
                self._claim("refusal code", refusal.code, "the core")
            self._claim("refusal code", refusal.code, self._who[name])
        return tuple(refusal for _, refusal in offered)

    def _types(self, hook: str) -> tuple[type, ...]:
        """Strawberry classes, no two of which have a field of one name."""
        root = _ROOTS[hook]
        offered = self._ask_each(hook, type)
        for name, kind in offered:
            definition = get_object_definition(kind)
            if definition is None:
                raise PluginsInvalid(f"{self._who[name]}: {kind.__name__} is no Strawberry type")
            for of in definition.fields:
                label = f"{root}.{of.graphql_name or to_camel_case(of.python_name)}"
                self._claim("field", label, self._who[name])
                self._offered_by[label] = name
        return tuple(kind for _, kind in offered)

    def _capabilities(self, mutations: Iterable[type]) -> dict[str, str]:
        """What partners can be let do, by ``plugin.capability``, each needed by a mutation of that plugin."""
        offered: dict[str, str] = {}
        for name, given in self._ask("register_capabilities"):
            if not isinstance(given, Mapping) or not all(isinstance(said, str) and said for said in given.values()):
                raise PluginsInvalid(f"{self._who[name]}: register_capabilities must give descriptions by name")
            if odd := [str(capability) for capability in given if not _NAME.fullmatch(str(capability))]:
                raise PluginsInvalid(f"{self._who[name]}: {odd[0]!r} is no name of a capability")
            offered |= {f"{name}.{capability}": said for capability, said in given.items()}
        needed = {f"{name}.{of}": name for name, of in self._needed(mutations)}
        for capability, name in needed.items():
            if capability not in offered:
                raise PluginsInvalid(f"{self._who[name]}: a mutation needs {capability!r}, which is not registered")
        for capability in offered:
            if capability not in needed:
                name = capability.partition(".")[0]
                raise PluginsInvalid(f"{self._who[name]}: {capability!r} is registered, and no mutation needs it")
        return offered

    def _needed(self, mutations: Iterable[type]) -> Iterable[tuple[str, str]]:
        """The capabilities that mutations name, each with its plugin."""
        for kind in mutations:
            definition = get_object_definition(kind, strict=True)
            for of in definition.fields:
                if capability := of.metadata.get("capability"):
                    label = f"Mutation.{of.graphql_name or to_camel_case(of.python_name)}"
                    yield self._offered_by[label], capability

    def _importers(self) -> dict[str, Importer]:
        importers: dict[str, Importer] = {}
        for name, importer in self._ask_each("register_importers", Importer):
            self._claim("importer", importer.name, self._who[name])
            if unknown := importer.required - importer.columns.keys():
                raise PluginsInvalid(
                    f"{self._who[name]}: importer {importer.name!r} requires unknown {sorted(unknown)}"
                )
            for message in importer.messages:
                self._claim("message", message, self._who[name])
            importers[importer.name] = importer
        return importers

    def _jobs(self) -> tuple[Job, ...]:
        offered = self._ask_each("register_jobs", Job)
        for name, job in offered:
            if job.name != name and not job.name.startswith(f"{name}_"):
                raise PluginsInvalid(
                    f"{self._who[name]}: job {job.name!r} must be named {name!r} or begin with {name}_"
                )
            self._claim("job", job.name, self._who[name])
        names = [job.name for _, job in offered]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise PluginsInvalid(f"job {twice[0]!r} is offered twice by {self._owners['job', twice[0]]}")
        return tuple(job for _, job in offered)

    def _judges(self) -> dict[str, type[Judge]]:
        judges = {}
        for name, given in self._ask("register_judge"):
            if not (isinstance(given, type) and issubclass(given, Judge)):
                raise PluginsInvalid(f"{self._who[name]}: register_judge must give a subclass of Judge")
            if given.channel != name:
                raise PluginsInvalid(f"{self._who[name]}: {given.__name__} judges for {given.channel!r}")
            judges[name] = given
        return judges

    def _coroutines(self, hook: str) -> dict[str, Callable[..., Any]]:
        found = {}
        for name, given in self._ask(hook):
            if not inspect.iscoroutinefunction(given):
                raise PluginsInvalid(f"{self._who[name]}: {hook} must give a coroutine function")
            found[name] = given
        return found

    def _explainers(self) -> dict[tuple[str, str], tuple[Explainer, ...]]:
        """Those of each kind of operation, its own channel's first."""
        offered = self._ask_each("register_explainers", Explainer)
        found: dict[tuple[str, str], list[tuple[bool, Explainer]]] = {}
        for name, explainer in offered:
            found.setdefault(explainer.operation, []).append((explainer.operation[0] != name, explainer))
        return {
            operation: tuple(explainer for _, explainer in sorted(each, key=lambda pair: pair[0]))
            for operation, each in found.items()
        }

    def _anew(self) -> tuple[Anew, ...]:
        offered = self._ask_each("register_anew", Anew)
        for name, anew in offered:
            if anew.channel != name:
                raise PluginsInvalid(f"{self._who[name]}: it offers operations of {anew.channel!r}")
            for kind in sorted(anew.kinds | anew.follow):
                self._claim("operation judged anew", f"{name}.{kind}", self._who[name])
        return tuple(anew for _, anew in offered)

    def _invariants(self) -> tuple[Invariant, ...]:
        offered = self._ask_each("register_invariants", Invariant)
        for invariant in INVARIANTS:
            self._claim("invariant", invariant.name, "the core")
        for name, invariant in offered:
            if invariant.sql is None:
                raise PluginsInvalid(f"{self._who[name]}: invariant {invariant.name!r} has no query")
            if invariant.name.partition(" ")[0] != name:
                raise PluginsInvalid(f"{self._who[name]}: invariant {invariant.name!r} must begin with {name!r}")
            self._claim("invariant", invariant.name, self._who[name])
        names = [invariant.name for _, invariant in offered]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise PluginsInvalid(f"invariant {twice[0]!r} is offered twice by {self._owners['invariant', twice[0]]}")
        return tuple(invariant for _, invariant in offered)

    def _outgoing(self, consumers: Mapping[str, Consumer]) -> dict[str, frozenset[str]]:
        named: dict[str, set[str]] = {}
        for name, event in self._ask_each("register_outgoing", str):
            named.setdefault(name, set()).add(event)
        for name in sorted(named.keys() ^ consumers.keys()):
            raise PluginsInvalid(f"{self._who[name]}: register_outgoing and after_event need one another")
        return {name: frozenset(events) for name, events in named.items()}

    def _destinations(self) -> dict[str, type[Destinations]]:
        destinations: dict[str, type[Destinations]] = {}
        for name, given in self._ask("register_destinations"):
            if not (isinstance(given, type) and issubclass(given, Destinations)):
                raise PluginsInvalid(f"{self._who[name]}: register_destinations must give a subclass of Destinations")
            destinations[name] = given
        return destinations

    def _carriers(self) -> dict[str, tuple[str, type[Carrier]]]:
        """The carriers by name, each with the plugin that offers it."""
        carriers: dict[str, tuple[str, type[Carrier]]] = {}
        for name, given in self._ask("register_carriers"):
            kinds = given.values() if isinstance(given, Mapping) else [given]
            if not all(isinstance(kind, type) and issubclass(kind, Carrier) for kind in kinds):
                raise PluginsInvalid(f"{self._who[name]}: register_carriers must give subclasses of Carrier by name")
            for carrier, kind in given.items():
                if not _NAME.fullmatch(str(carrier)):
                    raise PluginsInvalid(f"{self._who[name]}: {carrier!r} is no name of a carrier")
                self._claim("carrier", carrier, self._who[name])
                carriers[carrier] = (name, kind)
        return carriers

    def _event_types(self) -> dict[str, EventType]:
        for event in EVENT_TYPES:
            self._claim("event", event, "the core")
        types = dict(EVENT_TYPES)
        for name, offered in self._ask_each("register_event_types", EventType):
            self._claim("event", offered.name, self._who[name])
            types[offered.name] = offered
        return types


def _table_names(module: str) -> list[str]:
    found = vars(importlib.import_module(module)).values()
    return [
        kind._meta.db_table
        for kind in found
        if isinstance(kind, type) and issubclass(kind, Model) and kind.__module__ == module
    ]
