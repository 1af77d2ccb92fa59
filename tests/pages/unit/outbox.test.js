// Messages on their way: exactly once, in order, over lost answers, reloads and restarts.

import assert from "node:assert/strict";
import { test } from "node:test";

import { memoryStore, seeded, settle } from "./lib/fake.js";
import { chat, texts } from "./lib/chat.js";
import { refuse } from "./lib/scripted_hub.js";

const network = () => new TypeError("fetch failed");
const sends = hub => hub.requests.filter(({ path }) => path === "/send").map(({ body }) => body);
const stored = hub => hub.messages.filter(({ from }) => from === "me").map(({ text }) => text);
const ticks = model => model.entries.filter(({ type, mine }) => type === "message" && mine).map(({ tick }) => tick);

test("a message has its key before the first try, and keeps its entry", async t => {
  const { model, hub } = await chat(t);
  const key = model.send({ text: "hi", to: "bob", priority: "high", thread: "x" });
  assert.match(key, /^[0-9a-f]{32}$/);
  assert.deepEqual(ticks(model), ["waiting"]);
  await settle();
  assert.deepEqual(sends(hub), [{ to: "bob", message: "hi", priority: "high", thread: "x", client_msg_id: key }]);
  const [entry] = model.entries;
  assert.deepEqual([entry.key, entry.tick, entry.id], [key, "accepted", hub.messages[0].id]);
  assert.equal(model.entries.length, 1, "its echo is the same entry");
});

test("one in flight, in order", async t => {
  const { model, hub } = await chat(t);
  let answer;
  hub.fault = ({ path }) => (path === "/send" ? new Promise(done => { answer = done; }) : undefined);
  model.send({ text: "1" });
  model.send({ text: "2" });
  await settle();
  assert.equal(sends(hub).length, 1);
  hub.fault = () => undefined;
  answer(undefined);
  await settle();
  assert.deepEqual(stored(hub), ["1", "2"]);
  assert.deepEqual(texts(model), ["1", "2"]);
});

test("a lost answer: the same key again, one message, one entry", async t => {
  const { model, hub, clock } = await chat(t);
  let lost = 0;
  const fault = async request => {
    if (request.path !== "/send" || lost >= 3) return undefined;
    lost += 1;
    // The hub takes it, and the answer is lost.
    hub.fault = () => undefined;
    await hub.fetch("/api/channels/c/send", { method: "POST", body: JSON.stringify(request.body) });
    hub.fault = fault;
    return network();
  };
  hub.fault = fault;
  model.send({ text: "once" });
  await settle();
  assert.deepEqual(texts(model), ["once"], "its own echo waits for the answer");
  await clock.pass(20_000);
  assert.deepEqual(stored(hub), ["once"]);
  assert.deepEqual(texts(model), ["once"]);
  assert.deepEqual(ticks(model), ["accepted"]);
  assert.equal(new Set(sends(hub).map(({ client_msg_id }) => client_msg_id)).size, 1);
});

test("an equal text from another device is another message", async t => {
  const { model, hub, clock } = await chat(t);
  hub.fault = ({ path }) => (path === "/send" ? network() : undefined);
  model.send({ text: "same" });
  await settle();
  const other = { id: 5000, from: "me", to: "all", text: "same", at: clock.now(), own: true };
  hub.stream.message(other);
  hub.stream.message({ ...other, id: 5001, text: "different" });
  await settle();
  assert.deepEqual(texts(model), ["different", "same"]);
  hub.fault = () => undefined;
  await clock.pass(2_000);
  assert.deepEqual(texts(model).sort(), ["different", "same", "same"]);
});

for (const [name, answer] of [["network", network], ["429", () => refuse(429, "rate_limited", "x", {}, { "retry-after": "7" })],
  ["503", () => refuse(503, "overloaded")], ["507", () => refuse(507, "storage_failed")], ["proxy", () => new Response("bad", { status: 502 })]]) {
  test(`${name}: tried again for 10 min with the same key, then not sent`, async t => {
    const { model, hub, clock } = await chat(t);
    hub.fault = ({ path }) => (path === "/send" ? answer() : undefined);
    const key = model.send({ text: "late" });
    await clock.pass(590_000);
    assert.deepEqual(ticks(model), ["waiting"]);
    await clock.pass(11_000);
    assert.deepEqual(ticks(model), ["failed"]);
    const count = sends(hub).length;
    assert.ok(count > 30 && count < 400, `${count} tries`);
    await clock.pass(600_000);
    assert.equal(sends(hub).length, count);
    hub.fault = () => undefined;
    model.retry(key);
    await settle();
    assert.deepEqual(ticks(model), ["accepted"]);
    assert.equal(new Set(sends(hub).map(({ client_msg_id }) => client_msg_id)).size, 1);
    assert.deepEqual(stored(hub), ["late"]);
  });
}

