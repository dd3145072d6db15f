"""Plugins are found, checked and put together; what is wrong is said at start-up, with all sides of it."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import strawberry

import plugins
from core.engine.work import Work
from core.errors import InvalidAmount, Refusal
from core.ladder.tiers import FactKind
from core.models import JobRow, LotRow
from core.oversight.verify import Invariant
from core.people.erasing import PersonalData
from core.rulebook.programme import ChannelSettings
from core.scheduling.jobs import Every, Job, Run
from core.store.databases import Tables
from core.telling.events import Delivery, Event
from core.telling.outbox import Submit
from graph.vocabulary import Info, Role, mutation
from plugins import hookimpl
from plugins.hookspecs import Importer
from plugins.manager import Offer, PluginsInvalid, load_plugins


def offer(name: str, origin: str = "a package", *, contract: object = 1, **hooks: Callable[..., Any]) -> Offer:
    """A plugin with these hooks."""
    module = ModuleType(name)
    if contract is not None:
        module.CONTRACT = contract  # type: ignore[attr-defined]  # as a module's author would
    for hook, function in hooks.items():
        setattr(module, hook, hookimpl(function))
    return Offer(name, origin, lambda: module)


def giving(value: Any) -> Callable[[], Any]:
    """A hook that takes nothing and gives this."""

    def give() -> Any:
        return value

    return give


def refused(*offers: Offer, disabled: Sequence[str] = ()) -> str:
    """Why these cannot run together."""
    with pytest.raises(PluginsInvalid) as caught:
        load_plugins(frozenset(disabled), offers)
    return str(caught.value)


# -- finding ------------------------------------------------------------------------------------------


BUILT_IN: list[str] = sorted(init.parent.name for init in Path(plugins.__file__).parent.glob("*/__init__.py"))
OTHERS = frozenset(BUILT_IN) - {"purchase"}


def test_the_built_in_plugins_are_the_folders() -> None:
    assert load_plugins().names == tuple(BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_plugin_can_be_alone_and_can_be_left_out(name: str) -> None:
    others = frozenset(BUILT_IN) - {name}

    assert load_plugins(others).names == (name,)
    assert set(load_plugins(frozenset({name})).names) == others


def test_no_plugin_at_all_is_a_laurel_without_channels() -> None:
    loaded = load_plugins(frozenset(BUILT_IN))

    assert loaded.names == ()
    assert loaded.settings == {}
    assert "orders" in loaded.facts


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second place for built-in plugins."""
    monkeypatch.setattr(plugins, "__path__", [*plugins.__path__, str(tmp_path)])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("plugins.visit")]:
        del sys.modules[name]


def test_a_folder_is_a_plugin_and_a_module_is_not(folder: Path) -> None:
    (folder / "visit").mkdir()
    (folder / "visit" / "__init__.py").write_text("CONTRACT = 1\n")
    (folder / "visits.py").write_text("raise RuntimeError\n")

    assert load_plugins(OTHERS).names == ("purchase", "visit")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place where packages are installed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[name]


def install(site: Path, name: str, module: str, text: str) -> None:
    """A package with an entry point, as an installer leaves it."""
    (site / f"{module}.py").write_text(text)
    info = site / f"{module}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[laurel.plugins]\n{name} = {module}\n")


def test_an_installed_package_is_a_plugin_like_those_built_in(site: Path) -> None:
    install(site, "visit", "acme_visit", "CONTRACT = 1\n")

    assert load_plugins(OTHERS).names == ("purchase", "visit")


def test_an_installed_plugin_with_the_name_of_another_names_both(site: Path) -> None:
    install(site, "purchase", "acme_purchase", "CONTRACT = 1\n")

    with pytest.raises(PluginsInvalid) as caught:
        load_plugins(OTHERS)

    assert str(caught.value) == "plugin 'purchase' is offered twice: built in and acme_purchase 1.2"


def test_a_plugin_that_cannot_be_imported_is_named_with_its_package(site: Path) -> None:
    install(site, "visit", "acme_visit", "import acme_missing\n")

    with pytest.raises(PluginsInvalid) as caught:
        load_plugins(OTHERS)

    assert str(caught.value) == (
        "plugin 'visit' (acme_visit 1.2) cannot be imported: ModuleNotFoundError: No module named 'acme_missing'"
    )


def test_a_disabled_plugin_is_not_even_imported() -> None:
    def fail() -> None:
        raise AssertionError("imported")

    assert load_plugins(frozenset({"visit"}), [Offer("visit", "a package", fail)]).names == ()


# -- checking -----------------------------------------------------------------------------------------


def test_a_misspelt_name_in_the_disabled_setting_is_an_error() -> None:
    assert refused(offer("purchase"), disabled=["purchas"]) == (
        "cannot disable 'purchas': no such plugin, did you mean 'purchase'?"
    )


