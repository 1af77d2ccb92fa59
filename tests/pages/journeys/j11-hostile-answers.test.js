// J11 on every page: what a hub, or something that answers in its place, says in errors, hints, names and numbers is text.

import assert from "node:assert/strict";
import { test } from "node:test";

import { live, write } from "../lib/chat.js";
import { HOSTILE } from "../lib/forms.js";
import { withHub } from "../lib/hub.js";
import { withPage } from "../lib/page.js";

const SHOWN = HOSTILE.replace("\u202e", "\\u{202e}");

/** Refuses what a page asks for, in the hub's form, with hostile texts everywhere. */
async function refuse(page, pattern, status = 400, more = {}) {
  await page.route(pattern, route => route.fulfill({
    status, headers: { "x-request-id": "r" },
    json: { error: HOSTILE, hint: HOSTILE, code: HOSTILE, request_id: HOSTILE, next: HOSTILE, limit: HOSTILE, ...more },
  }));
}

/** Nothing ran, and nothing of a text became a part of the page. */
async function harmless(page) {
  const found = await page.evaluate(() => ({
    ran: "ran" in window, images: document.images.length, scripts: document.querySelectorAll("body script").length,
    handlers: [...document.querySelectorAll("body *")].filter(one => [...one.attributes].some(({ name }) => name.startsWith("on"))).length,
    links: [...document.querySelectorAll("a[href]")].filter(one => !/^(https?|mailto):$/.test(one.protocol)).length,
  }));
  assert.deepEqual(found, { ran: false, images: 0, scripts: 0, handlers: 0, links: 0 });
}

/** The text is on the page, as it is. */
const shown = page => page.getByText(SHOWN.slice(0, 40)).first().waitFor();

const mayLog = /status of 4\d\d/;

test("j11 start page: errors, bands, counters and facts of the hub", () => withHub({}, hub => withPage(hub, { mayLog }, async page => {
  await page.route("**/api/bands", route => route.fulfill({ json: { bands: [{ id: HOSTILE, name: HOSTILE, description: HOSTILE, agent_count: HOSTILE, agents: HOSTILE }] } }));
  await page.route("**/api/stats", route => route.fulfill({ json: Object.fromEntries(["total_channels", "total_joins", "total_messages", "channels", "joins", "messages"].map(key => [key, HOSTILE])) }));
  await refuse(page, "**/api/channels");
  await refuse(page, "**/api/remote-control");
  await page.goto(`${hub.origin}/start`);
  await page.getByRole("button", { name: "Create a channel" }).click();
  await shown(page);
  await page.getByRole("button", { name: "Start remote control" }).click();
  await page.waitForResponse("**/api/remote-control").catch(() => {});
  await harmless(page);
})));

test("j11 start page: every text of what was created", () => withHub({}, hub => withPage(hub, { mayLog }, async page => {
  const evil = value => (typeof value === "string" ? HOSTILE : Array.isArray(value) ? value.map(evil) : value && typeof value === "object"
    ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, key === "mcp_url" ? one : evil(one)])) : value);
  for (const path of ["**/api/channels", "**/api/remote-control"]) {
    await page.route(path, async route => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: evil(await answer.json()) });
    });
  }
  await page.goto(`${hub.origin}/start`);
  await page.getByRole("button", { name: "Create a channel" }).click();
  await page.locator("#result-title").waitFor();
  assert.equal(await page.locator("#result-title").textContent(), HOSTILE);
  await harmless(page);
})));

