// Reads the secrets of a remote-control link from the fragment of the address, and removes them from the address.
//
// Chat programs and mail scanners mangle links: `&` becomes `&amp;` (more than once), or the whole fragment is
// percent-encoded. The parser takes what survived and says which part is missing.

/** Longest fragment, in bytes. */
export const MAX_BYTES = 2048;

/** Longest value of a key, in characters. */
const MAX_VALUE = 512;

/** @type {Record<string, Exclude<keyof LinkSecrets, never>>} */
const KEYS = { t: "token", k: "identity_key", cs: "callsign", p: "owner_password", n: "name" };

/**
 * What a link holds.
 * @typedef {object} LinkSecrets
 * @property {string} [token]
 * @property {string} [identity_key]
 * @property {string} [callsign]
 * @property {string} [owner_password]
 * @property {string} [name]
 */

/**
 * `missing` names what the page must ask for: `token` (not on a band), `callsign` when neither a key nor a callsign is
 * there. `problem` is `too_long` or `unreadable` when the fragment was refused as a whole.
 * @typedef {object} ParsedFragment
 * @property {LinkSecrets} secrets
 * @property {("token" | "callsign")[]} missing
 * @property {"too_long" | "unreadable" | null} problem
 * @property {boolean} empty there was no fragment at all
 */

/**
 * @param {string} text a fragment with or without its `#`
 * @param {{needs_token?: boolean}} [options] bands need no token
 * @returns {ParsedFragment}
 */
export function parseFragment(text, { needs_token = true } = {}) {
  const raw = text.replace(/^#+/, "");
  /** @type {LinkSecrets} */
  const secrets = {};
  /** @type {ParsedFragment["problem"]} */
  let problem = null;
  if (byteLength(raw) > MAX_BYTES) {
    problem = "too_long";
  } else {
    for (const [key, value] of pairs(raw)) {
      const name = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
      // The first value counts: what an attacker appends to a link changes nothing of it.
      if (name && value && secrets[name] === undefined) secrets[name] = value;
    }
    if (raw && !Object.keys(secrets).length) problem = "unreadable";
  }
  /** @type {ParsedFragment["missing"]} */
  const missing = [];
  if (needs_token && !secrets.token) missing.push("token");
  if (!secrets.identity_key && !secrets.callsign) missing.push("callsign");
  return { secrets, missing, problem, empty: raw === "" };
}

/**
 * @param {string} raw
 * @returns {[string, string][]}
 */
function pairs(raw) {
  let text = raw;
  // A fragment without any `=` was percent-encoded as a whole, perhaps more than once.
  for (let round = 0; round < 3 && !text.includes("="); round += 1) text = decode(text);
  // A link that we made has no `=` in a value, so an encoded `&` before `key=` was a separator.
  const parts = text.split(/&(?:amp;)*|;|%(?:25)*26(?:amp(?:;|%(?:25)*3B))*(?=[a-z]{1,16}=)/iu);
  return parts.flatMap(part => {
    const match = /^(?:amp;)*\s*([A-Za-z]{1,16})=([^]*)$/u.exec(part);
    if (!match) return [];
    const value = decode(match[2]).trim();
    return value.length > MAX_VALUE || hasControl(value) ? [] : [/** @type {[string, string]} */ ([match[1].toLowerCase(), value])];
  });
}

/** @param {string} text */
function hasControl(text) {
  return /\p{Cc}/u.test(text);
}

/**
 * Percent-decoding that leaves alone what is not valid. `+` stays: tokens and keys never hold a space.
 * @param {string} text
 */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/(?:%[0-9a-f]{2})+/giu, run => {
      try {
        return decodeURIComponent(run);
      } catch {
        return run;
      }
    });
  }
}

/** @param {string} text */
function byteLength(text) {
  return text.length > MAX_BYTES ? text.length : new TextEncoder().encode(text).length;
}

/**
 * Takes the fragment out of the address bar and the history, then parses it. Call it before anything else runs: before
 * the first request, and before a service worker is registered.
 * @param {{location: {hash: string, pathname: string, search: string},
 *   history: {state: any, replaceState: (state: any, unused: string, url: string) => void}, needs_token?: boolean}} page
 * @returns {ParsedFragment}
 */
export function takeFragment({ location, history, needs_token = true }) {
  const hash = location.hash;
  if (hash) history.replaceState(history.state, "", location.pathname + location.search);
  return parseFragment(hash, { needs_token });
}

/**
 * The fragment of an invitation.
 * @param {LinkSecrets} secrets
 * @returns {string} with its `#`, or "" without a secret
 */
export function makeFragment(secrets) {
  const parts = Object.entries(KEYS).flatMap(([key, name]) => {
    const value = secrets[name];
    return value ? [`${key}=${encodeURIComponent(value)}`] : [];
  });
  return parts.length ? `#${parts.join("&")}` : "";
}

/**
 * The channel and the secrets of a pasted link: a whole address, or only `<channel>#t=…`.
 * @param {string} text
 * @returns {{channel: string, fragment: string} | null}
 */
export function parseLink(text) {
  const match = /(?:\/remote\/|^)([A-Za-z0-9_-]{1,64})\/?(?:\?[^#]*)?(#[^]*)?$/u.exec(text.trim());
  return match ? { channel: match[1], fragment: match[2] ?? "" } : null;
}
