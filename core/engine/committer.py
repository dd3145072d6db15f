"""The committer: one queue in front of the database, one transaction for all that waits.

There is no timer. As soon as a commit returns, whatever has come in since is taken, so a batch is as large as the load
and a single operation waits for a turn of the loop. Durability is never traded for speed: an outcome is told after its
commit.

Several batches may be under way at once, so that one is performed while the database has another. No member is in two
of them: what is asked of a member is performed in its order.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import count
from secrets import randbelow
from time import monotonic
from types import TracebackType
from typing import Any, Final, Protocol, Self

from tortoise.exceptions import IntegrityError

from core.engine.batch import Rehearsed, Rules, Ticket, perform, rehearse, rehearse_many
from core.engine.operations import Operation, Outcome
from core.errors import DatabaseFull, DatabaseUnreachable, DeadlineExceeded, Overloaded, ShuttingDown, Unavailable
from core.key_figures.aggregates import SHARDS
from core.oversight.audit import current_note
from core.store import Store
from core.store.databases import full, lost_connection, retryable
from core.telling.changes import Changes
from core.telling.routes import Routes

log = logging.getLogger("laurel.committer")

BATCH_MAX: Final = 512
QUEUE_MAX: Final = 10_000
BESIDE_MIN: Final = 32
"""With so many operations a batch begins beside others. A smaller one costs more than is gained by not waiting."""
_TURNS: Final = 8
"""How many turns of the loop a batch waits at most for what comes in with each."""
_INTEGRITY_TRIES: Final = 3
_UNWATCHED: Final = nullcontext()


class Watch(Protocol):
    """Somebody who wants to know how batches go."""

    def origin(self) -> Any:
        """Where an operation comes from, asked as it is handed in."""

    def batch(self, origins: Sequence[Any], waited: float) -> AbstractContextManager[object]:
        """Entered while a batch is performed; ``waited`` is for how many seconds the first of it was in the queue."""
        ...


class _Waiting(Ticket):
    """A ticket somebody waits for."""

    __slots__ = ("apart", "deadline", "future", "origin", "since")

    def __init__(
        self,
        operation: Operation,
        operation_id: str,
        deadline: float | None,
        origin: Any,
        apart: tuple[Hashable, ...] = (),
    ) -> None:
        note = current_note()
        # What a request has come about of itself, as a delivery or a job that it waits for, is not whose request it is.
        super().__init__(operation, operation_id, note if note is not None and note.actor == operation.actor else None)
        self.since = monotonic()
        self.origin = origin
        # What no other batch has with whom it has this one in common, so that order is kept.
        self.apart = (operation.member, *apart)
        self.deadline = deadline
        self.future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def settle(self) -> None:
        """Tell the caller, unless they have gone."""
        if self.future.done():
            return
        if self.defect is not None:
            self.future.set_exception(self.defect)
        else:
            assert self.outcome is not None
            self.future.set_result(self.outcome)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class _Turn:
    """A batch's turn to claim rows that members share, from when it is taken to the end of the transaction.

    Two batches that claim in turns would wait for each other's rows, which the database finds out after a second.
    """

    def __init__(self, claiming: asyncio.Lock) -> None:
        self._claiming = claiming
        self._has_it = False

    async def take(self) -> None:
        """Wait for the turn, unless it has it."""
        if not self._has_it:
            await self._claiming.acquire()
            self._has_it = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._has_it:
            self._claiming.release()


class Committer:
    """Performs operations in batches. Enter it to start; leaving it performs what it has accepted, then stops.

    ``patience`` is how long, in seconds, an operation is tried again while the database is away. ``at_once`` is how
    many batches may be under way, where the database takes more than one writer.
    """

    def __init__(
        self,
        store: Store,
        rules: Rules,
        *,
        batch_max: int = BATCH_MAX,
        queue_max: int = QUEUE_MAX,
        patience: float = 30.0,
        changes: Changes | None = None,
        at_once: int = 1,
    ) -> None:
        self._store = store
        self._rules = rules
        self.batch_max = batch_max
        self._queue_max = queue_max
        self._patience = patience
        self._changes = changes or Changes()
        self._queue: deque[_Waiting] = deque()
        self._at_once = at_once if at_once == 1 or not store.one_writer else 1
        # What a batch is performed by, as many as may be under way. They add to daily aggregates of their own, as
        # otherwise they would wait for one another.
        self._free = [rules, *(replace(rules, shard=randbelow(SHARDS)) for _ in range(1, self._at_once))]
        self._apart: set[Hashable] = set()
        """Members of the batches under way, and calls that name somebody in two ways: they are in no other batch."""
        self._busy = 0
        """How many operations of them were waiting when it was looked for a batch last."""
        self._claiming = asyncio.Lock()
        self._may_begin = asyncio.Event()
        self._closing = False
        self._runner: asyncio.Task[None] | None = None
        self.watch: Watch | None = None
        self.batches = 0
        self.performed = 0

    @property
    def rules(self) -> Rules:
        """What all batches share."""
        return self._rules

    @property
    def routes(self) -> Routes:
        """Who is to hear of which events."""
        return self._rules.routes

    def beside(self) -> "Committer":
        """A committer beside this one on the same database, to be entered too: each has batches of its own.

        While the database writes one's batch, the other performs. It adds to daily aggregates of its own, as otherwise
        they would wait for each other; where they have a member in common they do.
        """
        rules = replace(self._rules, shard=randbelow(SHARDS))
        beside = Committer(
            self._store,
            rules,
            batch_max=self.batch_max,
            queue_max=self._queue_max,
            patience=self._patience,
            changes=self._changes,
        )
        beside.watch = self.watch
        return beside

    async def __aenter__(self) -> Self:
        self._runner = asyncio.create_task(self._run(), name="committer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._may_begin.set()
        assert self._runner is not None
        # Not awaited itself: cancelling whoever leaves must not cancel the batch that is being committed.
        await asyncio.wait([self._runner])

    @property
    def working(self) -> bool:
        """Whether it takes operations: it has not ended, and the queue has room."""
        running = self._runner is not None and not self._runner.done()
        return running and not self._closing and len(self._queue) < self._queue_max

    @property
    def waiting(self) -> int:
        """How many operations are in the queue."""
        return len(self._queue)

    async def submit(self, operation: Operation, *, patience: float | None = None) -> Outcome:
        """Perform one operation and return its outcome after the commit.

        Refusals are outcomes. Raises Overloaded and ShuttingDown when it was not taken, DeadlineExceeded when it was
        not begun within ``patience`` seconds, DatabaseUnreachable when the outcome is not known (ask again with the
        same key), DatabaseFull when there was no room, and whatever a defective ``perform`` raised.
        """
        (waiting,) = self._enqueue([operation], patience)
        return await waiting.future

    async def submit_many(self, operations: Iterable[Operation]) -> list[Outcome | BaseException]:
        """Perform operations in order; one outcome, or what ``submit`` would have raised, for each."""
        waiting = self._enqueue(list(operations), None)
        return await asyncio.gather(*(w.future for w in waiting), return_exceptions=True)

    async def rehearse(self, operation: Operation) -> Outcome:
        """What ``submit`` would answer at this moment. Nothing is written, and nobody waits for it as a rule.

        A member who is being changed at the same time is locked for it.
        """
        outcome = await rehearse(operation, self._store.reader(), self._rules)
        if outcome is None:
            async with self._store.transaction() as writer:
                outcome = await rehearse(operation, writer, self._rules, lock=writer.lock)
        assert outcome is not None, "nobody changes who is locked"
        return outcome

    async def rehearse_many(self, operations: Sequence[Operation]) -> Rehearsed:
        """What ``submit_many`` would answer at about this moment, and what members would owe. Nothing is written."""
        return await rehearse_many(operations, self._store.reader(), self._rules)

    def _enqueue(self, operations: Sequence[Operation], patience: float | None) -> list[_Waiting]:
        if self._closing:
            raise ShuttingDown("Laurel is shutting down; send it again")
        if len(self._queue) + len(operations) > self._queue_max:
            raise Overloaded(f"{len(self._queue)} operations are waiting; send it again later")
        deadline = None if patience is None else monotonic() + patience
        origin = None if self.watch is None else self.watch.origin()
        # By the names alone nobody knows who is whom.
        named = len(operations) > 1 and len({type(operation.member) for operation in operations}) > 1
        apart = (object(),) if named else ()
        waiting = [_Waiting(operation, self._rules.new_id(), deadline, origin, apart) for operation in operations]
        self._queue.extend(waiting)
        if self._has_enough:
            self._may_begin.set()
        return waiting

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as under_way:
                while self._queue or not self._closing:
                    if batch := self._take():
                        under_way.create_task(self._carry_out(batch, self._free.pop()), name="batch")
                    elif self._queue or not self._closing:
                        self._may_begin.clear()
                        await self._may_begin.wait()
                        await self._gather()
        finally:
            self._closing = True
            # Only a runner that was itself cancelled leaves anything behind.
            for waiting in self._queue:
                waiting.fail(ShuttingDown("Laurel is shutting down; it was not performed"))

    async def _gather(self) -> None:
        """Let come in what is about to: requests that come at the same time are read one after another."""
        for _ in range(_TURNS):
            waiting = len(self._queue)
            await asyncio.sleep(0)
            if len(self._queue) == waiting:
                return

    @property
    def _has_enough(self) -> bool:
        """Whether what is waiting is enough for a batch beside those that are under way."""
        if len(self._free) == self._at_once:
            return bool(self._queue)
        return bool(self._free) and len(self._queue) - self._busy >= BESIDE_MIN

    def _take(self) -> list[_Waiting]:
        """The next batch, of nobody who is in one that is under way; empty when none is to begin."""
        if not self._has_enough:
            return []
        queue, room = self._queue, self.batch_max
        if self._at_once > 1:
            # Half of it, so that there is something to perform while the database has this one.
            room = min(room, max(BESIDE_MIN, len(queue) // 2))
        batch: list[_Waiting] = []
        left: list[_Waiting] = []
        busy = self._apart.copy()
        while queue and len(batch) < room:
            waiting = queue.popleft()
            if not busy.isdisjoint(waiting.apart):
                left.append(waiting)
                busy.update(waiting.apart)
            elif self._is_due(waiting):
                batch.append(waiting)
        queue.extendleft(reversed(left))
        for waiting in batch:
            self._apart.update(waiting.apart)
        self._busy = len(left)
        return batch

    async def _carry_out(self, batch: Sequence[_Waiting], rules: Rules) -> None:
        try:
            with self._watched(batch):
                await self._perform(batch, rules)
        except Exception as error:
            # Whatever it is, those who wait must hear of it and the next batch must be taken.
            log.exception("a batch failed")
            for waiting in batch:
                waiting.fail(error)
        except BaseException:
            for waiting in batch:
                waiting.fail(DatabaseUnreachable("Laurel was stopped; ask again with the same key"))
            raise
        else:
            await self._tidy()
        finally:
            for waiting in batch:
                self._apart.difference_update(waiting.apart)
            self._busy = 0
            self._free.append(rules)
            self._may_begin.set()

    def _watched(self, batch: Sequence[_Waiting]) -> AbstractContextManager[object]:
        if self.watch is None:
            return _UNWATCHED
        return self.watch.batch([waiting.origin for waiting in batch], monotonic() - batch[0].since)

    async def _tidy(self) -> None:
        try:
            await self._store.after_commit()
        except Exception:
            # What was committed is committed, and the next batch tries again.
            log.exception("the database could not be tidied")

    @staticmethod
    def _is_due(waiting: _Waiting) -> bool:
        """Whether somebody still wants it."""
        if waiting.future.cancelled():
            return False
        if waiting.deadline is not None and monotonic() > waiting.deadline:
            waiting.fail(DeadlineExceeded("the operation was not reached in time and was not performed"))
            return False
        return True

    async def _perform(self, batch: Sequence[_Waiting], rules: Rules) -> None:
        """Perform a batch in one transaction; if the database refuses it, in halves, so that a poison fails alone."""
        if not batch:
            return
        try:
            await self._commit(batch, rules)
        except Unavailable as not_now:
            for waiting in batch:
                waiting.fail(not_now)
        except Exception as error:
            if len(batch) == 1:
                log.exception("operation %s failed", type(batch[0].operation).__name__)
                batch[0].fail(error)
                return
            middle = len(batch) // 2
            await self._perform(batch[:middle], rules)
            await self._perform(batch[middle:], rules)
            return
        for waiting in batch:
            waiting.settle()
        self._changes.committed(waiting.outcome for waiting in batch)

    async def _commit(self, batch: Sequence[_Waiting], rules: Rules) -> None:
        """One transaction, tried again while the reason is a lock, a race for a key, or a lost connection.

        After a lost connection nobody knows whether the commit went through; the operations are performed again with
        the same keys, so that they are replayed if it did.
        """
        give_up = monotonic() + self._patience
        races = 0
        for attempt in count():
            try:
                async with _Turn(self._claiming) as turn, self._store.transaction() as writer:
                    await perform(batch, writer, rules, turn.take)
                break
            except Exception as error:
                if isinstance(error, IntegrityError):
                    races += 1
                    if races >= _INTEGRITY_TRIES:
                        raise
                elif full(error):
                    raise DatabaseFull("the database has no room for more; nothing was written") from error
                elif not (retryable(error) or lost_connection(error)):
                    raise
                elif monotonic() > give_up:
                    raise DatabaseUnreachable("the database does not answer; ask again with the same key") from error
                await asyncio.sleep(random.uniform(0, 0.005 * 2 ** min(attempt, 8)))
        self.batches += 1
        self.performed += len(batch)
