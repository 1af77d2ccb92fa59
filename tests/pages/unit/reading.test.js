// What is acknowledged, and when; nothing twice, nothing lost.

import assert from "node:assert/strict";
import { test } from "node:test";

import { memoryStore, settle } from "./lib/fake.js";
import { chat, look, texts } from "./lib/chat.js";

test("a message is acknowledged after a second on screen, in a visible tab", async t => {
  const tab = await chat(t);
  const { model, hub, clock, signals } = tab;
  const { id } = hub.says("one");
  await settle();
  assert.deepEqual([model.unread, model.firstUnread], [1, id]);
  model.seen(id);
  await clock.pass(900);
  model.unseen(id);
  await clock.pass(5_000);
  assert.deepEqual(hub.acks, [], "too short");
  model.seen(id);
  await clock.pass(500);
  signals.say("hidden");
  await clock.pass(5_000);
  assert.deepEqual(hub.acks, [], "nobody reads a hidden tab");
  signals.say("visible");
  await clock.pass(900);
  assert.deepEqual(hub.acks, []);
  await clock.pass(500);
  assert.deepEqual(hub.acks, [id]);
  assert.equal(model.unread, 0);
  assert.equal(model.entries[0].seen, true);
});

test("only the run of seen messages is acknowledged", async t => {
  const tab = await chat(t);
  const [a, b, c, d] = ["a", "b", "c", "d"].map(text => tab.hub.says(text).id);
  await settle();
  await look(tab, [c, d]);
  assert.deepEqual(tab.hub.acks, []);
  await look(tab, [a]);
  assert.deepEqual(tab.hub.acks, [a]);
  await look(tab, [b]);
  assert.deepEqual(tab.hub.acks, [a, d]);
});

test("a failed acknowledgement is repeated, a refused one is not", async t => {
  const tab = await chat(t);
  const { id } = tab.hub.says("a");
  await settle();
  tab.hub.fault = ({ path }) => (path === "/ack" ? new TypeError("fetch failed") : undefined);
  await look(tab, [id]);
  assert.deepEqual(tab.hub.acks, []);
  tab.hub.fault = () => undefined;
  await tab.clock.pass(6_000);
  assert.deepEqual(tab.hub.acks, [id]);
});

test("a reload starts at the first unread, with the line above it", async t => {
  const session = memoryStore(), lasting = memoryStore();
  const first = await chat(t, { session, lasting });
  const { hub } = first;
  const ids = Array.from({ length: 5 }, (_, at) => hub.says(`m${at}`).id);
  await settle();
  await look(first, ids.slice(0, 3));
  assert.deepEqual(hub.acks, [ids[2]]);
  first.model.close();
  await settle();
  const again = await chat(t, { hub, session, lasting });
  assert.deepEqual(texts(again.model), ["m0", "m1", "m2", "<unread>", "m3", "m4"]);
  assert.deepEqual([again.model.unread, again.model.firstUnread], [2, ids[3]]);
  assert.deepEqual(again.details.flatMap(({ live }) => live), [], "nothing of it is announced");
  hub.says("live");
  await settle();
  assert.deepEqual(texts(again.model).slice(-2), ["m4", "live"]);
  assert.equal(again.details.flatMap(({ live }) => live).length, 1);
  await look(again, [ids[3], ids[4]]);
  assert.equal(hub.acks.at(-1), ids[4], "known from the history, and acknowledged once it came through the consumer");
});

test("a new device starts at the newest of the history", async t => {
  const tab = await chat(t, { start: false });
  const ids = Array.from({ length: 3 }, (_, at) => tab.hub.says(`old ${at}`).id);
  tab.model.start({ channel: "c", token: "t", identity_key: "k" });
  await settle();
  assert.equal(tab.hub.requests.find(({ path }) => path === "/stream").body.since, ids[2]);
  assert.deepEqual(texts(tab.model), ["old 0", "old 1", "old 2"]);
  assert.equal(tab.model.unread, 0);
});

test("what was sent between the join and the history is unread on a new device, and acknowledged when seen", async t => {
  const tab = await chat(t, { start: false });
  tab.hub.says("old");
  let id = 0;
  tab.hub.fault = ({ path }) => {
    if (path === "/history" && !id) id = tab.hub.says("just now").id;
    return undefined;
  };
  tab.model.start({ channel: "c", token: "t", identity_key: "k" });
  await settle();
  assert.deepEqual(texts(tab.model), ["old", "<unread>", "just now"]);
  await look(tab, [id]);
  assert.deepEqual(tab.hub.acks, [id]);
});

test("a device whose consumer was dropped is a new one", async t => {
  const lasting = memoryStore();
  const first = await chat(t, { lasting });
  first.hub.says("old");
  await settle();
  first.model.close();
  first.hub.cursors.clear();
  const again = await chat(t, { hub: first.hub, lasting });
  assert.equal(again.model.unread, 0);
});

