"""A coroutine that seldom waits, without what waiting needs: a timer, say, for what is there already."""

from asyncio import Future
from collections.abc import Awaitable, Coroutine, Generator
from types import coroutine as coroutine_function
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Done(NamedTuple, Generic[T]):
    """What a coroutine has given."""

    value: T


def at_once(coroutine: Coroutine[Any, Any, T]) -> Done[T] | Awaitable[T]:
    """Begin a coroutine. What it has given if it waits for nothing; otherwise what is to be awaited."""
    try:
        future = coroutine.send(None)
    except StopIteration as done:
        return Done(done.value)
    return resumed(coroutine, future)


def resumed(coroutine: Coroutine[Any, Any, T], future: Future[Any] | None) -> Awaitable[T]:
    """Goes on with a coroutine that has been begun, once the future is done that it waits for."""
    return _resumed(coroutine, future)


@coroutine_function
def _resumed(coroutine: Coroutine[Any, Any, T], future: Future[Any] | None) -> Generator[Any, Any, T]:
    try:
        yield future
    except BaseException as error:
        # The coroutine's, which may see to it, or has to tidy up.
        try:
            following = coroutine.throw(error)
        except StopIteration as done:
            told: T = done.value
            return told
    else:
        given: T = yield from coroutine  # nobody may await what has been begun
        return given
    return (yield from _resumed(coroutine, following))
