"""What an earning and a redemption would cost without Laurel: Starlette, the driver, and one transaction for each.

On PostgreSQL each request calls one stored function, which is one statement and one commit, on a pool of connections.
On SQLite one thread takes all that waits, writes it in one transaction and then answers. The rules of
``writes.PROGRAMME`` stand here as constants. For what these endpoints do they keep what Laurel promises: a key is
performed once for ever and answered as before, another request under it is refused, the member exists and may earn or
spend, nothing is spent that is not there, and the rows of all tables are those that Laurel writes, hash chain and daily
aggregates included, so that ``laurel verify`` finds nothing wrong with them.

They do nothing else: nobody is asked for a token, nothing is limited or told to anybody, a refusal is not written down,
and a member with debt, with something held or with something that has lapsed is turned away.
"""

import asyncio
import os
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import sha256
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import sampling
from core.books.members import new_id
from core.books.tallies import day_number
from core.store.databases import Database
from core.store.sqlite_immediate import CHECKPOINT_BYTES
from core.store.watching import statements_watched
from core.time.calendar import add_months, day_start
from core.time.clock import instant, microseconds
from graph.app import create_app
from graph.collecting import collect_rarely, settle
from graph.ids import global_id
from graph.settings import Settings

ACTOR: Final = "service:bench"
CONNECTIONS: Final = 32
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_MONTHS: Final = 12
_CURRENCY: Final = "CNY"
_NAME_MAX: Final = 128
_KEY_MAX: Final = 200
_AMOUNT_MAX: Final = 2**53 - 1
_SHARD: Final = 1023  # one process writes to SQLite


class Refused(Exception):
    """Nothing was done, and why."""


class Earning(NamedTuple):
    """A purchase, ready to be written."""

    external_id: str
    key: str
    request_hash: str
    id: str
    reference: str
    amount: int
    points: int
    result: str
    at: int
    day: int
    expires_at: int


class Redemption(NamedTuple):
    """Points to spend, ready to be written."""

    external_id: str
    key: str
    request_hash: str
    id: str
    points: int
    result: str
    at: int
    day: int


class Done(NamedTuple):
    """What became of a request."""

    member_id: str
    operation_id: str
    points: int
    available: int
    replayed: bool


# -- the requests -------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _expires_at(day: date) -> int:
    return microseconds(day_start(add_months(day, _MONTHS), _ZONE))


