"""A whole brand brought over and taken out again: members with their lots in, out, and compared row by row.

``python -m benchmarks.opening [MEMBERS] [URL]`` does it with `laurel` itself, a process for each step, and prints what
each took. MEMBERS is 100,000 unless it is said otherwise, URL a migrated database that holds nothing; without one it is
a SQLite file that is thrown away. Lots come in by thirds as CSV, JSON lines and Parquet, and go out as each of them.
"""

import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

import pyarrow
import pyarrow.parquet

COLUMNS: Final = ("member", "reference", "unit", "points", "earned_at", "expires_on")
FORMATS: Final = (".csv", ".jsonl", ".parquet")
PROGRAMME: Final = """
id: opened
currency: CNY
timezone: Asia/Shanghai
starts_on: 2020-01-01
expiry: { mode: per_lot, months: 12 }
tiers: { ladder: [{ id: regular }, { id: gold, all: [{ fact: points_earned, at_least: 1000000000000000 }] }] }
channels: {}
"""
Lot = tuple[str, ...]


def lots(members: int) -> Iterator[Lot]:
    """One to five lots a member, some of which never expire; a member's are numbered as Laurel will number them."""
    chance = Random(members)
    for member in range(members):
        for number in range(1, chance.randint(1, 5) + 1):
            earned = f"2026-{chance.randint(1, 9):02}-{chance.randint(1, 28):02}T{chance.randint(0, 23):02}:30:00Z"
            expires = f"{chance.randint(2030, 2040)}-{chance.randint(1, 12):02}-28" if chance.random() < 0.8 else ""
            points = str(chance.randint(1, 2 ** chance.randint(1, 40)))
            yield f"m{member:07}", f"points:{number}", "points", points, earned, expires


def write(folder: Path, members: int) -> tuple[int, str]:
    """The files to bring in; how many lots they hold, and what all of them together come to."""
    with (folder / "members.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("member", "enrolled_at", "tier"))
        writer.writerows((f"m{number:07}", "2025-05-01T00:00:00Z", "regular") for number in range(members))
    thirds: list[list[Lot]] = [[], [], []]
    for lot in lots(members):
        thirds[int(lot[0][1:]) * 3 // members].append(lot)
    with (folder / "0.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *thirds[0]])
    with (folder / "1.jsonl").open("w") as file:
        file.writelines(json.dumps(_said(lot)) + "\n" for lot in thirds[1])
    rows = [_said(lot) | {"points": int(lot[3])} for lot in thirds[2]]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "2.parquet")
    every = [lot for third in thirds for lot in third]
    return len(every), _sum(iter(every))


def _said(lot: Lot) -> dict[str, Any]:
    return {name: value for name, value in zip(COLUMNS, lot, strict=True) if value}


def read(path: Path) -> Iterator[Lot]:
    """The lots in a file that was taken out."""
    match path.suffix:
        case ".csv":
            with path.open(newline="") as file:
                yield from (_lot(row) for row in csv.DictReader(file))
        case ".jsonl":
            with path.open() as file:
                yield from (_lot(json.loads(line)) for line in file)
        case _:
            for batch in pyarrow.parquet.ParquetFile(path).iter_batches():
                yield from (_lot(row) for row in batch.to_pylist())


def _lot(row: Mapping[str, Any]) -> Lot:
    return tuple(str(row.get(name) or "") for name in COLUMNS)


def _sum(lots: Iterator[Lot]) -> str:
    """A digest of all lots, in whatever order they come."""
    digest = hashlib.sha256()
    for lot in sorted(lots):
        digest.update("\t".join(lot).encode() + b"\n")
    return digest.hexdigest()


MEASURING: Final = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
sys.exit(status)
"""
"""A small process between this one and `laurel`: Linux would say that `laurel` had whatever this one has."""


def run(url: str, *arguments: str) -> None:
    """Run `laurel`, and print what it said, how long it took and the most memory that it had."""
    command = [sys.executable, "-c", MEASURING, sys.executable, "-m", "graph", "--database", url, *arguments]
    begun = perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, megabytes = perf_counter() - begun, done.stderr.split()[-1]
    name = " ".join(argument.rpartition("/")[2] for argument in arguments[:3])
    print(f"{name}: {done.stdout.splitlines()[-1]} · {seconds:.1f} s, {megabytes} MB", flush=True)


def main(members: int, url: str | None) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        url = url or f"sqlite://{folder / 'opened.sqlite3'}"
        (folder / "opened.yaml").write_text(PROGRAMME)
        count, digest = write(folder, members)
        print(f"{members:,} members, {count:,} lots")
        run(url, "migrate")
        run(url, "programme", "publish", str(folder / "opened.yaml"), "--reason", "to begin")
        run(url, "import", "members", str(folder / "members.csv"))
        for file in ("0.csv", "1.jsonl", "2.parquet"):
            run(url, "import", "balances", str(folder / file), "--rejects", str(folder / "rejects.csv"))
        for suffix in FORMATS:
            run(url, "export", "balances", str(folder / f"out{suffix}"))
            assert _sum(read(folder / f"out{suffix}")) == digest, f"out{suffix} differs from what was brought in"
        print(f"all {count:,} lots came out as they went in, as CSV, JSON lines and Parquet")
        run(url, "verify")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, sys.argv[2] if len(sys.argv) > 2 else None)
