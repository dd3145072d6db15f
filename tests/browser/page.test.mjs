// The page for operators as its users meet it: from the log-in to a mutation of a live programme, in a browser that reaches
// no host but this. tests/browser/test_browser.py opens the shop and says in LAUREL_SHOP how to reach it. With
// LAUREL_SCREENSHOTS, a folder, the pictures of docs/graphiql.md are made.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";

const shop = JSON.parse(process.env.LAUREL_SHOP);
const pictures = process.env.LAUREL_SCREENSHOTS;
const SECONDS = 60_000;

let browser, page;
const asked = new Set();
const complaints = [];
const refused = [];
const sockets = new Set();

before(async () => {
  browser = await puppeteer.launch({
    executablePath: shop.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
  });
  page = await browser.newPage();
  page.setDefaultTimeout(SECONDS);
  page.on("request", (request) => asked.add(new URL(request.url()).origin));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("response", (response) => response.status() >= 400 && refused.push(response));
  const session = await page.createCDPSession();
  await session.send("Network.enable");
  session.on("Network.webSocketCreated", ({ requestId }) => sockets.add(requestId));
  session.on("Network.webSocketClosed", ({ requestId }) => sockets.delete(requestId));
  await page.setViewport({ width: 1440, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  await page.goto(`${shop.url}/graphiql`);
});

after(() => browser?.close());

const text = (selector) => page.$eval(selector, (element) => element.textContent);
const button = (label) => page.waitForSelector(`::-p-aria([name="${label}"][role="button"])`);
const click = async (label) => (await button(label)).click();
const picture = async (name) => pictures && (await page.screenshot({ path: `${pictures}/${name}.png` }));

/** What stands in the editor whose file ends so: `operation.graphql` or `response.json`. */
const written = (file) =>
  page.evaluate((file) => __MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith(file))?.getValue() ?? "", file);

/** Wait until that has been written. */
const until = (file, part) =>
  page.waitForFunction(
    (file, part) => __MONACO.editor.getModels().some((model) => model.uri.path.endsWith(file) && model.getValue().includes(part)),
    {},
    file,
    part,
  );

async function logIn(token) {
  const field = await page.waitForSelector("#token");
  await field.evaluate((element) => element.select());
  await page.keyboard.sendCharacter(token);
  await page.keyboard.press("Enter");
}

async function logged(who) {
  await page.waitForFunction((who) => document.querySelector(".bar select")?.selectedOptions[0]?.textContent === who, {}, who);
  await page.waitForFunction(() => globalThis.__MONACO?.editor.getModels().some(({ uri }) => uri.path.endsWith("operation.graphql")));
}

async function run() {
  await (await page.waitForSelector(".graphiql-execute-button", { visible: true })).click();
}

async function recipe(title, name) {
  const pane = await page.$(".recipes");
  if (!pane) await click("Show Recipes");
  await (await page.waitForSelector(`.recipes ::-p-text(${title})`)).click();
  await page.waitForFunction((name) => document.querySelector(".graphiql-tab-active")?.textContent.includes(name), {}, name);
}

const available = async () => {
  const query = '{ member(by: { externalId: "14057" }) { points { available } } }';
  return (await ask(query)).member.points.available;
};

async function ask(query) {
  const response = await fetch(`${shop.url}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${shop.tokens.operator}` },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

test("a token that is none is turned away", async () => {
  await logIn("rubbish");
  await page.waitForFunction(() => document.querySelector(".refused").textContent !== "");
  assert.match(await text(".refused"), /token/);
});

test("an operator logs in, is told who they are and that the programme is live, and asks", async () => {
  await logIn(shop.tokens.operator);
  await logged("operator · a operator");
  assert.equal(await text(".standing"), "Live");
  assert.deepEqual(await page.$$eval(".graphiql-tab button:first-child", (tabs) => tabs.map((tab) => tab.textContent)), [
    "LookUp",
    "Why",
    "WhyNot",
  ]);
  await run();
  await until("response.json", '"externalId": "14057"');
  await picture("graphiql");
});

test("a recipe's mutation is sent only when the operator says so once more", async () => {
  const before = await available();
  await recipe("Adjust with a reason", "Adjust");
  await until("operation.graphql", "mutation Adjust");
  assert.doesNotMatch(await written("operation.graphql"), /NEW-KEY/);

  await run();
  await page.waitForSelector("dialog.confirmation[open]");
  assert.match(await text("dialog.confirmation"), /adjustPoints/);
  await picture("graphiql-live");
  await click("Don’t send");
  await until("response.json", "Nothing was sent.");
  assert.equal(await available(), before);

  await run();
  await click("Send to the live programme");
  await until("response.json", `"available": ${before + 100}`);
  assert.equal(await available(), before + 100);
});

test("the documentation says what a mutation does", async () => {
  await click("Show Documentation Explorer");
  await (await page.waitForSelector(".graphiql-doc-explorer ::-p-text(Mutation)")).click();
  await page.waitForSelector(".graphiql-doc-explorer ::-p-text(Give a member points or take some, for a stated reason)");
});

test("the history has what was asked", async () => {
  await click("Show History");
  await page.waitForSelector(".graphiql-history-items ::-p-text(Adjust)");
  await click("Hide History");
});

test("a member logs in beside the operator and watches the balance change", async () => {
  await page.select(".bar select", "another");
  await logIn(shop.tokens.member);
  await logged("member 14057");
  await recipe("Watch a member", "Watch");
  await until("operation.graphql", "subscription Watch");
  await run();
  const before = await available();
  await until("response.json", `"available": ${before}`);
  const input = '{ member: { externalId: "14057" }, points: 5, reason: "while a member watches", idempotencyKey: "watched" }';
  await ask(`mutation { adjustPoints(input: ${input}) { errors { code } } }`);
  await until("response.json", `"available": ${before + 5}`);
});

test("the operator goes on with the tabs that were open, and nothing is watched with the member's token any more", async () => {
  assert.equal(sockets.size, 1);
  await page.select(".bar select", shop.tokens.operator);
  await logged("operator · a operator");
  while (sockets.size) await new Promise((resolve) => setTimeout(resolve, 20));
  await until("operation.graphql", "mutation Adjust");
});

test("the page is dark where the reader wants it dark", async () => {
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  await recipe("Look a member up", "LookUp");
  await run();
  await until("response.json", '"externalId": "14057"');
  const colours = await page.evaluate(() => {
    const behind = (element) => {
      const colour = getComputedStyle(element).backgroundColor;
      return colour === "rgba(0, 0, 0, 0)" && element.parentElement ? behind(element.parentElement) : colour;
    };
    const letters = getComputedStyle(document.querySelector(".graphiql-query-editor .view-line span span")).color;
    return [behind(document.querySelector(".bar")), behind(document.querySelector(".graphiql-query-editor")), letters];
  });
  const [bar, editor, letters] = colours.map((colour) => Math.max(...colour.match(/\d+/g).slice(0, 3).map(Number)));
  assert.ok(bar < 90 && editor < 90 && letters > 130, `${colours}`);
  await picture("graphiql-dark");
});

test("on a phone nothing is cut off, and the answer stands below the question", async () => {
  await page.setViewport({ width: 390, height: 844, isMobile: true, hasTouch: true });
  await page.reload();
  await logged("operator · a operator");
  await recipe("Look a member up", "LookUp");
  await page.waitForFunction(() => !document.querySelector(".recipes"));
  await run();
  await until("response.json", '"externalId": "14057"');
  await picture("graphiql-phone");
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
  const box = async (selector) => (await page.$(selector)).boundingBox();
  const [question, answer] = [await box(".graphiql-editors"), await box(".graphiql-response")];
  assert.ok(question.y + question.height <= answer.y + 1, "the answer is below");
  for (const { x, width, height } of [question, answer]) {
    assert.ok(x >= 0 && x + width <= 390 && width > 250 && height > 200, `${x} ${width} ${height}`);
  }
  const play = await box(".graphiql-execute-button");
  assert.ok(play.x + play.width <= 390);
});

test("who logs out leaves no token behind", async () => {
  await click("Log out");
  await click("Log out");
  await page.waitForSelector("#token");
  const kept = await page.evaluate(() => [JSON.stringify({ ...sessionStorage }), localStorage.length, document.cookie]);
  assert.doesNotMatch(kept[0], /eyJ/);
  assert.deepEqual(kept.slice(1), [0, ""]);
});

test("no other host was asked, and nothing went wrong unseen", () => {
  assert.deepEqual([...asked].filter((origin) => origin !== "null"), [shop.url]);
  // The rubbish; and the member, to whom a live programme does not show its schema.
  const told = refused.map((response) => `${response.status()} ${response.request().headers().authorization}`);
  assert.deepEqual([...new Set(told)], ["401 Bearer rubbish", `403 Bearer ${shop.tokens.member}`]);
  // The browser says so too, and Monaco calls what it was doing when the page was left cancelled.
  const others = complaints.filter((said) => !said.startsWith("Failed to load resource") && !said.startsWith("Canceled"));
  assert.deepEqual(others, []);
});
