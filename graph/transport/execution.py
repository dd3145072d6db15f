"""The one way in which a request is executed, whatever brought it: HTTP, server-sent events or a WebSocket.

::

    authenticate(token) ──► Caller        who asks
    prepare(asked)      ──► Prepared      the document, its operation, its variables, within the limits
    execute(prepared)   ──► Answer        of a query or a mutation
    subscribe(prepared) ──► Answer, …     of a subscription, one for each event

Strawberry's own way is not taken: it parses and validates anew for each request, runs the first of several operations,
and has no place for what must hold on every transport.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from contextvars import Context as Variables
from itertools import takewhile
from time import monotonic
from typing import Any, Final, NamedTuple, cast

import orjson
from graphql import (
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    default_field_resolver,
    default_type_resolver,
    execute_subscription_event,
    located_error,
)
from graphql.execution import create_source_event_stream, map_source_to_response_event
from graphql.execution.executor import Executor
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graph.context import Context
from graph.federation import is_router
from graph.keysets import KeysUnreachable
from graph.laurel import Laurel
from graph.limits.actual import Weigher
from graph.limits.checks import Charge, Limits
from graph.limits.rates import REFUSED_COST, Rates, Standing
from graph.observing.observer import Observer
from graph.observing.trail import note_errors
from graph.plans import Planner, Resolved, Surprise
from graph.schema import LaurelSchema
from graph.settings import Settings
from graph.tokens import Caller, TokenInvalid
from graph.transport.documents import Document, Documents
from graph.transport.failures import DocumentFailed, Failure, RequestFailed, defect, shown
from graph.transport.requests import Asked, read_asked
from graph.transport.trusted import documents_of_pages, read_manifests

log = logging.getLogger("laurel.graph")

TRUSTED_SECONDS: Final = 60.0
LONG_SECONDS: Final = 0.1
"""What takes longer than this is watched: it is given up when its time is over, or its client has gone."""
COERCION_ERRORS_MAX: Final = 50
NOTHING: Final[Any] = object()
"""The data of an answer that has none, as nothing was executed."""


class ClientGone(Exception):
    """There is nobody any more who would read the answer."""


class Prepared(NamedTuple):
    """A request that may be executed."""

    document: Document
    operation: OperationDefinitionNode
    variables: VariableValues
    charge: Charge
    weigher: Weigher
    suggests: bool

    @property
    def kind(self) -> OperationType:
        return self.operation.operation


class Answer(NamedTuple):
    """What is answered; ``data`` is None when a failure has spoilt it, and NOTHING when nothing was executed."""

    errors: list[dict[str, Any]]
    data: Any = NOTHING
    extensions: dict[str, Any] | None = None

    def formatted(self) -> dict[str, Any]:
        """The answer as a GraphQL response. Errors come first, so that nobody overlooks them."""
        response: dict[str, Any] = {"errors": self.errors} if self.errors else {}
        if self.data is not NOTHING:
            response["data"] = self.data
        if self.extensions:
            response["extensions"] = self.extensions
        return response

    def encoded(self) -> bytes:
        return orjson.dumps(self.formatted())


class Engine:
    """Executes what is asked of one schema. ``laurel`` is set for as long as the server runs."""

    def __init__(self, schema: LaurelSchema, settings: Settings) -> None:
        self.schema = schema
        self.settings = settings
        trusts = settings.trusted_mode != "off"
        self.limits = Limits(schema.prices, settings.limits, introspection=settings.introspected_by)
        self.rates = Rates(settings.limits, redis_url=settings.redis_url)
        self.planner = Planner(schema.core) if settings.plans else None
        self.documents = Documents(
            schema,
            self.limits,
            read_manifests(settings.trusted_documents) if trusts else {},
            of_pages=documents_of_pages(settings) if trusts else {},
            only_trusted=settings.trusted_mode == "require",
        )
        self.laurel: Laurel | None = None
        self.observer: Observer | None = None
        self.stopping = asyncio.Event()
        """Streams end when it is set: the server waits for all responses before it stops."""
        self._mutations: set[asyncio.Future[Answer]] = set()
        self._patience = _Patience()

    @property
    def running(self) -> Laurel:
        assert self.laurel is not None, "the application has not started"
        return self.laurel

    async def authenticate(self, authorization: str | None) -> Caller | None:
        """Who asks, by the header of that name; None when nobody says. Raises RequestFailed."""
        try:
            return await self.running.authenticator.authenticate(authorization)
        except TokenInvalid as invalid:
            raise RequestFailed(
                Failure.UNAUTHENTICATED, str(invalid), headers={"WWW-Authenticate": "Bearer"}
            ) from invalid
        except KeysUnreachable as unreachable:
            raise RequestFailed(
                Failure.KEYS_UNREACHABLE, str(unreachable), headers={"Retry-After": "30"}
            ) from unreachable

    def seconds_trusted(self, caller: Caller) -> float:
        """After how long who asks is to be looked at again: when their token ends, and before as it may be revoked."""
        if caller.expires_at is None:
            return TRUSTED_SECONDS
        left = (caller.expires_at - self.running.machine.now()).total_seconds()
        return min(max(left, 0.0), TRUSTED_SECONDS)

    def context(self, caller: Caller | None, request_id: str, *, router: bool = False) -> Context:
        until = monotonic() + self.settings.limits.seconds_max
        return Context(self.running, caller, request_id, until, router)

    def is_router(self, authorization: str | None) -> bool:
        """Whether the router of Federation asks, by the header that only it knows."""
        subgraph = self.settings.subgraph
        return subgraph is not None and is_router(subgraph.router_secret, authorization)

    def prepare(self, asked: Asked, caller: Caller | None, *, safe: bool = False) -> Prepared:
        """What a request asks, ready to be executed. Raises RequestFailed; ``safe`` allows no mutation."""
        suggests = self.limits.may_introspect(caller)
        document = self.documents.find(asked, suggests=suggests)
        operation = document.operation(asked.operation_name)
        if safe and operation.operation is OperationType.MUTATION:
            raise RequestFailed(
                Failure.METHOD_NOT_ALLOWED, "a mutation is not sent with GET", headers={"Allow": "POST"}
            )
        name = operation.name.value if operation.name else ""
        priced = document.priced[name]
        given = asked.variables or {}
        charge = self.limits.check(priced.cost, given, caller)
        variables = document.variables[name].coerced(self.schema.core, operation, given) or get_variable_values(
            self.schema.core,
            operation.variable_definitions or (),
            given,
            max_errors=COERCION_ERRORS_MAX,
            hide_suggestions=not suggests,
        )
        if isinstance(variables, list):
            raise DocumentFailed(Failure.BAD_USER_INPUT, variables)
        return Prepared(document, operation, variables, charge, priced.weigher, suggests)

    async def prepare_counted(
        self, asked: Asked, caller: Caller | None, standing: Standing | None, *, safe: bool = False
    ) -> Prepared:
        """The same, counted as what the caller may ask for in a while. Raises RequestFailed."""
        try:
            prepared = self.prepare(asked, caller, safe=safe)
        except RequestFailed:
            await self.rates.charge(standing, REFUSED_COST)
            raise
        await self.rates.charge(standing, prepared.charge.requested)
        return prepared

    async def prepare_batch(self, given: Sequence[Any], caller: Caller | None) -> list[Prepared | RequestFailed]:
        """What each request of a list asks, or why it is not executed. Together they may cost what one may."""
        found: list[Prepared | RequestFailed] = []
        spent = 0
        for one in given:
            # Others have their turn, as each may be a document that takes long to refuse.
            await asyncio.sleep(0)
            try:
                prepared = self.prepare(read_asked(one), caller)
                spent += prepared.charge.requested
                _check_batch(prepared, spent)
            except RequestFailed as failed:
                found.append(failed)
            else:
                found.append(prepared)
        return found

    def execute(
        self, prepared: Prepared, context: Context, *, gone: Callable[[], Awaitable[None]] | None = None
    ) -> Coroutine[Any, Any, Answer]:
        """The answer of a query or a mutation. Raises RequestFailed.

        A query that takes long is given up when its client is ``gone``, which raises ClientGone. A mutation goes on
        when nobody waits for it any more: half of one would be worse than all of it.
        """
        work = self._execute(prepared, context, gone)
        return work if self.observer is None else self.observer.operation(prepared, context, work)

    async def _execute(
        self, prepared: Prepared, context: Context, gone: Callable[[], Awaitable[None]] | None
    ) -> Answer:
        if prepared.kind is OperationType.MUTATION:
            return await self._kept(self._run(prepared, context))
        waited = self._patience.begin(self.settings.limits.seconds_max, gone)
        try:
            return await self._run(prepared, context)
        except asyncio.CancelledError:
            if not waited.has_ended():
                raise
            if waited.is_alone:
                raise ClientGone from None
            reason = f"not answered within {self.settings.limits.seconds_max} seconds"
            return Answer(RequestFailed(Failure.TIMEOUT, reason).shown(context.request_id), None)
        finally:
            self._patience.end(waited)

    async def subscribe(self, prepared: Prepared, context: Context) -> AsyncGenerator[Answer, None]:
        """The answers of a subscription, until it ends or is closed. One without data is its last."""
        await context.follow_clock()
        executor = self._executor(prepared, context)
        source = create_source_event_stream(executor)
        if optimized_is_awaitable(source):
            source = await cast("Any", source)
        if isinstance(source, ExecutionResult):
            yield Answer([shown(error, context.request_id) for error in source.errors or ()])
            return
        results = map_source_to_response_event(executor, cast("Any", source), self._execute_event)
        async with aclosing(results):
            try:
                async for result in results:
                    yield self._answer(prepared, result, context)
            except Exception as error:
                located = located_error(error, prepared.operation.selection_set.selections, None)
                yield Answer([shown(located, context.request_id)])

    def _execute_event(self, executor: Executor[Any]) -> Any:
        # What the event before has read no longer holds.
        executor.context_value.wrote()
        result = execute_subscription_event(executor)
        return self._in_time(cast("Any", result)) if optimized_is_awaitable(result) else result

    async def _in_time(self, event: Awaitable[ExecutionResult]) -> ExecutionResult:
        seconds = self.settings.limits.seconds_max
        try:
            async with asyncio.timeout(seconds) as patience:
                return await event
        except TimeoutError:
            if not patience.expired():
                raise
            late = GraphQLError(f"not answered within {seconds} seconds", extensions={"code": Failure.TIMEOUT.name})
            return ExecutionResult(None, [late])

    async def _run(self, prepared: Prepared, context: Context) -> Answer:
        if context.laurel.clock.is_sandbox:
            await context.follow_clock()
        planned, resolved = await self._planned(prepared, context)
        if planned is not None:
            return Answer([], planned, self._extensions(prepared, planned))
        result = self._executor(prepared, context, resolved).execute_operation()
        if optimized_is_awaitable(result):
            result = await cast("Any", result)
        return self._answer(prepared, cast("ExecutionResult", result), context)

    async def _planned(self, prepared: Prepared, context: Context) -> tuple[dict[str, Any] | None, Resolved | None]:
        """The data of an answer without errors, where the operation has a plan that finds it.

        Where it does not, what a mutation has done meanwhile.
        """
        if self.planner is None or (self.observer is not None and self.observer.executor is not None):
            return None, None  # spans are of fields
        way, data, resolved = "executor", None, None
        try:
            data = await self.planner.answer(prepared.document.plans, prepared.operation, prepared.variables, context)
            way = "executor" if data is None else "plan"
        except Surprise as surprise:
            log.debug("request %s: %s", context.request_id, surprise)
            way, resolved = "surprise", surprise.resolved
        if self.observer is not None:
            self.observer.executed(way)
        return data, resolved

    def _answer(self, prepared: Prepared, result: ExecutionResult, context: Context) -> Answer:
        errors = result.errors or []
        begun = result.data is not None or prepared.kind is OperationType.SUBSCRIPTION
        if not begun and not any(error.path for error in errors):
            # Nothing was begun: what is wrong with the document shows only when its fields are collected.
            raise DocumentFailed(Failure.GRAPHQL_VALIDATION_FAILED, errors)
        extensions = self._extensions(prepared, result.data)
        return Answer([shown(error, context.request_id) for error in errors], result.data, extensions)

    def _extensions(self, prepared: Prepared, data: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if not self.settings.cost_reported:
            return None
        requested, maximum = prepared.charge
        return {"cost": {"requested": requested, "maximum": maximum, "actual": prepared.weigher.weigh(data)}}

    def _kept(self, work: Coroutine[Any, Any, Answer]) -> asyncio.Future[Answer]:
        """Run something that ends by itself, even if whoever awaits it is gone: shielded, with fewer callbacks."""
        loop = asyncio.get_running_loop()
        awaited: asyncio.Future[Answer] = loop.create_future()

        def ended(task: asyncio.Task[Answer]) -> None:
            self._mutations.discard(task)
            if task.cancelled():
                awaited.cancel()
                return
            error = task.exception()  # looked at, as perhaps nobody awaits it any more
            if awaited.done():
                return
            if error is None:
                awaited.set_result(task.result())
            else:
                awaited.set_exception(error)

        task = loop.create_task(work)
        self._mutations.add(task)
        task.add_done_callback(ended)
        return awaited

    def _executor(self, prepared: Prepared, context: Context, resolved: Resolved | None = None) -> Executor[Any]:
        traced = None if self.observer is None else self.observer.executor
        return (traced or StrawberryGraphQLCoreExecutionContext)(
            self.schema.core,
            prepared.document.fragments,
            prepared.document.details,
            None,
            context,
            prepared.operation,
            prepared.variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            middleware_manager=cast("Any", resolved),
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=not prepared.suggests,
        )


class _Patience:
    """Looks now and then at all that is executed, with one timer, as nearly all is done before it is worth watching."""

    def __init__(self) -> None:
        # Those begun first in front.
        self._waited: dict[_Waited, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        """In which the timer runs, if one does."""

    def begin(self, seconds: float, gone: Callable[[], Awaitable[None]] | None) -> "_Waited":
        """Have what this task executes given up after so many seconds, or once its client has ``gone``."""
        loop = asyncio.get_running_loop()
        waited = _Waited(asyncio.current_task(loop), seconds, gone)
        self._waited[waited] = None
        if self._loop is not loop:
            self._loop = loop
            self._look_later(loop)
        return waited

    def end(self, waited: "_Waited") -> None:
        if waited in self._waited:
            del self._waited[waited]
        else:
            waited.close()

    def _look_later(self, loop: asyncio.AbstractEventLoop) -> None:
        # With nobody's variables, as it is done for all.
        loop.call_later(LONG_SECONDS, self._look, loop, context=Variables())

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        long_ago = monotonic() - LONG_SECONDS
        for waited in list(takewhile(lambda one: one.begun_at <= long_ago, self._waited)):
            del self._waited[waited]
            waited.watch(loop)
        if self._waited:
            self._look_later(loop)
        else:
            self._loop = None


class _Waited:
    """What a task executes. When its time is over, or its client has ``gone``, the task is cancelled.

    It is ``asyncio.timeout`` for what is not watched until it has taken long.
    ``is_alone``: there is nobody any more who would read the answer.
    """

    __slots__ = (
        "_cancelling",
        "_gives_up",
        "_gone",
        "_seconds",
        "_task",
        "_timer",
        "_watching",
        "begun_at",
        "is_alone",
    )

    def __init__(
        self, task: asyncio.Task[Any] | None, seconds: float, gone: Callable[[], Awaitable[None]] | None
    ) -> None:
        assert task is not None, "requests are executed by tasks"
        self._task = task
        self._cancelling = task.cancelling()
        self._seconds = seconds
        self._gone = gone
        self._gives_up = self.is_alone = False
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        self.begun_at = monotonic()

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        left = self._seconds - (monotonic() - self.begun_at)
        self._timer = loop.call_later(max(left, 0.0), self._give_up)
        if self._gone is not None:
            self._watching = loop.create_task(self._departure(self._gone))

    async def _departure(self, gone: Callable[[], Awaitable[None]]) -> None:
        await gone()
        self.is_alone = True
        self._give_up()

    def _give_up(self) -> None:
        if not self._gives_up:
            self._gives_up = True
            self._task.cancel()

    def has_ended(self) -> bool:
        """Whether it is this that has cancelled the task, which nobody else has."""
        if not self._gives_up:
            return False
        self._gives_up = False
        return self._task.uncancel() <= self._cancelling

    def close(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()
        if self._gives_up:
            self._task.uncancel()


def _check_batch(prepared: Prepared, spent: int) -> None:
    """Raise RequestFailed for what is not executed as one of many."""
    if prepared.kind is OperationType.SUBSCRIPTION:
        raise RequestFailed(Failure.INVALID_PARAMETERS, "a subscription is sent alone")
    maximum = prepared.charge.maximum
    if spent > maximum:
        reason = f"cost: {spent} asked for by this list so far, at most {maximum} allowed"
        raise RequestFailed(Failure.COST_LIMIT_EXCEEDED, reason, facts={"requested": spent, "maximum": maximum})


def failed_answer(error: Exception, request_id: str) -> Answer:
    """The answer to a request that was not executed, or that failed as a whole, which is logged."""
    if isinstance(error, RequestFailed):
        answer = Answer(error.shown(request_id))
    else:
        log.error("request %s failed", request_id, exc_info=error)
        answer = Answer([defect(request_id)])
    note_errors(answer.errors)
    return answer
