// The connection's states, on a clock that only moves when told.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeClock, settle } from "./lib/fake.js";
import { chat, texts } from "./lib/chat.js";
import { ScriptedHub, json, refuse } from "./lib/scripted_hub.js";

const paths = hub => hub.requests.map(({ method, path }) => `${method} ${path}`);
const network = () => new TypeError("fetch failed");

/** A hub with a session TTL, in seconds. */
function ttlHub(session_ttl_seconds) {
  const hub = new ScriptedHub(new FakeClock());
  hub.info = { session_ttl_seconds };
  return hub;
}

test("joins, loads, and reads a stream by POST", async t => {
  const { model, hub, states } = await chat(t);
  assert.equal(model.connection.state, "live-stream");
  assert.deepEqual(states, ["live-stream"]);
  assert.ok(paths(hub).includes("POST /stream"));
  const { body, headers } = hub.requests.find(({ path }) => path === "/stream");
  assert.deepEqual([body.ack, body.own, body.attachments], ["manual", true, "meta"]);
  assert.match(body.consumer, /^web-[a-z]{6}$/);
  assert.equal(headers.Authorization, "Bearer t");
  hub.says("hello");
  await settle();
  assert.deepEqual(texts(model), ["hello"]);
});

test("a broken stream is opened again after a pause that grows, from where it was", async t => {
  const { model, hub, clock, states } = await chat(t);
  const first = hub.says("one");
  await clock.pass(60_000);
  hub.fault = () => network();
  hub.stream.cut();
  await settle();
  assert.equal(model.connection.state, "reconnecting");
  assert.ok(model.connection.retry_at > clock.now() && model.connection.retry_at <= clock.now() + 500);
  const pauses = [];
  for (let round = 0; round < 40; round += 1) {
    pauses.push(model.connection.retry_at - clock.now());
    await clock.pass(model.connection.retry_at - clock.now());
    assert.equal(model.connection.problem.code, "network");
  }
  assert.ok(Math.max(...pauses) <= 15_000 && Math.max(...pauses) > 5_000);
  assert.ok(new Set(pauses).size > 30, "full jitter");
  hub.fault = () => undefined;
  hub.says("while away");
  await clock.pass(15_000);
  assert.equal(model.connection.state, "live-stream");
  assert.deepEqual(texts(model), ["one", "while away"]);
  assert.equal(hub.requests.findLast(({ path }) => path === "/stream").body.since, first.id);
  assert.deepEqual(states.slice(-2), ["reconnecting", "live-stream"]);
});

test("no hello within 5 s: polls, ends the stream first, and tries a stream again after 5 min", async t => {
  const tab = await chat(t, { start: false });
  const { model, hub, clock } = tab;
  hub.streamsPass = false;
  model.start({ channel: "c", token: "t", identity_key: "k" });
  await clock.pass(4_900);
  assert.equal(model.connection.state, "joining");
  await clock.pass(1_200);
  assert.equal(model.connection.state, "live-poll");
  const polls = () => hub.requests.filter(({ path }) => path === "/wait").map(({ query }) => query);
  assert.equal(polls()[0].end_stream, "true");
  assert.equal(polls()[1].end_stream, undefined);
  assert.deepEqual([polls()[1].timeout, polls()[1].ack], ["50", "manual"]);
  hub.says("over a poll");
  await settle();
  assert.deepEqual(texts(model), ["over a poll"]);
  await clock.pass(290_000);
  const streams = () => hub.requests.filter(({ path }) => path === "/stream").length;
  assert.equal(streams(), 1);
  await clock.pass(60_000);
  assert.equal(streams(), 2, "a probe");
  assert.equal(hub.requests.findLast(({ path }) => path === "/stream").body.since, Number.MAX_SAFE_INTEGER);
  assert.equal(model.connection.state, "live-poll");
  hub.streamsPass = true;
  await clock.pass(360_000);
  assert.equal(model.connection.state, "live-stream");
  hub.says("over a stream");
  await settle();
  assert.deepEqual(texts(model), ["over a poll", "over a stream"]);
});

test("polls that are answered at once with nothing are not repeated at once", async t => {
  const tab = await chat(t, { start: false });
  const { model, hub, clock } = tab;
  hub.streamsPass = false;
  let count = 0;
  hub.fault = ({ path }) => {
    if (path !== "/wait") return undefined;
    count += 1;
    return json({ messages: [] });
  };
  model.start({ channel: "c", token: "t", identity_key: "k" });
  await clock.pass(6_000);
  assert.equal(model.connection.state, "live-poll");
  count = 0;
  await clock.pass(60_000);
  assert.ok(count >= 20 && count <= 32, `${count} polls in a minute`);
  hub.fault = () => undefined;
  hub.says("at last");
  await clock.pass(2_500);
  assert.deepEqual(texts(model), ["at last"]);
});

