"""From nothing to a shop that runs, in one command; and what it says when it cannot be meant."""

import stat
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from graph.settings import Settings
from graph.starting.access import kept_secret
from graph.starting.programmes import said_of, shipped
from tests.graph.commands.conftest import EXAMPLES, PROGRAMMES, Type


def test_a_shop_is_opened_once_and_gone_on_with(type_: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAUREL_SECRET")
    database = f"sqlite://{tmp_path}/shop.sqlite3"
    words = ("init", "--programme", "coffee-shop", "--sandbox", "--members", "2", "--no-serve")

    first, second = type_(database, *words), type_(database, *words)
    other = type_(database, "init", "--programme", "gym", "--no-serve")
    moved = type_(database, "clock", "advance", "--by", "P1D")
    shown = type_(database, "clock", "show")

    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert "coffee-shop is published" in first.output
    assert "coffee-shop is there already" in second.output
    assert "SANDBOX" in second.output
    assert first.output.count("\neyJ") == 6
    assert "member (external id member-1)" in first.output
    assert "/demo, as member-1, member-2\n" in first.output
    assert stat.S_IMODE((tmp_path / "shop.sqlite3.secret").stat().st_mode) == 0o600
    assert other.exit_code == 2
    assert "the programme coffee-shop is in this database, and not gym" in other.output
    assert moved.exit_code == 0, moved.output
    assert "SANDBOX" in shown.output


def test_in_a_shop_that_is_no_sandbox_nobody_becomes_a_member_unasked(type_: Type, tmp_path: Path) -> None:
    done = type_(f"sqlite://{tmp_path}/shop.sqlite3", "init", "--programme", "gym", "--no-serve")

    assert done.exit_code == 0, done.output
    assert "/demo\n" in done.output


def test_a_shop_that_is_none_becomes_no_sandbox(type_: Type, opened: str) -> None:
    done = type_(opened, "migrate", "--sandbox")

    assert done.exit_code == 2
    assert "cannot become a sandbox any more" in done.output


def test_a_sandbox_is_not_live(type_: Type, migrated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_LIVE", "yes")

    done = type_(migrated, "init", "--programme", "gym", "--sandbox", "--no-serve")

    assert done.exit_code == 2
    assert "LAUREL_LIVE is yes" in done.output


def test_a_plain_shops_clock_is_not_moved(type_: Type, opened: str) -> None:
    done = type_(opened, "clock", "advance", "--by", "P1D")

    assert (done.exit_code, done.output) == (2, "laurel: this is no sandbox: its clock cannot be moved\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("init", "--programme", "cofee-shop"), "no programme 'cofee-shop', did you mean 'coffee-shop'?"),
        (("init",), "--programme NAME is needed"),
        (("clock", "advance"), "either --by or --until is needed"),
        (("clock", "advance", "--by", "a year"), "'a year' is not a duration"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_is_made(
    type_: Type, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = type_(f"sqlite://{tmp_path}/none.sqlite3", *words)

    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "none.sqlite3").exists()


def test_every_programme_of_the_examples_is_listed_and_goes_into_the_wheel(type_: Type) -> None:
    listed = type_("sqlite://none", "init", "--list").output

    assert {path.stem: path for path in PROGRAMMES.glob("*.yaml")} == shipped()
    for name, path in shipped().items():
        assert f"{name} " in listed
        assert said_of(path).endswith("."), name
    tools = tomllib.loads((EXAMPLES.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found, data = tools["packages"]["find"], tools["package-data"]
    assert "examples" in found["where"]
    assert "programmes" in found["include"]
    assert "*.yaml" in data["*"]


def test_a_file_that_holds_no_secret_is_not_taken_for_one(
    type_: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAUREL_SECRET")
    (tmp_path / "shop.sqlite3.secret").write_text("short\n")

    done = type_(f"sqlite://{tmp_path}/shop.sqlite3", "init", "--programme", "gym", "--no-serve")

    assert done.exit_code == 2
    assert "holds no secret of 32 bytes" in done.output


def test_those_who_begin_at_once_have_one_secret(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite://{tmp_path}/shop.sqlite3")

    with ThreadPoolExecutor(8) as several:
        found = set(several.map(kept_secret, [settings] * 8))

    assert len(found) == 1
