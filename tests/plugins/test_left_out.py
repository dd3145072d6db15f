"""Every built-in plugin can be left out, by a setting or with its folder, and the rest works."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

import plugins
from core.errors import ProgrammeInvalid
from graph.laurel import load_document, tables
from graph.schema import build_schema
from graph.testing import Shop, open_shop
from plugins.manager import load_plugins
from tests.databases import SqliteFolder
from tests.plugins.channel import standing

ROOT: Final = Path(__file__).parents[2]
BUILT_IN: Final = sorted(init.parent.name for init in Path(plugins.__file__).parent.glob("*/__init__.py"))


def earning(points: str) -> dict[str, Any]:
    return {"points": {"groups": [{"id": "base", "add": "sum", "rules": [{"id": "base", "points": points}]}]}}


SECTIONS: Final[dict[str, dict[str, Any]]] = {
    "purchase": {"earn": earning("order.amount")},
    "sign_in": {"earn": earning("5")},
    "profile": {"join": 50, "sections": {"phone": 20}},
    "share": {"points": 10},
    "review": {"earn": earning("20")},
    "checkout": {"points_per_unit": {"default": 100}},
    "donation": {"projects": [{"id": "trees", "title": "Trees", "goal": 1000}]},
    "lottery": {
        "pools": [
            {
                "id": "cup",
                "name": "The cup",
                "price": 10,
                "prizes": [{"id": "tea", "name": "A tea", "kind": "goods", "weight": 1}],
            }
        ]
    },
}
"""What the shop offers, of each channel that is there."""

ACTS: Final[dict[str, tuple[str, dict[str, Any], int]]] = {
    "purchase": ("recordPurchase", {"reference": "A1", "amount": {"amount": "100.00", "currency": "CNY"}}, 100),
    "sign_in": ("recordSignIn", {}, 5),
    "profile": ("completeProfileSection", {"section": "phone"}, 20),
    "share": ("recordShare", {"item": "tea"}, 10),
    "donation": ("donatePoints", {"project": "trees", "points": 1}, -1),
}
"""What a member can do with one mutation, and what it brings."""


def programme(*channels: str) -> str:
    """A shop with those of the channels that it knows a section for."""
    offered = {name: SECTIONS[name] for name in channels if name in SECTIONS}
    return yaml.safe_dump({"id": "shop", "currency": "CNY", "timezone": "Asia/Shanghai", "channels": offered})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("left out"))


async def act(shop: Shop, member: str, mutation: str, said: dict[str, Any]) -> None:
    """Do something that must not be refused."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
    answer = await shop.ask(query, {"input": {"member": {"id": member}, "idempotencyKey": mutation, **said}})
    assert answer[mutation]["errors"] == []


@pytest.mark.parametrize("left_out", BUILT_IN)
async def test_whichever_plugin_is_left_out_the_rest_works(folder: SqliteFolder, left_out: str) -> None:
    rest = load_plugins({left_out})
    gone = {field for field, owner in load_plugins().offered_by.items() if owner == left_out}
    url = folder.migrated(tables(rest))
    async with open_shop(url, programme(*rest.names), plugins=rest) as shop:
        ann = await shop.enrol("ann")
        expected, _ = await standing(shop, ann)
        assert expected == (50 if "profile" in rest.names else 0)
        expected += 10
        await shop.give(ann, 10, "a gift")
        for name, (mutation, said, points) in ACTS.items():
            if name in rest.names:
                await act(shop, ann, mutation, said)
                expected += points

        assert (await standing(shop, ann))[0] == expected
        assert not gone & rest.offered_by.keys()
    folder.done(url)


@pytest.mark.parametrize("left_out", SECTIONS)
def test_a_programme_that_names_a_channel_that_is_not_there_is_refused(left_out: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refused:
        load_document(load_plugins({left_out}), programme(*BUILT_IN))

    assert f"channel '{left_out}' is not installed" in str(refused.value)


def test_without_any_plugin_there_is_a_schema_of_members_and_points() -> None:
    printed = build_schema(load_plugins(BUILT_IN)).as_str()

    assert "enrolMember" in printed
    assert "recordPurchase" not in printed


# -- without the folder -------------------------------------------------------------------------------


def laurel(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the code that is in the folder, and with a database there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAUREL_", "PYTHON"))}
    environment = {**kept, "LAUREL_DATABASE_URL": f"sqlite://{tree / 'shop.sqlite3'}", "PYTHONPATH": str(tree)}
    asked = [sys.executable, "-m", "graph", *command]
    return subprocess.run(asked, cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("deleted", ["lottery", "purchase"])
def test_what_is_left_when_a_folder_is_deleted_starts(tmp_path: Path, deleted: str) -> None:
    for package in ("core", "graph", "plugins"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(tmp_path / "plugins" / deleted)
    rest = [name for name in BUILT_IN if name != deleted]
    (tmp_path / "rest.yaml").write_text(programme(*rest))
    (tmp_path / "all.yaml").write_text(programme(*BUILT_IN))
    gone = {field.partition(".")[2] for field, owner in load_plugins().offered_by.items() if owner == deleted}

    printed, migrated = laurel(tmp_path, "schema"), laurel(tmp_path, "migrate")
    published = laurel(tmp_path, "programme", "publish", "rest.yaml", "--reason", "to begin")
    refused = laurel(tmp_path, "programme", "check", "all.yaml")

    assert printed.returncode == 0, printed.stderr
    assert not [field for field in gone if f"\n  {field}(" in printed.stdout]
    assert migrated.returncode == 0, migrated.stderr
    applied = {line.removeprefix("applied ").partition(".")[0] for line in migrated.stdout.splitlines()}
    assert applied == tables(load_plugins({deleted})).keys()
    assert published.returncode == 0, published.stderr
    assert refused.returncode != 0
    assert f"channel '{deleted}' is not installed" in refused.stdout + refused.stderr
