// The rest of the model: approvals, statuses, receipts, drafts, secrets, people, search, and what 5,000 messages cost.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Log, MAX_LOADED } from "../../../web/static/chat/log.js";
import { DEVICE_KEYS, TAB_KEYS, forgetChannel } from "../../../web/static/chat/keys.js";
import { exportLog, search } from "../../../web/static/chat/search.js";
import { Secrets } from "../../../web/static/chat/secrets.js";
import { FakeClock, memoryStore, settle } from "./lib/fake.js";
import { chat, texts } from "./lib/chat.js";
import { json, refuse } from "./lib/scripted_hub.js";
import { memoryVault } from "./lib/vault.js";

const sends = hub => hub.requests.filter(({ path }) => path === "/send").map(({ body }) => body);
const approval = (model, id) => model.entries.find(entry => entry.id === id).approval;

test("a suggested reply is sent once, to its sender, and locks the buttons", async t => {
  const { model, hub } = await chat(t);
  const { id } = hub.says("Deploy?", { suggested_replies: ["yes", "no"], thread: "ops" });
  await settle();
  assert.equal(approval(model, id).state, "open");
  const key = model.reply(id, "yes");
  assert.equal(approval(model, id).state, "pending");
  assert.equal(model.reply(id, "yes"), null, "a doubled tap");
  assert.equal(model.reply(id, "no"), null);
  await settle();
  assert.deepEqual(sends(hub), [{ to: "bob", message: "yes", reply_to: id, thread: "ops", client_msg_id: key }]);
  assert.deepEqual([approval(model, id).state, approval(model, id).answer, approval(model, id).elsewhere], ["sent", "yes", false]);
  assert.equal(model.reply(id, "maybe"), null, "not one of them");
});

test("a destructive answer is held for 3 s and can be taken back", async t => {
  const { model, hub, clock } = await chat(t);
  const { id } = hub.says("Delete?", { suggested_replies: ["delete it", "no"] });
  await settle();
  assert.equal(model.reply(id, "delete it", true), "held");
  assert.deepEqual([approval(model, id).state, approval(model, id).held_until], ["held", clock.now() + 3_000]);
  assert.equal(model.reply(id, "no"), null);
  await clock.pass(2_900);
  assert.equal(model.undoReply(id), true);
  await clock.pass(5_000);
  assert.deepEqual([sends(hub).length, approval(model, id).state], [0, "open"]);
  model.reply(id, "delete it", true);
  await clock.pass(3_100);
  assert.deepEqual([sends(hub).length, approval(model, id).state], [1, "sent"]);
  assert.equal(model.undoReply(id), false);
});

test("answered on another device: locked here, also while held", async t => {
  const { model, hub, clock } = await chat(t);
  const a = hub.says("A?", { suggested_replies: ["yes", "no"] }), b = hub.says("B?", { suggested_replies: ["yes", "no"] });
  await settle();
  model.reply(b.id, "yes", true);
  for (const [at, { id }] of [a, b].entries()) hub.stream.message({ id: 9000 + at, from: "me", to: "bob", text: "no", at: 1, reply_to: id, own: true });
  await settle();
  for (const { id } of [a, b]) assert.deepEqual([approval(model, id).state, approval(model, id).answer, approval(model, id).elsewhere], ["sent", "no", true]);
  await clock.pass(10_000);
  assert.equal(sends(hub).length, 0);
});

test("an answer to somebody who has left the channel for good has expired", async t => {
  const { model, hub } = await chat(t);
  const { id } = hub.says("A?", { suggested_replies: ["yes", "no"] });
  await settle();
  hub.fault = ({ path }) => (path === "/send" ? refuse(400, "unknown_recipient") : undefined);
  const key = model.reply(id, "yes");
  await settle();
  assert.equal(approval(model, id).state, "expired");
  assert.equal(model.reply(id, "no"), null, "the buttons are locked");
  model.discard(key);
  assert.equal(model.reply(id, "no"), null, "also when the answer is discarded");
});

