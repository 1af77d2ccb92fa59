// What the browser's storage keeps of one channel, and how all of it is forgotten.

/** @import { KeyValue, Vault } from "./types.js" */

/** Keys of the tab's storage that belong to one channel; leaving it removes all of them. */
export const TAB_KEYS = {
  credentials: (/** @type {string} */ channel) => `chat-secrets ${channel}`,
  session: (/** @type {string} */ channel) => `chat-session ${channel}`,
  draft: (/** @type {string} */ channel) => `chat-draft ${channel}`,
  files: (/** @type {string} */ channel) => `chat-files ${channel}`,
  outbox: (/** @type {string} */ channel) => `chat-outbox ${channel}`,
};

/** Keys of the device's storage, none of which is a secret: its consumer, what it has read, its name there, and its push subscription. */
export const DEVICE_KEYS = {
  consumer: (/** @type {string} */ channel) => `chat-consumer ${channel}`,
  seen: (/** @type {string} */ channel) => `chat-seen ${channel}`,
  name: (/** @type {string} */ channel) => `chat-name ${channel}`,
  push: (/** @type {string} */ channel) => `chat-push ${channel}`,
};

/**
 * The push subscription that this device keeps for a channel, or null.
 * @param {KeyValue} lasting
 * @param {string} channel
 * @returns {import("./push.js").PushKept | null}
 */
export function keptPush(lasting, channel) {
  try {
    const kept = JSON.parse(lasting.get(DEVICE_KEYS.push(channel)) ?? "null");
    return typeof kept?.id === "string" ? kept : null;
  } catch {
    return null;
  }
}

/**
 * Removes everything of a channel from this tab and this device.
 * @param {string} channel
 * @param {{session: KeyValue, lasting: KeyValue, vault: Pick<Vault, "remove">}} stores
 */
export async function forgetChannel(channel, { session, lasting, vault }) {
  for (const key of Object.values(TAB_KEYS)) session.remove(key(channel));
  for (const key of Object.values(DEVICE_KEYS)) lasting.remove(key(channel));
  await vault.remove(channel);
}
