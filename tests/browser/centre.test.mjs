// The member centre as members meet it: each part, both languages, a phone and a desk, and what can go wrong under an open page:
// a line that is cut, a server that is upgraded, a member who is frozen. With LAUREL_SCREENSHOTS, a folder, the pictures of
// docs/member-centre.md are made.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { openLine } from "./line.mjs";

const shop = JSON.parse(process.env.LAUREL_SHOP);
const pictures = process.env.LAUREL_SCREENSHOTS;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = { desk: [1440, 900], phone: [390, 844] };

let browser, page, line;
const asked = new Set();
const complaints = [];
const unanswered = new Set();

before(async () => {
  line = await openLine(shop.url);
  browser = await puppeteer.launch({
    executablePath: shop.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
  });
  page = await browser.newPage();
  // Without TLS, other than on one's own machine, browsers have none.
  await page.evaluateOnNewDocument(() => delete Crypto.prototype.randomUUID);
  page.setDefaultTimeout(60_000);
  page.on("request", (request) => asked.add(new URL(request.url()).origin));
  page.on("request", (request) => request.method() === "POST" && unanswered.add(request));
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => unanswered.delete(request));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }, { name: "prefers-reduced-motion", value: "reduce" }]);
  await at("desk");
  await page.goto(`${line.url}/demo?lang=en`);
});

after(async () => {
  await browser?.close();
  line?.close();
});

const at = (width) => page.setViewport({ width: WIDTHS[width][0], height: WIDTHS[width][1] });
const text = (selector) => page.$eval(selector, (element) => element.innerText.replaceAll("\u00a0", " "));
const headings = () => page.$$eval(".parts > .part h2", (all) => all.map((heading) => heading.textContent));
// By the keyboard, as what is above a button may come and go while the mouse is on its way.
const press = async (label) => (await page.waitForSelector(`::-p-aria([name="${label}"][role="button"])`)).press("Enter");
const says = (selector, part) =>
  page.waitForFunction((selector, part) => [...document.querySelectorAll(selector)].some((element) => element.innerText.includes(part)), {}, selector, part);
const picture = async (name, full = true) => pictures && (await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: full }));
const points = () => page.$eval(".points .figure", (figure) => Number(figure.textContent.replaceAll(",", "")));
const until = (points) => page.waitForFunction((points) => document.querySelector(".points .figure")?.textContent.replaceAll(",", "") === String(points), {}, points);

/** Wait until all that was asked has been answered, and nothing more is asked. */
async function answered() {
  for (let quiet = 0; quiet < 5; quiet = unanswered.size ? 0 : quiet + 1) await new Promise((resume) => setTimeout(resume, 50));
}

async function accessible() {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  assert.deepEqual(grave.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]), []);
}

