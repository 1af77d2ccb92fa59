// The chat's transport for a room of agent-chatroom: one list of broadcasts, read by position; names instead of members.

/** @import { Abilities, Credentials, Environment, Message } from "../chat/types.js" */
/** @import { Consumer, Joined, Page, PollReply, SendBody, Sent, Transport } from "../chat/transport.js" */

import { Http } from "../chat/http.js";
import { HubError, problem } from "../chat/problem.js";
import { NO_CHANNEL } from "../chat/transport.js";

/** How long a sent message is looked for in the list (ms), and how many are remembered for that. */
const ECHO_MS = 5_000, RECENT = 200;

/** @type {Abilities} */
const ABILITIES = {
  direct: false, receipts: false, replies: false, attachments: false, roster: false, delete_channel: false, push: false, tasks: false, text_max: 8192, name_max: 30,
};

/** @typedef {{agent: string, text: string, timestamp: string}} RoomMessage */

/** @implements {Transport} */
export class RoomTransport {
  abilities = ABILITIES;
  streams = false;
  acks = false;
  // The room knows no keys: a repeated send would be a second message.
  idempotent = false;
  #http;
  #clock;
  #path;
  #password = "";
  #name = "anonymous";
  /** What is added to a position to make an id. Grows when the list starts again. */
  #offset = 0;
  #next = 0;
  /** A restart that some read has met, and no poll has reported yet. @type {import("../chat/transport.js").Gap | null} */
  #restart = null;
  /** Names under which the room shows this sender: a name that looks like the callsign of another gets a suffix. */
  #mine = new Set([""]);
  /** The last messages, to find what was sent. @type {(RoomMessage & {id: number, isTaken: boolean})[]} */
  #recent = [];
  /** @type {Set<() => void>} */
  #lookers = new Set();

  /**
   * @param {string} path of the room's page; its routes are below
   * @param {Required<Pick<Environment, "fetch" | "clock" | "base">>} environment
   */
  constructor(path, environment) {
    this.#http = new Http(environment);
    this.#clock = environment.clock;
    this.#path = path.replace(/\/+$/u, "");
  }

