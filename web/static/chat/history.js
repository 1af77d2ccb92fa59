// What was sent before: the start of the visit, what a failed read may have carried, and earlier messages on demand.

/** @import { Earlier } from "./types.js" */
/** @import { Consumer, Transport } from "./transport.js" */
/** @import { Incoming, Parts } from "./incoming.js" */

import { HubError } from "./problem.js";

/** Messages that are loaded at the start, and with each "earlier". */
const START = 50, EARLIER = 100;

export class History {
  /** @type {Earlier} */
  earlier = { state: "unknown", problem: null };
  isLoaded = false;
  /** The last message before the join. @type {number | null} */
  joinedAt = null;
  /** A read failed: what it carried may be missing. */
  needsCatchUp = false;
  /** Where the history goes on. @type {number | null} */
  #before = null;
  #hasDropped = false;
  #parts;
  #incoming;
  #transport;

  /**
   * @param {Parts} parts
   * @param {Incoming} incoming
   * @param {Transport} transport
   */
  constructor(parts, incoming, transport) {
    this.#parts = parts;
    this.#incoming = incoming;
    this.#transport = transport;
  }

  /** Loads the newest messages, and finds where this device had read to. @param {AbortSignal} signal */
  async start(signal) {
    const { reading, changes } = this.#parts;
    /** @type {Consumer[]} */
    const none = [];
    const [{ messages, before }, consumers] = await Promise.all([
      this.#transport.history({ n: START, signal }), reading.isNew ? none : this.#transport.consumers(signal),
    ]);
    const own = consumers.find(({ name }) => name === reading.consumer);
    // What was sent since the join is new to this device, too, and comes through its consumer.
    if (!own) reading.startAt(this.joinedAt);
    this.#incoming.lineAfter = own ? reading.remembered ?? own.cursor : this.joinedAt;
    this.isLoaded = true;
    this.#goesOn(before);
    this.#incoming.add(messages, false);
    changes.note("entries");
  }

  /** @param {AbortSignal} signal */
  async catchUp(signal) {
    this.needsCatchUp = false;
    try {
      this.#incoming.add((await this.#transport.history({ n: START, signal })).messages, true);
    } catch {
      this.needsCatchUp = true;
    }
  }

  /** @returns {Promise<number>} how many messages came */
  async loadEarlier() {
    // What was dropped to bound the memory can be loaded again.
    const { oldest } = this.#parts.log;
    const from = this.#hasDropped && oldest !== null ? oldest : this.#before;
    if (from === null || this.earlier.state === "loading") return 0;
    this.#set({ state: "loading", problem: null });
    try {
      const { messages, before } = await this.#transport.history({ n: EARLIER, before: from });
      this.#hasDropped = false;
      this.#incoming.add(messages, false);
      this.#goesOn(before);
      return messages.length;
    } catch (error) {
      this.#set({ state: "failed", problem: error instanceof HubError ? error.problem : null });
      return 0;
    }
  }

  /** Messages were dropped at the start of the log. */
  dropped() {
    this.#hasDropped = true;
    if (this.earlier.state !== "loading") this.#set({ state: "some", problem: null });
  }

  /** @param {number | null} before */
  #goesOn(before) {
    this.#before = before;
    this.#set({ state: before === null ? "none" : "some", problem: null });
  }

  /** @param {Earlier} earlier */
  #set(earlier) {
    this.earlier = earlier;
    this.#parts.changes.note("earlier");
  }
}
