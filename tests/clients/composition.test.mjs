// Apollo Federation: composed with a subgraph that extends Member, and asked through Apollo's own gateway.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { composeServices } from "@apollo/composition";
import { ApolloGateway, LocalGraphQLDataSource, RemoteGraphQLDataSource } from "@apollo/gateway";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { parse } from "graphql";
import { authorized, newKey, shop } from "./shop.mjs";

const POSTS = [
  { id: "1", title: "How to brew", by: "anna" },
  { id: "2", title: "Which cup", by: "anna" },
  { id: "3", title: "By nobody", by: "nobody" },
];

const COMMUNITY = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])

  scalar Decimal
  scalar CurrencyCode

  type Query {
    posts: [Post!]!
    node(id: ID!): Post
  }

  type Post @key(fields: "id") {
    id: ID!
    title: String!
    author: Member
    prize: Money
  }

  type Member @key(fields: "externalId") {
    externalId: String!
    posts: [Post!]!
  }

  type Money @shareable {
    amount: Decimal!
    currency: CurrencyCode!
  }

  type PageInfo @shareable {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }
`);

const community = buildSubgraphSchema({
  typeDefs: COMMUNITY,
  resolvers: {
    Query: { posts: () => POSTS },
    Post: { author: ({ by }) => ({ externalId: by }), prize: () => ({ amount: "5.00", currency: "CNY" }) },
    Member: { posts: ({ externalId }) => POSTS.filter(({ by }) => by === externalId) },
  },
});

const compose = (laurel) =>
  composeServices([
    { name: "laurel", typeDefs: parse(laurel), url: shop.url },
    { name: "community", typeDefs: COMMUNITY, url: "http://community.example" },
  ]);

// Once, as it takes a while.
const composed = compose(await told());

/** What the router is told of the schema by the server itself. */
async function told() {
  const response = await fetch(shop.url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Router-Authorization": shop.secret },
    body: JSON.stringify({ query: "{ _service { sdl } }" }),
  });
  return (await response.json()).data._service.sdl;
}

/** A gateway over both, and what it asks of Laurel. */
async function open(role) {
  const sent = [];
  class Laurel extends RemoteGraphQLDataSource {
    willSendRequest({ request }) {
      sent.push(request);
      request.http.headers.set("Router-Authorization", shop.secret);
      if (role) request.http.headers.set("Authorization", authorized(role).Authorization);
    }
  }
  const gateway = new ApolloGateway({
    supergraphSdl: composed.supergraphSdl,
    buildService: ({ name, url }) => (name === "laurel" ? new Laurel({ url }) : new LocalGraphQLDataSource(community)),
  });
  const { executor, schema } = await gateway.load();
  const ask = async (query, variables = {}) => {
    const document = parse(query);
    const [operation] = document.definitions;
    const queryHash = createHash("sha256").update(query).digest("hex");
    return executor({ request: { query, variables }, document, operation, schema, queryHash, context: {}, metrics: {}, overallCachePolicy: {} });
  };
  return { ask, sent, stop: () => gateway.stop() };
}

test("the schema that the server tells composes with a subgraph that extends Member", async () => {
  const { supergraphSdl, errors, hints } = composed;
  assert.equal(errors, undefined);
  assert.deepEqual(hints.filter(({ definition }) => definition.level.name === "WARN").map(({ message }) => message), []);
  // Query.node is the community's own, as a subgraph leaves it out unless it is told to have it.
  assert.match(supergraphSdl, /\n  node\(id: ID!\): Post @join__field\(graph: COMMUNITY\)/);
  const member = supergraphSdl.slice(supergraphSdl.indexOf("\ntype Member"));
  assert.match(member, /@join__type\(graph: LAUREL, key: "externalId"\)/);
  assert.match(member, /@join__type\(graph: COMMUNITY, key: "externalId"\)/);
  assert.match(member, /posts: \[Post!\]! @join__field\(graph: COMMUNITY\)/);
});

test("through the gateway the authors of all posts are asked for at once, and one that there is not is null", async () => {
  const { ask, sent, stop } = await open("service");
  const { data, errors } = await ask("{ posts { title author { externalId points { available } tier { name } } } }");
  await stop();
  assert.equal(errors, undefined);
  assert.deepEqual(data.posts.map(({ title, author }) => [title, author?.points.available]), [
    ["How to brew", 100],
    ["Which cup", 100],
    ["By nobody", undefined],
  ]);
  assert.equal(sent.length, 1);
  assert.match(sent[0].query, /_entities/);
});

test("a member's own token goes all the way, and what another subgraph knows of the member comes along", async () => {
  const { ask, stop } = await open("member");
  const query = "query ($by: MemberByInput!) { member(by: $by) { points { available } posts { title prize { amount } } } }";
  const own = await ask(query, { by: { externalId: "anna" } });
  const other = await ask(query, { by: { externalId: "another" } });
  await stop();
  assert.equal(own.errors, undefined);
  assert.deepEqual(own.data.member.posts.map(({ title }) => title), ["How to brew", "Which cup"]);
  assert.equal(own.data.member.points.available, 100);
  assert.equal(other.data.member, null);
});

test("what composition drops is kept by Laurel, and a mutation goes through", async () => {
  const { ask, stop } = await open("service");
  const twice = await ask('{ member(by: { id: "1", externalId: "anna" }) { id } }');
  const input = { member: { externalId: "anna" }, points: 1_000, idempotencyKey: newKey() };
  const redeem = "mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { errors { code } } }";
  const refused = await ask(redeem, { input });
  await stop();
  assert.equal(twice.errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  assert.deepEqual(refused.data.redeemPoints.errors.map(({ code }) => code), ["INSUFFICIENT_POINTS"]);
});

test("without a token nothing is told of a member", async () => {
  const { ask, stop } = await open();
  const { data, errors } = await ask("{ posts { author { points { available } } } }");
  await stop();
  assert.deepEqual(data.posts.map(({ author }) => author), [null, null, null]);
  assert.equal(errors[0].extensions.code, "UNAUTHENTICATED");
});
