// The tasks of the channel: messages that want an answer or work, who has them, and what became of them.

/** @import { Clock, Message } from "./types.js" */

/**
 * A task as the hub describes it (docs/API.md, Tasks). `gone`: the hub does not know it, because it was closed long ago or
 * the hub was restarted.
 * @typedef {object} Task
 * @property {number} id that of the message that opened it
 * @property {string} from
 * @property {string} to a callsign or `all`
 * @property {string} wants `answer`, `work`
 * @property {boolean} [quiet] on the board only: it was delivered to nobody
 * @property {string} [thread]
 * @property {string} text its beginning
 * @property {"open" | "held" | "input" | "done" | "failed" | "rejected" | "cancelled" | "expired" | "gone"} state
 * @property {string} [why] why it was closed, if not by a reply
 * @property {number} deadline epoch milliseconds
 * @property {string} [holder]
 * @property {number} [fence]
 * @property {number} [lease_until] epoch milliseconds
 * @property {number} attempts leases that ended without a result
 * @property {number} answered
 * @property {number} updated_at
 */

/** Tasks that are kept; closed ones go first. */
const MAX_TASKS = 700;
/** After how long a poll's news are followed by a look at the board (ms). */
const LOOK_MS = 300;
/** After how long (ms) a live message whose task no event has described is looked up: it may have ended before. */
const ROW_MS = 2000;
/** Pages of the board that are read, of 200 tasks each: more are not kept. */
const MAX_PAGES = Math.ceil(MAX_TASKS / 200);

/** @param {{state: string}} task */
export const isOpen = ({ state }) => state === "open" || state === "held" || state === "input";

export class Tasks {
  /** The newest change first. @type {readonly Task[]} */
  list = [];
  /** @type {Map<number, Task>} */
  #byId = new Map();
  /** Tasks of messages that no row of the hub has described. @type {Set<number>} */
  #unknown = new Set();
  /** @type {unknown} */
  #timer = null;
  #parts;

  /**
   * @param {{clock: Clock, board: (before: number) => Promise<any>, isLive: () => boolean, changed: (tasks: Task[]) => void}} parts
   *   `board` requests those that changed last before a time, the newest first; `isLive`: events describe what changes
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @param {number} id */
  get(id) {
    return this.#byId.get(id) ?? null;
  }

  /**
   * What the hub reports: an event, the board, or the answer to a taking.
   * @param {any} data
   * @returns {Task[]} its rows
   */
  apply(data) {
    /** @type {Task[]} */
    const rows = (Array.isArray(data?.tasks) ? data.tasks : []).filter((/** @type {any} */ row) => Number.isSafeInteger(row?.id) && typeof row.state === "string");
    const changed = rows.filter(row => (this.#byId.get(row.id)?.updated_at ?? -1) < row.updated_at);
    for (const id of Array.isArray(data?.removed) ? data.removed : []) {
      const known = this.#byId.get(id);
      if (known) changed.push({ ...known, state: "gone", updated_at: known.updated_at + 1 });
    }
    // An event has a bound.
    if (data?.more) this.lookSoon();
    if (changed.length) this.#set(changed);
    return rows;
  }

  /** @param {Task[]} changed */
  #set(changed) {
    for (const task of changed) {
      this.#byId.set(task.id, task);
      this.#unknown.delete(task.id);
    }
    let list = [...this.#byId.values()].sort((a, b) => b.updated_at - a.updated_at);
    if (list.length > MAX_TASKS) {
      const surplus = new Set(list.filter(task => !isOpen(task)).slice(MAX_TASKS - list.length));
      list = list.filter(task => !surplus.has(task));
      this.#byId = new Map(list.map(task => [task.id, task]));
    }
    this.list = list;
    this.#parts.changed(changed);
  }

  /**
   * A message was loaded or has arrived.
   * @param {Message} message
   * @param {boolean} isLive
   */
  seen({ id, from, to, text, wants, deadline = 0, thread, reply_to, state }, isLive) {
    if (wants && !this.#byId.has(id)) {
      if (isLive) {
        this.#set([{ id, from, to, wants, text: text.slice(0, 120), deadline, thread, state: "open", attempts: 0, answered: 0, updated_at: 0 }]);
        this.#parts.clock.setTimeout(() => this.#unknown.has(id) && this.lookSoon(), ROW_MS);
      } else this.lookSoon();
      this.#unknown.add(id);
    }
    const task = reply_to ? this.#byId.get(reply_to) : undefined;
    // It is one of the answers that are shown with the task.
    if (task) this.#parts.changed([task]);
    if (isLive && !this.#parts.isLive() && (state || task)) this.lookSoon();
  }

  /** Requests the board soon, once for all that happens meanwhile. */
  lookSoon() {
    this.#timer ??= this.#parts.clock.setTimeout(() => {
      this.#timer = null;
      void this.look().catch(() => {});
    }, LOOK_MS);
  }

  /** Events are read again: what happened meanwhile is on the board. */
  reconnected() {
    if (this.#unknown.size || this.list.some(isOpen) || !this.#parts.isLive()) this.lookSoon();
  }

  /**
   * Requests the board. Open tasks that it does not have any more are gone.
   * @throws {import("./problem.js").HubError}
   */
  async look() {
    const open = this.list.filter(isOpen), unknown = [...this.#unknown], listed = new Set();
    let before = Number.MAX_SAFE_INTEGER;
    for (let page = 0; before && page < MAX_PAGES; page += 1) {
      const reply = await this.#parts.board(before);
      for (const { id } of this.apply(reply)) listed.add(id);
      before = reply?.before;
    }
    // What is beyond the bound may still be there.
    if (before) return;
    this.apply({ removed: open.filter(task => !listed.has(task.id) && this.get(task.id) === task).map(({ id }) => id) });
    for (const id of unknown) this.#unknown.delete(id);
  }

  close() {
    if (this.#timer !== null) this.#parts.clock.clearTimeout(this.#timer);
    this.#unknown.clear();
  }
}
