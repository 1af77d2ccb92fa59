// The chat without its view: joins, reads, writes, and tells what changed. `types.js` is the contract.

/** @import { Channel, ChangeDetail, ChatModel, Credentials, Draft, Environment, Outgoing } from "./types.js" */
/** @import { Signal, Transport } from "./transport.js" */
/** @import { Parts } from "./incoming.js" */

import { Approvals } from "./approvals.js";
import { Changes } from "./changes.js";
import { Connection } from "./connection.js";
import { Drafts } from "./drafts.js";
import { Incoming } from "./incoming.js";
import { keptPush } from "./keys.js";
import { Log } from "./log.js";
import { Outbox } from "./outbox.js";
import { History } from "./history.js";
import { HubError, problem } from "./problem.js";
import { Reading } from "./reading.js";
import { Receipts } from "./receipts.js";
import { Roster } from "./roster.js";
import { Secrets } from "./secrets.js";
import { Statuses } from "./statuses.js";
import { Tasks } from "./tasks.js";
import { HubTransport, NO_CHANNEL } from "./transport.js";
import { Writing } from "./writing.js";

/**
 * @param {string} channel
 * @param {Required<Environment>} environment `browserEnvironment()` in a page
 * @param {Transport} [transport]
 * @returns {ChatModel}
 */
export function createModel(channel, environment, transport = new HubTransport(channel, environment)) {
  return new Model(channel, environment, transport);
}

/** @implements {ChatModel} */
class Model extends EventTarget {
  /** @type {Channel} */
  channel;
  #log = new Log();
  #people = new Roster();
  #clock;
  #lasting;
  #transport;
  #secrets;
  #drafts;
  #parts;
  #incoming;
  #writing;
  #history;
  #link;
  #unlisten;

