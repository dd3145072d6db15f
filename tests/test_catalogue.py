"""The catalogue is true: it has every row, the channels it names are there, and so are the tests."""

import re
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from plugins.manager import load_plugins

ROOT: Final = Path(__file__).parents[1]


class Row(NamedTuple):
    """A way to earn or to spend."""

    id: str
    what: str
    channels: tuple[str, ...]
    state: str
    tests: tuple[str, ...]


def _rows() -> list[Row]:
    lines = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith(("| E", "| S"))]
    return [Row(id, what, _parts(channels), state, _parts(tests)) for id, what, channels, state, tests in cells]


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split(", ") if part)


ROWS: Final = _rows()


def test_the_catalogue_has_every_row_once_and_in_order() -> None:
    assert [row.id for row in ROWS] == [f"E{number}" for number in range(1, 18)] + [
        f"S{number}" for number in range(1, 8)
    ]


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_what_a_row_names_is_there(row: Row) -> None:
    missing = [name for name in row.tests if not (ROOT / name).is_file()]

    assert missing == []
    assert row.state in {"done", "not yet"} or row.state.startswith("partly: ")
    assert bool(row.tests) == (row.state != "not yet")
    if row.state != "not yet":
        assert row.channels
        assert {*row.channels} <= {"the core", *load_plugins().names}


@pytest.mark.parametrize("row", [row for row in ROWS if row.tests], ids=[row.id for row in ROWS if row.tests])
def test_the_tests_of_a_row_ask_through_the_schema(row: Row) -> None:
    past_it = [name for name in row.tests if "graph.testing" not in (ROOT / name).read_text(encoding="utf-8")]

    assert past_it == []


# -- what others have shipped -------------------------------------------------------------------------

DEFECTS: Final = [
    (defect.strip(), [test.strip() for test in tests.split(",")])
    for line in (ROOT / "docs" / "defects.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and "::" in line
    for defect, tests in [line.strip("|").rsplit(" | ", 1)]
]


def test_defects_are_told_apart() -> None:
    assert len(DEFECTS) == len({defect for defect, _ in DEFECTS}) > 30


@pytest.mark.parametrize("tests", [tests for _, tests in DEFECTS], ids=[defect for defect, _ in DEFECTS])
def test_each_defect_has_tests_that_would_notice_it(tests: list[str]) -> None:
    for test in tests:
        file, _, name = test.partition("::")
        assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), test