def _name(value: Any, longest: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= longest or "\0" in value:
        raise Refused("INVALID_VALUE")
    return value


def _hash(request: Sequence[Any]) -> str:
    return sha256(orjson.dumps(request)).hexdigest()


def earning(given: Any) -> Earning:
    """The purchase that a request asks for. Raises Refused."""
    reference = _name(given["reference"], _NAME_MAX)
    try:
        amount = Decimal(given["amount"])
        minor = int(amount.scaleb(2))
    except (InvalidOperation, TypeError, ValueError, OverflowError):
        raise Refused("INVALID_AMOUNT") from None
    if minor != amount * 100 or not 0 < minor <= _AMOUNT_MAX or given["currency"] != _CURRENCY:
        raise Refused("INVALID_AMOUNT")
    now = datetime.now(UTC)
    day = now.astimezone(_ZONE).date()
    points, spent = minor // 100, f"{minor // 100}.{minor % 100:02}"
    awards = {"points": points}
    paid = {"awards": awards, "name": "order.paid", "occurred_at": now.isoformat(), "paid": minor}
    steps = [["base", [["spend", spent]], spent], ["rounding", [["floor", spent]], str(points)]]
    result = {
        "awards": awards,
        "by_rule": [["points", ">base>spend", points]],
        "events": [{**paid, "reference": reference}],
        "points_spent": 0,
        "reference": reference,
        "trace": {"points": steps},
    }
    asked: list[Any] = [
        "purchase",
        "record",
        reference,
        format(amount.normalize(), "f"),
        _CURRENCY,
        None,
        [],
        None,
        None,
        None,
    ]
    return Earning(
        _name(given["externalId"], _NAME_MAX),
        _name(given["idempotencyKey"], _KEY_MAX),
        _hash([*asked, None, 0, False]),
        new_id(),
        reference,
        minor,
        points,
        orjson.dumps(result).decode(),
        microseconds(now),
        day_number(day),
        _expires_at(day),
    )


def redemption(given: Any) -> Redemption:
    """The redemption that a request asks for. Raises Refused."""
    points, reference = given["points"], given["reference"]
    if type(points) is not int or not 0 < points <= _AMOUNT_MAX or not isinstance(reference, str):
        raise Refused("INVALID_AMOUNT")
    now = datetime.now(UTC)
    return Redemption(
        _name(given["externalId"], _NAME_MAX),
        _name(given["idempotencyKey"], _KEY_MAX),
        _hash(["ledger", "redeem", points, reference, "points"]),
        new_id(),
        points,
        orjson.dumps({"points": points, "reference": reference}).decode(),
        microseconds(now),
        day_number(now.astimezone(_ZONE).date()),
    )


# -- PostgreSQL ---------------------------------------------------------------------------------------

_DONE: Final = "TABLE(refusal text, member text, operation text, gave bigint, available bigint, replayed boolean)"
_FIND: Final = """
  SELECT m.bucket, m.id INTO b, mid FROM member m WHERE m.external_id = p_name;
  IF NOT FOUND THEN RETURN QUERY SELECT 'MEMBER_NOT_FOUND', '', '', 0::bigint, 0::bigint, false; RETURN; END IF;
  SELECT * INTO a FROM account c WHERE c.bucket = b AND c.member_id = mid AND c.unit = 'points' FOR NO KEY UPDATE;
  SELECT * INTO m FROM member n WHERE n.bucket = b AND n.id = mid;
  free := a.credited - a.debited - a.pending;
  SELECT * INTO o FROM operation q
    WHERE q.bucket = b AND q.member_id = mid AND q.channel = '{channel}' AND q.idempotency_key = p_key;
  IF FOUND THEN
    RETURN QUERY SELECT CASE WHEN o.request_hash <> p_hash THEN 'IDEMPOTENCY_KEY_MISMATCH' END,
      mid::text, o.id::text, p_points, free, true;
    RETURN;
  END IF;
  IF m.status <> 'active' OR (m.frozen = '{frozen}' AND (m.frozen_until IS NULL OR m.frozen_until > p_at)) THEN
    RETURN QUERY SELECT 'MEMBER_NOT_ACTIVE', '', '', 0::bigint, 0::bigint, false; RETURN;
  END IF;
  IF a.debt > 0 OR a.held > 0 OR a.next_due <= p_at THEN
    RETURN QUERY SELECT 'NOT_WRITTEN_FOR', '', '', 0::bigint, 0::bigint, false; RETURN;
  END IF;"""
_DIGEST: Final = (
    "encode(sha256(convert_to(a.digest || '|' || mid || '|points|' || a.seq + 1 || '|' || p_id || '|' || {amount}"
    " || '|0|{contra}|' || {balance} || '|' || p_at || '|' || p_at, 'UTF8')), 'hex')"
)
_DECLARE: Final = """DECLARE
  b smallint; mid text; free bigint; h text; a account%ROWTYPE; m member%ROWTYPE; o operation%ROWTYPE;
  shard smallint := pg_backend_pid() % 1024;"""
_AGGREGATES: Final = """ON CONFLICT (name, day, unit, channel, part, shard) DO UPDATE
    SET amount = daily_aggregate.amount + excluded.amount, times = daily_aggregate.times + excluded.times"""

EARN: Final = f"""
CREATE OR REPLACE FUNCTION earn(p_name text, p_key text, p_hash text, p_id text, p_reference text, p_amount bigint,
  p_points bigint, p_result text, p_at bigint, p_day int, p_expires_at bigint) RETURNS {_DONE} LANGUAGE plpgsql AS $$
#variable_conflict use_column
{_DECLARE}
BEGIN{_FIND.format(channel="purchase", frozen="earning")}
  PERFORM 1 FROM purchase_order p WHERE p.bucket = b AND p.member_id = mid AND p.reference = p_reference;
  IF FOUND THEN
    RETURN QUERY SELECT 'ORDER_ALREADY_RECORDED', '', '', 0::bigint, 0::bigint, false; RETURN;
  END IF;
  INSERT INTO operation (bucket, member_id, channel, idempotency_key, id, kind, request_hash, accepted, result, actor,
    programme_version, effective_at, recorded_at)
    VALUES (b, mid, 'purchase', p_key, p_id, 'record', p_hash, true, p_result, '{ACTOR}', 1, p_at, p_at);
  IF p_points > 0 THEN
    h := {_DIGEST.format(amount="p_points", contra="issuance", balance="a.credited - a.debited + p_points")};
    INSERT INTO entry (bucket, member_id, unit, seq, operation_id, amount, held, contra, balance, effective_at,
      recorded_at, digest) VALUES (b, mid, 'points', a.seq + 1, p_id, p_points, 0, 'issuance',
      a.credited - a.debited + p_points, p_at, p_at, h);
    INSERT INTO lot (bucket, member_id, unit, seq, operation_id, source, amount, remaining, held, expired, clawed,
      forgiven, earned_at, available_from, expires_at, fixed) VALUES (b, mid, 'points', a.lot_seq + 1, p_id, 'purchase',
      p_points, p_points, 0, 0, 0, 0, p_at, p_at, p_expires_at, false);
    UPDATE account SET credited = a.credited + p_points, seq = a.seq + 1, lot_seq = a.lot_seq + 1,
      next_due = LEAST(a.next_due, p_expires_at), digest = h, expires_at = LEAST(a.expires_at, p_expires_at),
      expiring = CASE WHEN a.expires_at < p_expires_at THEN a.expiring
        WHEN a.expires_at = p_expires_at THEN a.expiring + p_points ELSE p_points END
      WHERE bucket = b AND member_id = mid AND unit = 'points';
  END IF;
  INSERT INTO purchase_order (bucket, member_id, reference, transaction_id, programme_version, currency, occurred_at,
    amount, amount_left, points, points_amount, points_back, status, items, facts, awards, refunds)
    VALUES (b, mid, p_reference, p_id, 1, '{_CURRENCY}', p_at, p_amount, p_amount, 0, 0, 0, 'recorded', '[]',
    '{{"first":false,"member":{{"birthday":' || COALESCE('"' || m.birthday || '"', 'null') || ',"enrolled_at":"'
    || to_char(timezone('UTC', to_timestamp(m.enrolled_at / 1000000)), 'YYYY-MM-DD"T"HH24:MI:SS')
    || CASE WHEN m.enrolled_at % 1000000 > 0 THEN '.' || lpad((m.enrolled_at % 1000000)::text, 6, '0') ELSE '' END
    || '+00:00","orders":0,"tags":[],"tier":"' || m.tier || '"}},"priced":true,"promised":0,"quantity":"1"}}',
    '{{"points":{{"left":' || p_points || ',"lots":[' || CASE WHEN p_points > 0 THEN (a.lot_seq + 1)::text ELSE '' END
    || '],"points":' || p_points || '}}}}', '[]');
  INSERT INTO tally (bucket, member_id, name, day, amount)
    SELECT b, mid, v.name, p_day, v.amount
    FROM (VALUES ('orders', 1::bigint), ('points_earned', p_points), ('spend', p_amount)) v(name, amount)
    WHERE v.amount > 0
    ON CONFLICT (bucket, member_id, name, day) DO UPDATE SET amount = tally.amount + excluded.amount;
  INSERT INTO daily_aggregate (name, day, unit, channel, part, shard, amount, times)
    SELECT v.name, p_day, v.unit, v.channel, v.part, shard, v.amount, v.times
    FROM (VALUES ('credited', 'points', 'purchase', 'issuance', p_points, 1),
      ('operations', '', 'purchase', 'record', 1::bigint, 0),
      ('rule', 'points', 'purchase', '>base>spend', p_points, 1),
      ('tally', '', '', 'orders', 1::bigint, 1), ('tally', '', '', 'points_earned', p_points, 1),
      ('tally', '', '', 'spend', p_amount, 1)) v(name, unit, channel, part, amount, times)
    WHERE v.amount > 0 {_AGGREGATES};
  RETURN QUERY SELECT NULL, mid::text, p_id, p_points, free + p_points, false;
END $$"""

REDEEM: Final = f"""
CREATE OR REPLACE FUNCTION redeem(p_name text, p_key text, p_hash text, p_id text, p_points bigint, p_result text,
  p_at bigint, p_day int) RETURNS {_DONE} LANGUAGE plpgsql AS $$
#variable_conflict use_column
{_DECLARE}
  l record; wanted bigint := p_points; taken bigint;
BEGIN{_FIND.format(channel="ledger", frozen="spending")}
  IF free < p_points THEN
    RETURN QUERY SELECT 'INSUFFICIENT_POINTS', '', '', 0::bigint, 0::bigint, false; RETURN;
  END IF;
  INSERT INTO operation (bucket, member_id, channel, idempotency_key, id, kind, request_hash, accepted, result, actor,
    programme_version, effective_at, recorded_at)
    VALUES (b, mid, 'ledger', p_key, p_id, 'redeem', p_hash, true, p_result, '{ACTOR}', 1, p_at, p_at);
  h := {_DIGEST.format(amount="-p_points", contra="redemption", balance="a.credited - a.debited - p_points")};
  INSERT INTO entry (bucket, member_id, unit, seq, operation_id, amount, held, contra, balance, effective_at,
    recorded_at, digest) VALUES (b, mid, 'points', a.seq + 1, p_id, -p_points, 0, 'redemption',
    a.credited - a.debited - p_points, p_at, p_at, h);
  FOR l IN SELECT c.seq, c.remaining - c.held AS free FROM lot c
    WHERE c.bucket = b AND c.member_id = mid AND c.unit = 'points' AND c.remaining > 0
    AND c.available_from <= p_at AND (c.expires_at IS NULL OR c.expires_at > p_at)
    ORDER BY c.expires_at, c.seq
  LOOP
    taken := LEAST(l.free, wanted);
    UPDATE lot SET remaining = remaining - taken
      WHERE bucket = b AND member_id = mid AND unit = 'points' AND seq = l.seq;
    INSERT INTO lot_move (bucket, member_id, unit, seq, lot_seq, kind, amount)
      VALUES (b, mid, 'points', a.seq + 1, l.seq, 'spend', -taken);
    wanted := wanted - taken;
    EXIT WHEN wanted = 0;
  END LOOP;
  IF a.expiring > p_points THEN
    UPDATE account SET debited = a.debited + p_points, seq = a.seq + 1, digest = h, expiring = a.expiring - p_points
      WHERE bucket = b AND member_id = mid AND unit = 'points';
  ELSE
    UPDATE account SET debited = a.debited + p_points, seq = a.seq + 1, digest = h, next_due = n.due,
      expires_at = n.soonest, expiring = COALESCE(n.expiring, 0)
      FROM (SELECT MIN(due) AS due, MIN(soonest) AS soonest,
          SUM(free) FILTER (WHERE o.expires_at = o.soonest) AS expiring
        FROM (SELECT c.expires_at, c.remaining - c.held AS free,
            LEAST(CASE WHEN c.available_from > p_at THEN c.available_from END, c.expires_at) AS due,
            MIN(c.expires_at) FILTER (WHERE c.available_from <= p_at) OVER () AS soonest
          FROM lot c WHERE c.bucket = b AND c.member_id = mid AND c.unit = 'points' AND c.remaining > 0) o) n
      WHERE account.bucket = b AND account.member_id = mid AND account.unit = 'points';
  END IF;
  INSERT INTO daily_aggregate (name, day, unit, channel, part, shard, amount, times)
    VALUES ('debited', p_day, 'points', 'ledger', 'redemption', shard, p_points, 1),
      ('operations', p_day, '', 'ledger', 'redeem', shard, 1, 0) {_AGGREGATES};
  RETURN QUERY SELECT NULL, mid::text, p_id, p_points, free - p_points, false;
END $$"""


class _Postgres:
    """Each request calls a function that is stored in the database."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def earn(self, asked: Earning) -> Done:
        return self._done(await self._pool.fetchrow("SELECT * FROM earn($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)", *asked))

    async def redeem(self, asked: Redemption) -> Done:
        return self._done(await self._pool.fetchrow("SELECT * FROM redeem($1,$2,$3,$4,$5,$6,$7,$8)", *asked))

    @staticmethod
    def _done(row: Any) -> Done:
        refusal, *done = row
        if refusal is not None:
            raise Refused(refusal)
        return Done(*done)


async def _keep_session(connection: object) -> None:
    """Laurel resets nothing either when a connection goes back to the pool."""


@asynccontextmanager
async def _postgres(database: Database) -> AsyncIterator[_Postgres]:
    pool = await asyncpg.create_pool(
        host=database.host,
        port=database.port,
        user=database.user,
        password=database.password or None,
        database=database.name,
        min_size=CONNECTIONS,
        max_size=CONNECTIONS,
        reset=_keep_session,
        server_settings={"synchronous_commit": "on", "jit": "off"},
    )
    async with pool:
        for function in (EARN, REDEEM):
            await pool.execute(function)
        yield _Postgres(pool)


# -- SQLite -------------------------------------------------------------------------------------------

_SQLITE_FIND: Final = """
SELECT m.bucket, m.id, m.status, m.tier, m.birthday, m.frozen, m.frozen_until, m.enrolled_at,
  a.credited, a.debited, a.held, a.debt, a.seq, a.lot_seq, a.next_due, a.digest, a.pending, a.expiring, a.expires_at,
  o.id, o.request_hash,
  EXISTS (SELECT 1 FROM purchase_order p WHERE p.bucket = m.bucket AND p.member_id = m.id AND p.reference = :reference)
FROM member m JOIN account a ON a.bucket = m.bucket AND a.member_id = m.id AND a.unit = 'points'
LEFT JOIN operation o ON o.bucket = m.bucket AND o.member_id = m.id AND o.channel = 'purchase'
  AND o.idempotency_key = :key
WHERE m.external_id = :name"""
_SQLITE_WRITES: Final = {
    "operation": "INSERT INTO operation (bucket, member_id, channel, idempotency_key, id, kind, request_hash, accepted,"
    " result, actor, programme_version, effective_at, recorded_at)"
    f" VALUES (?, ?, 'purchase', ?, ?, 'record', ?, 1, ?, '{ACTOR}', 1, ?, ?)",
    "entry": "INSERT INTO entry (bucket, member_id, unit, seq, operation_id, amount, held, contra, balance,"
    " effective_at, recorded_at, digest) VALUES (?, ?, 'points', ?, ?, ?, 0, 'issuance', ?, ?, ?, ?)",
    "lot": "INSERT INTO lot (bucket, member_id, unit, seq, operation_id, source, amount, remaining, held, expired,"
    " clawed, forgiven, earned_at, available_from, expires_at, fixed)"
    " VALUES (?, ?, 'points', ?, ?, 'purchase', ?, ?, 0, 0, 0, 0, ?, ?, ?, 0)",
    "purchase_order": "INSERT INTO purchase_order (bucket, member_id, reference, transaction_id, programme_version,"
    " currency, occurred_at, amount, amount_left, points, points_amount, points_back, status, items, facts, awards,"
    f" refunds) VALUES (?, ?, ?, ?, 1, '{_CURRENCY}', ?, ?, ?, 0, 0, 0, 'recorded', '[]', ?, ?, '[]')",
    "tally": "INSERT INTO tally (bucket, member_id, name, day, amount) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (bucket, member_id, name, day) DO UPDATE SET amount = tally.amount + excluded.amount",
}
_SQLITE_ACCOUNT: Final = (
    "UPDATE account SET credited = ?, seq = ?, lot_seq = ?, next_due = ?, digest = ?, expiring = ?, expires_at = ?"
    " WHERE bucket = ? AND member_id = ? AND unit = 'points'"
)
_SQLITE_AGGREGATE: Final = (
    f"INSERT INTO daily_aggregate (name, day, unit, channel, part, shard, amount, times)"
    f" VALUES (?, ?, ?, ?, ?, {_SHARD}, ?, ?) {_AGGREGATES}"
)

Told = tuple[asyncio.Future[Done], Done | None, Exception | None]


@dataclass(slots=True)
class _Account:
    """A member's account as the transaction has it by now."""

    bucket: int
    member_id: str
    credited: int
    seq: int
    lot_seq: int
    next_due: int
    digest: str
    expiring: int
    expires_at: int


class _Sqlite:
    """One thread writes: it takes all that waits, in one transaction, and tells of it when that is committed."""

    def __init__(self, file: str) -> None:
        self._waiting: SimpleQueue[tuple[Earning, asyncio.Future[Done]] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._write, args=(file,))
        self._thread.start()

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join()

    async def earn(self, asked: Earning) -> Done:
        future: asyncio.Future[Done] = self._loop.create_future()
        self._waiting.put((asked, future))
        return await future

    async def redeem(self, asked: Redemption) -> Done:
        raise Refused("NOT_WRITTEN_FOR")

    def _write(self, file: str) -> None:
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -65536")
        # As rarely as Laurel does.
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_BYTES // 4096}")
        while (first := self._waiting.get()) is not None:
            batch = [first]
            last = False
            while not self._waiting.empty():
                more = self._waiting.get()
                if more is None:
                    last = True
                    break
                batch.append(more)
            try:
                connection.execute("BEGIN IMMEDIATE")
                told = _earn_all(connection, batch)
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                told = [(future, None, error) for _, future in batch]
            self._loop.call_soon_threadsafe(_tell, told)
            if last:
                break
        connection.close()


def _tell(told: list[Told]) -> None:
    for future, done, error in told:
        if future.done():
            continue
        if error is not None:
            future.set_exception(error)
        else:
            assert done is not None
            future.set_result(done)


def _earn_all(connection: sqlite3.Connection, batch: Sequence[tuple[Earning, asyncio.Future[Done]]]) -> list[Told]:
    told: list[Told] = []
    accounts: dict[str, _Account] = {}
    keys: dict[tuple[str, str], tuple[str, str]] = {}
    references: set[tuple[str, str]] = set()
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _SQLITE_WRITES}
    sums: defaultdict[tuple[int, str, str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for asked, future in batch:
        try:
            told.append((future, _earn(connection, asked, accounts, keys, references, rows, sums), None))
        except Refused as refused:
            told.append((future, None, refused))
    for table, statement in _SQLITE_WRITES.items():
        connection.executemany(statement, rows[table])
    connection.executemany(
        _SQLITE_ACCOUNT,
        [
            (
                one.credited,
                one.seq,
                one.lot_seq,
                one.next_due,
                one.digest,
                one.expiring,
                one.expires_at,
                one.bucket,
                one.member_id,
            )
            for one in accounts.values()
        ],
    )
    aggregates = [(name, day, *place, *both) for (day, name, *place), both in sums.items() if both[0]]
    connection.executemany(_SQLITE_AGGREGATE, aggregates)
    return told


def _earn(
    connection: sqlite3.Connection,
    asked: Earning,
    accounts: dict[str, _Account],
    keys: dict[tuple[str, str], tuple[str, str]],
    references: set[tuple[str, str]],
    rows: dict[str, list[tuple[Any, ...]]],
    sums: defaultdict[tuple[int, str, str, str, str], list[int]],
) -> Done:
    name, key, request_hash, operation_id, reference, amount, points, result, at, day, expires_at = asked
    found = connection.execute(_SQLITE_FIND, {"name": name, "key": key, "reference": reference, "at": at}).fetchone()
    if found is None:
        raise Refused("MEMBER_NOT_FOUND")
    (
        bucket, member_id, status, tier, birthday, frozen, frozen_until, enrolled_at,
        credited, debited, held, debt, seq, lot_seq, next_due, digest, pending, expiring, soonest, known_id, known_hash,
        recorded,
    ) = found  # fmt: skip
    account = accounts.get(member_id)
    if account is not None:
        seq, lot_seq, next_due, digest = account.seq, account.lot_seq, account.next_due, account.digest
        credited, expiring, soonest = account.credited, account.expiring, account.expires_at
    available = credited - debited - pending
    if known_id is None and (member_id, key) in keys:
        known_id, known_hash = keys[member_id, key]
    if known_id is not None:
        if known_hash != request_hash:
            raise Refused("IDEMPOTENCY_KEY_MISMATCH")
        return Done(member_id, known_id, points, available, True)
    if status != "active" or (frozen == "earning" and (frozen_until is None or frozen_until > at)):
        raise Refused("MEMBER_NOT_ACTIVE")
    if debt or held or (next_due is not None and next_due <= at):
        raise Refused("NOT_WRITTEN_FOR")
    if recorded or (member_id, reference) in references:
        raise Refused("ORDER_ALREADY_RECORDED")
    keys[member_id, key] = operation_id, request_hash
    references.add((member_id, reference))
    rows["operation"].append((bucket, member_id, key, operation_id, request_hash, result, at, at))
    lots = ""
    if points:
        seq, lot_seq, credited, available = seq + 1, lot_seq + 1, credited + points, available + points
        lots, balance = str(lot_seq), credited - debited
        said = f"{digest}|{member_id}|points|{seq}|{operation_id}|{points}|0|issuance|{balance}|{at}|{at}"
        digest = sha256(said.encode()).hexdigest()
        next_due = expires_at if next_due is None else min(next_due, expires_at)
        if soonest is None or expires_at <= soonest:
            expiring, soonest = points + (expiring if soonest == expires_at else 0), expires_at
        rows["entry"].append((bucket, member_id, seq, operation_id, points, balance, at, at, digest))
        rows["lot"].append((bucket, member_id, lot_seq, operation_id, points, points, at, at, expires_at))
        accounts[member_id] = _Account(bucket, member_id, credited, seq, lot_seq, next_due, digest, expiring, soonest)
        rows["tally"].append((bucket, member_id, "points_earned", day, points))
    born = "null" if birthday is None else f'"{birthday}"'
    facts = (
        f'{{"first":false,"member":{{"birthday":{born},"enrolled_at":"{instant(enrolled_at).isoformat()}","orders":0,'
        f'"tags":[],"tier":"{tier}"}},"priced":true,"promised":0,"quantity":"1"}}'
    )
    awards = f'{{"points":{{"left":{points},"lots":[{lots}],"points":{points}}}}}'
    rows["purchase_order"].append((bucket, member_id, reference, operation_id, at, amount, amount, facts, awards))
    rows["tally"] += [(bucket, member_id, "orders", day, 1), (bucket, member_id, "spend", day, amount)]
    for place, more, times in (
        (("credited", "points", "purchase", "issuance"), points, 1),
        (("operations", "", "purchase", "record"), 1, 0),
        (("rule", "points", "purchase", ">base>spend"), points, 1),
        (("tally", "", "", "orders"), 1, 1),
        (("tally", "", "", "points_earned"), points, 1),
        (("tally", "", "", "spend"), amount, 1),
    ):
        if more:
            both = sums[day, *place]
            both[0] += more
            both[1] += times
    return Done(member_id, operation_id, points, available, False)


@asynccontextmanager
async def _sqlite(database: Database) -> AsyncIterator[_Sqlite]:
    writer = _Sqlite(database.name)
    try:
        yield writer
    finally:
        await asyncio.to_thread(writer.close)


# -- the endpoints ------------------------------------------------------------------------------------


def _answered(name: str, done: Done, **more: Any) -> Response:
    answer = {
        "replayed": done.replayed,
        "transaction": {"id": global_id("Transaction", done.member_id, done.operation_id)},
        **more,
        "member": {"points": {"available": done.available}},
        "errors": [],
    }
    return Response(orjson.dumps({"data": {name: answer}}), media_type="application/json")


def _refused(name: str, refused: Refused) -> Response:
    nothing = {"replayed": False, "transaction": None, "member": None, "errors": [{"code": str(refused)}]}
    return Response(orjson.dumps({"data": {name: nothing}}), media_type="application/json")


async def earn(request: Request) -> Response:
    """Record a purchase."""
    try:
        asked = earning(orjson.loads(await request.body()))
        done = await request.app.state.database.earn(asked)
    except Refused as refused:
        return _refused("recordPurchase", refused)
    return _answered("recordPurchase", done, awards=[{"unit": "points", "given": done.points}])


async def redeem(request: Request) -> Response:
    """Spend points."""
    try:
        asked = redemption(orjson.loads(await request.body()))
        done = await request.app.state.database.redeem(asked)
    except Refused as refused:
        return _refused("redeemPoints", refused)
    return _answered("redeemPoints", done)


def by_hand() -> Starlette:
    """The endpoints alone, in a process of their own."""
    database = Database.from_url(os.environ["LAUREL_DATABASE_URL"])

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _sqlite(database) if database.dialect == "sqlite" else _postgres(database) as opened:
            app.state.database = opened
            settle()
            yield

    collect_rarely()
    routes = [Route("/earn", earn, methods=["POST"]), Route("/redeem", redeem, methods=["POST"])]
    return Starlette(routes=routes, lifespan=lifespan)


def laurel() -> Starlette:
    """Laurel as it is served, which beside that says how many statements it has sent since it was asked last."""
    app = create_app(Settings.from_environment(os.environ))
    collect_rarely()
    sent = 0
    watching: list[Any] = []

    @contextmanager
    def count(statement: str) -> Iterator[None]:
        nonlocal sent
        sent += 1
        yield

    async def statements(request: Request) -> Response:
        nonlocal sent
        if watching:
            watching.pop().__exit__(None, None, None)
        else:
            watching.append(statements_watched(count))
            watching[0].__enter__()
        sent, told = 0, sent
        return Response(orjson.dumps(told), media_type="application/json")

    async def samples(request: Request) -> Response:
        return Response(orjson.dumps(sampling.take()), media_type="application/json")

    if os.environ.get("BENCHMARKS_SAMPLED"):
        sampling.begin()
    app.router.routes += [Route("/statements", statements), Route("/samples", samples)]
    return app
