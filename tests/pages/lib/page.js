// Pages in a real Chromium, with the checks that every journey makes.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { after } from "node:test";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const pictures = process.env.PAGES_PICTURES ?? new URL("../../../target/pages", import.meta.url).pathname;
/** Serves `/static/` from this folder instead of the executable, while pages are being written. */
const from = process.env.PAGES_FROM;
const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];
const types = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain" };

/** @type {Promise<import("playwright-core").Browser> | undefined} */
let browser;
after(async () => { await (await browser)?.close(); });

function launch() {
  browser ??= chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags });
  return browser;
}

/**
 * @typedef {object} PageOptions
 * @property {number} [width]
 * @property {number} [height]
 * @property {"light" | "dark"} [theme]
 * @property {string} [locale]
 * @property {boolean} [touch] A phone: touch events, no mouse.
 * @property {"reduce"} [motion]
 * @property {"active"} [forcedColors]
 * @property {string} [origin] The origin that is visited if it is not the hub's, such as a proxy's.
 * @property {boolean} [ignoreHTTPSErrors] The hub's certificate is the test's own.
 * @property {RegExp} [mayLog] Console errors that the journey provokes, such as requests that fail.
 * @property {boolean} [axe] Whether axe runs at the end (default).
 */

/**
 * Opens a page in a context of its own and closes it after `use`. The end of a journey asserts that there was no
 * violation of the content security policy, no error on the console, no request to another origin, no secret in a URL,
 * a referrer or the access log, and that axe finds nothing.
 * @template T
 * @param {import("./hub.js").Hub} hub
 * @param {PageOptions} options
 * @param {(page: import("playwright-core").Page) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withPage(hub, options, use) {
  return withContext(hub, options, async context => use(await context.newPage()));
}

/** Like `withPage`, for journeys with several tabs of one browser profile. */
export async function withContext(hub, options, use) {
  const { width = 390, height = 844, theme = "light", locale = "en-GB", touch = false, motion, forcedColors, ignoreHTTPSErrors } = options;
  const context = await (await launch()).newContext({
    viewport: { width, height }, colorScheme: theme, locale, hasTouch: touch, isMobile: touch,
    reducedMotion: motion, forcedColors, acceptDownloads: true, ignoreHTTPSErrors,
  });
  const checks = new Checks(hub, options);
  try {
    await checks.watch(context);
    const result = await use(context);
    await checks.finish(context);
    return result;
  } catch (error) {
    for (const page of context.pages()) await picture(page, `failed-${process.pid}`).catch(() => {});
    if (checks.faults.length > 0) error.message += `\nAlso: ${checks.faults.join("\n")}`;
    throw error;
  } finally {
    await context.close();
  }
}

class Checks {
  /** @type {string[]} */
  faults = [];

  constructor(hub, options) {
    this.hub = hub;
    this.options = options;
    this.origin = options.origin ?? hub.origin;
  }

  async watch(context) {
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", event => {
        console.error("policy violation", event.violatedDirective, event.blockedURI, event.sample);
      });
    });
    context.on("request", request => {
      const url = new URL(request.url());
      if (/^https?:$/.test(url.protocol) && url.origin !== new URL(this.origin).origin) {
        this.faults.push(`a request to ${url.origin}`);
      }
      this.#look("a URL", request.url().split("#")[0]);
      this.#look("a referrer", request.headers().referer ?? "");
    });
    context.on("page", page => {
      page.on("pageerror", error => this.faults.push(`an uncaught error: ${error.stack}`));
      page.on("console", message => {
        const text = `${message.text()} (${message.location().url})`;
        if (message.type() !== "error" || this.options.mayLog?.test(text)) return;
        this.faults.push(`on the console: ${text}`);
      });
    });
    if (from) {
      await context.route("**/static/**", async route => {
        const path = new URL(route.request().url()).pathname.split("/").slice(3).join("/");
        // The shell preloads files of the bundle that the sources do not have.
        const body = await readFile(join(from, path)).catch(() => path.startsWith("chunks/") ? "" : null);
        if (body === null) return route.fulfill({ status: 404 });
        return route.fulfill({ body, contentType: types[extname(path)] ?? "application/octet-stream" });
      });
    }
  }

  #look(where, text) {
    for (const secret of this.hub.secrets) {
      if (text.includes(secret) || text.includes(encodeURIComponent(secret))) this.faults.push(`a secret in ${where}: ${text}`);
    }
  }

  async finish(context) {
    for (const page of context.pages()) {
      if (page.isClosed() || page.url() === "about:blank") continue;
      this.#look("the address", page.url());
      this.#look("the title", await page.title());
      if (this.options.axe !== false) this.faults.push(...await axe(page));
    }
    this.#look("the log", await this.hub.log());
    const faults = this.faults.splice(0);
    assert.ok(faults.length === 0, `the page is at fault:\n${faults.join("\n")}`);
  }
}

/** Everything that axe finds on a page as it is, on a small phone and a desktop, light and dark. */
export async function axe(page) {
  const size = page.viewportSize();
  const found = new Set();
  const source = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const world = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  const evaluate = async expression => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
      expression, contextId: world.executionContextId, awaitPromise: true, returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await evaluate(`${source}; 0`);
  for (const [width, height] of [[320, 568], [1280, 800]]) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await settle(page);
      // Preloading copies imported style sheets into inline ones, which the policy forbids.
      const violations = await evaluate(`axe.run(document, {resultTypes: ["violations"], preload: false}).then(result => result.violations.map(
        one => one.id + ": " + one.nodes.map(node => node.target.join(" ") + " " + (node.any[0]?.message ?? "")).join(" | ")))`);
      for (const violation of violations) found.add(`axe, ${width} px, ${colorScheme}: ${violation}`);
      const overflow = await page.evaluate(sideways);
      if (overflow) found.add(`the page scrolls sideways at ${width} px: ${overflow}`);
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (size) await page.setViewportSize(size);
  return [...found];
}

/** By how much the page scrolls sideways, and the elements that stick out; "" if it does not. Runs in the page. */
function sideways() {
  const past = document.documentElement.scrollWidth - innerWidth;
  if (past <= 0) return "";
  const out = [...document.querySelectorAll("body *")].filter(one => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 0.5);
  return `${past} px, ${out.slice(0, 8).map(one => `${one.tagName.toLowerCase()}.${[...one.classList].join(".")} ${one.getBoundingClientRect().right}`).join(", ")}`;
}

/** Ends every transition and animation: colours that are halfway are neither legible nor what a designer should see. */
async function settle(page) {
  await page.evaluate(() => {
    for (const animation of document.getAnimations()) {
      if (animation.effect?.getComputedTiming().endTime === Infinity) animation.cancel();
      else animation.finish();
    }
  });
}

/** Takes a picture into target/pages, which is not committed. */
export async function picture(page, name) {
  await mkdir(pictures, { recursive: true });
  await settle(page);
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}

/** Pictures of a page as it is: phone and desktop, light and dark. */
export async function fourPictures(page, name) {
  const size = page.viewportSize();
  for (const [device, width, height] of [["phone", 390, 844], ["desktop", 1280, 800]]) {
    await page.setViewportSize({ width: Number(width), height: Number(height) });
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      await page.emulateMedia({ colorScheme });
      await settle(page);
      await picture(page, `${name}-${device}-${colorScheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (size) await page.setViewportSize(size);
}
