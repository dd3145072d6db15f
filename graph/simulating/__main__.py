"""``python -m graph.simulating``: the process that replays.

What is asked comes in by a line of JSON, what becomes of it goes out by lines of JSON. It ends when whoever began it
does.
"""

import asyncio
import json
import os
import resource
import shutil
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TextIO

from core.simulating.scratch import Parts
from core.simulating.simulation import Request, simulate
from graph.laurel import load_document, tables
from graph.simulating.folders import take
from plugins.manager import Plugins, load_plugins

NICENESS: Final = 10
_TOLD_SECONDS: Final = 0.5


def parts_of(plugins: Plugins) -> Parts:
    """What these plugins have to do with a replay."""
    return Parts(
        apps=tables(plugins),
        load=lambda document: load_document(plugins, document),
        anew=plugins.anew,
        reactions=plugins.reactions,
        personal=plugins.personal_data,
        judges=plugins.judges,
        outgoing=plugins.outgoing,
        consumers=plugins.consumers,
    )


class _Told:
    """Tells how far it is, not too often."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._step = ""
        self._last = 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step == self._step and done < total and now - self._last < _TOLD_SECONDS:
            return
        self._step, self._last = step, now
        self.tell({"step": step, "done": done, "total": total})

    def tell(self, message: dict[str, Any]) -> None:
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()


def _end_with_parent(folder: Path) -> None:
    """Whoever began this holds the other end of our input; when it is gone, so is the reason to go on."""
    sys.stdin.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(3)


def main() -> int:
    asked = json.loads(sys.stdin.readline())
    os.nice(NICENESS)
    folder = Path(asked["folder"])
    take(folder)
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    told = _Told(sys.stdout)
    since, until, begun = (datetime.fromisoformat(asked[name]) for name in ("since", "until", "begun"))
    members = Path(asked["members"]) if asked["members"] else None
    request = Request(asked["document"], since, until, begun, members)
    parts = parts_of(load_plugins(asked["disabled_plugins"]))
    try:
        result = asyncio.run(simulate(asked["database_url"], parts, request, folder, told))
    except Exception as error:
        told.tell({"error": f"{type(error).__name__}: {error}"[:500]})
        return 1
    seen = resource.getrusage(resource.RUSAGE_SELF)
    peak = seen.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    told.tell({"result": result, "cpu_ms": int((seen.ru_utime + seen.ru_stime) * 1000), "memory_bytes": peak})
    return 0


if __name__ == "__main__":
    sys.exit(main())
