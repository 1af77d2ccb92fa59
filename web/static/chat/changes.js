// Gathers what changed within one task, and reports it once.

/** @import { ChangeDetail, MessageEntry, Part } from "./types.js" */
/** @import { Log } from "./log.js" */

export class Changes {
  /** @type {Set<Part>} */
  #parts = new Set();
  /** @type {MessageEntry[]} */
  #live = [];
  #log;
  #report;

  /**
   * @param {Log} log
   * @param {(detail: ChangeDetail) => void} report
   */
  constructor(log, report) {
    this.#log = log;
    this.#report = report;
  }

  /** @param {...Part} parts */
  note(...parts) {
    if (!this.#parts.size) queueMicrotask(() => this.#flush());
    for (const part of parts) this.#parts.add(part);
  }

  /** A message of another arrived live: to announce. @param {MessageEntry} entry */
  arrived(entry) {
    this.#live.push(entry);
  }

  #flush() {
    const { appended, prepended, dropped } = this.#log;
    const detail = { parts: this.#parts, appended, prepended, dropped, live: this.#live };
    this.#parts = new Set();
    this.#live = [];
    this.#log.appended = this.#log.prepended = this.#log.dropped = 0;
    this.#report(detail);
  }
}
