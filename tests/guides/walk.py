"""Walks through a guide as its reader would: in a fresh copy of the repository, with a shell and a server."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx

from core.time.clock import SystemClock
from tests.environments import ROOT, make_environment
from tests.guides.page import Block, filled, ids_in, is_shown, pretty
from tests.serving import free_port

_PATIENCE_SECONDS: Final = 240
_END: Final = "-- the end of the block, status"
_TOKEN: Final = re.compile(r"^(\w+)(?: \(.*\))?\n(eyJ\S+)$", re.MULTILINE)
_EVENT: Final = re.compile(r"^data: ?(\{.*)$", re.MULTILINE)
_LEFT_OUT: Final = shutil.ignore_patterns(
    ".*", "venv", "var", "node_modules", "__pycache__", "*.egg-info", "*.sqlite3*"
)
_TOKEN_ASKED: Final = re.compile(r"^laurel token --role (\w+)(?!.*>)", re.MULTILINE)
_TOKEN_ALONE: Final = re.compile(r"^eyJ\S+$", re.MULTILINE)
_PORTS: Final = re.compile(r"(?<=http://127\.0\.0\.1:)\d{4}|(?<=--port )\d{4}")


class Walk:
    """A reader on the way. ``said`` are words of the guide that are others here: the address of a database."""

    def __init__(self, folder: Path, said: Mapping[str, str]) -> None:
        self.folder = folder
        self._said = said
        self._ports = {"8000": str(free_port())}
        self.tokens: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._servers: dict[str, int] = {}
        self._steps = 0
        # What `make env` would install is there.
        environment = make_environment(folder / ".venv")
        for stamp in (".made", ".installed", ".installed-dev"):
            (folder / ".venv" / stamp).touch()
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            # As wide as what the guides show was printed, whatever width is exported here.
            env={**environment, "LAUREL_PORT": self._ports["8000"], "COLUMNS": "80"},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._tell("set -eo pipefail")

    def do(self, block: Block) -> None:
        """Do what a block says, and compare what is shown."""
        match block.language, block.word:
            case "sh", "":
                printed = self._run(self._here(block.text))
                self.tokens.update(zip(_TOKEN_ASKED.findall(block.text), _TOKEN_ALONE.findall(printed), strict=False))
                self._compare(block, printed)
            case "sh", "server":
                self._compare(block, self._serve(self._here(block.text)))
            case "graphql", word if word.startswith("as "):
                self._compare(block, self._ask(block.text, word.removeprefix("as ")))
            case _, path:
                assert "." in path, f"line {block.line}: nobody knows what to do with {block.language!r} {path!r}"
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / path).write_text(self._here(block.text), encoding="utf-8")

    def address(self, port: str) -> str:
        """The address of what the guide has listen on the port."""
        return f"http://127.0.0.1:{self._ports[port]}"

    def close(self) -> None:
        for port in list(self._servers):
            self._end(port)
        with suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.communicate()

    def _compare(self, block: Block, answered: str | Any) -> None:
        if block.shown is None:
            return
        if block.language == "sh" and block.shown.text.startswith(("{", "[")):
            answered = json.loads(answered)
        shown = block.shown._replace(text=self._here(block.shown.text))
        said = answered if isinstance(answered, str) else pretty(answered)
        assert is_shown(shown, answered), f"line {block.line} is answered\n{said}"

    def _here(self, text: str) -> str:
        """The text as it is here, where ports are others."""
        for word, here in self._said.items():
            text = text.replace(word, here)
        return _PORTS.sub(lambda port: self._ports.setdefault(port[0], str(free_port())), text)

    # -- a terminal -------------------------------------------------------------------------------------

    def _run(self, script: str) -> str:
        return self._tell(f". {self._written(script)} </dev/null")

    def _written(self, script: str) -> Path:
        self._steps += 1
        path = self.folder / ".venv" / f"step-{self._steps}.sh"
        path.write_text(script, encoding="utf-8")
        return path

    def _tell(self, line: str) -> str:
        """What the shell prints. It ends, and so does the test, when a command fails."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{line}\necho\necho '{_END}' $?\n")
        self._shell.stdin.flush()
        printed = list[str]()
        for line in self._shell.stdout:
            if line.startswith(_END):
                # The line that was ended for the mark, if it had not ended.
                text = "".join(printed)
                return text[:-1] if text.endswith("\n\n") or text == "\n" else text
            printed.append(line)
        raise AssertionError(f"the shell ended:\n{''.join(printed)}")

    # -- a server ---------------------------------------------------------------------------------------

    def _serve(self, script: str) -> str:
        """What it prints until it answers. One that listens on the same port is ended before, as by Ctrl+C."""
        named = re.search(r"--port (\d+)", script)
        port = named[1] if named else self._ports["8000"]
        self._end(port)
        log = self.folder / ".venv" / f"server-{port}.log"
        log.touch()
        self._tell(f"set -m; (. {self._written(script)}) >{log} 2>&1 </dev/null & set +m; echo $! >{log}.pid")
        self._servers[port] = int(Path(f"{log}.pid").read_text())
        patience = time.monotonic() + _PATIENCE_SECONDS
        while not _answers(port, log.read_text()):
            assert time.monotonic() < patience, f"the server does not start:\n{log.read_text()}"
            assert _is_alive(self._servers[port]), f"the server ended:\n{log.read_text()}"
            time.sleep(0.1)
        said = log.read_text()
        self.tokens.update(_TOKEN.findall(said))
        return said

    def _end(self, port: str) -> None:
        group = self._servers.pop(port, None)
        if group is not None:
            os.killpg(group, signal.SIGINT)
            patience = time.monotonic() + _PATIENCE_SECONDS
            while _is_alive(group) and time.monotonic() < patience:
                time.sleep(0.05)

    # -- GraphQL ----------------------------------------------------------------------------------------

    def _ask(self, text: str, role: str) -> Any:
        """The answer; of a subscription the last one, when it has ended."""
        query = filled(self._here(text), self._ids, SystemClock().now())
        headers = {"Authorization": f"Bearer {self.tokens[role]}"}
        if query.lstrip().startswith("subscription"):
            headers["Accept"] = "text/event-stream"
        said = httpx.post(
            f"{self.address('8000')}/graphql", json={"query": query}, headers=headers, timeout=_PATIENCE_SECONDS
        )
        answer = json.loads(_EVENT.findall(said.text)[-1] if "Accept" in headers else said.text)
        answer.pop("extensions", None)
        self._ids.update(ids_in(answer))
        return answer


def _answers(port: str, said: str) -> bool:
    """Whether a server has printed its address, and answers there; Laurel when it is ready."""
    address = f"http://127.0.0.1:{port}/"
    if address not in said:
        return False
    try:
        return httpx.get(f"{address}health/ready").status_code in {200, 404}
    except httpx.TransportError:
        return False


def _is_alive(group: int) -> bool:
    with suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


@contextmanager
def walking(folder: Path, said: Mapping[str, str] | None = None) -> Iterator[Walk]:
    """Somebody at the beginning of a guide, in a fresh copy of the repository."""
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
    walk = Walk(folder, said or {})
    try:
        yield walk
    finally:
        walk.close()
