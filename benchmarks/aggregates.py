"""What keeping daily aggregates costs a purchase: the same purchases with and without, in turns.

Without, neither is anything added to the aggregates nor are there the two indexes that figures need of members who
have bought and earned. Purchases go to the committer itself, past the wire, where the share is the largest.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from statistics import median
from time import process_time
from typing import Any, Final
from unittest.mock import patch

from benchmarks.importing import LONG_AGO, purchases_only
from benchmarks.operations import accepted
from benchmarks.rounds import Sample, keep_calling, ratio, take_turns
from core.books.members import ByExternalId, ById
from core.engine.batch import _Batch
from core.people.membership import EnrolMember
from core.rulebook.publishing import publish
from core.store import Store
from core.store.databases import connect
from graph.laurel import Laurel, open_laurel, tables
from graph.settings import Settings
from plugins.purchase.operations import RecordPurchase
from tests.databases import Server

CALLERS: Final = (1, 64, 512)
MEMBERS: Final = 1_000
WITH, WITHOUT = "with aggregates", "without"
PROGRAMME: Final = """
id: bench
currency: EUR
timezone: Europe/Berlin
expiry: {mode: per_lot, months: 12}
channels:
  purchase:
    earn:
      points: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}
      growth: {groups: [{id: base, add: sum, rules: [{id: spend, points: "order.amount"}]}]}
tiers:
  ladder: [{id: regular}, {id: silver, all: [{fact: spend, at_least: "1000", window: {months: 12}}]}]
"""


@contextmanager
def _nothing_is_added() -> Iterator[None]:
    with patch.object(_Batch, "_aggregates", lambda _: []):
        yield


class _Contender:
    """A shop with members who buy, each order on another of the days of a year."""

    def __init__(self, url: str, *, keeps: bool) -> None:
        self._settings = Settings(database_url=url)
        self._keeps = keeps
        self._members: list[str] = []
        self._orders = count()
        self.cpu: list[float] = []
        """Seconds of this process's processor for a purchase, by turn: what others do on the machine matters less."""

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Laurel]:
        with nullcontext() if self._keeps else _nothing_is_added():
            async with open_laurel(self._settings, plugins=purchases_only()) as laurel:
                yield laurel

    async def prepare(self) -> None:
        async with self._open() as laurel:
            await publish(
                PROGRAMME,
                author="bench",
                reason="bench",
                load=laurel.load,
                clock=laurel.clock,
                starts_at=LONG_AGO,
                in_the_past=True,
            )
            await laurel.programmes.refresh(laurel.store.reader())
            outcomes = await laurel.committer.submit_many(
                EnrolMember(member=ByExternalId(f"member {at}"), idempotency_key="enrol", actor="bench")
                for at in range(MEMBERS)
            )
            self._members = [accepted(outcome) for outcome in outcomes]

    def turn(self, callers: int, seconds: float) -> Callable[[], Awaitable[Sample]]:
        async def turn() -> Sample:
            async with self._open() as laurel:
                begin = datetime.now(UTC)

                async def call(caller: int) -> None:
                    number = next(self._orders)
                    await self._buy(laurel, number, begin)

                await keep_calling(call, callers, seconds / 10)
                begun = process_time()
                sample = await keep_calling(call, callers, seconds)
                self.cpu.append((process_time() - begun) / len(sample.latencies))
                return sample

        return turn

    async def _buy(self, laurel: Laurel, number: int, begin: datetime) -> None:
        # Most orders are of today, and one of ten came late.
        at = begin - timedelta(days=number % 300) if number % 10 == 0 else begin
        operation = RecordPurchase(
            member=ById(self._members[number % MEMBERS]),
            idempotency_key=f"order:{number}",
            actor="bench",
            reference=str(number),
            amount=Decimal("49.90"),
            occurred_at=at,
        )
        accepted(await laurel.committer.submit(operation))


async def measure_aggregates(server: Server, *, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Purchases a second with and without, and by how much longer one takes with, for each number of callers."""
    contenders = {}
    for name, keeps in ((WITH, True), (WITHOUT, False)):
        url = server.migrated(tables(purchases_only()))
        if not keeps:
            async with connect(url, tables(purchases_only())):
                reader = Store().reader()
                if reader.client.capabilities.dialect != "mysql":
                    for index in ("idx_tally_orders", "idx_tally_points_earned"):
                        await reader.query(f"DROP INDEX {index}")
        contenders[name] = _Contender(url, keeps=keeps)
        await contenders[name].prepare()
    measured = []
    for callers in CALLERS:
        turns = {name: contender.turn(callers, seconds) for name, contender in contenders.items()}
        for contender in contenders.values():
            contender.cpu.clear()
        samples = await take_turns(turns, rounds)
        cpu = {name: median(contender.cpu) for name, contender in contenders.items()}
        measured.append(
            {
                "callers": callers,
                **{name: round(median(sample.rate for sample in of_name)) for name, of_name in samples.items()},
                # Of the time that a purchase takes with them, what it would not take without.
                "share": round(1 - ratio(samples, WITH, WITHOUT), 3),
                "cpu_us": {name: round(1_000_000 * of_name) for name, of_name in cpu.items()},
                "cpu_share": round(1 - cpu[WITHOUT] / cpu[WITH], 3),
            }
        )
    return measured
