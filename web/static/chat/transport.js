// How the engine talks to a hub's channel. A room of agent-chatroom fulfils the same interface: `room/transport.js`.

/** @import { Abilities, Channel, Credentials, Environment, Message, OutgoingAttachment, Priority } from "./types.js" */

import { Http } from "./http.js";
import { HubError, problem } from "./problem.js";
import { readEvents } from "./stream.js";

/**
 * What an event of a stream or the answer of a poll says.
 * @typedef {{type: "hello", roster: string[], backlog: number} | {type: "message", message: Message} | {type: "gap", gap: Gap}
 *   | {type: "lagged"} | {type: "superseded"} | {type: "bye", reason: string} | {type: "roster", data: any}
 *   | {type: "receipt" | "task", data: any}} Signal
 */

/** @typedef {{from: number, to: number, reason: string}} Gap */

/**
 * @typedef {object} ReadOptions
 * @property {string} consumer
 * @property {number | null} since
 * @property {boolean} manual acknowledged by `ack`; otherwise reading acknowledges
 * @property {AbortSignal} signal
 */

/**
 * @typedef {object} PollReply
 * @property {Message[]} messages
 * @property {Gap | null} gap
 * @property {boolean} superseded
 * @property {boolean} draining
 * @property {string[] | null} roster
 */

/** Messages, oldest first, and where to read on; null at the start. @typedef {{messages: Message[], before: number | null}} Page */

/**
 * `newest` is the id of the last message that was sent before the join; null if there is none.
 * @typedef {{session: string | null, channel: Channel, collision: boolean, newest: number | null}} Joined
 */

/** @typedef {{name: string | null, cursor: number, lag: number, in_flight: number, waiting: boolean}} Consumer */

/** @typedef {{id: number | null, at: number, queued: boolean, duplicate: boolean}} Sent */

/**
 * @typedef {object} SendBody
 * @property {string} to
 * @property {string} text
 * @property {"message" | "status"} [kind]
 * @property {Priority} [priority]
 * @property {number} [reply_to]
 * @property {string} [thread]
 * @property {OutgoingAttachment[]} [attachments]
 * @property {string} [wants]
 * @property {number} [deadline_seconds]
 * @property {boolean} [quiet]
 * @property {string} [state]
 * @property {number} [fence]
 */

/**
 * @typedef {object} Transport
 * @property {Abilities} abilities
 * @property {boolean} streams whether `stream` works at all
 * @property {boolean} acks whether what was read is acknowledged
 * @property {boolean} idempotent whether a send may be repeated with its key
 * @property {(credentials: Credentials, session: string | null, signal?: AbortSignal) => Promise<Joined>} join
 * @property {(options: {n: number, before?: number, signal?: AbortSignal}) => Promise<Page>} history
 * @property {(options: ReadOptions & {onSignal: (signal: Signal) => void, onRetry: (ms: number) => void,
 *   onBytes: () => void}) => Promise<void>} stream ends when the stream ends
 * @property {(options: ReadOptions & {timeout_s: number, end_stream: boolean}) => Promise<PollReply>} poll
 * @property {(body: SendBody, key: string, signal?: AbortSignal) => Promise<Sent>} send
 * @property {(consumer: string, upto: number) => Promise<void>} ack
 * @property {(signal?: AbortSignal) => Promise<Consumer[]>} consumers
 * @property {(name: string) => Promise<void>} removeConsumer
 * @property {(signal?: AbortSignal) => Promise<any>} roster
 * @property {(ids: number[]) => Promise<any>} receipts
 * @property {(id: number, n: number, signal?: AbortSignal) => Promise<Blob>} attachment
 * @property {(method: string, path: string, body?: unknown) => Promise<any>} request only with `abilities.push` or `tasks`
 * @property {() => Promise<void>} leave
 * @property {(session_token: string) => Promise<void>} deleteChannel
 */

/** How long a lease lasts while polling, in s: what was lost on the way comes again after it. */
export const LEASE_S = 60;

/** Messages in flight on a stream. */
export const MAX_IN_FLIGHT = 100;

/** Messages that a stream never takes: it only shows whether streams pass. */
export const PROBE_SINCE = Number.MAX_SAFE_INTEGER;

/** @type {Abilities} */
const ABILITIES = {
  direct: true, receipts: true, replies: true, attachments: true, roster: true, delete_channel: true, push: true, tasks: true, text_max: 8192, name_max: 32,
};

