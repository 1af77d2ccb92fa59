// What the administration page computes: order, rates, charts, bodies.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  SAMPLES, WIDTH, WINDOW_MS, banBody, held, lines, matches, ordered, perMinute, sortedBy, withSample,
} from "../../../web/static/admin/data.js";

const channel = (id, more = {}) => ({ id, is_band: false, agent_count: 0, roster: [], last_activity_at: 0, ...more });
const all = { text: "", online: false, bands: true };

test("rows are sorted by a column, and equal ones by id", () => {
  const rows = [channel("b", { agent_count: 1 }), channel("a", { agent_count: 1 }), channel("c", { agent_count: 5 })];
  assert.deepEqual(ordered(rows, { by: "agent_count", descending: true }, all), ["c", "a", "b"]);
  assert.deepEqual(ordered(rows, { by: "id", descending: true }, all), ["c", "b", "a"]);
  assert.deepEqual(sortedBy({ by: "id", descending: false }, "id"), { by: "id", descending: true });
  assert.deepEqual(sortedBy({ by: "id", descending: true }, "created_at"), { by: "created_at", descending: true });
});

test("what is not known of a channel sorts below everything that is, and it is not online", () => {
  const rows = [channel("a", { message_count: 0 }), channel("b", { message_count: null, agent_count: null }), channel("c", { message_count: 7 })];
  assert.deepEqual(ordered(rows, { by: "message_count", descending: true }, all), ["c", "a", "b"]);
  assert.ok(!matches(rows[1], { ...all, online: true }));
});

test("the filter looks at ids and callsigns, members online and bands", () => {
  const row = channel("calm-otter", { roster: ["ann"], agent_count: 1 });
  assert.ok(matches(row, { ...all, text: " OTTER " }) && matches(row, { ...all, text: "ann" }));
  assert.ok(!matches(row, { ...all, text: "bob" }) && !matches(channel("x"), { ...all, online: true }));
  assert.ok(!matches(channel("general", { is_band: true }), { ...all, bands: false }));
});

test("rows that are held keep their places", () => {
  assert.deepEqual(held(["b", "a", "gone"], ["a", "new", "b"]), ["b", "a", "new"]);
});

test("samples are bounded in number and age", () => {
  let samples = [];
  for (let at = 0; at <= 2 * WINDOW_MS; at += 1000) samples = withSample(samples, { at });
  assert.equal(samples.length, SAMPLES);
  assert.deepEqual(withSample([{ at: 1 }, { at: WINDOW_MS }], { at: WINDOW_MS + 1 }), [{ at: WINDOW_MS }, { at: WINDOW_MS + 1 }]);
  assert.deepEqual(withSample([{ at: 9 }], { at: 5 }), [{ at: 5 }], "after the clock went back");
});

test("a rate has no value over a pause or a restart of the hub", () => {
  const points = [[0, 10], [5000, 20], [40_000, 90], [45_000, 3], [50_000, 3]].map(([at, value]) => ({ at, value }));
  assert.deepEqual(perMinute(points), [{ at: 5000, value: 120 }, { at: 50_000, value: 0 }]);
});

test("a chart is broken where nothing was measured", () => {
  const now = WINDOW_MS;
  const drawn = lines([{ at: now - 60_000, value: 0 }, { at: now - 55_000, value: 4 }, { at: now, value: 4 }], now);
  assert.equal(drawn.length, 2);
  assert.ok(drawn[1].startsWith(`${WIDTH}.0,`) && drawn[1].split(" ").length === 2);
  assert.ok(!/NaN|Infinity/.test(lines([{ at: now, value: 0 }], now).join()));
  assert.deepEqual(lines([], now), []);
});

test("a ban has one target, and only what was filled in", () => {
  const form = { target: " bob ", channel: "calm-otter", seconds: 3600, reason: " " };
  assert.deepEqual(banBody({ ...form, kind: "here" }), { callsign: "bob", channel_id: "calm-otter", seconds: 3600 });
  assert.deepEqual(banBody({ ...form, kind: "address", target: "192.0.2.7", seconds: 0, reason: "floods" }),
    { address: "192.0.2.7", reason: "floods" });
});
