"""A partner's channel, installed into an environment of its own and used over HTTP."""

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from core.time.clock import SystemClock
from graph.commands.plugin import written
from graph.tokens import Role, issue_token
from tests.environments import make_environment, needs_uv
from tests.serving import free_port

ROOT: Final = Path(__file__).parents[1]
EXAMPLE: Final = ROOT / "examples" / "partner_channel"
SECRET: Final = "a secret of the tests, and of nothing else"

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
    """The variables of whoever works in an environment of its own."""
    return make_environment(tmp_path / "environment")


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
