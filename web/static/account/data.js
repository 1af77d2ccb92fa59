// What the page sends, opens and saves: bodies, the address of a chat, the text of a file.
import { makeFragment } from "../chat/fragment.js";

/**
 * The body of `POST /api/channels`: only what differs from the hub's defaults.
 * @param {FormData} data
 * @returns {Record<string, string | number | boolean>}
 */
export function channelBody(data) {
  const text = (/** @type {string} */ name) => String(data.get(name) ?? "").trim();
  /** @type {Record<string, string | number | boolean>} */
  const body = { retention: text("retention") || "none" };
  if (text("trust_mode") === "trusted") body.trust_mode = "trusted";
  if (text("owner_password") !== "") body.owner_password = text("owner_password");
  if (data.has("require_identity")) body.require_identity = true;
  if (text("dm_visibility") === "private") body.dm_visibility = "private";
  if (data.has("claim_callsigns")) body.claim_callsigns = true;
  if (text("durability") !== "") body.durability = text("durability");
  if (text("session_minutes") !== "") body.session_ttl_seconds = Number(text("session_minutes")) * 60;
  if (text("member_days") !== "") body.member_ttl_seconds = Number(text("member_days")) * 86_400;
  if (text("webhook") !== "") body.webhook = text("webhook");
  return body;
}

/**
 * The address of the chat of a channel.
 * @param {string} channel
 * @param {import("../chat/fragment.js").LinkSecrets} secrets
 */
export function chatAddress(channel, secrets) {
  return `/remote/${encodeURIComponent(channel)}${makeFragment(secrets)}`;
}

/**
 * Opens the chat in a new tab that cannot reach this one.
 * @param {string} channel
 * @param {import("../chat/fragment.js").LinkSecrets} secrets
 */
export function openChat(channel, secrets) {
  window.open(chatAddress(channel, secrets), "_blank", "noopener,noreferrer");
}

/**
 * The text of the file: what it is, of which hub, since when, and each value on a line of its own.
 * @param {string} title
 * @param {string} origin of the hub
 * @param {string} time
 * @param {{label: string, value: string}[]} items
 */
export function fileText(title, origin, time, items) {
  const head = [title, `${origin} · ${time}`, ""];
  return [...head, ...items.flatMap(({ label, value }) => [`${label}:`, value, ""])].join("\n");
}

/**
 * Headers, one on a line as `Name: value`.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export function headersOf(text) {
  /** @type {[string, string][]} */
  const pairs = text.split("\n").map(line => line.trim()).filter(line => line !== "").map(line => {
    const at = line.indexOf(":");
    return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return Object.fromEntries(pairs);
}

/**
 * The fields of a request that the form has filled.
 * @param {FormData} data
 * @returns {{headers?: Record<string, string>, body?: string}}
 */
export function webhookFormat(data) {
  const headers = headersOf(String(data.get("headers") ?? "")), body = String(data.get("body") ?? "").trim();
  return { ...(Object.keys(headers).length === 0 ? {} : { headers }), ...(body === "" ? {} : { body }) };
}
