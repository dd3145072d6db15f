// The dashboard as analysts and operators meet it, over a shop that has lived for a year (tests/browser/living.py), in a browser
// that reaches no host but this. With LAUREL_SCREENSHOTS, a folder, the pictures of docs/dashboard.md are made.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { openLine } from "./line.mjs";

const shop = JSON.parse(process.env.LAUREL_SHOP);
const pictures = process.env.LAUREL_SCREENSHOTS;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const HALF = "since=2026-01-01&until=2026-06-30&by=month";
const CARDS = {
  overview: ["overview-revenue", "flow", "overview-tierSpread"],
  members: ["members", "newMembers", "activeEarners"],
  cohorts: ["cohorts"],
  points: ["pointsIssued", "pointsRedeemed", "pointsExpired", "pointsClawedBack", "redemptionRate", "expiryRate", "redemptionCostShare"],
  orders: ["revenue", "orders", "averageOrderValue", "orderFrequency", "repurchaseRate", "retentionRate", "lifetimeValue"],
  guests: ["membersRevenueShare", "membersOrderShare", ...["revenue", "orders", "averageOrderValue", "orderFrequency", "repurchaseRate", "retentionRate"].map((name) => `beside-${name}`)],
  tiers: ["tierSpread", "upgradeRate", "downgradeRate"],
  service: ["benefitUse", "complaints"],
  channels: ["channelsGave", "rulesGave"],
  value: ["liability", "budgets"],
  predictions: ["predictions", "errors"],
};

let browser, page, line;
const asked = new Set();
const complaints = [];

before(async () => {
  line = await openLine(shop.url);
  browser = await puppeteer.launch({
    executablePath: shop.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--lang=en-GB", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
  });
  page = await opened();
});

after(async () => {
  await browser?.close();
  line?.close();
});

