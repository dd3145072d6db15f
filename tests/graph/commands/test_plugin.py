import importlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from graph.commands.plugin import written
from graph.conformance import Result, Verdict, examine
from graph.tokens import Role, read_token
from plugins.manager import Offer, find_offers
from tests.graph.commands.conftest import SECRET, Type

Change = tuple[str, str, str]
Write = Callable[..., Offer]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a new channel with changes to its files, and offers it."""

    def write(name: str, *changes: Change) -> Offer:
        texts = {path.as_posix(): text for path, text in written(name)}
        for file, before, after in changes:
            assert before in texts[file]
            texts[file] = texts[file].replace(before, after)
        for path, text in texts.items():
            target = tmp_path / "site" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        monkeypatch.syspath_prepend(tmp_path / "site")
        return Offer(name, "the test", lambda: importlib.import_module(name))

    return write


def failed(results: list[Result]) -> dict[str, str]:
    return {result.check: result.detail for result in results if result.verdict is Verdict.FAILS}


# -- new --------------------------------------------------------------------------------------------


def test_a_new_plugin_is_written_where_it_is_wanted(type_: Type, tmp_path: Path) -> None:
    here = type_("sqlite://x.sqlite3", "plugin", "new", "store_visit")
    there = type_("sqlite://x.sqlite3", "plugin", "new", "coffee", "--into", tmp_path / "a" / "b")

    assert (here.exit_code, there.exit_code) == (0, 0)
    assert 'store_visit = "store_visit"' in (tmp_path / "store_visit" / "pyproject.toml").read_text()
    assert (tmp_path / "a" / "b" / "coffee" / "migrations" / "0001_initial.py").is_file()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Visit", "no name for a plugin"),
        ("a__b", "no name for a plugin"),
        ("visit_2", "no name for a plugin"),
        ("class", "no name for a plugin"),
        ("../up", "no name for a plugin"),
        ("x" * 31, "no name for a plugin"),
        ("purchase", "is there already"),
        ("json", "a module 'json' already"),
        ("core", "a module 'core' already"),
    ],
)
def test_a_name_that_a_plugin_cannot_have_is_refused(type_: Type, tmp_path: Path, name: str, reason: str) -> None:
    done = type_("sqlite://x.sqlite3", "plugin", "new", name)

    assert done.exit_code == 2
    assert reason in done.output
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_is_there_is_written_over(type_: Type, tmp_path: Path) -> None:
    (tmp_path / "coffee").mkdir()
    (tmp_path / "coffee" / "mine").write_text("mine")

    done = type_("sqlite://x.sqlite3", "plugin", "new", "coffee")

    assert done.exit_code == 2
    assert "not an empty folder" in done.output
    assert [path.name for path in (tmp_path / "coffee").iterdir()] == ["mine"]


# -- check ------------------------------------------------------------------------------------------


def test_check_reports_every_promise_of_a_channel(type_: Type) -> None:
    done = type_("sqlite://x.sqlite3", "plugin", "check", "sign_in")

    assert done.exit_code == 0, done.output
    assert re.search(r"(1\d) of \1 checks hold, and none fails", done.output)


def test_check_knows_installed_plugins_only(type_: Type) -> None:
    done = type_("sqlite://x.sqlite3", "plugin", "check", "sign_inn")

    assert done.exit_code == 2
    assert "no plugin 'sign_inn' is installed" in done.output


async def test_a_channel_without_a_call_is_not_tried(tmp_path: Path) -> None:
    (campaign,) = [offer for offer in find_offers() if offer.name == "campaign"]

    results = await examine(campaign, [], tmp_path)

    assert failed(results) == {}
    assert {r.detail for r in results if r.verdict is Verdict.NOT_TRIED} >= {"its README shows no mutation to call"}


async def test_a_channel_that_does_not_load_fails_once(write: Write, tmp_path: Path) -> None:
    broken = write("kit_broken", ("kit_broken/__init__.py", "CONTRACT = 1", "CONTRACT = 2"))

    results = await examine(broken, [], tmp_path)

    assert failed(results) == {
        "loads alone": "plugin 'kit_broken' (the test) was written for contract 2; this Laurel needs CONTRACT = 1"
    }
    assert {result.verdict for result in results[1:]} == {Verdict.NOT_TRIED}


async def test_each_broken_promise_is_found(write: Write, tmp_path: Path) -> None:
    offer = write(
        "kit_careless",
        # The server's day, points beside the rules and for a reversal, any setting.
        ("kit_careless/operations.py", "today = work.today", "today = work.now.date()"),
        (
            "kit_careless/operations.py",
            "awarded = await earn_by_rules(work, CHANNEL, settings.earn, facts)",
            "awarded = await earn_by_rules(work, CHANNEL, settings.earn, facts)\n        await work.earn(7)",
        ),
        (
            "kit_careless/operations.py",
            "    row.taken_back = True",
            "    row.taken_back = True\n    await work.earn(1)",
        ),
        ("kit_careless/rules.py", "    earn: dict", '    model_config = {"extra": "ignore"}\n\n    earn: dict'),
    )

    found = failed(await examine(offer, [], tmp_path))

    assert found == {
        "settings are validated": "a key that it does not know is accepted in its section",
        "a reversal is symmetric": "balances are 100001 points afterwards, and were 100000 points",
        "bounded by its caps": "29 points came through a cap of 1 for life",
        "days are the programme's": found["days are the programme's"],
    }


async def test_what_is_slow_told_otherwise_or_given_to_the_frozen_is_found(write: Write, tmp_path: Path) -> None:
    offer = write(
        "kit_deaf",
        (
            "kit_deaf/operations.py",
            "        work.check_may_earn()\n",
            (
                "        sum(range(200_000))\n"
                "        await work.earn(1, contra='adjustment')\n"
                "        if not work.may_earn:\n"
                "            return {}\n"
            ),
        ),
        (
            "kit_deaf/__init__.py",
            "@hookimpl\nasync def react",
            (
                "from core.telling.event_types import EventData, EventType\n\n\n"
                'class Recorded(EventData):\n    """Done."""\n\n    day: int\n\n\n'
                "@hookimpl\n"
                "def register_event_types() -> Sequence[EventType]:\n"
                "    return [EventType('kit_deaf.recorded', 1, Recorded)]\n\n\n"
                "@hookimpl\nasync def react"
            ),
        ),
    )

    found = failed(await examine(offer, [], tmp_path))

    assert set(found) == {"events have their shapes", "stops for who is frozen", "fast under the lock"}
    assert found["stops for who is frozen"] == "it moves points of members who are frozen for earning"
    assert found["events have their shapes"].startswith("kit_deaf.recorded is not told in its shape: ")


async def test_a_call_that_is_refused_is_found(write: Write, tmp_path: Path) -> None:
    offer = write("kit_shut", ("kit_shut/operations.py", "if settings is None:", "if settings is not None:"))

    results = await examine(offer, [], tmp_path)

    assert set(failed(results)) == {"the README's call is done"}
    assert "is refused: " in failed(results)["the README's call is done"]


async def test_each_fault_of_a_schema_is_found(write: Write, tmp_path: Path) -> None:
    others = [offer for offer in find_offers() if offer.name == "share"]
    offer = write(
        "kit_shapeless",
        (
            "kit_shapeless/mutations.py",
            "import strawberry\n",
            "import strawberry\nfrom strawberry.scalars import JSON\n",
        ),
        (
            "kit_shapeless/mutations.py",
            "idempotency_key: str = strawberry.field(description=_KEY)",
            (
                'idempotency_key: str = strawberry.field(description=_KEY)\n    note: str = ""\n'
                '    what_ever: str = strawberry.field(default="", name="what_ever", description="Anything.")'
            ),
        ),
        (
            "kit_shapeless/mutations.py",
            'What became of a kit shapeless. The transaction\'s entries say what it brought."""',
            (
                'What became of it."""\n\n'
                '    extra: JSON | None = strawberry.field(default=None, description="More.")\n'
                '    all: Connection[Transaction] | None = strawberry.field(default=None, description="All.")'
            ),
        ),
        ("kit_shapeless/mutations.py", "import Info,", "import Connection, Info, Transaction,"),
        (
            "kit_shapeless/mutations.py",
            "    @mutation(allow",
            (
                "    @mutation(allow={Role.SERVICE})\n"
                "    async def record_share(self, info: Info, member: str) -> str:\n"
                '        """Share."""\n'
                "        return member\n\n"
                "    @mutation(allow"
            ),
        ),
    )

    results = await examine(offer, others, tmp_path)

    found = failed(results)
    assert set(found) == {
        "can be left out",
        "everything is described",
        "names are spelled as all others",
        "no JSON in the schema",
        "lists that grow are connections",
        "one input with a key, one payload with errors",
    }
    assert "'kit_shapeless'" in found["can be left out"]
    assert "'share'" in found["can be left out"]
    assert {result.detail for result in results if result.verdict is Verdict.NOT_TRIED} == {"its schema is not served"}


