// The parser of server-sent events: the same events however the bytes are cut.

import assert from "node:assert/strict";
import { test } from "node:test";

import { EventParser, readEvents } from "../../../web/static/chat/stream.js";
import { seeded } from "./lib/fake.js";

function parse(chunks) {
  const events = [], retries = [];
  const parser = new EventParser(event => events.push(event), ms => retries.push(ms));
  for (const chunk of chunks) parser.push(chunk);
  return { events, retries };
}

const hello = "retry: 2000\nevent: hello\ndata: {\"roster\":[\"ann\"]}\n\n: ping\n\nevent: message\ndata: {\"text\":\"é漢😀\"}\nid: 17\n\n";
const expected = {
  events: [{ event: "hello", data: "{\"roster\":[\"ann\"]}", id: null }, { event: "message", data: "{\"text\":\"é漢😀\"}", id: "17" }],
  retries: [2000],
};

test("the hub's framing", () => assert.deepEqual(parse([hello]), expected));

test("every line end, and a byte order mark", () => {
  for (const end of ["\n", "\r", "\r\n"]) assert.deepEqual(parse([hello.replaceAll("\n", end)]), expected);
  assert.deepEqual(parse([`\uFEFF${hello}`]), expected);
});

test("the rules of the specification", () => {
  assert.deepEqual(parse(["data\n\ndata\ndata\n\ndata:\n\n"]).events.map(({ data }) => data), ["", "\n", ""]);
  assert.deepEqual(parse(["data:x\ndata: y\ndata:  z\n\n"]).events[0].data, "x\ny\n z");
  assert.deepEqual(parse(["event: gap\n\ndata: a\n\n"]).events, [{ event: "message", data: "a", id: null }]);
  assert.deepEqual(parse(["id: a\0b\ndata: x\n\n"]).events[0].id, null);
  assert.deepEqual(parse(["retry: 12x\nretry: -1\nretry: 99999999999\nretry:5\n"]).retries, [5]);
  assert.deepEqual(parse(["data: cut off by the end\n"]).events, []);
  assert.deepEqual(parse(["nonsense: x\n:comment\ndata: y\n\n"]).events.length, 1);
});

test("cut at every character, and at every pair of them", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const text = hello.replaceAll("\n", end);
    assert.deepEqual(parse([...text]), expected);
    for (let at = 0; at <= text.length; at += 1) assert.deepEqual(parse([text.slice(0, at), text.slice(at)]), expected, `${at}`);
  }
});

test("cut at every byte of UTF-8", async () => {
  const bytes = new TextEncoder().encode(hello);
  for (let at = 0; at <= bytes.length; at += 1) {
    const events = [], retries = [];
    let chunks = 0;
    const body = new ReadableStream({
      start(controller) {
        for (const part of [bytes.slice(0, at), bytes.slice(at)]) if (part.length) controller.enqueue(part);
        controller.close();
      },
    });
    await readEvents(body, { onEvent: event => events.push(event), onRetry: ms => retries.push(ms), onBytes: () => { chunks += 1; } });
    assert.deepEqual({ events, retries }, expected, `byte ${at}`);
    assert.ok(chunks >= 1);
  }
});

test("fuzz: chunks do not matter, and nothing throws", () => {
  const { below } = seeded(3);
  const pieces = ["data: ", "data", "event: x", "id: 1", "retry: 7", ":", "\n", "\r", "\r\n", "\n\n", "a", " ", "\uFEFF", "é", "\0"];
  for (let round = 0; round < 5_000; round += 1) {
    let text = "";
    for (let count = below(30); count > 0; count -= 1) text += pieces[below(pieces.length)];
    const whole = parse([text]);
    assert.deepEqual(parse([...text]), whole, JSON.stringify(text));
    const at = below(text.length + 1);
    assert.deepEqual(parse([text.slice(0, at), text.slice(at)]), whole, JSON.stringify([text, at]));
  }
});

test("an endless event ends the stream instead of the memory", () => {
  const parser = new EventParser(() => {});
  const chunk = "x".repeat(1024 * 1024);
  assert.throws(() => { for (let count = 0; count < 6; count += 1) parser.push(chunk); }, RangeError);
  const lines = new EventParser(() => {});
  assert.throws(() => { for (let count = 0; count < 6; count += 1) lines.push(`data: ${chunk}\n`); }, RangeError);
});
