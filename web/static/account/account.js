// The account that is open in this tab: its session token, its lists, and the requests made with it.
import { request, ApiError } from "../lib/api.js";
import { Resource } from "../lib/resource.js";
import { Tasks } from "../lib/tasks.js";

/** @typedef {{callsign: string, created_at: number}} Identity */
/**
 * @typedef {object} Email An address, shortened. `next` is one that is to replace it.
 * @property {string} address
 * @property {boolean} verified
 * @property {number | null} expires_at
 * @property {{address: string, expires_at: number} | null} next
 */
/**
 * @typedef {object} Summary The reply of `GET /api/account`. A limit of null means unlimited.
 * @property {string} account_id
 * @property {number} created_at
 * @property {Identity[]} identities
 * @property {number} channels
 * @property {number} webhooks
 * @property {Email | null} [email]
 * @property {{channels: number | null, identities: number | null, webhooks: number | null}} limits
 */
/**
 * @typedef {object} OwnedChannel
 * @property {string} id
 * @property {number} created_at
 * @property {string} retention
 * @property {boolean} require_identity
 * @property {string} trust_mode
 * @property {number} agent_count
 */
/**
 * @typedef {object} Webhook
 * @property {string} id
 * @property {string} url
 * @property {string[]} events
 * @property {string} retry
 * @property {number} created_at
 * @property {boolean} active
 * @property {number} [switched_off_at]
 * @property {number} failures_in_a_row
 * @property {number} due
 * @property {number} [previous_secret_until]
 * @property {string[]} [header_names]
 * @property {boolean} [custom_body]
 */

const REFRESH_MS = 30_000;

/** The name under which the page remembers an identity's key. @param {string} callsign */
export const keyName = callsign => `key ${callsign}`;

/** The name under which the page remembers a channel's token. @param {string} id */
export const tokenName = id => `token ${id}`;

/** An open account. */
export class Account {
  /** @type {Resource<Summary>} */
  summary;
  /** @type {Resource<OwnedChannel[]>} */
  channels;
  /** @type {Resource<Webhook[]>} */
  webhooks;
  /** @type {Resource<import("./sessions.js").AccountSession[]>} */
  sessions;
  /** @type {Resource<import("./push.js").Device[]>} */
  devices;
  /** What is under way, and how it failed. */
  tasks;
  /** Keys of identities and tokens of channels that were shown in this page, kept in memory only. @type {Map<string, string>} */
  known = new Map();
  /** Redraws the page. */
  changed;

  #token;
  #ended;
  #reloaded;
  #stop = new AbortController();

  /**
   * @param {string} token a session token
   * @param {() => void} changed redraws the page
   * @param {() => void} ended called when the hub no longer accepts the token
   * @param {() => void} reloaded called with every reload, for lists that are opened inside of others
   */
  constructor(token, changed, ended, reloaded) {
    this.#token = token;
    this.#ended = ended;
    this.#reloaded = reloaded;
    this.changed = changed;
    this.tasks = new Tasks(changed);
    this.summary = new Resource(() => this.call("GET", "/api/account"), changed);
    this.channels = new Resource(async () => (await this.call("GET", "/api/account/channels")).channels, changed);
    this.webhooks = new Resource(async () => (await this.call("GET", "/api/account/webhooks")).webhooks, changed);
    this.sessions = new Resource(async () => (await this.call("GET", "/api/account/sessions")).sessions, changed);
    this.devices = new Resource(async () => (await this.call("GET", "/api/account/push")).subscriptions, changed);
  }

  /** Loads everything, and again while the page is visible. */
  start() {
    const options = { signal: this.#stop.signal };
    const timer = setInterval(() => document.hidden || this.reload(), REFRESH_MS);
    this.#stop.signal.addEventListener("abort", () => clearInterval(timer));
    document.addEventListener("visibilitychange", () => document.hidden || this.reload(), options);
    addEventListener("online", () => this.reload(), options);
    return this.reload();
  }

  /** Ends the refreshes and open requests. */
  stop() {
    this.#stop.abort();
    this.known.clear();
  }

  /** Loads all lists again. */
  async reload() {
    this.#reloaded();
    await Promise.all([this.summary, this.channels, this.webhooks, this.sessions, this.devices].map(list => list.reload()));
  }

  /**
   * Sends a request with the session token.
   * @param {string} method
   * @param {string} path
   * @param {{body?: unknown, query?: Record<string, string | number>}} [options]
   */
  async call(method, path, options = {}) {
    try {
      return await request(method, path, { token: this.#token, signal: this.#stop.signal, timeout_ms: 20_000, ...options });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401 && !this.#stop.signal.aborted) this.#ended();
      throw error;
    }
  }
}