@pytest.mark.parametrize("name", ["core", "Visit", "visit-1", "9", ""])
def test_a_name_that_no_folder_could_have_is_refused(name: str) -> None:
    assert "not a name a plugin can have" in refused(offer(name))


@pytest.mark.parametrize(
    ("contract", "said"), [(None, "states no contract"), (2, "was written for contract 2"), ("1", "contract 1")]
)
def test_a_plugin_of_another_contract_is_refused(contract: object, said: str) -> None:
    message = refused(offer("visit", contract=contract))

    assert said in message
    assert "this Laurel needs CONTRACT = 1" in message


def test_a_misspelt_hook_is_an_error() -> None:
    assert refused(offer("visit", register_setings=giving(ChannelSettings))) == (
        "plugin 'visit' (a package): unknown hook 'register_setings', did you mean 'register_settings'?"
    )


def test_a_hook_that_is_not_marked_is_an_error() -> None:
    module = ModuleType("visit")
    module.CONTRACT = 1  # type: ignore[attr-defined]
    module.register_settings = giving(ChannelSettings)  # type: ignore[attr-defined]

    assert "'register_settings' is the name of a hook but not marked" in refused(
        Offer("visit", "a package", lambda: module)
    )


async def react_to_less(event: Event) -> None:
    """Has forgotten the work."""


async def react_to_more(event: Event, work: Work, clock: object) -> None:
    """Wants what nobody offers."""


def react_at_once(event: Event, work: Work) -> None:
    """Is no coroutine."""


@pytest.mark.parametrize(
    ("react", "said"),
    [
        (react_to_less, "wrong arguments: react takes (event, work)"),
        (react_to_more, "wrong arguments"),
        (react_at_once, "react is a coroutine"),
    ],
)
def test_a_hook_of_the_wrong_shape_is_an_error(react: Callable[..., Any], said: str) -> None:
    assert said in refused(offer("visit", react=react))


class Field(ChannelSettings):
    """Settings."""


@strawberry.type
class VisitFields:
    """A field that two plugins offer."""

    last_visit: str


@strawberry.type
class Stocking:
    """A mutation that needs a capability."""

    @mutation(allow={Role.PARTNER}, capability="stock")
    async def stock(self, info: Info) -> int:
        """Stock something."""
        return 0


@strawberry.type
class OtherFields:
    """The same field by another name in Python."""

    seen: str = strawberry.field(name="lastVisit")


def importer(name: str, required: str = "at") -> Importer:
    def operation(row: Any, importing: Any) -> Any:
        raise InvalidAmount(value="0", reason="a test")

    return Importer(name=name, columns={"at": "when"}, required=frozenset({required}), operation=operation)


async def nothing(run: Run) -> int:
    """Finds nothing due."""
    return 0


def job(name: str) -> Job:
    return Job(name=name, says="Looks for visits.", when=Every(timedelta(hours=1)), run=nothing)


FACT = {"visits": FactKind("visits")}
HOLDS = Invariant("visit days", "a visit is of one day", "SELECT member_id FROM visit WHERE day = ''")
ORDERS = Tables(("plugins.purchase.models",), "plugins.purchase.migrations")


@pytest.mark.parametrize(
    ("hook", "first", "second", "what"),
    [
        ("register_facts", FACT, FACT, "fact 'visits'"),
        ("register_countables", {"visits": "visits"}, {"visits": "visits"}, "fact 'visits'"),
        ("register_models", ORDERS, ORDERS, "table 'purchase_order'"),
        ("register_queries", [VisitFields], [OtherFields], "field 'Query.lastVisit'"),
        ("register_mutations", [VisitFields], [OtherFields], "field 'Mutation.lastVisit'"),
        ("register_subscriptions", [VisitFields], [OtherFields], "field 'Subscription.lastVisit'"),
        ("register_member_fields", [VisitFields], [OtherFields], "field 'Member.lastVisit'"),
        ("register_importers", [importer("visits")], [importer("visits")], "importer 'visits'"),
    ],
)
def test_two_plugins_that_offer_one_thing_are_both_named(hook: str, first: Any, second: Any, what: str) -> None:
    message = refused(offer("sign_in", "one", **{hook: giving(first)}), offer("visit", "two", **{hook: giving(second)}))

    assert message == f"{what} is offered by both plugin 'sign_in' (one) and plugin 'visit' (two)"


def test_a_refusal_of_two_plugins_names_both() -> None:
    class Closed(Refusal):
        """It is closed."""

        code = "CLOSED_FOR_THIS_TEST"

    message = refused(
        offer("sign_in", register_refusals=giving([Closed])), offer("visit", register_refusals=giving([Closed]))
    )

    assert message.startswith("refusal code 'CLOSED_FOR_THIS_TEST' is offered by both")


