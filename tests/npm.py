"""Projects of npm whose tests are run when ``LAUREL_TEST_CLIENTS`` says so: clients of the API, and a browser.

``installed`` gives a project's folder with everything in it that its lock file names, ``run_tests`` runs a file of it.
``python -m tests.npm`` says whether the tests can run, and installs what they need.
"""

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

VARIABLE: Final = "LAUREL_TEST_CLIENTS"
ROOT: Final = Path(__file__).parents[1]
PROJECTS: Final = ("tests/clients", "tests/browser", "graph/graphiql", "graph/dashboard", "graph/centre")
NODE_MIN: Final = 20
SECONDS_MAX: Final = 800


class NpmMissing(Exception):
    """Node, npm or a browser is not there, or too old."""


def node_version() -> str:
    """The version of node. Raises NpmMissing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NpmMissing(f"node {NODE_MIN} or later, with npm, is not installed")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < NODE_MIN:
        raise NpmMissing(f"node {NODE_MIN} or later is needed, and this is {version}")
    return version


def chromium() -> str:
    """The browser's program: ``LAUREL_CHROMIUM``, or the one on the path. Raises NpmMissing."""
    given = os.environ.get("LAUREL_CHROMIUM")
    found = given or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise NpmMissing("chromium is not installed, nor named by LAUREL_CHROMIUM")
    return found


def install_chromium() -> str:
    """The browser's program, installed by apt-get if it has to be and can be. Raises NpmMissing."""
    try:
        return chromium()
    except NpmMissing:
        if shutil.which("apt-get") is None or os.geteuid() != 0:
            raise
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", "--quiet", *command], check=True, env=environment, stdout=subprocess.DEVNULL)
    return chromium()


def wanted() -> bool:
    return os.environ.get(VARIABLE, "") not in {"", "no"}


def installed(folder: str) -> Path:
    """The project in that folder of the repository, installed; the test is skipped where nobody asked for it."""
    if not wanted():
        pytest.skip(f"{VARIABLE} is not set: make clients sets it")
    return install(ROOT / folder)


def install(project: Path) -> Path:
    """Run ``npm ci`` unless what the lock file names is there. Raises NpmMissing."""
    node_version()
    lock = hashlib.sha256((project / "package-lock.json").read_bytes()).hexdigest()
    stamp = project / "node_modules" / ".laurel-lock"
    with (project / ".npm-lock").open("w") as held:
        # Two workers of the tests may want it at once.
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text(encoding="ascii") == lock):
            command = ["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
            subprocess.run(command, cwd=project, check=True)
            stamp.write_text(lock, encoding="ascii")
    return project


async def run_tests(project: Path, file: str, shop: Mapping[str, Any], **environment: str) -> None:
    """Run a file of node's tests in one process, which finds the ``shop`` in ``LAUREL_SHOP``; all must pass."""
    process = await asyncio.create_subprocess_exec(
        "node",
        f"--test-reporter={ROOT / 'tests' / 'reporter.mjs'}",
        "--no-warnings",
        file,
        cwd=project,
        env={**os.environ, "LAUREL_SHOP": json.dumps(shop), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS_MAX):
            said, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    print(said.decode(), complaints.decode())
    results = [json.loads(line) for line in said.splitlines()]
    assert results, "no test was run"
    failed = [f"{result['name']}: {result['error']}" for result in results if result["error"]]
    assert not failed, "\n".join(failed)
    assert process.returncode == 0


def main() -> int:
    if not wanted():
        print(f"clients: not tested, as {VARIABLE} is not set")
        return 0
    try:
        print(f"clients: node {node_version()}, {install_chromium()}")
        for project in PROJECTS:
            install(ROOT / project)
    except (NpmMissing, subprocess.CalledProcessError) as problem:
        print(f"clients: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
