// J15: the administration: its gate, what it shows and never shows, ending sessions, bans, and its lock.

import assert from "node:assert/strict";
import { test } from "node:test";

import { HOSTILE, confirm } from "../lib/forms.js";
import { withHub } from "../lib/hub.js";
import { fourPictures, withPage } from "../lib/page.js";
import { until } from "../lib/until.js";

const TOKEN = "admin-token-of-this-journey";
const HUB = { flags: ["--admin-token", TOKEN] };
const DESKTOP = { width: 1280, height: 800 };
const ADMIN = { authorization: `Bearer ${TOKEN}` };

/** Opens the page with the right token. */
async function unlock(page, hub) {
  hub.secrets.add(TOKEN);
  await page.goto(`${hub.origin}/admin`);
  await page.getByLabel("Admin token").fill(TOKEN);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Channels" }).waitFor();
  await page.locator(".channel-table tbody").first().waitFor({ state: "attached" });
}

/** Waits until the page has loaded its numbers once more. */
const refreshed = page => page.waitForResponse(/api\/admin\/counters/, { timeout: 20_000 });

test("wrong tokens are refused, and after five the page counts down", () =>
  withHub(HUB, hub => withPage(hub, { ...DESKTOP, mayLog: /401|429/ }, async page => {
    await page.goto(`${hub.origin}/admin`);
    await fourPictures(page, "admin-gate");
    const notice = page.locator("#gate-notice");
    for (let guess = 0; guess < 5; guess += 1) {
      const answered = refreshed(page);
      await page.getByLabel("Admin token").fill(`guess-${guess}`);
      await page.keyboard.press("Enter");
      await answered;
      await notice.getByText("This is not the admin token").waitFor();
    }
    await page.getByLabel("Admin token").fill(TOKEN);
    await page.keyboard.press("Enter");
    await notice.getByText("Too many wrong tokens").waitFor();
    const first = Number.parseInt(await page.locator(".countdown").innerText(), 10);
    assert.ok(first > 30 && first <= 60, `${first}`);
    await until("the countdown goes on", async () => Number.parseInt(await page.locator(".countdown").innerText(), 10) < first);
    await fourPictures(page, "admin-wait");
    const requests = [];
    page.on("request", request => requests.push(request.url()));
    await page.keyboard.press("Enter");
    assert.equal(await page.getByRole("button", { name: "Unlock" }).getAttribute("aria-disabled"), "true");
    assert.deepEqual(requests, []);
  })));

test("a hub without an admin token says how to switch the administration on", () =>
  withHub({}, hub => withPage(hub, { ...DESKTOP, mayLog: /403/ }, async page => {
    await page.goto(`${hub.origin}/admin`);
    await page.getByLabel("Admin token").fill("anything");
    await page.keyboard.press("Enter");
    await page.getByText("--admin-token").waitFor();
  })));

test("channels and sessions are shown, texts and links into channels never", () =>
  withHub(HUB, hub => withPage(hub, DESKTOP, async page => {
    const channel = await hub.channel({ durability: "disk", retention: "full" });
    const [ann, bob] = [await channel.join("ann"), await channel.join("bob")];
    await ann.send("a text that no operator reads", { suggested_replies: ["nor-this"] });
    await ann.send({ to: "bob", message: "a direct text that no operator reads" });
    await hub.ask("GET", "/nowhere");
    const bodies = [];
    page.on("response", async response => bodies.push(await response.text().catch(() => "")));
    await unlock(page, hub);
    const row = page.locator(".channel-table tbody").filter({ hasText: channel.id });
    await row.getByRole("button").first().click();
    await row.getByText("ann", { exact: true }).waitFor();
    await row.getByText("bob", { exact: true }).waitFor();
    await page.getByText("not_found").waitFor();
    await refreshed(page);
    await fourPictures(page, "admin");
    const shown = `${await page.content()}${bodies.join()}`;
    assert.ok(!shown.includes("no operator reads") && !shown.includes("nor-this"));
    assert.equal(await page.locator("main a").count(), 0);
    assert.deepEqual(await bob.listen().then(messages => messages.length), 2, "and nothing was read for them");
  })));

test("a channel that nobody has joined is listed, and loaded when its row is opened", () =>
  withHub(HUB, hub => withPage(hub, DESKTOP, async page => {
    const [used, fresh] = [await hub.channel(), await hub.channel({ retention: "full" })];
    await used.join("ann");
    await unlock(page, hub);
    await page.getByText("2 channels, 1 in memory").waitFor();
    const row = page.locator(".channel-table tbody").filter({ hasText: fresh.id });
    await row.getByText("not in memory").waitFor();
    await fourPictures(page, "admin-unloaded");
    await row.getByRole("button", { name: fresh.id }).click();
    await row.getByText("Nobody is online").waitFor();
    await row.getByText("not in memory").waitFor({ state: "detached" });
    await row.getByRole("button", { name: "Delete channel" }).click();
    await confirm(page, "Delete channel", fresh.id);
    await until("the row is gone", async () => await row.count() === 0);
  })));