@pytest.mark.parametrize(
    ("hooks", "said"),
    [
        ({"register_facts": giving({"orders": FactKind("ours")})}, "fact 'orders' is offered by both the core and"),
        ({"register_countables": giving({"orders": "ours"})}, "fact 'orders' is offered by both the core and"),
        ({"register_countables": giving(["visits"])}, "must give descriptions by name"),
        ({"register_capabilities": giving(["stock"])}, "must give descriptions by name"),
        ({"register_capabilities": giving({"st.ock": "x"})}, "'st.ock' is no name of a capability"),
        ({"register_capabilities": giving({"stock": "x"})}, "'visit.stock' is registered, and no mutation needs it"),
        ({"register_mutations": giving([Stocking])}, "a mutation needs 'visit.stock', which is not registered"),
        ({"register_models": giving(Tables(("core.models",), "x"))}, "is offered by both the core and"),
        ({"register_refusals": giving([InvalidAmount])}, "'INVALID_AMOUNT' is offered by both the core and"),
        ({"register_refusals": giving([int])}, "int is no refusal with a code"),
        ({"register_settings": giving(int)}, "must give a subclass of ChannelSettings"),
        ({"register_models": giving([])}, "must give Tables"),
        ({"register_queries": giving(VisitFields)}, "must give a list of type"),
        ({"register_queries": giving([int])}, "int is no Strawberry type"),
        ({"register_importers": giving([importer("visits", "when")])}, "requires unknown ['when']"),
        ({"register_jobs": giving(job("visit"))}, "must give a list of Job"),
        ({"register_jobs": giving([job("holds")])}, "job 'holds' must be named 'visit' or begin with visit_"),
        ({"register_jobs": giving([job("visit"), job("visit")])}, "job 'visit' is offered twice"),
        ({"register_personal_data": giving([PersonalData(model=JobRow, cleared={})])}, "JobRow is no table of members"),
        ({"register_personal_data": giving([PersonalData(model=LotRow, cleared={"unit": ""})])}, "no column 'unit'"),
        ({"register_invariants": giving([Invariant("visit", "holds", None)])}, "invariant 'visit' has no query"),
        ({"register_invariants": giving([Invariant("visits", "hold", "SELECT 1")])}, "must begin with 'visit'"),
        ({"register_invariants": giving([HOLDS, HOLDS])}, "invariant 'visit days' is offered twice"),
        ({"register_outgoing": giving(["member.enrolled"])}, "register_outgoing and after_event need one another"),
    ],
)
def test_an_offer_that_cannot_be_used_is_an_error(hooks: dict[str, Any], said: str) -> None:
    message = refused(offer("visit", **hooks))

    assert said in message
    assert "plugin 'visit' (a package)" in message


# -- putting together ---------------------------------------------------------------------------------


async def react(event: Event, work: Work) -> None:
    """Sees an event."""


async def after_event(event: Delivery, submit: Submit) -> None:
    """Hears of an event."""


def test_what_plugins_offer_is_put_together_in_the_order_of_their_names() -> None:
    loaded = load_plugins(
        offers=[
            offer(
                "visit",
                register_settings=giving(Field),
                register_facts=giving(FACT),
                register_countables=giving({"steps": "steps walked"}),
                register_member_fields=giving([VisitFields]),
                register_importers=giving([importer("visits")]),
                register_jobs=giving([job("visit_thanks")]),
                register_invariants=giving([HOLDS]),
                register_outgoing=giving(["member.enrolled"]),
                react=react,
                after_event=after_event,
            ),
            offer("badge", react=react),
        ]
    )

    assert loaded.names == ("badge", "visit")
    assert loaded.settings == {"visit": Field}
    assert loaded.facts["visits"] == FACT["visits"]
    assert loaded.countables["visits"] == "visits"
    assert loaded.countables["steps"] == "steps walked"
    assert {"orders", "average_order", "spend"} & loaded.countables.keys() == {"orders"}
    assert loaded.member_fields == (VisitFields,)
    assert list(loaded.importers) == ["visits"]
    assert loaded.jobs == (job("visit_thanks"),)
    assert loaded.invariants == (HOLDS,)
    assert loaded.reactions == (react, react)
    assert loaded.outgoing == {"visit": {"member.enrolled"}}
    assert loaded.consumers == {"visit": after_event}


def test_each_loading_is_fresh() -> None:
    offers = [offer("visit", register_settings=giving(Field))]

    assert load_plugins(offers=offers) == load_plugins(offers=offers)
    assert load_plugins(offers=[]).names == ()
