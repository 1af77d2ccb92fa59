// Messages on their way to the hub: one in flight, in order, each with a key from before its first try, so that a message
// whose answer was lost goes out exactly once. They survive a reload of the tab.

/** @import { Clock, KeyValue, Outgoing, Problem } from "./types.js" */
/** @import { SendBody, Sent, Transport } from "./transport.js" */

import { MAX_BASE64, MAX_FILES } from "./file-limits.js";
import { isAbort } from "./http.js";
import { HubError, problem } from "./problem.js";
import { TAB_KEYS } from "./keys.js";

/** Messages that wait at once, and for how long a message is tried again (ms). */
const MAX_WAITING = 50, GIVE_UP_MS = 600_000;

/** Pauses between tries (ms), with full jitter. */
const FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 15_000;

/**
 * `maybe_sent`: a try got no answer, so the hub may have the message.
 * @typedef {object} OutboxItem
 * @property {string} key idempotency key
 * @property {Outgoing & {to: string}} outgoing
 * @property {number} created_at epoch milliseconds
 * @property {number} give_up_at epoch milliseconds
 * @property {"waiting" | "sending" | "failed"} state
 * @property {number} tries
 * @property {boolean} maybe_sent
 * @property {Problem | null} problem
 * @property {number | null} retry_at
 */

/** Why a message was not queued. */
class OutgoingError extends RangeError {
  /** @param {"empty" | "too_long" | "too_many_attachments" | "too_large" | "outbox_full"} code */
  constructor(code) {
    super(`the message was not queued: ${code}`);
    this.code = code;
  }
}

/**
 * @param {Outgoing} outgoing
 * @param {number} text_max
 */
export function check({ text, attachments = [], kind }, text_max) {
  if (!text && !attachments.length) throw new OutgoingError("empty");
  // The hub counts Unicode scalar values.
  const max = kind === "status" ? 280 : text_max;
  if (text.length > max && [...text].length > max) throw new OutgoingError("too_long");
  if (attachments.length > MAX_FILES) throw new OutgoingError("too_many_attachments");
  if (attachments.reduce((sum, file) => sum + file.data_base64.length, 0) > MAX_BASE64) throw new OutgoingError("too_large");
}

export class Outbox {
  /** @type {OutboxItem[]} */
  #items = [];
  #isRunning = false;
  #isPaused = true;
  /** @type {unknown} */
  #timer = null;
  /** @type {AbortController | null} */
  #current = null;
  #failures = 0;
  #isClosed = false;
  #prefix;
  #clock;
  #tab;
  #random;
  #transport;
  #handlers;

  /**
   * @param {{channel: string, clock: Clock, tab: KeyValue, random: (bytes: Uint8Array) => Uint8Array, transport: Transport,
   *   handlers: {changed: (item: OutboxItem) => void, removed: (item: OutboxItem) => void,
   *   sent: (item: OutboxItem, reply: Sent) => void, refused: (error: HubError) => void}}} parts
   */
  constructor({ channel, clock, tab, random, transport, handlers }) {
    this.#prefix = TAB_KEYS.outbox(channel);
    this.#clock = clock;
    this.#tab = tab;
    this.#random = random;
    this.#transport = transport;
    this.#handlers = handlers;
    this.#restore();
  }

  /** @returns {readonly OutboxItem[]} */
  get items() {
    return this.#items;
  }

  /** Whether a message with this text and recipient is in flight or may have been sent. @param {{to: string, text: string}} message */
  mayBe({ to, text }) {
    return this.#items.some(item => (item.state === "sending" || item.maybe_sent) && item.outgoing.to === to && item.outgoing.text === text);
  }