test("twice broken within 10 s of opening: polls", async t => {
  const { model, hub, clock } = await chat(t);
  for (let round = 0; round < 2; round += 1) {
    assert.equal(model.connection.state, "live-stream");
    await clock.pass(2_000);
    hub.stream.cut();
    await clock.pass(1_500);
  }
  await clock.pass(1_500);
  assert.equal(model.connection.state, "live-poll");
});

test("breaks that are far apart do not end the streams", async t => {
  const { model, hub, clock } = await chat(t);
  for (let round = 0; round < 5; round += 1) {
    await clock.pass(11_000);
    hub.stream.cut();
    await clock.pass(15_000);
    assert.equal(model.connection.state, "live-stream");
  }
});

test("40 s without a byte: opens again; a ping is enough to live", async t => {
  const { model, hub, clock } = await chat(t);
  const first = hub.stream;
  await clock.pass(25_000);
  first.write(": ping\n\n");
  await clock.pass(39_000);
  assert.equal(hub.stream, first);
  await clock.pass(2_000);
  assert.notEqual(hub.stream, first);
  assert.equal(model.connection.state, "live-stream");
});

test("hidden for 60 s: closes; visible: catches up at once", async t => {
  const { model, hub, clock, signals } = await chat(t);
  signals.say("hidden");
  await clock.pass(59_000);
  assert.equal(hub.streams.size, 1);
  await clock.pass(1_500);
  assert.equal(hub.streams.size, 0);
  assert.equal(model.connection.state, "offline");
  hub.says("while hidden");
  await clock.pass(600_000);
  signals.say("visible");
  await settle();
  assert.equal(model.connection.state, "live-stream");
  assert.deepEqual(texts(model), ["while hidden"]);
});

test("frozen: what looks open is not trusted when the page is back", async t => {
  const { hub, clock, signals } = await chat(t);
  const first = hub.stream;
  signals.say("hidden");
  await clock.pass(2_000);
  signals.say("visible");
  await settle();
  assert.equal(hub.stream, first, "a short look elsewhere costs nothing");
  signals.say("hidden");
  await clock.pass(6_000);
  signals.say("visible");
  await settle();
  assert.notEqual(hub.stream, first);
  const second = hub.stream;
  signals.say("pageshow");
  await settle();
  assert.notEqual(hub.stream, second);
});

test("online, visible and a tap end a pause", async t => {
  for (const act of [({ signals }) => signals.say("online"), ({ signals }) => signals.say("visible"), ({ model }) => model.reconnectNow()]) {
    const tab = await chat(t);
    tab.hub.fault = () => network();
    await tab.clock.pass(20_000);
    tab.hub.stream.cut();
    await tab.clock.pass(40_000);
    assert.equal(tab.model.connection.state, "reconnecting");
    tab.hub.fault = () => undefined;
    act(tab);
    await settle();
    assert.equal(tab.model.connection.state, "live-stream");
  }
});

test("offline is said where the browser knows it", async t => {
  const { model, hub, clock, signals } = await chat(t);
  await clock.pass(20_000);
  signals.isOnline = false;
  hub.fault = () => network();
  hub.stream.cut();
  await settle();
  assert.equal(model.connection.state, "offline");
});

test("a stream that still looks open is not trusted when the network is gone; a hub on this machine is", async t => {
  const { model, hub, signals } = await chat(t);
  signals.say("offline");
  await settle();
  assert.equal(model.connection.state, "live-stream", "it answers");
  hub.fault = () => network();
  signals.say("offline");
  await settle();
  assert.equal(model.connection.state, "offline");
  hub.fault = () => undefined;
  signals.say("online");
  await settle();
  assert.equal(model.connection.state, "live-stream");
});

test("superseded: in use elsewhere, until taken back", async t => {
  const { model, hub, clock, signals } = await chat(t);
  hub.stream.event("superseded", {});
  hub.stream.end();
  await settle();
  assert.equal(model.connection.state, "elsewhere");
  signals.say("hidden");
  await clock.pass(120_000);
  signals.say("visible");
  signals.say("online");
  await clock.pass(60_000);
  assert.equal(model.connection.state, "elsewhere");
  assert.equal(hub.streams.size, 0);
  model.useHere();
  await settle();
  assert.equal(model.connection.state, "live-stream");
});

