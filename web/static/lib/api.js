// Requests to the hub's API, and their errors.

/** Requests without `timeout_ms` end after this time. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** A refusal of the hub, or a request that got no usable answer (`network`). */
export class ApiError extends Error {
  /**
   * @param {{status?: number, code: string, message: string, hint?: string, retry_after_ms?: number, network?: boolean}} facts
   */
  constructor({ status = 0, code, message, hint = "", retry_after_ms, network = false }) {
    super(message);
    this.name = "ApiError";
    /** HTTP status; 0 without an answer. */
    this.status = status;
    /** The hub's stable code; `network`, `timeout` or `unreadable` without one. */
    this.code = code;
    this.hint = hint;
    /** How long to wait before the next try, in ms. @type {number | undefined} */
    this.retry_after_ms = retry_after_ms;
    /** Whether no answer arrived, so that it is unknown whether the hub acted. */
    this.network = network;
  }
}

/**
 * @typedef {object} RequestOptions
 * @property {string} [token] bearer token
 * @property {string} [session] session id, sent as `X-Session-Id`
 * @property {unknown} [body] sent as JSON
 * @property {Record<string, string | number | boolean | undefined>} [query] undefined values are left out
 * @property {AbortSignal} [signal]
 * @property {number} [timeout_ms]
 */

/**
 * The path with its query. Secrets go into headers, never in here.
 *
 * @param {string} path
 * @param {RequestOptions["query"]} [query]
 */
export function withQuery(path, query = {}) {
  const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

/**
 * @param {RequestOptions} options
 * @returns {Record<string, string>}
 */
function headersOf({ token, session, body }) {
  return {
    Accept: "application/json",
    ...(token ? { Authorization: `Bearer ${token}` } : {}),
    ...(session ? { "X-Session-Id": session } : {}),
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
  };
}

/**
 * Sends a request and returns the JSON of its reply.
 *
 * @param {string} method
 * @param {string} path
 * @param {RequestOptions} [options]
 * @returns {Promise<any>}
 * @throws {ApiError} for every failure, except an abort by the caller, which throws its `AbortError`
 */
export async function request(method, path, options = {}) {
  const { body, query, signal, timeout_ms = DEFAULT_TIMEOUT_MS } = options;
  const timeout = AbortSignal.timeout(timeout_ms);
  try {
    const response = await fetch(withQuery(path, query), {
      method,
      headers: headersOf(options),
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
    if (!response.ok) throw await errorOf(response);
    const text = await response.text();
    return text ? JSON.parse(text) : null;
  } catch (error) {
    if (error instanceof ApiError || signal?.aborted) throw error;
    if (timeout.aborted) throw new ApiError({ code: "timeout", message: "no answer in time", network: true });
    if (error instanceof SyntaxError) throw unreadable(0);
    throw new ApiError({ code: "network", message: "the hub cannot be reached", network: true });
  }
}

/**
 * The error of a response that is not a success.
 *
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function errorOf(response) {
  const after = Number(response.headers.get("retry-after"));
  /** @type {any} */
  let body = null;
  try {
    body = await response.json();
  } catch {
    // A proxy may answer with a page of its own.
  }
  if (typeof body?.code !== "string") return unreadable(response.status, after);
  const seconds = Number(body.retry_after_seconds ?? after);
  return new ApiError({
    status: response.status,
    code: body.code,
    message: String(body.error ?? body.code),
    hint: typeof body.hint === "string" ? body.hint : "",
    retry_after_ms: seconds > 0 ? seconds * 1000 : undefined,
  });
}

/**
 * @param {number} status
 * @param {number} [after_seconds]
 */
function unreadable(status, after_seconds = 0) {
  return new ApiError({
    status,
    code: "unreadable",
    message: "the answer is not from the hub",
    retry_after_ms: after_seconds > 0 ? after_seconds * 1000 : undefined,
    // A proxy in between answers 502 to 504 for a hub that is away.
    network: status === 0 || (status >= 502 && status <= 504),
  });
}
