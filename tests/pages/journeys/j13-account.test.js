// J13: an account from its opening to its deletion, with identities, channels, webhooks and sessions.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import { test } from "node:test";

import { HOSTILE, confirm } from "../lib/forms.js";
import { withHub } from "../lib/hub.js";
import { fourPictures, withContext, withPage } from "../lib/page.js";
import { until } from "../lib/until.js";

const DESKTOP = { width: 1280, height: 800 };

/** The values of an open "shown once" dialog, by their labels. */
const secretsOf = page => page.$$eval("dialog[open] .secrets > div", rows =>
  Object.fromEntries(rows.map(row => [row.querySelector("dt")?.textContent, row.querySelector("code")?.textContent])));

/** Ticks "I have kept it" and goes on. */
async function kept(page) {
  await page.getByLabel("I have kept it").check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForSelector("dialog", { state: "detached" });
}

/** Waits for a "shown once" dialog, keeps its secrets, and closes it. */
async function shown(page, hub, title) {
  await page.getByRole("dialog", { name: title }).waitFor();
  const secrets = await secretsOf(page);
  for (const [label, value] of Object.entries(secrets)) {
    if (/token|key|secret|password/i.test(label)) hub.secrets.add(value);
  }
  await kept(page);
  return secrets;
}

/** Opens an account on the page. */
async function openAccount(page, hub) {
  await page.goto(`${hub.origin}/account`);
  await page.getByRole("button", { name: "Open an account" }).click();
  return shown(page, hub, "Your account");
}