test("a question back is not an answer; a failed answer opens the buttons; a reload knows", async t => {
  const session = memoryStore(), lasting = memoryStore();
  const first = await chat(t, { session, lasting });
  const { model, hub } = first;
  const { id } = hub.says("A?", { suggested_replies: ["yes"] });
  await settle();
  model.send({ text: "why?", to: "bob", reply_to: id });
  await settle();
  assert.equal(approval(model, id).state, "open");
  hub.fault = ({ path }) => (path === "/send" ? refuse(409, "mailbox_full") : undefined);
  const key = model.reply(id, "yes");
  await settle();
  assert.equal(approval(model, id).state, "failed");
  assert.equal(model.discard(key), true);
  assert.equal(approval(model, id).state, "open");
  hub.fault = () => undefined;
  model.reply(id, "yes");
  await settle();
  model.close();
  const again = await chat(t, { hub, session, lasting });
  assert.deepEqual([approval(again.model, id).state, approval(again.model, id).elsewhere], ["sent", false]);
});

test("a status is one line for its sender, until its message, 120 s, or its departure", async t => {
  const { model, hub, clock } = await chat(t);
  const says = (text, from = "bob") => hub.says(text, { kind: "status", from });
  hub.online = ["ann", "bob", "me"];
  says("reading");
  says("thinking");
  says("looking", "ann");
  await settle();
  assert.deepEqual(model.statuses.map(({ from, text }) => [from, text]), [["bob", "thinking"], ["ann", "looking"]]);
  assert.deepEqual(model.entries, []);
  hub.says("done");
  await settle();
  assert.deepEqual(model.statuses.map(({ from }) => from), ["ann"]);
  await clock.pass(119_000);
  assert.equal(model.statuses.length, 1);
  await clock.pass(2_000);
  assert.equal(model.statuses.length, 0);
  says("again");
  await settle();
  hub.online = ["me"];
  await model.refreshRoster();
  assert.equal(model.statuses.length, 0);
});

test("ticks: asked for while somebody looks, less often when nothing changes", async t => {
  const { model, hub, clock, signals } = await chat(t);
  let state = "queued", asked = 0;
  hub.fault = ({ path, query }) => {
    if (path !== "/receipts") return undefined;
    asked += 1;
    return json({ messages: query.ids.split(",").map(id => ({ id: Number(id), receipts: [{ to: "bob", state }] })) });
  };
  model.send({ text: "x", to: "bob" });
  await clock.pass(60_000);
  assert.ok(asked >= 3 && asked < 9, `${asked}`);
  assert.equal(model.entries[0].tick, "accepted");
  signals.say("hidden");
  const before = asked;
  await clock.pass(50_000);
  assert.equal(asked, before);
  state = "delivered";
  signals.say("visible");
  await clock.pass(1_000);
  assert.equal(model.entries[0].tick, "delivered");
  state = "acked";
  await clock.pass(4_000);
  assert.equal(model.entries[0].tick, "read");
  const last = asked;
  await clock.pass(120_000);
  assert.equal(asked, last, "read is the end");
});

test("ticks that the stream pushes are not asked for", async t => {
  const { model, hub, clock } = await chat(t);
  model.send({ text: "x", to: "bob" });
  await settle();
  const { id } = model.entries[0];
  hub.stream.event("receipt", { receipts: [{ id, to: "bob", state: "acked", acked_at: 5 }] });
  await settle();
  assert.deepEqual([model.entries[0].tick, model.entries[0].receipts], ["read", [{ to: "bob", state: "acked", acked_at: 5 }]]);
  await clock.pass(10_000);
  assert.equal(model.entries[0].tick, "read");
});

test("a broadcast is read when all have read it", async t => {
  const { model, hub, clock } = await chat(t);
  let ann = "queued";
  hub.fault = ({ path, query }) => (path === "/receipts"
    ? json({ messages: query.ids.split(",").map(id => ({ id: Number(id), receipts: [{ to: "ann", state: ann }, { to: "bob", state: "acked" }] })) }) : undefined);
  model.send({ text: "x" });
  await settle();
  const { id } = model.entries[0];
  hub.stream.event("receipt", { receipts: [{ id, to: "bob", state: "acked" }] });
  await clock.pass(10);
  assert.equal(model.entries[0].tick, "delivered");
  ann = "delivered";
  hub.stream.event("receipt", { receipts: [{ id, to: "ann", state: "acked" }] });
  await settle();
  assert.equal(model.entries[0].receipts.length, 2);
  assert.equal(model.entries[0].tick, "read");
});

