// The page that the guide for front ends writes, on a phone: its bar moves while it is open, and a refusal is told in its own words.
// With LAUREL_SCREENSHOTS, a folder, the guide's picture is made.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";

const shop = JSON.parse(process.env.LAUREL_SHOP);
const pictures = process.env.LAUREL_SCREENSHOTS;

let browser, page;

before(async () => {
  browser = await puppeteer.launch({
    executablePath: shop.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
  });
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  await page.setViewport({ width: 390, height: 560 });
  await page.goto(`${shop.url}/#${shop.tokens.member}`);
});

after(() => browser?.close());

const bar = () => page.$eval("progress", (bar) => bar.value);
const points = () => page.$eval("output", (output) => Number(output.textContent));

test("a purchase that is made elsewhere moves the bar in the open page", async () => {
  await page.waitForSelector("progress");
  const [former, had] = [await bar(), await points()];
  if (pictures) await page.screenshot({ path: `${pictures}/guides/front-end-page.png` });
  const query = `mutation { recordPurchase(input: {member: {externalId: "14057"}, reference: "till-2", idempotencyKey: "till-2",
    amount: {amount: "500.00", currency: "CNY"}, lines: [{sku: "oolong", amount: "500.00"}]}) { errors { code } } }`;
  const answer = await fetch(`${shop.laurel}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${shop.tokens.service}` },
    body: JSON.stringify({ query }),
  });
  assert.deepEqual((await answer.json()).data.recordPurchase.errors, []);
  await page.waitForFunction((former) => document.querySelector("progress").value > former, {}, former);
  assert.ok((await points()) > had);
});

test("a refusal is told with its facts", async () => {
  await page.click("button");
  await page.waitForFunction(() => /^That takes 1000000, and you have \d+\.$/.test(document.querySelector("[role=status]").textContent));
});
