"""What migrations make, on every database."""

import asyncio
import importlib
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tortoise.context import TortoiseContext
from tortoise.exceptions import IntegrityError, OperationalError

from core.errors import DatabaseUnreachable
from core.store.databases import Tables, connect
from core.store.drafting import draft, drift
from core.store.fields import canonical_json
from core.store.migrating import MigrationsPending, migrate, pending, require_migrated
from tests.databases import Apps
from tests.store.shelf.models import Copy, Note, Shelf

PRINTED = datetime(2031, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
HUGE = 2**63 - 1


def copy(**changes: Any) -> Copy:
    facts: dict[str, Any] = {"bucket": 1, "title": "Laurel", "number": 1, "pages": 9, "printed_at": PRINTED}
    return Copy(**{**facts, "marks": {}, **changes})


async def test_a_new_database_lacks_every_migration_and_then_none(empty_database: str, apps: Apps) -> None:
    before = await pending(empty_database, apps)
    applied = await migrate(empty_database, apps)
    again = await migrate(empty_database, apps)

    assert before == applied == ["shelf.0001_initial"]
    assert again == await pending(empty_database, apps) == []


async def test_two_first_runs_at_once_both_succeed_and_one_migrates(empty_database: str, apps: Apps) -> None:
    runs = await asyncio.gather(*(migrate(empty_database, apps) for _ in range(2)))

    assert sorted(runs) == [[], ["shelf.0001_initial"]]


async def test_two_processes_that_start_at_once_both_succeed(empty_database: str) -> None:
    program = dedent(
        """
        import asyncio, sys
        from core.store.databases import Tables
        from core.store.migrating import migrate
        apps = {"shelf": Tables(("tests.store.shelf.models",), "tests.store.shelf.migrations")}
        print(len(asyncio.run(migrate(sys.argv[1], apps))))
        """
    )
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, empty_database, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    outputs = [(await process.communicate())[0] for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(output.strip() for output in outputs) == [b"0", b"1"]


async def test_starting_on_an_old_database_names_what_is_missing(empty_database: str, apps: Apps) -> None:
    async with connect(empty_database, apps) as context:
        with pytest.raises(MigrationsPending, match=r"shelf\.0001_initial not applied"):
            await require_migrated(context, empty_database, apps)


async def test_the_migrations_of_the_shelf_say_all_that_its_models_do(apps: Apps) -> None:
    assert await drift(apps) == {}


@pytest.mark.usefixtures("connected")
async def test_a_row_is_found_again_under_its_whole_key() -> None:
    for bucket, title, number in [(1, "Laurel", 1), (1, "Laurel", 2), (1, "laurel", 1), (2, "Laurel", 1)]:
        await copy(bucket=bucket, title=title, number=number).save(force_create=True)

    found = await Copy.filter(bucket=1, title="Laurel").order_by("number")
    assert [row.number for row in found] == [1, 2]
    with pytest.raises(IntegrityError):
        await copy(bucket=1, title="Laurel", number=2).save(force_create=True)


@pytest.mark.usefixtures("connected")
async def test_text_is_told_apart_and_sorted_by_its_bytes() -> None:
    titles = ["b", "a", "B", "ä", "Z", "\U0001f33f", "ﬁ", "a ", " a", "ae", "a\t", ""]
    for title in titles:
        await copy(title=title).save(force_create=True)

    stored = [row.title for row in await Copy.all().order_by("title")]

    assert stored == sorted(titles, key=str.encode)


@pytest.mark.usefixtures("connected")
async def test_a_check_of_a_model_is_a_check_of_its_table() -> None:
    with pytest.raises((IntegrityError, OperationalError), match="copy_has_pages"):
        await copy(pages=0).save(force_create=True)

    assert await Copy.all().count() == 0


@pytest.mark.usefixtures("connected")
async def test_a_named_unique_constraint_holds() -> None:
    await Shelf.create(room="hall", name="A")
    await Shelf.create(room="attic", name="A")

    with pytest.raises(IntegrityError):
        await Shelf.create(room="hall", name="A")


@pytest.mark.usefixtures("connected")
async def test_a_child_row_needs_its_parent() -> None:
    with pytest.raises(IntegrityError):
        await Note.create(shelf_id=404, text="lost", written_at=PRINTED)


INDEXES = {
    "sqlite": "SELECT name, sql AS made FROM sqlite_master WHERE type = 'index' AND tbl_name = 'shelf_copy'",
    "postgres": "SELECT indexname AS name, indexdef AS made FROM pg_indexes WHERE tablename = 'shelf_copy'",
    "mysql": "SELECT DISTINCT index_name AS name, '' AS made FROM information_schema.statistics"
    " WHERE table_schema = DATABASE() AND table_name = 'shelf_copy'",
}


async def test_an_index_covers_part_of_a_table_where_the_database_can(connected: TortoiseContext) -> None:
    client = connected.db("default")
    dialect = client.capabilities.dialect

    made = {row["name"]: row["made"] for row in await client.execute_query_dict(INDEXES[dialect])}

    assert "copy_lent" in made
    assert ("WHERE" in made["copy_lent"]) == (dialect != "mysql")


@pytest.mark.parametrize(
    "at",
    [
        PRINTED,
        datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2030, 6, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ],
)
@pytest.mark.usefixtures("connected")
async def test_an_instant_comes_back_to_the_microsecond(at: datetime) -> None:
    await copy(printed_at=at).save(force_create=True)

    found = await Copy.get(printed_at=at)

    assert found.printed_at == at
    assert found.printed_at.tzinfo is UTC
    assert found.returned_at is None
    assert await Copy.filter(printed_at__gt=at - timedelta(microseconds=1), printed_at__lte=at).count() == 1
    assert await Copy.filter(printed_at__lt=at).count() == 0


async def test_an_instant_without_a_zone_is_refused_when_it_is_set() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        copy(printed_at=datetime(2030, 1, 1))  # noqa: DTZ001 (what is refused)


@pytest.mark.parametrize(
    "marks",
    [{}, [], {"b": [1, None, "ä"], "a": {"n": HUGE}}, ["\U0001f33f", '"', "\\"]],
    ids=["object", "array", "nested", "letters"],
)
async def test_json_is_stored_as_one_text(connected: TortoiseContext, marks: Any) -> None:
    await copy(marks=marks).save(force_create=True)

    [row] = await connected.db("default").execute_query_dict("SELECT marks FROM shelf_copy")

    assert row["marks"] == canonical_json(marks)
    assert (await Copy.get(number=1)).marks == marks


@pytest.mark.usefixtures("connected")
async def test_whole_numbers_keep_64_bits() -> None:
    await copy(pages=HUGE).save(force_create=True)

    assert (await Copy.get(number=1)).pages == HUGE


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("run", [1, 2])
async def test_no_test_sees_the_rows_of_another(run: int) -> None:
    assert await Copy.all().count() == await Note.all().count() == await Shelf.all().count() == 0

    shelf = await Shelf.create(room=f"room {run}", name="A")
    await Note.create(shelf=shelf, text="here", written_at=PRINTED)
    await copy().save(force_create=True)


MODELS = """
from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from core.store.fields import DayField, InstantField


class Page(Model):
    key: ClassVar = ("title", "number")
    title = fields.CharField(max_length=20)
    number = fields.IntField(primary_key=True, generated=False)
    printed_on = DayField()
"""


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tables:
    """An app that has models but no migrations yet, in a package of its own."""
    package = tmp_path / f"pages_{tmp_path.name}"
    (package / "migrations").mkdir(parents=True)
    for folder in (package, package / "migrations"):
        (folder / "__init__.py").touch()
    (package / "models.py").write_text(MODELS)
    monkeypatch.syspath_prepend(tmp_path)
    return Tables((f"{package.name}.models",), f"{package.name}.migrations")


async def test_a_drafted_migration_makes_what_the_models_say(empty_database: str, pages: Tables) -> None:
    apps = {"pages": pages}
    assert await drift(apps)

    [written] = await draft(apps)
    assert written.name == "0001_initial.py"
    assert await drift(apps) == {}
    await migrate(empty_database, apps)

    async with connect(empty_database, apps) as context:
        page = context.get_model("pages", "Page")
        for title in ("a", "b"):
            await page.create(title=title, number=1, printed_on=date(2030, 2, 28))
        assert await page.filter(printed_on=date(2030, 2, 28)).count() == 2
        with pytest.raises(IntegrityError):
            await page.create(title="a", number=1, printed_on=date(2030, 2, 28))


async def test_a_reworded_docstring_needs_no_migration_and_a_changed_key_has_none(
    pages: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    apps = {"pages": pages}
    await draft(apps)
    model = importlib.import_module(pages.models[0]).Page

    model._meta.table_description = "One side of a leaf."
    assert await drift(apps) == {}

    monkeypatch.setattr(model, "key", ("number", "title"))
    with pytest.raises(ValueError, match=r"key of pages\.Page was \('title', 'number'\)"):
        await drift(apps)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///nowhere/at/all/laurel.sqlite3",
        "postgres://nobody@127.0.0.1:1/laurel",
        "mysql://nobody@127.0.0.1:1/laurel",
    ],
)
async def test_migrating_what_is_not_there_says_where_it_was_sought(url: str, apps: Apps) -> None:
    with pytest.raises(DatabaseUnreachable, match=url.partition("@")[2] or url):
        await migrate(url, apps)
