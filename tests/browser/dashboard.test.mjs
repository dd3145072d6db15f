// The dashboard as analysts and operators meet it, over a shop that has lived for a year (tests/browser/living.py), in a browser
// that reaches no host but this. With LAUREL_SCREENSHOTS, a folder, the pictures of docs/dashboard.md are made.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";

const shop = JSON.parse(process.env.LAUREL_SHOP);
const pictures = process.env.LAUREL_SCREENSHOTS;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const HALF = "since=2026-01-01&until=2026-06-30&by=month";
const CARDS = {
  overview: ["overview-revenue", "flow", "overview-tierSpread"],
  members: ["members", "newMembers", "activeEarners"],
  points: ["pointsIssued", "pointsRedeemed", "pointsExpired", "pointsClawedBack", "redemptionRate", "expiryRate", "redemptionCostShare"],
  orders: ["revenue", "orders", "averageOrderValue", "orderFrequency", "repurchaseRate", "retentionRate", "lifetimeValue"],
  tiers: ["tierSpread", "upgradeRate", "downgradeRate"],
  service: ["benefitUse", "complaints"],
  channels: ["channelsGave"],
  value: ["liability", "budgets"],
  predictions: ["predictions", "errors"],
};

let browser, page;
const asked = new Set();
const complaints = [];

before(async () => {
  browser = await puppeteer.launch({
    executablePath: shop.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--lang=en-GB", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
  });
  page = await opened();
});

after(() => browser?.close());

async function opened() {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  page.on("request", (request) => asked.add(new URL(request.url()).origin));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.setViewport({ width: 1440, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  const session = await page.createCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: shop.downloads });
  return page;
}

async function logIn(page, token) {
  const field = await page.waitForSelector("#token");
  await field.evaluate((element) => element.select());
  await page.keyboard.sendCharacter(token);
  await page.keyboard.press("Enter");
}

/** Go to a view, and wait until its figures, and whatever else is in its cards, are there. */
async function go(query) {
  await page.goto(`${shop.url}/dashboard?${query}`);
  await settled(page);
}

const settled = (page) =>
  page.waitForFunction(
    () => document.querySelectorAll(".card table tbody tr").length > 0 && !document.querySelector(".filters .waiting")?.textContent && !/Asking|查询中/.test(document.querySelector("main").textContent),
  );

const text = (selector) => page.$eval(selector, (element) => element.textContent);
const until = (selector, pattern) =>
  page.waitForFunction((selector, pattern) => new RegExp(pattern).test(document.querySelector(selector)?.textContent ?? ""), {}, selector, pattern);
const press = async (label) => (await page.waitForSelector(`::-p-aria([name="${label}"][role="button"])`)).click();
const picture = async (name) => pictures && (await page.mouse.move(700, 4), await page.screenshot({ path: `${pictures}/${name}.png` }));

/** Write into a field of the filters, as one that is left. */
const set = (name, value) =>
  page.$eval(
    `.filters [name=${name}]`,
    (field, value) => {
      field.value = value;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    },
    value,
  );

async function graph(query, variables = {}) {
  const response = await fetch(`${shop.url}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${shop.tokens.analyst}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

async function downloaded(name) {
  const path = `${shop.downloads}/${name}`;
  for (let tries = 0; !existsSync(path); tries += 1) {
    assert.ok(tries < 200, `${name} was not downloaded`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return path;
}

/** What axe finds that keeps somebody from using the page. */
async function barriers() {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html).join(" | ")}`);
}

test("a member's token is refused, and who may look is said in both languages", async () => {
  await page.goto(`${shop.url}/dashboard?lang=en&${HALF}`);
  await logIn(page, shop.tokens.member);
  await until(".login .refused", "This token is a member’s. The dashboard is for analysts, operators and administrators");
  assert.deepEqual(await barriers(), []);
  await press("中文");
  await logIn(page, shop.tokens.member);
  await until(".login .refused", "会员.*只供分析员、运营和管理员查看");
  await logIn(page, "rubbish");
  await until(".login .refused", "令牌无效");
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), /eyJ/);
});

test("an analyst logs in, and sees what the address says", async () => {
  await press("English");
  await logIn(page, shop.tokens.analyst);
  await settled(page);
  assert.equal(await text(".top h1"), "Corner Shop Dashboard");
  assert.match(page.url(), /since=2026-01-01&until=2026-06-30&by=month&compare=yes&show=overview&lang=en$/);
  const { figures } = await graph(
    '{ figures(since: "2026-01-01", until: "2026-06-30") { orders { now { value } } pointsIssued { now { value } } } }',
  );
  const tiles = await page.$$eval(".tiles button", (found) => Object.fromEntries(found.map((tile) => [tile.children[0].textContent, tile.children[1].textContent])));
  assert.equal(tiles.Orders, Number(figures[0].orders.now.value).toLocaleString("en-GB"));
  assert.equal(tiles["Points issued"], Number(figures[0].pointsIssued.now.value).toLocaleString("en-GB"));
  await picture("dashboard");
});