/** A channel before the join. @type {Channel} */
export const NO_CHANNEL = {
  id: "", me: "", is_band: false, retention: null, trust_posture: null, human_authorized: false, instructions: null,
  has_owner_password: false, require_identity: false, dm_visibility: null, collision_warning: null, session_ttl_ms: 0,
};

/** @implements {Transport} */
export class HubTransport {
  abilities = ABILITIES;
  streams = true;
  acks = true;
  idempotent = true;
  #http;
  #id;
  #path;
  #token = "";
  /** @type {string | null} */
  #session = null;

  /**
   * @param {string} channel
   * @param {Required<Pick<Environment, "fetch" | "clock" | "base">>} environment
   */
  constructor(channel, environment) {
    this.#http = new Http(environment);
    this.#id = channel;
    this.#path = `/api/channels/${encodeURIComponent(channel)}`;
  }

  #headers() {
    return {
      ...(this.#token ? { Authorization: `Bearer ${this.#token}` } : {}),
      ...(this.#session ? { "X-Session-Id": this.#session } : {}),
    };
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {import("./http.js").RequestOptions} [options]
   */
  #ask(method, path, options = {}) {
    return this.#http.json(method, this.#path + path, { headers: this.#headers(), ...options });
  }

  /**
   * A request about the channel in the member's name, such as one about its push subscriptions.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  request(method, path, body) {
    return this.#ask(method, path, body === undefined ? {} : { body });
  }

  /**
   * @param {Credentials} credentials
   * @param {string | null} session
   * @param {AbortSignal} [signal]
   * @returns {Promise<Joined>}
   */
  async join(credentials, session, signal) {
    this.#token = credentials.token ?? "";
    this.#session = null;
    const { identity_key, callsign, owner_password } = credentials;
    // The header would replace another device's session of the identity.
    const headers = { ...this.#headers(), ...(session && !identity_key ? { "X-Session-Id": session } : {}) };
    const body = { identity_key, callsign: callsign || undefined, owner_password };
    const info = this.#http.json("GET", this.#path, { signal }).catch(() => null);
    const reply = await this.#http.json("POST", `${this.#path}/join`, { headers, body, signal });
    const about = await info;
    if (typeof reply?.session_id !== "string") {
      throw new HubError(problem({ code: "not_a_hub", message: "the answer is not from the hub", about: "hub" }));
    }
    this.#session = reply.session_id;
    return {
      session: reply.session_id,
      newest: list(reply.history).at(-1)?.id ?? null,
      collision: Boolean(reply.collision_warning) && !session && !identity_key,
      channel: {
        id: this.#id,
        me: String(reply.callsign),
        is_band: about?.is_band === true,
        retention: reply.retention ?? null,
        trust_posture: reply.trust_posture ?? null,
        human_authorized: reply.human_authorized === true,
        instructions: reply.instructions ?? null,
        has_owner_password: about?.has_owner_password === true,
        require_identity: about?.require_identity === true,
        dm_visibility: about?.dm_visibility ?? null,
        collision_warning: reply.collision_warning ?? null,
        session_ttl_ms: Number(about?.session_ttl_seconds) * 1000 || 0,
      },
    };
  }

  /** @param {{n: number, before?: number, signal?: AbortSignal}} options */
  async history({ n, before, signal }) {
    const reply = await this.#ask("GET", "/history", { query: { n, before, attachments: "meta" }, signal });
    const messages = list(reply?.history);
    const next = Number.isSafeInteger(reply?.before) ? reply.before : null;
    return { messages, before: next ?? (messages.length >= n ? messages[0].id : null) };
  }

  /** @param {Parameters<Transport["stream"]>[0]} options */
  async stream({ consumer, since, manual, signal, onSignal, onRetry, onBytes }) {
    const body = {
      consumer, ...(since === null ? {} : { since }), ack: manual ? "manual" : "auto", ...(manual ? { max: MAX_IN_FLIGHT } : {}),
      attachments: "meta", own: true, tell: "roster,receipts,tasks",
    };
    const path = `${this.#path}/stream`;
    const response = await this.#http.open("POST", path, { headers: this.#headers(), body, signal });
    onBytes();
    if (!response.body || !/^text\/event-stream\b/u.test(response.headers.get("content-type") ?? "")) {
      throw new HubError(problem({ code: "no_stream", message: "the answer is not a stream", about: "hub" }));
    }
    const onEvent = (/** @type {import("./stream.js").ServerEvent} */ event) => {
      const parsed = signalOf(event);
      if (parsed) onSignal(parsed);
    };
    await readEvents(response.body, { onEvent, onRetry, onBytes, signal });
  }

  /** @param {Parameters<Transport["poll"]>[0]} options */
  async poll({ consumer, since, manual, signal, timeout_s, end_stream }) {
    const query = {
      timeout: timeout_s, consumer, since, ack: manual ? "manual" : "auto", lease: manual ? LEASE_S : null,
      end_stream: end_stream || null, attachments: "meta", own: true,
    };
    const reply = await this.#ask("GET", "/wait", { query, signal, timeout_ms: (timeout_s + 15) * 1000 });
    return {
      messages: list(reply?.messages),
      gap: gapOf(reply?.gap),
      superseded: reply?.superseded === true,
      draining: reply?.draining === true,
      roster: Array.isArray(reply?.roster) ? reply.roster.map(String) : null,
    };
  }

  /**
   * @param {SendBody} body
   * @param {string} key
   * @param {AbortSignal} [signal]
   * @returns {Promise<Sent>}
   */
  async send(body, key, signal) {
    const { text, ...rest } = body;
    const reply = await this.#ask("POST", "/send", { body: { ...rest, message: text, client_msg_id: key }, signal, timeout_ms: 45_000 });
    return {
      id: Number.isSafeInteger(reply?.id) ? reply.id : null, at: Number(reply?.at) || 0,
      queued: reply?.queued === true, duplicate: reply?.duplicate === true,
    };
  }

  /**
   * @param {string} consumer
   * @param {number} upto
   */
  async ack(consumer, upto) {
    await this.#ask("POST", "/ack", { body: { upto, consumer } });
  }

  /** @param {AbortSignal} [signal] */
  async consumers(signal) {
    return (await this.#ask("GET", "/consumers", { signal }))?.consumers ?? [];
  }

  /** @param {string} name */
  async removeConsumer(name) {
    await this.#ask("DELETE", `/consumers/${encodeURIComponent(name)}`);
  }

  /** @param {AbortSignal} [signal] */
  roster(signal) {
    return this.#ask("GET", "/roster", { signal });
  }

  /** @param {number[]} ids at most 50 */
  receipts(ids) {
    return this.#ask("GET", "/receipts", { query: { ids: ids.join(",") } });
  }

  /**
   * @param {number} id
   * @param {number} n
   * @param {AbortSignal} [signal]
   */
  attachment(id, n, signal) {
    const path = `${this.#path}/messages/${id}/attachments/${n}`;
    return this.#http.blob(path, { headers: { ...this.#headers(), Accept: "*/*" }, signal, timeout_ms: 60_000 });
  }

  async leave() {
    await this.#ask("POST", "/leave", { timeout_ms: 5_000 });
  }

  /** @param {string} session_token */
  async deleteChannel(session_token) {
    const headers = { Authorization: `Bearer ${session_token}` };
    await this.#http.json("DELETE", `/api/account/channels/${encodeURIComponent(this.#id)}`, { headers });
  }
}

/**
 * The messages of an answer; what is not a message is left out.
 * @param {unknown} value
 * @returns {Message[]}
 */
function list(value) {
  return Array.isArray(value) ? value.filter(isMessage) : [];
}

/**
 * @param {any} value
 * @returns {value is Message}
 */
function isMessage(value) {
  return Number.isSafeInteger(value?.id) && typeof value.from === "string" && typeof value.text === "string";
}

/**
 * @param {any} value
 * @returns {Gap | null}
 */
function gapOf(value) {
  if (!Number.isFinite(value?.from) || !Number.isFinite(value?.to)) return null;
  return { from: value.from, to: value.to, reason: String(value.reason) };
}

/**
 * @param {import("./stream.js").ServerEvent} event
 * @returns {Signal | null} null for what this version does not know
 */
function signalOf({ event, data }) {
  /** @type {any} */
  let value;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  switch (event) {
    case "hello": {
      const roster = Array.isArray(value?.roster) ? value.roster.map(String) : [];
      return { type: "hello", roster, backlog: Number(value?.backlog_count) || 0 };
    }
    case "message": return isMessage(value) ? { type: "message", message: value } : null;
    case "gap": {
      const gap = gapOf(value);
      return gap && { type: "gap", gap };
    }
    case "lagged": return { type: "lagged" };
    case "superseded": return { type: "superseded" };
    case "bye": return { type: "bye", reason: String(value?.reason ?? "") };
    case "roster": return { type: "roster", data: value };
    case "receipt":
    case "task": return { type: event, data: value };
    default: return null;
  }
}
