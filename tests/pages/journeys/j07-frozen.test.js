// J7: a phone in a pocket. The page is hidden and frozen for long; back on screen it has caught up before a second.

import assert from "node:assert/strict";
import { test } from "node:test";

import { live, networkErrors, shows, texts } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { withPage } from "../lib/page.js";
import { withProxy } from "../lib/proxy.js";
import { until } from "../lib/until.js";

/** A page that can be hidden: headless Chromium shows every page for good. */
async function canHide(page) {
  await page.addInitScript(() => {
    let hidden = false;
    Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
    Object.defineProperty(document, "hidden", { get: () => hidden });
    addEventListener("test-hide", event => {
      hidden = /** @type {CustomEvent} */ (event).detail;
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    });
  });
}
const hide = (page, hidden) => page.evaluate(value => { dispatchEvent(new CustomEvent("test-hide", { detail: value })); }, hidden);

/** Shows the page again, and measures on its own clock how long the text of a message takes to appear, in ms. */
async function back(page, text) {
  return page.evaluate(wanted => new Promise(done => {
    const begun = performance.now();
    const look = () => {
      if (![...document.querySelectorAll(".row .text")].some(element => element.textContent?.trim() === wanted)) return;
      observer.disconnect();
      done(performance.now() - begun);
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
    // Headless Chromium does not fire what it fires on a device.
    document.dispatchEvent(new Event("resume"));
    dispatchEvent(new CustomEvent("test-hide", { detail: false }));
    look();
  }), text);
}

/**
 * Runs a round, at most three times, until it takes less than a second: the promise is about the page, not about what else
 * the machine does.
 * @param {(round: number) => Promise<number>} run
 */
async function withinSecond(run) {
  const took = [];
  for (let round = 0; round < 3; round += 1) {
    took.push(await run(round));
    if (took[round] < 1_000) return;
  }
  assert.fail(`caught up after ${took} ms`);
}

test("j07 hidden for 10 minutes: closes, and has caught up within a second of being back", async () => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  await withPage(hub, {}, async page => {
    await canHide(page);
    await page.clock.install();
    await page.goto(channel.url("zoe"));
    await live(page);
    await agent.send("before");
    await shows(page, "before");
    const wanted = ["before"];
    await withinSecond(async round => {
      await hide(page, true);
      await page.clock.fastForward("01:01");
      const reach = async () => (await agent.call("GET", "/roster")).roster_all.find(({ callsign }) => callsign === "zoe").reach;
      await until("the stream is closed", async () => (await reach()) === "away");
      const sent = Array.from({ length: 30 }, (_, at) => `m${round} ${at}`);
      for (const text of sent) await agent.send(text);
      await page.clock.fastForward("09:00");
      assert.deepEqual(await texts(page), wanted);
      wanted.push(...sent);
      const took_ms = await back(page, sent[29]);
      assert.deepEqual(await texts(page), wanted);
      await live(page);
      return took_ms;
    });
  });
}));

test("j07 frozen, and its connection gone without a word: caught up within a second of being thawed", async () => withHub({}, async hub => withProxy(hub, async proxy => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  await withPage(hub, { origin: proxy.origin, mayLog: networkErrors }, async page => {
    await canHide(page);
    await page.goto(channel.url("zoe").replace(hub.origin, proxy.origin));
    await live(page);
    const session = await page.context().newCDPSession(page);
    /** @type {string[]} */
    const wanted = [];
    await withinSecond(async round => {
      await hide(page, true);
      await session.send("Page.setWebLifecycleState", { state: "frozen" });
      // The proxy keeps the page's connection, and the hub's side of it ends: nothing tells the page.
      proxy.loseAll();
      const sent = Array.from({ length: 10 }, (_, at) => `m${round} ${at}`);
      for (const text of sent) await agent.send(text);
      wanted.push(...sent);
      await session.send("Page.setWebLifecycleState", { state: "active" });
      const took_ms = await back(page, sent[9]);
      assert.deepEqual(await texts(page), wanted);
      await live(page);
      return took_ms;
    });
  });
})));
