// graphql-ws: queries, mutations and subscriptions over one WebSocket.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { PROGRESS, give, newKey, shop } from "./shop.mjs";

const open = (token, more = {}) =>
  createClient({
    url: shop.url.replace("http", "ws"),
    webSocketImpl: WebSocket,
    connectionParams: token && { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    ...more,
  });

/** The only answer there is. */
async function only(client, payload) {
  const answers = [];
  for await (const answer of client.iterate(payload)) answers.push(answer);
  assert.equal(answers.length, 1);
  return answers[0];
}

test("graphql-ws sees a member's balance now and after each change", async () => {
  const client = open(shop.tokens.member);
  const seen = client.iterate({ query: PROGRESS, variables: { by: { id: shop.member } } });
  const first = (await seen.next()).value.data.memberProgress.points.available;
  const second = await give(7);
  assert.equal(second, first + 7);
  assert.equal((await seen.next()).value.data.memberProgress.points.available, second);
  await seen.return();
  await client.dispose();
});

test("graphql-ws sends queries and mutations too, and goes on after an error", async () => {
  const client = open(shop.tokens.service);
  await assert.rejects(only(client, { query: "{ nothing }" }), (errors) => {
    assert.equal(errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    return true;
  });
  const input = { member: { externalId: "nobody" }, points: 1, idempotencyKey: newKey() };
  const redeem = "mutation ($input: RedeemPointsInput!) { redeemPoints(input: $input) { errors { code } } }";
  assert.deepEqual((await only(client, { query: redeem, variables: { input } })).data, {
    redeemPoints: { errors: [{ code: "MEMBER_NOT_FOUND" }] },
  });
  assert.deepEqual((await only(client, { query: "{ viewer { role } }" })).data, { viewer: { role: "service" } });
  await client.dispose();
});

test("graphql-ws is told what a subscription is refused, and sees nothing of another member", async () => {
  const [member, partner] = [open(shop.tokens.member), open(shop.tokens.partner)];
  const another = { query: PROGRESS, variables: { by: { externalId: "another" } } };
  assert.deepEqual((await only(member, another)).data, { memberProgress: null });
  const code = await only(partner, another).then(
    ({ errors }) => errors?.[0].extensions.code,
    (errors) => errors[0].extensions.code,
  );
  assert.equal(code, "FORBIDDEN");
  await Promise.all([member.dispose(), partner.dispose()]);
});

test("graphql-ws is turned away with a token that is none", async () => {
  const closed = await new Promise((resolve) => {
    const client = open("rubbish", { lazy: false, onNonLazyError: () => {}, on: { closed: resolve } });
    client.subscribe({ query: "{ viewer { role } }" }, { next() {}, error() {}, complete() {} });
  });
  assert.ok([4401, 4403].includes(closed.code), `closed with ${closed.code}`);
});
