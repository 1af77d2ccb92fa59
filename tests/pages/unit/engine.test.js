// The engine against a real hub: kills, drains, takeovers and expired sessions lose and double nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createModel } from "../../../web/static/chat/model.js";
import { systemClock } from "../../../web/static/chat/environment.js";
import { memoryVault } from "./lib/vault.js";
import { withHub } from "../lib/hub.js";
import { withProxy } from "../lib/proxy.js";
import { until } from "../lib/until.js";
import { FakeSignals, memoryStore } from "./lib/fake.js";

/** A tab that shows every message at once, as a reader at the end of the log would. */
function open(context, origin, channel, { session = memoryStore(), lasting = memoryStore(), callsign = "phone", ...more } = {}) {
  const signals = new FakeSignals();
  const model = createModel(channel.id, {
    fetch: (input, init) => fetch(input, init), clock: systemClock, session, lasting, vault: memoryVault(),
    random: bytes => crypto.getRandomValues(bytes), signals, base: origin,
  });
  const tab = { model, signals, session, lasting, states: [], looks: true };
  model.subscribe(detail => {
    if (detail.parts.has("connection") && tab.states.at(-1) !== model.connection.state) tab.states.push(model.connection.state);
    if (tab.looks) for (const entry of model.entries) if (entry.type === "message" && entry.id !== null && !entry.seen) model.seen(entry.id);
  });
  context.after(() => model.close());
  model.start({ channel: channel.id, token: channel.token, callsign, ...more });
  return tab;
}

const texts = ({ model }) => model.entries.flatMap(entry => (entry.type === "message" ? [entry.message.text] : []));
const isLive = ({ model }) => model.connection.state.startsWith("live");
const live = tab => until("live", () => isLive(tab)).catch(error => {
  throw new Error(`${error.message} ${JSON.stringify(tab.model.connection)}`);
});
const has = (tab, text) => until(`shows ${text}`, () => texts(tab).includes(text));
const accepted = tab => until("all accepted", () => tab.model.entries.every(entry => entry.type !== "message" || entry.id !== null));

test("joins, talks both ways; the receipt says read when it was on screen", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  const tab = open(t, hub.origin, channel);
  await live(tab);
  assert.equal(tab.model.connection.state, "live-stream");
  assert.equal(tab.model.channel.me, "phone");
  const { id } = await agent.send("hello", { to: "phone", suggested_replies: ["yes", "no"] });
  await has(tab, "hello");
  await until("acked", async () => (await agent.receipts(id)).receipts[0].state === "acked");
  tab.model.reply(id, "yes");
  const answer = await agent.receive("the reply", message => message.text === "yes");
  assert.deepEqual([answer.from, answer.reply_to], ["phone", id]);
  await until("sent", () => tab.model.entries[0].approval.state === "sent");
  await until("delivered", () => tab.model.entries[1].tick === "delivered");
  await agent.send("thinking", { kind: "status" });
  await until("the working line", () => tab.model.statuses[0]?.text === "thinking");
}));

test("what was not on screen is unread at the next visit", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  const stores = { session: memoryStore(), lasting: memoryStore() };
  const first = open(t, hub.origin, channel, stores);
  await live(first);
  const { id: read } = await agent.send("read");
  await has(first, "read");
  await until("acked", async () => (await agent.receipts(read)).receipts.find(({ to }) => to === "phone").state === "acked");
  first.looks = false;
  const { id } = await agent.send("not read");
  await has(first, "not read");
  first.model.close();
  const again = open(t, hub.origin, channel, stores);
  again.looks = false;
  await live(again);
  await until("the line", () => again.model.entries.some(({ type }) => type === "unread"));
  assert.deepEqual(again.model.entries.map(entry => (entry.type === "message" ? entry.message.text : entry.type)), ["read", "unread", "not read"]);
  assert.equal(again.model.firstUnread, id);
  assert.notEqual((await agent.receipts(id)).receipts.find(({ to }) => to === "phone").state, "acked");
}));