test("Retry-After of a send is kept to", async t => {
  const { model, hub, clock } = await chat(t);
  hub.fault = ({ path }) => (path === "/send" ? refuse(429, "rate_limited", "x", {}, { "retry-after": "30" }) : undefined);
  model.send({ text: "x" });
  await clock.pass(29_000);
  assert.equal(sends(hub).length, 1);
  assert.equal(model.entries[0].retry_at, clock.now() + 1_000);
  await clock.pass(2_000);
  assert.equal(sends(hub).length, 2);
});

for (const [status, code] of [[400, "invalid"], [400, "unknown_recipient"], [409, "mailbox_full"], [413, "too_large"], [409, "idempotency_conflict"]]) {
  test(`${code}: told at once, and the next one goes`, async t => {
    const { model, hub } = await chat(t);
    hub.fault = ({ path, body }) => (path === "/send" && body.message === "bad" ? refuse(status, code, "no", { hint: "members: #1 ann" }) : undefined);
    const key = model.send({ text: "bad" });
    model.send({ text: "good" });
    await settle();
    assert.deepEqual(stored(hub), ["good"]);
    const failed = model.entries.find(entry => entry.key === key);
    assert.deepEqual([failed.tick, failed.problem.code, failed.problem.hint], ["failed", code, "members: #1 ann"]);
    assert.equal(model.connection.state, "live-stream");
    assert.deepEqual(model.edit(key), { text: "bad", to: "all" });
    assert.deepEqual(texts(model), ["good"]);
  });
}

test("410 on a send: joins again and sends with the same key", async t => {
  const { model, hub } = await chat(t);
  hub.fault = ({ path, headers }) => (path === "/send" && headers["X-Session-Id"] === "session-1" ? refuse(410, "session_expired") : undefined);
  model.send({ text: "after" });
  await settle();
  assert.deepEqual(stored(hub), ["after"]);
  assert.equal(hub.joins, 2);
  assert.equal(model.connection.state, "live-stream");
});

test("401 on a send: refused, nothing goes on in silence", async t => {
  const { model, hub } = await chat(t);
  hub.fault = ({ path }) => (path === "/send" ? refuse(401, "unauthorized", "invalid bearer token") : undefined);
  model.send({ text: "x" });
  await settle();
  assert.deepEqual([model.connection.state, model.connection.problem.about], ["refused", "token"]);
  assert.deepEqual(ticks(model), ["failed"]);
});

test("survives a reload, in order, exactly once", async t => {
  const session = memoryStore(), lasting = memoryStore();
  const first = await chat(t, { session, lasting });
  const { hub } = first;
  hub.fault = ({ path }) => (path === "/send" ? "hang" : undefined);
  const keys = ["a", "b", "c"].map(text => first.model.send({ text, attachments: text === "b" ? [{ mime: "text/plain", data_base64: "aGk=" }] : [] }));
  await settle();
  // The hub took the first, and the page went before the answer.
  hub.fault = () => undefined;
  await hub.fetch("/api/channels/c/send", { method: "POST", body: JSON.stringify({ to: "all", message: "a", client_msg_id: keys[0] }) });
  first.model.close();
  const again = await chat(t, { hub, session, lasting, seed: 9 });
  await again.clock.pass(1_000);
  assert.deepEqual(stored(hub), ["a", "b", "c"]);
  assert.deepEqual(texts(again.model), ["a", "b", "c"]);
  assert.deepEqual(sends(hub).find(({ message }) => message === "b").attachments, [{ mime: "text/plain", data_base64: "aGk=" }]);
  assert.equal([...session.map.keys()].filter(key => key.startsWith("chat-outbox")).length, 0);
});

