// What arrives: history, backlog and live messages become entries of the log, each once.

/** @import { Message, MessageEntry, Tick } from "./types.js" */
/** @import { Gap } from "./transport.js" */
/** @import { Approvals } from "./approvals.js" */
/** @import { Changes } from "./changes.js" */
/** @import { Log } from "./log.js" */
/** @import { Outbox } from "./outbox.js" */
/** @import { Reading } from "./reading.js" */
/** @import { Receipts } from "./receipts.js" */
/** @import { Statuses } from "./statuses.js" */
/** @import { Tasks } from "./tasks.js" */

/**
 * The parts it works on. They refer to each other, so they are filled in by the model.
 * @typedef {object} Parts
 * @property {Log} log
 * @property {Changes} changes
 * @property {Reading} reading
 * @property {Outbox} outbox
 * @property {Approvals} approvals
 * @property {Receipts} receipts
 * @property {Statuses} statuses
 * @property {Tasks} tasks
 */

export class Incoming {
  /** Own callsign. */
  me = "";
  /** A status with the state of its sender. @type {(status: Message) => void} */
  stated = () => {};
  /** Whether a message can go to one member. */
  canAddress = true;
  /** The last message that was read before this visit. @type {number | null} */
  lineAfter = null;
  /** Messages of the backlog that are still to come after the first `hello`. */
  #backlog = 0;
  #isFirst = true;
  /** Own messages that may be those in flight: shown when the answer tells their ids. @type {Message[]} */
  #heldOwn = [];
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** A stream opened, or a first poll answered. @param {number} backlog */
  opened(backlog) {
    this.#backlog = this.#isFirst ? backlog : 0;
    this.#isFirst = false;
  }

  get isFirst() {
    return this.#isFirst;
  }

  /** One message of a stream. @param {Message} message */
  streamed(message) {
    const isLive = this.#backlog === 0;
    if (this.#backlog > 0 && message.kind !== "status") this.#backlog -= 1;
    this.consumed([message], isLive);
  }

  /**
   * What came through the consumer.
   * @param {Message[]} messages
   * @param {boolean} isLive
   */
  consumed(messages, isLive) {
    const { reading, statuses } = this.#parts;
    const added = [];
    for (const message of messages) {
      if (message.kind !== "status") added.push(message);
      else {
        if (!this.#isMine(message)) statuses.set(message);
        if (message.state) this.stated(message);
      }
    }
    this.add(added, isLive);
    for (const message of added) reading.delivered(message);
    reading.settle();
  }

  /** @param {Message} message */
  #isMine(message) {
    return message.own === true || message.from === this.me;
  }

  /**
   * Adds messages that are not loaded, wherever they come from.
   * @param {Message[]} messages
   * @param {boolean} isLive
   */
  add(messages, isLive) {
    const { log, changes, outbox, approvals, receipts, statuses, tasks } = this.#parts;
    const fresh = messages.filter(message => {
      if (log.has(message.id)) return false;
      if (!this.#isMine(message) || !outbox.mayBe(message)) return true;
      if (!this.#heldOwn.some(({ id }) => id === message.id)) this.#heldOwn.push(message);
      return false;
    });
    if (!fresh.length) return;
    fresh.sort((a, b) => a.id - b.id);
    for (const message of fresh) if (this.#isMine(message)) approvals.sent(message, `m${message.id}`, isLive);
    const entries = fresh.map(message => {
      const mine = this.#isMine(message);
      if (isLive && !mine) statuses.end(message.from);
      if (mine) receipts.watch(message.id);
      tasks.seen(message, isLive);
      // What is older than the line was read on an earlier visit.
      const seen = mine || !isLive && this.lineAfter !== null && message.id <= this.lineAfter;
      return this.entry({ key: `m${message.id}`, message, mine, seen, live: isLive && !mine });
    });
    log.add(entries);
    for (const entry of entries) if (entry.live) changes.arrived(entry);
    if (!isLive && this.lineAfter !== null && entries.some(entry => !entry.seen)) log.addUnreadLine(this.lineAfter);
    changes.note("entries", "unread");
  }

  /** What is in flight changed: own messages that waited for it can be shown. */
  releaseOwn() {
    if (!this.#heldOwn.length) return;
    const held = this.#heldOwn;
    this.#heldOwn = [];
    this.add(held, true);
  }

  /** @param {Gap} gap */
  gap({ from, to, reason }) {
    const { reading, log, changes } = this.#parts;
    if (!reading.gap({ from, to, reason })) return;
    const known = reason === "ring" || reason === "restart" || reason === "idle" ? reason : "unknown";
    if (log.addGap({ from, to, reason: known })) changes.note("entries");
  }

  /**
   * @param {{key: string, message: Message, mine: boolean, seen: boolean, live: boolean, tick?: Tick}} given
   * @returns {MessageEntry}
   */
  entry({ key, message, mine, seen, live, tick = "accepted" }) {
    return {
      type: "message", key, id: message.id || null, message, mine, seen, tick: mine ? tick : null, receipts: [], problem: null,
      retry_at: null, approval: this.#parts.approvals.of(message, mine), task: this.#parts.tasks.get(message.id), live,
    };
  }
}
