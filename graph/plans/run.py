"""One execution of a plan: what its functions share, and the coroutines that wait for something.

A resolver's coroutine is stepped where its field is met. One that waits for nothing is done with that, without a task;
one that waits is gone on with when its future is done, so that all that an operation asks for is asked for together.
"""

from asyncio import CancelledError, Future, Task, current_task, get_running_loop
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import Context as Variables
from contextvars import copy_context
from types import CoroutineType
from typing import Any, Final, NamedTuple, Protocol

from graphql import GraphQLField
from graphql.execution.values import VariableValues
from strawberry.types.field import StrawberryField

from graph.at_once import resumed
from graph.context import Context

Complete = Callable[[Any, "Run"], Any]
"""What a resolver gave, as it stands in the answer. Raises an exception, of whatever kind, where it cannot."""


class Surprise(Exception):
    """Something that a plan does not answer. It says what, for whoever looks for the reason.

    ``resolved`` is what a mutation has done by then, which is never done again.
    """

    def __init__(self, said: str, resolved: "Resolved | None" = None) -> None:
        super().__init__(said)
        self.resolved = resolved


class Resolved:
    """What the resolver of a mutation's field gave, or raised.

    To graphql-core it is middleware that gives the same in place of the resolver, for it to answer what is selected.
    """

    __slots__ = ("_error", "_resolve", "_value")

    def __init__(self, field: GraphQLField) -> None:
        self._resolve = field.resolve
        self._value: Any = None
        self._error: Exception | None = None

    async def by(self, resolving: Awaitable[Any]) -> Any:
        """What the resolver gives. Raises Surprise when it raises."""
        try:
            self._value = await resolving
        except Exception as error:
            self._error = error
            raise Surprise(f"{type(error).__name__}: {error}") from error
        return self._value

    def get_field_resolver(self, resolve: Callable[..., Any]) -> Callable[..., Any]:
        """What resolves a field whose resolver that is."""
        return self._give if resolve is self._resolve else resolve

    def _give(self, source: Any, info: Any, **arguments: Any) -> Any:
        if self._error is not None:
            raise self._error
        return self._value


class Given(Protocol):
    """What tells, by the number of a field, what its resolver is given in a run."""

    @property
    def info(self) -> Callable[["Run", int], Any]: ...

    def declared(self, number: int) -> tuple[StrawberryField, tuple[int, ...]]: ...

    def raw_info(self, run: "Run", number: int) -> Any: ...

    def arguments(self, run: "Run", number: int) -> dict[str, Any]: ...


class _Waiting(NamedTuple):
    """A coroutine that was begun, and where in the answer stands what it gives."""

    coroutine: Coroutine[Any, Any, Any]
    variables: Variables
    complete: Complete
    answer: dict[str, Any]
    name: str


