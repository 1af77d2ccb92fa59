// What this device has read: its consumer, its position, what is on screen, and the acknowledgements that follow from it.
//
// An acknowledgement is cumulative, so only the longest run of messages that were all seen may be acknowledged, and
// nothing above messages that may have been lost on their way (docs/API.md, "Acknowledging with care").

/** @import { Clock, KeyValue, Message, Signals } from "./types.js" */
/** @import { Gap, Transport } from "./transport.js" */

import { DEVICE_KEYS } from "./keys.js";
import { HubError } from "./problem.js";
import { LEASE_S, MAX_IN_FLIGHT } from "./transport.js";

/** A message counts as read after it was on screen for this long (ms), in a visible tab. */
const SEEN_MS = 1_000;

/** How long acknowledgements are gathered (ms), and the pause after one that failed. */
const GATHER_MS = 200, AGAIN_MS = 5_000;

export class Reading {
  /** The consumer of this device and channel. */
  consumer = "";
  /** Whether this device has no consumer yet. */
  isNew = true;
  /** The newest id that came through the consumer, without a hole below it. @type {number | null} */
  #position = null;
  /** Ids that were delivered and are not acknowledged, ascending. @type {number[]} */
  #inFlight = [];
  /** A read failed: what it carried is leased, and comes again. @type {{floor: number | null, until: number} | null} */
  #doubt = null;
  #readStarted = 0;
  /** Whether reading acknowledges, because more is unread than a consumer may have in flight. */
  #overflow = false;
  #isManual = true;
  /** When each message came on screen. @type {Map<number, number>} */
  #onScreen = new Map();
  /** @type {unknown} */
  #seenTimer = null;
  /** @type {unknown} */
  #ackTimer = null;
  #isAcking = false;
  #channel;
  #clock;
  #lasting;
  #signals;
  #transport;
  #log;
  #reopen;
  #unlisten;

