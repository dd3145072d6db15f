"""Begins the process that replays, and hears what it says."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.errors import LaurelError
from graph.settings import Settings
from graph.simulating.folders import PREFIX, tidy

SECONDS_MAX: Final = 3_600.0
"""A simulation that takes longer is given up."""
_LINE_MAX: Final = 64 * 1024 * 1024


class SimulationFailed(LaurelError):
    """The process has ended without a result."""


@dataclass(frozen=True)
class Progress:
    """How far it is with which step."""

    step: str
    done: int
    total: int


@dataclass(frozen=True)
class Finished:
    """The result, and what it has cost."""

    result: dict[str, Any]
    cpu_ms: int
    memory_bytes: int


async def replay(
    settings: Settings,
    document: str,
    since: datetime,
    until: datetime,
    begun: datetime,
    members: Path | None = None,
) -> AsyncGenerator[Progress | Finished, None]:
    """Tell how far it is, and at last the result. Whoever stops listening ends it. Raises SimulationFailed.

    What each member would have is written to the file ``members``.
    """
    tidy()
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "graph.simulating",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_MAX,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        complaints = asyncio.create_task(_last_words(process.stderr))
        try:
            async with asyncio.timeout(SECONDS_MAX):
                asked = {
                    # Not among the arguments, which everybody on the machine can read: the address has a password.
                    "database_url": settings.database_url,
                    "disabled_plugins": sorted(settings.disabled_plugins),
                    "document": document,
                    "since": since.isoformat(),
                    "until": until.isoformat(),
                    "begun": begun.isoformat(),
                    "folder": folder,
                    "members": None if members is None else str(members),
                }
                with suppress(ConnectionError):  # it has ended already: how, is found below
                    process.stdin.write(json.dumps(asked).encode() + b"\n")
                    await process.stdin.drain()
                async for line in process.stdout:
                    said = json.loads(line)
                    if "error" in said:
                        raise SimulationFailed(said["error"])
                    if "result" in said:
                        yield Finished(said["result"], said["cpu_ms"], said["memory_bytes"])
                        return
                    yield Progress(said["step"], said["done"], said["total"])
                await process.wait()
                raise SimulationFailed((await complaints) or f"it ended with status {process.returncode}")
        except TimeoutError:
            raise SimulationFailed(f"it took longer than {SECONDS_MAX:.0f} seconds") from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            complaints.cancel()


async def _last_words(stderr: asyncio.StreamReader) -> str:
    last = b""
    async for line in stderr:
        last = line.strip() or last
    return last.decode(errors="replace")[:500]
