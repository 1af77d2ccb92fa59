// One request to the hub: headers instead of URLs for secrets, a time limit on the injected clock, problems as errors.

/** @import { Clock, Fetch } from "./types.js" */

import { HubError, networkError, problem, refusal } from "./problem.js";

/** Requests end after this time unless they say otherwise. */
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * @typedef {object} RequestOptions
 * @property {Record<string, string>} [headers]
 * @property {Record<string, string | number | boolean | null | undefined>} [query] null and undefined are left out
 * @property {unknown} [body] sent as JSON
 * @property {AbortSignal} [signal]
 * @property {number} [timeout_ms] until the answer is complete; for `open` until its head
 */

export class Http {
  #fetch;
  #clock;
  #base;

  /** @param {{fetch: Fetch, clock: Clock, base: string}} parts */
  constructor({ fetch, clock, base }) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#base = base;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions} [options]
   * @returns {Promise<any>} the reply's JSON
   * @throws {HubError}, or an `AbortError` if `signal` was aborted
   */
  async json(method, path, options = {}) {
    return this.#run(method, path, options, async response => {
      const text = await response.text();
      try {
        return text ? JSON.parse(text) : null;
      } catch {
        throw new HubError(problem({ code: "not_a_hub", message: "the answer is not from the hub", about: "hub" }));
      }
    });
  }

  /**
   * @param {string} path
   * @param {RequestOptions} [options]
   * @returns {Promise<Blob>}
   */
  async blob(path, options = {}) {
    return this.#run("GET", path, options, response => response.blob());
  }

  /**
   * Opens a response whose body arrives slowly. The time limit is for its head; `signal` ends the body, too.
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions & {signal: AbortSignal}} options
   * @returns {Promise<Response>}
   */
  async open(method, path, options) {
    return this.#run(method, path, options, async response => response, true);
  }

  /**
   * @template T
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions} options
   * @param {(response: Response) => Promise<T>} read
   * @param {boolean} [keeps] whether the body outlives this call, so that only its head has a time limit
   * @returns {Promise<T>}
   */
  async #run(method, path, { headers = {}, query = {}, body, signal, timeout_ms = DEFAULT_TIMEOUT_MS }, read, keeps = false) {
    const end = new AbortController();
    let timedOut = false;
    /** @type {(error: Error) => void} */
    let fail = () => {};
    /** Ends the wait even where an aborted fetch does not settle. @type {Promise<never>} */
    const ended = new Promise((_, reject) => { fail = reject; });
    ended.catch(() => {});
    const stop = () => {
      end.abort();
      fail(abortError());
    };
    if (signal?.aborted) throw abortError();
    signal?.addEventListener("abort", stop, { once: true });
    const timer = this.#clock.setTimeout(() => {
      timedOut = true;
      stop();
    }, timeout_ms);
    const run = async () => {
      const response = await this.#fetch(this.#base + withQuery(path, query), {
        method,
        headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: end.signal,
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
      });
      if (!response.ok) throw await refusal(response, this.#clock.now());
      return read(response);
    };
    try {
      return await Promise.race([run(), ended]);
    } catch (error) {
      if (signal?.aborted && !timedOut) throw abortError();
      throw networkError(error, timedOut);
    } finally {
      this.#clock.clearTimeout(timer);
      if (!keeps) signal?.removeEventListener("abort", stop);
    }
  }
}

function abortError() {
  return new DOMException("the request was ended", "AbortError");
}

/** @param {unknown} error */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/**
 * @param {string} path
 * @param {RequestOptions["query"]} [query]
 */
function withQuery(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  if (!given.length) return path;
  return `${path}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}