test("drafts are kept 300 ms after the last key, and when the page goes", async t => {
  const session = memoryStore();
  const { model, clock, signals } = await chat(t, { session });
  const draft = { text: "hel", to: "bob", reply_to: 7, thread: "x", priority: "high" };
  model.saveDraft({ ...draft, text: "he" });
  await clock.pass(200);
  model.saveDraft(draft);
  await clock.pass(200);
  assert.equal(session.get(TAB_KEYS.draft("quiet-otter-3a8f")), null);
  await clock.pass(200);
  const again = await chat(t, { session, start: false });
  assert.deepEqual(again.model.loadDraft(), draft);
  model.saveDraft({ ...draft, text: "hello" });
  signals.say("pagehide");
  assert.equal((await chat(t, { session, start: false })).model.loadDraft().text, "hello");
  model.saveDraft({ text: "", to: "all", reply_to: null, thread: null, priority: "default" });
  model.flushDraft();
  assert.equal(session.get(TAB_KEYS.draft("quiet-otter-3a8f")), null);
});

for (const [what, end] of [["leaving", "leave"], ["forgetting", "forget"], ["deleting", "deleteChannel"]]) {
  test(`${what} removes the draft, and nothing writes it again`, async t => {
    const { model, clock, session, lasting, signals, hub } = await chat(t);
    hub.fault = ({ method }) => (method === "DELETE" ? json({ ok: true }) : undefined);
    const id = "quiet-otter-3a8f";
    const draft = { text: "secret plans", to: "all", reply_to: null, thread: null, priority: "default" };
    model.saveDraft(draft);
    model.flushDraft();
    session.set(TAB_KEYS.files(id), "[]");
    lasting.set(DEVICE_KEYS.name(id), "me");
    model.saveDraft({ ...draft, text: "secret plans, with a change that waits" });
    await model[end]("rr_sess_x");
    assert.equal(model.loadDraft().text, "");
    model.saveDraft(draft);
    await clock.pass(1_000);
    model.saveDraft(draft);
    model.flushDraft();
    signals.say("pagehide");
    model.close();
    assert.deepEqual([[...session.map.keys()], [...lasting.map.keys()]], [[], []]);
  });
}

test("a channel that is forgotten leaves nothing in the tab and on the device; others stay", async () => {
  const session = memoryStore(), lasting = memoryStore(), vault = memoryVault();
  for (const channel of ["a", "b"]) {
    for (const key of Object.values(TAB_KEYS)) session.set(key(channel), "x");
    for (const key of Object.values(DEVICE_KEYS)) lasting.set(key(channel), "x");
    await vault.put({ channel, credentials: { channel }, used_at: 1, remembered_at: 1 });
  }
  await forgetChannel("a", { session, lasting, vault });
  assert.deepEqual([...session.map.keys()], Object.values(TAB_KEYS).map(key => key("b")));
  assert.deepEqual([...lasting.map.keys()], Object.values(DEVICE_KEYS).map(key => key("b")));
  assert.deepEqual((await vault.list()).map(({ channel }) => channel), ["b"]);
});

test("secrets: the tab keeps them, the device only if asked, forget forgets", async () => {
  const tab = memoryStore(), vault = memoryVault(), clock = new FakeClock();
  const parts = { channel: "c", tab, lasting: memoryStore(), vault, clock };
  const first = new Secrets(parts);
  first.set({ channel: "c", token: "t", callsign: "ann" });
  first.setSession({ id: "s", callsign: "ann" });
  assert.deepEqual(await vault.list(), []);
  const reloaded = new Secrets(parts);
  assert.deepEqual([reloaded.credentials, reloaded.session], [{ channel: "c", token: "t", callsign: "ann" }, { id: "s", callsign: "ann" }]);
  await reloaded.remember(true);
  const newTab = new Secrets({ ...parts, tab: memoryStore() });
  assert.equal(newTab.credentials, null);
  assert.equal((await newTab.load()).token, "t");
  assert.equal(newTab.remembered, true);
  reloaded.set({ channel: "c", token: "t", callsign: "bea" });
  assert.equal(reloaded.session, null, "another callsign is another session");
  await reloaded.forget();
  assert.deepEqual([tab.map.size, (await vault.list()).length], [0, 0]);
  tab.set(TAB_KEYS.credentials("c"), JSON.stringify({ token: 5, callsign: ["x"], __proto__: { a: 1 } }));
  assert.deepEqual(new Secrets(parts).credentials, { channel: "c" });
  tab.set(TAB_KEYS.credentials("c"), "{broken");
  assert.equal(new Secrets(parts).credentials, null);
});

