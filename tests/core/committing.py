"""A desk: a committer on a fresh database with a small programme, and short ways to ask it for things.

``Give`` is the one operation that the core does not have: what a channel would do, with all that ``Work.earn`` takes.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from logging import DEBUG, Handler, LogRecord, getLogger
from typing import Any, ClassVar, Final

from core.books.accounts import Account, Entry
from core.books.holds import Hold, HoldLot
from core.books.lots import Extension, Lot, LotMove
from core.books.members import ByExternalId, ById, Member, MemberRef, TierChange, bucket_of, new_id
from core.books.tallies import Tally
from core.channels.corrections import AdjustPoints, ReverseTransaction
from core.channels.redemption import HoldPoints, RedeemPoints
from core.engine.batch import Rules
from core.engine.committer import Committer
from core.engine.operations import Operation, Outcome, Recorded
from core.engine.work import Reaction, Work
from core.models import ProgrammeVersionRow
from core.people.membership import EnrolMember
from core.rulebook.programme import load_programme
from core.rulebook.programmes import Programmes
from core.store import Store
from core.store.databases import Tables, connect
from core.store.dialect import Reader
from core.store.tables import Table, table_of
from core.telling.events import Outgoing
from core.telling.routes import Routes
from core.time.clock import Clock, StoppedClock
from core.units import POINTS

APPS: Final = {"core": Tables(("core.models",), "core.migrations")}
KINDS: Final = (Member, Account, Recorded, Entry, Lot, LotMove, Extension, Hold, HoldLot, Tally, TierChange, Outgoing)

BEGIN: Final = datetime(2026, 1, 15, 2, tzinfo=UTC)
"""Ten in the morning in Shanghai."""

PROGRAMME: Final = """
id: shop
currency: CNY
timezone: Asia/Shanghai
expiry: {mode: per_lot, months: 12}
tiers:
  ladder:
  - {id: regular}
  - {id: silver, all: [{fact: points_earned, at_least: 1000}]}
  - {id: gold, all: [{fact: points_earned, at_least: 5000, window: {months: 12}}]}