async function graph(role, query, variables) {
  const response = await fetch(`${shop.url}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${shop.tokens[role]}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  for (const { errors = [] } of Object.values(data).filter(Boolean)) assert.deepEqual(errors, []);
  return data;
}

const buy = (reference) =>
  graph("service", "mutation ($input: RecordPurchaseInput!) { recordPurchase(input: $input) { errors { code message } } }", {
    input: {
      member: { externalId: "14057" },
      reference,
      idempotencyKey: reference,
      amount: { amount: "120.00", currency: "CNY" },
      lines: [{ sku: "cup", amount: "120.00" }],
    },
  });

test("whoever opens it becomes one of the sample members", async () => {
  await page.waitForSelector(".samples button");
  await accessible();
  assert.deepEqual(await page.$$eval(".samples strong", (all) => all.map((name) => name.textContent)), ["14057", "12509"]);
  await (await page.waitForSelector(".samples ::-p-text(14057)")).click();
  await page.waitForSelector(".history li");
  assert.equal(await page.title(), "Member centre · Sample Shop");
});

test("every part of the programme is there, and every bar is said in words", async () => {
  await page.waitForSelector(".lottery .odds");
  const parts = ["Points", "Your tier", "Sign-in", "Quests", "Badges", "Rewards", "Pay with points", "Lucky wheel", "History"];
  assert.deepEqual(await headings(), parts);
  assert.match(await text(".points"), /When they expire/);
  const bars = await page.$$eval("progress", (all) => all.map((bar) => [bar.getAttribute("aria-label"), bar.getAttribute("aria-valuetext")]));
  assert.ok(bars.length > 8 && bars.flat().every(Boolean), JSON.stringify(bars));
  await accessible();
  await picture("member-centre", false);
});

test("a purchase made elsewhere moves the bar in the open page", async () => {
  const bar = () => page.$eval(".tier .criteria li:first-child progress", (bar) => bar.value);
  const [former, had] = [await bar(), await points()];
  await buy("elsewhere-1");
  await page.waitForFunction((former) => document.querySelector(".tier .criteria li:first-child progress").value > former, {}, former);
  assert.ok((await bar()) > former);
  assert.ok((await points()) > had);
  await says(".history li", "elsewhere-1");
});

test("a visit is recorded, told, and stands in the calendar; then its quest is claimed", async () => {
  const [had, days] = [await points(), await page.$$eval(".month td.signed", (all) => all.length)];
  await press("Sign in for today");
  await says(".sign-in .done", "Done: +5 points");
  await until(had + 5);
  await page.waitForFunction((days) => document.querySelectorAll(".month td.signed").length === days + 1, {}, days);
  assert.match(await page.$eval(".month td[aria-current]", (day) => day.textContent), /signed in/);
  assert.match(await text(".sign-in"), /You have signed in today/);
  await press("Claim: Come by three days this week");
  await until(had + 20);
  await says(".quests .quest-done", "Come by three days this week");
});

test("a missed day is made up, and is not asked for again though the answer was lost", async () => {
  const had = await points();
  await page.evaluate(() => {
    const { fetch } = window;
    window.fetch = async (place, request) => {
      const answer = await fetch(place, request);
      if (!request?.body?.includes("mutation MakeUp")) return answer;
      window.fetch = fetch;
      await new Promise((resume) => setTimeout(resume, 1500));
      throw new TypeError("the answer is lost");
    };
  });
  await page.click(".sign-in .act .quiet");
  await until(had - 20);
  await page.waitForFunction(() => document.querySelectorAll(".month td.madeUp").length === 1);
  await page.waitForFunction(() => !document.querySelector(".sign-in [aria-busy=true]"));
  assert.doesNotMatch(await text(".sign-in"), /Press again/);
});

test("badges tell what is had and what is missing", async () => {
  assert.match(await text(".badges .had"), /Bronze buyer\s+Level 1 of 3/);
  assert.match(await text(".badges li:not(.had)"), /Seven days in a row\s+\d of 7 · brings 30 points/);
});

test("a reward is redeemed once it is confirmed, and what is out of reach says why", async () => {
  const had = await points();
  await press("Redeem: A pot of tea");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /^Yes, for 300/);
  await press("Not now");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Redeem: A pot of tea");
  assert.equal(await points(), had);
  await press("Redeem: A pot of tea");
  await press("Not now");
  await (await page.waitForSelector('::-p-aria([name="Redeem: A pot of tea"][role="button"])')).click({ count: 2 });
  await page.waitForSelector('::-p-aria([name="Not now"][role="button"])');
  await answered();
  assert.equal(await points(), had, "a double click has asked, and has not answered itself");
  await press("Yes, for 300 points");
  await until(had - 300);
  await says(".rewards .rows", "A pot of tea");
  assert.match(await text(".rewards .cards li:last-child"), /That takes 6,000, and you have/);
});

test("a basket is priced as it is typed, points are set aside and given back", async () => {
  const had = await points();
  await page.$eval(".checkout input", (field) => field.select());
  await page.keyboard.type("-5");
  await says(".checkout .refused", "This isn’t an amount.");
  await page.$eval(".checkout input", (field) => field.select());
  await page.keyboard.type("20.00");
  await says(".checkout .total", "14.00");
  assert.match(await text(".checkout .sums"), /Points used\s+600\s+Points pay\s+¥6.00\s+You pay\s+¥14.00\s+This order earns\s+\+20 points, \+20 growth/);
  await press("Set 600 points aside");
  await until(had - 600);
  await press("Give back: 600 points");
  await until(had);
});

test("the lottery shows its odds as they are used, is drawn, and refuses in words beside the button", async () => {
  assert.deepEqual(await page.$$eval(".odds tbody td:nth-child(2)", (all) => all.map((cell) => cell.textContent)), ["1/1,000", "59/1,000", "340/1,000", "600/1,000"]);
  for (let drawn = 1; drawn <= 5; drawn++) {
    await press("Draw for 20 points");
    await says(".lottery header", drawn === 4 ? "One draw left" : `${5 - drawn} draws left`);
    await says(".lottery .drawn", "You drew: ");
  }
  await press("Draw for 20 points");
  await says(".lottery .act .refused", "No more draws until");
  await accessible();
});

test("the history explains itself, and goes on page by page", async () => {
  await says(".history li", "Draw");
  const why = await page.waitForSelector(".history li:has(.gain) .link");
  await why.click();
  await page.waitForFunction(() => document.querySelector(".history .why:not([hidden]) p:not(.faint)"));
  assert.match(await text(".history .why:not([hidden])"), /\. */);
  const times = () => page.$$eval(".history li time", (all) => all.length);
  const before = await times();
  await press("Show more");
  await page.waitForFunction((before) => document.querySelectorAll(".history li time").length > before, {}, before);
  const loaded = await times();
  await buy("elsewhere-2");
  await says(".history li", "elsewhere-2");
  assert.equal(await times(), loaded + 1);
});

test("a connection that is lost is told, what was pressed is done once, and the page catches up", async () => {
  await page.$eval(".checkout input", (field) => field.select());
  await page.keyboard.type("10.00");
  await says(".checkout .act", "Set 300 points aside");
  const had = await points();
  const sent = [];
  const note = (request) => request.postData()?.includes("mutation HoldCheckout") && sent.push(JSON.parse(request.postData()).variables);
  page.on("request", note);
  line.cut();
  await says(".note.warning", "The connection is lost");
  await says(".line-state", "Connection lost");
  await press("Set 300 points aside");
  await says(".checkout .refused", "never done twice");
  await buy("elsewhere-3");
  assert.equal(await points(), had);
  line.mend();
  await says(".note", "The connection is back");
  await page.waitForFunction((had) => Number(document.querySelector(".points .figure").textContent.replaceAll(",", "")) > had, {}, had);
  const now = await points();
  await press("Set 300 points aside");
  await until(now - 300);
  page.off("request", note);
  assert.equal(sent.length, 2);
  assert.deepEqual(sent[1], sent[0]);
  await press("Give back: 300 points");
  await says(".checkout .done", "Done");
  await until(now);
});

test("a member who is frozen is told so in place of what could be done", async () => {
  await graph("operator", 'mutation { freezeMember(input: {member: {externalId: "14057"}, scope: SPENDING, reason: "to look into it", idempotencyKey: "freeze"}) { errors { code message } } }');
  await says(".frozen", "Your membership is frozen");
  assert.match(await text(".frozen"), /You can’t spend at the moment/);
  await says(".rewards .stopped", "Not possible while your membership is frozen");
  assert.equal(await page.$('::-p-aria([name="Draw for 20 points"][role="button"])'), null);
  await accessible();
  await page.goto(`${line.url}/demo?lang=zh`);
  await says(".frozen", "您的会员已被冻结");
  assert.match(await text(".frozen"), /目前不能使用积分，仍可继续获得。/);
  await says(".rewards .stopped", "会员冻结期间不可操作");
  await page.goto(`${line.url}/demo?lang=en`);
  await says(".frozen", "Your membership is frozen");
  await graph("operator", 'mutation { unfreezeMember(input: {member: {externalId: "14057"}, reason: "looked into", idempotencyKey: "unfreeze"}) { errors { code message } } }');
  await page.waitForFunction(() => !document.querySelector(".frozen"));
});

test("what the page has no words for is said by the graph, in the reader's language", async () => {
  await page.goto(`${line.url}/demo?lang=zh`);
  await page.waitForSelector(".lottery .odds");
  await page.waitForSelector(".checkout .act button");
  await says(".history li", "安全"); // the channel that froze, of which the page knows nothing
  await page.evaluate(() => {
    const { fetch } = window;
    window.fetch = (place, request) => {
      if (!request?.body?.includes("mutation HoldCheckout")) return fetch(place, request);
      window.fetch = fetch;
      const body = JSON.parse(request.body);
      body.variables.input.reference = "x".repeat(500);
      return fetch(place, { ...request, body: JSON.stringify(body) });
    };
  });
  await (await page.waitForSelector(".checkout .act button")).press("Enter");
  await says(".checkout .refused", "未能完成：reference 无效");
  await page.goto(`${line.url}/demo?lang=en`);
  await page.waitForSelector(".lottery .odds");
});

test("a server that is upgraded under the open page offers its new page", async () => {
  line.cut();
  await says(".line-state", "Connection lost");
  line.mend(shop.upgraded);
  await says(".note", "There is a new version of this page.");
  await Promise.all([page.waitForNavigation(), press("Reload")]);
  await page.waitForSelector(".history li");
  assert.equal(await page.$(".note:not(.hidden)"), null);
});

for (const scheme of ["light", "dark"])
  test(`nothing is cut off on a phone or a desk, in both languages, in the ${scheme}`, async () => {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    for (const language of ["en", "zh"]) {
      await page.goto(`${line.url}/demo?lang=${language}`);
      await page.waitForSelector(".lottery .odds");
      await page.waitForSelector(".history li");
      for (const width of Object.keys(WIDTHS)) {
        await at(width);
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= WIDTHS[width][0]);
        await accessible();
        if (width === "phone" && scheme === "light") await picture(language === "en" ? "member-centre-phone" : "member-centre-phone-zh", false);
      }
    }
    assert.equal(await page.$eval("html", (html) => html.lang), "zh-Hans");
    assert.deepEqual(await headings(), ["积分", "您的等级", "签到", "任务", "徽章", "礼品兑换", "积分抵扣", "Lucky wheel", "明细"]);
  });

test("the other language is a click away, and the session goes along", async () => {
  await page.goto(`${line.url}/demo?lang=zh`);
  await Promise.all([page.waitForNavigation(), (await page.waitForSelector(".top a")).click()]);
  await page.waitForSelector(".history li");
  assert.equal(await page.$eval("html", (html) => html.lang), "en");
});

test("the keyboard skips to the content and presses what the mouse does", async () => {
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => document.activeElement.closest("main")));
  await page.focus(".history .link");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".history .why:not([hidden])");
});

test("what the programme has no longer is not shown", async () => {
  await graph("operator", "mutation ($input: PublishProgrammeInput!) { publishProgramme(input: $input) { errors { code message } } }", {
    input: { document: shop.bare, reason: "only points and tiers" },
  });
  await press("Sign out");
  assert.deepEqual(await page.evaluate(() => [JSON.stringify({ ...sessionStorage }), document.cookie]), ["{}", ""]);
  unanswered.clear(); // what was asked when a page was left is never answered
  await (await page.waitForSelector(".samples ::-p-text(12509)")).click();
  await page.waitForSelector(".history");
  await answered();
  assert.deepEqual(await headings(), ["Points", "Your tier", "History"]);
});

test("a member who is erased while the page is open is told so, and nothing that can't be done is offered", async () => {
  await graph("operator", 'mutation { eraseMember(input: {member: {externalId: "12509"}, reason: "asked for it", idempotencyKey: "erase"}) { errors { code message } } }');
  await says(".frozen", "Your personal data was erased");
  assert.deepEqual(await headings(), []);
  assert.doesNotMatch(await text("body"), /12509|erased:/);
  await accessible();
  for (const width of Object.keys(WIDTHS)) {
    await at(width);
    await page.goto(`${line.url}/demo?lang=zh`);
    await says(".frozen", "您的个人信息已删除");
    assert.doesNotMatch(await text("body"), /12509|erased:/);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= WIDTHS[width][0]);
    await accessible();
  }
  await (await page.waitForSelector("main ::-p-text(退出)")).press("Enter");
  await page.waitForSelector(".samples button");
  assert.deepEqual(await page.$$eval(".samples strong", (all) => all.map((name) => name.textContent)), ["14057"]);
  await at("desk");
  unanswered.clear();
  await page.goto(`${line.url}/demo?lang=en`);
});

test("a token that is no member's is turned away in words", async () => {
  await (await page.waitForSelector("input[name=token]")).type(shop.tokens.operator);
  await page.keyboard.press("Enter");
  await says(".welcome .refused", "This token isn’t a member’s.");
});

test("no other host was asked, and nothing went wrong unseen", () => {
  assert.deepEqual([...asked].filter((origin) => origin !== "null"), [line.url]);
  // While the line was cut the browser said so.
  assert.deepEqual(complaints.filter((said) => !/ERR_(CONNECTION|CONTENT_LENGTH|EMPTY|INCOMPLETE|SOCKET)|WebSocket connection to/.test(said)), []);
});