test("the table keeps focus, selection and order while it is used, and is sorted and filtered", () =>
  withHub(HUB, hub => withPage(hub, DESKTOP, async page => {
    const channels = [];
    for (let i = 0; i < 4; i += 1) channels.push(await hub.channel());
    const members = [];
    for (const channel of channels) members.push(await channel.join("ann"));
    await unlock(page, hub);
    const order = () => page.$$eval(".opener", buttons => buttons.map(button => button.textContent?.trim()));
    const before = await order();
    const last = channels.findIndex(channel => channel.id === before.at(-1));
    await page.getByRole("button", { name: before[1], exact: true }).focus();
    await members[last].send("now it was used last");
    await refreshed(page);
    await refreshed(page);
    assert.deepEqual(await order(), before, "while a row has the focus");
    assert.equal(await page.evaluate(() => document.activeElement?.textContent?.trim()), before[1]);

    await page.getByRole("heading", { name: "Administration" }).click();
    await page.getByLabel("Channel or callsign").focus();
    await until("the order follows", async () => (await order())[0] === before.at(-1));
    await page.getByRole("button", { name: "Channel", exact: true }).click();
    assert.deepEqual(await order(), [...before].sort());
    assert.equal(await page.locator("th[aria-sort=ascending]").innerText(), "Channel");
    await page.getByLabel("Channel or callsign").fill(before[2]);
    await until("one is left", async () => (await order()).length === 1);
    await page.getByLabel("With somebody online").check();
    await members[channels.findIndex(channel => channel.id === before[2])].call("POST", "/leave");
    await page.getByText("No channel in the list matches").waitFor();
    await page.getByRole("button", { name: `Look up ${before[2]}` }).click();
    await until("it is found", async () => (await order()).length === 1);
  })));

test("a session is ended, a ban is refused for the own address and works for others, a channel is deleted", () =>
  withHub(HUB, hub => withPage(hub, { ...DESKTOP, mayLog: /400/ }, async page => {
    const channel = await hub.channel();
    const ann = await channel.join("ann");
    await unlock(page, hub);
    const row = page.locator(".channel-table tbody").filter({ hasText: channel.id });
    await row.getByRole("button").first().click();
    await row.getByRole("button", { name: "End session: ann" }).click();
    await confirm(page, "End session");
    await page.locator(".notice").getByText("has ended").waitFor();
    assert.equal((await hub.ask("GET", `${channel.base}/listen`, undefined, ann.headers)).status, 410);
    await row.getByText("Nobody is online").waitFor();

    await channel.join("spammer");
    await row.getByRole("button", { name: "Ban: spammer" }).click();
    await page.getByLabel("Why (optional)").fill(HOSTILE);
    await fourPictures(page, "admin-ban");
    await page.getByRole("dialog").getByRole("button", { name: "Ban", exact: true }).click();
    await page.locator(".notice").getByText("1 session ended").waitFor();
    const authorization = `Bearer ${channel.token}`;
    const join = () => hub.ask("POST", `${channel.base}/join`, { callsign: "spammer" }, { authorization });
    assert.equal((await join()).status, 403);
    assert.equal(await page.locator(".reason").innerText(), HOSTILE.replace("\u202e", "\\u{202e}"));

    await page.getByRole("button", { name: "New ban" }).click();
    await page.getByLabel("An address or a network").check();
    await page.getByText("Yours is 127.0.0.1").waitFor();
    for (const own of ["127.0.0.1", "127.0.0.0/8"]) {
      await page.getByLabel("Address or network", { exact: true }).fill(own);
      await page.getByRole("dialog").getByRole("button", { name: "Ban", exact: true }).click();
      await page.getByRole("dialog").getByRole("alert").filter({ hasText: "own address" }).waitFor();
    }
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Lift" }).click();
    await confirm(page, "Lift");
    await page.getByText("Nobody is banned").waitFor();
    assert.equal((await join()).status, 200);

    await row.getByRole("button", { name: "Delete channel" }).click();
    assert.ok(await page.getByRole("dialog").getByRole("button", { name: "Delete channel" }).isDisabled());
    await confirm(page, "Delete channel", channel.id);
    await until("the row is gone", async () => await row.count() === 0);
    assert.equal((await hub.ask("GET", channel.base)).status, 404);
    assert.equal(await page.evaluate(() => "ran" in window), false);
  })));

