// The page of rules as members meet it: on a phone and on a desk, in the light and in the dark, in both languages, and without a
// script or a request to anybody. With LAUREL_SCREENSHOTS, a folder, the picture of docs/programme-in-words.md is made.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";

const shop = JSON.parse(process.env.LAUREL_SHOP);
const pictures = process.env.LAUREL_SCREENSHOTS;

let browser, page;
const asked = new Set();
const complaints = [];

before(async () => {
  browser = await puppeteer.launch({
    executablePath: shop.chromium,
    args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
  });
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  page.on("request", (request) => asked.add(new URL(request.url()).pathname));
  page.on("console", (message) => message.type() === "error" && !message.text().includes("404") && complaints.push(message.text()));
});

after(() => browser?.close());

async function open(width, height, scheme, query) {
  await page.setViewport({ width, height, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(`${shop.url}/rules${query}`);
}

const picture = (name) => pictures && page.screenshot({ path: `${pictures}/${name}.png` });
const colour = (selector, property) => page.$eval(selector, (element, property) => getComputedStyle(element)[property], property);

for (const [width, height] of [[390, 844], [1440, 900]])
  for (const scheme of ["light", "dark"])
    for (const locale of ["en", "zh"])
      test(`nothing is cut off at ${width} in the ${scheme}, in ${locale}`, async () => {
        await open(width, height, scheme, `?locale=${locale}`);

        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${wide} wide`);
        assert.equal(await page.$eval("html", (html) => html.lang), locale === "en" ? "en" : "zh-Hans");
        assert.equal(await colour("body", "backgroundColor"), scheme === "light" ? "rgb(255, 255, 255)" : "rgb(21, 26, 23)");
        await picture(`rules-${width}-${scheme}-${locale}`);
      });

test("the other language is a click away, and so is each section", async () => {
  await open(390, 844, "light", "?locale=en");
  await Promise.all([page.waitForNavigation(), page.click(".languages a")]);
  assert.equal(await page.$eval("html", (html) => html.lang), "zh-Hans");
  await page.click("nav a[href='#tiers']");
  assert.equal(await page.evaluate(() => location.hash), "#tiers");
});

test("the style holds under the page's policy, and nobody else is asked for anything", () => {
  assert.deepEqual(complaints, []);
  assert.deepEqual([...asked].filter((path) => path !== "/favicon.ico"), ["/rules"]);
});