/** A receiver of webhooks on this machine, which answers with `status`. */
async function withReceiver(use) {
  const received = [];
  const receiver = { received, status: 204, url: "" };
  const server = http.createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    received.push({ headers: request.headers, body: JSON.parse(body) });
    response.writeHead(receiver.status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  receiver.url = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}/hook`;
  try {
    return await use(receiver);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test("secrets are shown once, and the page is not left before they are kept", () =>
  withHub({}, hub => withPage(hub, DESKTOP, async page => {
    await page.goto(`${hub.origin}/account`);
    await fourPictures(page, "account-gate");
    await page.getByRole("button", { name: "Open an account" }).click();
    const dialog = page.getByRole("dialog", { name: "Your account" });
    await dialog.waitFor();
    const secrets = await secretsOf(page);
    const [recovery, session] = [secrets["Recovery token"], secrets["Session token"]];
    hub.secrets.add(recovery).add(session);
    assert.ok(recovery.startsWith("rr_acct_") && session.startsWith("rr_sess_"));
    await fourPictures(page, "account-keep");

    for (let press = 0; press < 3; press += 1) await page.keyboard.press("Escape");
    await page.mouse.click(5, 5);
    assert.ok(await dialog.isVisible() && await page.getByRole("button", { name: "Continue" }).isDisabled());
    const unload = page.waitForEvent("dialog");
    await page.evaluate(() => { setTimeout(() => location.reload()); });
    await (await unload).dismiss();
    assert.deepEqual(await secretsOf(page), secrets, "after the user decided to stay");

    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save as a file" }).click();
    const file = await download;
    assert.match(file.suggestedFilename(), /^rogerrat-acct_[0-9a-f]+\.txt$/);
    const saved = await readFile(await file.path(), "utf8");
    assert.ok(saved.includes(`\n${recovery}\n`) && saved.includes(`\n${session}\n`) && saved.includes(hub.origin));
    await page.getByRole("button", { name: "Copy: Recovery token" }).click();
    await kept(page);

    assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage)]), [[], ["rogerrat-account-session"]]);
    assert.ok(!(await page.content()).includes(recovery) && !(await page.content()).includes(session));
    await page.reload();
    await page.getByRole("heading", { name: "Identities" }).waitFor();
    await fourPictures(page, "account-empty");
  })));

test("an identity is created, joins, and its rotated key ends the phone's session", () =>
  withHub({}, hub => withPage(hub, { ...DESKTOP, mayLog: /409/ }, async page => {
    await openAccount(page, hub);
    await page.getByLabel("Callsign (optional)").fill("Ann");
    await page.keyboard.press("Enter");
    const first = await shown(page, hub, "Identity ann");
    const channel = await hub.channel();
    const ann = await channel.join("ann", { identity_key: first["Identity key"] });
    const bob = await channel.join("bob");
    await ann.send("hello");
    assert.equal((await bob.listen())[0].verified, "identity");

    const popup = page.waitForEvent("popup");
    await page.getByRole("button", { name: "Open as: ann" }).click();
    await fourPictures(page, "account-open-as");
    await page.getByRole("combobox", { name: "Channel", exact: true }).selectOption("help");
    await page.getByRole("button", { name: "Open in a new tab" }).click();
    const chat = await popup;
    await chat.waitForLoadState("domcontentloaded");
    assert.equal(new URL(chat.url()).pathname, "/remote/help");
    assert.equal(await chat.evaluate(() => window.opener), null);
    await chat.close();

    await page.getByRole("button", { name: "Rotate key: ann" }).click();
    await confirm(page, "Rotate key");
    const second = await shown(page, hub, "Identity ann");
    assert.notEqual(second["Identity key"], first["Identity key"]);
    assert.equal((await hub.ask("GET", `${channel.base}/listen`, undefined, ann.headers)).status, 410);
    const authorization = `Bearer ${channel.token}`;
    const old = await hub.ask("POST", `${channel.base}/join`, { callsign: "ann", identity_key: first["Identity key"] }, { authorization });
    assert.equal(old.status, 401);

    await page.getByLabel("Callsign (optional)").fill("all");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "reserved" }).waitFor();
    await page.getByRole("button", { name: "Delete: ann" }).click();
    const sure = page.getByRole("dialog").getByRole("button", { name: "Delete" });
    assert.ok(await sure.isDisabled(), "before the callsign is typed");
    await confirm(page, "Delete", "ann");
    await page.getByText("You have no identity yet").waitFor();
    assert.equal((await hub.ask("POST", `${channel.base}/join`, { callsign: "ann" }, { authorization })).status, 200);
  })));

test("a channel is created with its settings, shows its members, ends a session, rotates and is deleted", () =>
  withHub({}, hub => withPage(hub, DESKTOP, async page => {
    await openAccount(page, hub);
    await page.getByText("New channel").click();
    await page.getByLabel("What is recorded").selectOption("metadata");
    await page.getByText("More settings").click();
    await page.getByLabel("Owner password").fill("correct horse");
    await page.getByLabel("Direct messages").selectOption("private");
    await page.getByLabel("Minutes until an idle session ends").fill("90");
    await fourPictures(page, "account-channel-form");
    await page.getByRole("button", { name: "Create channel" }).click();
    const made = await shown(page, hub, "Channel created");
    const [id, token] = [made["Channel id"], made["Channel token"]];
    const about = await hub.call("GET", `/api/channels/${id}`);
    assert.deepEqual([about.retention, about.dm_visibility, about.session_ttl_seconds, about.has_owner_password, about.claim_callsigns],
      ["metadata", "private", 5400, true, true]);

    const bearer = of => ({ authorization: `Bearer ${of}` });
    const joined = await hub.call("POST", `/api/channels/${id}/join`, { callsign: "guest" }, bearer(token));
    hub.secrets.add(joined.session_id);
    await page.getByRole("button", { name: `Members: ${id}` }).click();
    await page.getByText("guest").waitFor();
    await page.locator("#channels").getByText("1 online ·").waitFor();
    await fourPictures(page, "account-channel");
    await page.getByRole("button", { name: "End session: guest" }).click();
    await confirm(page, "End session");
    await page.getByText("offline").waitFor();
    const headers = { ...bearer(token), "x-session-id": joined.session_id };
    assert.equal((await hub.ask("GET", `/api/channels/${id}/listen`, undefined, headers)).status, 410);

    await page.getByRole("button", { name: `Rotate token: ${id}` }).click();
    await confirm(page, "Rotate token");
    const next = await shown(page, hub, "New channel token");
    assert.equal((await hub.ask("POST", `/api/channels/${id}/join`, { callsign: "late" }, bearer(token))).status, 401);
    assert.equal((await hub.ask("POST", `/api/channels/${id}/join`, { callsign: "late" }, bearer(next["Channel token"]))).status, 200);

    await page.getByRole("button", { name: `Delete: ${id}` }).click();
    await confirm(page, "Delete", id);
    await page.getByText("You have no channel yet").waitFor();
    assert.equal((await hub.ask("GET", `/api/channels/${id}`)).status, 404);
  })));

test("a webhook is tested with its result, replays what failed, and shows hostile addresses as text", () =>
  withHub({}, hub => withReceiver(receiver => withPage(hub, DESKTOP, async page => {
    await openAccount(page, hub);
    await page.getByText("New webhook").click();
    const url = `${receiver.url}?x=%22%3E%3Cimg%20src=x%20onerror=%22window.ran=1%22%3E'<b>`;
    await page.getByLabel("Address").fill(url);
    await page.getByRole("button", { name: "Add webhook" }).click();
    const made = await shown(page, hub, "Webhook added");
    assert.ok(made.Secret.startsWith("whsec_") && made.Address.startsWith(receiver.url));
    assert.ok((await page.locator(".url").textContent()).includes("onerror"));

    await page.getByRole("button", { name: /^Test: / }).click();
    await page.locator(".test").filter({ hasText: /delivered answer 204/ }).waitFor();
    assert.equal(receiver.received[0].body.event, "webhook.test");
    receiver.status = 400;
    await page.getByRole("button", { name: /^Test: / }).click();
    await page.locator(".test").filter({ hasText: /failed answer 400/ }).waitFor();
    await page.getByRole("button", { name: /^Deliveries: / }).click();
    receiver.status = 204;
    await page.getByRole("button", { name: "Replay the failed one" }).click();
    await until("the replay arrives", () => receiver.received.length === 3);
    assert.equal(receiver.received[2].headers["webhook-id"], receiver.received[1].headers["webhook-id"]);
    await page.reload();
    await page.getByRole("button", { name: /^Deliveries: / }).click();
    await until("both are delivered", async () => await page.locator(".inside .badge.ok").count() === 2);
    await fourPictures(page, "account-webhook");

    await page.getByRole("button", { name: /^Rotate secret: / }).click();
    await confirm(page, "Rotate secret");
    assert.notEqual((await shown(page, hub, "New webhook secret")).Secret, made.Secret);
    await page.getByRole("button", { name: /^Delete: / }).click();
    await confirm(page, "Delete");
    await page.getByText("You have no webhook").waitFor();
    assert.equal(await page.evaluate(() => "ran" in window), false);
  }))));