  /**
   * @param {{channel: string, clock: Clock, lasting: KeyValue, signals: Signals, random: (bytes: Uint8Array) => Uint8Array,
   *   transport: Transport, log: {isSeen: (id: number) => boolean, markSeen: (ids: number[]) => void,
   *   unread: () => number, seenUpto: () => number | null}, reopen: () => void}} parts
   */
  constructor({ channel, clock, lasting, signals, random, transport, log, reopen }) {
    this.#channel = channel;
    this.#clock = clock;
    this.#lasting = lasting;
    this.#signals = signals;
    this.#transport = transport;
    this.#log = log;
    this.#reopen = reopen;
    const kept = lasting.get(DEVICE_KEYS.consumer(channel));
    if (kept && /^web-[a-z]{6}$/u.test(kept)) {
      this.consumer = kept;
      this.isNew = false;
    } else {
      this.consumer = `web-${[...random(new Uint8Array(6))].map(byte => String.fromCharCode(97 + byte % 26)).join("")}`;
      lasting.set(DEVICE_KEYS.consumer(channel), this.consumer);
    }
    this.#unlisten = signals.listen(what => {
      if (what === "hidden" || what === "visible") this.#restartTimers();
    });
  }

  /** The last id that this device showed as read, as it remembers. @returns {number | null} */
  get remembered() {
    const id = Number(this.#lasting.get(DEVICE_KEYS.seen(this.#channel)) ?? NaN);
    return Number.isSafeInteger(id) ? id : null;
  }

  get position() {
    return this.#position;
  }

  /** Starts at an id: a new consumer would start at the oldest message held. @param {number | null} id */
  startAt(id) {
    this.#position = id;
  }

  /**
   * The parameters of the next read.
   * @param {"stream" | "poll" | "probe"} how
   */
  open(how) {
    this.#readStarted = this.#clock.now();
    if (how !== "probe") {
      if (this.#overflow && this.#log.unread() < MAX_IN_FLIGHT / 2) this.#overflow = false;
      this.#isManual = this.#transport.acks && !this.#overflow;
    }
    const since = this.#doubt ? this.#doubt.floor : this.#position;
    return { consumer: this.consumer, since, manual: how === "probe" ? this.#transport.acks : this.#isManual };
  }

  /** Messages can arrive: what was left to acknowledge can be, now. */
  live() {
    this.#ackSoon(0);
  }

  /** A message came through the consumer. @param {Message} message */
  delivered(message) {
    if (message.kind === "status") return;
    const { id } = message;
    if (this.#position === null || id > this.#position) this.#position = id;
    if (!this.#isManual) return;
    insert(this.#inFlight, id);
    if (this.#log.isSeen(id)) this.#ackSoon();
  }

  /** After a batch: reads on when too much is unread. */
  settle() {
    if (!this.#isManual || this.#inFlight.length < MAX_IN_FLIGHT) return;
    if (this.#ackable() !== null) return this.#ackSoon(0);
    // The hub delivers no more until something is acknowledged, and keeps only the last messages: reading on without
    // acknowledgements of ours loses none. Their receipts are "delivered", not "acked".
    this.#overflow = true;
    this.#inFlight = [];
    this.#reopen();
  }

  /**
   * Whether a gap is news to this page.
   * @param {Gap} gap
   */
  gap(gap) {
    const isKnown = gap.reason === "ring" && this.#position !== null && gap.to <= this.#position;
    if (this.#position === null || gap.to > this.#position) this.#position = gap.to;
    return !isKnown;
  }

  pollFailed() {
    if (!this.#isManual) return;
    const floor = this.#doubt ? this.#doubt.floor : this.#position;
    this.#doubt = { floor, until: this.#clock.now() + (LEASE_S + 5) * 1000 };
  }

  pollDone() {
    this.#settleDoubt();
  }

  /** What the lost read carried has come again once a read began after its lease, or a stream has waited for it. */
  #settleDoubt() {
    if (!this.#doubt) return;
    const { until } = this.#doubt;
    if (this.#readStarted < until && this.#clock.now() < until + 5_000) return;
    this.#doubt = null;
    this.#ackSoon();
  }

  /** @param {number} id */
  seen(id) {
    if (this.#log.isSeen(id) || this.#onScreen.has(id)) return;
    this.#onScreen.set(id, this.#clock.now());
    this.#arm();
  }

  /** @param {number} id */
  unseen(id) {
    this.#onScreen.delete(id);
  }

  /** The user says that everything was read. */
  seenChanged() {
    this.#ackSoon();
    if (this.#overflow && this.#log.unread() === 0) {
      this.#overflow = false;
      if (!this.#isManual) this.#reopen();
    }
  }

  #arm() {
    if (this.#seenTimer !== null || !this.#onScreen.size || !this.#signals.visible()) return;
    // Insertion order is the order of time.
    const [first] = this.#onScreen.values();
    this.#seenTimer = this.#clock.setTimeout(() => {
      this.#seenTimer = null;
      const until = this.#clock.now() - SEEN_MS;
      const ids = [];
      for (const [id, at] of this.#onScreen) {
        if (at > until) break;
        ids.push(id);
        this.#onScreen.delete(id);
      }
      if (ids.length) {
        this.#log.markSeen(ids);
        this.seenChanged();
      }
      this.#arm();
    }, Math.max(0, first + SEEN_MS - this.#clock.now()));
  }

  /** Nobody reads a hidden tab: the second begins again when it is visible. */
  #restartTimers() {
    if (this.#seenTimer !== null) this.#clock.clearTimeout(this.#seenTimer);
    this.#seenTimer = null;
    const now = this.#clock.now();
    for (const id of this.#onScreen.keys()) this.#onScreen.set(id, now);
    this.#arm();
  }

  /** The newest id that may be acknowledged. @returns {number | null} */
  #ackable() {
    const floor = this.#doubt ? this.#doubt.floor ?? 0 : Infinity;
    let upto = null;
    for (const id of this.#inFlight) {
      if (id > floor || !this.#log.isSeen(id)) break;
      upto = id;
    }
    return upto;
  }

  #ackSoon(after_ms = GATHER_MS) {
    if (this.#ackTimer !== null || this.#isAcking) return;
    this.#ackTimer = this.#clock.setTimeout(() => {
      this.#ackTimer = null;
      this.#ack();
    }, after_ms);
  }

  async #ack() {
    this.#settleDoubt();
    const seen = this.#log.seenUpto();
    if (seen !== null && seen > (this.remembered ?? 0)) this.#lasting.set(DEVICE_KEYS.seen(this.#channel), String(seen));
    const upto = this.#ackable();
    if (upto === null || this.#isAcking) return;
    this.#isAcking = true;
    let again = null;
    try {
      await this.#transport.ack(this.consumer, upto);
      drop(this.#inFlight, upto);
      again = GATHER_MS;
    } catch (error) {
      // Refused for good: the hub forgot the consumer, or what it delivered. Without an answer it is tried again.
      if (error instanceof HubError && !error.isTransient && !error.isSessionGone) drop(this.#inFlight, upto);
      else again = AGAIN_MS;
    }
    this.#isAcking = false;
    if (again !== null && this.#ackable() !== null) this.#ackSoon(again);
  }

  /**
   * One consumer too many: the longest idle device of this member makes room. It starts anew if it comes back.
   * @returns {Promise<boolean>}
   */
  async makeRoom() {
    try {
      const all = await this.#transport.consumers();
      const idle = all.filter(({ name, waiting }) => name?.startsWith("web-") && name !== this.consumer && !waiting);
      const [oldest] = idle.sort((a, b) => a.cursor - b.cursor);
      if (!oldest?.name) return false;
      await this.#transport.removeConsumer(oldest.name);
      return true;
    } catch {
      return false;
    }
  }

  close() {
    this.#unlisten();
    for (const timer of [this.#seenTimer, this.#ackTimer]) if (timer !== null) this.#clock.clearTimeout(timer);
    this.#seenTimer = this.#ackTimer = null;
  }
}

/**
 * Inserts into an ascending list, once.
 * @param {number[]} list
 * @param {number} id
 */
function insert(list, id) {
  let at = list.length;
  while (at > 0 && list[at - 1] > id) at -= 1;
  if (list[at - 1] !== id) list.splice(at, 0, id);
}

/**
 * Removes everything up to an id from an ascending list.
 * @param {number[]} list
 * @param {number} upto
 */
function drop(list, upto) {
  let count = 0;
  while (count < list.length && list[count] <= upto) count += 1;
  list.splice(0, count);
}
