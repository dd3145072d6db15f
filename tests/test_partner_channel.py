"""A partner's afternoon: a channel that is written, installed into an environment of its own, and used over HTTP."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest

from core.time.clock import SystemClock
from graph.commands.plugin import written
from graph.tokens import Role, issue_token

ROOT: Final = Path(__file__).parents[1]
EXAMPLE: Final = ROOT / "examples" / "partner_channel"
SECRET: Final = "a secret of the tests, and of nothing else"
UV: Final = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")

needs_uv = pytest.mark.skipif(UV is None, reason="uv is not installed, which makes the environment")

PROGRAMME: Final = """\
id: shop
currency: EUR
timezone: Europe/Paris
channels:
  store_visit:
    earn:
      points: {groups: [{id: base, add: sum, rules: [{id: daily, points: 20}]}]}
"""
RECORD: Final = """mutation { recordStoreVisit(input: {member: {externalId: "anna"}, idempotencyKey: "1"}) {
  member { points { available } } transaction { actor entries { amount balanceAfter } lots { remaining } }
  errors { code } } }"""


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """An environment of its own that borrows this one's packages; what is installed into it is gone with it."""
    assert UV is not None
    place = tmp_path / "environment"
    subprocess.run([UV, "venv", "--quiet", "--offline", "--python", sys.executable, place], check=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(place), "platbase": str(place)}))
    borrowed = [ROOT, *(path for path in sys.path if path.endswith("site-packages"))]
    (packages / "borrowed.pth").write_text("".join(f"{path}\n" for path in borrowed))
    python = place / "bin" / "python"
    for name, start in {"laurel": "graph.cli:main", "pytest": "pytest:console_main"}.items():
        module, function = start.split(":")
        script = place / "bin" / name
        script.write_text(f"#!{python}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
        script.chmod(0o755)
    (place / "bin" / "uv").symlink_to(UV)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAUREL_", "PYTHON", "PYTEST_"))}
    return kept | {
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(place),
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@needs_uv
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed, with which the guide asks")
@pytest.mark.timeout(360)  # half a minute, where nothing else is done
def test_the_commands_of_the_guide_make_an_afternoon(environment: Mapping[str, str], tmp_path: Path) -> None:
    guide = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")
    section = guide.partition("\n## A partner's afternoon\n")[2].partition("\n## ")[0]
    steps = re.findall(r"^\*\*(.+?)\.\*\*.*?^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    commands = "".join(f"{block}echo took {name!r} $SECONDS_SINCE\n" for name, block in steps)
    clock = "now() { date +%s%N; }; BEGUN=$(now)"
    commands = commands.replace("$SECONDS_SINCE", "$(( ($(now) - BEGUN) / 1000000 )); BEGUN=$(now)")
    script = f"set -euo pipefail\n{clock}\ntrap 'kill $(jobs -p) 2>&1 || true' EXIT\n{commands}".replace(
        "8000", str(free_port())
    )

    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=350, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    enrolled, recorded, refused = [orjson.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    took = dict(re.findall(r"^took (.+) (\d+)$", done.stdout, re.MULTILINE))
    print("\n".join(f"{name}: {int(milliseconds) / 1000:.1f} s" for name, milliseconds in took.items()))
    assert list(took) == re.findall(r"^\| (.+?) \| \d+ s \|$", section, re.MULTILINE)
    assert "laurel-store-visit 0.1.0" in done.stdout
    assert "none fails" in done.stdout
    assert enrolled["data"] == {"enrolMember": {"errors": []}}
    assert recorded["data"]["recordStoreVisit"] == {
        "member": None,
        "transaction": {"entries": [{"amount": 20, "unit": "points"}]},
        "errors": [],
    }
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]


def test_the_example_is_what_plugin_new_writes_with_other_points() -> None:
    changed = {"test_store_visit.py": ("POINTS = 5", "POINTS = 20"), "README.md": ("points: 5}", "points: 20}")}

    there = {path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    for path, text in written("store_visit"):
        there.discard(path)
        assert (EXAMPLE / path).read_text(encoding="utf-8") == text.replace(*changed.get(path.name, ("", "")))
    assert not {path for path in there if ".pytest_cache" not in path.parts}


@needs_uv
def test_a_partners_token_reaches_its_own_channel_and_nothing_else(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    environment = {**environment, "LAUREL_SECRET": SECRET}
    (tmp_path / "shop.yaml").write_text(PROGRAMME)
    for command in (
        ["uv", "pip", "install", "--quiet", "--no-deps", str(EXAMPLE)],
        ["laurel", "migrate"],
        ["laurel", "programme", "publish", "shop.yaml", "--reason", "visits count"],
    ):
        # By its path: the search is of the parent's PATH.
        command[0] = f"{environment['VIRTUAL_ENV']}/bin/{command[0]}"
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)

    with serving(environment, tmp_path) as url:
        enrol = 'mutation { enrolMember(input: {externalId: "anna", idempotencyKey: "1"}) { errors { code } } }'
        ask(url, enrol, Role.SERVICE)
        elsewhere = ask(url, RECORD, Role.PARTNER, "purchase")
        recorded = ask(url, RECORD, Role.PARTNER, "store_visit")
        forbidden = [
            ask(url, query, Role.PARTNER, "store_visit")
            for query in (
                "{ members { nodes { id } } }",
                '{ member(by: {externalId: "anna"}) { id } }',
                enrol,
                (
                    'mutation { redeemPoints(input: {member: {externalId: "anna"}, points: 1, idempotencyKey: "2"})'
                    " { errors { code } } }"
                ),
                (
                    'mutation { recordSignIn(input: {member: {externalId: "anna"}, idempotencyKey: "2"})'
                    " { errors { code } } }"
                ),
                (
                    'mutation { recordPurchase(input: {member: {externalId: "anna"}, reference: "A", '
                    'idempotencyKey: "2", amount: {amount: "1", currency: "EUR"}}) { errors { code } } }'
                ),
            )
        ]
        seen = ask(url, '{ member(by: {externalId: "anna"}) { points { available } } }', Role.SERVICE)

    assert recorded["data"] == {
        "recordStoreVisit": {
            "member": None,
            "transaction": {
                "actor": "partner:acme",
                "entries": [{"amount": 20, "balanceAfter": None}],
                "lots": [],
            },
            "errors": [],
        }
    }
    assert {code for answer in (elsewhere, *forbidden) for code in codes(answer)} == {"FORBIDDEN"}
    assert all(not any((answer["data"] or {}).values()) for answer in (elsewhere, *forbidden))
    assert seen["data"] == {"member": {"points": {"available": 20}}}


def codes(answer: Mapping[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]


def ask(url: str, query: str, role: Role, *channels: str) -> dict[str, Any]:
    """The whole answer to a caller of that role, by the name of acme."""
    token = issue_token(
        SECRET, role=role, subject="acme", now=SystemClock().now(), lifetime=timedelta(hours=1), channels=channels
    )
    answer: dict[str, Any] = httpx.post(
        f"{url}/graphql", json={"query": query}, headers={"Authorization": f"Bearer {token}"}
    ).json()
    return answer


@contextmanager
def serving(environment: Mapping[str, str], folder: Path) -> Iterator[str]:
    """The address of a server of that environment, on the database in the folder."""
    port = free_port()
    server = subprocess.Popen(
        [f"{environment['VIRTUAL_ENV']}/bin/laurel", "serve", "--port", str(port)],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url, patience = f"http://127.0.0.1:{port}", time.monotonic() + 60
    try:
        while not answers(url):
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < patience, "the server does not start"
            time.sleep(0.1)
        yield url
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").status_code == 200
    except httpx.TransportError:
        return False
