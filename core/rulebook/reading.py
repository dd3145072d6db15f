"""Documents read beside everything else: one of the largest takes seconds, for which nobody else is to wait."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from core.errors import Problem, ProgrammeInvalid
from core.rulebook.programme import Programme

KEPT: Final = 16

Read = Callable[[str], Awaitable[Programme]]
"""Makes a programme of a document. Raises ProgrammeInvalid."""


class Reading:
    """The programmes of documents, read in a thread, one at a time; the last few are kept, and their problems as well.

    Who looks at a draft asks for it again with each page, and who publishes it has looked at it.
    """

    def __init__(self, load: Callable[[str], Programme]) -> None:
        self._load = load
        self._kept: OrderedDict[str, Programme | tuple[Problem, ...]] = OrderedDict()
        # However many ask at once, the others have most of the time.
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, document: str) -> Programme:
        """The programme of a document. Raises ProgrammeInvalid."""
        if document not in self._kept:
            async with self._one_at_a_time:
                if document not in self._kept:
                    self._keep(document, await asyncio.to_thread(self._outcome, document))
                return self._told(document)
        return self._told(document)

    def _told(self, document: str) -> Programme:
        self._kept.move_to_end(document)
        outcome = self._kept[document]
        if isinstance(outcome, tuple):
            raise ProgrammeInvalid.of(outcome)
        return outcome

    def _outcome(self, document: str) -> Programme | tuple[Problem, ...]:
        try:
            return self._load(document)
        except ProgrammeInvalid as invalid:
            return invalid.problems

    def _keep(self, document: str, outcome: Programme | tuple[Problem, ...]) -> None:
        self._kept[document] = outcome
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
