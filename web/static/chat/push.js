// Notifications of this device for one channel: whether it can have them, turning them on and off, the test, and renewing them.
import { request } from "../lib/api.js";
import { browserSubscription, hasSubscription, pushObstacle } from "../lib/app.js";
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

/** How often a subscription is confirmed, in milliseconds. */
const CONFIRM_MS = 24 * 3600 * 1000;

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
  stored(kept) { return this.model.request("GET", `/push/${kept.id}`).catch(unless404); }

  /** @returns {Promise<PushState>} */
  async state() {
    const why = pushObstacle();
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
    const body = { ...await browserSubscription(String(public_key)), ...choice, consumer: this.model.consumer, language: currentLanguage() === "es" ? "es" : "en" };
    const { id } = await this.model.request("POST", "/push", body);
    lasting.set(this.key, JSON.stringify({ id, ...choice }));
  }

  async turnOff() {
    const { kept } = this;
    if (kept) await this.model.request("DELETE", `/push/${kept.id}`).catch(unless404);
    lasting.remove(this.key);
  }

  /** @returns {Promise<PushTested | null>} null if this device has no subscription */
  async test() {
    const { kept } = this;
    if (!kept) return null;
    const tested = await this.model.request("POST", `/push/${kept.id}/test`);
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
  if (!kept || pushObstacle() || Notification.permission !== "granted") return;
  try {
    const found = await push.stored(kept);
    const isFresh = found && Date.now() - found.confirmed_at < CONFIRM_MS && await hasSubscription();
    if (!isFresh) await push.subscribe({ wants: kept.wants, show_text: kept.show_text });
  } catch {
    // The next start tries again.
  }
}
