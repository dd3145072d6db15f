// urql, which asks for a stream of events and JSON at once, and subscribes with fetch alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, fetchExchange } from "@urql/core";
import { PROGRESS, authorized, give, shop } from "./shop.mjs";

const open = (role) =>
  new Client({
    url: shop.url,
    exchanges: [fetchExchange],
    fetchSubscriptions: true,
    preferGetMethod: false,
    fetchOptions: { headers: authorized(role) },
  });

test("urql asks, and is told what is forbidden beside the data", async () => {
  const client = open("member");
  const { data, error } = await client.query("{ viewer { role } members(first: 1) { nodes { id } } }", {}).toPromise();
  assert.deepEqual(data.viewer.role, "member");
  assert.equal(error.graphQLErrors[0].extensions.code, "FORBIDDEN");
});

test("urql is told what is wrong with a document", async () => {
  const { data, error } = await open("member").query("{ nothing }", {}).toPromise();
  assert.equal(data, undefined);
  assert.equal(error.graphQLErrors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
});

test("urql sees a member's balance now and after each change, by fetch alone", async () => {
  const seen = [];
  let stop;
  await new Promise((resolve, reject) => {
    const { unsubscribe } = open("member")
      .subscription(PROGRESS, { by: { id: shop.member } })
      .subscribe(({ data, error }) => {
        if (error) return reject(error);
        seen.push(data.memberProgress.points.available);
        if (seen.length === 1) give(5).catch(reject);
        else resolve();
      });
    stop = unsubscribe;
  });
  stop();
  assert.deepEqual(seen.slice(0, 2), [seen[0], seen[0] + 5]);
});
