// The connections that all tabs of a browser hold open together, and what a tab does without one.

import assert from "node:assert/strict";
import { test } from "node:test";

import { channelSlots, lockSlots } from "../../../web/static/chat/slots.js";
import { settle } from "./lib/fake.js";
import { chat, texts } from "./lib/chat.js";

/** The locks of a browser, as far as the slots use them. */
class FakeLocks {
  held = new Set();

  async request(name, { ifAvailable }, use) {
    assert.ok(ifAvailable);
    if (this.held.has(name)) return use(null);
    this.held.add(name);
    try {
      return await use({ name });
    } finally {
      this.held.delete(name);
    }
  }
}

/** Tabs that hear each other. */
function tabs(count) {
  const all = [];
  const open = () => {
    const one = { postMessage: data => { for (const other of all) if (other !== one) other.onmessage({ data }); } };
    all.push(one);
    return one;
  };
  return Array.from({ length: count }, () => channelSlots(open));
}

test("three tabs hold a connection, and the next gets the one that is given back", async () => {
  const locks = new FakeLocks();
  for (const seven of [Array.from({ length: 7 }, () => lockSlots(locks)), tabs(7)]) {
    const slots = [];
    for (const tab of seven) slots.push(await tab.take());
    assert.deepEqual(slots.map(slot => slot !== null), [true, true, true, false, false, false, false]);
    slots[1].release();
    await settle();
    assert.notEqual(await seven[6].take(), null);
    assert.equal(await seven[5].take(), null);
  }
});

test("where locks and channels are blocked there is no limit", async () => {
  const blocked = () => { throw new DOMException("blocked", "SecurityError"); };
  for (const slots of [lockSlots({ request: async () => blocked() }), channelSlots(blocked)]) {
    for (let at = 0; at < 5; at += 1) assert.notEqual(await slots.take(), null);
  }
});

test("a tab without a slot polls briefly, loses nothing, and streams when a slot is free", async t => {
  let free = false;
  const slots = { take: async () => (free ? { release() {} } : null) };
  const tab = await chat(t, { start: false });
  const { hub, clock } = tab;
  const { createModel } = await import("../../../web/static/chat/model.js");
  const model = createModel("quiet-otter-3a8f", { ...tab.environment, slots });
  t.after(() => model.close());
  hub.says("before");
  model.start({ channel: "c", token: "t", identity_key: "k" });
  await clock.pass(1_000);
  assert.equal(model.connection.state, "live-poll");
  const polls = () => hub.requests.filter(({ path }) => path === "/wait");
  assert.ok(polls().every(({ query }) => query.timeout === "0"), "no poll is held open");
  hub.says("in between");
  await clock.pass(2_500);
  assert.deepEqual(texts(model), ["before", "in between"]);
  const count = polls().length;
  await clock.pass(20_000);
  assert.ok(polls().length - count <= 10, `${polls().length - count} polls in 20 s`);
  assert.equal(hub.streams.size, 0);
  free = true;
  await clock.pass(2_500);
  assert.equal(model.connection.state, "live-stream");
  hub.says("over the stream");
  await settle();
  assert.deepEqual(texts(model), ["before", "in between", "over the stream"]);
});

test("a slot is given back with its connection", async t => {
  let held = 0;
  const slots = { take: async () => { held += 1; return { release() { held -= 1; } }; } };
  const tab = await chat(t, { start: false });
  const { createModel } = await import("../../../web/static/chat/model.js");
  const model = createModel("quiet-otter-3a8f", { ...tab.environment, slots });
  t.after(() => model.close());
  model.start({ channel: "c", token: "t", identity_key: "k" });
  await settle();
  assert.deepEqual([model.connection.state, held], ["live-stream", 1]);
  tab.signals.say("pagehide");
  await settle();
  assert.equal(held, 0);
  tab.signals.say("pageshow");
  await settle();
  assert.deepEqual([model.connection.state, held], ["live-stream", 1]);
  await model.leave();
  await settle();
  assert.equal(held, 0);
});