test("what comes again is shown once", async t => {
  const tab = await chat(t);
  const message = tab.hub.says("once");
  tab.hub.stream.message({ ...message, attempt: 2 });
  await settle();
  await tab.clock.pass(20_000);
  tab.hub.stream.cut();
  await tab.clock.pass(2_000);
  tab.hub.stream.message({ ...message, attempt: 3 });
  await settle();
  assert.deepEqual(texts(tab.model), ["once"]);
  await look(tab, [message.id]);
  assert.deepEqual(tab.hub.acks, [message.id]);
});

test("gaps are dividers with a reason, once, and not for what is shown", async t => {
  const tab = await chat(t);
  const { hub, model } = tab;
  const { id } = hub.says("one");
  hub.stream.event("gap", { from: id - 5, to: id - 1, reason: "ring" });
  await settle();
  assert.deepEqual(texts(model), ["one"]);
  hub.stream.event("gap", { from: id, to: id + 7, reason: "ring" });
  hub.stream.event("gap", { from: id, to: id + 7, reason: "ring" });
  hub.stream.message({ id: id + 8, from: "bob", to: "all", text: "after", at: 1 });
  await settle();
  assert.deepEqual(texts(model), ["one", "<gap>", "after"]);
  assert.equal(model.entries[1].reason, "ring");
  hub.stream.event("gap", { from: 0, to: id + 9, reason: "restart" });
  await settle();
  assert.equal(model.entries.filter(({ type }) => type === "gap").length, 2);
});

test("more unread than a consumer may have in flight: read on without acknowledging, then go back", async t => {
  const tab = await chat(t);
  const { hub, model, clock } = tab;
  const ids = Array.from({ length: 100 }, (_, at) => hub.says(`m${at}`).id);
  await settle();
  const opened = hub.requests.findLast(({ path }) => path === "/stream").body;
  assert.deepEqual([opened.ack, opened.since], ["auto", ids[99]]);
  assert.equal(model.connection.state, "live-stream");
  ids.push(...Array.from({ length: 300 }, (_, at) => hub.says(`n${at}`).id));
  await settle();
  assert.equal(model.unread, 400);
  assert.deepEqual(hub.acks, []);
  assert.equal(tab.states.at(-1), "live-stream");
  await look(tab, ids);
  assert.equal(model.unread, 0);
  const back = hub.requests.findLast(({ path }) => path === "/stream").body;
  assert.deepEqual([back.ack, back.since], ["manual", ids.at(-1)]);
  const { id } = hub.says("last");
  await settle();
  await look(tab, [id]);
  await clock.pass(1_000);
  assert.deepEqual(hub.acks, [id]);
});

test("a poll that fails may have carried messages: nothing newer is acknowledged before its lease ended", async t => {
  const tab = await chat(t, { start: false });
  const { hub, model, clock } = tab;
  hub.streamsPass = false;
  model.start({ channel: "c", token: "t", identity_key: "k" });
  await clock.pass(8_000);
  assert.equal(model.connection.state, "live-poll");
  const a = hub.says("a");
  await settle();
  await look(tab, [a.id]);
  assert.deepEqual(hub.acks, [a.id]);
  // The next poll's answer is lost on its way, after the hub leased its message to this consumer.
  const lost = { id: a.id + 1, from: "bob", to: "all", text: "lost", at: 1 };
  hub.leased.add(lost.id);
  hub.messages.push(lost);
  hub.fault = ({ path }) => (path === "/wait" ? new TypeError("terminated") : undefined);
  hub.polls.splice(0).forEach(poll => poll([]));
  await settle();
  hub.fault = () => undefined;
  await clock.pass(2_000);
  assert.deepEqual(texts(model), ["a", "lost"], "the history has it at once");
  hub.says("filler");
  const b = hub.says("b");
  await settle();
  await look(tab, model.entries.map(({ id }) => id));
  assert.equal(model.unread, 0);
  assert.deepEqual(hub.acks, [a.id], "nothing above the hole");
  await clock.pass(40_000);
  hub.leased.delete(lost.id);
  await clock.pass(90_000);
  assert.equal(hub.acks.at(-1), b.id);
});

test("leaving clears what the device keeps", async t => {
  const tab = await chat(t);
  const { id } = tab.hub.says("x");
  await settle();
  await look(tab, [id]);
  tab.model.send({ text: "waits" });
  tab.model.saveDraft({ text: "draft", to: "all", reply_to: null, thread: null, priority: "default" });
  await tab.clock.pass(1_000);
  assert.ok(tab.session.map.size > 0 && tab.lasting.map.size > 0);
  await tab.model.leave();
  assert.equal(tab.session.map.size, 0);
  assert.equal(tab.lasting.map.size, 0);
  assert.deepEqual([tab.model.connection.state, tab.model.connection.problem.code], ["ended", "left"]);
});
