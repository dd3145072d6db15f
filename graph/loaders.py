"""One loader a question, for the length of a request: what many members are asked is asked of the database once.

The questions are the core's own (``core.engine.reads``), which operations ask as well. What several requests ask at the
same time goes to the database together, as operations do in a batch: a process that is asked much sends few
statements. A request never gets what was read before it asked.
"""

from asyncio import Future, Task, gather, get_running_loop
from collections import defaultdict
from collections.abc import Coroutine, Hashable, Mapping, Sequence
from contextvars import Context, copy_context
from itertools import chain
from typing import Any, Final, NamedTuple

from core.books.members import bucket_of
from core.engine.reads import Question
from core.store import Store
from core.store.databases import lost_connection, took_too_long
from core.store.questions import Rows
from graph.observing.trail import TRAIL
from graph.texts import NUL

Key = tuple[Any, ...]

AT_ONCE: Final = 2
"""Statements of one question that are on their way at the same time; what comes then waits for the next, together."""
HALVED_MIN: Final = 12
"""So many requests that ask one question, not all about the same, are answered by two statements rather than one."""
LONG_SECONDS: Final = 0.05
"""A statement that takes longer keeps nobody waiting."""
JOINED_KEYS_MAX: Final = 128
"""Keys of several questions in one statement, which takes less than one for each as long as they are few."""
JOINED_MAX: Final = 8
"""Questions in one statement, each of whose rows has the columns of all of them."""
KEYS_MAX: Final = 1_000
"""Keys of several requests in one statement; what one asks at once may be more. A question may have a ``keys_max``."""

_NOBODYS: Final = Context()
"""What is done for nobody in particular runs with these variables, so that it keeps no request's."""


class Loaders:
    """The loaders of one request."""

    def __init__(self, gathered: "Gathered") -> None:
        self._gathered = gathered
        self._request = object()  # not this one, or each of a request's would keep the other
        self._known: defaultdict[Hashable, dict[Key, _Asked]] = defaultdict(dict)

    def forget(self) -> None:
        """Ask anew from here on, as something was written."""
        self._known.clear()

    def know(self, question: Question[Any, Any], answers: Mapping[Key, Any]) -> None:
        """Take over answers that need not be asked for."""
        asked = _Asked([*answers], self._request)
        asked.answers = answers
        self._known[question].update(dict.fromkeys(answers, asked))

    async def ask(self, question: Question[Any, Any], key: Key) -> Any:
        """The answer to a question about one key, asked together with those about other keys."""
        asked = self._known[question].get(key)
        if asked is None:
            for part in key:
                if part.__class__ is str and NUL in part:
                    return None  # nothing is called so, and PostgreSQL would not even look
            asked = self._ask(question, (key,))
        if asked.answers is None:
            await self._answer_of(question, asked)
        assert asked.answers is not None, "they were waited for"
        return asked.answers.get(key)

    async def ask_all(self, question: Question[Any, Any], keys: Sequence[Key]) -> list[Any]:
        """The answers to a question about several keys of our own, in their order."""
        known, told = self._known[question], []
        if not known and keys:
            together = self._ask(question, list(dict.fromkeys(keys)))
            await self._answer_of(question, together)
            assert together.answers is not None, "they were waited for"
            return [*map(together.answers.get, keys)]
        for key in keys:
            asked = known.get(key)
            if asked is None or asked.answers is None:
                break
            told.append(asked.answers.get(key))
        else:
            return told
        if unknown := [key for key in keys if key not in known]:
            self._ask(question, list(dict.fromkeys(unknown)))
        found = [known[key] for key in keys]
        if waited := dict.fromkeys([asked for asked in found if asked.answers is None]):
            if len(waited) == 1:
                [asked] = waited
                await self._answer_of(question, asked)
            else:
                await gather(*[self._answer_of(question, asked) for asked in waited])
        # They were waited for.
        return [asked.answers.get(key) for asked, key in zip(found, keys, strict=True)]  # type: ignore[union-attr]

    def foresee(self, question: Question[Any, Any], keys: Sequence[Key]) -> None:
        """Ask now what is going to be asked, so that it goes to the database with what is asked meanwhile."""
        known = self._known[question]
        # What is looked up twice may be summed up twice.
        unknown = list(dict.fromkeys(keys))
        if known:
            unknown = [key for key in unknown if key not in known]
        if unknown:
            asked = self._ask(question, unknown)
            asked.is_foreseen = asked.under_way = True
            self._gathered.ask(question, asked)

    async def rows(self, kind: type, member_id: str, where: str = "", /, **by: Any) -> list[Any]:
        """The member's rows of a kind whose columns equal ``by``; ``where`` is a fixed SQL condition."""
        question = Rows(kind, ("bucket", "member_id", *by), where)
        return await self.ask(question, (bucket_of(member_id), member_id, *by.values())) or []

    def _ask(self, question: Question[Any, Any], keys: Sequence[Key]) -> "_Asked":
        asked = _Asked(keys, self._request)
        self._known[question].update(dict.fromkeys(keys, asked))
        return asked

    def _answer_of(self, question: Question[Any, Any], asked: "_Asked") -> Future[None]:
        """Done when there are answers. It is the caller's own: whoever is cancelled cancels what it waits for."""
        waiting: Future[None] = get_running_loop().create_future()
        if asked.error is not None:
            waiting.set_exception(asked.error)
            return waiting
        asked.waiting.append(waiting)
        if not asked.under_way:
            asked.under_way = True
            self._gathered.ask(question, asked)
        return waiting