test("a webhook is aimed at a chat with a header and a body of its own, which are not shown again", () =>
  withHub({}, hub => withReceiver(receiver => withPage(hub, { ...DESKTOP, mayLog: /400/ }, async page => {
    await openAccount(page, hub);
    await page.getByText("New webhook").click();
    await page.getByLabel("Address").fill(receiver.url);
    await page.getByText("Headers and body (optional)").click();
    await page.getByLabel("Headers, one on each line").fill("Authorization: Bearer hunter2");
    await page.getByLabel("Body", { exact: true }).fill('{"content": "{{from}}: {{tekst}}"}');
    await page.getByRole("button", { name: "Add webhook" }).click();
    await page.getByText("unknown placeholder").waitFor();
    await page.getByLabel("Body", { exact: true }).fill('{"content": "{{from}}: {{text:12}}"}');
    await fourPictures(page, "account-webhook-format");
    await page.getByRole("button", { name: "Add webhook" }).click();
    await shown(page, hub, "Webhook added");
    await page.getByText("headers: authorization").waitFor();
    await page.getByText("body of its own").waitFor();
    assert.equal((await page.content()).includes("hunter2"), false);
    await page.getByRole("button", { name: /^Test: / }).click();
    await page.locator(".test").filter({ hasText: /delivered answer 204/ }).waitFor();
    assert.deepEqual(receiver.received[0].body, { content: "rogerrat: This is a t…" });
    assert.equal(receiver.received[0].headers.authorization, "Bearer hunter2");
  }))));

