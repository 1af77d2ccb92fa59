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
  /** Ids whose recipients are all known. @type {Set<number>} */
  #whole = new Set();
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
   *   apply: (id: number, receipts: Receipt[], isWhole: boolean) => boolean | null}} parts `isWhole` if the receipts of
   *   all recipients are known; `apply` returns whether something changed, null when nothing more can change
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
    if (this.#open.size > MAX_WATCHED) {
      this.#open.delete(oldest);
      this.#whole.delete(oldest);
    }
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
    let asks = Boolean(data?.more);
    for (const { id, receipts } of receiptsOf(data)) {
      this.#take(id, receipts);
      asks ||= this.#open.has(id) && !this.#whole.has(id);
    }
    // An event has only what changed. The recipients of a broadcast are asked for once.
    if (asks) this.#arm(0);
  }

  /**
   * @param {number} id
   * @param {Receipt[]} receipts
   */
  #take(id, receipts) {
    const changed = this.#apply(id, receipts, this.#whole.has(id));
    if (changed === null) {
      this.#open.delete(id);
      this.#whole.delete(id);
    }
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
      for (const { id, receipts } of receiptsOf(await this.#transport.receipts(ids))) {
        this.#whole.add(id);
        changed = this.#take(id, receipts) || changed;
      }
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
 * The receipts of a reply (`{messages: [{id, receipts}]}`), or the rows of an event (`{receipts: [{id, to, state}]}`).
 * @param {any} data
 * @returns {{id: number, receipts: Receipt[]}[]}
 */
function receiptsOf(data) {
  const isReceipt = (/** @type {any} */ one) => typeof one?.to === "string" && STATES.has(one.state);
  /** @type {Map<number, Receipt[]>} */
  const found = new Map();
  for (const entry of Array.isArray(data?.messages) ? data.messages : []) {
    if (Number.isSafeInteger(entry?.id) && Array.isArray(entry.receipts)) found.set(entry.id, entry.receipts.filter(isReceipt));
  }
  for (const row of Array.isArray(data?.receipts) ? data.receipts : []) {
    if (!Number.isSafeInteger(row?.id) || !isReceipt(row)) continue;
    const { id, ...receipt } = row;
    found.set(id, [...(found.get(id) ?? []), receipt]);
  }
  return [...found].map(([id, receipts]) => ({ id, receipts }));
}