  /**
   * The password as a header, or where a header cannot carry it as a parameter.
   * @returns {{headers: Record<string, string>, query: Record<string, string>}}
   */
  #secret() {
    const isPlain = /^[\x21-\x7E](?:[\x20-\x7E]*[\x21-\x7E])?$/u.test(this.#password);
    return isPlain ? { headers: { "X-Room-Password": this.#password }, query: {} } : { headers: {}, query: { password: this.#password } };
  }

  /**
   * @param {number} after
   * @param {number} wait_s
   * @param {AbortSignal} [signal]
   * @returns {Promise<{messages: Message[], gap: {from: number, to: number, reason: string} | null}>}
   */
  async #list(after, wait_s, signal) {
    const { headers, query } = this.#secret();
    const path = `${this.#path}/messages/poll`;
    const given = { ...query, after, ...(wait_s ? { wait: wait_s } : {}) };
    const reply = await this.#http.json("GET", path, { headers, query: given, signal, timeout_ms: (wait_s + 15) * 1000 });
    if (!Number.isSafeInteger(reply?.next) || !Array.isArray(reply?.messages)) {
      throw new HubError(problem({ code: "not_a_hub", message: "the answer is not from a room", about: "hub" }));
    }
    /** @type {{from: number, to: number, reason: string} | null} */
    let gap = null;
    const { next, messages } = reply;
    const first = next - messages.length;
    if (next < Math.max(after, this.#next)) {
      // The list started again: its positions go on above those that are known.
      this.#offset += Math.max(after, this.#next);
      this.#restart = { from: this.#offset, to: this.#offset, reason: "restart" };
    } else if (messages.length && first > after) {
      gap = { from: this.#offset + after, to: this.#offset + first, reason: "ring" };
    }
    this.#next = next;
    const idOf = (/** @type {number} */ at) => first + at + 1 + this.#offset;
    messages.forEach((/** @type {RoomMessage} */ message, /** @type {number} */ at) => this.#remember(message, idOf(at)));
    for (const look of [...this.#lookers]) look();
    return { messages: messages.map((/** @type {RoomMessage} */ message, /** @type {number} */ at) => this.#message(message, idOf(at))), gap };
  }

  /**
   * @param {RoomMessage} message
   * @param {number} id
   */
  #remember({ agent, text, timestamp }, id) {
    if (this.#recent.some(known => known.id === id)) return;
    this.#recent.push({ agent, text, timestamp, id, isTaken: false });
    if (this.#recent.length > RECENT) this.#recent.shift();
  }

  /**
   * @param {RoomMessage} message
   * @param {number} id
   * @returns {Message}
   */
  #message({ agent, text, timestamp }, id) {
    const own = this.#mine.has(agent) ? { own: true } : {};
    return { id, from: String(agent), to: "all", text: String(text), at: Date.parse(timestamp) || this.#clock.now(), ...own };
  }

  /**
   * @param {Credentials} credentials `token` is the password, `name` or `callsign` the name
   * @param {string | null} _session
   * @param {AbortSignal} [signal]
   * @returns {Promise<Joined>}
   */
  async join(credentials, _session, signal) {
    this.#password = credentials.token ?? "";
    this.#name = (credentials.name || credentials.callsign || "anonymous").trim().slice(0, ABILITIES.name_max);
    this.#mine = new Set([this.#name]);
    await this.#list(this.#next, 0, signal);
    const newest = this.#next ? this.#offset + this.#next : null;
    return { session: null, collision: false, newest, channel: { ...NO_CHANNEL, id: credentials.channel, me: this.#name } };
  }

  /**
   * Everything that is held; there is nothing before it.
   * @param {{n: number, before?: number, signal?: AbortSignal}} options
   * @returns {Promise<Page>}
   */
  async history({ before = Infinity, signal }) {
    const { messages } = await this.#list(0, 0, signal);
    return { messages: messages.filter(({ id }) => id < before), before: null };
  }

  async stream() {
    throw new HubError(problem({ code: "no_stream", about: "hub" }));
  }

  /**
   * @param {Parameters<Transport["poll"]>[0]} options
   * @returns {Promise<PollReply>}
   */
  async poll({ since, timeout_s, signal }) {
    const after = Math.max(0, (since ?? 0) - this.#offset);
    const { messages, gap: missed } = await this.#list(after, timeout_s, signal);
    const gap = this.#restart ?? missed;
    this.#restart = null;
    return { messages, gap, superseded: false, draining: false, roster: null };
  }

  /**
   * Sends, and waits until the message is in the list: its position is its id. A send without an answer counts as sent
   * if the list has it.
   * @param {SendBody} body
   * @param {string} _key
   * @param {AbortSignal} [signal]
   * @returns {Promise<Sent>}
   */
  async send({ text }, _key, signal) {
    const { headers, query } = this.#secret();
    const agent = this.#name;
    const from = this.#offset + this.#next;
    try {
      const reply = await this.#http.json("POST", `${this.#path}/messages`, { headers, query, body: { agent, text }, signal });
      const timestamp = reply?.message?.timestamp;
      const id = await this.#echo(one => one.text === text && one.timestamp === timestamp);
      return { id, at: Date.parse(timestamp) || this.#clock.now(), queued: false, duplicate: false };
    } catch (error) {
      if (!(error instanceof HubError) || !error.isUnknown) throw error;
      const id = await this.#echo(one => one.id > from && this.#mine.has(one.agent) && one.text === text);
      if (id === null) throw error;
      return { id, at: this.#clock.now(), queued: false, duplicate: false };
    }
  }

  /**
   * The id of a message that the reads bring.
   * @param {(message: RoomMessage & {id: number}) => boolean} is
   * @returns {Promise<number | null>}
   */
  #echo(is) {
    return new Promise(done => {
      const look = () => {
        const found = this.#recent.find(one => !one.isTaken && is(one));
        if (!found) return;
        found.isTaken = true;
        this.#mine.add(found.agent);
        end(found.id);
      };
      const end = (/** @type {number | null} */ id) => {
        this.#clock.clearTimeout(timer);
        this.#lookers.delete(look);
        done(id);
      };
      const timer = this.#clock.setTimeout(() => end(null), ECHO_MS);
      this.#lookers.add(look);
      look();
    });
  }

  /** @returns {Promise<Consumer[]>} */
  async consumers() { return []; }
  async ack() {}
  async removeConsumer() {}
  async roster() { return null; }
  async receipts() { return null; }
  async leave() {}

  /** @returns {Promise<Blob>} */
  async attachment() { throw new HubError(problem({ code: "not_found", status: 404 })); }
  /** @returns {Promise<any>} */
  async request() { throw new HubError(problem({ code: "not_found", status: 404 })); }
  async deleteChannel() { throw new HubError(problem({ code: "not_found", status: 404 })); }
}
