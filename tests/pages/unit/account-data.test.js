// What the account page sends, opens and saves.

import assert from "node:assert/strict";
import { test } from "node:test";

import { channelBody, chatAddress, fileText, webhookFormat } from "../../../web/static/account/data.js";
import { readLink } from "../../../web/static/account/link.js";

const form = fields => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
};

test("a new channel has only what differs from the defaults", () => {
  const untouched = { retention: "none", trust_mode: "untrusted", owner_password: "", dm_visibility: "channel", durability: "",
    session_minutes: "", member_days: "", webhook: " " };
  assert.deepEqual(channelBody(form(untouched)), { retention: "none" });
  assert.deepEqual(channelBody(form({ ...untouched, retention: "full", trust_mode: "trusted", require_identity: "on",
    dm_visibility: "private", durability: "disk", session_minutes: "1.5", member_days: "2", webhook: "https://example.org/" })), {
    retention: "full", trust_mode: "trusted", require_identity: true, dm_visibility: "private", durability: "disk",
    session_ttl_seconds: 90, member_ttl_seconds: 172_800, webhook: "https://example.org/",
  });
});

test("the secrets of a chat are in the fragment only", () => {
  assert.equal(chatAddress("calm-otter", { token: "a&b", identity_key: "", callsign: "ann" }), "/remote/calm-otter#t=a%26b&cs=ann");
  assert.equal(chatAddress("general", {}), "/remote/general");
});

test("a file names the hub and has each value on a line", () => {
  const text = fileText("Your account", "https://hub.example", "12:00", [{ label: "Recovery token", value: "rr_acct_x" }]);
  assert.equal(text, "Your account\nhttps://hub.example · 12:00\n\nRecovery token:\nrr_acct_x\n");
});

test("the headers of a webhook are lines, and empty fields are not sent", () => {
  assert.deepEqual(webhookFormat(form({ headers: " \n", body: " " })), {});
  assert.deepEqual(webhookFormat(form({ headers: "Authorization: Bearer a:b\r\n\nX-Key:  c \n x", body: ' {"a":"{{text}}"} ' })), {
    headers: { Authorization: "Bearer a:b", "X-Key": "c", x: "" }, body: '{"a":"{{text}}"}',
  });
});

test("the secret of a link in an e-mail is read as mail programs leave it", () => {
  const secret = "rr_back_aB-_9";
  for (const hash of [`#t=${secret}`, `#t%3D${secret}`, `#utm=1&amp;t=${secret}`, `#t=${secret}&x=1`, `#t=${secret}.`]) {
    assert.deepEqual(readLink({ pathname: "/account/recover", hash }), { kind: "recover", secret }, hash);
  }
  assert.deepEqual(readLink({ pathname: "/account/verify", hash: `#c=${secret}` }), { kind: "verify", secret });
  for (const [pathname, hash] of [["/account", `#t=${secret}`], ["/account/recover", `#c=${secret}`], ["/account/verify", ""], ["/account/recover", "#t="]]) {
    assert.equal(readLink({ pathname, hash }), null, pathname + hash);
  }
});
