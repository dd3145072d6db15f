// The pages on a server that executes none but trusted documents: all that they ask is trusted there, and nothing else is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";

const shop = JSON.parse(process.env.LAUREL_SHOP);
const SECTIONS = ["overview", "members", "cohorts", "points", "orders", "guests", "tiers", "service", "channels", "value", "predictions"];

let browser, page;
const refused = [];

before(async () => {
  browser = await puppeteer.launch({
    executablePath: shop.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
  });
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  page.on("response", async (response) => {
    if (!response.url().endsWith("/graphql")) return;
    const { errors = [] } = await response.json().catch(() => ({}));
    refused.push(...errors.map(({ extensions, message }) => `${extensions?.code}: ${message}`));
  });
});

after(() => browser?.close());

test("what nobody of the house has written is not executed", async () => {
  const answer = await fetch(`${shop.url}/graphql`, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"query": "{ __typename }"}' });
  assert.equal((await answer.json()).errors[0].extensions.code, "DOCUMENT_NOT_TRUSTED");
});

test("the dashboard shows all of its sections, and the members behind a number", async () => {
  await page.goto(`${shop.url}/dashboard?show=all&lang=en`);
  await (await page.waitForSelector("#token")).type(shop.token);
  await page.keyboard.press("Enter");
  for (const section of SECTIONS) await page.waitForSelector(`[aria-labelledby=section-${section}] :is(.card, .nothing)`);
  await (await page.waitForSelector("#tierSpread .drill button")).click(); // there once the figures are
  await page.waitForSelector("dialog[open] tbody tr");
  assert.deepEqual(refused, []);
});

test("the member centre shows what there is, and does what is pressed", async () => {
  await page.goto(`${shop.url}/demo?lang=zh`);
  await (await page.waitForSelector(".samples button")).click();
  await page.waitForSelector(".history li");
  await page.waitForSelector(".lottery .odds");
  await (await page.waitForSelector('::-p-aria([name="今日签到"][role="button"])')).press("Enter");
  await page.waitForFunction(() => document.querySelector(".sign-in .done")?.textContent.includes("已完成"));
  await (await page.waitForSelector(".history .link")).press("Enter");
  await page.waitForSelector(".history .why:not([hidden]) p:not(.faint)");
  assert.deepEqual(refused, []);
});
