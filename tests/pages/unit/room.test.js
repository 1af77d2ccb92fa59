// The room of agent-chatroom on the chat's model, against a real hub.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createModel } from "../../../web/static/chat/model.js";
import { systemClock } from "../../../web/static/chat/environment.js";
import { memoryVault } from "./lib/vault.js";
import { RoomTransport } from "../../../web/static/room/transport.js";
import { withHub } from "../lib/hub.js";
import { withProxy } from "../lib/proxy.js";
import { until } from "../lib/until.js";
import { FakeSignals, memoryStore } from "./lib/fake.js";

function open(context, origin, channel, name = "Ann Lee", token = channel.token) {
  const environment = {
    fetch: (input, init) => fetch(input, init), clock: systemClock, session: memoryStore(), lasting: memoryStore(),
    vault: memoryVault(), random: bytes => crypto.getRandomValues(bytes), signals: new FakeSignals(), base: origin,
  };
  const model = createModel(channel.id, environment, new RoomTransport(`/compat/agent-chatroom/${channel.id}/`, environment));
  context.after(() => model.close());
  model.start({ channel: channel.id, token, name });
  return model;
}

const texts = model => model.entries.flatMap(entry => (entry.type === "message" ? [`${entry.message.from}: ${entry.message.text}`] : []));
const live = model => until("live", () => model.connection.state === "live-poll");
const has = (model, text) => until(`shows ${text}`, () => texts(model).includes(text)).catch(error => {
  throw new Error(`${error.message}; shown: ${JSON.stringify(texts(model))}`);
});
const sent = model => until("sent", () => model.entries.every(entry => entry.type !== "message" || entry.id !== null));

test("two people talk; equal texts stay; own messages are own", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  const ann = open(t, hub.origin, channel);
  await live(ann);
  for (let count = 0; count < 3; count += 1) ann.send({ text: "the same" });
  await sent(ann);
  const bob = open(t, hub.origin, channel, "Bo Li");
  await live(bob);
  assert.deepEqual(texts(bob), Array(3).fill("Ann Lee: the same"));
  bob.send({ text: "hello" });
  await has(ann, "Bo Li: hello");
  assert.deepEqual(ann.entries.map(({ mine }) => mine), [true, true, true, false]);
  assert.equal(ann.abilities.direct, false);
}));

test("a name that the room shows with a suffix is still own", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  const bob = open(t, hub.origin, channel, "Bob");
  await live(bob);
  for (const text of ["one", "two"]) {
    bob.send({ text });
    await sent(bob);
  }
  const other = open(t, hub.origin, channel, "Ann Lee");
  await live(other);
  assert.match(texts(other)[0], /^bob-[0-9a-f]+: one$/);
  assert.deepEqual(bob.entries.map(({ mine, tick }) => [mine, tick]), [[true, "accepted"], [true, "accepted"]]);
}));

test("a wrong password is refused, and asked for", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  const ann = open(t, hub.origin, channel, "Ann", "wrong");
  await until("refused", () => ann.connection.state === "refused");
  assert.deepEqual([ann.connection.problem.code, ann.connection.problem.about], ["unauthorized", "token"]);
}));

test("a restart of a memory channel is a gap; what follows is shown", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  const ann = open(t, hub.origin, channel);
  await live(ann);
  for (const text of ["one", "two"]) ann.send({ text });
  await sent(ann);
  await hub.kill();
  await until("noticed", () => ann.connection.state === "reconnecting");
  await hub.start();
  ann.reconnectNow();
  await live(ann);
  ann.send({ text: "three" });
  await has(ann, "Ann Lee: three");
  await sent(ann);
  assert.deepEqual(texts(ann), ["one", "two", "three"].map(text => `Ann Lee: ${text}`));
  await until("the gap is shown", () => ann.entries.some(entry => entry.type === "gap" && entry.reason === "restart"));
}));

test("an answer that is lost: found in the list, sent once; a send that failed stays with retry", async t => withHub({}, async hub => withProxy(hub, async proxy => {
  const channel = await hub.channel();
  const ann = open(t, proxy.origin, channel);
  await live(ann);
  proxy.swallows = request => request.method === "POST";
  ann.send({ text: "once" });
  await until("sent", () => ann.entries.some(entry => entry.type === "message" && entry.id !== null));
  assert.deepEqual(texts(ann), ["Ann Lee: once"]);
  proxy.swallows = () => false;
  proxy.drops = request => request.method === "POST";
  const key = ann.send({ text: "dropped" });
  await until("failed", () => ann.entries.some(entry => entry.type === "message" && entry.tick === "failed"));
  proxy.drops = () => false;
  ann.retry(key);
  await sent(ann);
  assert.deepEqual(texts(ann), ["Ann Lee: once", "Ann Lee: dropped"]);
})));
