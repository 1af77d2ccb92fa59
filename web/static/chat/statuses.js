// The working lines: one for each sender, until its next message, 120 s, or its departure.

/** @import { Clock, Message, Status } from "./types.js" */

/** How long a line stays (ms), and how many lines there are at most. */
const STATUS_MS = 120_000, MAX_STATUSES = 20;

export class Statuses {
  /** @type {Map<string, Status>} */
  #bySender = new Map();
  /** @type {unknown} */
  #timer = null;
  #clock;
  #changed;
  /** @type {readonly Status[]} */
  list = [];

  /** @param {{clock: Clock, changed: () => void}} parts */
  constructor({ clock, changed }) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /** @param {Message} message of kind `status` */
  set(message) {
    const { from, text, at, priority } = message;
    this.#bySender.delete(from);
    if (text) this.#bySender.set(from, { from, text, at, until: this.#clock.now() + STATUS_MS, priority: priority ?? null });
    const [oldest] = this.#bySender.keys();
    if (this.#bySender.size > MAX_STATUSES) this.#bySender.delete(oldest);
    this.#update();
  }

  /** The sender wrote a message, or left. @param {string} from */
  end(from) {
    if (this.#bySender.delete(from)) this.#update();
  }

  /** @param {(callsign: string) => boolean} isOnline */
  keepOnly(isOnline) {
    const gone = [...this.#bySender.keys()].filter(from => !isOnline(from));
    for (const from of gone) this.#bySender.delete(from);
    if (gone.length) this.#update();
  }

  clear() {
    if (!this.#bySender.size) return;
    this.#bySender.clear();
    this.#update();
  }

  #update() {
    this.list = [...this.#bySender.values()];
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    // Lines are in the order of their ends.
    if (this.list.length) this.#timer = this.#clock.setTimeout(() => this.#expire(), this.list[0].until - this.#clock.now());
    this.#changed();
  }

  #expire() {
    const now = this.#clock.now();
    for (const { from, until } of this.list) if (until <= now) this.#bySender.delete(from);
    this.#update();
  }

  close() {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
  }
}
