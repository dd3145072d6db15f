"""How operations read while many of them perform: each awaits its own question, the batch asks them all at once.

``perform`` may await nothing but reads. The batch steps every operation until it waits, asks each kind of question
once for all the keys that are waited for, and steps on: as many statements as there are kinds of question, however
many operations there are. There is no event loop underneath, so nothing can wait for the network under a lock.
"""

from collections.abc import Generator, Hashable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

K_contra = TypeVar("K_contra", bound=Hashable, contravariant=True)
K = TypeVar("K", bound=Hashable)
V_co = TypeVar("V_co", covariant=True)
V = TypeVar("V")


class Question(Hashable, Protocol[K_contra, V_co]):
    """One kind of question; equal questions are asked together."""

    async def answer(self, reader: Any, keys: Sequence[K_contra]) -> Mapping[Any, V_co]:
        """Answers by key, in one statement. A key without an answer gets None."""
        ...


class Read(Generic[K, V]):
    """One question about one key. Awaiting it inside ``perform`` gives the answer, or None."""

    # No Awaitable by name: of an abstract class's own it takes long to say that something is one.

    __slots__ = ("key", "question")

    def __init__(self, question: Question[K, V], key: K) -> None:
        self.question = question
        self.key = key

    def __await__(self) -> Generator["Read[K, V]", V | None, V | None]:
        return (yield self)
