"""The reference of an import: set-based SQL in two lanes, each with half of the members on a connection of its own.

It writes the books that Laurel writes for orders without lines under ``examples/programmes/first-shop.yaml``: members,
accounts, entries with their chain, lots, tallies, tier histories, orders, operations with the trace of their award, and
daily aggregates; of what `laurel verify` looks for only the grounds of tiers are missing. A lane copies its orders into
a table of its own, evaluates the rules over all of them at once and commits once.

It does less than it would have to: it is for a file of such orders into an empty database, takes for granted that each
is there once and can be meant, knows that in such orders `per: line` brings nothing, so that no tier's factor matters
and no cap is reached, and leaves out what a tier was reached with.
"""

import asyncio
import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Final
from zlib import crc32
from zoneinfo import ZoneInfo

import asyncpg

from benchmarks.set_sweep import CHAIN
from core.books.members import bucket_of, new_id
from core.time.clock import microseconds

LANES: Final = 2
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_STAGING: Final = """
CREATE TEMP TABLE newcomer (external_id text COLLATE "C", id text COLLATE "C", bucket smallint);
CREATE TEMP TABLE staged (number bigint, external_id text COLLATE "C", reference text, day date, at bigint,
                          amount bigint, quantity text);
"""
_ORDERS: Final = """
CREATE TEMP TABLE ordered AS
WITH facts AS (
  SELECT n.bucket, n.id AS member_id, s.*, gen_random_uuid()::text AS id, s.amount / 100 AS growth,
         to_char(s.day, 'YYYYMMDD')::int AS day_number, to_char(s.amount / 100.0, 'FM999999990.00') AS money,
         (extract(epoch FROM (s.day + interval '12 months') AT TIME ZONE 'Asia/Shanghai') * 1000000)::bigint
           AS expires_at,
         CASE WHEN s.day + 1 = date_trunc('month', s.day + 1)
           THEN (date_trunc('month', s.day + 1) - interval '12 months')::date
           ELSE (s.day - interval '12 months')::date + 1 END AS since,
         row_number() OVER member AS nth, min(s.at) OVER (PARTITION BY s.external_id) AS enrolled_at,
         count(*) FILTER (WHERE s.amount > 0) OVER member AS counted,
         count(*) FILTER (WHERE s.amount >= 100) OVER member AS grown,
         (sum(s.amount / 100) OVER member)::bigint AS growth_so_far
  FROM staged s JOIN newcomer n USING (external_id)
  WINDOW member AS (PARTITION BY s.external_id ORDER BY s.number ROWS UNBOUNDED PRECEDING)
), counted AS (
  SELECT f.number, count(*) FILTER (WHERE b.day > f.day - 30) AS recent, count(*) AS orders, sum(b.growth) AS growth,
         sum(b.amount) AS spend, count(*) FILTER (WHERE b.counted = 1) * 20 AS points
  FROM facts f JOIN facts b ON b.external_id = f.external_id AND b.number <= f.number AND b.day >= f.since
  WHERE f.amount > 0 AND b.amount > 0 GROUP BY f.number
), ranked AS (
  SELECT f.*, CASE WHEN f.amount > 0 AND f.counted = 1 THEN 20 ELSE 0 END AS points,
         max(CASE WHEN c.spend >= 2000000 AND c.orders >= 30 THEN 3 WHEN c.growth >= 5000 AND c.orders >= 10 THEN 2
                  WHEN c.points >= 500 OR c.recent >= 3 THEN 1 ELSE 0 END)
           OVER (PARTITION BY f.external_id ORDER BY f.number ROWS UNBOUNDED PRECEDING) AS rank
  FROM facts f LEFT JOIN counted c USING (number)
), stepped AS (
  SELECT r.*, coalesce(lag(rank) OVER (PARTITION BY external_id ORDER BY number), 0) AS rank_before FROM ranked r
)
SELECT s.*, now.name AS tier, before.name AS tier_before FROM stepped s
JOIN (VALUES (0, 'regular'), (1, 'silver'), (2, 'gold'), (3, 'platinum')) now (rank, name) USING (rank)
JOIN (VALUES (0, 'regular'), (1, 'silver'), (2, 'gold'), (3, 'platinum')) before (rank, name)
  ON before.rank = s.rank_before
"""
_WRITES: Final = (
    """
    CREATE TEMP TABLE earned AS
    SELECT bucket, member_id, unit, seq, id, amount, balance, at, expires_at, day_number,
           pg_temp.chain('', concat_ws('|', '', member_id, unit, seq, id, amount, 0, 'issuance', balance, at,
             $1::bigint)) OVER (PARTITION BY member_id, unit ORDER BY seq) AS digest
    FROM (
      SELECT bucket, member_id, 'points' AS unit, 1::bigint AS seq, id, points::bigint AS amount,
             points::bigint AS balance, at, expires_at, day_number FROM ordered WHERE points > 0
      UNION ALL
      SELECT bucket, member_id, 'growth', grown, id, growth, growth_so_far, at, expires_at, day_number
      FROM ordered WHERE growth > 0
    ) e
    """,
    """
    INSERT INTO member (bucket, id, external_id, status, tier, tier_since, tier_changes, attributes, enrolled_at,
                        tier_from)
    SELECT bucket, member_id, external_id, 'active', (array_agg(tier ORDER BY number DESC))[1],
           coalesce(max(at) FILTER (WHERE rank > rank_before), min(enrolled_at)),
           1 + count(*) FILTER (WHERE rank > rank_before), '{}', min(enrolled_at),
           max(at) FILTER (WHERE rank > rank_before)
    FROM ordered GROUP BY bucket, member_id, external_id
    """,
    """
    INSERT INTO account (bucket, member_id, unit, credited, debited, held, debt, seq, lot_seq, hold_seq, next_due,
                         pending, expiring, expires_at, digest)
    SELECT n.bucket, n.id, u.unit, coalesce(e.amount, 0), 0, 0, 0, coalesce(e.seq, 0), coalesce(e.seq, 0), 0, e.due,
           coalesce(e.pending, 0), coalesce(e.expiring, 0), e.due, coalesce(e.digest, '')
    FROM newcomer n CROSS JOIN (VALUES ('growth'), ('points')) u (unit)
    LEFT JOIN (
      SELECT member_id, unit, sum(amount)::bigint AS amount, max(seq) AS seq, due,
             sum(amount) FILTER (WHERE at >= due) AS pending, sum(amount) FILTER (WHERE expires_at = due) AS expiring,
             (array_agg(digest ORDER BY seq DESC))[1] AS digest
      FROM (SELECT *, min(expires_at) OVER (PARTITION BY member_id, unit) AS due FROM earned) l
      GROUP BY member_id, unit, due
    ) e ON e.member_id = n.id AND e.unit = u.unit
    """,
    """
    INSERT INTO entry (bucket, member_id, unit, seq, operation_id, amount, held, contra, balance, effective_at,
                       recorded_at, digest)
    SELECT bucket, member_id, unit, seq, id, amount, 0, 'issuance', balance, at, $1, digest FROM earned
    """,
    """
    INSERT INTO lot (bucket, member_id, unit, seq, operation_id, source, amount, remaining, held, expired, clawed,
                     forgiven, earned_at, available_from, expires_at, fixed)
    SELECT bucket, member_id, unit, seq, id, 'purchase', amount, amount, 0, 0, 0, 0, at, at, expires_at, false
    FROM earned
    """,
    """
    INSERT INTO tier_change (bucket, member_id, number, former, tier, operation_id, at, cause, version)
    SELECT bucket, member_id, 1, NULL, 'regular', id, at, 'enrolment', 1 FROM ordered WHERE nth = 1
    UNION ALL
    SELECT bucket, member_id, 1 + row_number() OVER (PARTITION BY member_id ORDER BY number), tier_before, tier, id, at,
           'earned', 1
    FROM ordered WHERE rank > rank_before
    """,
    """
    INSERT INTO tally (bucket, member_id, name, day, amount)
    SELECT bucket, member_id, t.name, day_number, sum(t.amount)
    FROM ordered CROSS JOIN LATERAL (VALUES ('points_earned', points), ('cap:purchase:points', points),
      ('growth_earned', growth), ('orders', 1), ('spend', amount)) t (name, amount)
    WHERE t.amount > 0 AND ordered.amount > 0 GROUP BY 1, 2, 3, 4
    """,
    """
    INSERT INTO purchase_order (bucket, member_id, reference, transaction_id, programme_version, currency, occurred_at,
                                amount, amount_left, points, points_amount, points_back, status, items, facts, awards,
                                refunds)
    SELECT bucket, member_id, reference, id, 1, 'CNY', at, amount, amount, 0, 0, 0, 'recorded', '[]',
           concat('{"first":', points > 0, ',"member":{"birthday":null,"enrolled_at":"',
             to_char(to_timestamp(enrolled_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'),
             '","orders":', counted - (amount > 0)::int, ',"tags":[],"tier":"', tier_before,
             '"},"priced":true,"promised":0,"quantity":"', quantity, '"}'),
           concat('{"growth":{"left":', growth, ',"lots":[', CASE WHEN growth > 0 THEN grown END, '],"points":', growth,
             '},"points":{"left":', points, ',"lots":[', CASE WHEN points > 0 THEN 1 END, '],"points":', points,
             ',"room":[8000,50000,null,null]}}'),
           '[]'
    FROM ordered
    """,
    """
    INSERT INTO operation (bucket, member_id, channel, idempotency_key, id, kind, request_hash, accepted, result, actor,
                           programme_version, effective_at, recorded_at)
    SELECT bucket, member_id, 'purchase', concat('order:', reference), id, 'record',
           encode(sha256(convert_to(concat_ws(',', 'purchase', 'record', reference, money, at, quantity), 'UTF8')),
             'hex'), true,
           concat('{"awards":{"growth":', growth, ',"points":', points, '}',
             CASE WHEN points > 0 OR growth > 0 THEN concat(',"by_rule":[', concat_ws(',',
               CASE WHEN points > 0 THEN concat('["points",">welcome>first_order",', points, ']') END,
               CASE WHEN growth > 0 THEN concat('["growth",">base>spend",', growth, ']') END), ']') END,
             ',"events":[',
             CASE WHEN nth = 1
               THEN concat('{"external_id":"', external_id, '","name":"member.enrolled","tier":"regular"},') END,
             '{"awards":{"growth":', growth, ',"points":', points, '},"name":"order.paid","occurred_at":"',
             to_char(to_timestamp(at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'), '","paid":',
             amount, ',"reference":"', reference, '"}',
             CASE WHEN rank > rank_before THEN concat(',{"cause":"earned","former":"', tier_before,
               '","name":"tier.changed","tier":"', tier, '"}') END,
             '],"points_spent":0,"reference":"', reference, '","trace":{"growth":[["base",[["spend","', money, '"]],"',
             money, '"],["rounding",[["floor","', money, '"]],"', growth, '"]],"points":[["base",[],"0"],'
             '["category",[],"0"],["new_products",[],"0"],["tier",[],"0"],["birthday",[],"0"],["welcome",[',
             CASE WHEN points > 0 THEN concat('["first_order","', points, '"]') END, '],"', points,
             '"],["rounding",[["floor","', points, '"]],"', points, '"]]}}'),
           'bench', 1, at, $1
    FROM ordered
    """,
)
_AGGREGATES: Final = """
    INSERT INTO daily_aggregate (name, day, unit, channel, part, shard, amount, times)
    SELECT 'credited', day_number, unit, 'purchase', 'issuance', $1::int, sum(amount), count(*)
    FROM earned GROUP BY 2, 3
    UNION ALL
    SELECT 'rule', day_number, unit, 'purchase',
           CASE unit WHEN 'points' THEN '>welcome>first_order' ELSE '>base>spend' END, $1, sum(amount), count(*)
    FROM earned GROUP BY 2, 3
    UNION ALL
    SELECT 'tally', day_number, '', '', t.name, $1, sum(t.amount), count(*)
    FROM ordered CROSS JOIN LATERAL (VALUES ('points_earned', points), ('cap:purchase:points', points),
      ('growth_earned', growth), ('orders', 1), ('spend', amount)) t (name, amount)
    WHERE t.amount > 0 AND ordered.amount > 0 GROUP BY 2, 5
    UNION ALL
    SELECT 'operations', day_number, '', 'purchase', 'record', $1, count(*), 0 FROM ordered GROUP BY 2
    UNION ALL
    SELECT 'joined', day_number, '', '', '', $1, count(*), 0 FROM ordered WHERE nth = 1 GROUP BY 2
    UNION ALL
    SELECT 'tier', day_number, '', 'enrolment', '>regular', $1, count(*), 0 FROM ordered WHERE nth = 1 GROUP BY 2
    UNION ALL
    SELECT 'tier', day_number, '', 'earned', concat(tier_before, '>', tier), $1, count(*), 0
    FROM ordered WHERE rank > rank_before GROUP BY 2, 5
"""


