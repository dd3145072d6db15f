"""Projects of npm whose tests are run when ``LAUREL_TEST_CLIENTS`` says so: clients of the API, and a browser.

``installed`` gives a project's folder with everything in it that its lock file names. ``python -m tests.npm`` says
whether the tests can run, and why not.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

VARIABLE: Final = "LAUREL_TEST_CLIENTS"
ROOT: Final = Path(__file__).parents[1]
NODE_MIN: Final = 20


class NpmMissing(Exception):
    """Node or npm is not there, or too old."""


def node_version() -> str:
    """The version of node. Raises NpmMissing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NpmMissing(f"node {NODE_MIN} or later, with npm, is not installed")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < NODE_MIN:
        raise NpmMissing(f"node {NODE_MIN} or later is needed, and this is {version}")
    return version


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


def main() -> int:
    if not wanted():
        print(f"clients: not tested, as {VARIABLE} is not set")
        return 0
    try:
        print(f"clients: node {node_version()}")
    except NpmMissing as missing:
        print(f"clients: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
