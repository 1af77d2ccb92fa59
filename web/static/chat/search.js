// Search in what is loaded, and its export.

/** @import { Entry, MessageEntry, SearchFilter } from "./types.js" */

/** Results of one search. */
const MAX_RESULTS = 200;

/** Case and accents do not matter in a search. @param {string} text */
function folded(text) {
  return text.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase();
}

/**
 * @param {readonly Entry[]} entries
 * @param {SearchFilter} filter
 * @returns {MessageEntry[]} newest first
 */
export function search(entries, { text = "", from, thread, unread = false, files = false }) {
  const words = folded(text).split(/\s+/u).filter(Boolean);
  const found = [];
  for (let at = entries.length - 1; at >= 0 && found.length < MAX_RESULTS; at -= 1) {
    const entry = entries[at];
    if (entry.type !== "message") continue;
    const { message } = entry;
    if (from && message.from !== from || thread && message.thread !== thread) continue;
    if (unread && entry.seen || files && !message.attachments?.length) continue;
    if (words.length) {
      const names = (message.attachments ?? []).map(file => file.filename ?? "");
      const content = folded([message.text, message.from, message.display ?? "", message.thread ?? "", ...names].join("\n"));
      if (!words.every(word => content.includes(word))) continue;
    }
    found.push(entry);
  }
  return found;
}

/**
 * @param {readonly Entry[]} entries
 * @param {string} channel
 * @param {"text" | "json"} format
 * @returns {string}
 */
export function exportLog(entries, channel, format) {
  const kept = entries.filter(entry => entry.type === "message" ? entry.id !== null : entry.type === "gap");
  if (format === "json") {
    const messages = kept.map(entry => {
      if (entry.type === "message") return entry.message;
      return entry.type === "gap" ? { gap: { from: entry.from, to: entry.to, reason: entry.reason } } : null;
    });
    return `${JSON.stringify({ channel, messages }, null, 2)}\n`;
  }
  const lines = kept.map(entry => (entry.type === "message" ? line(entry) : "--- messages are missing here"));
  return `${lines.join("\n")}\n`;
}

/**
 * One message as a line; further lines of its text are indented, so that none can look like another message.
 * @param {MessageEntry} entry
 */
function line({ message }) {
  const at = new Date(message.at).toISOString();
  const to = message.to === "all" ? "" : ` to ${message.to}`;
  const files = (message.attachments ?? []).map(file => `\n    [file ${escaped(file.filename ?? "")} ${file.mime}, ${file.bytes} bytes]`);
  const text = message.text.split(/\r\n|[\r\n\u2028\u2029\u0085]/u).map(escaped).join("\n    ");
  return `${at} ${escaped(message.display ?? message.from)}${to}: ${text}${files.join("")}`;
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/(?!\t)\p{Cc}|[\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, found => `\\u{${found.codePointAt(0)?.toString(16)}}`);
}
