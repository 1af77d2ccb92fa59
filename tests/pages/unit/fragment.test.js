// The parser of remote-control links: what survives mangling, and what a hostile link cannot do.

import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_BYTES, makeFragment, parseFragment, parseLink, takeFragment } from "../../../web/static/chat/fragment.js";
import { seeded } from "./lib/fake.js";

const whole = { token: "-en1_dCI", identity_key: "rr_id_x-Y", callsign: "phone", owner_password: "123456", name: "Ann & Bob" };
const fragment = "#t=-en1_dCI&k=rr_id_x-Y&cs=phone&p=123456&n=Ann%20%26%20Bob";

test("a link as it was made", () => {
  assert.deepEqual(parseFragment(fragment), { secrets: whole, missing: [], problem: null, empty: false });
  assert.equal(makeFragment(whole), fragment);
});

test("mangled separators and order", () => {
  const parts = fragment.slice(1).split("&");
  const mangled = [
    ...["&amp;", "&amp;amp;", "&amp;amp;amp;", "&AMP;", ";", "&;", "&&"].map(by => parts.join(by)),
    ...["%26", "%2526", "%26amp;", "%26amp%3B"].map(by => parts.join(by)),
    [...parts].reverse().join("&"),
    `${parts.join("&")}&utm_source=x&fbclid=y&`,
    `&${parts.join("&")}`,
    encodeURIComponent(parts.join("&")),
    encodeURIComponent(encodeURIComponent(parts.join("&"))),
    `#${parts.join("&")}`,
    parts.map(part => part.replace(/^[a-z]+/, key => key.toUpperCase())).join("&"),
  ];
  for (const text of mangled) assert.deepEqual(parseFragment(`#${text}`).secrets, whole, text);
});

test("what is missing is named", () => {
  assert.deepEqual(parseFragment("#t=abc").missing, ["callsign"]);
  assert.deepEqual(parseFragment("#cs=ann").missing, ["token"]);
  assert.deepEqual(parseFragment("#cs=ann", { needs_token: false }).missing, []);
  assert.deepEqual(parseFragment("").missing, ["token", "callsign"]);
  assert.equal(parseFragment("").empty, true);
  assert.equal(parseFragment("#").problem, null);
  assert.equal(parseFragment("#hello").problem, "unreadable");
  assert.equal(parseFragment(`#t=${"x".repeat(MAX_BYTES)}`).problem, "too_long");
  assert.equal(parseFragment(`#n=${"é".repeat(MAX_BYTES / 2)}`).problem, "too_long");
  assert.deepEqual(parseFragment("#t=&k=").secrets, {});
});

test("the first value of a key counts, and only known keys do", () => {
  assert.equal(parseFragment("#t=good&t=evil").secrets.token, "good");
  const proto = parseFragment("#__proto__=x&constructor=y&toString=z&t=a&cs=b");
  assert.deepEqual(proto.secrets, { token: "a", callsign: "b" });
  assert.equal(/** @type {any} */ ({}).x, undefined);
  assert.equal(parseFragment("#t=a%00b&cs=c").secrets.token, undefined, "control characters");
  assert.equal(parseFragment("#t=%zz&cs=c").secrets.token, "%zz", "invalid encoding stays");
});

test("an encoded & inside a value stays in it", () => {
  assert.equal(parseFragment("#n=Tom%26Jerry&t=a").secrets.name, "Tom&Jerry");
  assert.equal(parseFragment("#p=a%26t%3Dc&t=b").secrets.token, "b");
});

test("the fragment is gone from the address before anything else", () => {
  const calls = [];
  const history = { state: { a: 1 }, replaceState: (...args) => void calls.push(args) };
  const location = { hash: fragment, pathname: "/remote/quiet-otter-3a8f", search: "?x=1" };
  assert.deepEqual(takeFragment({ location, history }).secrets, whole);
  assert.deepEqual(calls, [[{ a: 1 }, "", "/remote/quiet-otter-3a8f?x=1"]]);
  takeFragment({ location: { ...location, hash: "" }, history });
  assert.equal(calls.length, 1);
});

test("pasted links", () => {
  const paste = { channel: "quiet-otter-3a8f", fragment: "#t=a&k=b" };
  for (const text of ["https://hub.example/remote/quiet-otter-3a8f#t=a&k=b", "  /remote/quiet-otter-3a8f#t=a&k=b\n",
    "http://127.0.0.1:7424/remote/quiet-otter-3a8f/?utm=1#t=a&k=b", "quiet-otter-3a8f#t=a&k=b"]) {
    assert.deepEqual(parseLink(text), paste, text);
  }
  assert.equal(parseLink("https://hub.example/remote/a b#t"), null);
  assert.equal(parseLink(""), null);
});

test("fuzz: never throws, never more than known keys, bounded time", () => {
  const { below } = seeded(7);
  const pieces = ["t", "k", "cs", "p", "n", "=", "&", "&amp;", "%26", ";", "%", "%3D", "%2", "#", "amp;", "é", "\0", "\uD800", "x", "%E2%82", "&&"];
  const names = new Set(Object.keys(whole));
  for (let round = 0; round < 20_000; round += 1) {
    let text = "";
    for (let count = below(40); count > 0; count -= 1) text += pieces[below(pieces.length)];
    const { secrets } = parseFragment(text);
    for (const [key, value] of Object.entries(secrets)) {
      assert.ok(names.has(key));
      assert.ok(value.length > 0 && value.length <= 512 && !/\p{Cc}/u.test(value));
    }
  }
  const started = process.hrtime.bigint();
  for (const piece of pieces) parseFragment(piece.repeat(Math.floor(MAX_BYTES / Math.max(1, Buffer.byteLength(piece)))));
  parseFragment("%26amp%3B".repeat(227));
  assert.ok(Number(process.hrtime.bigint() - started) / 1e6 < 500, "no catastrophic backtracking");
});

test("fuzz: what was made is read again, mangled", () => {
  const { below, random } = seeded(11);
  const alphabet = "abcXYZ019-_.~!*'()&=;#%+é漢 @/";
  for (let round = 0; round < 5_000; round += 1) {
    const value = () => Array.from(random(new Uint8Array(1 + below(20))), byte => alphabet[byte % alphabet.length]).join("").trim() || "x";
    const secrets = { token: value(), identity_key: value(), owner_password: value() };
    const made = makeFragment(secrets);
    assert.deepEqual(parseFragment(made).secrets, secrets, made);
    assert.deepEqual(parseFragment(made.replaceAll("&", "&amp;amp;")).secrets, secrets, made);
  }
});