test("the list of sessions ends another browser, and the recovery token is rotated", () =>
  withHub({}, hub => withPage(hub, DESKTOP, async page => {
    const { "Recovery token": recovery } = await openAccount(page, hub);
    const other = { ...DESKTOP, mayLog: /401/ };
    await withPage(hub, other, async second => {
      await second.goto(`${hub.origin}/account`);
      await second.getByLabel("Recovery token").fill(recovery);
      await second.keyboard.press("Enter");
      await second.getByRole("heading", { name: "Identities" }).waitFor();
      await page.reload();
      await until("both sessions are listed", async () => await page.locator("#sessions .rows > li").count() === 2);
      await fourPictures(page, "account-sessions");
      await page.getByRole("button", { name: /^End session: / }).click();
      await confirm(page, "End session");
      await until("one is left", async () => await page.locator("#sessions .rows > li").count() === 1);
      await second.getByLabel("Callsign (optional)").fill("late");
      await second.keyboard.press("Enter");
      await second.getByText("This session has ended").waitFor();
      assert.deepEqual(await second.evaluate(() => Object.keys(sessionStorage)), []);
    });

    await page.getByRole("button", { name: "Rotate recovery token" }).click();
    await confirm(page, "Rotate recovery token");
    const { "Recovery token": next } = await shown(page, hub, "New recovery token");
    assert.equal((await hub.ask("POST", "/api/account/recover", { recovery_token: recovery })).status, 401);
    const back = await hub.call("POST", "/api/account/recover", { recovery_token: next });
    hub.secrets.add(back.session_token);
  })));

test("deleting the account asks what happens to its channels", () =>
  withHub({}, hub => withPage(hub, DESKTOP, async page => {
    await openAccount(page, hub);
    await page.getByText("New channel").click();
    await page.getByRole("button", { name: "Create channel" }).click();
    const made = await shown(page, hub, "Channel created");
    await page.getByText("Delete this account").click();
    const id = await page.locator(".id code").textContent();
    await page.getByLabel(`Type the account id: ${id}`).fill(id ?? "");
    await page.getByRole("button", { name: "Delete account" }).click();
    assert.ok(await page.getByRole("heading", { name: "Identities" }).isVisible(), "nothing was chosen");
    await page.getByLabel("Delete, with all messages").check();
    await page.getByLabel(/Type the account id/).fill("acct_other");
    await page.getByRole("button", { name: "Delete account" }).click();
    assert.ok(await page.getByRole("heading", { name: "Identities" }).isVisible(), "another id was typed");
    await fourPictures(page, "account-delete");
    await page.getByLabel(/Type the account id/).fill(id ?? "");
    await page.getByRole("button", { name: "Delete account" }).click();
    await page.getByText("The account is deleted").waitFor();
    assert.equal((await hub.ask("GET", `/api/channels/${made["Channel id"]}`)).status, 404);
  })));