for (const [lang, scheme, width] of [["en", "light", 1440], ["zh", "dark", 390]])
  test(`every figure can be read in ${lang}, in the ${scheme}, at ${width}`, async () => {
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await go(`${HALF}&show=all&lang=${lang}`);
    const sections = await page.$$eval("main section", (found) => found.map((section) => [...section.querySelectorAll(".card")].map(({ id }) => id)));
    assert.deepEqual(sections, Object.values(CARDS));
    assert.equal(await page.$eval("html", (html) => html.lang), lang === "en" ? "en" : "zh-Hans");
    for (const name of await page.$$eval("h2, .card h3, summary, nav a", (found) => found.map((element) => element.textContent)))
      assert.match(name, lang === "en" ? /^[\x20-\x7e·–]+$/ : /\p{Script=Han}/u);
    // A chart says in words what it shows, and a table has every number of it.
    const charts = await page.$$eval("svg[role=img]", (found) => found.map((chart) => [chart.getAttribute("aria-label"), Boolean(chart.closest(".card").querySelector("table tbody tr"))]));
    assert.equal(charts.length, Object.values(CARDS).flat().length - 1, "all but the budgets have one");
    for (const [label, hasTable] of charts) assert.ok(label.length > 20 && hasTable, label);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, "nothing is cut off");
    assert.deepEqual(await barriers(), []);
    await page.setViewport({ width: 1440, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  });

test("each section is a click away, and a step back leads to the one before", async () => {
  await go(`${HALF}&show=overview&lang=en`);
  for (const section of Object.keys(CARDS).slice(1)) {
    await page.click(`nav a[href*="show=${section}&"]`);
    await page.waitForFunction((id) => document.querySelector(".card")?.id === id, {}, CARDS[section][0]);
    assert.match(page.url(), new RegExp(`show=${section}&`));
  }
  await page.goBack();
  await page.waitForFunction((id) => document.querySelector(".card")?.id === id, {}, CARDS.value[0]);
});

test("a shared address opens the same view for somebody else", async () => {
  await go(`${HALF}&show=orders&lang=en&compare=no`);
  await press("90 days");
  await settled(page);
  await page.select(".filters select", "MONTH");
  await until("#revenue table", "1 – 30 Jun 2026|Jun 2026");
  await settled(page);
  const [address, mine] = [page.url(), await text("main")];
  const other = await browser.createBrowserContext();
  const another = await other.newPage();
  await another.setViewport({ width: 1440, height: 900 });
  await another.goto(address);
  await logIn(another, shop.tokens.operator);
  await settled(another);
  assert.equal(await another.$eval("main", (main) => main.textContent), mine);
  assert.equal(another.url(), address);
  await other.close();
});

test("each figure's definition and formula are a click away", async () => {
  await go(`${HALF}&show=orders&lang=en`);
  await page.click("#retentionRate summary");
  assert.match(await text("#retentionRate details[open] dl"), /who ordered in both periods ÷ who ordered in the one before/);
});

test("the table says what the graph says, beside the same part of the period before, and so does its file", async () => {
  const query = `query ($since: Day!, $until: Day!) { figures(since: $since, until: $until, granularity: MONTH) {
    since until redemptionRate { now { value numerator denominator } } } }`;
  const { figures: now } = await graph(query, { since: "2026-01-01", until: "2026-06-30" });
  const { figures: former } = await graph(query, { since: "2025-07-01", until: "2025-12-31" });
  await go(`${HALF}&show=points&lang=en`);
  const shown = await page.$$eval("#redemptionRate tbody tr", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.deepEqual(
    shown.map(([part, value, before]) => [part, value, before]),
    now.map(({ since, redemptionRate }, index) => {
      const percent = (value) => Number(value).toLocaleString("en-GB", { style: "percent", minimumFractionDigits: 1 });
      return [new Date(since).toLocaleDateString("en-GB", { month: "short", year: "numeric" }), percent(redemptionRate.now.value), percent(former[index].redemptionRate.now.value)];
    }),
  );

  await press("Download Redemption rate as CSV");
  const file = readFileSync(await downloaded("laurel-redemption-rate-2026-01-01-2026-06-30.csv"), "utf8");
  const lines = file.replace(/^\ufeff/, "").split("\r\n");
  assert.equal(lines.pop(), "");
  assert.equal(lines.shift(), "since,until,value,numerator,denominator,previous_since,previous_until,previous_value,change");
  assert.deepEqual(
    lines.map((line) => line.split(",").slice(0, 8)),
    now.map(({ since, until, redemptionRate: { now: { value, numerator, denominator } } }, index) => {
      const before = former[index];
      return [since, until, value, numerator, denominator, before.since, before.until, before.redemptionRate.now.value];
    }),
  );
  // tests/browser/test_dashboard.py reads it with DuckDB.
  await press("Download Redemption rate as Parquet");
  await downloaded("laurel-redemption-rate-2026-01-01-2026-06-30.parquet");
});

test("a text that a spreadsheet would take for a formula is none in the file, and quotes and commas are as RFC 4180 has them", async () => {
  await go(`${HALF}&show=tiers&lang=en&list=tier:regular`);
  await page.waitForSelector("dialog[open] tbody tr");
  await page.waitForFunction(() => document.querySelectorAll("dialog tbody tr").length >= 50);
  for (let more; (more = await page.$("dialog footer ::-p-text(Show more)")); ) {
    const before = await page.$$eval("dialog tbody tr", (rows) => rows.length);
    await more.click();
    await page.waitForFunction((before) => document.querySelectorAll("dialog tbody tr").length > before, {}, before);
  }
  const rows = await page.$$eval("dialog tbody tr th", (found) => found.map((cell) => cell.textContent));
  assert.ok(rows.includes('=1+1,"x"'), "the member with the strange name is shown as named");
  await press("Download Members in Regular as CSV");
  const file = readFileSync(await downloaded("laurel-members-tier-regular.csv"), "utf8");
  assert.ok(file.includes(`"'=1+1,""x"""`), "and is no formula in the file");
  for (const strange of ["' =blank,", `"'\n=line",`, "'＝wide,"]) assert.ok(file.includes(`\n${strange}`), strange);
  assert.ok(rows.includes("\u202e<img src=x onerror=alert(1)>") && !(await page.$("img")), "a name is text");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector("dialog"));
  assert.doesNotMatch(page.url(), /list=/);
});

test("behind a tier's number are its members, and behind new members those who enrolled", async () => {
  const { figures } = await graph(
    '{ figures(since: "2026-01-01", until: "2026-06-30", granularity: MONTH) { tiers { tier members } newMembers { now { value } } } }',
  );
  await go(`${HALF}&show=tiers&lang=en`);
  await press("Show the members in Platinum");
  await until("dialog[open] footer", "shown");
  assert.equal(await page.$$eval("dialog tbody tr", (rows) => rows.length), figures.at(-1).tiers.find(({ tier }) => tier === "platinum").members);
  assert.match(page.url(), /&list=tier:platinum$/);
  assert.deepEqual(await barriers(), []);
  await press("Close");
  await go(`${HALF}&show=members&lang=en`);
  await page.click("#newMembers tbody tr:nth-child(3) button");
  await until("dialog[open] footer", "shown");
  assert.equal(await text("dialog h2"), "Members who enrolled Mar 2026");
  assert.equal(await page.$$eval("dialog tbody tr", (rows) => rows.length), Number(figures[2].newMembers.now.value));
  await press("Close");
});

test("predictions are listed by what is asked, the greatest first, beside their error and the naive guess's", async () => {
  await go(`${HALF}&show=predictions&lang=en`);
  await press("Expected value");
  await until("#predictions .legend", "Expected value");
  const shown = await page.$$eval("#predictions tbody tr", (rows) => rows.map((row) => Number(row.cells[4].textContent.replace(/[^\d.]/g, ""))));
  assert.ok(shown.length >= 20);
  assert.deepEqual(shown, shown.toSorted((one, other) => other - one));
  assert.match(await text("#errors thead"), /Model.*Naive guess/);
});

test("a period that is none is refused in the graph's words beside the filter, in both languages", async () => {
  await go(`${HALF}&show=orders&lang=en`);
  const refused = async (words) => {
    await until("#refusal", words);
    assert.equal(await page.$eval("[name=since]", (field) => field.getAttribute("aria-invalid")), "true");
    assert.equal(await page.$(".card"), null);
  };
  await set("since", "2026-12-01");
  await refused("Refused: since is not valid: it comes after until");
  await set("until", "2027-01-31");
  await refused("it lies in the future");
  await set("since", "");
  await refused("is not Day: a day of the calendar is needed");
  await set("since", "2014-01-01");
  await refused("a period has at most 3653 days");
  await set("until", "2023-12-31");
  await page.waitForSelector("#orders");
  assert.equal(await text("#refusal"), "");
  await page.select(".filters select", "DAY");
  await refused("it cuts the period into more than 400 parts");
  await press("中文");
  await refused("会分成超过 400 段");
  await page.goto(`${shop.url}/dashboard?since=&until=tomorrow&list=joined:never&lang=en`);
  await refused("is not Day");
  await page.goto(`${shop.url}/dashboard?since=2014-01-01&until=2026-06-30&show=orders&lang=zh`);
  await refused("期间最多 3653 天");
  await set("since", "2026-12-01");
  await refused("开始日期晚于结束日期");
  await press("English");
  await press("This year");
  await page.waitForSelector("#orders tbody tr");
});

test("a lost connection is said, and what was asked meanwhile is there when it is back", async () => {
  await go(`${HALF}&show=orders&lang=en`);
  await page.setOfflineMode(true);
  await until(".notices", "The connection is lost");
  await set("since", "2026-03-01");
  assert.equal(await page.$$eval("#orders tbody tr", (rows) => rows.length), 6);
  await page.setOfflineMode(false);
  await page.waitForFunction(() => document.querySelectorAll("#orders tbody tr").length === 4);
  assert.equal(await text(".notices"), "");
});

test("a page that is older than the server says so, and offers to be loaded anew", async () => {
  await page.$eval('meta[name="laurel-build"]', (meta) => (meta.content = "of yesterday"));
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await until(".notices", "Laurel was upgraded while this page was open");
  await Promise.all([page.waitForNavigation(), press("Reload the page")]);
  await settled(page);
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await page.waitForResponse((response) => response.url().endsWith("/dashboard/build"));
  assert.equal(await text(".notices"), "");
});

test("pointing at a part of a chart marks its row in the table, and the other way round", async () => {
  await go(`${HALF}&show=orders&lang=en`);
  const { x, y, width, height } = await (await page.$("#orders svg")).boundingBox();
  await page.mouse.move(x + width - 30, y + height / 2);
  await page.waitForSelector("#orders tbody tr.pointed");
  assert.match(await text("#orders tr.pointed"), /^Jun 2026/);
  assert.match(await text("#orders .legend"), /^Jun 2026/);
  await page.hover("#orders tbody tr:first-child");
  await until("#orders .legend", "^Jan 2026");
});

test("the keyboard reaches everything, and shows where it is", async () => {
  await go(`${HALF}&show=overview&lang=en`);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "To the figures");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  const [name, outline] = await page.evaluate(() => [document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]);
  assert.match(name, /^Revenue/);
  assert.equal(outline, "solid");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.closest("#revenue"));
  assert.match(page.url(), /show=orders/);
  await page.goBack();
  await page.waitForSelector(".tiles");
});