test("a failed one is still there after a reload; discard removes it", async t => {
  const session = memoryStore(), lasting = memoryStore();
  const first = await chat(t, { session, lasting });
  first.hub.fault = ({ path }) => (path === "/send" ? refuse(409, "mailbox_full") : undefined);
  const key = first.model.send({ text: "full", to: "bob" });
  await settle();
  first.model.close();
  const again = await chat(t, { hub: first.hub, session, lasting });
  await again.clock.pass(5_000);
  assert.deepEqual(ticks(again.model), ["failed"]);
  assert.equal(again.model.discard(key), true);
  assert.equal(again.model.discard(key), false);
  assert.deepEqual(again.model.entries, []);
});

test("nothing is tried while there is no session; what is too old by then is not sent", async t => {
  const tab = await chat(t, { start: false });
  tab.hub.fault = () => network();
  tab.model.start({ channel: "c", token: "t", identity_key: "k" });
  tab.model.send({ text: "x" });
  await tab.clock.pass(5_000);
  assert.equal(sends(tab.hub).length, 0);
  await tab.clock.pass(600_000);
  assert.deepEqual(ticks(tab.model), ["failed"]);
});

test("what cannot be sent is refused before it is queued", async t => {
  const { model } = await chat(t);
  const refused = (outgoing, code) => assert.throws(() => model.send(outgoing), error => error instanceof RangeError && error.code === code);
  refused({ text: "" }, "empty");
  refused({ text: "x".repeat(8193) }, "too_long");
  refused({ text: "x".repeat(281), kind: "status" }, "too_long");
  refused({ text: "", attachments: Array(5).fill({ mime: "image/png", data_base64: "aa" }) }, "too_many_attachments");
  refused({ text: "", attachments: [{ mime: "image/png", data_base64: "a".repeat(524_289) }] }, "too_large");
  model.send({ text: "😀".repeat(8192) });
  for (let count = 0; count < 49; count += 1) model.send({ text: `${count}` });
  refused({ text: "one more" }, "outbox_full");
});

test("a full tab storage does not stop a message", async t => {
  const session = { ...memoryStore(), set: () => false };
  const { model, hub } = await chat(t, { session });
  model.send({ text: "x" });
  await settle();
  assert.deepEqual(stored(hub), ["x"]);
});

test("a status is sent and has no place in the log", async t => {
  const { model, hub } = await chat(t);
  hub.fault = ({ path }) => (path === "/send" ? new Response(JSON.stringify({ ok: true, id: 9, at: 1, kind: "status" })) : undefined);
  model.send({ text: "thinking", kind: "status" });
  await settle();
  assert.deepEqual(model.entries, []);
});

test("fuzz: faults at random, every message exactly once and in order", async t => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const { below } = seeded(seed);
    const session = memoryStore(), lasting = memoryStore();
    let tab = await chat(t, { session, lasting, seed });
    const { hub, clock } = tab;
    const fault = async request => {
      if (request.path !== "/send") return below(6) === 0 && request.path !== "/join" ? network() : undefined;
      const kind = below(5);
      if (kind === 0) return network();
      if (kind === 1) return refuse(503, "overloaded");
      if (kind === 2) {
        hub.fault = () => undefined;
        await hub.fetch("/api/channels/c/send", { method: "POST", body: JSON.stringify(request.body) });
        hub.fault = fault;
        return network();
      }
      return undefined;
    };
    hub.fault = fault;
    const wanted = [];
    for (let step = 0; step < 40; step += 1) {
      if (below(2)) {
        wanted.push(`m${step % 3 ? step : "same"}`);
        tab.model.send({ text: wanted.at(-1) });
      }
      if (below(8) === 0) {
        tab.model.close();
        tab = await chat(t, { hub, session, lasting, seed: seed * 1000 + step });
      }
      if (below(5) === 0) hub.stream?.cut();
      await clock.pass(below(2_000));
    }
    hub.fault = () => undefined;
    await clock.pass(120_000);
    assert.deepEqual(stored(hub), wanted, `seed ${seed}`);
    assert.deepEqual(texts(tab.model).filter(text => text !== "<unread>"), wanted, `seed ${seed}`);
    tab.model.close();
  }
});