class Run:
    """One execution.

    ``infos``, ``raw_infos`` and ``arguments`` are by field: all items of a list are resolved with the same, as nothing
    in them depends on the item but the path, which no plan knows. ``resolved`` is what a mutation has done by now.
    """

    __slots__ = (
        "_arguments", "_raw_infos", "_ready", "_waiting", "_wake", "context", "infos", "plan", "resolved", "variables"
    )  # fmt: skip

    def __init__(self, context: Context, variables: VariableValues, plan: Given) -> None:
        self.context = context
        self.variables = variables
        self.resolved: Resolved | None = None
        self.plan = plan
        self.infos = _OnDemand(self, plan.info)
        self._arguments: _OnDemand | None = None
        self._raw_infos: _OnDemand | None = None
        self._waiting: dict[Future[Any], list[_Waiting]] = {}
        self._ready: list[Future[Any]] = []
        self._wake: Future[None] | None = None

    @property
    def arguments(self) -> "_OnDemand":
        if self._arguments is None:
            self._arguments = _OnDemand(self, self.plan.arguments)
        return self._arguments

    @property
    def raw_infos(self) -> "_OnDemand":
        if self._raw_infos is None:
            self._raw_infos = _OnDemand(self, self.plan.raw_info)
        return self._raw_infos

    def wait(self, awaitable: Awaitable[Any], complete: Complete, answer: dict[str, Any], name: str) -> None:
        """Put what the awaitable gives into the answer, now or once it has it."""
        coroutine: Any = awaitable if type(awaitable) is CoroutineType else _awaited(awaitable)
        # With variables of its own, as a task has them.
        variables = copy_context()
        try:
            future = variables.run(coroutine.send, None)
        except StopIteration as done:
            answer[name] = complete(done.value, self)
        else:
            self._wait_for(future, _Waiting(coroutine, variables, complete, answer, name))

    def wait_for_all(
        self, awaitable: Awaitable[Sequence[Any]], complete: Complete, answers: Sequence[dict[str, Any]], name: str
    ) -> None:
        """Put what the awaitable gives, completed as a list, into the answers, one value into each."""

        def put(values: Sequence[Any], run: Run) -> None:
            for answer, value in zip(answers, complete(values, run), strict=True):
                answer[name] = value

        self.wait(awaitable, put, {}, name)

    async def finish(self) -> None:
        """Return when nothing waits any more."""
        task = current_task()
        assert task is not None, "a plan is run by a task"
        cancelled = task.cancelling()
        try:
            while self._waiting:
                if not self._ready:
                    await self._ready_again(task, cancelled)
                ready, self._ready = self._ready, []
                for future in ready:
                    those = iter(self._waiting.pop(future))
                    try:
                        for waiting in those:
                            self._step(waiting)
                    except BaseException:
                        self._waiting[future] = list(those)
                        raise
        except CancelledError:
            self.abandon()
            if task.cancelling() > cancelled:
                raise
            # A timeout of a resolver's own, which it takes for its task's: it has seen to that in the meantime.
            raise Surprise("a resolver has cancelled what it runs in") from None

    async def _ready_again(self, task: Task[Any], cancelled: int) -> None:
        loop, future = get_running_loop(), next(iter(self._waiting))
        # Not a task, which may survive being cancelled, nor what cannot be waited for here. What is done by now says so
        # when its callbacks are called.
        plain = type(future) is Future and future.get_loop() is loop and not future.done()
        if len(self._waiting) > 1 or not plain:
            self._wake = loop.create_future()
            await self._wake
            return
        # The only one is waited for itself. How it ends is the coroutine's that waits for it.
        try:
            await future
        except CancelledError:
            if task.cancelling() > cancelled:
                raise
        except Exception:
            return

    def release(self) -> None:
        """Let go of what refers to this run, so that nothing of it is left to the garbage collector."""
        for made in (self.infos, self._arguments, self._raw_infos):
            if made is not None:
                made.clear()
                made.run = None

    def abandon(self) -> None:
        """End all that waits, as a task that is cancelled would."""
        waiting, self._waiting = self._waiting, {}
        for future, those in waiting.items():
            future.remove_done_callback(self._done)
            future.cancel()
            for one in those:
                with suppress(BaseException):
                    left = one.variables.run(one.coroutine.throw, CancelledError())
                    # It waits once more, to tidy up: closed now, it would do half of that.
                    task = get_running_loop().create_task(_rest_of(one.coroutine, left), context=one.variables)
                    _ENDING.add(task)
                    task.add_done_callback(_ENDING.discard)

    def _step(self, waiting: _Waiting) -> None:
        try:
            future = waiting.variables.run(waiting.coroutine.send, None)
        except StopIteration as done:
            waiting.answer[waiting.name] = waiting.complete(done.value, self)
        else:
            self._wait_for(future, waiting)

    def _wait_for(self, future: Future[Any] | None, waiting: _Waiting) -> None:
        if future is None:
            # It only lets others have their turn.
            future = get_running_loop().create_future()
            get_running_loop().call_soon(future.set_result, None)
        elif getattr(future, "_asyncio_future_blocking", False):
            future._asyncio_future_blocking = False
        else:
            waiting.coroutine.close()
            raise Surprise(f"a resolver waits for {type(future).__name__}")
        found = self._waiting.get(future)
        if found is None:
            self._waiting[future] = [waiting]
            future.add_done_callback(self._done)
        else:
            found.append(waiting)

    def _done(self, future: Future[Any]) -> None:
        self._ready.append(future)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


class _OnDemand(dict[int, Any]):
    """What is made when it is first asked for."""

    __slots__ = ("_make", "run")

    def __init__(self, run: Run, make: Callable[[Run, int], Any]) -> None:
        self.run: Run | None = run
        self._make = make

    def __missing__(self, number: int) -> Any:
        assert self.run is not None, "the run is not over"
        made = self[number] = self._make(self.run, number)
        return made


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


_ENDING: Final[set[Task[None]]] = set()
"""Coroutines of runs that are over, which are not done yet."""


async def _rest_of(coroutine: Coroutine[Any, Any, Any], future: Future[Any] | None) -> None:
    with suppress(Exception):
        await resumed(coroutine, future)
