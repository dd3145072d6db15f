"""One loader a question, for the length of a request: what many members are asked is asked of the database once.

The questions are the core's own (``core.engine.reads``), which operations ask as well.
"""

from asyncio import Future, Task, gather, get_running_loop
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from core.books.members import bucket_of
from core.engine.reads import Question
from core.store import Store
from core.store.questions import Rows
from graph.texts import NUL

Key = tuple[Any, ...]


class Loaders:
    """The loaders of one request."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loaders: dict[Hashable, _Loader] = {}

    def forget(self) -> None:
        """Ask anew from here on, as something was written."""
        self._loaders = {}

    async def ask(self, question: Question[Any, Any], key: Key) -> Any:
        """The answer to a question about one key, asked together with those about other keys."""
        if any(isinstance(part, str) and NUL in part for part in key):
            return None  # nothing is called so, and PostgreSQL would not even look
        return await self._loader(question).load(key)

    async def ask_all(self, question: Question[Any, Any], keys: Iterable[Key]) -> list[Any]:
        """The answers to a question about several keys of our own, in their order."""
        loader = self._loader(question)
        return await gather(*map(loader.load, keys))

    async def rows(self, kind: type, member_id: str, where: str = "", /, **by: Any) -> list[Any]:
        """The member's rows of a kind whose columns equal ``by``; ``where`` is a fixed SQL condition."""
        question = Rows(kind, ("bucket", "member_id", *by), where)
        return await self.ask(question, (bucket_of(member_id), member_id, *by.values())) or []

    def _loader(self, question: Question[Any, Any]) -> "_Loader":
        loader = self._loaders.get(question)
        if loader is None:
            loader = self._loaders[question] = _Loader(question, self._store)
        return loader


class _Loader:
    """One question: the keys that are asked about while others are still being asked about go together."""

    __slots__ = ("_answers", "_question", "_running", "_store", "_waiting")

    def __init__(self, question: Question[Any, Any], store: Store) -> None:
        self._question = question
        self._store = store
        self._answers: dict[Key, Future[Any]] = {}
        self._waiting: list[Key] = []
        self._running: set[Task[None]] = set()

    def load(self, key: Key) -> Future[Any]:
        answer = self._answers.get(key)
        if answer is None:
            loop = get_running_loop()
            answer = self._answers[key] = loop.create_future()
            if not self._waiting:
                # The loop comes to it when all that runs by now waits for something.
                loop.call_soon(self._begin)
            self._waiting.append(key)
        elif answer.cancelled():
            # Whoever asked is gone; the question is still on its way.
            answer = self._answers[key] = get_running_loop().create_future()
        return answer

    def _begin(self) -> None:
        keys, self._waiting = self._waiting, []
        task = get_running_loop().create_task(self._ask(keys))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _ask(self, keys: list[Key]) -> None:
        try:
            answers = await self._question.answer(self._store.reader(), keys)
        except Exception as error:
            for _, answer in self._wanted(keys):
                answer.set_exception(error)
        else:
            for key, answer in self._wanted(keys):
                answer.set_result(answers.get(key))

    def _wanted(self, keys: list[Key]) -> Iterator[tuple[Key, Future[Any]]]:
        """The futures of those who still wait."""
        for key in keys:
            answer = self._answers[key]
            if answer.cancelled():
                del self._answers[key]
            else:
                yield key, answer
