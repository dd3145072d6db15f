"""The server as it is started: the sample shop from nothing, and what keeps it from starting told in one line."""

import json
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError

import psutil
import pytest

from graph.commands.listening import SHARES, port_of_workers
from graph.tokens import Role
from tests.graph.commands.conftest import EXAMPLES, SECRET, Type

PATIENCE_SECONDS = 120
CONNECTIONS = 64
Serve = Callable[..., "tuple[str, Path]"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a server with more words; its address, when it is ready, and the file with what it said."""
    started = []

    def serve(database: str, *words: str) -> tuple[str, Path]:
        port = free_port()
        said = tmp_path / f"said-{port}"
        command = [sys.executable, "-m", "graph", "--database", database, "serve", "--port", str(port), *words]
        with said.open("w") as output:
            server = subprocess.Popen(command, cwd=EXAMPLES.parent, stdout=output, stderr=subprocess.STDOUT)
        started.append(server)
        address = f"http://127.0.0.1:{port}"
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not is_ready(address):
            assert server.poll() is None, said.read_text()
            assert time.monotonic() < give_up, said.read_text()
            time.sleep(0.1)
        return address, said

    yield serve
    for server in started:
        server.terminate()
        # uvicorn finishes what it has, and then dies of the signal after all.
        assert server.wait(PATIENCE_SECONDS) in (0, -signal.SIGTERM)


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health/ready") as answer:
            return bool(answer.status == 200)
    except URLError:
        return False


def ask(address: str, token: str, query: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{address}/graphql",
        json.dumps({"query": query}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        said = json.load(answer)
    assert "errors" not in said, said
    data: dict[str, Any] = said["data"]
    return data


def tokens(said: Path) -> dict[str, str]:
    """The tokens that were printed, by role."""
    lines = said.read_text().splitlines()
    return {lines[at - 1].split()[0]: line for at, line in enumerate(lines) if line.startswith("eyJ")}


@pytest.mark.timeout(400)
def test_the_sample_shop_opens_from_nothing_and_again(
    serve: Serve, type_: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAUREL_SECRET")
    database = f"sqlite://{tmp_path}/shop.sqlite3"

    address, said = serve(database, "--sample", "--workers", "2")

    assert f"{address}/graphql" in said.read_text()
    given = tokens(said)
    assert set(given) == set(Role)
    viewer = ask(address, given["member"], "{ viewer { role member { externalId tier { id } } } }")["viewer"]
    assert (viewer["role"], viewer["member"]["externalId"]) == ("member", "14057")
    with urllib.request.urlopen(f"{address}/demo/samples") as samples:
        assert {member["tier"] for member in json.load(samples)} == {"Regular", "Silver", "Gold", "Platinum"}
    secret = tmp_path / "shop.sqlite3.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    figures = json.loads(type_(database, "report", "--json").output)
    assert set(figures["tiers"]) == {"regular", "silver", "gold", "platinum"}
    for figure in ("earned", "redeemed", "clawed_back", "expired", "available", "held"):
        assert figures["units"]["points"][figure] > 0, figure
    assert type_(database, "verify").exit_code == 0

    again, said_again = serve(database, "--sample")

    assert ask(again, given["member"], "{ viewer { role } }") == {"viewer": {"role": "member"}}
    assert "opening the shop" not in said_again.read_text()
    assert json.loads(type_(database, "report", "--json").output)["members"] == figures["members"]


@pytest.mark.skipif(not SHARES, reason="only Linux shares connections out among sockets of one port")
@pytest.mark.timeout(400)
def test_workers_have_the_connections_of_a_proxy_among_them_and_so_has_a_new_one(serve: Serve, opened: str) -> None:
    address, _ = serve(opened, "--workers", "2")
    port = int(address.rpartition(":")[2])

    first, second = two_workers(port)
    assert min(len(first.connections), len(second.connections)) > CONNECTIONS // 8

    first.process.kill()
    first.process.wait(PATIENCE_SECONDS)
    others = two_workers(port)
    assert first.process not in [worker.process for worker in others]
    assert min(len(worker.connections) for worker in others) > CONNECTIONS // 8


class Worker(NamedTuple):
    process: psutil.Process
    connections: list[Any]


def two_workers(port: int) -> list[Worker]:
    """As ``by_worker``, when there are two: each listens when it has started, and a new one when one is missed."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while len(workers := by_worker(port)) < 2:
        assert time.monotonic() < give_up, workers
        time.sleep(0.1)
    return by_worker(port)  # the second may have begun to listen when all connections were there


def by_worker(port: int) -> list[Worker]:
    """The workers that listen, and whom of so many connections that are opened one after another each has."""
    with ExitStack() as opened:
        kept = [opened.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(CONNECTIONS)]
        for one in kept:  # what is answered has been accepted
            one.settimeout(PATIENCE_SECONDS)
            one.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert one.recv(9) == b"HTTP/1.1 "
        workers = []
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                ours = [one for one in process.net_connections("tcp") if one.laddr.port == port]
                if any(one.status == psutil.CONN_LISTEN for one in ours):
                    workers.append(Worker(process, [one for one in ours if one.status == psutil.CONN_ESTABLISHED]))
        return workers


def test_a_port_that_is_taken_is_told(type_: Type, opened: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = type_(opened, "serve", "--port", str(port))

    assert (done.exit_code, done.output) == (
        2,
        f"laurel: port {port} of 127.0.0.1 is taken: choose another with --port\n",
    )


@pytest.mark.skipif(not SHARES, reason="elsewhere workers have one socket")
def test_a_port_for_which_other_workers_start_is_told(type_: Type, opened: str) -> None:
    with port_of_workers("127.0.0.1", 0) as port:
        number = port.getsockname()[1]

        done = type_(opened, "serve", "--workers", "2", "--port", str(number))

    assert done.exit_code == 2
    assert done.output.endswith(f"laurel: port {number} of 127.0.0.1 is taken: choose another with --port\n")
    with port_of_workers("127.0.0.1", number):
        pass  # nothing is left of it


def test_a_host_that_is_not_ours_is_told(type_: Type, opened: str) -> None:
    done = type_(opened, "serve", "--host", "192.0.2.1", "--port", str(free_port()))

    assert done.exit_code == 2
    assert "192.0.2.1 cannot be listened on" in done.output


def test_a_server_without_a_secret_does_not_start(type_: Type, opened: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUREL_SECRET", "")
    done = type_(opened, "serve", "--port", str(free_port()))

    assert done.exit_code == 2
    assert "LAUREL_SECRET is not set" in done.output


def test_a_server_whose_database_was_not_migrated_does_not_start(type_: Type, empty: str) -> None:
    done = type_(empty, "serve", "--port", str(free_port()))

    assert done.exit_code == 2
    assert "run `laurel migrate` first" in done.output


def test_a_server_with_a_secret_serves_what_is_there(
    serve: Serve, opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUREL_SECRET", SECRET)

    address, said = serve(opened)

    assert is_ready(address)
    assert said.read_text() == f"\nGraphQL   {address}/graphql\nDashboard {address}/dashboard\n"