test("in print there are figures and tables, and nothing to press", async () => {
  await go(`${HALF}&show=points&lang=en`);
  await page.emulateMediaType("print");
  const seen = (selector) => page.$$eval(selector, (found) => found.filter((element) => element.checkVisibility()).length);
  assert.deepEqual(await Promise.all([".filters", ".sections", "main button", ".languages"].map(seen)), [0, 0, 0, 0]);
  assert.deepEqual(await Promise.all(["svg[role=img]", ".card table"].map(seen)), [7, 7]);
  assert.match(await text("h2"), /Jan – Jun 2026/);
  await page.emulateMediaType(null);
});

test("on a phone all is there, one below the other", async () => {
  await page.setViewport({ width: 390, height: 844, isMobile: true, hasTouch: true });
  await go(`${HALF}&show=overview&lang=en`);
  await picture("dashboard-phone");
  const [plot, table] = await page.evaluate(() => ["#overview-revenue .plot", "#overview-revenue .scroll"].map((selector) => document.querySelector(selector).getBoundingClientRect().toJSON()));
  assert.ok(plot.bottom <= table.top + 1 && plot.width > 300 && table.width > 300);
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
  const section = () => page.$eval(".sections [aria-current]", (link) => [link.getBoundingClientRect().left >= 0, link.getBoundingClientRect().right <= 390]);
  const address = page.url();
  await go(`${HALF}&show=predictions&lang=en`);
  assert.deepEqual(await section(), [true, true], "the name of the section is in sight");
  await go(address.slice(address.indexOf("?") + 1));
});

test("a token that has ended leads back to the log-in, and the view stays in the address", async () => {
  const address = page.url();
  await page.evaluate(() => {
    const ended = "eyJ.of.yesterday";
    const [caller] = JSON.parse(sessionStorage.getItem("laurel:callers"));
    sessionStorage.setItem("laurel:callers", JSON.stringify([{ ...caller, token: ended }]));
    sessionStorage.setItem("laurel:caller", ended);
  });
  await page.reload();
  await until(".login", "Your token is no longer valid");
  await logIn(page, shop.tokens.analyst);
  await settled(page);
  assert.equal(page.url(), address);
});

test("who logs out leaves no token behind", async () => {
  await press("Log out");
  await page.waitForSelector("#token");
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), /eyJ/);
});

test("no other host was asked, the policy of the page was kept, and nothing went wrong unseen", () => {
  assert.deepEqual([...asked].filter((origin) => origin !== "null"), [shop.url]);
  // The browser tells of what was refused and of what it could not load, and both were meant to be.
  assert.deepEqual(complaints.filter((told) => !told.startsWith("Failed to load resource")), []);
});
