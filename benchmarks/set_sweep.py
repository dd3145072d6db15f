"""The reference of a sweep: set-based SQL by ranges of members, a statement and a transaction each.

It writes the books that a sweep of Laurel writes: an entry for each instant at which lots lapsed, chained to the one
before, its moves, what is left of the lots and accounts, the operation and the daily aggregates; `laurel verify` finds
nothing wrong with them. It takes for granted what Laurel asks first: no hold is overdue, no member is being merged,
nobody has anything else due, and all of it was judged by one version of the programme in one time zone.
"""

from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final

import asyncpg

from core.books.members import ById
from core.channels.corrections import ExpirePoints
from core.time.clock import microseconds
from core.units import POINTS

RANGE: Final = 1_000
"""How many accounts a transaction settles. More take as long for each, and are locked longer."""

CHAIN: Final = """
CREATE FUNCTION pg_temp.link(text, text, text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT encode(sha256(convert_to(coalesce($1, $2) || $3, 'UTF8')), 'hex') $$;
CREATE AGGREGATE pg_temp.chain(text, text) (sfunc = pg_temp.link, stype = text);
"""
"""``chain(digest, said)``, over the entries of an account in order: the digest of each after that of the one before."""

# What is needed further on travels with the rows: of the parts of a statement nobody counts how large they are, so that
# the planner would join two of them by going through one for each row of the other.
_SWEEP: Final = """
WITH due AS MATERIALIZED (
  SELECT bucket, member_id, unit, seq AS former, digest, credited - debited AS balance, next_due,
         gen_random_uuid()::text AS id
  FROM account
  WHERE next_due <= $1 AND (bucket, member_id, unit) > ($2, $3, $4)
  ORDER BY bucket, member_id, unit LIMIT $5 FOR NO KEY UPDATE
), open AS MATERIALIZED (
  SELECT o.*, coalesce(sum(gone) FILTER (WHERE expires_at = soonest AND available_from <= $1) OVER account, 0)::bigint
           AS expiring
  FROM (
    SELECT d.*, l.seq AS lot_seq, l.remaining - l.held AS gone, l.expires_at, l.available_from,
           least(min(l.available_from) FILTER (WHERE l.available_from > $1) OVER account,
                 min(l.expires_at) FILTER (WHERE l.expires_at > $1) OVER account) AS due_next,
           coalesce(sum(l.remaining - l.held) FILTER (WHERE l.available_from > $1) OVER account, 0)::bigint AS pending,
           min(l.expires_at) FILTER (WHERE l.expires_at > $1 AND l.available_from <= $1 AND l.remaining > l.held)
             OVER account AS soonest
    FROM due d JOIN lot l ON l.bucket = d.bucket AND l.member_id = d.member_id AND l.unit = d.unit
    WHERE l.remaining > 0
    WINDOW account AS (PARTITION BY d.bucket, d.member_id, d.unit)
  ) o
  WINDOW account AS (PARTITION BY bucket, member_id, unit)
), lapsed AS MATERIALIZED (
  SELECT *, former + dense_rank() OVER (PARTITION BY bucket, member_id, unit ORDER BY expires_at) AS seq
  FROM open WHERE expires_at <= $1 AND gone > 0
), lost AS MATERIALIZED (
  SELECT bucket, member_id, unit, seq, id, expires_at, sum(gone)::bigint AS amount, digest, next_due, due_next,
         pending, expiring, soonest,
         balance - (sum(sum(gone)) OVER (PARTITION BY bucket, member_id, unit ORDER BY seq))::bigint AS balance
  FROM lapsed GROUP BY bucket, member_id, unit, seq, id, expires_at, digest, next_due, due_next, pending, expiring,
    soonest, balance, former
), entries AS MATERIALIZED (
  SELECT bucket, member_id, unit, seq, id, expires_at, amount, next_due, due_next, pending, expiring, soonest, balance,
         pg_temp.chain(digest, concat_ws('|', '', member_id, unit, seq, id, -amount, 0, 'breakage', balance,
           expires_at, $7::bigint)) OVER (PARTITION BY bucket, member_id, unit ORDER BY seq) AS digest
  FROM lost
), written AS (
  INSERT INTO entry (bucket, member_id, unit, seq, operation_id, amount, held, contra, balance, effective_at,
                     recorded_at, digest)
  SELECT bucket, member_id, unit, seq, id, -amount, 0, 'breakage', balance, expires_at, $7, digest FROM entries
), moved AS (
  INSERT INTO lot_move (bucket, member_id, unit, seq, lot_seq, kind, amount)
  SELECT bucket, member_id, unit, seq, lot_seq, 'expire', -gone FROM lapsed
), emptied AS (
  UPDATE lot l SET remaining = l.remaining - o.gone, expired = l.expired + o.gone FROM lapsed o
  WHERE l.bucket = o.bucket AND l.member_id = o.member_id AND l.unit = o.unit AND l.seq = o.lot_seq
), settled AS MATERIALIZED (
  SELECT bucket, member_id, unit, id, min(seq) - 1 AS former, next_due, due_next, pending, expiring, soonest,
         max(seq) AS seq,
         sum(amount)::bigint AS amount, (array_agg(digest ORDER BY seq DESC))[1] AS digest
  FROM entries GROUP BY bucket, member_id, unit, id, next_due, due_next, pending, expiring, soonest
), balanced AS (
  UPDATE account a SET debited = a.debited + s.amount, seq = s.seq, digest = s.digest, next_due = s.due_next,
         pending = s.pending, expiring = s.expiring, expires_at = s.soonest
  FROM settled s WHERE a.bucket = s.bucket AND a.member_id = s.member_id AND a.unit = s.unit
), recorded AS (
  INSERT INTO operation (bucket, member_id, channel, idempotency_key, id, kind, request_hash, accepted, result, actor,
                         programme_version, effective_at, recorded_at)
  SELECT bucket, member_id, 'ledger', concat_ws(':', 'due', unit, former, next_due), id, 'expire', $6, true,
         concat('{"expired":{"', unit, '":', amount, '},"released":0}'), 'bench', 1, $7, $7
  FROM settled
), added AS (
  INSERT INTO daily_aggregate (name, day, unit, channel, part, shard, amount, times)
  SELECT 'debited', to_char(to_timestamp(expires_at / 1000000) AT TIME ZONE 'UTC', 'YYYYMMDD')::int, unit, 'ledger',
         'breakage', 0, sum(amount), sum(times)
  FROM (SELECT unit, expires_at, sum(amount) AS amount, count(*) AS times FROM entries GROUP BY 1, 2) e GROUP BY 2, 3
  UNION ALL
  SELECT 'operations', to_char(to_timestamp($7 / 1000000) AT TIME ZONE 'UTC', 'YYYYMMDD')::int, '', 'ledger',
         'expire', 0, count(*), 0
  FROM settled HAVING count(*) > 0
  ORDER BY 1, 2, 3
  ON CONFLICT (name, day, unit, channel, part, shard) DO UPDATE
  SET amount = daily_aggregate.amount + excluded.amount, times = daily_aggregate.times + excluded.times
)
SELECT bucket, member_id, unit FROM due ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT 1
"""


async def sweep_by_ranges(url: str, now: datetime) -> list[float]:
    """Write down all that has lapsed by ``now``; how many seconds each transaction lasted."""
    request = ExpirePoints(member=ById("-"), idempotency_key="-", actor="bench", unit=POINTS)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(CHAIN)
        settle = await connection.prepare(_SWEEP)
        seconds: list[float] = []
        recorded_at = microseconds(datetime.now(UTC))
        at: Any = (-1, "", "")
        while at is not None:
            began = perf_counter()
            at = await settle.fetchrow(microseconds(now), *at, RANGE, request.request_hash(), recorded_at)
            seconds.append(perf_counter() - began)
        return seconds
    finally:
        await connection.close()
