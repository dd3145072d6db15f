"""Lock files say which package and which bytes, and never where they came from: anybody's registry will do."""

import json
from pathlib import Path
from typing import Final

import pytest

from tests.npm import PROJECTS

ROOT: Final = Path(__file__).parents[1]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_the_locks_of_python_name_no_host(file: str) -> None:
    assert "://" not in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("project", [*PROJECTS, "benchmarks/mercurius"])
def test_the_locks_of_npm_name_no_host_and_every_hash(project: str) -> None:
    packages = json.loads((ROOT / project / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    missing = [name for name, package in packages.items() if name and "integrity" not in package]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name in missing if not packages[name].get("inBundle")] == []
