// graphql-ws on two processes of one shop: tests/graph/transport/test_two_processes.py serves them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { newKey, shop } from "./shop.mjs";

const BAR = `subscription { memberProgress(by: { externalId: "anna" }) {
  progress { ratio criteria { fact current remaining } } } }`;
const BUY = "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { code } } }";

async function buy(url) {
  const key = newKey();
  const amount = { amount: "100.00", currency: "CNY" };
  const input = { member: { externalId: "anna" }, amount, reference: key, idempotencyKey: key };
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${shop.token}` },
    body: JSON.stringify({ query: BUY, variables: { input } }),
  });
  assert.deepEqual((await response.json()).data, { recordPurchase: { errors: [] } });
}

test("two clients of graphql-ws, one a process, see the bar move wherever the purchase lands", async (run) => {
  const clients = shop.urls.map((url) =>
    createClient({
      url: url.replace("http", "ws"),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${shop.token}` },
      retryAttempts: 0,
    }),
  );
  run.after(() => Promise.all(clients.map((client) => client.dispose())));
  const seen = clients.map((client) => client.iterate({ query: BAR }));
  const next = () =>
    Promise.all(seen.map(async (bar) => (await bar.next()).value.data.memberProgress.progress));
  assert.deepEqual(
    (await next()).map(({ ratio }) => ratio),
    [0, 0],
  );
  let earned = 0;
  for (const url of [...shop.urls, ...shop.urls, ...shop.urls]) {
    await buy(url);
    earned += 100;
    assert.deepEqual(
      (await next()).map(({ criteria: [{ current }] }) => current),
      [`${earned}`, `${earned}`],
    );
  }
  await Promise.all(seen.map((bar) => bar.return()));
});
