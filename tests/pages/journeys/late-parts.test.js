// Parts of a page that are loaded when they are used: one that cannot be loaded is reported, with a way on.

import assert from "node:assert/strict";
import { test } from "node:test";

import { live, networkErrors, shows, write } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { picture, withPage } from "../lib/page.js";

/** What a hub of another version answers for a file of this one. */
const GONE = { status: 404, json: { error: "there is no such file in this version of the hub", code: "not_found" } };

test("a menu that the updated hub no longer has: the chat says so, goes on, and loads again", () => withHub({}, async hub => {
  const channel = await hub.channel();
  await withPage(hub, { mayLog: networkErrors }, async page => {
    await page.goto(channel.url("zoe"));
    await live(page);
    await page.route("**/static/**", route => route.fulfill(GONE));
    await page.getByRole("button", { name: "Menu" }).click();
    const alert = page.getByRole("alert").filter({ hasText: "A part of this page could not be loaded" });
    await alert.waitFor();
    await picture(page, "part-missing");
    await write(page, "still here");
    await shows(page, "still here");
    await alert.getByRole("button", { name: "Close" }).click();
    assert.equal(await alert.count(), 0);
    await page.getByRole("button", { name: "Search" }).click();
    await alert.waitFor();
    assert.equal(await alert.count(), 1);
    await page.unroute("**/static/**");
    await alert.getByRole("button", { name: "Load again" }).click();
    await live(page);
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("menuitem", { name: "Settings" }).waitFor();
    await page.keyboard.press("Escape");
  });
}));

test("the same for the forms: what is created is not lost, because its view is loaded first", () => withHub({}, hub => withPage(hub, { mayLog: networkErrors }, async page => {
  await page.goto(`${hub.origin}/start`);
  const create = page.getByRole("button", { name: "Create a channel" });
  await create.waitFor();
  const before = (await hub.call("GET", "/api/stats")).channels_created;
  await page.route("**/static/**", route => route.fulfill(GONE));
  await create.click();
  await page.getByRole("alert").filter({ hasText: "A part of this page could not be loaded" }).waitFor();
  assert.equal((await hub.call("GET", "/api/stats")).channels_created, before);
})));

test("texts that cannot be loaded at the start: the page is not empty", () => withHub({}, hub => withPage(hub, { mayLog: networkErrors, axe: false }, async page => {
  await page.route("**/i18n/**", route => route.fulfill(GONE));
  await page.goto(`${hub.origin}/remote`);
  await page.getByRole("alert").filter({ hasText: "This page could not be loaded" }).waitFor();
  await page.unroute("**/i18n/**");
  await page.getByRole("alert").getByRole("button").click();
  await page.getByRole("heading", { name: "Channels" }).first().waitFor();
})));
