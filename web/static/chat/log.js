// The loaded messages of a channel in the order of their ids, with gaps and the unread line; outgoing ones last.
// Appending costs the same however many are loaded, and what is loaded is bounded.

/** @import { Entry, GapEntry, Message, MessageEntry } from "./types.js" */

/** Messages and characters that are held; the oldest go first, and can be loaded again. */
export const MAX_LOADED = 6_000, MAX_CHARS = 4 * 1024 * 1024;

/** Entries that are dropped at once. */
const DROP = 500;

/** @param {Entry} entry */
function orderOf(entry) {
  if (entry.type === "message") return entry.id ?? Infinity;
  return entry.type === "gap" ? entry.from + 0.5 : entry.after + 0.25;
}

export class Log {
  /** @type {Entry[]} */
  entries = [];
  /** How many entries at the end are on their way. */
  #outgoing = 0;
  /** @type {Set<number>} */
  #known = new Set();
  /** Unseen ids of others, ascending. @type {Set<number>} */
  #unread = new Set();
  #lastUnread = 0;
  #chars = 0;
  /** @type {number | null} */
  #keepFrom = null;
  /** Counts since they were last taken. */
  appended = 0;
  prepended = 0;
  dropped = 0;

  get #size() {
    return this.entries.length - this.#outgoing;
  }

  get unread() {
    return this.#unread.size;
  }

  /** @returns {number | null} */
  get firstUnread() {
    const [first] = this.#unread;
    return first ?? null;
  }

  /** @returns {number | null} */
  get oldest() {
    const first = this.entries.find(entry => entry.type === "message");
    return first?.type === "message" ? first.id : null;
  }

  /** @returns {number | null} */
  get newest() {
    for (let at = this.#size - 1; at >= 0; at -= 1) {
      const entry = this.entries[at];
      if (entry.type === "message") return entry.id;
    }
    return null;
  }

  /** The last id up to which everything was seen. @returns {number | null} */
  get seenUpto() {
    const first = this.firstUnread;
    return first === null ? this.newest : first - 1;
  }

  /** @param {number} id */
  has(id) {
    return this.#known.has(id);
  }

  /** @param {number} id */
  isSeen(id) {
    return !this.#unread.has(id);
  }

  /** @param {number | null} id */
  keepFrom(id) {
    this.#keepFrom = id;
  }

  /**
   * Adds messages that are not loaded yet.
   * @param {MessageEntry[]} added ascending
   */
  add(added) {
    const fresh = added.filter(entry => entry.id !== null && !this.#known.has(entry.id));
    if (!fresh.length) return;
    let isSorted = true;
    for (const entry of fresh) {
      const id = /** @type {number} */ (entry.id);
      this.#known.add(id);
      this.#chars += entry.message.text.length;
      if (entry.seen) continue;
      isSorted &&= id > this.#lastUnread || !this.#unread.size;
      this.#lastUnread = Math.max(id, this.#unread.size ? this.#lastUnread : 0);
      this.#unread.add(id);
    }
    if (!isSorted) this.#unread = new Set([...this.#unread].sort((a, b) => a - b));
    this.#insert(fresh);
    this.#bound();
  }

  /** @param {Entry[]} added in order */
  #insert(added) {
    const size = this.#size;
    const last = size ? orderOf(this.entries[size - 1]) : -1;
    if (orderOf(added[0]) > last) {
      this.entries.splice(size, 0, ...added);
      this.appended += added.length;
      return;
    }
    const first = orderOf(this.entries[0]);
    if (orderOf(added[added.length - 1]) < first) {
      this.entries.splice(0, 0, ...added);
      this.prepended += added.length;
      return;
    }
    // Late ones, between others.
    for (const entry of added) {
      const at = this.#indexAfter(orderOf(entry));
      if (at === this.#size) this.appended += 1;
      else if (at === 0) this.prepended += 1;
      this.entries.splice(at, 0, entry);
    }
  }

  /** The first index whose order is above. @param {number} order */
  #indexAfter(order) {
    let low = 0, high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (orderOf(this.entries[middle]) <= order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {number} id */
  #indexOf(id) {
    const at = this.#indexAfter(id) - 1;
    const entry = this.entries[at];
    return entry?.type === "message" && entry.id === id ? at : -1;
  }

  /** @param {number} id @returns {MessageEntry | null} */
  get(id) {
    const at = this.#known.has(id) ? this.#indexOf(id) : -1;
    return at < 0 ? null : /** @type {MessageEntry} */ (this.entries[at]);
  }

  /**
   * @param {number} id
   * @param {Partial<MessageEntry>} change
   * @returns {boolean} whether it is loaded
   */
  update(id, change) {
    const at = this.#known.has(id) ? this.#indexOf(id) : -1;
    if (at < 0) return false;
    this.entries[at] = { .../** @type {MessageEntry} */ (this.entries[at]), ...change };
    return true;
  }

  /** @param {Iterable<number>} ids @returns {boolean} whether one of them was unread */
  markSeen(ids) {
    let changed = false;
    for (const id of ids) {
      if (!this.#unread.delete(id)) continue;
      this.update(id, { seen: true });
      changed = true;
    }
    return changed;
  }

  /** Marks everything up to an id as read. @param {number} upto */
  markSeenUpto(upto) {
    const ids = [];
    for (const id of this.#unread) {
      if (id > upto) break;
      ids.push(id);
    }
    return this.markSeen(ids);
  }

  /** @param {Omit<GapEntry, "type" | "key">} gap */
  addGap(gap) {
    const key = `g${gap.from}-${gap.to}`;
    if (this.entries.some(entry => entry.type === "gap" && entry.key === key)) return false;
    this.#insert([{ type: "gap", key, ...gap }]);
    return true;
  }

  /** The line is set once a visit. @param {number} after */
  addUnreadLine(after) {
    if (this.entries.some(entry => entry.type === "unread")) return false;
    this.#insert([{ type: "unread", key: "unread", after }]);
    return true;
  }

  /** @param {MessageEntry} entry */
  addOutgoing(entry) {
    this.entries.push(entry);
    this.#outgoing += 1;
    this.appended += 1;
  }

  /** @param {string} key */
  #outgoingIndex(key) {
    for (let at = this.#size; at < this.entries.length; at += 1) if (this.entries[at].key === key) return at;
    return -1;
  }

  /** @param {string} key @returns {MessageEntry | null} */
  getOutgoing(key) {
    const at = this.#outgoingIndex(key);
    return at < 0 ? null : /** @type {MessageEntry} */ (this.entries[at]);
  }

  /**
   * @param {string} key
   * @param {Partial<MessageEntry>} change
   */
  updateOutgoing(key, change) {
    const at = this.#outgoingIndex(key);
    if (at < 0) return false;
    this.entries[at] = { .../** @type {MessageEntry} */ (this.entries[at]), ...change };
    return true;
  }

  /** @param {string} key @returns {MessageEntry | null} */
  removeOutgoing(key) {
    const at = this.#outgoingIndex(key);
    if (at < 0) return null;
    this.#outgoing -= 1;
    return /** @type {MessageEntry} */ (this.entries.splice(at, 1)[0]);
  }

  /** Drops the oldest beyond the bounds, not what is drawn, unless it is twice too much. */
  #bound() {
    const isOver = (/** @type {number} */ times) => this.#size > MAX_LOADED * times || this.#chars > MAX_CHARS * times;
    while (this.#size > DROP && isOver(1)) {
      let count = DROP;
      if (this.#keepFrom !== null && !isOver(2)) {
        const kept = this.#indexAfter(this.#keepFrom - 0.1);
        count = Math.min(count, kept);
        if (count < DROP / 2) return;
      }
      for (const entry of this.entries.splice(0, count)) {
        if (entry.type !== "message" || entry.id === null) continue;
        this.#known.delete(entry.id);
        this.#unread.delete(entry.id);
        this.#chars -= entry.message.text.length;
      }
      this.dropped += count;
    }
  }
}
