// GraphQL over HTTP, by the working group's own audits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serverAudits } from "graphql-http";
import { authorized, shop } from "./shop.mjs";

test("every MUST and SHOULD of GraphQL over HTTP holds", async () => {
  const fetchFn = (url, options = {}) => fetch(url, { ...options, headers: { ...authorized("service"), ...options.headers } });
  const audits = serverAudits({ url: shop.url, fetchFn });
  const results = await Promise.all(audits.map((audit) => audit.fn()));
  const failed = results.filter(({ status }) => status === "error" || status === "warn");
  assert.ok(results.length > 50, `there are ${results.length} audits`);
  assert.deepEqual(failed.map(({ id, name, reason }) => `${id} ${name}: ${reason}`), []);
});
