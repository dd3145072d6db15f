"""What every resolver has at hand: who asks, Laurel, and the loaders of this request."""

from dataclasses import dataclass, field
from datetime import datetime

import strawberry

from core.programmes import Programmes, Version
from core.store.dialect import Reader
from graph.laurel import Laurel
from graph.loaders import Loaders
from graph.tokens import Caller


@dataclass(slots=True)
class Context:
    """The context of one request. ``caller`` is None when it carried no token."""

    laurel: Laurel
    caller: Caller | None
    request_id: str
    loaders: Loaders = field(init=False)
    _refreshed: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self.laurel.store)

    @property
    def now(self) -> datetime:
        return self.laurel.clock.now()

    @property
    def reader(self) -> Reader:
        return self.laurel.store.reader()

    async def programmes(self) -> Programmes:
        """The published versions, looked up once a request."""
        if not self._refreshed:
            # Set first, so that resolvers that run side by side ask once; they see what was known before.
            self._refreshed = True
            await self.laurel.programmes.refresh(self.reader)
        return self.laurel.programmes

    async def version(self) -> Version:
        """The version of the programme in force now. Raises ProgrammeNotFound."""
        return (await self.programmes()).at(self.now)

    def wrote(self) -> None:
        """Something was written: what this request has read no longer holds."""
        self.loaders.forget()
        self._refreshed = False


Info = strawberry.Info[Context, None]
