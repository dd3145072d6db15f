// The reads of benchmarks/comparing.py over PostgreSQL by mercurius: graphql-jit, loaders, prepared statements.
//
// As in benchmarks/handwritten.py the rules of examples/programmes/first-shop.yaml stand in it as constants, and nobody
// is asked for a token: the header `member` says whose progress is asked for.

import Fastify from 'fastify'
import mercurius from 'mercurius'
import postgres from 'postgres'

const [, , port] = process.argv

// Sums of bigint are numeric; all that is counted here is below 2 ** 53.
const number = { to: 20, from: [20, 1700], parse: Number, serialize: String }
const sql = postgres(process.env.BENCHMARKS_DATABASE, { max: 10, types: { bigint: number }, connection: { jit: 'off' } })
const rows = (text, values) => sql.unsafe(text, values, { prepare: true }).values()

const schema = `
  type Query {
    viewer: Viewer!
    members(first: Int!, after: String): MemberConnection!
    member(by: MemberByInput!): Member
  }
  input MemberByInput { externalId: String! }
  type Viewer { member: Member }
  type PageInfo { hasNextPage: Boolean! }
  type MemberConnection { nodes: [Member!]!, pageInfo: PageInfo! }
  type TransactionConnection { nodes: [Transaction!]!, pageInfo: PageInfo! }
  type Member {
    id: ID!
    externalId: String!
    tier: Tier!
    points: Balance!
    progress: Progress!
    transactions(first: Int!, after: String): TransactionConnection!
  }
  type Tier { id: ID!, name: String! }
  type Balance { available: Int!, pending: Int!, expiring: Expiring }
  type Expiring { points: Int!, at: String! }
  type Progress { ratio: Float!, nextTier: Tier, criteria: [Criterion!]! }
  type Criterion { description: String!, current: String!, required: String!, remaining: String!, ratio: Float! }
  type Transaction {
    id: ID!
    channel: String!
    kind: String!
    reference: String
    effectiveAt: String!
    entries: [Entry!]!
  }
  type Entry { unit: String!, amount: Int!, balanceAfter: Int! }
`

// -- the rules ---------------------------------------------------------------------------------------

const id = (...parts) => Buffer.from(parts.join(':')).toString('base64url')
const whole = String
const money = (cents) => `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')}`

// A fact's place among the sums of a member, what it is called, and how it is written.
const ORDERS_SAID = 'orders paid and not wholly refunded'
const POINTS = { at: 0, description: 'points earned, net of refunds, whatever became of them', text: whole }
const ORDERS_MONTH = { at: 1, description: ORDERS_SAID, text: whole }
const GROWTH = { at: 2, description: 'growth earned, net of refunds', text: whole }
const ORDERS = { at: 3, description: ORDERS_SAID, text: whole }
const SPEND = { at: 4, description: 'money paid, net of refunds', text: money }

const tier = (code, name, next, judge, criteria) => ({ id: id('Tier', code), name, next, judge, criteria })
const ladder = {
  regular: tier('regular', 'Regular', 'silver', Math.max, [[POINTS, 500], [ORDERS_MONTH, 3]]),
  silver: tier('silver', 'Silver', 'gold', Math.min, [[GROWTH, 5_000], [ORDERS, 10]]),
  gold: tier('gold', 'Gold', 'platinum', Math.min, [[SPEND, 2_000_000], [ORDERS, 30]]),
  platinum: tier('platinum', 'Platinum', null, Math.min, []),
}

const ratio = (current, required) =>
  current >= required ? 1 : Math.floor((Math.max(current, 0) * 10_000) / required) / 10_000

const progress = (code, sums) => {
  const { next, judge, criteria } = ladder[code]
  const judged = criteria.map(([fact, required]) => {
    const current = sums[fact.at]
    return {
      description: fact.description,
      current: fact.text(current),
      required: fact.text(required),
      remaining: current < required ? fact.text(required - current) : '0',
      ratio: ratio(current, required),
    }
  })
  return {
    ratio: judged.length ? judge(...judged.map((each) => each.ratio)) : 1,
    nextTier: next && ladder[next],
    criteria: judged,
  }
}