async def test_what_a_refusal_leaves_behind_is_found(write: Write, tmp_path: Path) -> None:
    statement = "INSERT INTO kit_leaky_day SELECT 1, HEX(RANDOMBLOB(4)), '2026-01-01', 0"
    offer = write(
        "kit_leaky",
        (
            "kit_leaky/mutations.py",
            "        return await perform(",
            f"        await info.context.reader.query({statement!r})\n        return await perform(",
        ),
    )

    found = failed(await examine(offer, [], tmp_path))

    assert set(found) == {"idempotent", "a refusal leaves nothing", "stops for who is frozen"}
    assert found["a refusal leaves nothing"] == "KIT_LEAKY_RECORDED changes kit_leaky_day"


# -- a partner's token ------------------------------------------------------------------------------


def test_a_partners_token_is_for_the_channels_that_it_names(type_: Type) -> None:
    words = ["--role", "partner", "--subject", "acme", "--channel", "sign_in", "--channel", "share"]
    done = type_("sqlite://x.sqlite3", "token", *words)

    caller = read_token(SECRET, done.output.strip(), now=datetime.now(UTC) + timedelta(hours=1))
    assert (caller.role, caller.channels) == (Role.PARTNER, frozenset({"sign_in", "share"}))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--role", "partner"], "--role partner takes --channel"),
        (["--role", "service", "--channel", "sign_in"], "no other role does"),
        (["--role", "partner", "--channel", "sing_in"], "no channel 'sing_in' is installed"),
    ],
)
def test_a_partners_token_names_channels_that_there_are(type_: Type, words: list[str], reason: str) -> None:
    done = type_("sqlite://x.sqlite3", "token", *words)

    assert done.exit_code == 2
    assert reason in done.output
