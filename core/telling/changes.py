"""Which members have changed: told after the commit to whoever waits for one of them.

Nothing is kept and nothing is promised: who waits looks again, and who was away looks when they are back. Without
anybody who waits it costs nothing.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager

from core.engine.operations import Outcome

Carry = Callable[[Collection[str]], None]
"""Takes the ids of members to where other processes hear of them; it must neither wait nor fail."""


class Watch:
    """Somebody who waits for one member. What changes while they look at the last change counts as one."""

    __slots__ = ("_changed",)

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def notice(self) -> None:
        self._changed.set()

    async def changed(self) -> None:
        """Wait for the next change, or for none if there was one since the last."""
        await self._changed.wait()
        self._changed.clear()


class Changes:
    """Who waits in this process, by member. With ``carry``, other processes hear of what is committed here."""

    def __init__(self) -> None:
        self._watches: dict[str, set[Watch]] = {}
        self.carry: Carry | None = None

    @contextmanager
    def watch(self, member_id: str) -> Iterator[Watch]:
        """Wait for changes of a member for as long as the block lasts."""
        watch = Watch()
        self._watches.setdefault(member_id, set()).add(watch)
        try:
            yield watch
        finally:
            watches = self._watches[member_id]
            watches.discard(watch)
            if not watches:
                del self._watches[member_id]

    def committed(self, outcomes: Iterable[Outcome | None]) -> None:
        """Tell what these outcomes, which have been committed, have changed."""
        if not self._watches and self.carry is None:
            return
        changed = {
            outcome.member_id
            for outcome in outcomes
            if outcome is not None and outcome.member_id and outcome.accepted and not outcome.replayed
        }
        if changed:
            self.heard(changed)
            if self.carry is not None:
                self.carry(changed)

    def heard(self, member_ids: Collection[str]) -> None:
        """Wake those who wait for one of these members."""
        for member_id in member_ids:
            for watch in self._watches.get(member_id, ()):
                watch.notice()

    def heard_all(self) -> None:
        """Wake everybody: it is not known any more what was missed."""
        self.heard(list(self._watches))
