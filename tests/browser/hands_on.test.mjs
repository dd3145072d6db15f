// docs/hands-on.md as an operator follows it: its own blocks are pasted into GraphiQL, one after another, in a browser that
// reaches no host but this. What it promises is found in the answers. With LAUREL_SCREENSHOTS the page's picture is made.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";

const shop = JSON.parse(process.env.LAUREL_SHOP);
const pictures = process.env.LAUREL_SCREENSHOTS;

let browser, page;
let draft = "";
let answers = 0;
let last = null;

before(async () => {
  browser = await puppeteer.launch({
    executablePath: shop.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
  });
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  await page.setViewport({ width: 1440, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  page.on("response", heard);
  await page.goto(`${shop.url}/graphiql`);
  await page.waitForSelector("#token");
  await page.focus("#token");
  await page.keyboard.sendCharacter(shop.token);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".graphiql-query-editor .monaco-editor");
});

after(() => browser?.close());

/** Count the answers to what the operator asks: the line at the top asks what time it is, and the editor for the schema. */
async function heard(response) {
  const request = response.request();
  if (!response.url().endsWith("/graphql") || request.method() !== "POST") return;
  if (/^query Clock|IntrospectionQuery|WhoAmI/.test(JSON.parse(request.postData()).query.trim())) return;
  last = await response.json();
  answers += 1;
}

const answered = () =>
  page.evaluate(() => __MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith("response.json"))?.getValue() ?? "");

const asked = () =>
  page.evaluate(
    () => __MONACO.editor.getEditors().find((editor) => editor.getModel()?.uri.path.endsWith("operation.graphql")).getValue(),
  );

const spaced = (text) => text.replace(/\s+/g, " ").trim();

/** Put a text in the place of what the editor holds. Typed, the editor would close each bracket by itself. */
const paste = (text) =>
  page.evaluate((text) => {
    const editor = __MONACO.editor.getEditors().find((each) => each.getModel()?.uri.path.endsWith("operation.graphql"));
    editor.focus();
    editor.setSelection(editor.getModel().getFullModelRange());
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);

/** Paste a block of the page into a new tab, run it, and wait for its answer. */
async function run(block) {
  const text = block.replaceAll("the draft's id", draft);
  const tabs = await page.$$eval(".graphiql-tab", (found) => found.length);
  await (await page.waitForSelector('::-p-aria([name="New tab"][role="button"])')).click();
  await page.waitForFunction((tabs) => document.querySelectorAll(".graphiql-tab").length > tabs, {}, tabs);
  // A new tab fills the editor a moment after it is there, which takes away what was pasted too soon; and the editor finds
  // out a moment later which operation is to be run.
  const [, name] = /^(?:query|mutation) (\w+)/.exec(text);
  const isReady = async () =>
    spaced(await asked()) === spaced(text) &&
    (await page.$eval(".graphiql-tab-active", (tab) => tab.textContent)).includes(name);
  for (let attempt = 0; !(await isReady()); attempt += 1) {
    assert.ok(attempt < 60, `the editor holds ${await asked()} instead of ${text}`);
    await paste(text);
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  const before = answers;
  await (await page.waitForSelector(".graphiql-execute-button", { visible: true })).click();
  const started = Date.now();
  while (answers === before) {
    assert.ok(Date.now() - started < 120_000, `no answer to ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await page.waitForFunction((told) => {
    const model = __MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith("response.json"));
    try {
      return JSON.stringify(JSON.parse(model.getValue()).data) === told;
    } catch {
      return false;
    }
  }, {}, JSON.stringify(last.data));
  const { data, errors } = JSON.parse(await answered());
  assert.equal(errors, undefined);
  for (const payload of Object.values(data)) assert.deepEqual(payload?.errors ?? [], []);
  draft = data.createProgrammeDraft?.draft.id ?? draft;
  return data;
}

const amounts = (payload) => payload.transaction.entries.filter(({ unit }) => unit === "points").map(({ amount }) => amount);

/** The blocks of a part of the page, by its heading. */
const part = (heading) => shop.blocks[heading];

test("the line at the top says that it is a sandbox, and its time", async () => {
  await page.waitForSelector(".standing.sandbox");
  assert.match(await page.$eval(".standing.sandbox", (element) => element.textContent), /^Sandbox · .*2027/);
});

test("double points on milk powder for a week, from the draft to the points of a member", async () => {
  const [begin, edit, look, publish, go, buy, goOn, buyAgain] = part("Double points on milk powder for a week");
  await run(begin);
  assert.deepEqual((await run(edit)).editProgrammeDraft.draft, { revision: 2, problems: [] });
  const seen = (await run(look)).programmeDraft;
  assert.deepEqual(seen.problems, []);
  assert.ok(seen.programme.differences.length > 0);
  if (pictures) await page.screenshot({ path: `${pictures}/hands-on.png` });
  assert.equal((await run(publish)).publishProgrammeDraft.programme.version, 2);
  assert.equal((await run(go)).advanceClock.clock.standsAt.slice(0, 16), "2027-03-01T02:00");
  await page.waitForFunction(() => /1 Mar 2027/.test(document.querySelector(".standing.sandbox").textContent));
  const bought = await run(buy);
  assert.deepEqual([amounts(bought.milk), amounts(bought.toys)], [[200], [100]]);
  await run(goOn);
  assert.deepEqual(amounts((await run(buyAgain)).recordPurchase), [100]);
});

test("a new tier, from the draft to the member who rises to it", async () => {
  const [begin, edit, mend, look, publish, rise] = part("A new tier");
  await run(begin);
  const [problem] = (await run(edit)).editProgrammeDraft.draft.problems;
  assert.equal(problem.message, "rule 'day' is for silver, gold, the benefit for silver, ruby, gold");
  assert.deepEqual((await run(mend)).editProgrammeDraft.draft, { revision: 3, problems: [] });
  const seen = (await run(look)).programmeDraft;
  assert.match(seen.programme.differences.map(({ text }) => text).join("\n"), /红宝石会员/);
  assert.equal((await run(publish)).publishProgrammeDraft.programme.version, 3);
  const { tier, progress } = (await run(rise)).recordPurchase.member;
  assert.equal(tier.name, "红宝石会员");
  assert.equal(progress.criteria[0].remaining, "2000");
});

test("a cheaper lottery, from the draft to the price of a draw", async () => {
  const [begin, edit, look, publish, draw, versions] = part("A cheaper lottery");
  await run(begin);
  assert.deepEqual((await run(edit)).editProgrammeDraft.draft, { revision: 2, problems: [] });
  const seen = (await run(look)).programmeDraft;
  assert.match(seen.programme.differences.map(({ text }) => text).join("\n"), /for 20 points a time/);
  assert.equal((await run(publish)).publishProgrammeDraft.programme.version, 4);
  const drawn = (await run(draw)).drawLottery;
  assert.ok(amounts(drawn).includes(-20), JSON.stringify(drawn));
  const reasons = (await run(versions)).programmeVersions.map(({ publication }) => publication.reason);
  assert.equal(reasons.length, 4);
  assert.equal(reasons.at(-1), "a draw at a price that newcomers can pay");
});