test("410: joins again, once", async t => {
  const { model, hub, clock } = await chat(t);
  await clock.pass(20_000);
  hub.fault = ({ path, headers }) => (path === "/stream" && headers["X-Session-Id"] === "session-1" ? refuse(410, "session_expired") : undefined);
  hub.stream.cut();
  await clock.pass(1_000);
  assert.equal(model.connection.state, "live-stream");
  assert.equal(hub.joins, 2);
  hub.fault = ({ path }) => (path === "/stream" ? refuse(410, "session_expired") : undefined);
  await clock.pass(20_000);
  hub.stream.cut();
  await clock.pass(5_000);
  assert.equal(model.connection.state, "ended");
  assert.equal(hub.joins, 3);
  await clock.pass(600_000);
  assert.equal(hub.joins, 3);
  hub.fault = () => undefined;
  model.reconnectNow();
  await settle();
  assert.equal(model.connection.state, "live-stream");
});

test("410 soon after a read: somebody has ended the session, and it is not joined again", async t => {
  const { model, hub, clock } = await chat(t, { hub: ttlHub(1800) });
  await clock.pass(20_000);
  hub.stream.write(": ping\n\n");
  await clock.pass(20_000);
  hub.fault = ({ path }) => (path === "/stream" ? refuse(410, "session_expired") : undefined);
  hub.stream.cut();
  await clock.pass(2_000);
  assert.deepEqual([model.connection.state, model.connection.problem.code, hub.joins], ["ended", "ended_by_others", 1]);
  hub.fault = () => undefined;
  model.reconnectNow();
  await settle();
  assert.deepEqual([model.connection.state, hub.joins], ["live-stream", 2]);
});

test("410 after a short TTL, or long after the last read: joins again", async t => {
  for (const [ttl_s, pass_ms] of [[10, 20_000], [1800, 90_000]]) {
    const { model, hub, clock, signals } = await chat(t, { hub: ttlHub(ttl_s) });
    hub.fault = () => network();
    hub.stream.cut();
    await clock.pass(pass_ms);
    hub.fault = ({ path, headers }) => (path === "/stream" && headers["X-Session-Id"] === "session-1" ? refuse(410, "session_expired") : undefined);
    signals.say("online");
    await settle();
    assert.deepEqual([model.connection.state, hub.joins], ["live-stream", 2], `${ttl_s} s`);
  }
});

for (const [status, code, about, more] of [
  [401, "unauthorized", "token", {}], [401, "unauthorized", "owner_password", { field: "owner_password" }],
  [401, "unauthorized", "identity_key", { field: "identity_key" }], [403, "forbidden", "identity_key", { field: "identity_key" }],
  [403, "banned", "callsign", { field: "callsign" }], [403, "banned", null, {}],
  [404, "not_found", "channel", {}], [409, "callsign_taken", "callsign", { free_callsign: "x-2" }],
]) {
  test(`${status} ${code} ${about}: refused, and names what to ask for, whatever the sentence`, async t => {
    const tab = await chat(t, { start: false });
    tab.hub.fault = ({ path }) => (path === "/join" ? refuse(status, code, "any sentence: callsign, identity, owner password, banned", more) : undefined);
    await tab.model.start({ channel: "c", token: "t", callsign: "x" });
    assert.equal(tab.model.connection.state, "refused");
    assert.equal(tab.model.connection.problem.about, about);
    assert.equal(tab.model.connection.problem.free_callsign, code === "callsign_taken" ? "x-2" : null);
    await tab.clock.pass(600_000);
    assert.equal(tab.hub.requests.filter(({ path }) => path === "/join").length, 1);
    tab.hub.fault = () => undefined;
    await tab.model.start({ channel: "c", token: "t2", callsign: "x" });
    assert.equal(tab.model.connection.state, "live-stream");
  });
}

test("Retry-After is kept to", async t => {
  const tab = await chat(t, { start: false });
  tab.hub.fault = ({ path }) => (path === "/join" ? refuse(429, "rate_limited", "x", {}, { "retry-after": "60" }) : undefined);
  const begun = tab.clock.now();
  tab.model.start({ channel: "c", token: "t", callsign: "x" });
  await settle();
  assert.equal(tab.model.connection.retry_at, begun + 60_000);
  await tab.clock.pass(59_000);
  assert.equal(tab.hub.requests.filter(({ path }) => path === "/join").length, 1);
  tab.hub.fault = () => undefined;
  await tab.clock.pass(2_000);
  assert.equal(tab.model.connection.state, "live-stream");
});