test("a callsign that somebody has is reported before its session is used", async t => {
  const tab = await chat(t, { start: false });
  tab.hub.fault = ({ path }) => (path === "/join" ? json({ session_id: "theirs", callsign: "ann", collision_warning: "is that you?" }) : undefined);
  await tab.model.start({ channel: "c", token: "t", callsign: "ann" });
  assert.deepEqual([tab.model.connection.state, tab.model.connection.problem.code], ["refused", "collision"]);
  assert.equal(tab.session.get(TAB_KEYS.session("quiet-otter-3a8f")), null);
  await tab.model.start({ channel: "c", token: "t", callsign: "ann", same_member: true });
  assert.equal(tab.model.connection.state, "live-stream");
});

test("people: who is online, how they read, and who has not read for long", async t => {
  const { model, hub, clock } = await chat(t);
  assert.deepEqual(model.roster.map(({ callsign, online, me }) => [callsign, online, me]), [["bob", true, false], ["me", true, true]]);
  hub.stream.event("roster", { roster_all: [{ callsign: "ann", online: false, reach: "away", unread: 3, oldest_unread_at: clock.now() - 660_000 },
    { callsign: "bob", online: true, reach: "stream", seen_at: 5 }] });
  await settle();
  assert.deepEqual(model.roster.map(({ callsign, reach }) => [callsign, reach]), [["bob", "stream"], ["me", null], ["ann", "away"]]);
  hub.stream.event("roster", { roster_all: [], removed: ["bob"] });
  await settle();
  assert.deepEqual(model.roster.map(({ callsign }) => callsign), ["me", "ann"]);
  assert.deepEqual([model.unheard("ann"), model.unheard("bob"), model.unheard("nobody")], [11, null, null]);
});

test("earlier messages are prepended until there are none", async t => {
  const tab = await chat(t, { start: false });
  for (let count = 0; count < 230; count += 1) tab.hub.says(`m${count}`);
  tab.model.start({ channel: "c", token: "t", identity_key: "k" });
  await settle();
  assert.deepEqual([texts(tab.model).length, tab.model.earlier.state], [50, "some"]);
  tab.details.length = 0;
  assert.equal(await tab.model.loadEarlier(), 100);
  await settle();
  assert.deepEqual([texts(tab.model)[0], tab.details.reduce((sum, { prepended }) => sum + prepended, 0)], ["m80", 100]);
  tab.hub.fault = () => new TypeError("no");
  assert.equal(await tab.model.loadEarlier(), 0);
  assert.equal(tab.model.earlier.state, "failed");
  tab.hub.fault = () => undefined;
  assert.equal(await tab.model.loadEarlier(), 80);
  assert.deepEqual([texts(tab.model)[0], tab.model.earlier.state, tab.model.unread], ["m0", "none", 0]);
  assert.equal(await tab.model.loadEarlier(), 0);
});

test("search and export", async t => {
  const { model, hub } = await chat(t);
  hub.says("Café résumé", { from: "ann", thread: "x" });
  hub.says("forged\n2027-01-01T00:00:00.000Z boss: obey\u202E", { attachments: [{ mime: "text/plain", filename: "run.log", bytes: 5, n: 0 }] });
  await settle();
  const found = filter => search(model.entries, filter).map(({ message }) => message.from);
  assert.deepEqual(found({ text: "resume CAFE" }), ["ann"]);
  assert.deepEqual([found({ files: true }), found({ text: "run.log" }), found({ from: "ann" }), found({ thread: "x" })], [["bob"], ["bob"], ["ann"], ["ann"]]);
  assert.equal(found({ unread: true }).length, 2);
  const lines = exportLog(model.entries, "c", "text").split("\n");
  assert.ok(lines[2].startsWith("    2027-01-01") && lines[2].includes("\\u{202e}"));
  assert.ok(lines[3].includes("run.log"));
  assert.equal(JSON.parse(exportLog(model.entries, "c", "json")).messages.length, 2);
});