async function opened() {
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
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

async function graph(query, variables = {}, role = "analyst") {
  const response = await fetch(`${shop.url}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${shop.tokens[role]}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

async function downloaded(name) {
  const path = `${shop.downloads}/${name}`;
  for (let tries = 0; !existsSync(path); tries += 1) {
    assert.ok(tries < 2_400, `${name} was not downloaded`);
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

test("a section shows its own figures, and no others", async () => {
  for (const section of ["points", "value", "predictions"]) {
    await go(`${HALF}&show=${section}`);
    assert.deepEqual(await page.$$eval("main section .card", (cards) => cards.map(({ id }) => id)), CARDS[section]);
    if (section !== "predictions") await picture(`dashboard-${section}`);
  }
  const errors = await page.waitForSelector("#errors:has(tbody tr)");
  if (pictures) await errors.screenshot({ path: `${pictures}/dashboard-errors.png` });
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
      assert.match(name, lang === "en" ? /^[\x20-\x7e·–’]+$/ : /\p{Script=Han}/u);
    // A chart says in words what it shows, and a table has every number of it.
    const charts = await page.$$eval("svg[role=img]", (found) => found.map((chart) => [chart.getAttribute("aria-label"), Boolean(chart.closest(".card").querySelector("table tbody tr"))]));
    assert.equal(charts.length, Object.values(CARDS).flat().length - 1, "all but the budgets have one");
    for (const [label, hasTable] of charts) assert.ok(label.length > 20 && hasTable, label);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, "nothing is cut off");
    assert.deepEqual(await barriers(), []);
    await page.setViewport({ width: 1440, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  });

test("what is still asked for is never shown as if there were nothing", async () => {
  const { identifier } = await page.evaluateOnNewDocument(() => {
    globalThis.falseSights = [];
    new MutationObserver(() => {
      const card = document.querySelector("#revenue");
      const said = document.querySelector(".filters .waiting")?.textContent;
      if (card && !card.querySelector("tbody tr") && !said) globalThis.falseSights.push(card.textContent);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  await go(`${HALF}&show=orders&lang=en`);
  assert.deepEqual(await page.evaluate(() => globalThis.falseSights), []);
  await page.removeScriptToEvaluateOnNewDocument(identifier);
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

test("a period of ten years, one in which nothing was, and one that goes on after today are shown, in both languages", async () => {
  await go("since=2016-07-01&until=2026-06-30&by=month&show=orders&lang=en");
  assert.equal(await page.$$eval("#revenue tbody tr", (rows) => rows.length), 120);
  assert.equal(await page.$("#revenue .none"), null);
  for (const [lang, nothing, ahead] of [["en", "Nothing in this period.", "the days ahead are empty"], ["zh", "此期间没有数据。", "尚未到来的日子没有数据"]]) {
    await go(`since=2020-02-01&until=2020-02-29&by=day&show=orders,channels&lang=${lang}`);
    assert.equal(await text("#revenue .none"), nothing);
    assert.equal(await text("#revenue .headline b"), "¥0.00");
    assert.equal(await text("#retentionRate .headline b"), "–");
    assert.equal(await text("#channelsGave .nothing"), nothing);
    await go(`since=2026-06-01&until=2026-12-31&by=month&show=orders&lang=${lang}`);
    await until(".filters .ahead", ahead);
  }
});

test("behind complaints are the tickets that were opened then, whatever became of them", async () => {
  const { figures } = await graph('{ figures(since: "2026-01-01", until: "2026-06-30", granularity: MONTH) { complaints { now { numerator } } } }');
  const counted = Number(figures[4].complaints.now.numerator);
  assert.ok(counted > 1);
  await go(`${HALF}&show=service&lang=en`);
  await page.click("#complaints tbody tr:nth-child(5) button");
  await until("dialog[open] footer", "shown");
  assert.equal(await text("dialog h2"), "Tickets opened May 2026");
  const rows = await page.$$eval("dialog tbody tr", (found) => found.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.equal(rows.length, counted);
  for (const [, subject, state, opened] of rows) {
    assert.deepEqual([subject, state], ["A question", "overdue"]);
    assert.match(opened, /May 2026/);
  }
  assert.deepEqual(await barriers(), []);
  await press("Download Tickets opened May 2026 as CSV");
  const file = readFileSync(await downloaded("laurel-tickets-2026-05-01-2026-05-31.csv"), "utf8");
  assert.equal(file.trimEnd().split("\r\n").length, counted + 1);
  await press("Close");
  await page.goto(`${shop.url}/dashboard?${HALF}&show=service&lang=zh&list=tickets:2026-05-01:2026-05-31`);
  await until("dialog[open] h2", "2026年5月新开的工单");
  await page.waitForFunction((counted) => document.querySelectorAll("dialog tbody tr").length === counted, {}, counted);
});

test("members stand beside guests, and in a file as well", async () => {
  const { figures } = await graph(`{ figures(since: "2026-01-01", until: "2026-06-30", granularity: MONTH) {
    since until repurchaseRate { now { value numerator denominator } } guests { repurchaseRate { now { value numerator denominator } } } } }`);
  await go(`${HALF}&show=guests&lang=en`);
  const shown = await page.$$eval("#beside-repurchaseRate tbody tr", (rows) => rows.map((row) => [...row.cells].slice(1, 3).map((cell) => cell.textContent)));
  const percent = ({ now: { value } }) => Number(value).toLocaleString("en-GB", { style: "percent", minimumFractionDigits: 1 });
  assert.deepEqual(shown, figures.map(({ repurchaseRate, guests }) => [percent(repurchaseRate), percent(guests.repurchaseRate)]));
  await press("Download Repurchase rate: members and guests as CSV");
  const lines = readFileSync(await downloaded("laurel-members-and-guests-repurchase-rate-2026-01-01-2026-06-30.csv"), "utf8").trimEnd().split("\r\n");
  assert.deepEqual(
    lines.slice(1).map((line) => line.split(",").slice(0, 8)),
    figures.map(({ since, until, repurchaseRate: { now }, guests: { repurchaseRate: { now: of } } }) => [since, until, now.value, now.numerator, now.denominator, of.value, of.numerator, of.denominator]),
  );
  await go("since=2020-02-01&until=2020-02-29&by=day&show=guests,orders&lang=zh");
  assert.match(await text("main .nothing"), /此期间没有非会员订单记录/);
});

test("members are followed by the month of joining, in a map, in a table that says the same, and in a file", async () => {
  const { cohorts } = await graph('{ cohorts(since: "2025-06-01", until: "2026-06-30") { month members months { orders retention { value } } } }');
  await go("since=2025-06-01&until=2026-06-30&show=cohorts&lang=en");
  const shown = await page.$$eval("#cohorts tbody tr", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  const percent = ({ retention: { value } }) => (value === null ? "–" : Number(value).toLocaleString("en-GB", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }));
  assert.deepEqual(shown.map((row) => row.slice(1).filter(Boolean)), cohorts.map(({ members, months }) => [String(members), ...months.map(percent)]));
  assert.equal((await page.$$("#cohorts svg .cell")).length, cohorts.reduce((sum, { months }) => sum + months.length, 0));
  assert.match(await page.$eval("#cohorts svg", (map) => map.getAttribute("aria-label")), /cohorts from Jun 2025 to Jun 2026: on average .*% in the month of joining and .*% after 3 months/);
  await press("orders");
  await until("#cohorts h3", "orders");
  assert.match(page.url(), /&measure=orders/);
  const [first] = await page.$$eval("#cohorts tbody tr", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.deepEqual(first.slice(2), cohorts[0].months.map(({ orders }) => String(orders)));
  await page.hover("#cohorts svg g g:nth-of-type(2) .cell");
  await until("#cohorts .legend", "^Joined \\w+ \\d{4}, in \\w+ \\d{4} \\(\\+\\d+\\)");
  await press("Download Members by the month of joining: orders as CSV");
  const lines = readFileSync(await downloaded("laurel-cohorts-2025-06-01-2026-06-30.csv"), "utf8").trimEnd().split("\r\n");
  assert.equal(lines.length - 1, cohorts.reduce((sum, { months }) => sum + months.length, 0));
  assert.deepEqual(await barriers(), []);
});

test("what is likely lost is a part of each month's bar, and of the table and its file", async () => {
  const { liability } = await graph("{ liability { total likelyLost months { available pending total likelyLost likelyLostValue { amount } } } }");
  assert.ok(liability.likelyLost > 0 && liability.likelyLost < liability.total);
  await go(`${HALF}&show=value&lang=en`);
  assert.deepEqual(
    await page.$$eval("#liability tbody tr", (rows) => rows.map((row) => Number(row.cells[6].textContent.replaceAll(",", "")))),
    liability.months.map(({ likelyLost }) => likelyLost),
  );
  await page.hover("#liability tbody tr:first-child");
  await until("#liability .legend", `Available, likely used.*Likely lost${liability.months[0].likelyLost.toLocaleString("en-GB")}$`);
  const legend = await page.$$eval("#liability .legend b", (found) => found.map((value) => Number(value.textContent.replaceAll(",", ""))));
  assert.equal(legend.reduce((sum, value) => sum + value, 0), liability.months[0].total);
  await press("Download Points outstanding by the month in which they are lost as CSV");
  const lines = readFileSync(await downloaded("laurel-liability-2026-06-30.csv"), "utf8").trimEnd().split("\r\n");
  assert.deepEqual(lines.slice(1).map((line) => line.split(",").slice(-2)), liability.months.map(({ likelyLost, likelyLostValue }) => [String(likelyLost), likelyLostValue.amount]));
});

test("the rules of a channel add up to what it gave", async () => {
  await go(`${HALF}&show=channels&lang=en`);
  await press("Download What each rule gave as CSV");
  const [head, ...lines] = readFileSync(await downloaded("laurel-rules-2026-01-01-2026-06-30.csv"), "utf8").replace(/^\ufeff/, "").trimEnd().split("\r\n");
  assert.equal(head, "rule,channel,of,group,rest,unit,fired,given,cost,currency");
  const rules = lines.map((line) => line.split(","));
  assert.deepEqual(rules.map(([rule, , , , rest]) => rule || rest), ["first", "spend", "gold", "platinum", "ORDER"]);
  const given = await page.$eval("#channelsGave tbody td:nth-child(4)", (cell) => Number(cell.textContent.replaceAll(",", "")));
  assert.equal(rules.reduce((sum, row) => sum + Number(row[7]), 0), given);
  assert.match(await text("#rulesGave tbody tr:last-child"), /^cap of an order/);
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

test("a period that is none is refused in words beside the filter, in both languages", async () => {
  await go(`${HALF}&show=orders&lang=en`);
  const refused = async (words) => {
    await until("#refusal", words);
    assert.equal(await page.$eval("[name=since]", (field) => field.getAttribute("aria-invalid")), "true");
    assert.equal(await page.$(".card"), null);
  };
  await set("since", "2026-12-01");
  await refused("Refused: the period ends before it begins");
  await set("until", "2027-01-31");
  await refused("the period begins in the future");
  await set("since", "");
  await refused("a day is missing: each is written as 2026-06-01");
  await set("since", "2014-01-01");
  await refused("a period has at most 3653 days");
  await set("until", "2023-12-31");
  await page.waitForSelector("#orders");
  assert.equal(await text("#refusal"), "");
  await page.select(".filters select", "DAY");
  await refused("that is more than 400 parts: choose larger ones, or a shorter period");
  await press("中文");
  await refused("会分成超过 400 段");
  await page.goto(`${shop.url}/dashboard?since=&until=tomorrow&list=joined:never&lang=en`);
  await refused("a day is missing");
  for (const [lang, words] of [["en", "“31 June” is no day: it is written as 2026-06-01"], ["zh", "“31 June”不是日期，应写作 2026-06-01"]]) {
    await page.goto(`${shop.url}/dashboard?since=2026-06-01&until=31%20June&by=year&show=nothing&list=joined:never&lang=${lang}`);
    await refused(words);
  }
  for (const [lang, words] of [["en", "a period does not go back before 1900"], ["zh", "期间不能早于 1900 年"]]) {
    await page.goto(`${shop.url}/dashboard?since=0001-01-01&until=0001-02-01&lang=${lang}`);
    await refused(words);
  }
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

const enrol = (externalId) =>
  graph(
    "mutation ($input: EnrolMemberInput!) { enrolMember(input: $input) { errors { message } } }",
    { input: { externalId, idempotencyKey: externalId } },
    "service",
  );
const newOnes = (page) => page.$eval("#newMembers tbody tr:last-child td", (cell) => Number(cell.textContent));

test("figures are asked anew at a press, and nothing moves but they: neither the focus nor what was scrolled to", async () => {
  await go(`since=2026-05-01&until=2026-06-30&by=day&show=members&lang=en`);
  const before = await newOnes(page);
  await page.evaluate(() => {
    const table = document.querySelector("#newMembers .scroll");
    table.scrollTop = 300;
    scrollTo(0, 250);
    table.focus({ preventScroll: true });
    globalThis.kept = { table, card: document.querySelector("#newMembers"), asOf: document.querySelector(".fresh p").textContent };
    globalThis.seen = [];
    new MutationObserver((changes) => {
      for (const { removedNodes, target } of changes) {
        if ([...removedNodes].some((node) => node.nodeType === 1)) globalThis.seen.push(`${target.className} lost something`);
      }
      if (document.querySelector(".filters .waiting").textContent) globalThis.seen.push("it waits");
    }).observe(document.querySelector("#dashboard"), { childList: true, subtree: true, characterData: true });
  });
  await enrol("while-it-was-open");
  // It says of when it is to the second, and all this takes less.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await page.evaluate(() => document.querySelector(".fresh button").click());
  await page.waitForFunction((before) => Number(document.querySelector("#newMembers tbody tr:last-child td").textContent) === before + 1, {}, before);
  await page.waitForFunction(() => document.querySelector(".fresh p").textContent !== globalThis.kept.asOf);
  assert.match(await text(".fresh p[role=status]"), /^As of \d+ \w+ \d{4}, \d\d:\d\d:\d\d$/);
  assert.deepEqual(
    await page.evaluate(() => [
      document.activeElement === globalThis.kept.table && globalThis.kept.table.isConnected,
      globalThis.kept.card === document.querySelector("#newMembers"),
      document.querySelector("#newMembers .scroll").scrollTop,
      scrollY,
      globalThis.seen,
    ]),
    [true, true, 300, 250, []],
  );
});

test("they are asked anew by the clock as the address says, and when somebody comes back to the page", async () => {
  const wall = await opened();
  await wall.evaluateOnNewDocument(() => {
    const { setInterval } = globalThis;
    globalThis.setInterval = (act, ms) => setInterval(act, ms / 60);
  });
  await wall.goto(`${shop.url}/dashboard?${HALF}&show=members&lang=en&every=1`);
  await logIn(wall, shop.tokens.analyst);
  await settled(wall);
  assert.equal(await wall.$eval(".fresh select", (field) => field.selectedOptions[0].textContent), "every minute");
  const before = await newOnes(wall);
  await enrol("while-nobody-looked");
  await wall.waitForFunction((before) => Number(document.querySelector("#newMembers tbody tr:last-child td").textContent) === before + 1, {}, before);
  await wall.select(".fresh select", "0");
  assert.doesNotMatch(wall.url(), /every=/);
  await enrol("while-somebody-was-away");
  await wall.evaluate(() => {
    const { now } = Date;
    Date.now = () => now() + 61_000;
    dispatchEvent(new Event("focus"));
  });
  await wall.waitForFunction((before) => Number(document.querySelector("#newMembers tbody tr:last-child td").textContent) === before + 2, {}, before);
  await wall.close();
});

test("a server that has too much to do is given time, and what is shown stays", async () => {
  await go(`${HALF}&show=orders&lang=en`);
  await page.evaluate(() => {
    const { fetch } = globalThis;
    let left = 3;
    globalThis.fetch = async (place, request) => {
      if (request?.method !== "POST" || left-- <= 0) return fetch(place, request);
      const body = { errors: [{ message: "too much is waiting", extensions: { code: "OVERLOADED" } }] };
      return new Response(JSON.stringify(body), { status: 503, headers: { "Retry-After": "1" } });
    };
  });
  await press("Refresh");
  await until(".notices", "The server has too much to do");
  assert.equal(await page.$$eval("#orders tbody tr", (rows) => rows.length), 6);
  await page.waitForFunction(() => document.querySelector(".notices").textContent === "");
  assert.equal(await page.$$eval("#orders tbody tr", (rows) => rows.length), 6);
});

test("a server that is upgraded under the open page is told of, whatever the old page finds missing, and the new page is offered", async () => {
  const old = await opened();
  await old.goto(`${line.url}/dashboard?${HALF}&show=points&lang=en`);
  await logIn(old, shop.tokens.analyst);
  await settled(old);
  const told = (words) => old.waitForFunction((words) => document.querySelector(".notices").textContent.includes(words), {}, words);
  line.cut();
  await old.evaluate(() => dispatchEvent(new Event("focus")));
  await told("The connection is lost");
  line.mend(shop.upgraded);
  await told("Laurel was upgraded while this page was open");
  await old.waitForFunction(() => !document.querySelector(".notices").textContent.includes("lost"));
  // What writes Parquet is loaded when it is needed, and the new server has it no longer under that name.
  await old.click("#redemptionRate .tools button:last-child");
  await old.waitForFunction(() => performance.getEntriesByType("resource").some(({ name }) => name.includes("/dashboard/src-")));
  assert.equal(await old.$$eval("#redemptionRate tbody tr", (rows) => rows.length), 6);
  await Promise.all([old.waitForNavigation(), old.click(".notices button")]);
  await settled(old);
  await old.evaluate(() => dispatchEvent(new Event("focus")));
  await old.waitForResponse((response) => response.url().endsWith("/dashboard/build"));
  assert.equal(await old.$eval(".notices", (notices) => notices.textContent), "");
  // A server that knows the questions no longer says so before the page has looked.
  await old.evaluate(() => {
    const refused = { errors: [{ message: "only trusted documents are executed", extensions: { code: "DOCUMENT_NOT_TRUSTED" } }] };
    globalThis.fetch = async (place) => (place.endsWith("/build") ? new Response("another") : new Response(JSON.stringify(refused), { status: 400 }));
  });
  await old.click(".fresh button");
  await told("Laurel was upgraded while this page was open");
  assert.equal(await old.$$eval("#redemptionRate tbody tr", (rows) => rows.length), 6);
  await old.close();
  line.mend(shop.url);
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
  assert.deepEqual([...asked].filter((origin) => origin !== "null"), [shop.url, line.url]);
  // The browser tells of what was refused and of what it could not load, and both were meant to be.
  assert.deepEqual(complaints.filter((told) => !told.startsWith("Failed to load resource")), []);
});