async def import_in_lanes(url: str, file: Path) -> float:
    """Import a CSV file as ``importing.repeated_cdnow`` writes it; how many seconds that took."""
    connections = [await asyncpg.connect(url) for _ in range(LANES)]
    try:
        for connection in connections:
            await connection.execute(CHAIN)
        began = perf_counter()
        lanes: list[list[tuple[object, ...]]] = [[] for _ in range(LANES)]
        for row in _orders(file):
            lanes[crc32(row[1].encode()) % LANES].append(row)
        await asyncio.gather(*(_import(*lane) for lane in zip(connections, lanes, count(), strict=False)))
        return perf_counter() - began
    finally:
        for connection in connections:
            await connection.close()


def _orders(file: Path) -> Iterator[tuple[int, str, str, date, int, int, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        rows = csv.reader(text)
        next(rows)
        for number, (reference, member, day, quantity, amount) in enumerate(rows):
            on, at = _midnight(day)
            yield number, member, reference, on, at, int(Decimal(amount) * 100), quantity


@cache
def _midnight(day: str) -> tuple[date, int]:
    on = date.fromisoformat(day)
    return on, microseconds(datetime.combine(on, time.min, _ZONE))


async def _import(connection: asyncpg.Connection, orders: list[tuple[object, ...]], lane: int) -> None:
    async with connection.transaction():
        await connection.execute(_STAGING)
        members = dict.fromkeys(str(order[1]) for order in orders)
        newcomers = [(member, id := new_id(), bucket_of(id)) for member in members]
        await connection.copy_records_to_table("newcomer", records=newcomers)
        await connection.copy_records_to_table("staged", records=orders)
        await connection.execute("ANALYZE newcomer; ANALYZE staged")
        await connection.execute(_ORDERS)
        await connection.execute("ANALYZE ordered")
        recorded_at = microseconds(datetime.now(UTC))
        for write in _WRITES:
            await connection.execute(write, *([recorded_at] if "$1" in write else []), timeout=3_600)
        await connection.execute(_AGGREGATES, lane, timeout=3_600)
