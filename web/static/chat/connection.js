// Keeps the channel connected: stream by POST, long polls behind proxies that hold streams back, and always a true state.

/** @import { Clock, Connection as State, ConnectionState, Problem, Signals } from "./types.js" */
/** @import { PollReply, Signal, Transport } from "./transport.js" */
/** @import { Reading } from "./reading.js" */
/** @import { Outcome } from "./link.js" */
/** @import { Slot, Slots } from "./slots.js" */

import { HubError, networkError, problem } from "./problem.js";
import { isAbort } from "./http.js";
import { ENDED_BY_OTHERS, outcomeOf, pause, readStream, streamsPass } from "./link.js";
import { ALWAYS } from "./slots.js";

/** Two streams that break within this time (ms) of opening mean that streams do not pass; they are tried again later. */
const EARLY_MS = 10_000, STREAM_AGAIN_MS = 300_000;

/** A page that is hidden for the first time (ms) closes; after the second its connection counts as doubtful. */
const HIDDEN_MS = 60_000, AWAY_MS = 5_000;
/** A session that ends within this time (ms) of a read, and of half its TTL, has not expired. */
const RECENT_MS = 60_000;

/** Pauses between tries (ms), with full jitter. */
const FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 15_000;

/** Attempts that end within this time (ms) of the one before are counted: the fifth in a row gets a pause. */
const QUICK_MS = 1_000;

/** How long one poll waits, in s: many proxies cut a connection that is silent for a minute. The pause (ms) between short polls. */
const POLL_S = 50, GLANCE_MS = 2_000;

/**
 * @typedef {object} Handlers
 * @property {() => void} onState
 * @property {(rejoin: boolean, signal: AbortSignal) => Promise<void>} prepare joins where needed and loads the start
 * @property {(signal: Signal) => void} onSignal what a stream brings
 * @property {(reply: PollReply) => void} onPoll
 * @property {() => void} onLive messages can arrive from now on
 * @property {() => number} sessionTtl_ms how long a session lives after its last read; 0 if unknown
 * @property {() => Promise<boolean>} freeConsumer makes room for one more consumer; false if it cannot
 */

export class Connection {
  state = /** @type {State} */ ({ state: "joining", retry_at: null, problem: null, since: 0 });
  /** Increases with every start and stop: what an older run does has no effect. */
  #run = 0;
  #failures = 0; #earlyBreaks = 0;
  /** Until when to poll, in epoch milliseconds; 0 for streams. */
  #pollUntil = 0;
  #endStream = false; #isPolling = false;
  /** Whether it joined again since it was last live. */
  #rejoined = false;
  #needsJoin = true;
  /** Whether the next end of a read is on purpose. */
  #quiet = false;
  #quickEnds = 0; #endedAt = 0;
  /** When the hub last answered a read, in epoch milliseconds. */
  #contactAt = 0;
  #current = /** @type {AbortController | null} */ (null);
  #skipPause = /** @type {(() => void) | null} */ (null);
  #hiddenAt = 0; #hiddenTimer = /** @type {unknown} */ (null);
  #asleep = false;
  #clock;
  #signals;
  #random;
  #transport;
  #reading;
  #handlers;
  #slots;
  #unlisten;

