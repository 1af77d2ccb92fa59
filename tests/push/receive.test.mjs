// A browser and its push service, as far as a hub sees them: what the hub pushes is decrypted by http_ece, and its token is
// checked with the public key of the hub.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createECDH, createPublicKey, randomBytes, verify } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import ece from "http_ece";

const CONTACT = "mailto:operator@hub.example.org";

/** Starts a push service. Each request is decrypted by its device. */
async function service() {
  const waiting = [], got = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", part => parts.push(part)).on("end", () => {
      response.writeHead(201).end();
      const pushed = { headers: request.headers, body: Buffer.concat(parts) };
      waiting.length ? waiting.shift()(pushed) : got.push(pushed);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const next = () => new Promise(done => (got.length ? done(got.shift()) : waiting.push(done)));
  return { origin: `http://127.0.0.1:${server.address().port}`, next, close: () => server.close() };
}

/** Starts a hub on a free port. */
async function hub(folder, push) {
  const env = { PATH: process.env.PATH, HOME: folder, ROGERRAT_PUSH__CONTACT: CONTACT, ROGERRAT_PUSH__HOSTS: push.origin };
  const child = spawn(process.env.ROGERRAT, ["serve", "--port", "0", "--data-dir", join(folder, "data")], { env, stdio: ["ignore", "pipe", "ignore"] });
  let banner = "";
  for await (const text of child.stdout) {
    banner += text;
    const found = /http:\/\/[^\s/]*:\d+/u.exec(banner);
    if (found) return { origin: found[0], child };
  }
  throw new Error(`the hub did not start: ${banner}`);
}

test("what is pushed is decrypted by another library and signed with the key of the hub", { timeout: 50_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "rogerrat-push-"));
  const push = await service();
  const { origin, child } = await hub(folder, push);
  try {
    const call = async (method, path, body, headers = {}) => {
      const answer = await fetch(origin + path, { method, headers, body: body && JSON.stringify(body) });
      assert.equal(answer.status, 200, `${method} ${path}`);
      return answer.json();
    };
    const { channel_id, join_token } = await call("POST", "/api/channels", {});
    const base = `/api/channels/${channel_id}`;
    const member = async callsign => {
      const authorization = `Bearer ${join_token}`;
      const { session_id } = await call("POST", `${base}/join`, { callsign }, { authorization });
      return { authorization, "x-session-id": session_id };
    };
    const [ann, bob] = [await member("ann"), await member("bob")];
    const device = createECDH("prime256v1");
    device.generateKeys();
    const auth = randomBytes(16);
    const keys = { p256dh: device.getPublicKey("base64url"), auth: auth.toString("base64url") };
    const { id } = await call("POST", `${base}/push`, { endpoint: `${push.origin}/device`, keys }, bob);

    const read = ({ headers, body }) => {
      assert.equal(headers["content-encoding"], "aes128gcm");
      const text = ece.decrypt(body, { version: "aes128gcm", privateKey: device, authSecret: auth.toString("base64url") }).toString();
      return JSON.parse(text);
    };
    const tested = call("POST", `${base}/push/${id}/test`, undefined, bob);
    assert.equal(read(await push.next()).notification.title, channel_id);
    assert.equal((await tested).ok, true);

    const text = "Peacock feathers at midnight? ¿Sí? 🦚";
    const { id: message } = await call("POST", `${base}/send`, { to: "bob", message: text, suggested_replies: ["yes", "no"] }, ann);
    const pushed = await push.next();
    const { web_push, notification } = read(pushed);
    assert.equal(web_push, 8030);
    assert.deepEqual({ title: notification.title, body: notification.body }, { title: "ann", body: text });
    assert.equal(notification.navigate, `${origin}/remote/${channel_id}`);
    assert.deepEqual(notification.data, { channel: channel_id, message });
    assert.deepEqual({ ttl: pushed.headers.ttl, urgency: pushed.headers.urgency }, { ttl: "600", urgency: "high" });
    assert.equal(pushed.headers.topic, notification.tag);

    const { public_key } = await call("GET", "/api/push");
    const [, token, key] = /^vapid t=([^,]+), k=(.+)$/u.exec(pushed.headers.authorization) ?? [];
    assert.equal(key, public_key);
    const [head, claims, signature] = token.split(".");
    const point = Buffer.from(public_key, "base64url");
    const jwk = { kty: "EC", crv: "P-256", x: point.subarray(1, 33).toString("base64url"), y: point.subarray(33).toString("base64url") };
    const signed = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
    assert.ok(verify("sha256", Buffer.from(`${head}.${claims}`), signed, Buffer.from(signature, "base64url")));
    const { aud, sub, exp } = JSON.parse(Buffer.from(claims, "base64url"));
    assert.deepEqual({ aud, sub }, { aud: push.origin, sub: CONTACT });
    const left_s = exp - Date.now() / 1000;
    assert.ok(left_s > 0 && left_s <= 12 * 3600 + 60, `${left_s}`);
  } finally {
    child.kill();
    push.close();
    await rm(folder, { recursive: true, force: true });
  }
});