test("kill -9 on a durable channel, again and again: nothing lost, nothing doubled", async t => withHub({}, async hub => {
  const channel = await hub.channel({ durability: "disk" });
  let agent = await channel.join("agent");
  const tab = open(t, hub.origin, channel);
  await live(tab);
  const wanted = { agent: [], phone: [] };
  for (let round = 0; round < 4; round += 1) {
    for (let count = 0; count < 5; count += 1) {
      wanted.agent.push(`a${round}-${count}`);
      wanted.phone.push(`p${round}-${count}`);
      tab.model.send({ text: wanted.phone.at(-1) });
      await agent.send(wanted.agent.at(-1));
    }
    await hub.kill();
    await until("noticed", () => !isLive(tab));
    tab.model.send({ text: `down${round}` });
    wanted.phone.push(`down${round}`);
    await hub.start();
    tab.model.reconnectNow();
    await live(tab);
  }
  await accepted(tab);
  await has(tab, wanted.agent.at(-1));
  const shown = texts(tab);
  assert.deepEqual(shown.filter(text => text.startsWith("a")), wanted.agent);
  assert.deepEqual(shown.filter(text => !text.startsWith("a")), wanted.phone);
  const { history } = await agent.history("?n=100");
  assert.deepEqual(history.map(({ text }) => text), shown, "the hub has the same, in the same order");
  assert.ok(!tab.model.entries.some(({ type }) => type === "gap"));
}));

test("a drain is shown, and the page comes back", async t => withHub({}, async hub => {
  const channel = await hub.channel({ durability: "disk" });
  const agent = await channel.join("agent");
  const tab = open(t, hub.origin, channel);
  await live(tab);
  await agent.send("before");
  await hub.stop();
  await until("told", () => tab.states.includes("going-down"));
  tab.model.send({ text: "while down" });
  await hub.start();
  await agent.send("after");
  tab.model.reconnectNow();
  await live(tab);
  await has(tab, "after");
  await accepted(tab);
  assert.deepEqual(texts(tab).sort(), ["after", "before", "while down"]);
}));

test("a restart of a memory channel is a gap with its reason", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  const tab = open(t, hub.origin, channel);
  await live(tab);
  await agent.send("before");
  await has(tab, "before");
  await hub.kill();
  await until("noticed", () => !isLive(tab));
  await hub.start();
  await agent.send("after");
  tab.model.reconnectNow();
  await has(tab, "after");
  assert.deepEqual(texts(tab), ["before", "after"]);
  assert.deepEqual(tab.model.entries.map(({ type }) => type), ["message", "gap", "message"]);
  assert.equal(tab.model.entries[1].reason, "restart");
}));

test("a second tab of the device takes over, and the first can take it back", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  const stores = { session: memoryStore(), lasting: memoryStore() };
  const first = open(t, hub.origin, channel, stores);
  await live(first);
  const second = open(t, hub.origin, channel, stores);
  await until("elsewhere", () => first.model.connection.state === "elsewhere");
  await live(second);
  await agent.send("to the second");
  await has(second, "to the second");
  first.model.useHere();
  await until("elsewhere", () => second.model.connection.state === "elsewhere");
  await has(first, "to the second");
}));

test("an expired session comes back by itself; one that ended on purpose does not", async t => withHub({}, async hub => {
  const channel = await hub.channel({ session_ttl_seconds: 1 });
  const agent = await channel.join("agent");
  const tab = open(t, hub.origin, channel);
  await live(tab);
  tab.signals.say("pagehide");
  await until("expired", async () => (await agent.call("GET", "/roster")).roster.length === 1);
  tab.signals.say("pageshow");
  await live(tab);
  await agent.send("again");
  await has(tab, "again");
  const { id } = JSON.parse(tab.session.get(`chat-session ${channel.id}`));
  await hub.call("POST", `${channel.base}/leave`, {}, { authorization: `Bearer ${channel.token}`, "x-session-id": id });
  await until("ended", () => tab.model.connection.state === "ended");
  assert.equal(tab.model.connection.problem.code, "left_elsewhere");
  tab.model.reconnectNow();
  await live(tab);
}));