class _Asked:
    """Keys that a request asks about together, and who of it waits for the answers."""

    answers: Mapping[Key, Any] | None = None
    error: Exception | None = None
    under_way = False
    is_foreseen = False

    def __init__(self, keys: Sequence[Key], request: object) -> None:
        self.keys = keys
        self.request = request
        self.variables = copy_context()
        self.waiting: list[Future[None]] = []

    @property
    def is_wanted(self) -> bool:
        return self.is_foreseen or False in [waiting.done() for waiting in self.waiting]

    def give(self, answers: Mapping[Key, Any]) -> None:
        self.answers = answers
        for waiting in self.waiting:
            if not waiting.done():
                waiting.set_result(None)

    def fail(self, error: Exception) -> None:
        self.error = error
        for waiting in self.waiting:
            if not waiting.done():
                waiting.set_exception(error)

    def drop(self) -> None:
        """Whoever waits next asks anew."""
        self.waiting.clear()
        self.under_way = False


class _Line:
    """What waits for a statement of one question, and how many of them are on their way."""

    __slots__ = ("begins", "keys_max", "under_way", "waiting")

    def __init__(self, keys_max: int) -> None:
        self.keys_max = keys_max
        self.waiting: list[_Asked] = []
        self.under_way = 0
        self.begins = False

    def take(self, *, halved: bool) -> list[_Asked]:
        """What goes in one statement; what is asked together stays together. Of many, ``halved``, half go first."""
        wanted, self.waiting = _wanted(self.waiting), []
        if halved and not self.under_way:
            wanted, self.waiting = _halves(wanted)
        if sum([len(asked.keys) for asked in wanted]) <= self.keys_max:
            return wanted
        many = 0
        for at, asked in enumerate(wanted):
            many += len(asked.keys)
            if at and many > self.keys_max:
                self.waiting = wanted[at:] + self.waiting
                return wanted[:at]
        return wanted


class _Sent(NamedTuple):
    """Those of a line that go together, in a statement of their own or in one with other lines'."""

    question: Question[Any, Any]
    line: _Line
    together: Sequence[_Asked]

    @property
    def variables(self) -> Context:
        """The first one's: in logs and traces the statement is theirs."""
        return self.together[0].variables

    def keys(self) -> list[Key]:
        if len(self.together) == 1:
            return [*self.together[0].keys]
        return list(dict.fromkeys(chain.from_iterable([asked.keys for asked in self.together])))

    def give(self, answers: Mapping[Key, Any]) -> None:
        if len(self.together) == 1:
            self.together[0].give(answers)
            return
        for asked in self.together:
            # Nobody keeps what is another's.
            asked.give(dict(zip(asked.keys, map(answers.get, asked.keys), strict=True)))


