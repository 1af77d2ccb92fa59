// The way of a person through the pages in WebKitGTK, the engine that is nearest to Safari.

import assert from "node:assert/strict";
import { test } from "node:test";
import { By, Key } from "selenium-webdriver";

import { withHub } from "../lib/hub.js";
import { until } from "../lib/until.js";
import { withWebKit } from "../lib/webkit.js";

/** Waits for a visible element that has a text, and returns it. */
async function find(driver, selector, text = "") {
  return until(`${selector} ${text}`, async () => {
    for (const element of await driver.findElements(By.css(selector))) {
      // Drawn again meanwhile: it is looked for once more.
      const found = await element.isDisplayed().then(async is => is && (await element.getText()).includes(text), () => false);
      if (found) return element;
    }
    return null;
  }, 30_000);
}
/** Clicks it; again if something that moves was above it. */
const press = (driver, selector, text = "") => until(`${selector} ${text} is clicked`, async () =>
  (await find(driver, selector, text)).click().then(() => true, () => false), 30_000);

/** Asserts that nothing on the page violated its policy since it was loaded, as far as the browser reports it. */
const watch = driver => driver.executeScript(`
  window.violations = [];
  addEventListener("securitypolicyviolation", event => window.violations.push(event.violatedDirective + " " + event.blockedURI));
  addEventListener("error", event => window.violations.push(event.message));
  addEventListener("unhandledrejection", event => window.violations.push(String(event.reason)));`);
const clean = async driver => assert.deepEqual(await driver.executeScript("return window.violations ?? []"), []);

test("a channel is created, two talk, a reload keeps the chat", () => withHub({}, hub => withWebKit(async driver => {
  await driver.get(hub.origin);
  await watch(driver);
  await press(driver, "button", "Create a channel");
  const id = await (await find(driver, "#result-title")).getText();
  const link = await (await find(driver, "a.button", "Open here")).getAttribute("href");
  await clean(driver);
  const token = new URLSearchParams(new URL(link, hub.origin).hash.slice(1)).get("t");
  const authorization = `Bearer ${token}`;
  const joined = await hub.call("POST", `/api/channels/${id}/join`, { callsign: "agent" }, { authorization });
  const agent = { authorization, "x-session-id": joined.session_id };

  await driver.get(new URL(link, hub.origin).href);
  await watch(driver);
  await (await find(driver, "#join-callsign")).sendKeys("ann", Key.ENTER);
  await find(driver, ".state-good", "Live");
  assert.equal(await driver.getCurrentUrl(), `${hub.origin}/remote/${id}`);
  await (await find(driver, ".composer textarea")).sendKeys("hello from WebKit");
  await press(driver, ".composer .send");
  const received = await until("the agent has it", async () => (await hub.call("GET", `/api/channels/${id}/wait?timeout=5`, undefined, agent)).messages[0]);
  assert.deepEqual([received.from, received.text], ["ann", "hello from WebKit"]);
  await hub.call("POST", `/api/channels/${id}/send`, { to: "ann", message: "**Shall** I go on?", suggested_replies: ["Yes", "No"] }, agent);
  await find(driver, ".row .text strong", "Shall");
  await press(driver, ".answer", "Yes");
  const answer = await until("the answer", async () => (await hub.call("GET", `/api/channels/${id}/wait?timeout=5`, undefined, agent)).messages[0]);
  assert.deepEqual([answer.text, answer.to], ["Yes", "agent"]);
  await clean(driver);
  await driver.navigate().refresh();
  await find(driver, ".state-good", "Live");
  await find(driver, ".row .text", "hello from WebKit");
})));

test("an account is opened, gets an identity, and the administration opens", () => withHub({ flags: ["--admin-token", "admin-token-of-this-journey"] }, hub => withWebKit(async driver => {
  await driver.get(`${hub.origin}/account`);
  await watch(driver);
  await press(driver, "button", "Open an account");
  await press(driver, "dialog label", "I have kept it");
  await press(driver, "dialog button", "Continue");
  await find(driver, "h2", "Identities");
  await (await find(driver, "#identities input")).sendKeys("ann", Key.ENTER);
  await find(driver, "dialog h2", "Identity ann");
  await press(driver, "dialog label", "I have kept it");
  await press(driver, "dialog button", "Continue");
  await find(driver, "#identities strong", "ann");
  await clean(driver);

  await driver.get(`${hub.origin}/admin`);
  await watch(driver);
  await (await find(driver, "input[type=password]")).sendKeys("admin-token-of-this-journey", Key.ENTER);
  await find(driver, "h2", "Channels");
  await clean(driver);
})));
