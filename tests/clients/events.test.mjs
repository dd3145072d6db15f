// graphql-sse: a stream of events for each subscription.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "graphql-sse";
import { PROGRESS, authorized, give, shop } from "./shop.mjs";

const open = (role) => createClient({ url: shop.url, headers: authorized(role), retryAttempts: 0 });

test("graphql-sse sees a member's balance now and after each change", async () => {
  const client = open("member");
  const seen = client.iterate({ query: PROGRESS, variables: { by: { id: shop.member } } });
  const first = (await seen.next()).value.data.memberProgress.points.available;
  const second = await give(3);
  assert.equal(second, first + 3);
  assert.equal((await seen.next()).value.data.memberProgress.points.available, second);
  await seen.return();
  client.dispose();
});

test("graphql-sse is told what is wrong with a document, and what is forbidden", async () => {
  assert.equal(await code("member", "subscription { nothing }"), "GRAPHQL_VALIDATION_FAILED");
  assert.equal(await code("partner", PROGRESS, { by: { externalId: "another" } }), "FORBIDDEN");
});

/** The code of the first error, however it is told. */
async function code(role, query, variables) {
  const client = open(role);
  try {
    for await (const answer of client.iterate({ query, variables })) return answer.errors?.[0].extensions.code;
  } catch (error) {
    // A refusal before the stream begins is an HTTP answer, which graphql-sse hands on as it is.
    return (await error.response.json()).errors[0].extensions.code;
  } finally {
    client.dispose();
  }
}