// -- days and instants --------------------------------------------------------------------------------

const DAY = 86_400_000
const dayNumber = (day) => day.getUTCFullYear() * 10_000 + (day.getUTCMonth() + 1) * 100 + day.getUTCDate()
const monthEnd = (year, month) => new Date(Date.UTC(year, month + 1, 0)).getUTCDate()

let known = { today: 0, year: 0, month: 0 }

// The first days of the year and of the month until now, in Shanghai.
const firstDays = () => {
  const today = Math.floor((Date.now() + 8 * 3_600_000) / DAY)
  if (today !== known.today) {
    const day = new Date(today * DAY)
    const [year, month, date] = [day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()]
    const last = monthEnd(year - 1, month)
    const gone = date === monthEnd(year, month) ? last : Math.min(date, last)
    known = {
      today,
      year: dayNumber(new Date(Date.UTC(year - 1, month, gone + 1))),
      month: dayNumber(new Date(today * DAY - 29 * DAY)),
    }
  }
  return known
}

const at = (micros) => {
  const seconds = Math.floor(micros / 1_000_000)
  const rest = micros - seconds * 1_000_000
  const text = new Date(seconds * 1_000).toISOString().slice(0, 19)
  return rest ? `${text}.${String(rest).padStart(6, '0')}Z` : `${text}Z`
}

// -- the statements -----------------------------------------------------------------------------------

const KEYS = 'unnest($1::smallint[], $2::text[]) WITH ORDINALITY AS k (bucket, id, place)'
// Of whom something has changed by itself, or is held, the account does not say what is available.
const BALANCES = `
  SELECT CASE WHEN a.held = 0 AND (a.next_due IS NULL OR a.next_due > $3)
         THEN a.credited - a.debited + a.debt - a.pending END, a.pending, a.expires_at, a.expiring
  FROM ${KEYS} JOIN account a ON a.bucket = k.bucket AND a.member_id = k.id AND a.unit = 'points' ORDER BY k.place`
const ADDED_UP = `
  SELECT b.available, b.pending, b.soonest, b.expiring FROM ${KEYS} CROSS JOIN LATERAL (
    SELECT COALESCE(SUM(free), 0) AS available, COALESCE(SUM(later), 0) AS pending, MIN(soonest) AS soonest,
           SUM(CASE WHEN expires_at = soonest THEN free END) AS expiring
    FROM (
      SELECT expires_at, CASE WHEN available_from <= $3 THEN remaining - held ELSE 0 END AS free,
             CASE WHEN available_from > $3 THEN remaining - held ELSE 0 END AS later,
             MIN(CASE WHEN available_from <= $3 AND remaining > held THEN expires_at END) OVER () AS soonest
      FROM lot WHERE bucket = k.bucket AND member_id = k.id AND unit = 'points' AND remaining > 0
      AND (expires_at IS NULL OR expires_at > $3)
    ) l
  ) b ORDER BY k.place`
const FACTS = `
  SELECT f.* FROM ${KEYS} CROSS JOIN LATERAL (
    SELECT COALESCE(SUM(CASE WHEN name = 'points_earned' THEN amount END), 0) AS points_earned,
           COALESCE(SUM(CASE WHEN name = 'orders' AND day >= $4 THEN amount END), 0) AS orders_month,
           COALESCE(SUM(CASE WHEN name = 'growth_earned' THEN amount END), 0) AS growth_earned,
           COALESCE(SUM(CASE WHEN name = 'orders' THEN amount END), 0) AS orders,
           COALESCE(SUM(CASE WHEN name = 'spend' THEN amount END), 0) AS spend
    FROM tally WHERE bucket = k.bucket AND member_id = k.id
    AND name IN ('growth_earned', 'orders', 'points_earned', 'spend') AND day >= $3
  ) f ORDER BY k.place`
