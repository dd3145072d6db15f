"""The guide: a section for every hook, whose examples together are a plugin that loads and works."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import plugins
from core.books.members import ByExternalId
from graph.schema import build_schema
from plugins import hookspecs
from plugins.manager import Offer, Plugins, load_plugins
from tests.plugins.shopping import Shop

GUIDE = (Path(plugins.__file__).parent / "README.md").read_text()
HOOKS = [name for name, found in vars(hookspecs).items() if hasattr(found, "laurel_spec")]
IMPORTS = """
import logging
import re
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from datetime import date, time
from typing import cast

import httpx
import strawberry
from pydantic import Field
from tortoise import fields
from tortoise.models import Model

from core.channels.annual import Highlight, Recaller
from core.time.calendar import day_start, local_day
from core.telling.carriers import AddressInvalid, Carrier, Letter
from core.telling.destinations import Destinations, NotHeard
from core.errors import Refusal, fact
from core.telling.event_types import EventData, EventType
from core.telling.events import MEMBER_ENROLLED, TIER_CHANGED, Delivery, Event, hears
from core.rulebook.explaining import Explainer, Seen
from core.scheduling.jobs import Daily, Job, Run
from core.simulating.anew import Anew, Past
from core.ladder.judging import Judge
from core.books.members import ByExternalId, ById
from core.engine.operations import Operation
from core.store.dialect import Reader
from core.telling.outbox import Submit
from core.people.erasing import PersonalData
from core.rulebook.programme import ChannelSettings, Programme
from core.rulebook.rules import Activity, RuleSet
from core.store.databases import Tables
from core.store.fields import DayField
from core.channels.suggestions import Suggester, Suggestion, SuggestionKind
from core.ladder.tiers import FactKind
from core.units import POINTS
from core.oversight.verify import Invariant
from graph.vocabulary import Info, Member, MemberByInput, Payload, Role, actor, mutation, perform, query, subscription
from plugins.hookspecs import Importer, Importing, Row
"""


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The plugin that the guide writes."""
    site = tmp_path_factory.mktemp("site")
    first, *rest = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    (site / "acme_visit").mkdir()
    (site / "acme_visit" / "__init__.py").write_text("\n\n".join([first, IMPORTS, *rest]))
    (site / "acme_visit" / "models.py").write_text("")
    sys.path.insert(0, str(site))
    yield importlib.import_module("acme_visit")
    sys.path.remove(str(site))
    for name in [name for name in sys.modules if name.startswith("acme_visit")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def loaded(visit: ModuleType) -> Plugins:
    return load_plugins(offers=[Offer("visit", "the guide", lambda: visit)])


def test_the_guide_has_a_section_for_every_hook_in_their_order() -> None:
    sections = re.findall(r"^## ((?:register_|after_|react).*)$", GUIDE, re.MULTILINE)

    assert sections == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_every_section_has_an_example_of_its_hook(visit: ModuleType, hook: str) -> None:
    assert hasattr(getattr(visit, hook), "laurel_impl")


def test_the_plugin_of_the_guide_loads_with_all_that_it_offers(visit: ModuleType, loaded: Plugins) -> None:
    assert loaded.settings == {"visit": visit.VisitSettings}
    assert "visits" in loaded.facts
    assert [(of.model, of.cleared) for of in loaded.personal_data] == [(visit.Visit, {"said": ""})]
    assert loaded.refusals == (visit.ShopClosed,)
    assert list(loaded.importers) == ["visits"]
    assert [job.name for job in loaded.jobs] == ["visit_thanks"]
    assert [each.seen for each in loaded.explainers["visit", "record"]] == [visit.seen_of_visit]
    assert [invariant.name for invariant in loaded.invariants] == ["visit of an operation"]
    assert loaded.reactions == (visit.react,)
    assert loaded.consumers == {"visit": visit.after_event}
    assert loaded.carriers == {"sms": visit.Sms}
    assert visit.Sms.check_address("+8613812345678") == "+8613812345678"
    assert loaded.destinations == {"visit": visit.Screens}
    assert loaded.event_types["visit.recorded"].data is visit.VisitRecorded


def test_the_schema_has_the_fields_of_the_guide(loaded: Plugins) -> None:
    printed = build_schema(loaded).as_str()

    assert "recordVisit(" in printed
    assert "visitsToday: Int" in printed
    assert "visitsMade: Int" in printed
    assert "visits: Int!" in printed
    assert "type ShopClosed implements UserError" in printed


async def test_a_visit_earns_once_a_day(shop: Shop, visit: ModuleType) -> None:
    await shop.buy("A1", "10.00")
    operation = visit.RecordVisit(member=ByExternalId("ann"), idempotency_key="visit:2026-07-02", actor="a test")

    first, again = await shop.submit(operation), await shop.submit(operation)

    assert first.accepted
    assert again.replayed
    assert await shop.available() == 15
    assert await shop.tally("visits") == 1