test("j11 chat: refused joins, refused messages, and the facts of the channel", () => withHub({}, async hub => {
  const channel = await hub.channel();
  for (const [status, code] of [[401, "unauthorized"], [403, HOSTILE], [409, "callsign_taken"], [429, HOSTILE], [400, HOSTILE]]) {
    await withPage(hub, { mayLog, axe: false }, async page => {
      await refuse(page, "**/join", status, { code, retry_after_seconds: HOSTILE });
      await page.goto(channel.url("zoe"));
      await page.locator("form, .state-line:not([hidden])").first().waitFor();
      await harmless(page);
    });
  }
  await withPage(hub, { mayLog }, async page => {
    await page.goto(channel.url("zoe"));
    await live(page);
    await refuse(page, "**/send");
    await write(page, "is refused");
    await shown(page);
    await harmless(page);
  });
  await withPage(hub, { mayLog }, async page => {
    await page.route("**/join", async route => {
      const answer = await route.fetch();
      const joined = await answer.json();
      hub.secrets.add(joined.session_id);
      await route.fulfill({ json: { ...joined, callsign: HOSTILE, instructions: HOSTILE, collision_warning: HOSTILE, trust_posture: HOSTILE, retention: HOSTILE } });
    });
    await page.route("**/roster", route => route.fulfill({ json: { roster_all: [{ callsign: HOSTILE, online: true, idx: 1, reach: HOSTILE, unread: 3, seen_at: 1 }] } }));
    await page.goto(channel.url("zoe"));
    await live(page);
    await page.getByRole("button", { name: /People and agents/ }).click();
    await shown(page);
    await harmless(page);
    await page.keyboard.press("Escape");
  });
}));

test("j11 account: errors of the gate and of every form", () => withHub({}, hub => withPage(hub, { mayLog }, async page => {
  await refuse(page, "**/api/account", 400);
  await page.goto(`${hub.origin}/account`);
  await page.getByRole("button", { name: "Open an account" }).click();
  await shown(page);
  await page.unroute("**/api/account");
  const account = await hub.account();
  await page.getByLabel("Recovery token").fill(account.recovery_token);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Identities" }).waitFor();
  hub.secrets.add(await page.evaluate(() => sessionStorage.getItem("rogerrat-account-session")));
  await refuse(page, /api\/(account\/(identities|webhooks)|channels)$/);
  await page.getByLabel("Callsign (optional)").fill("ann");
  await page.keyboard.press("Enter");
  await page.locator("#identities").getByText(SHOWN.slice(0, 40)).first().waitFor();
  await page.getByText("New webhook").click();
  await page.getByLabel("Address").fill("https://example.org/hook");
  await page.getByRole("button", { name: "Add webhook" }).click();
  await page.locator("#webhooks").getByText(SHOWN.slice(0, 40)).first().waitFor();
  await harmless(page);
})));

test("j11 administration: errors of the gate, of a ban and of an end", () => withHub({ flags: ["--admin-token", "admin-token-of-this-journey"] }, hub => withPage(hub, { width: 1280, height: 800, mayLog }, async page => {
  hub.secrets.add("admin-token-of-this-journey");
  await refuse(page, "**/api/admin/**", 403);
  await page.goto(`${hub.origin}/admin`);
  const unlock = async () => {
    await page.getByLabel("Admin token").fill("admin-token-of-this-journey");
    await page.keyboard.press("Enter");
  };
  await unlock();
  await page.locator("#gate-notice").filter({ hasText: /\S/ }).waitFor();
  await harmless(page);
  await page.unroute("**/api/admin/**");
  await unlock();
  await page.getByRole("button", { name: "New ban" }).click();
  await refuse(page, "**/api/admin/bans");
  await page.getByLabel("Callsign", { exact: true }).fill("ann");
  await page.getByRole("dialog").getByRole("button", { name: "Ban", exact: true }).click();
  await page.getByRole("dialog").getByText(SHOWN.slice(0, 40)).first().waitFor();
  await harmless(page);
  await page.keyboard.press("Escape");
})));

test("j11 room: a refused password and a refused message", () => withHub({ flags: ["--chatroom", "pass-of-the-room"] }, async hub => {
  hub.secrets.add("pass-of-the-room");
  await withPage(hub, { mayLog }, async page => {
    await page.goto(`${hub.origin}/#p=pass-of-the-room`);
    await refuse(page, "**/messages/poll*", 403);
    await page.getByLabel("Your name").fill("zo");
    await page.getByRole("button", { name: "Join" }).click();
    await page.getByRole("alert").filter({ hasText: /\S/ }).first().waitFor();
    await harmless(page);
    await page.unroute("**/messages/poll*");
    await page.getByLabel("Password").fill("pass-of-the-room");
    await page.getByRole("button", { name: "Join" }).click();
    await live(page);
    await refuse(page, "**/messages");
    await write(page, "is refused");
    await shown(page);
    await harmless(page);
  });
}));
