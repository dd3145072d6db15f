"""Windows counted in this process. The library's own storage looks through all of them at each request."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from limits.aio.storage import Storage

WINDOWS_MAX: Final = 100_000
"""Of more windows the one that began first is forgotten, so that no flood of addresses fills the memory."""


class Counted:
    """What was counted in a window, and when it ends, by the clock of its storage."""

    __slots__ = ("count", "ends")

    def __init__(self, ends: float) -> None:
        self.count = 0
        self.ends = ends


class Memory(Storage):
    """Counts of fixed windows, by key."""

    STORAGE_SCHEME = None

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__(None)
        self._now = now
        self._windows: OrderedDict[str, Counted] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        counted, _ = self.window(key, expiry)
        counted.count += amount
        return counted.count

    def window(self, key: str, expiry: int) -> tuple[Counted, float]:
        """The window of a key, begun now unless one is open, and in how many seconds it ends."""
        now, counted = self._now(), self._windows.get(key)
        if counted is None or counted.ends <= now:
            self._windows.pop(key, None)
            if len(self._windows) >= WINDOWS_MAX:
                self._windows.popitem(last=False)
            counted = self._windows[key] = Counted(now + expiry)
        return counted, counted.ends - now

    async def get(self, key: str) -> int:
        counted = self._windows.get(key)
        return 0 if counted is None or counted.ends <= self._now() else counted.count

    async def get_expiry(self, key: str) -> float:
        counted = self._windows.get(key)
        return self._now() if counted is None else counted.ends

    async def check(self) -> bool:
        return True

    async def reset(self) -> int | None:
        count = len(self._windows)
        self._windows.clear()
        return count

    async def clear(self, key: str) -> None:
        self._windows.pop(key, None)
