// Notifications of this device for one channel: whether it can have them, turning them on and off, the test, and renewing them.
import { request } from "../lib/api.js";
import { currentLanguage } from "../lib/i18n.js";
import { lasting } from "../lib/storage.js";
import { DEVICE_KEYS, keptPush } from "./keys.js";

/**
 * @typedef {"all" | "mine" | "high"} Wants which broadcasts are pushed
 * @typedef {{wants: Wants, show_text: boolean}} PushChoice
 * @typedef {{id: string} & PushChoice} PushKept what the device keeps of its subscription; no secret
 * @typedef {{status: string, at: number, response_status?: number, failure?: string}} LastPush
 * @typedef {{ok: boolean, response_status?: number, failure?: string, removed: boolean}} PushTested
 * @typedef {{kind: "impossible", why: "insecure" | "ios" | "browser" | "band" | "hub", text?: string}
 *   | {kind: "blocked"} | {kind: "off"} | {kind: "on", choice: PushChoice, last: LastPush | null}} PushState
 */

/** The script of the service worker. Its address is the only one that the policy of the pages admits. */
const WORKER = "/sw.js";

/** How often a subscription is confirmed, in milliseconds. */
const CONFIRM_MS = 24 * 3600 * 1000;

/** @type {any} */
let policy;

/** Registers the service worker, or returns the one that is registered. */
async function worker() {
  policy ??= /** @type {any} */ (window).trustedTypes?.createPolicy("hub", { createScriptURL: () => WORKER });
  await navigator.serviceWorker.register(policy ? policy.createScriptURL(WORKER) : WORKER, { scope: "/" });
  return navigator.serviceWorker.ready;
}

/**
 * Why this browser has no notifications for pages like this one, or null.
 * @returns {"insecure" | "ios" | "browser" | null}
 */
function obstacle() {
  if (!window.isSecureContext) return "insecure";
  if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) return null;
  // Safari on phones and tablets has them only for pages on the home screen.
  return "standalone" in navigator ? "ios" : "browser";
}

export class Push {
  /** @param {import("./types.js").ChatModel} model */
  constructor(model) {
    this.model = model;
    this.key = DEVICE_KEYS.push(model.channel.id);
  }

  /** @returns {PushKept | null} */
  get kept() { return keptPush(lasting, this.model.channel.id); }

  /**
   * What the hub knows of the subscription, or null if it has none, or one of an earlier session.
   * @param {PushKept} kept
   */
  stored(kept) { return this.model.push("GET", `/push/${kept.id}`).catch(unless404); }

  /** @returns {Promise<PushState>} */
  async state() {
    const why = obstacle();
    if (why) return { kind: "impossible", why };
    if (this.model.channel.is_band) return { kind: "impossible", why: "band" };
    const hub = await request("GET", "/api/push");
    if (!hub.enabled) return { kind: "impossible", why: "hub", text: String(hub.why ?? "") };
    if (Notification.permission === "denied") return { kind: "blocked" };
    const { kept } = this;
    if (!kept || Notification.permission !== "granted") return { kind: "off" };
    const found = await this.stored(kept);
    return found ? { kind: "on", choice: { wants: found.wants, show_text: found.show_text }, last: found.last ?? null } : { kind: "off" };
  }

  /**
   * Asks for the permission, which needs a tap, then subscribes. The channel is remembered, so that a notification can open it.
   * @param {PushChoice} choice
   * @returns {Promise<boolean>} whether the permission was given
   */
  async turnOn(choice) {
    if (await Notification.requestPermission() !== "granted") return false;
    if (!this.model.remembered) await this.model.remember(true);
    await this.subscribe(choice);
    return true;
  }

  /** @param {PushChoice} choice */
  async subscribe(choice) {
    const { public_key } = await request("GET", "/api/push");
    const registration = await worker();
    const key = bytes(String(public_key));
    let subscription = await registration.pushManager.getSubscription();
    if (subscription && !isFor(subscription, key)) {
      await subscription.unsubscribe();
      subscription = null;
    }
    subscription ??= await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    const { endpoint, keys } = subscription.toJSON();
    const body = { endpoint, keys, ...choice, consumer: this.model.consumer, language: currentLanguage() === "es" ? "es" : "en" };
    const { id } = await this.model.push("POST", "/push", body);
    lasting.set(this.key, JSON.stringify({ id, ...choice }));
  }

  async turnOff() {
    const { kept } = this;
    if (kept) await this.model.push("DELETE", `/push/${kept.id}`).catch(unless404);
    lasting.remove(this.key);
  }

  /** @returns {Promise<PushTested | null>} null if this device has no subscription */
  async test() {
    const { kept } = this;
    if (!kept) return null;
    const tested = await this.model.push("POST", `/push/${kept.id}/test`);
    if (tested.removed) lasting.remove(this.key);
    return tested;
  }
}

/** @param {any} error */
function unless404(error) {
  if (error?.problem?.status === 404) return null;
  throw error;
}

/**
 * Subscribes again at a start if a day has passed, the browser has dropped the subscription, or the hub has: it ends those of
 * earlier sessions, and those that no page confirms.
 * @param {import("./types.js").ChatModel} model
 */
export async function renewPush(model) {
  const push = new Push(model);
  const { kept } = push;
  if (!kept || obstacle() || Notification.permission !== "granted") return;
  try {
    const found = await push.stored(kept);
    const registration = await navigator.serviceWorker.getRegistration("/");
    const isFresh = found && Date.now() - found.confirmed_at < CONFIRM_MS && await registration?.pushManager.getSubscription();
    if (!isFresh) await push.subscribe({ wants: kept.wants, show_text: kept.show_text });
  } catch {
    // The next start tries again.
  }
}

/** @param {string} text base64url */
function bytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, char => char.charCodeAt(0));
}

/**
 * Whether a subscription is for the key of this hub.
 * @param {PushSubscription} subscription
 * @param {Uint8Array} key
 */
function isFor(subscription, key) {
  const own = subscription.options?.applicationServerKey;
  if (!own) return true;
  const other = new Uint8Array(own);
  return other.length === key.length && other.every((byte, at) => byte === key[at]);
}