class Gathered:
    """The questions of all requests of a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lines: dict[Hashable, _Line] = {}
        self._beginning: list[tuple[Question[Any, Any], _Line]] = []
        self._running: set[Task[None]] = set()

    def ask(self, question: Question[Any, Any], asked: _Asked) -> None:
        """Have a question answered with the next statement."""
        line = self._lines.get(question)
        if line is None:
            line = self._lines[question] = _Line(getattr(question, "keys_max", KEYS_MAX))
        line.waiting.append(asked)
        self._look(question, line)

    def _look(self, question: Question[Any, Any], line: _Line) -> None:
        if line.begins or line.under_way >= AT_ONCE:
            return
        if line.waiting:
            line.begins = True
            # The loop comes to it when all that runs by now waits for something.
            get_running_loop().call_soon(self._begin, question, line, context=_NOBODYS)
        elif not line.under_way:
            self._lines.pop(question)

    def _begin(self, question: Question[Any, Any], line: _Line) -> None:
        if not self._beginning:
            # After the others that begin by now: what was asked first must not go before they all have been asked.
            variables = line.waiting[0].variables
            self._run(self._send_all(variables), variables)
        self._beginning.append((question, line))

    async def _send_all(self, variables: Context) -> None:
        """Send all that begins by now. What goes with these variables, as this does, goes without another turn."""
        if own := self._send_others(variables):
            await self._send(own)

    def _send_others(self, variables: Context) -> Sequence[_Sent]:
        """Have all sent that begins by now but what goes with these variables, which is given."""
        beginning, self._beginning = self._beginning, []
        few: list[_Sent] = []
        groups: list[Sequence[_Sent]] = []
        left = JOINED_KEYS_MAX
        for question, line in beginning:
            line.begins = False
            if together := line.take(halved=len(line.waiting) >= HALVED_MIN and self._answers_several()):
                line.under_way += 1
                sent = _Sent(question, line, together)
                many = sum([len(asked.keys) for asked in together])
                if many <= left and len(few) < JOINED_MAX and hasattr(question, "lookup"):
                    left -= many
                    few.append(sent)
                else:
                    groups.append([sent])
            self._look(question, line)
        if len(few) > 1 and self._joins():
            groups.append(few)
        else:
            groups += [[sent] for sent in few]
        own: Sequence[_Sent] = ()
        for parts in groups:
            if parts[0].variables is variables:
                own = parts
            else:
                self._run(self._send(parts), parts[0].variables)
        return own

    def _joins(self) -> bool:
        """Whether one statement for several questions takes less than one for each."""
        try:
            return self._store.reader().joins
        except Exception:
            return False  # each statement says so to whoever waits for it

    def _answers_several(self) -> bool:
        """Whether the database looks things up for several statements at the same time."""
        try:
            return not self._store.one_writer
        except Exception:
            return False

    async def _send(self, parts: Sequence[_Sent]) -> None:
        held = [(question, line) for question, line, _ in parts]

        def free() -> None:
            """Let the next statement go, as this one has ended or takes long."""
            while held:
                question, line = held.pop()
                line.under_way -= 1
                self._look(question, line)

        long = get_running_loop().call_later(LONG_SECONDS, free, context=_NOBODYS)
        try:
            await self._answer(parts)
        finally:
            long.cancel()
            # After those who were answered have asked on.
            get_running_loop().call_soon(free, context=_NOBODYS)

    def _run(self, coroutine: Coroutine[Any, Any, None], variables: Context) -> Task[None]:
        task = get_running_loop().create_task(coroutine, context=variables)
        self._running.add(task)
        task.add_done_callback(self._running.discard, context=_NOBODYS)
        return task

    async def _answer(self, parts: Sequence[_Sent]) -> None:
        requests: dict[object, _Asked] = {}
        for part in parts:
            for asked in part.together:
                requests.setdefault(asked.request, asked)
        if len(requests) > 1:
            for other in [*requests.values()][1:]:
                # The statement counts itself for the first of them; the others wait for it as well.
                if (trail := other.variables.get(TRAIL)) is not None:
                    trail.statements += 1
        try:
            await self._give(parts)
        except Exception as error:
            is_over = lost_connection(error) or took_too_long(error)
            if len(parts) > 1 and not is_over:
                # Nor does anybody suffer from another question: each is asked again by itself.
                for part in parts:
                    if wanted := _wanted(part.together):
                        await self._answer_again(part, wanted)
                return
            if len(requests) == 1 or is_over:
                for part in parts:
                    for asked in part.together:
                        asked.fail(error)
                return
            # Nobody is to suffer from what another has asked: the others are asked again without them, half by half.
            first = set([*requests][: len(requests) // 2])
            [part] = parts
            for is_first in (True, False):
                half = _wanted([asked for asked in part.together if (asked.request in first) is is_first])
                if half:
                    await self._answer_again(part, half)

    def _answer_again(self, part: _Sent, together: Sequence[_Asked]) -> Task[None]:
        again = part._replace(together=together)
        return self._run(self._answer([again]), again.variables)

    async def _give(self, parts: Sequence[_Sent]) -> None:
        reader = self._store.reader()
        if len(parts) == 1:
            [part] = parts
            part.give(await part.question.answer(reader, part.keys()))
            return
        questions: list[Any] = [part.question for part in parts]
        found = await reader.find_all(
            [question.lookup(part.keys()) for question, part in zip(questions, parts, strict=True)]
        )
        answers = []
        for question, rows in zip(questions, found, strict=True):
            told = question.told(rows)
            answers.append(await question.settle(reader, told) if hasattr(question, "settle") else told)
        for part, told in zip(parts, answers, strict=True):
            part.give(told)


def _halves(wanted: list[_Asked]) -> tuple[list[_Asked], list[_Asked]]:
    """Those that go first, half of many requests, and the others: one half is answered while the other is looked up.

    Whoever asks the same goes together, as it is looked up once.
    """
    if len({asked.request for asked in wanted}) < HALVED_MIN:
        return wanted, []
    alike: defaultdict[tuple[Key, ...], list[_Asked]] = defaultdict(list)
    for asked in wanted:
        alike[tuple(asked.keys)].append(asked)
    first: list[_Asked] = []
    groups = iter(alike.values())
    while len(first) * 2 < len(wanted):
        first += next(groups)
    return first, [*chain.from_iterable(groups)]


def _wanted(together: Sequence[_Asked]) -> list[_Asked]:
    """Those for which somebody waits."""
    wanted = []
    for asked in together:
        if asked.is_wanted:
            wanted.append(asked)
        else:
            asked.drop()
    return wanted
