"""A shop on SQLite and the command line, typed as an operator types it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.store.databases import Tables
from graph.cli import laurel
from plugins.manager import load_plugins
from tests.databases import SqliteFolder

EXAMPLES = Path(__file__).parents[3] / "examples"
PROGRAMMES = EXAMPLES / "programmes"
PROGRAMME = """\
id: shop
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 12}
channels:
  purchase:
    earn:
      points: {groups: [{id: base, add: sum, rules: [{id: yuan, points: order.amount}]}]}
tiers:
  ladder:
    - {id: regular}
    - {id: silver, all: [{fact: points_earned, at_least: 500}]}
"""
SECRET = "a secret of the tests, and of nothing else"

Type = Callable[..., Result]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SqliteFolder:
    return SqliteFolder(tmp_path_factory.mktemp("commands"))


@pytest.fixture
def empty(folder: SqliteFolder) -> str:
    """The address of a database without tables."""
    return folder.empty()


@pytest.fixture
def migrated(folder: SqliteFolder) -> str:
    """The address of a database with tables and without a programme."""
    return folder.migrated({"core": Tables(("core.models",), "core.migrations"), **load_plugins().tables})


@pytest.fixture
def type_(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Type:
    """Types a command, in a folder of its own; the database is the first word."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAUREL_SECRET", SECRET)
    monkeypatch.delenv("LAUREL_DATABASE_URL", raising=False)

    def type_(database: str, *words: str | Path) -> Result:
        return CliRunner().invoke(laurel, ["--database", database, *map(str, words)])

    return type_


@pytest.fixture
def opened(migrated: str, type_: Type, tmp_path: Path) -> str:
    """The address of a database with a programme, in force since 2025."""
    file = tmp_path / "programme.yaml"
    file.write_text(PROGRAMME)
    done = type_(migrated, "programme", "publish", file, "--reason", "we open", "--starts-at", "2025-01-01")
    assert done.exit_code == 0, done.output
    return migrated
