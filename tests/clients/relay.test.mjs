// Relay's run time with what its compiler made: a refetch by node(id:), and a connection that is paged through.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import relay from "relay-runtime";
import { ask, authorized, compiledByRelay, give, newKey, shop } from "./shop.mjs";

const { Environment, Network, RecordSource, Store, commitMutation, createOperationDescriptor, createReaderSelector, fetchQuery, getRequest } = relay;
const require = createRequire(import.meta.url);
const made = (name) => require(`${compiledByRelay()}/${name}.graphql.js`);

function open(role) {
  const network = Network.create(async ({ text }, variables) => {
    const response = await fetch(shop.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json", ...authorized(role) },
      body: JSON.stringify({ query: text, variables }),
    });
    return response.json();
  });
  return new Environment({ network, store: new Store(new RecordSource()) });
}

/** What a fragment of the member reads from the store. */
function read(environment, fragment, variables = {}) {
  const owner = createOperationDescriptor(getRequest(made("documentsMemberQuery")), { by: { id: shop.member } });
  return environment.lookup(createReaderSelector(made(fragment), shop.member, variables, owner.request)).data;
}

test("Relay fetches a member again by its id, and finds the new balance in its store", async () => {
  const environment = open("member");
  await fetchQuery(environment, made("documentsMemberQuery"), { by: { id: shop.member } }).toPromise();
  const before = read(environment, "documentsBalance_member");
  assert.equal(before.externalId, "anna");
  await give(11);
  await fetchQuery(environment, made("documentsBalanceRefetchQuery"), { id: shop.member }).toPromise();
  assert.equal(read(environment, "documentsBalance_member").points.available, before.points.available + 11);
});

test("Relay pages through a member's history to its end, and has each transaction once", async () => {
  for (let number = 0; number < 5; number++) await give(1);
  const environment = open("member");
  const page = made("documentsHistoryPaginationQuery");
  const variables = { count: 2, cursor: null };
  const history = () => read(environment, "documentsHistory_member", variables).transactions;
  await fetchQuery(environment, page, { id: shop.member, ...variables }).toPromise();
  let pages = 1;
  while (history().pageInfo.hasNextPage) {
    await fetchQuery(environment, page, { id: shop.member, count: 2, cursor: history().pageInfo.endCursor }).toPromise();
    pages++;
  }
  const ids = history().edges.map(({ node }) => node.id);
  const { member } = await ask("query ($id: ID!) { member(by: { id: $id }) { transactions(first: 100) { nodes { id } } } }", {
    id: shop.member,
  });
  assert.deepEqual(ids, member.transactions.nodes.map(({ id }) => id));
  assert.equal(pages, Math.ceil(ids.length / 2));
});

test("a mutation's payload is merged into Relay's store", async () => {
  const environment = open("member");
  await fetchQuery(environment, made("documentsMemberQuery"), { by: { id: shop.member } }).toPromise();
  const before = read(environment, "documentsBalance_member").points.available;
  const input = { member: { id: shop.member }, points: 2, idempotencyKey: newKey() };
  const { redeemPoints } = await new Promise((onCompleted, onError) => {
    commitMutation(environment, { mutation: made("documentsRedeemMutation"), variables: { input }, onCompleted, onError });
  });
  assert.deepEqual(redeemPoints.errors, []);
  assert.equal(read(environment, "documentsBalance_member").points.available, before - 2);
});