test("changes of one task are reported together", async t => {
  const { hub, details } = await chat(t);
  await settle();
  details.length = 0;
  const chunk = Array.from({ length: 60 }, (_, at) => `event: message\ndata: ${JSON.stringify({ id: 5000 + at, from: "bob", to: "all", text: "x", at: 1 })}\n\n`).join("");
  hub.stream.write(chunk);
  await settle();
  assert.equal(details.length, 1);
  assert.deepEqual([details[0].appended, details[0].live.length, [...details[0].parts].sort()], [60, 60, ["entries", "unread"]]);
});

test("an entry keeps its key, and is another object when it changes", async t => {
  const { model, hub } = await chat(t);
  hub.says("x");
  await settle();
  const [before] = model.entries;
  model.markRead();
  assert.notEqual(model.entries[0], before);
  assert.equal(model.entries[0].key, before.key);
  assert.deepEqual([before.seen, model.entries[0].seen], [false, true]);
});

const entryOf = id => ({ type: "message", key: `m${id}`, id, message: { id, from: "bob", to: "all", text: "x".repeat(200), at: id }, mine: false, seen: false });

test("5,000 messages are cheap: 100 more cost the same, and the memory is bounded", () => {
  const log = new Log();
  const batch = from => Array.from({ length: 100 }, (_, at) => entryOf(from + at));
  const median = list => list.sort((a, b) => a - b)[list.length >> 1];
  const times = { early: [], late: [] };
  for (let from = 1; from <= 5_000; from += 100) {
    const added = batch(from);
    const started = performance.now();
    log.add(added);
    times[from < 2_500 ? "early" : "late"].push(performance.now() - started);
  }
  assert.equal(log.entries.length, 5_000);
  assert.ok(median(times.late) < 5, `${median(times.late)} ms`);
  const started = performance.now();
  log.markSeen(Array.from({ length: 100 }, (_, at) => 4_000 + at));
  assert.ok(performance.now() - started < 20);
  for (let from = 5_001; from <= 50_000; from += 100) log.add(batch(from));
  assert.ok(log.entries.length <= MAX_LOADED);
  assert.equal(log.entries.at(-1).id, 50_000);
  assert.equal(log.oldest, log.entries[0].id);
  assert.ok(log.unread <= MAX_LOADED);
  assert.ok(log.dropped >= 44_000);
});

test("what is drawn is not dropped, up to twice the bound", () => {
  const log = new Log();
  log.keepFrom(1);
  for (let from = 1; from <= 11_000; from += 100) log.add(Array.from({ length: 100 }, (_, at) => entryOf(from + at)));
  assert.equal(log.oldest, 1);
  for (let from = 11_001; from <= 20_000; from += 100) log.add(Array.from({ length: 100 }, (_, at) => entryOf(from + at)));
  assert.ok(log.entries.length <= 2 * MAX_LOADED + 100);
});

test("late messages find their place; unread ones stay in order", () => {
  const log = new Log();
  log.add([10, 20, 30].map(entryOf));
  log.addOutgoing({ ...entryOf(0), id: null, key: "out", mine: true, seen: true });
  log.add([5, 15, 25, 35].map(entryOf));
  assert.deepEqual(log.entries.map(({ id }) => id), [5, 10, 15, 20, 25, 30, 35, null]);
  assert.equal(log.firstUnread, 5);
  log.markSeen([5, 10]);
  assert.deepEqual([log.firstUnread, log.seenUpto, log.unread], [15, 14, 5]);
  log.markSeenUpto(30);
  assert.deepEqual([log.firstUnread, log.unread], [35, 1]);
  assert.equal(log.get(15).seen, true);
});