test("too many wrong passwords: asks again, and does not try by itself", async t => {
  const tab = await chat(t, { start: false });
  tab.hub.fault = ({ path }) => (path === "/join" ? refuse(429, "rate_limited", "x", { field: "owner_password" }, { "retry-after": "60" }) : undefined);
  await tab.model.start({ channel: "c", token: "t", callsign: "x", owner_password: "1" });
  assert.deepEqual([tab.model.connection.state, tab.model.connection.problem.retry_at], ["refused", tab.clock.now() + 60_000]);
  await tab.clock.pass(600_000);
  assert.equal(tab.hub.requests.filter(({ path }) => path === "/join").length, 1);
});

test("a draining hub says so; the pause is the one it asked for", async t => {
  const { model, hub, clock } = await chat(t);
  hub.stream.write("retry: 4000\n");
  hub.stream.event("bye", { reason: "draining" });
  hub.stream.end();
  await settle();
  assert.equal(model.connection.state, "going-down");
  assert.ok(model.connection.retry_at >= clock.now() + 4_000);
  hub.fault = () => network();
  await clock.pass(5_000);
  assert.equal(model.connection.state, "reconnecting");
  hub.fault = () => undefined;
  await clock.pass(15_000);
  assert.equal(model.connection.state, "live-stream");
});

for (const [reason, state] of [["left", "ended"], ["evicted", "ended"], ["revoked", "ended"], ["deleted", "ended"], ["renamed", "ended"],
  ["expired", "live-stream"], ["removed", "live-stream"], ["restart", "live-stream"], ["unheard-of", "live-stream"]]) {
  test(`bye ${reason}: ${state}`, async t => {
    const { model, hub, clock } = await chat(t);
    hub.stream.event("bye", { reason });
    hub.stream.end();
    await clock.pass(1_000);
    assert.equal(model.connection.state, state);
    assert.equal(hub.joins, reason === "expired" ? 2 : 1);
    if (state === "ended") assert.equal(model.connection.problem.code, reason === "left" ? "left_elsewhere" : reason);
  });
}

test("a stream that ends at once, for ever, is not a busy loop", async t => {
  const { hub, clock } = await chat(t);
  const count = () => hub.requests.filter(({ path }) => path === "/stream").length;
  const before = count();
  const end = () => {
    const { stream } = hub;
    if (!stream) return;
    stream.event("lagged", { resume_from: 1 });
    stream.end();
  };
  for (let step = 0; step < 100; step += 1) {
    end();
    await clock.pass(100);
  }
  assert.ok(count() - before < 40, `${count() - before} streams in 10 s`);
});

test("a proxy's error page is not an answer of the hub", async t => {
  const tab = await chat(t, { start: false });
  tab.hub.fault = ({ path }) => (path === "/join" ? new Response("<h1>Bad gateway</h1>", { status: 502 }) : undefined);
  tab.model.start({ channel: "c", token: "t", callsign: "x" });
  await settle();
  assert.deepEqual([tab.model.connection.state, tab.model.connection.problem.code], ["reconnecting", "not_a_hub"]);
  tab.hub.fault = ({ path }) => (path === "/join" ? new Response("<h1>Not here</h1>", { status: 404 }) : undefined);
  await tab.clock.pass(20_000);
  assert.equal(tab.model.connection.state, "reconnecting");
  tab.hub.fault = () => undefined;
  await tab.clock.pass(20_000);
  assert.equal(tab.model.connection.state, "live-stream");
});

test("an eighth device makes room for a ninth", async t => {
  const tab = await chat(t, { start: false });
  let removed = null;
  tab.hub.cursors = new Map([["web-aaaaaa", 5], ["web-bbbbbb", 3], ["laptop", 1]]);
  tab.hub.fault = ({ path, method }) => {
    if (method === "DELETE") {
      removed = path;
      return refuse(200, "ok");
    }
    return path === "/stream" && !removed ? refuse(409, "limit_reached") : undefined;
  };
  tab.model.start({ channel: "c", token: "t", identity_key: "k" });
  await settle();
  assert.equal(removed, "/consumers/web-bbbbbb");
  assert.equal(tab.model.connection.state, "live-stream");
});

test("a closed model leaves no timer and no request behind", async t => {
  const { model, hub, clock } = await chat(t);
  hub.says("x", { kind: "status" });
  await settle();
  model.close();
  await clock.pass(600_000);
  assert.equal(clock.timers, 0);
  assert.equal(hub.streams.size, 0);
});