test("wrong token, wrong password, missing channel, taken callsign: refused with the field to ask for", async t => withHub({}, async hub => {
  const channel = await hub.channel({ owner_password: "123456", claim_callsigns: true });
  await channel.join("taken");
  const tab = open(t, hub.origin, { id: channel.id, token: "wrong" });
  const refused = about => until(`refused: ${about}`, () => tab.model.connection.state === "refused" && tab.model.connection.problem.about === about);
  await refused("token");
  tab.model.start({ channel: channel.id, token: channel.token, callsign: "phone", owner_password: "654321" });
  await refused("owner_password");
  tab.model.start({ channel: channel.id, token: channel.token, callsign: "taken" });
  await refused("callsign");
  assert.match(tab.model.connection.problem.free_callsign, /^[a-z0-9-]+$/);
  tab.model.start({ channel: channel.id, token: channel.token, callsign: "phone", owner_password: "123456" });
  await live(tab);
  assert.equal(tab.model.channel.human_authorized, true);
  const gone = open(t, hub.origin, { id: "no-such-channel-0000", token: "x" });
  await until("not found", () => gone.model.connection.problem?.about === "channel");
}));

test("a callsign that is online is reported before its session is used", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  await channel.join("ann");
  const tab = open(t, hub.origin, channel, { callsign: "ann" });
  await until("collision", () => tab.model.connection.problem?.code === "collision");
  assert.equal(tab.model.connection.state, "refused");
  tab.model.start({ channel: channel.id, token: channel.token, callsign: "ann", same_member: true });
  await live(tab);
}));

test("a proxy that holds streams back: polls, and nothing is lost or doubled", async t => withHub({}, async hub => withProxy(hub, async proxy => {
  proxy.holdsBack = request => /\/stream/.test(request.url ?? "");
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  const tab = open(t, proxy.origin, channel);
  await agent.send("while nothing is known");
  await live(tab);
  assert.equal(tab.model.connection.state, "live-poll");
  for (let count = 0; count < 10; count += 1) await agent.send(`m${count}`);
  await has(tab, "m9");
  assert.deepEqual(texts(tab).slice(-10), Array.from({ length: 10 }, (_, at) => `m${at}`));
  tab.model.send({ text: "back" });
  await agent.receive("the answer", message => message.text === "back");
})));

test("answers that are swallowed: each message once", async t => withHub({}, async hub => withProxy(hub, async proxy => {
  const channel = await hub.channel({ durability: "disk" });
  const agent = await channel.join("agent");
  const tab = open(t, proxy.origin, channel);
  await live(tab);
  let swallowed = 0;
  proxy.swallows = request => /\/send/.test(request.url ?? "") && swallowed++ % 2 === 0;
  for (let count = 0; count < 5; count += 1) tab.model.send({ text: "the same words" });
  await accepted(tab);
  const { history } = await agent.history("?n=100");
  assert.equal(history.length, 5);
  assert.deepEqual(texts(tab), Array(5).fill("the same words"));
  assert.ok(swallowed >= 5);
})));

test("500 messages to a page that is not looked at: all are shown, none is acknowledged", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  const tab = open(t, hub.origin, channel);
  tab.looks = false;
  await live(tab);
  const ids = [];
  for (let count = 0; count < 500; count += 1) ids.push((await agent.send(`m${count}`)).id);
  await has(tab, "m499");
  assert.equal(texts(tab).length, 500);
  assert.ok(!tab.model.entries.some(({ type }) => type === "gap"));
  assert.equal(tab.model.unread, 500);
  const state = async id => (await agent.receipts(id)).receipts.find(({ to }) => to === "phone").state;
  assert.equal(await state(ids[499]), "delivered");
  tab.model.markRead();
  const { id } = await agent.send("last");
  await has(tab, "last");
  tab.model.markRead();
  await until("acked", async () => (await state(id)) === "acked");
}));

test("attachments come by reference, and their content on demand", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  const tab = open(t, hub.origin, channel);
  await live(tab);
  await agent.send("file", { attachments: [{ mime: "text/plain", data_base64: "aGVsbG8=", filename: "run.log" }] });
  await has(tab, "file");
  const [{ id, message }] = tab.model.entries;
  assert.deepEqual(message.attachments, [{ mime: "text/plain", filename: "run.log", bytes: 5, n: 0 }]);
  assert.equal(await (await tab.model.attachment(id, 0)).text(), "hello");
  await assert.rejects(tab.model.attachment(id, 7), error => error.problem.status === 404);
}));

test("leave ends the session on the hub and removes the consumer", async t => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  const tab = open(t, hub.origin, channel);
  await live(tab);
  await tab.model.leave();
  assert.deepEqual((await agent.call("GET", "/roster")).roster, ["agent"]);
  assert.deepEqual([tab.session.map.size, tab.lasting.map.size], [0, 0]);
}));
