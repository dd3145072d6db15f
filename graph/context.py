"""What every resolver has at hand: who asks, Laurel, and the loaders of this request."""

import asyncio
from collections.abc import AsyncGenerator, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

import strawberry

from core.rulebook.programmes import Programmes, Version
from core.store.dialect import Reader
from graph.laurel import Laurel
from graph.loaders import Loaders
from graph.tokens import Caller

Selected = dict[tuple[Hashable, ...], frozenset[str]]
"""What resolvers have found out of the document: see ``graph.selections``."""


@dataclass(slots=True)
class Context:
    """The context of one request. ``caller`` is None when it carried no token; no mutation is begun after ``until``.

    ``router`` is whether a router of Federation asks for somebody.
    """

    laurel: Laurel
    caller: Caller | None
    request_id: str
    until: float = inf
    router: bool = False
    loaders: Loaders = field(init=False)
    selected: Selected = field(init=False, default_factory=dict)
    _refresh: asyncio.Future[None] | None = field(init=False, default=None)
    _now: datetime | None = field(init=False, default=None)
    _version: Version | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self.laurel.gathered)

    @property
    def now(self) -> datetime:
        """The instant of which the whole answer tells; a later one once something was written."""
        if self._now is None:
            self._now = self.laurel.clock.now()
        return self._now

    @property
    def reader(self) -> Reader:
        return self.laurel.store.reader()

    async def follow_clock(self) -> None:
        """In a sandbox, know where the clock stands, whichever process has moved it; nothing is asked elsewhere."""
        if self.laurel.clock.is_sandbox:
            await self.laurel.programmes.refresh(self.reader)
            self._now = None

    async def programmes(self) -> Programmes:
        """The published versions: all but those that another process has published within the last second."""
        if self.laurel.programmes.fresh:
            return self.laurel.programmes
        if self._refresh is None:
            self._refresh = asyncio.ensure_future(self.laurel.programmes.refresh(self.reader))
        # Shielded, as a resolver that is cancelled must not take the look-up away from the others.
        await asyncio.shield(self._refresh)
        return self.laurel.programmes

    async def version(self) -> Version:
        """The version of the programme in force now. Raises ProgrammeNotFound."""
        if self._version is None:
            programmes = self.laurel.programmes
            self._version = (programmes if programmes.fresh else await self.programmes()).at(self.now)
        return self._version

    async def each_change(self, member_id: str) -> AsyncGenerator[None, None]:
        """Comes round at once, and again after each commit that changed the member, with nothing read before."""
        with self.laurel.changes.watch(member_id) as watch:
            while True:
                self.wrote()
                yield
                await watch.changed()
                await self.follow_clock()

    def wrote(self) -> None:
        """Something was written: what this request has read no longer holds."""
        self.loaders.forget()
        self._refresh = self._now = self._version = None


Info = strawberry.Info[Context, None]