const ENTRIES = `
  SELECT k.place, e.unit, e.amount, e.balance
  FROM unnest($1::smallint[], $2::text[], $3::text[]) WITH ORDINALITY AS k (bucket, id, operation_id, place)
  JOIN entry e ON e.bucket = k.bucket AND e.member_id = k.id AND e.operation_id = k.operation_id
  ORDER BY k.place, e.unit DESC`
const MEMBER = 'SELECT bucket, id, external_id, tier FROM member WHERE external_id = $1'
const MEMBERS = 'SELECT bucket, id, external_id, tier FROM member WHERE id > $1 ORDER BY id LIMIT $2'
const TRANSACTIONS = `
  SELECT id, channel, kind, result, effective_at FROM operation
  WHERE bucket = $1 AND member_id = $2 AND accepted AND id < $3 ORDER BY id DESC LIMIT $4`

const member = ([bucket, raw, externalId, code]) => ({
  bucket,
  raw,
  code,
  id: id('Member', raw),
  externalId,
  tier: ladder[code],
})
const find = async (externalId) => {
  const [row] = await rows(MEMBER, [externalId])
  return row ? member(row) : null
}
const keysOf = (queries) => [queries.map(({ obj }) => obj.bucket), queries.map(({ obj }) => obj.raw)]

// -- the answers --------------------------------------------------------------------------------------

const resolvers = {
  Query: {
    viewer: async (_, __, { asker }) => ({ member: await find(asker) }),
    member: (_, { by }) => find(by.externalId),
    members: async (_, { first, after }) => {
      const found = await rows(MEMBERS, [after ?? '', first + 1])
      return { nodes: found.slice(0, first).map(member), pageInfo: { hasNextPage: found.length > first } }
    },
  },
  Member: {
    transactions: async ({ bucket, raw }, { first, after }) => {
      const found = await rows(TRANSACTIONS, [bucket, raw, after ?? '~', first + 1])
      const nodes = found.slice(0, first).map(([operation, channel, kind, result, effectiveAt]) => ({
        bucket,
        raw,
        operation,
        id: id('Transaction', raw, operation),
        channel,
        kind,
        reference: JSON.parse(result).reference || null,
        effectiveAt: at(effectiveAt),
      }))
      return { nodes, pageInfo: { hasNextPage: found.length > first } }
    },
  },
}

const uncached = (loader) => ({ loader, opts: { cache: false } })
const loaders = {
  Member: {
    points: uncached(async (queries) => {
      const [keys, now] = [keysOf(queries), Date.now() * 1_000]
      let found = await rows(BALANCES, [...keys, now])
      if (found.some(([available]) => available === null)) found = await rows(ADDED_UP, [...keys, now])
      return found.map(([available, pending, soonest, points]) => ({
        available,
        pending,
        expiring: soonest === null ? null : { points, at: at(soonest) },
      }))
    }),
    progress: uncached(async (queries) => {
      const { year, month } = firstDays()
      const found = await rows(FACTS, [...keysOf(queries), year, month])
      return found.map((sums, place) => progress(queries[place].obj.code, sums))
    }),
  },
  Transaction: {
    entries: uncached(async (queries) => {
      const found = await rows(ENTRIES, [...keysOf(queries), queries.map(({ obj }) => obj.operation)])
      const entries = queries.map(() => [])
      for (const [place, unit, amount, balanceAfter] of found) entries[place - 1].push({ unit, amount, balanceAfter })
      return entries
    }),
  },
}

const app = Fastify({ logger: false, keepAliveTimeout: 75_000 })
app.register(mercurius, {
  schema,
  resolvers,
  loaders,
  jit: 1,
  graphiql: false,
  context: (request) => ({ asker: request.headers.member }),
})
await app.listen({ port: Number(port), host: '127.0.0.1' })
