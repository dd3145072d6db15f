"""Balances of another system go in and come out again as they were; what cannot be meant is told by its row."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from click.testing import CliRunner

from graph.cli import laurel as command

PROGRAMME = """
id: opened
name: Opened
currency: CNY
timezone: Asia/Shanghai
starts_on: 2020-01-01
expiry: { mode: per_lot, months: 12 }
units: { growth: { spendable: false, expiry: { mode: never } } }
tiers:
  ladder:
    - { id: regular }
    - { id: gold, all: [{ fact: growth_earned, at_least: 5000 }] }
channels: {}
"""
MEMBERS = [
    {"member": "ann", "enrolled_at": "2024-02-29T16:00:00Z", "birthday": "1990-01-31", "tier": "gold"},
    {"member": "bob", "enrolled_at": "2025-01-01T00:00:00Z", "tier": "regular", "attributes": '{"city":"成都"}'},
]


class Desk:
    """The command line over a database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite://{folder / 'opened.sqlite3'}"
        (folder / "opened.yaml").write_text(PROGRAMME)
        self.run("migrate")
        self.run("programme", "publish", str(folder / "opened.yaml"), "--reason", "to begin", "--author", "a test")

    def run(self, *arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(command, ["--database", self.url, *arguments], catch_exceptions=False)
        assert result.exit_code == status, result.output
        return result.output

    def bring(self, name: str, file: Path, status: int = 0) -> str:
        return self.run("import", name, str(file), "--rejects", str(self.folder / "rejects.csv"), status=status)

    def rejects(self) -> dict[int, str]:
        """Why rows did not go in, by their lines."""
        with (self.folder / "rejects.csv").open(newline="") as file:
            return {int(row["row"]): row["reason"] for row in csv.DictReader(file)}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    match path.suffix:
        case ".csv":
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows(rows)
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        case _:
            whole = [{name: row.get(name) for name in columns} for row in rows]
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(whole), path)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, without what is empty, by member and reference."""
    match path.suffix:
        case ".csv":
            with path.open(newline="") as file:
                rows: list[dict[str, Any]] = list(csv.DictReader(file))
        case ".jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
        case _:
            rows = pyarrow.parquet.read_table(path).to_pylist()
    rows = [{name: str(value) for name, value in row.items() if value not in (None, "")} for row in rows]
    return sorted(rows, key=lambda row: (row["member"], row.get("reference", "")))


def lots(count: int) -> list[dict[str, Any]]:
    """Lots of two members in two units, as another system may have them."""
    chance, rows = Random(3), []
    # Growth lifts its member, so only who stands at the top already brings some.
    for member, unit in (("ann", "growth"), ("ann", "points"), ("bob", "points")):
        for number in range(1, count + 1):
            row = {
                "member": member,
                "reference": f"{unit}:{number}",
                "unit": unit,
                "points": chance.randint(1, 2**40),
                "earned_at": f"2026-0{chance.randint(1, 9)}-15T04:00:00Z",
            }
            if number % 5:
                row["expires_on"] = f"{chance.randint(2027, 2040)}-02-28"
            rows.append(row)
    return rows


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_what_was_brought_in_comes_out_again(desk: Desk, suffix: str) -> None:
    balances = lots(20)
    assert "2 imported" in desk.bring("members", write(desk.folder / f"members{suffix}", MEMBERS))
    assert "60 imported" in desk.bring("balances", write(desk.folder / f"balances{suffix}", balances))
    assert "60 were there already" in desk.bring("balances", desk.folder / f"balances{suffix}")

    for name in ("members", "balances"):
        desk.run("export", name, str(desk.folder / f"out{suffix}"))
        assert read(desk.folder / f"out{suffix}") == read(desk.folder / f"{name}{suffix}")
    assert "hold" in desk.run("verify")


def test_what_cannot_be_meant_is_told_and_the_rest_goes_in(desk: Desk) -> None:
    strangers = [{"member": "cem", "tier": "diamond"}, {"member": "dan", "birthday": "31.1.1990"}, {"member": "ann"}]
    desk.bring("members", write(desk.folder / "members.csv", [*MEMBERS, *strangers]), status=1)
    assert sorted(desk.rejects()) == [4, 5, 6]

    good = {"member": "ann", "reference": "1", "points": "10", "earned_at": "2026-01-15"}
    rows = [
        good,
        good | {"reference": "2", "points": "-5"},
        good | {"reference": "3", "points": "0"},
        good | {"reference": "4", "points": "1.5"},
        good | {"reference": "5", "expires_on": "2020-01-01"},
        good | {"reference": "6", "earned_at": "2199-01-01"},
        good | {"reference": "7", "unit": "miles"},
        good | {"reference": "8", "member": "nobody"},
        good | {"points": "11"},
        good | {"reference": ""},
        good | {"reference": "9", "points": "7"},
    ]
    said = desk.bring("balances", write(desk.folder / "balances.csv", rows), status=1)

    assert "2 imported" in said
    assert sorted(desk.rejects()) == list(range(3, 12))
    desk.run("export", "balances", str(desk.folder / "out.csv"))
    assert [row["points"] for row in read(desk.folder / "out.csv")] == ["10", "7"]


@pytest.mark.parametrize(("name", "said"), [("out.xlsx", ".parquet"), ("out.parquet.gz", ".parquet")])
def test_a_file_of_another_format_is_not_written(desk: Desk, name: str, said: str) -> None:
    assert said in desk.run("export", "members", str(desk.folder / name), status=2)
    assert not (desk.folder / name).exists()


def test_a_broken_parquet_file_is_told_as_a_whole(desk: Desk) -> None:
    (desk.folder / "broken.parquet").write_bytes(b"PAR1 and no more")
    assert "no Parquet file" in desk.bring("balances", desk.folder / "broken.parquet", status=2)
