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

/** @param {{state: string}} task */
export const isOpen = ({ state }) => state === "open" || state === "held" || state === "input";

export class Tasks {
  /** The newest change first. @type {readonly Task[]} */
  list = [];
  /** @type {Map<number, Task>} */
  #byId = new Map();
  /** Tasks of loaded messages that no event has described. @type {Set<number>} */
  #unknown = new Set();
  /** @type {unknown} */
  #timer = null;
  #parts;

  /**
   * @param {{clock: Clock, board: () => Promise<any>, isLive: () => boolean, changed: (tasks: Task[]) => void}} parts
   *   `board` requests the tasks, the newest change first; `isLive`: events describe what changes
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
   */
  apply(data) {
    /** @type {Task[]} */
    const rows = (Array.isArray(data?.tasks) ? data.tasks : []).filter((/** @type {any} */ row) => Number.isSafeInteger(row?.id) && typeof row.state === "string");
    const changed = rows.filter(row => (this.#byId.get(row.id)?.updated_at ?? -1) < row.updated_at);
    for (const id of Array.isArray(data?.removed) ? data.removed : []) {
      const known = this.#byId.get(id);
      if (known) changed.push({ ...known, state: "gone", updated_at: known.updated_at + 1 });
    }
    this.#set(changed);
  }

  /** @param {Task[]} changed */
  #set(changed) {
    if (!changed.length) return;
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
  seen(message, isLive) {
    const { id, wants, reply_to, state } = message;
    if (wants && !this.#byId.has(id)) {
      this.#unknown.add(id);
      if (isLive) this.#set([{ ...taskOf(message), state: "open", updated_at: 0 }]);
      else this.lookSoon();
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
    const before = this.list.filter(isOpen), unknown = [...this.#unknown];
    const reply = await this.#parts.board();
    const listed = new Set((Array.isArray(reply?.tasks) ? reply.tasks : []).map((/** @type {any} */ row) => row?.id));
    this.apply(reply);
    // A page of the board that is full may leave out old ones.
    if (reply?.before !== undefined) return;
    const gone = before.filter(task => !listed.has(task.id) && this.get(task.id) === task);
    this.#set(gone.map(task => ({ ...task, state: "gone", updated_at: task.updated_at + 1 })));
    this.#parts.changed(unknown.filter(id => this.#unknown.delete(id)).map(id => ({ ...taskOf({ id, from: "", to: "", text: "", at: 0 }), state: "gone", updated_at: 0 })));
  }

  close() {
    if (this.#timer !== null) this.#parts.clock.clearTimeout(this.#timer);
  }
}

/** @param {Message} message @returns {Omit<Task, "state" | "updated_at">} */
function taskOf({ id, from, to, text, wants = "", deadline = 0, thread }) {
  return { id, from, to, wants, text: text.slice(0, 120), deadline, attempts: 0, answered: 0, ...(thread ? { thread } : {}) };
}
