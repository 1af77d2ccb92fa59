// Ticks of own messages: pushed by the stream where the hub does that, else asked for while somebody looks.

/** @import { Clock, Receipt, Signals, Tick } from "./types.js" */
/** @import { Transport } from "./transport.js" */

import { HubError } from "./problem.js";

/** Pauses between questions (ms): the first after a send, then twice as long each time nothing changed. */
const FIRST_MS = 2_000, LONGEST_MS = 30_000;

/** Messages that are watched, newest first, and asked about at once. The hub keeps receipts of the last 256. */
const MAX_WATCHED = 200, MAX_IDS = 50;

const STATES = new Set(["queued", "delivered", "acked", "expired"]);

/**
 * @param {string} to
 * @param {readonly Receipt[]} receipts
 * @param {Tick} before
 * @returns {Tick}
 */
export function tickOf(to, receipts, before) {
  if (!receipts.length) return before;
  const every = (/** @type {Receipt["state"]} */ state) => receipts.every(receipt => receipt.state === state);
  if (every("acked")) return "read";
  if (every("expired")) return "expired";
  if (receipts.some(({ state }) => state === "acked" || state === "delivered")) return "delivered";
  return to !== "all" && before === "away" ? "away" : "accepted";
}

export class Receipts {
  /** Ids of messages whose state may still change, oldest first. @type {Set<number>} */
  #open = new Set();
  #isPushed = false;
  #isSupported = true;
  #isLive = false;
  #pause_ms = FIRST_MS;
  #isAsking = false;
  /** @type {unknown} */
  #timer = null;
  #clock;
  #signals;
  #transport;
  #apply;
  #unlisten;

  /**
   * @param {{clock: Clock, signals: Signals, transport: Transport,
   *   apply: (id: number, receipts: Receipt[]) => boolean | null}} parts `apply` returns whether something changed, null
   *   when the message needs no further receipts
   */
  constructor({ clock, signals, transport, apply }) {
    this.#clock = clock;
    this.#signals = signals;
    this.#transport = transport;
    this.#apply = apply;
    this.#unlisten = signals.listen(what => {
      if (what !== "visible") return;
      this.#pause_ms = FIRST_MS;
      this.#arm(0);
    });
  }

  /** @param {number} id */
  watch(id) {
    this.#open.add(id);
    const [oldest] = this.#open;
    if (this.#open.size > MAX_WATCHED) this.#open.delete(oldest);
    this.#pause_ms = FIRST_MS;
    this.#arm();
  }

  /** @param {boolean} isLive */
  live(isLive) {
    this.#isLive = isLive;
    this.#isPushed = false;
    this.#pause_ms = FIRST_MS;
    // What changed while the link was down is not pushed again.
    if (isLive) this.#arm(0);
  }

  /** What a stream pushed. @param {any} data */
  pushed(data) {
    this.#isPushed = true;
    for (const { id, receipts } of receiptsOf(data)) this.#take(id, receipts);
  }

  /**
   * @param {number} id
   * @param {Receipt[]} receipts
   */
  #take(id, receipts) {
    const changed = this.#apply(id, receipts);
    if (changed === null) this.#open.delete(id);
    return changed !== false;
  }

  /** @param {number} [after_ms] */
  #arm(after_ms = this.#pause_ms) {
    const may = this.#isSupported && this.#isLive && this.#transport.abilities.receipts && this.#signals.visible();
    if (!may || !this.#open.size || this.#isAsking) return;
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.#ask();
    }, after_ms);
  }

  async #ask() {
    const ids = [...this.#open].slice(-MAX_IDS);
    if (!ids.length || !this.#signals.visible() || !this.#isLive) return;
    this.#isAsking = true;
    try {
      let changed = false;
      for (const { id, receipts } of receiptsOf(await this.#transport.receipts(ids))) changed = this.#take(id, receipts) || changed;
      this.#pause_ms = changed ? FIRST_MS : Math.min(this.#pause_ms * 2, LONGEST_MS);
    } catch (error) {
      if (error instanceof HubError && [404, 405].includes(error.problem.status)) this.#isSupported = false;
      this.#pause_ms = Math.min(this.#pause_ms * 2, LONGEST_MS);
    }
    this.#isAsking = false;
    if (!this.#isPushed) this.#arm();
  }

  close() {
    this.#unlisten();
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
  }
}

/**
 * The receipts of an answer or an event: `{messages: [{id, receipts}]}`, or one `{id, receipts}` alone.
 * @param {any} data
 * @returns {{id: number, receipts: Receipt[]}[]}
 */
export function receiptsOf(data) {
  const list = Array.isArray(data) ? data : Array.isArray(data?.messages) ? data.messages : [data];
  return list.flatMap((/** @type {any} */ entry) => {
    const id = entry?.id ?? entry?.message;
    if (!Number.isSafeInteger(id) || !Array.isArray(entry.receipts)) return [];
    const receipts = entry.receipts.filter((/** @type {any} */ one) => typeof one?.to === "string" && STATES.has(one.state));
    return [{ id, receipts }];
  });
}
