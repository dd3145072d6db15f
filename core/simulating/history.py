"""What happened, gathered from the books into a file of its own: the operations to be performed again, in order.

The books are only read, a part of the members at a time, so that memory does not grow with them. What was recorded
after the beginning is left out: rows that are only ever inserted are a snapshot that needs no transaction.
"""

import logging
import pickle
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from core.books.accounts import Entry
from core.books.lots import Lot
from core.books.members import BUCKETS, TierChange
from core.engine.operations import Operation
from core.simulating.anew import Anew, Past
from core.simulating.carried import carried, kind_of
from core.simulating.own import UNDONE
from core.store.databases import lost_connection
from core.store.dialect import Reader
from core.store.questions import Rows
from core.time.clock import instant, microseconds

log = logging.getLogger("laurel.simulating")

_AT_ONCE: Final = 1_000
_OPERATIONS_A_PART: Final = 2_000

_TABLES: Final = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384;
CREATE TABLE past (
  at INTEGER, recorded INTEGER, id TEXT, member TEXT, external TEXT, channel TEXT, kind TEXT, key TEXT, actor TEXT,
  result TEXT, reverses TEXT);
CREATE TABLE again (n INTEGER PRIMARY KEY, at INTEGER, id TEXT, member TEXT, external TEXT, operation BLOB);
CREATE TABLE stood (
  run TEXT, member TEXT, external TEXT, unit TEXT, balance INTEGER, PRIMARY KEY (run, unit, member)) WITHOUT ROWID;