  /**
   * @param {{clock: Clock, signals: Signals, random: (bytes: Uint8Array) => Uint8Array, transport: Transport, reading: Reading,
   *   handlers: Handlers, slots?: Slots}} parts
   */
  constructor({ clock, signals, random, transport, reading, handlers, slots = ALWAYS }) {
    this.#clock = clock;
    this.#signals = signals;
    this.#random = () => {
      const [high, low] = random(new Uint8Array(2));
      return (high * 256 + low) / 65_536;
    };
    this.#transport = transport;
    this.#reading = reading;
    this.#handlers = handlers;
    this.#slots = slots;
    this.state.since = clock.now();
    this.#unlisten = signals.listen(what => this.#onPage(what));
  }

  get isLive() {
    return this.state.state === "live-stream" || this.state.state === "live-poll";
  }

  get isRunning() {
    return this.#run % 2 === 1;
  }

  /** Joins and connects, from the start. */
  start() {
    this.#stop();
    this.#needsJoin = true;
    this.#set("joining", null);
    this.#go();
  }

  /** Takes the consumer back, or tries again at once. */
  reconnectNow() {
    if (this.isRunning) return this.#kick(true);
    if (this.state.problem?.final) return;
    this.#stop();
    this.#needsJoin = this.#needsJoin || this.state.state === "ended" || this.state.state === "refused";
    this.#set("reconnecting", null);
    this.#go();
  }

  /** Reads with other options from now on. */
  reopen() {
    if (!this.isLive) return;
    this.#quiet = true;
    this.#current?.abort();
  }

  /** The session is gone: joins again. */
  sessionGone() {
    this.#needsJoin = true;
    if (this.isLive) this.#current?.abort();
  }

  /**
   * Ends for good.
   * @param {ConnectionState} state
   * @param {Problem | null} why
   */
  end(state, why) {
    this.#stop();
    this.#set(state, why);
  }

  close() {
    this.#stop();
    this.#unlisten();
    if (this.#hiddenTimer !== null) this.#clock.clearTimeout(this.#hiddenTimer);
  }

  #go() {
    this.#asleep = false;
    this.#failures = this.#earlyBreaks = 0;
    this.#rejoined = false;
    this.#run += 1;
    this.#loop(this.#run);
  }

  #stop() {
    if (this.isRunning) this.#run += 1;
    this.#current?.abort();
    this.#skipPause?.();
  }

  /**
   * @param {ConnectionState} state
   * @param {Problem | null} why
   * @param {number | null} [retry_at]
   */
  #set(state, why, retry_at = null) {
    const before = this.state;
    const since = before.state === state ? before.since : this.#clock.now();
    if (before.state === state && before.problem === why && before.retry_at === retry_at) return;
    this.state = { state, retry_at, problem: why, since };
    this.#handlers.onState();
  }

  /** @param {"visible" | "hidden" | "online" | "offline" | "pageshow" | "pagehide" | "tap"} what */
  #onPage(what) {
    if (what === "hidden") {
      this.#hiddenAt = this.#clock.now();
      this.#hiddenTimer ??= this.#clock.setTimeout(() => {
        this.#hiddenTimer = null;
        if (!this.#signals.visible()) this.#sleep();
      }, HIDDEN_MS);
      return;
    }
    if (what === "pagehide") return this.#sleep();
    if (what === "offline") {
      if (this.state.state === "reconnecting") return this.#set("offline", this.state.problem, this.state.retry_at);
      // An open connection hides for a while that the network is gone; a hub on this machine is still there.
      return this.isLive ? this.#kick(true) : undefined;
    }
    const hidden_ms = this.#hiddenAt ? this.#clock.now() - this.#hiddenAt : 0;
    if (what === "visible" || what === "pageshow") {
      this.#hiddenAt = 0;
      if (this.#hiddenTimer !== null) this.#clock.clearTimeout(this.#hiddenTimer);
      this.#hiddenTimer = null;
    }
    if (this.#asleep) {
      this.#set("reconnecting", null);
      return this.#go();
    }
    this.#kick(what !== "visible" || hidden_ms >= AWAY_MS);
  }

  /** Ends the connection while nobody looks. The session lives on for its TTL. */
  #sleep() {
    if (!this.isRunning) return;
    this.#stop();
    this.#asleep = true;
    this.#set("offline", null);
  }

  /** @param {boolean} suspicious whether an open connection may be dead, whatever its object says */
  #kick(suspicious) {
    if (!this.isRunning) return;
    this.#failures = 0;
    if (suspicious) this.#pollUntil = 0;
    if (this.#skipPause) this.#skipPause();
    else if (suspicious) this.#current?.abort();
  }

  /** @param {number} run */
  async #loop(run) {
    while (run === this.#run) {
      const outcome = await this.#attempt(run).catch(error => this.#classify(error));
      if (run !== this.#run) return;
      if (outcome.next === "stop") {
        this.#run += 1;
        return this.#set(outcome.state, outcome.problem);
      }
      const isRepeated = outcome.next === "now" && this.#isRepeated();
      if (outcome.next === "now" && !isRepeated) {
        if (!outcome.quiet || !this.isLive) this.#set("reconnecting", null);
      } else {
        await this.#pause(run, outcome.next === "wait" ? outcome : { next: "wait", problem: null });
      }
    }
  }

  /** Whether attempts end so fast, one after the other, that a pause is due. */
  #isRepeated() {
    const now = this.#clock.now();
    this.#quickEnds = now - this.#endedAt < QUICK_MS ? this.#quickEnds + 1 : 0;
    this.#endedAt = now;
    return this.#quickEnds >= 4;
  }

  /**
   * @param {number} run
   * @param {Extract<Outcome, {next: "wait"}>} outcome
   */
  async #pause(run, { problem: why, at_least_ms = 0, going_down = false }) {
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    const now = this.#clock.now();
    const until = Math.max(now + this.#random() * most, now + at_least_ms, why?.retry_at ?? 0);
    this.#set(going_down ? "going-down" : this.#signals.online() ? "reconnecting" : "offline", why, until);
    await new Promise(done => {
      const timer = this.#clock.setTimeout(() => done(undefined), until - now);
      this.#skipPause = () => {
        this.#clock.clearTimeout(timer);
        done(undefined);
      };
    });
    this.#skipPause = null;
    // "going down" stays until a try says otherwise: the hub is restarting.
    if (run === this.#run && !going_down) this.#set("reconnecting", why);
  }

  /**
   * @param {number} run
   * @returns {Promise<Outcome>}
   */
  async #attempt(run) {
    this.#current = new AbortController();
    this.#quiet = false;
    const { signal } = this.#current;
    let slot = /** @type {Slot | null} */ (null);
    try {
      await this.#handlers.prepare(this.#needsJoin, signal);
      this.#needsJoin = false;
      if (run !== this.#run) return { next: "now" };
      slot = await this.#slots.take();
      if (slot && this.#transport.streams && this.#clock.now() >= this.#pollUntil) return await this.#stream(run, this.#current);
      return await this.#poll(run, signal, slot !== null);
    } catch (error) {
      if (signal.aborted || isAbort(error)) return { next: "now", quiet: this.#quiet };
      throw error;
    } finally {
      slot?.release();
    }
  }

  /**
   * @param {number} run
   * @param {AbortController} end
   * @returns {Promise<Outcome>}
   */
  async #stream(run, end) {
    this.#isPolling = false;
    const { opened_at, silent, last, last_byte, retry_ms } = await readStream({
      transport: this.#transport, clock: this.#clock, end, options: this.#reading.open("stream"),
      onHello: () => run === this.#run && this.#live("live-stream"),
      onSignal: signal => run === this.#run && this.#handlers.onSignal(signal),
    });
    this.#contactAt = last_byte;
    if (last?.type === "bye" && last.reason === "expired") this.#needsJoin = true;
    if (last) return outcomeOf(last, retry_ms);
    if (silent) return opened_at ? { next: "now" } : this.#fallBack();
    if (end.signal.aborted) return { next: "now", quiet: this.#quiet };
    // The stream broke without a word: the network, a proxy, or a hub that was killed.
    this.#earlyBreaks = opened_at && this.#clock.now() - opened_at >= EARLY_MS ? 0 : this.#earlyBreaks + 1;
    if (this.#earlyBreaks >= 2) return this.#fallBack();
    return { next: "wait", problem: networkError(null).problem };
  }

  /** @returns {Outcome} */
  #fallBack() {
    this.#pollUntil = this.#clock.now() + STREAM_AGAIN_MS;
    this.#earlyBreaks = 0;
    this.#endStream = true;
    return { next: "now" };
  }

  /** @param {ConnectionState} state */
  #live(state) {
    this.#failures = 0;
    this.#rejoined = false;
    this.#set(state, null);
    this.#handlers.onLive();
  }

  /**
   * @param {number} run
   * @param {AbortSignal} signal
   * @param {boolean} holds whether a connection may be held open; otherwise it is one short poll and a pause
   * @returns {Promise<Outcome>}
   */
  async #poll(run, signal, holds) {
    // The first poll answers soon, so that the state is known.
    let timeout_s = !holds ? 0 : this.#isPolling && this.isLive ? POLL_S : 1;
    this.#isPolling = true;
    while (run === this.#run) {
      const options = this.#reading.open("poll"), sent_at = this.#clock.now();
      let reply;
      try {
        reply = await this.#transport.poll({ ...options, signal, timeout_s, end_stream: this.#endStream });
      } catch (error) {
        // What was on its way is leased to this consumer, though it never came.
        this.#reading.pollFailed();
        throw error;
      }
      if (run !== this.#run) return { next: "now" };
      this.#reading.pollDone();
      this.#contactAt = this.#clock.now();
      this.#endStream = false;
      if (reply.superseded) return { next: "stop", state: "elsewhere", problem: null };
      if (this.state.state !== "live-poll") this.#live("live-poll");
      this.#handlers.onPoll(reply);
      if (reply.draining) return { next: "wait", problem: null, going_down: true, at_least_ms: 1_000 + this.#random() * 4_000 };
      if (signal.aborted) return { next: "now" };
      // What answers at once with nothing, such as a proxy, must not be asked again at once.
      const isVain = !reply.messages.length && !reply.gap && this.#clock.now() - sent_at < QUICK_MS / 2;
      if (!holds || isVain) await pause(this.#clock, GLANCE_MS, signal);
      if (!holds) return { next: "now", quiet: true };
      timeout_s = POLL_S;
      if (this.#transport.streams && this.#clock.now() >= this.#pollUntil) {
        const probe = { transport: this.#transport, clock: this.#clock, options: this.#reading.open("probe"), signal };
        if (await streamsPass(probe)) {
          this.#pollUntil = 0;
          return { next: "now", quiet: true };
        }
        this.#fallBack();
      }
    }
    return { next: "now" };
  }

  /**
   * @param {unknown} error
   * @returns {Promise<Outcome>}
   */
  async #classify(error) {
    if (!(error instanceof HubError)) {
      // A fault of ours: try again slowly rather than end in a state that is not true.
      console.error(error);
      return { next: "wait", problem: problem({ code: "internal", about: "hub" }), at_least_ms: LONGEST_PAUSE_MS };
    }
    const why = error.problem;
    if (error.isSessionGone) {
      if (this.#rejoined) return { next: "stop", state: "ended", problem: { ...why, code: "expired" } };
      const recent_ms = Math.min(RECENT_MS, this.#handlers.sessionTtl_ms() / 2);
      if (why.code === "session_expired" && this.#clock.now() - this.#contactAt < recent_ms) return ENDED_BY_OTHERS;
      this.#rejoined = true;
      this.#needsJoin = true;
      return { next: "now" };
    }
    if (why.code === "limit_reached" && await this.#handlers.freeConsumer()) return { next: "now" };
    // Trying a wrong password again would only lengthen the wait.
    if (why.status === 429 && why.about === "owner_password") return { next: "stop", state: "refused", problem: why };
    if (error.isTransient) return { next: "wait", problem: why, going_down: why.going_down };
    return { next: "stop", state: "refused", problem: why };
  }
}
