// What each page transfers and requests at a first visit, until it can be used. The gate fails, the target is reported.
// `PAGES_SIZES=1 node --test journeys/size.test.js` also reports each request.

import assert from "node:assert/strict";
import { test } from "node:test";

import { withHub } from "../lib/hub.js";
import { withPage } from "../lib/page.js";
import { until } from "../lib/until.js";

/** Bodies as they are transferred, in bytes, and requests, the page itself and the API included. */
const GATE = { bytes: 60_000, requests: 16 };
const TOKEN = "admin-token-of-this-journey";

/**
 * A first visit: an empty cache, a phone, unless `width` is given.
 * @param {import("node:test").TestContext} t
 * @param {import("../lib/hub.js").Hub} hub
 * @param {{name: string, url: string, ready: string, last: string[], target: {bytes: number, requests: number}, gate?: {bytes: number, requests: number}, width?: number}} visit
 *   `ready` selects an element that is there once the page can be used; `last` are parts of the paths that are requested last
 * @param {Record<string, string>} [tab] what the tab has stored
 */
async function visit(t, hub, { name, url, ready, last, target, gate = GATE, width = 390 }, tab = {}) {
  await withPage(hub, { width, height: 800, axe: false }, async page => {
    await page.addInitScript(([selector, stored]) => {
      for (const [key, value] of Object.entries(stored)) sessionStorage.setItem(key, value);
      const look = () => {
        if (document.querySelector(selector)) Object.assign(window, { ready_ms: performance.now() });
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }, /** @type {const} */ ([ready, tab]));
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    /** What was transferred, by request. @type {Map<string, {url: string, head: number, body: number, done: boolean}>} */
    const requests = new Map();
    session.on("Network.requestWillBeSent", ({ requestId, request }) => {
      if (!request.url.startsWith("data:") && !request.url.startsWith("blob:")) requests.set(requestId, { url: new URL(request.url).pathname, head: 0, body: 0, done: false });
    });
    // The icons are in one file, which each use of one asks for.
    session.on("Network.requestServedFromCache", ({ requestId }) => requests.delete(requestId));
    session.on("Network.responseReceived", ({ requestId, response }) => {
      const known = requests.get(requestId);
      if (known) known.head = response.encodedDataLength;
    });
    session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      const known = requests.get(requestId);
      if (known) Object.assign(known, { body: encodedDataLength - known.head, done: true });
    });
    await page.goto(url);
    await until(`${ready} is there`, () => page.evaluate(() => "ready_ms" in window));
    // What is requested after the last of these is not needed to use the page.
    const needed = () => {
      const known = [...requests.values()];
      const at = last.map(part => known.findIndex(one => one.url.includes(part)));
      return at.includes(-1) ? null : known.slice(0, Math.max(...at) + 1);
    };
    await until(`${last} were requested, and the files have arrived`, () => needed()?.every(one => one.done || one.url.endsWith("/stream")));
    const all = needed() ?? [];
    const bytes = all.reduce((sum, one) => sum + one.body, 0);
    const heads = all.reduce((sum, one) => sum + one.head, 0);
    const time = Math.round(Number(await page.evaluate("window.ready_ms")));
    const kB = (/** @type {number} */ count) => (count / 1000).toFixed(1);
    t.diagnostic(`${name}: ${kB(bytes)} kB and ${kB(heads)} kB of headers in ${all.length} requests, ${time} ms (target ${kB(target.bytes)} kB in ${target.requests})`);
    if (process.env.PAGES_SIZES) for (const one of all) t.diagnostic(`  ${String(one.body).padStart(6)} ${one.url}`);
    assert.ok(bytes <= gate.bytes, `${name} transfers ${bytes} bytes, the gate is ${gate.bytes}`);
    assert.ok(all.length <= gate.requests, `${name} makes ${all.length} requests, the gate is ${gate.requests}`);
  });
}

const small = { bytes: 25_000, requests: 8 };
const forms = { bytes: 40_000, requests: 12 };
const chat = { bytes: 45_000, requests: 14 };
const composer = ".composer textarea:enabled";

// With PAGES_FROM the files are not those of the bundle.
const options = { skip: Boolean(process.env.PAGES_FROM) && "the sources are served" };

test("the pages of forms are small", options, t =>
  withHub({ flags: ["--admin-token", TOKEN] }, async hub => {
    hub.secrets.add(TOKEN);
    const at = (/** @type {string} */ path) => hub.origin + path;
    await visit(t, hub, { name: "landing", url: at("/"), ready: "form.create button", last: ["/api/bands"], target: small });
    await visit(t, hub, { name: "account", url: at("/account"), ready: "main form button", last: ["/api/v1/info"], target: forms });
    await visit(t, hub, { name: "admin", url: at("/admin"), ready: "main form button", last: ["/i18n/en/admin.js"], target: forms });
    const account = await hub.account();
    await visit(t, hub, { name: "account, signed in", url: at("/account"), ready: "main .cards", last: ["/sessions"], target: forms },
      { "rogerrat-account-session": account.session_token });
    await visit(t, hub, { name: "admin, unlocked", url: at("/admin"), ready: ".tiles", last: ["/bans"], target: forms }, { "rogerrat-admin-token": TOKEN });
  }));

test("the chat is small", options, t =>
  withHub({}, async hub => {
    const channel = await hub.channel();
    const peer = await channel.join("peer");
    await peer.send("Plain text");
    await visit(t, hub, { name: "chat", url: channel.url("ann"), ready: composer, last: ["/stream"], target: chat });
    // The list of members is open beside it.
    await visit(t, hub, { name: "chat, wide window", url: channel.url("carl"), ready: composer, last: ["/stream"], target: chat, gate: { ...GATE, bytes: GATE.bytes + 2000 }, width: 1280 });
    await visit(t, hub, { name: "chat, asks for a name", url: channel.url("").replace(/&cs=/u, ""), ready: "main form button", last: ["/join-form-"], target: chat });
    await peer.send("# Title\n\nA *text* with **marks**");
    // The lexer, what makes nodes of its tokens, and the button that copies code.
    const more = { bytes: 16_000, requests: 1 };
    await visit(t, hub, {
      name: "chat with markdown", url: channel.url("bob"), ready: ".row .text strong", last: ["/stream", "/markdown-"],
      target: { bytes: chat.bytes + more.bytes, requests: chat.requests + more.requests },
      gate: { bytes: GATE.bytes + 18_000, requests: GATE.requests + 2 },
    });
  }));

test("the room is small", options, t =>
  withHub({ flags: ["--chatroom", "a-secret-word"] }, async hub => {
    hub.secrets.add("a-secret-word");
    await visit(t, hub, { name: "room", url: `${hub.origin}/`, ready: "main form button", last: ["/i18n/en/room.js"], target: chat });
  }));
