"""Windows counted in this process. The library's own storage looks through all of them at each request."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from limits.aio.storage import Storage

WINDOWS_MAX: Final = 100_000
"""Of more windows the one that began first is forgotten, so that no flood of addresses fills the memory."""


class Memory(Storage):
    """Counts of fixed windows, by key."""

    STORAGE_SCHEME = None

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__(None)
        self._now = now
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        count, _ = self.count(key, expiry, amount)
        return count

    def count(self, key: str, expiry: int, amount: int) -> tuple[int, float]:
        """Count so much more of a window; the count, and in how many seconds the window ends."""
        count, ends = self._windows.get(key, (0, 0.0))
        now = self._now()
        if ends <= now:
            count, ends = 0, now + expiry
            self._windows.pop(key, None)
            if len(self._windows) >= WINDOWS_MAX:
                self._windows.popitem(last=False)
        self._windows[key] = (count + amount, ends)
        return count + amount, ends - now

    async def get(self, key: str) -> int:
        count, ends = self._windows.get(key, (0, 0.0))
        return count if ends > self._now() else 0

    async def get_expiry(self, key: str) -> float:
        return self._windows.get(key, (0, self._now()))[1]

    async def check(self) -> bool:
        return True

    async def reset(self) -> int | None:
        count = len(self._windows)
        self._windows.clear()
        return count

    async def clear(self, key: str) -> None:
        self._windows.pop(key, None)