test("the page stops asking while a dialog is open, and says when the hub is away", () =>
  withHub(HUB, hub => withPage(hub, { ...DESKTOP, mayLog: /ERR_CONNECTION|Failed to load/ }, async page => {
    await (await hub.channel()).join("ann");
    await page.clock.install();
    await unlock(page, hub);
    await page.getByRole("button", { name: "New ban" }).click();
    const requests = [];
    page.on("request", request => requests.push(request.url()));
    await page.clock.runFor(30_000);
    assert.deepEqual(requests, []);
    await page.keyboard.press("Escape");
    await hub.kill();
    await page.clock.runFor(6_000);
    await page.getByText("No connection. The numbers are from").waitFor();
    await page.getByRole("heading", { name: "Channels" }).waitFor();
    await fourPictures(page, "admin-away");
    await hub.start();
    await page.clock.runFor(6_000);
    await page.getByText("Live").waitFor();
  })));

test("the page locks by a button, after half an hour without input, and when the hub has another token", () =>
  withHub(HUB, hub => withPage(hub, { ...DESKTOP, mayLog: /401|ERR_CONNECTION/ }, async page => {
    const channel = await hub.channel();
    await channel.join("ann");
    const { id } = channel;
    await page.clock.install();
    await unlock(page, hub);
    const isLocked = async () => {
      await page.getByLabel("Admin token").waitFor();
      assert.ok(!(await page.content()).includes(id) && !(await page.content()).includes(TOKEN));
      assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), []);
    };
    await page.reload();
    await page.getByRole("button", { name: id }).waitFor();
    await page.getByRole("button", { name: "Lock" }).click();
    await isLocked();

    await unlock(page, hub);
    await page.clock.fastForward(20 * 60_000);
    await page.keyboard.press("Shift");
    await page.clock.fastForward(20 * 60_000);
    await page.getByRole("button", { name: id }).waitFor();
    await page.clock.fastForward(31 * 60_000);
    await isLocked();
    await page.getByText("Nothing is kept in this tab").waitFor();

    await unlock(page, hub);
    await hub.stop();
    hub.options = { ...hub.options, flags: ["--admin-token", `${TOKEN}-rotated`] };
    await hub.start();
    await page.clock.runFor(6_000);
    await page.getByText("The hub no longer accepts the token").waitFor();
    await isLocked();
  })));

test("hostile texts in the hub's answers are shown as text", () =>
  withHub(HUB, hub => withPage(hub, DESKTOP, async page => {
    const now = Date.now();
    const session = { idx: 1, callsign: HOSTILE, joined_at: now, seen_seconds_ago: 1, is_waiting: true, consumer_count: 1, held_count: 2 };
    const row = { id: HOSTILE, is_band: false, retention: HOSTILE, durability: HOSTILE, trust_mode: HOSTILE, dm_visibility: HOSTILE, created_at: now,
      roster: [HOSTILE], agent_count: 1, member_count: 1, message_count: 1, held_count: 1, first_joined_at: now, last_activity_at: now, sessions: [session] };
    await page.route("**/api/admin/channels?*", route => route.fulfill({ json: { channels: [row], total: 1 } }));
    await page.route("**/api/admin/bans", route => route.fulfill({ json: { client_address: HOSTILE,
      bans: [{ id: "ban_0", callsign: HOSTILE, channel_id: HOSTILE, reason: HOSTILE, created_at: now, expires_at: now + 1e6 }] } }));
    await unlock(page, hub);
    await page.locator(".opener").click();
    await page.locator(".detail strong").waitFor();
    assert.equal(await page.locator(".detail strong").innerText(), HOSTILE.replace("\u202e", "\\u{202e}"));
    assert.deepEqual(await page.evaluate(() => ["ran" in window, document.images.length, document.querySelectorAll("main script").length]), [false, 0, 0]);
  })));

test("the page works at 320 px, in the dark, in Spanish", () =>
  withHub(HUB, hub => withPage(hub, { width: 320, height: 568, theme: "dark", locale: "es-ES" }, async page => {
    const channel = await hub.channel({ dm_visibility: "private" });
    await channel.join("a-callsign-of-32-characters-----");
    await hub.call("POST", "/api/admin/bans", { address: "2001:db8:1:2:3:4:5:0/112", reason: "x".repeat(200), seconds: 3600 }, ADMIN);
    hub.secrets.add(TOKEN);
    await page.goto(`${hub.origin}/admin`);
    await page.getByLabel("Token de administración").fill(TOKEN);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: channel.id }).click();
    await page.getByText("a-callsign-of-32-characters-----").waitFor();
    assert.doesNotMatch(await page.locator("body").innerText(), /\b(admin|common|error)\.[a-z_]+/);
    await fourPictures(page, "admin-es");
  })));
