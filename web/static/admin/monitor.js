// What the page knows of the hub: counters of the last ten minutes, channels and bans, refreshed every five seconds.
import { request, ApiError } from "../lib/api.js";
import { withSample } from "./data.js";

/**
 * @typedef {object} Counters The reply of `GET /api/admin/counters`.
 * @property {number} started_at
 * @property {number} channels_created
 * @property {number} joins_total
 * @property {number} messages_total
 * @property {number} channels
 * @property {number} channels_live
 * @property {number} members
 * @property {number} members_live
 * @property {number} polls
 * @property {number} streams
 * @property {number} held
 * @property {number} held_bytes
 * @property {number} bans
 * @property {Record<string, number>} refused
 */
/**
 * @typedef {object} Session A session of a channel, without its id.
 * @property {number} idx
 * @property {string} callsign
 * @property {number} joined_at
 * @property {number} seen_seconds_ago
 * @property {boolean} is_waiting
 * @property {number} consumer_count
 * @property {number} held_count
 */
/**
 * @typedef {object} Channel A channel without its messages. What is not known of a channel that is not in memory is null.
 * @property {string} id
 * @property {boolean} is_band
 * @property {string} retention
 * @property {string} durability
 * @property {string} trust_mode
 * @property {string} dm_visibility
 * @property {number} created_at
 * @property {string[]} roster
 * @property {number | null} agent_count
 * @property {number | null} member_count
 * @property {number | null} message_count
 * @property {number | null} held_count
 * @property {number | null} first_joined_at
 * @property {number} last_activity_at
 * @property {Session[]} sessions
 * @property {boolean} [is_unloaded] whether it is not in memory
 */
/**
 * @typedef {object} Listed The reply of `GET /api/admin/channels`.
 * @property {Channel[]} channels
 * @property {number} total
 * @property {(Pick<Channel, "id" | "retention" | "durability" | "trust_mode" | "dm_visibility" | "created_at"> & {last_used_at: number})[]} [unloaded]
 * @property {number} [unloaded_total]
 */
/**
 * @typedef {object} Ban
 * @property {string} id
 * @property {string} [callsign]
 * @property {string} [identity]
 * @property {string} [address]
 * @property {string} [channel_id]
 * @property {string} [reason]
 * @property {number} created_at
 * @property {number} [expires_at]
 */
/**
 * @typedef {object} Sample
 * @property {number} at milliseconds since the epoch
 * @property {number} messages
 * @property {number} joins
 * @property {number} members
 * @property {number} refusals
 */

const REFRESH_MS = 5_000;
const REQUEST_MS = 10_000;
/** How many channels are listed at first, and at most. */
const FIRST_CHANNELS = 100;
export const MOST_CHANNELS = 1000;

/** Polls the hub with an admin token. Messages are never requested. */
export class Monitor {
  /** @type {Counters | null} */
  counters = null;
  /** @type {Sample[]} */
  samples = [];
  /** Those in memory, then others. @type {Channel[] | null} */
  channels = null;
  /** The number of channels. */
  total = 0;
  /** The number of channels in memory. */
  inMemory = 0;
  limit = FIRST_CHANNELS;
  /** @type {Ban[] | null} */
  bans = null;
  /** This client's address as the hub sees it. */
  address = "";
  /** @type {ApiError | null} */
  error = null;
  /** When the numbers were received, in milliseconds since the epoch. */
  updatedAt = 0;
  /** Whether the user stopped the refreshes. */
  paused = false;

  #token;
  #changed;
  #refused;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Promise<void> | null} */
  #running = null;
  #stop = new AbortController();

  /**
   * @param {string} token the admin token
   * @param {() => void} changed called after every change
   * @param {(error: ApiError) => void} refused called when the hub no longer accepts the token
   */
  constructor(token, changed, refused) {
    this.#token = token;
    this.#changed = changed;
    this.#refused = refused;
  }

  /** Begins the refreshes. */
  start() {
    document.addEventListener("visibilitychange", () => this.#resume(), { signal: this.#stop.signal });
    this.#next();
  }

  /** Ends the refreshes and open requests. */
  stop() {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  /** Refreshes now; two calls at once share one refresh. */
  refresh() {
    clearTimeout(this.#timer);
    this.#running ??= this.#load().finally(() => {
      this.#running = null;
      this.#next();
    });
    return this.#running;
  }

  /** Refreshes after a change that this page made: a refresh that is under way may have read the state before it. */
  async reload() {
    await this.#running;
    await this.refresh();
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.paused = paused;
    this.#changed();
    if (!paused) this.refresh();
  }

  /** @param {number} limit the number of channels to list */
  show(limit) {
    this.limit = Math.min(MOST_CHANNELS, limit);
    return this.reload();
  }

  /**
   * Sends a request with the token.
   * @param {string} method
   * @param {string} path
   * @param {object} [options] see `request`
   */
  async call(method, path, options = {}) {
    try {
      const signal = this.#stop.signal;
      return await request(method, path, { token: this.#token, signal, timeout_ms: REQUEST_MS, ...options });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401 && !this.#stop.signal.aborted) this.#refused(error);
      throw error;
    }
  }

  #next() {
    clearTimeout(this.#timer);
    if (this.#stop.signal.aborted) return;
    this.#timer = setTimeout(() => (this.#isPaused() ? this.#next() : this.refresh()), REFRESH_MS);
  }

  #resume() {
    if (!this.#isPaused() && Date.now() - this.updatedAt >= REFRESH_MS) this.refresh();
  }

  /** A refresh under an open dialog or menu could change what the user is about to confirm. */
  #isPaused() {
    return this.paused || document.hidden || document.querySelector("dialog[open], :popover-open") !== null;
  }

  async #load() {
    try {
      const [counters, listed, banned] = await Promise.all([
        this.call("GET", "/api/admin/counters"),
        this.call("GET", "/api/admin/channels", { query: { limit: this.limit } }),
        this.call("GET", "/api/admin/bans"),
      ]);
      this.#take(counters, listed, banned);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.error = error instanceof ApiError ? error : null;
      if (this.error === null) throw error;
      // The hub was started again without an admin token.
      if (this.error.status === 403) this.#refused(this.error);
    }
    this.#changed();
  }

  /**
   * @param {Counters} counters
   * @param {Listed} listed
   * @param {{bans: Ban[], client_address?: string}} banned
   */
  #take(counters, listed, banned) {
    if (this.counters !== null && this.counters.started_at !== counters.started_at) this.samples = [];
    this.updatedAt = Date.now();
    this.counters = counters;
    this.channels = [...listed.channels, ...(listed.unloaded ?? []).map(unloaded)];
    this.inMemory = listed.total;
    this.total = listed.total + (listed.unloaded_total ?? 0);
    this.bans = banned.bans;
    this.address = banned.client_address ?? "";
    this.error = null;
    const refusals = Object.values(counters.refused).reduce((sum, count) => sum + count, 0);
    const { messages_total: messages, joins_total: joins, members_live: members } = counters;
    this.samples = withSample(this.samples, { at: this.updatedAt, messages, joins, members, refusals });
  }
}

/**
 * A channel that is not in memory, as a row of the list.
 * @param {NonNullable<Listed["unloaded"]>[number]} channel
 * @returns {Channel}
 */
const unloaded = ({ last_used_at, ...settings }) => ({
  ...settings, is_band: false, roster: [], agent_count: null, member_count: null, message_count: null, held_count: null,
  first_joined_at: null, last_activity_at: last_used_at, sessions: [], is_unloaded: true,
});
