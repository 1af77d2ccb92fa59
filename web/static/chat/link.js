// One stream to the hub: its time limits, and how it ended.

/** @import { Clock, ConnectionState, Problem } from "./types.js" */
/** @import { ReadOptions, Signal, Transport } from "./transport.js" */

import { isAbort } from "./http.js";
import { HubError, problem } from "./problem.js";
import { PROBE_SINCE } from "./transport.js";

/** A stream without its first event, or without any byte, for this long (ms) is dead. Pings come every 25 s. */
const HELLO_MS = 5_000, SILENCE_MS = 40_000;

/**
 * What to do after an attempt: `now` tries again at once (`quiet`: on purpose, the state stays), `wait` after a pause,
 * `stop` not before the user acts.
 * @typedef {{next: "now", quiet?: boolean} | {next: "wait", problem: Problem | null, at_least_ms?: number, going_down?: boolean}
 *   | {next: "stop", state: ConnectionState, problem: Problem | null}} Outcome
 */

/**
 * @typedef {object} StreamEnd
 * @property {number} opened_at when `hello` came, in epoch milliseconds; 0 if it never did
 * @property {boolean} silent ended by us because nothing came
 * @property {Signal | null} last the event that announced the end
 * @property {number} last_byte when a byte last came, in epoch milliseconds
 * @property {number} retry_ms what the hub last wrote as `retry:`
 */

/**
 * Reads a stream to its end.
 * @param {{transport: Transport, clock: Clock, options: Omit<ReadOptions, "signal">, end: AbortController,
 *   onHello: () => void, onSignal: (signal: Signal) => void}} parts
 * @returns {Promise<StreamEnd>}
 * @throws {HubError} if the hub refused it
 */
export async function readStream({ transport, clock, options, end, onHello, onSignal }) {
  /** @type {StreamEnd} */
  const result = { opened_at: 0, silent: false, last: null, last_byte: clock.now(), retry_ms: 0 };
  /** @type {unknown} */
  let timer = null;
  const watch = (/** @type {number} */ after_ms) => {
    timer = clock.setTimeout(() => {
      const left = result.opened_at ? result.last_byte + SILENCE_MS - clock.now() : 0;
      if (left > 0) return watch(left);
      result.silent = true;
      end.abort();
    }, after_ms);
  };
  watch(HELLO_MS);
  const take = (/** @type {Signal} */ signal) => {
    if (result.last || end.signal.aborted) return;
    if (signal.type === "hello" && !result.opened_at) {
      result.opened_at = clock.now();
      clock.clearTimeout(timer);
      watch(SILENCE_MS);
      onHello();
    }
    if (signal.type === "superseded" || signal.type === "lagged" || signal.type === "bye") result.last = signal;
    onSignal(signal);
  };
  try {
    await transport.stream({
      ...options, signal: end.signal, onSignal: take,
      onRetry: ms => { result.retry_ms = ms; },
      onBytes: () => { result.last_byte = clock.now(); },
    });
  } catch (error) {
    const isAnswered = error instanceof HubError && error.problem.status !== 0;
    if (error instanceof HubError && error.problem.code === "no_stream") result.silent = true;
    else if (!result.opened_at && !result.silent && (isAnswered || !isAbort(error))) throw error;
  } finally {
    clock.clearTimeout(timer);
  }
  return result;
}

/**
 * Whether a stream gets through. It takes no message, so a proxy cannot hold one back.
 * @param {{transport: Transport, clock: Clock, options: Omit<ReadOptions, "signal" | "since">, signal: AbortSignal}} parts
 */
export async function streamsPass({ transport, clock, options, signal }) {
  const end = new AbortController();
  const stop = () => end.abort();
  signal.addEventListener("abort", stop, { once: true });
  const timer = clock.setTimeout(stop, HELLO_MS);
  let passes = false;
  try {
    await transport.stream({
      ...options, since: PROBE_SINCE, signal: end.signal, onRetry() {}, onBytes() {},
      onSignal: event => {
        passes ||= event.type === "hello";
        end.abort();
      },
    });
  } catch (error) {
    if (!isAbort(error) && !(error instanceof HubError)) throw error;
  } finally {
    clock.clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
  return passes;
}

/** The owner, an operator or another tab has ended the session; which of them is not known. @type {Outcome} */
export const ENDED_BY_OTHERS = { next: "stop", state: "ended", problem: problem({ code: "ended_by_others", about: "session" }) };

/** Reasons of a stream's end after which it is not opened again by itself, with the code that is shown. @type {Record<string, string>} */
const FINAL_REASONS = { evicted: "evicted", deleted: "deleted", revoked: "revoked", renamed: "renamed", left: "left_elsewhere" };

/**
 * What the last event of a stream means.
 * @param {Signal} last
 * @param {number} retry_ms
 * @returns {Outcome}
 */
export function outcomeOf(last, retry_ms) {
  if (last.type === "superseded") return { next: "stop", state: "elsewhere", problem: null };
  if (last.type !== "bye") return { next: "now", quiet: true };
  const { reason } = last;
  if (reason === "draining") return { next: "wait", problem: null, going_down: true, at_least_ms: retry_ms };
  // A page that leaves reads no more, so `left` was not its own wish.
  const code = FINAL_REASONS[reason];
  if (code === undefined) return { next: "now" };
  const isDeleted = reason === "deleted";
  return { next: "stop", state: "ended", problem: problem({ code, about: isDeleted ? "channel" : "session", final: isDeleted }) };
}

/**
 * Waits for a while, or until `signal` is aborted.
 * @param {Clock} clock
 * @param {number} pause_ms
 * @param {AbortSignal} signal
 */
export function pause(clock, pause_ms, signal) {
  return new Promise((/** @type {(value: void) => void} */ done) => {
    const timer = clock.setTimeout(done, pause_ms);
    signal.addEventListener("abort", () => {
      clock.clearTimeout(timer);
      done();
    }, { once: true });
  });
}