test("a list that cannot be loaded says so and is loaded again, while the others work", () =>
  withHub({}, hub => withPage(hub, { ...DESKTOP, mayLog: /Failed to load resource/ }, async page => {
    await openAccount(page, hub);
    let isBroken = true;
    await page.route("**/api/account/channels", route => (isBroken
      ? route.fulfill({ status: 503, json: { error: "overloaded", code: "overloaded", retry_after_seconds: 1, request_id: "x" } })
      : route.continue()));
    await page.reload();
    await page.locator("#channels").getByText("The hub is busy.").waitFor();
    await page.getByText("You have no identity yet").waitFor();
    await fourPictures(page, "account-failed");
    isBroken = false;
    await page.locator("#channels").getByRole("button", { name: "Try again" }).click();
    await page.getByText("You have no channel yet").waitFor();
  })));

test("hostile texts in every field of the hub's answers are shown as text", () =>
  withHub({}, hub => withPage(hub, DESKTOP, async page => {
    await openAccount(page, hub);
    const now = Date.now();
    const answers = {
      "/api/account": { account_id: HOSTILE, created_at: now, identities: [{ callsign: HOSTILE, created_at: now }], channels: 1, webhooks: 1, limits: { channels: 9, identities: 9, webhooks: 9 } },
      "/api/account/channels": { channels: [{ id: HOSTILE, created_at: now, retention: HOSTILE, require_identity: true, trust_mode: "trusted", agent_count: 1 }] },
      "/api/account/webhooks": { webhooks: [{ id: "wh_0", url: `javascript:${HOSTILE}`, events: [HOSTILE], retry: HOSTILE, created_at: now, active: false, failures_in_a_row: 1, due: 1 }] },
      "/api/account/webhooks/wh_0/deliveries": { deliveries: [{ id: HOSTILE, event: HOSTILE, status: "failed", attempts: 2, failure: HOSTILE, channel_id: HOSTILE, due_at: now }] },
      "/api/account/sessions": { sessions: [{ sid: "sess_0", label: HOSTILE, created_at: now, last_used_at: now, current: false }] },
    };
    await page.route("**/api/account**", route => {
      const path = new URL(route.request().url()).pathname;
      if (path.includes("/channels/")) return route.fulfill({ json: { roster_all: [{ callsign: HOSTILE, online: true, idx: 1, reach: HOSTILE }] } });
      return path in answers ? route.fulfill({ json: answers[path] }) : route.continue();
    });
    await page.reload();
    await page.getByRole("button", { name: /^Members: / }).click();
    await page.getByRole("button", { name: /^Deliveries: / }).click();
    await page.locator("#webhooks .inside .badge").waitFor();
    await page.locator("#channels .inside strong").waitFor();
    const shownText = await page.locator("#sessions strong").textContent();
    assert.equal(shownText, HOSTILE.replace("\u202e", "\\u{202e}"));
    assert.deepEqual(await page.evaluate(() => ["ran" in window, document.images.length, document.querySelectorAll("main script, main a[href^=javascript]").length]), [false, 0, 0]);
  })));

test("the page works at 320 px, in the dark, in Spanish, and by keyboard", () =>
  withHub({}, hub => withContext(hub, { width: 320, height: 568, theme: "dark", locale: "es-ES" }, async context => {
    const page = await context.newPage();
    await page.goto(`${hub.origin}/account`);
    const button = page.getByRole("button", { name: "Abrir una cuenta" });
    await button.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Tu cuenta" }).waitFor();
    for (const value of Object.values(await secretsOf(page))) hub.secrets.add(value);
    await page.getByLabel("Lo he guardado").focus();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Continuar" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Aún no tienes ninguna identidad").waitFor();
    const left = await page.locator("body").innerText();
    assert.doesNotMatch(left, /\b(account|common|error)\.[a-z_]+/);
    const field = page.getByLabel("Indicativo (opcional)");
    await field.fill("borrador");
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await page.waitForResponse(/api\/account\/sessions/);
    assert.ok(await field.evaluate(input => input === document.activeElement && /** @type {HTMLInputElement} */ (input).value === "borrador"));
    await fourPictures(page, "account-es");
  })));
