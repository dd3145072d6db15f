"""The scratch database: history lived through again, by the same batches and operations that serve members.

The file is SQLite's, whatever the books are kept in, and nobody waits for it to be on the disk: when the machine stops,
so does the simulation.
"""

import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from tortoise.connection import get_connection

from core.books.members import new_id
from core.engine.batch import Rules, Ticket, perform
from core.engine.committer import BATCH_MAX, Committer
from core.engine.operations import Operation
from core.engine.work import Reaction
from core.files.importing import import_batch
from core.ladder.judging import Judges
from core.models import ProgrammeVersionRow
from core.people.erasing import PersonalData
from core.rulebook.programme import Programme
from core.rulebook.programmes import Programmes
from core.scheduling.overdue import adoptions as judged_adoptions
from core.scheduling.overdue import has_begun, judgements_due
from core.scheduling.reviewing import adoptions, begun, reviews_due
from core.scheduling.sweep import settle, sweep
from core.simulating.anew import SHORT, Anew
from core.simulating.history import Again, History
from core.store import Store
from core.store.databases import Tables, connect
from core.store.migrating import migrate
from core.telling.outbox import Consumer, Deliverer
from core.telling.routes import Routes
from core.time.calendar import local_day
from core.time.clock import StoppedClock

ACTOR: Final = "simulation"
_EMPTY: Final = "empty.sqlite3"
_BYTES_AT_ONCE: Final = 8_000_000


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What is installed: the tables, how a document becomes a programme, and what channels offer."""

    apps: Mapping[str, Tables]
    load: Callable[[str], Programme]
    anew: Sequence[Anew]
    reactions: Sequence[Reaction] = ()
    personal: Sequence[PersonalData] = ()
    judges: Judges = field(default_factory=dict)
    outgoing: Mapping[str, frozenset[str]] = field(default_factory=dict)
    consumers: Mapping[str, Consumer] = field(default_factory=dict)

    @property
    def followed(self) -> frozenset[str]:
        """The channels whose ``after_event`` takes part: what those submit comes about anew."""
        return frozenset(offer.channel for offer in self.anew if offer.follow)


class Document(NamedTuple):
    """A version that judges in the scratch database."""

    number: int
    starts_at: datetime
    document: str


@dataclass
class Lived:
    """What became of the operations beside what is in the books: refusals by code, what could not be spent, defects."""

    refused: Counter[str] = field(default_factory=Counter)
    short: Counter[str] = field(default_factory=Counter)
    short_times: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)


class Scratch:
    """A database made for one run, with its programmes. ``live`` replays; then it is there to be read."""

    def __init__(self, parts: Parts, store: Store, programmes: Programmes, url: str) -> None:
        self._parts = parts
        self.store = store
        self.programmes = programmes
        self.lived = Lived()
        self.clock = StoppedClock(datetime.fromisoformat("1970-01-01T00:00:00+00:00"))
        self._batch_max = import_batch(url)
        self._members: dict[str, str] = {}
        on = {channel for version in programmes.versions for channel in version.programme.channels}
        self._followed = parts.followed & on
        routes = Routes({name: parts.outgoing[name] for name in self._followed if name in parts.outgoing})
        self._rules = Rules(
            programmes=programmes,
            clock=self.clock,
            new_id=new_id,
            reactions=parts.reactions,
            personal=parts.personal,
            judges=parts.judges,
            routes=routes,
            new_member_id=self._id_of,
        )
        self._routes = routes

    def _id_of(self, external_id: str) -> str:
        return self._members.get(external_id) or new_id()

    async def live(self, history: History, until: datetime, advance: Callable[[int], None]) -> None:
        """Perform all that happened before ``until``, and all that is due by then."""
        consumers = {name: self._parts.consumers[name] for name in self._followed}
        async with Committer(self.store, self._rules, batch_max=BATCH_MAX) as committer:
            deliverer = Deliverer(consumers, committer.submit, self.clock, routes=self._routes)
            done, before = 0, None
            turns = [version.starts_at for version in self.programmes.versions if version.starts_at < until]
            for turn, following in zip([None, *turns], [*turns, until], strict=True):
                if turn is not None:
                    await self._adopt(committer, turn, before)
                for some in self._batches(history.again(since=turn, until=following)):
                    await self._perform(some)
                    # What one member's order brings another comes after it, as it does in truth.
                    while consumers and await deliverer.drain():
                        pass
                    done += sum(each.operation is not None for each in some)
                    advance(done)
                before = turn
            self.clock.set(until - timedelta(microseconds=1))
            await self._settle(committer)
            while consumers and await deliverer.drain():
                pass

    def _batches(self, again: Iterator[Again]) -> Iterator[list[Again]]:
        """As many as an import takes at once.

        Where channels tell one another's members something, of one day, and until something followed in truth.
        """
        some: list[Again] = []
        size = 0
        by_day = bool(self._followed)
        for each in again:
            full = len(some) >= self._batch_max or size > _BYTES_AT_ONCE
            if some and (full or (by_day and self._day(each.at) != self._day(some[-1].at))):
                yield some
                some, size = [], 0
            some.append(each)
            size += each.size
            if each.operation is None and by_day:
                yield some
                some, size = [], 0
        if some:
            yield some

    def _day(self, at: datetime) -> object:
        version = self.programmes.latest(at)
        return at.date() if version is None else local_day(at, version.programme.zone)

    async def _perform(self, some: Sequence[Again]) -> None:
        self.clock.set(some[-1].at)
        self._members = {each.external_id: each.member_id for each in some}
        tickets = [Ticket(each.operation, each.id) for each in some if each.operation is not None]
        if tickets:
            async with self.store.transaction() as writer:
                await perform(tickets, writer, self._rules)
            await self.store.after_commit()
        for ticket in tickets:
            self._note(ticket)

    def _note(self, ticket: Ticket) -> None:
        place = f"{ticket.operation.channel}.{ticket.operation.kind}"
        if ticket.defect is not None:
            self.lived.failed[f"{place}: {type(ticket.defect).__name__}: {ticket.defect}"[:300]] += 1
            return
        assert ticket.outcome is not None
        if ticket.outcome.refusal is not None:
            self.lived.refused[f"{place}: {ticket.outcome.refusal.code}"] += 1
            return
        for event in ticket.outcome.result.get("events", ()):
            if event["name"] == SHORT:
                self.lived.short[event["unit"]] += event["points"]
                self.lived.short_times[event["unit"]] += 1

    async def _adopt(self, committer: Committer, now: datetime, since: datetime | None) -> None:
        """What a version that begins asks of everybody, as the jobs would."""
        if self.clock.now() < now:
            self.clock.set(now)
        reader = self.store.reader()
        for version in begun(self.programmes, now, since):
            async for operations in adoptions(reader, version, actor=ACTOR):
                await _submit(committer, operations)
        for channel, kind in self._parts.judges.items():
            if has_begun(channel, self.programmes, now, since):
                async for operations in judged_adoptions(reader, kind, self.programmes, now, ACTOR):
                    await _submit(committer, operations)

    async def _settle(self, committer: Committer) -> None:
        """What is due for those to whom nothing happened since, and what has lapsed."""
        reader, now = self.store.reader(), self.clock.now()
        async for _ in settle(reader, committer, reviews_due(ACTOR, now)):
            pass
        if self._parts.judges:
            async for _ in settle(reader, committer, judgements_due(self._parts.judges, ACTOR, now)):
                pass
        await sweep(reader, committer, now, actor=ACTOR)


async def _submit(committer: Committer, operations: Sequence[Operation]) -> None:
    for outcome in await committer.submit_many(operations):
        if isinstance(outcome, BaseException):
            raise outcome


@asynccontextmanager
async def open_scratch(folder: Path, name: str, parts: Parts, documents: Sequence[Document]) -> AsyncIterator[Scratch]:
    """A fresh database in the folder, in which these versions are published; it is deleted at the end."""
    empty, file = folder / _EMPTY, folder / f"{name}.sqlite3"
    if not empty.exists():  # both replays begin with it
        await migrate(f"sqlite://{empty}", parts.apps)
    shutil.copyfile(empty, file)
    url = f"sqlite://{file}"
    try:
        async with connect(url, parts.apps, every_task=True):
            await get_connection("default").execute_query("PRAGMA synchronous = OFF")
            for number, starts_at, document in documents:
                await ProgrammeVersionRow.create(
                    number=number,
                    document=document,
                    digest=parts.load(document).digest,
                    author=ACTOR,
                    reason=ACTOR,
                    starts_at=starts_at,
                    published_at=starts_at,
                )
            store = Store()
            programmes = Programmes(parts.load)
            await programmes.refresh(store.reader())
            yield Scratch(parts, store, programmes, url)
    finally:
        _delete(file)


def _delete(file: Path) -> None:
    for left in file.parent.glob(f"{file.name}*"):
        left.unlink()
