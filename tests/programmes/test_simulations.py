"""A year of a real shop under other rules: what is simulated is what comes when they are published.

Every twentieth customer; ``python -m examples.data.simulating`` does the same with all.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from examples.data import prepare
from examples.data.simulating import BEGIN, CHANGES, SINCE, document, events, published, shop, simulated, text
from graph.laurel import tables
from plugins.manager import load_plugins
from tests.databases import SqliteFolder, run_now

pytestmark = pytest.mark.timeout(900)  # it waits for a process that lets all others go first


class Shop(NamedTuple):
    """The shop under its own rules, and what happened in it."""

    folder: SqliteFolder
    url: str
    file: Path


@pytest.fixture(scope="module")
def the_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = SqliteFolder(tmp_path_factory.mktemp("shops"))
    url = folder.migrated(tables(load_plugins()))
    file = folder.folder / "events.jsonl"
    prepare.write(events(part=True), file)
    run_now(shop(url, file, [(text(document()), BEGIN)]))
    return Shop(folder, url, file)


@pytest.mark.parametrize("title", CHANGES)
async def test_what_is_simulated_is_what_comes_when_it_is_published(the_shop: Shop, title: str, tmp_path: Path) -> None:
    changed = text(CHANGES[title]())
    copy = the_shop.folder.migrated(tables(load_plugins()))

    what_if, finished = await simulated(the_shop.url, changed, tmp_path)
    await shop(copy, the_shop.file, [(text(document()), BEGIN), (changed, SINCE)])
    real = await published(copy)

    assert real.members == what_if.members
    assert {name: what_if.figures[name] for name in real.figures} == real.figures
    # The rules that were in force, replayed, make the books anew.
    fidelity = finished.result["fidelity"]
    assert fidelity["tiers"] == 0
    assert {unit: found["apart"] for unit, found in fidelity["units"].items()} == {"points": 0, "growth": 0}
    _is_told(finished.result, title)


def _is_told(result: Mapping[str, Any], title: str) -> None:
    """Each change shows where it should, and the members whom it hurts are named."""
    today, draft = result["today"], result["draft"]
    members = result["members"]
    assert members["worse"] > 0
    assert members["better"] == 0
    assert 0 < len(members["hurt"]) <= 10
    moved = {(each["today"], each["draft"]) for each in result["migration"] if each["today"] != each["draft"]}
    match title:
        case "dearer gold":
            assert moved == {("gold", "silver")}
            assert draft["tiers"]["gold"] < today["tiers"]["gold"]
            assert draft["units"] == today["units"]
        case "half of postage":
            assert moved == set()
            assert draft["units"]["points"]["issued"] < today["units"]["points"]["issued"]
            assert draft["units"]["growth"] == today["units"]["growth"]
            halved = [rule for rule in draft["rules"] if rule["rule"] == "postage_half"]
            assert [rule["times"] > 0 and rule["gave"].startswith("-") for rule in halved] == [True]
        case "nine months":
            assert draft["units"]["points"]["expired"] > today["units"]["points"]["expired"]
            assert draft["units"]["points"]["issued"] == today["units"]["points"]["issued"]