  /**
   * @param {string} channel
   * @param {Required<Environment>} environment
   * @param {Transport} transport
   */
  constructor(channel, environment, transport) {
    super();
    const { clock, session: tab, lasting, vault, random, signals, slots } = environment;
    const base = { channel, clock, tab, lasting, vault, random, signals, slots, transport };
    this.#clock = clock;
    this.#lasting = lasting;
    this.#transport = transport;
    this.channel = { ...NO_CHANNEL, id: channel };
    this.#secrets = new Secrets(base);
    this.#drafts = new Drafts(base);
    const log = this.#log;
    const changes = new Changes(log, detail => {
      if (detail.dropped) this.#history.dropped();
      this.dispatchEvent(new CustomEvent("change", { detail }));
    });
    const parts = /** @type {Parts} */ ({ log, changes });
    this.#parts = parts;
    this.#incoming = new Incoming(parts);
    this.#incoming.canAddress = transport.abilities.direct;
    this.#incoming.stated = status => { if (this.#people.stated(status)) changes.note("roster"); };
    this.#writing = new Writing(parts, this.#incoming);
    this.#history = new History(parts, this.#incoming, transport);
    parts.statuses = new Statuses({ clock, changed: () => changes.note("statuses") });
    parts.tasks = new Tasks({
      clock, board: before => this.request("GET", `/tasks?limit=200&before=${before}`), isLive: () => this.connection.state === "live-stream",
      changed: tasks => this.#tasksChanged(tasks),
    });
    parts.approvals = new Approvals({ clock, changed: id => this.#writing.approvalChanged(id) });
    parts.receipts = new Receipts({ ...base, apply: (...given) => this.#writing.applyReceipts(...given) });
    parts.reading = new Reading({ ...base, reopen: () => this.#link.reopen(), log: {
      isSeen: id => log.isSeen(id),
      markSeen: ids => log.markSeen(ids) && changes.note("entries", "unread"),
      unread: () => log.unread,
      seenUpto: () => log.seenUpto,
    } });
    parts.outbox = new Outbox({ ...base, handlers: {
      changed: item => this.#writing.changed(item),
      removed: item => this.#writing.removed(item),
      sent: (item, reply) => this.#writing.sent(item, reply),
      refused: error => (error.isSessionGone ? this.#link.sessionGone() : this.#link.end("refused", error.problem)),
    } });
    this.#link = new Connection({ ...base, reading: parts.reading, handlers: {
      onState: () => this.#stateChanged(),
      prepare: (rejoin, signal) => this.#prepare(rejoin, signal),
      onSignal: signal => this.#onSignal(signal),
      onPoll: ({ roster, gap, messages }) => {
        const isFirst = this.#incoming.isFirst;
        this.#incoming.opened(0);
        if (roster) this.#online(roster);
        if (gap) this.#incoming.gap(gap);
        this.#incoming.consumed(messages, !isFirst);
      },
      onLive: () => this.#onLive(),
      sessionTtl_ms: () => this.channel.session_ttl_ms,
      freeConsumer: () => parts.reading.makeRoom(),
    } });
    this.#unlisten = signals.listen(what => what === "pagehide" && this.#drafts.flush());
    this.#writing.restore();
  }

  get earlier() { return this.#history.earlier; }
  get connection() { return this.#link.state; }
  get abilities() { return this.#transport.abilities; }
  get entries() { return this.#log.entries; }
  get roster() { return this.#people.list; }
  get statuses() { return this.#parts.statuses.list; }
  get tasks() { return this.#parts.tasks.list; }
  get unread() { return this.#log.unread; }
  get firstUnread() { return this.#log.firstUnread; }
  get credentials() { return this.#secrets.credentials; }
  get remembered() { return this.#secrets.remembered; }
  get consumer() { return this.#parts.reading.consumer; }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  request(method, path, body) { return this.#transport.request(method, path, body); }

  /** @param {(detail: ChangeDetail) => void} listener */
  subscribe(listener) {
    const call = (/** @type {any} */ event) => listener(event.detail);
    this.addEventListener("change", call);
    return () => this.removeEventListener("change", call);
  }

  // Connecting

  stored() {
    return this.#secrets.load();
  }

  /** @param {Credentials} credentials */
  start(credentials) {
    this.#secrets.set(credentials);
    this.#link.start();
    return new Promise((/** @type {(value: void) => void} */ done) => {
      const end = this.subscribe(() => {
        if (this.connection.state === "joining") return;
        end();
        done();
      });
    });
  }

  /**
   * @param {boolean} rejoin
   * @param {AbortSignal} signal
   */
  async #prepare(rejoin, signal) {
    if (rejoin) await this.#join(signal);
    if (!this.#history.isLoaded) await this.#history.start(signal);
    else if (this.#history.needsCatchUp) this.#history.catchUp(signal);
  }

  /** @param {AbortSignal} signal */
  async #join(signal) {
    const credentials = this.#secrets.credentials ?? { channel: this.channel.id };
    const kept = this.#secrets.session;
    const isSame = !credentials.callsign || kept?.callsign === credentials.callsign.trim().toLowerCase();
    const joined = await this.#transport.join(credentials, isSame ? kept?.id ?? null : null, signal);
    if (joined.collision && !credentials.same_member) {
      const message = "somebody with this callsign is on the channel";
      throw new HubError(problem({ code: "collision", status: 409, message, about: "callsign" }));
    }
    this.channel = joined.channel;
    this.#history.joinedAt = joined.newest;
    this.#incoming.me = joined.channel.me;
    this.#people.setMe(joined.channel.me);
    if (joined.session) this.#secrets.setSession({ id: joined.session, callsign: joined.channel.me });
    this.#parts.changes.note("channel", "roster");
  }

  #stateChanged() {
    const { state } = this.connection;
    const { receipts, outbox, changes } = this.#parts;
    if (state !== "live-stream" && state !== "live-poll") receipts.live(false);
    if (state === "reconnecting" || state === "offline") this.#history.needsCatchUp = this.#history.isLoaded;
    if (state === "ended" || state === "refused" || state === "joining") outbox.pause();
    changes.note("connection");
  }

  #onLive() {
    const { reading, receipts, outbox, tasks } = this.#parts;
    reading.live();
    receipts.live(true);
    outbox.resume();
    if (this.abilities.tasks) tasks.reconnected();
    this.refreshRoster();
  }

  /** @param {Signal} signal */
  #onSignal(signal) {
    switch (signal.type) {
      case "hello":
        this.#incoming.opened(signal.backlog);
        return this.#online(signal.roster);
      case "message": return this.#incoming.streamed(signal.message);
      case "gap": return this.#incoming.gap(signal.gap);
      case "roster": return this.#rosterIs(signal.data, false);
      case "receipt": return this.#parts.receipts.pushed(signal.data);
      case "task": return this.applyTasks(signal.data);
      default:
    }
  }

  useHere() { this.#link.reconnectNow(); }
  reconnectNow() { this.#link.reconnectNow(); }

  close() {
    this.#drafts.flush();
    this.#link.close();
    this.#unlisten();
    const { reading, outbox, receipts, statuses, approvals, tasks } = this.#parts;
    for (const part of [reading, outbox, receipts, statuses, approvals, tasks]) part.close();
  }

  // Leaving

  async leave() {
    const { outbox, reading, statuses } = this.#parts;
    this.#drafts.end();
    this.#link.end("ended", problem({ code: "left", about: "session" }));
    statuses.clear();
    // The session ends on the hub by its TTL if it cannot be reached now.
    if (this.#transport.abilities.roster) await this.#transport.removeConsumer(reading.consumer).catch(() => {});
    await this.#transport.leave().catch(() => {});
    outbox.clear();
    await this.#secrets.clear();
    this.#parts.changes.note("channel", "outbox");
  }

  async forget() {
    this.#drafts.end();
    const push = keptPush(this.#lasting, this.channel.id);
    await this.#secrets.forget();
    this.#parts.changes.note("channel");
    // A subscription that is left ends with the session, or after its time.
    if (push) await this.request("DELETE", `/push/${push.id}`).catch(() => {});
  }

  /** @param {boolean} on */
  async remember(on) {
    await this.#secrets.remember(on);
    this.#parts.changes.note("channel");
  }

  /** @param {string} session_token */
  async deleteChannel(session_token) {
    await this.#transport.deleteChannel(session_token);
    this.#link.end("ended", problem({ code: "deleted", about: "channel", final: true }));
    await this.forget();
  }

  // Reading

  /** @param {number} id */
  seen(id) { this.#parts.reading.seen(id); }

  /** @param {number} id */
  unseen(id) { this.#parts.reading.unseen(id); }

  /** @param {number} [upto] */
  markRead(upto = Infinity) {
    if (!this.#log.markSeenUpto(upto)) return;
    this.#parts.changes.note("entries", "unread");
    this.#parts.reading.seenChanged();
  }

  /** @param {number | null} id */
  keepFrom(id) { this.#log.keepFrom(id); }

  loadEarlier() { return this.#history.loadEarlier(); }

  /**
   * @param {number} message_id
   * @param {number} n
   */
  attachment(message_id, n) { return this.#transport.attachment(message_id, n); }

  // People

  /** @param {readonly string[]} names */
  #online(names) {
    this.#people.online(names);
    this.#rosterChanged();
  }

  /**
   * @param {any} data
   * @param {boolean} isWhole
   */
  #rosterIs(data, isWhole) {
    this.#people.apply(data, isWhole);
    this.#rosterChanged();
  }

  #rosterChanged() {
    this.#parts.statuses.keepOnly(callsign => this.#people.isOnline(callsign));
    this.#parts.changes.note("roster");
  }

  async refreshRoster() {
    if (!this.abilities.roster || !this.channel.me) return;
    await this.#transport.roster().then(data => this.#rosterIs(data, true), () => {});
  }

  // Tasks

  /** @param {import("./tasks.js").Task[]} tasks */
  #tasksChanged(tasks) {
    for (const task of tasks) this.#log.update(task.id, { task });
    this.#parts.changes.note("entries", "tasks");
  }

  /** @param {any} data */
  applyTasks(data) { this.#parts.tasks.apply(data); }

  refreshTasks() { return this.#parts.tasks.look(); }

  /** @param {string} callsign */
  unheard(callsign) { return this.#people.unheard(callsign, this.#clock.now()); }

  // Writing

  /** @param {Outgoing} outgoing */
  send(outgoing) { return this.#writing.send(outgoing); }

  /** @param {string} key */
  retry(key) { this.#parts.outbox.retry(key); }

  /** @param {string} key */
  edit(key) { return this.#parts.outbox.take(key)?.outgoing ?? null; }

  /** @param {string} key */
  discard(key) { return this.#parts.outbox.take(key) !== null; }

  /**
   * @param {number} message_id
   * @param {string} text
   * @param {boolean} [hold]
   */
  reply(message_id, text, hold = false) { return this.#writing.reply(message_id, text, hold); }

  /** @param {number} message_id */
  undoReply(message_id) { return this.#parts.approvals.undo(message_id); }

  loadDraft() { return this.#drafts.load(); }

  /** @param {Draft} draft */
  saveDraft(draft) { this.#drafts.save(draft); }

  flushDraft() { this.#drafts.flush(); }
}