  /**
   * @param {Outgoing} outgoing
   * @returns {OutboxItem}
   * @throws {OutgoingError}
   */
  add(outgoing) {
    check(outgoing, this.#transport.abilities.text_max);
    if (this.#items.length >= MAX_WAITING) throw new OutgoingError("outbox_full");
    const now = this.#clock.now();
    /** @type {OutboxItem} */
    const item = {
      key: hex(this.#random(new Uint8Array(16))), outgoing: { ...outgoing, to: outgoing.to || "all" }, created_at: now,
      give_up_at: now + GIVE_UP_MS, state: "waiting", tries: 0, maybe_sent: false, problem: null, retry_at: null,
    };
    this.#items.push(item);
    this.#keepBody(item);
    this.#keepIndex();
    this.#go();
    return item;
  }

  /** Tries a failed message again, with the same key. @param {string} key */
  retry(key) {
    const item = this.#find(key);
    if (item?.state !== "failed") return;
    this.#change(item, { state: "waiting", problem: null, retry_at: null, give_up_at: this.#clock.now() + GIVE_UP_MS });
    this.#failures = 0;
    this.#go();
  }

  /**
   * Takes a message out, unless a try of it is in flight.
   * @param {string} key
   * @returns {OutboxItem | null}
   */
  take(key) {
    const item = this.#find(key);
    if (!item || item.state === "sending") return null;
    this.#remove(item);
    this.#handlers.removed(item);
    this.#go();
    return item;
  }

  /** The link is up, or may be: what waits is tried at once. */
  resume() {
    this.#isPaused = false;
    this.#failures = 0;
    for (const item of this.#items) if (item.retry_at !== null && (item.problem?.status ?? 0) === 0) this.#change(item, { retry_at: null });
    this.#go();
  }

  /** No session: nothing is tried, but what waits too long is given up. */
  pause() {
    this.#isPaused = true;
    this.#go();
  }

  /** Forgets everything. */
  clear() {
    for (const item of this.#items) this.#tab.remove(this.#bodyKey(item.key));
    this.#items = [];
    this.#tab.remove(this.#prefix);
  }

  close() {
    this.#isClosed = true;
    this.#current?.abort();
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
  }

  #go() {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isRunning || this.#isClosed) return;
    const now = this.#clock.now();
    for (const item of this.#items) {
      if (item.state === "waiting" && now >= item.give_up_at) {
        const why = item.problem ?? problem({ code: "network", message: "no connection to the hub", about: "network" });
        this.#change(item, { state: "failed", problem: why, retry_at: null });
      }
    }
    const next = this.#items.find(item => item.state === "waiting");
    if (!next) return;
    const at = Math.max(this.#isPaused ? Infinity : 0, next.retry_at ?? 0);
    if (at <= now) return void this.#try(next);
    this.#timer = this.#clock.setTimeout(() => this.#go(), Math.min(at, next.give_up_at) - now);
  }

  /** @param {OutboxItem} item */
  async #try(item) {
    this.#isRunning = true;
    this.#change(item, { state: "sending", tries: item.tries + 1, retry_at: null });
    this.#current = new AbortController();
    try {
      const reply = await this.#transport.send(bodyOf(item.outgoing), item.key, this.#current.signal);
      this.#failures = 0;
      this.#remove(item);
      this.#handlers.sent(item, reply);
    } catch (error) {
      if (this.#isClosed) return;
      this.#failed(item, error);
    } finally {
      this.#isRunning = false;
    }
    this.#go();
  }

  /**
   * @param {OutboxItem} item
   * @param {unknown} error
   */
  #failed(item, error) {
    if (!(error instanceof HubError) && !isAbort(error)) console.error(error);
    const hub = error instanceof HubError ? error : new HubError(problem({ code: "internal" }));
    const maybe_sent = item.maybe_sent || hub.isUnknown;
    const now = this.#clock.now();
    if (hub.isSessionGone) {
      this.#isPaused = true;
      this.#change(item, { state: "waiting", problem: hub.problem, maybe_sent, retry_at: null });
      return this.#handlers.refused(hub);
    }
    // Without keys a repetition could be a second message: the user decides.
    const mayRepeat = hub.isTransient && (this.#transport.idempotent || !hub.isUnknown);
    if (!mayRepeat) {
      this.#change(item, { state: "failed", problem: hub.problem, maybe_sent, retry_at: null });
      if (hub.problem.status === 401) this.#handlers.refused(hub);
      return;
    }
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    const [byte] = this.#random(new Uint8Array(1));
    const retry_at = Math.max(now + most * (byte + 1) / 256, hub.problem.retry_at ?? 0);
    this.#change(item, { state: "waiting", problem: hub.problem, maybe_sent, retry_at });
  }

  /** @param {string} key */
  #find(key) {
    return this.#items.find(item => item.key === key);
  }

  /**
   * @param {OutboxItem} item
   * @param {Partial<OutboxItem>} change
   */
  #change(item, change) {
    Object.assign(item, change);
    this.#keepIndex();
    this.#handlers.changed(item);
  }

  /** @param {OutboxItem} item */
  #remove(item) {
    this.#items.splice(this.#items.indexOf(item), 1);
    this.#tab.remove(this.#bodyKey(item.key));
    this.#keepIndex();
  }

  /** @param {string} key */
  #bodyKey(key) {
    return `${this.#prefix} ${key}`;
  }

  /** Bodies are kept one by one: attachments are large, and states change often. @param {OutboxItem} item */
  #keepBody(item) {
    this.#tab.set(this.#bodyKey(item.key), JSON.stringify(item.outgoing));
  }

  #keepIndex() {
    if (!this.#items.length) return this.#tab.remove(this.#prefix);
    this.#tab.set(this.#prefix, JSON.stringify(this.#items.map(({ outgoing, ...rest }) => rest)));
  }

  #restore() {
    /** @type {any[]} */
    let kept = [];
    try {
      kept = JSON.parse(this.#tab.get(this.#prefix) ?? "[]");
    } catch { /* not ours */ }
    for (const entry of Array.isArray(kept) ? kept.slice(0, MAX_WAITING) : []) {
      let outgoing = null;
      try {
        outgoing = JSON.parse(this.#tab.get(this.#bodyKey(entry.key)) ?? "null");
      } catch { /* not ours */ }
      if (typeof outgoing?.text !== "string" || typeof outgoing?.to !== "string" || typeof entry.key !== "string") continue;
      // A try whose answer the reload cut off may have reached the hub.
      const wasSending = entry.state === "sending";
      const state = entry.state === "failed" ? "failed" : "waiting";
      this.#items.push({ ...entry, outgoing, state, retry_at: null, maybe_sent: entry.maybe_sent === true || wasSending });
    }
    if (!this.#transport.idempotent) {
      for (const item of this.#items) if (item.maybe_sent && item.state === "waiting") {
        Object.assign(item, { state: "failed", problem: problem({ code: "network", about: "network" }) });
      }
    }
  }
}

/**
 * @param {Outgoing & {to: string}} outgoing
 * @returns {SendBody}
 */
function bodyOf({ to, text, kind, priority, reply_to, thread, attachments, wants, deadline_seconds, quiet, answers, state, fence }) {
  return {
    to, text,
    ...(kind === "status" ? { kind } : {}),
    ...(priority && priority !== "default" ? { priority } : {}),
    ...(reply_to ? { reply_to } : {}),
    ...(thread ? { thread } : {}),
    ...(attachments?.length ? { attachments } : {}),
    ...(wants ? { wants, deadline_seconds, quiet, answers } : {}),
    ...(state ? { state, fence } : {}),
  };
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return [...bytes].map(byte => byte.toString(16).padStart(2, "0")).join("");
}
