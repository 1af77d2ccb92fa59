// The API reference: every route of the document is listed, its parts are shown when it is opened, and a request can be tried.

import assert from "node:assert/strict";
import { test } from "node:test";

import { HOSTILE } from "../lib/forms.js";
import { withHub } from "../lib/hub.js";
import { fourPictures, withPage } from "../lib/page.js";

test("the API reference lists every route and sends a request", () => withHub({}, hub => withPage(hub, { width: 1280, height: 800 }, async page => {
  const document_ = await hub.call("GET", "/openapi.json");
  const count = Object.values(document_.paths).flatMap(item => Object.keys(item)).length;
  await page.goto(`${hub.origin}/docs`);
  await page.locator("details.route").first().waitFor();
  assert.equal(await page.locator("details.route").count(), count);
  const route = page.locator("details.route").filter({ hasText: "/api/bands" }).first();
  await route.locator("summary").first().click();
  await route.getByRole("heading", { name: "200" }).waitFor();
  await fourPictures(page, "docs");
  await route.getByText("Try it").click();
  await route.getByRole("button", { name: "Send GET" }).click();
  await route.locator(".answer", { hasText: "general" }).waitFor();
  // Nothing that is absent is shown as a word.
  assert.doesNotMatch(await route.innerText(), /\b(null|undefined)\b/);
})));

test("j11 every text of the document is shown as text", () => withHub({}, hub => withPage(hub, { width: 1280, height: 800 }, async page => {
  await page.route("**/openapi.json", async route => {
    const text = await (await route.fetch()).text();
    const evil = JSON.parse(text, (key, value) => (typeof value === "string" && /^(description|summary|title)$/.test(key) ? HOSTILE : value));
    await route.fulfill({ json: evil });
  });
  await page.goto(`${hub.origin}/docs`);
  const route = page.locator("details.route").first();
  await route.locator("summary").first().click();
  await route.getByText(HOSTILE.slice(0, 30)).first().waitFor();
  assert.deepEqual(await page.evaluate(() => ["ran" in window, document.images.length, document.querySelectorAll("main script").length]), [false, 0, 0]);
})));
