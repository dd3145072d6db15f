"""One loader a question, for the length of a request: what many members are asked is asked of the database once.

The questions are the core's own (``core.reads``), which operations ask as well.
"""

from collections.abc import Hashable, Sequence
from typing import Any

from strawberry.dataloader import DataLoader

from core.members import bucket_of
from core.reads import Question
from core.store import Store
from core.store.questions import Rows
from graph.texts import NUL

Key = tuple[Any, ...]


class Loaders:
    """The loaders of one request."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}

    def forget(self) -> None:
        """Ask anew from here on, as something was written."""
        self._loaders = {}

    async def ask(self, question: Question[Any, Any], key: Key) -> Any:
        """The answer to a question about one key, asked together with those about other keys."""
        if any(isinstance(part, str) and NUL in part for part in key):
            return None  # nothing is called so, and PostgreSQL would not even look
        loader = self._loaders.get(question)
        if loader is None:
            loader = self._loaders[question] = self._loader(question)
        return await loader.load(key)

    async def rows(self, kind: type, member_id: str, where: str = "", /, **by: Any) -> list[Any]:
        """The member's rows of a kind whose columns equal ``by``; ``where`` is a fixed SQL condition."""
        question = Rows(kind, ("bucket", "member_id", *by), where)
        return await self.ask(question, (bucket_of(member_id), member_id, *by.values())) or []

    def _loader(self, question: Question[Any, Any]) -> DataLoader[Any, Any]:
        async def load(keys: list[Key]) -> Sequence[Any]:
            answers = await question.answer(self._store.reader(), keys)
            return [answers.get(key) for key in keys]

        return DataLoader(load)