"""


@dataclass(frozen=True, kw_only=True)
class Give(Operation):
    """Earn a lot, as a channel would."""

    channel: ClassVar[str] = "test"
    kind: ClassVar[str] = "give"

    points: int
    unit: str = POINTS
    earned_at: datetime | None = None
    pending_days: int = 0

    async def perform(self, work: Work) -> dict[str, Any]:
        lot = await work.earn(self.points, unit=self.unit, earned_at=self.earned_at, pending_days=self.pending_days)
        return {"lot": lot.seq}


async def publish(document: str = PROGRAMME, *, number: int = 1, starts_at: datetime | None = None) -> None:
    """A version of the programme, in force from the start of 2020 unless it is said otherwise."""
    starts_at = starts_at or datetime(2020, 1, 1, tzinfo=UTC)
    await ProgrammeVersionRow.create(
        number=number,
        document=document,
        digest="",
        author="a test",
        reason="a test",
        starts_at=starts_at,
        published_at=starts_at,
    )


def rules(clock: Clock, *, reactions: Sequence[Reaction] = (), outgoing: Sequence[str] = ()) -> Rules:
    """What a committer needs to know, with programmes that have no channels."""
    return Rules(
        programmes=Programmes(lambda document: load_programme(document, {})),
        clock=clock,
        new_id=new_id,
        reactions=reactions,
        routes=Routes({"somebody": outgoing}),
    )


class Desk:
    """Where operations are handed in, and where one looks afterwards."""

    def __init__(self, store: Store, committer: Committer, clock: StoppedClock, programmes: Programmes) -> None:
        self.store = store
        self.committer = committer
        self.programmes = programmes
        self.clock = clock
        self._keys = count()

    def request(self, member: MemberRef, key: str | None = None) -> dict[str, Any]:
        """The fields that every operation has; the key is a new one unless it is given."""
        return {"member": member, "idempotency_key": key or f"key {next(self._keys)}", "actor": "a test"}

    async def submit(self, operation: Operation) -> Outcome:
        return await self.committer.submit(operation)

    async def accepted(self, operation: Operation) -> Outcome:
        """The outcome of what must not be refused."""
        outcome = await self.submit(operation)
        assert outcome.accepted, outcome.refusal
        return outcome

    async def enrol(self, name: str = "m1") -> ById:
        outcome = await self.accepted(EnrolMember(**self.request(ByExternalId(name))))
        assert outcome.member_id
        return ById(outcome.member_id)

    async def give(self, member: MemberRef, points: int, **how: Any) -> str:
        """Points for the member; the transaction's id."""
        return _id(await self.accepted(Give(**self.request(member), points=points, **how)))

    async def adjust(self, member: MemberRef, points: int) -> str:
        operation = AdjustPoints(**self.request(member), points=points, reason="as agreed")
        return _id(await self.accepted(operation))

    async def redeem(self, member: MemberRef, points: int) -> str:
        return _id(await self.accepted(RedeemPoints(**self.request(member), points=points)))

    async def hold(self, member: MemberRef, points: int, **how: Any) -> Outcome:
        return await self.accepted(HoldPoints(**self.request(member), points=points, **how))

    async def reverse(self, member: MemberRef, transaction: str, points: int | None = None) -> Outcome:
        """Ask for a reversal, which may be refused."""
        request = self.request(member)
        return await self.submit(
            ReverseTransaction(**request, transaction=transaction, points=points, reason="sent back")
        )

    async def account(self, member: ById, unit: str = POINTS) -> Account:
        (account,) = await self.rows(Account, member, unit=unit)
        assert isinstance(account, Account)
        return account

    async def member(self, member: ById) -> Member:
        table = table_of(Member)
        keys = [(bucket_of(member.id), member.id)]
        (row,) = await self.store.reader().select(table, ("bucket", "id"), keys)
        found: Member = table.of(table.decode(row))
        return found

    async def rows(self, kind: type, member: ById, **by: Any) -> list[Any]:
        """The member's rows of a kind in key order, as values."""
        table = table_of(kind)
        columns = ("bucket", "member_id", *by)
        keys = [(bucket_of(member.id), member.id, *by.values())]
        rows = await self.store.reader().select(table, columns, keys)
        return sorted((table.of(table.decode(row)) for row in rows), key=table.key_of)

    async def lots(self, member: ById, unit: str = POINTS) -> list[int]:
        """What is left of each lot, expired or not, by number."""
        return [lot.remaining for lot in await self.rows(Lot, member, unit=unit)]

    async def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables."""
        return await dump(self.store.reader())


def _id(outcome: Outcome) -> str:
    assert outcome.recorded
    return outcome.recorded.id


@asynccontextmanager
async def open_desk(
    *, clock: StoppedClock | None = None, programme: str = PROGRAMME, settings: Rules | None = None, **how: Any
) -> AsyncIterator[Desk]:
    """A desk on the database that is open, with the programme published and ``how`` the committer is to work."""
    clock = clock or StoppedClock(BEGIN)
    store = Store()
    if programme:
        await publish(programme)
    settings = settings or rules(clock)
    async with Committer(store, settings, **how) as committer:
        yield Desk(store, committer, clock, settings.programmes)


@asynccontextmanager
async def desk_at(url: str, **how: Any) -> AsyncIterator[Desk]:
    """A desk on the database of that address."""
    async with connect(url, APPS), open_desk(**how) as desk:
        yield desk


async def dump(reader: Reader) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, as the driver gives them, in key order."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for kind in KINDS:
        table = table_of(kind)
        found = await reader.query(f"SELECT {', '.join(table.columns)} FROM {table.name}")
        rows[table.name] = sorted(found, key=partial(_key, table))
    return rows


def _key(table: Table, row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(row[table.columns.index(column)] for column in table.key)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that are sent while this is open."""
    sent: list[str] = []

    class Listener(Handler):
        def emit(self, record: LogRecord) -> None:
            arguments: Mapping[str, object] | tuple[object, ...] | None = record.args
            sent.append(str(arguments[0]) if isinstance(arguments, tuple) and arguments else record.getMessage())

    logger, listener = getLogger("tortoise.db_client"), Listener()
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(DEBUG)
    try:
        yield sent
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)