CREATE TABLE tier (run TEXT, member TEXT, external TEXT, tier TEXT, PRIMARY KEY (run, member)) WITHOUT ROWID;
"""


class Again(NamedTuple):
    """An operation to be performed again, under the id it had and for the member who had this id.

    None stands where something came about by itself: what it followed from has been told by then.
    """

    id: str
    member_id: str
    external_id: str
    at: datetime
    size: int
    operation: Operation | None


class History:
    """The file. It is nobody's but the simulation's, and goes with it."""

    def __init__(self, file: Path) -> None:
        self.db = sqlite3.connect(file, isolation_level=None)
        self.db.executescript(_TABLES)
        self.anew: Counter[tuple[str, str]] = Counter()
        self.carried: Counter[tuple[str, str]] = Counter()
        self.left: Counter[tuple[str, str]] = Counter()
        self.count = 0

    def close(self) -> None:
        self.db.close()

    async def gather(
        self,
        reader: Reader,
        offers: Sequence[Anew],
        *,
        begun: datetime,
        until: datetime,
        judged: frozenset[tuple[str, str]],
        advance: Callable[[int, int], None],
    ) -> None:
        """Take over what was effective before ``until`` and recorded before ``begun``.

        ``judged`` are the kinds of operations by which channels judge members when their time has come.
        """
        where = f"o.effective_at < {microseconds(until)} AND o.recorded_at <= {microseconds(begun)}"
        ((total,),) = await reader.query(f"SELECT COUNT(*) FROM operation o WHERE {where}")
        parts = 1
        while parts < BUCKETS and total / parts > _OPERATIONS_A_PART:
            parts *= 2
        width = BUCKETS // parts
        # A refusal left nothing behind of which it could be asked again.
        accepted = {"postgres": "o.accepted"}.get(reader.client.capabilities.dialect, "o.accepted = 1")
        for part in range(parts):
            rows = await reader.query(
                "SELECT o.effective_at, o.recorded_at, o.id, o.member_id, m.external_id, o.channel, o.kind,"
                " o.idempotency_key, o.actor, o.result, o.reverses FROM operation o"
                " JOIN member m ON m.bucket = o.bucket AND m.id = o.member_id"
                f" WHERE o.bucket >= {part * width} AND o.bucket < {(part + 1) * width} AND {accepted} AND {where}"
            )
            self.db.execute("BEGIN")
            self.db.executemany(f"INSERT INTO past VALUES ({', '.join('?' * 11)})", rows)
            self.db.execute("COMMIT")
        self.db.execute("CREATE INDEX past_in_order ON past (at, recorded, id)")
        by_kind = {(offer.channel, kind): offer for offer in offers for kind in offer.kinds}
        follow = frozenset((offer.channel, kind) for offer in offers for kind in offer.follow)
        done = 0
        for past in self._past():
            await self._take_over(reader, past, by_kind, follow, UNDONE | judged | follow)
            done += len(past)
            advance(done, total)
        self.db.execute("DROP TABLE past")

    def _past(self) -> Iterator[Sequence[Past]]:
        rows = self.db.execute(
            "SELECT id, member, external, channel, kind, key, actor, result, reverses, at FROM past"
            " ORDER BY at, recorded, id"
        )
        while some := rows.fetchmany(_AT_ONCE):
            yield [_past(*row) for row in some]

    async def _take_over(
        self,
        reader: Reader,
        past: Sequence[Past],
        by_kind: Mapping[tuple[str, str], Anew],
        follow: frozenset[tuple[str, str]],
        comes: frozenset[tuple[str, str]],
    ) -> None:
        asked: dict[int, list[Past]] = defaultdict(list)
        offers: dict[int, Anew] = {}
        for each in past:
            if (offer := by_kind.get((each.channel, each.kind))) is not None:
                offers[id(offer)] = offer
                asked[id(offer)].append(each)
        made: dict[str, Operation] = {}
        for number, group in asked.items():
            made |= await _made(reader, offers[number], group)
        others = [each for each in past if each.id not in made and (each.channel, each.kind) not in comes]
        stand = await _as_they_were(reader, others)
        rows: list[tuple[Any, ...]] = []
        for each in past:
            place = each.channel, each.kind
            packed: bytes | None
            if each.id in made:
                self.anew[place] += 1
                packed = pickle.dumps(made[each.id], protocol=pickle.HIGHEST_PROTOCOL)
            elif (fields := stand.get(each.id)) is not None:
                self.carried[place] += 1
                packed = pickle.dumps((each.channel, each.kind, {**each.asked, **fields}))
            else:
                self.left[place] += 1
                if place not in follow:
                    continue
                packed = None
            at = microseconds(each.effective_at)
            rows.append((at, each.id, each.member_id, each.external_id, packed))
        self.db.execute("BEGIN")
        self.db.executemany("INSERT INTO again (at, id, member, external, operation) VALUES (?, ?, ?, ?, ?)", rows)
        self.db.execute("COMMIT")
        self.count += sum(row[-1] is not None for row in rows)

    def again(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Again]:
        """The operations to be performed, in order; those effective from ``since`` on and before ``until``."""
        where = ["1"]
        if since is not None:
            where.append(f"at >= {microseconds(since)}")
        if until is not None:
            where.append(f"at < {microseconds(until)}")
        rows = self.db.execute(
            f"SELECT id, member, external, at, operation FROM again WHERE {' AND '.join(where)} ORDER BY n"
        )
        for operation_id, member_id, external_id, at, packed in rows:
            value = None if packed is None else pickle.loads(packed)
            if isinstance(value, tuple):
                channel, kind, fields = value
                value = kind_of(channel, kind)(**fields)
            yield Again(operation_id, member_id, external_id, instant(at), len(packed or b""), value)


def _past(
    operation_id: str,
    member_id: str,
    external_id: str,
    channel: str,
    kind: str,
    key: str,
    actor: str,
    result: str,
    reverses: str | None,
    at: int,
) -> Past:
    return Past(
        operation_id, member_id, external_id, channel, kind, key, actor, orjson.loads(result), reverses, instant(at)
    )


async def _made(reader: Reader, offer: Anew, some: Sequence[Past]) -> Mapping[str, Operation]:
    """What the channel makes of them. One of which it raises is left to be carried over, and the others are not."""
    try:
        return await offer.make(reader, some)
    except Exception as error:
        if lost_connection(error):
            raise
        if len(some) == 1:
            log.warning("%s.%s %s is not judged anew: %r", offer.channel, some[0].kind, some[0].id, error)
            return {}
    middle = len(some) // 2
    return {**await _made(reader, offer, some[:middle]), **await _made(reader, offer, some[middle:])}


async def _as_they_were(reader: Reader, past: Sequence[Past]) -> dict[str, dict[str, Any]]:
    """What the operations did, for those that did anything that stands without them."""
    if not past:
        return {}
    keys = sorted({(each.bucket, each.member_id, each.id) for each in past})
    by = ("bucket", "member_id", "operation_id")
    entries = await Rows(Entry, by).answer(reader, keys)
    lots = await Rows(Lot, by).answer(reader, keys)
    steps = await Rows(TierChange, by).answer(reader, keys)
    found = {}
    for each in past:
        key = (each.bucket, each.member_id, each.id)
        fields = carried(each, entries.get(key, []), lots.get(key, []), steps.get(key, []))
        if fields is not None:
            found[each.id] = fields
    return found
