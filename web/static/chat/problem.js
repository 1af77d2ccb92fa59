// Errors of requests, as the chat shows them: a stable code, what it is about, and when to try again.

/** @import { Problem, ProblemField } from "./types.js" */

/** A request that was refused or got no answer. */
export class HubError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.message);
    this.name = "HubError";
    /** @type {Problem} */
    this.problem = problem;
  }

  /** Whether trying the same request again later may help. */
  get isTransient() {
    const { status, code } = this.problem;
    if (code === "not_a_hub") return true;
    return status === 0 || status === 408 || status === 429 || status >= 500;
  }

  /** Whether it is unknown if the request was carried out. */
  get isUnknown() {
    const { status, code, is_unknown } = this.problem;
    return status === 0 || code === "not_a_hub" || is_unknown || [500, 502, 504].includes(status);
  }

  /** Whether the session is gone and joining again may bring it back. */
  get isSessionGone() {
    return this.problem.code === "session_expired" || this.problem.code === "not_joined";
  }
}

/**
 * @param {Partial<Problem> & {code: string}} given
 * @returns {Problem}
 */
export function problem(given) {
  return {
    status: 0, message: given.code, hint: null, free_callsign: null, about: null, retry_at: null, final: false,
    is_unknown: false, going_down: false, request_id: null, ...given,
  };
}

/**
 * @param {unknown} error what `fetch` threw
 * @param {boolean} [timed_out]
 * @returns {HubError}
 */
export function networkError(error, timed_out = false) {
  if (error instanceof HubError) return error;
  const message = timed_out ? "no answer in time" : "no connection to the hub";
  return new HubError(problem({ code: timed_out ? "timeout" : "network", message, about: "network" }));
}

/**
 * @param {Response} response
 * @param {number} now_ms
 * @returns {Promise<HubError>}
 */
export async function refusal(response, now_ms) {
  /** @type {any} */
  let body = {};
  try {
    body = JSON.parse((await response.text()).slice(0, 65_536));
  } catch { /* an answer without a body of ours */ }
  const isOurs = typeof body?.error === "string";
  const text = (/** @type {unknown} */ value, max = 500) => (typeof value === "string" ? value.slice(0, max) : null);
  const code = text(body?.code, 64) ?? (isOurs ? codeOf(response.status) : "not_a_hub");
  const message = text(body?.error) ?? `HTTP ${response.status}`;
  const hint = text(body?.hint);
  const after_s = seconds(response.headers.get("retry-after"), now_ms) ?? seconds(String(body?.retry_after_seconds ?? ""), now_ms);
  return new HubError(problem({
    code, message, hint, status: response.status,
    free_callsign: text(body?.free_callsign, 32),
    about: aboutOf(response.status, code, body?.field),
    is_unknown: body?.outcome === "unknown",
    going_down: body?.draining === true,
    retry_at: after_s === null ? null : now_ms + after_s * 1000,
    final: [401, 403, 404, 421].includes(response.status) && code !== "not_a_hub",
    request_id: text(body?.request_id, 64),
  }));
}

/** @param {number} status */
function codeOf(status) {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  return status >= 500 ? "internal" : "invalid";
}

/**
 * @param {number} status
 * @param {string} code
 * @param {unknown} field of the request, as the hub names it
 * @returns {ProblemField | null}
 */
function aboutOf(status, code, field) {
  if (code === "session_expired" || code === "not_joined") return "session";
  if (code === "callsign_taken") return "callsign";
  if (field === "owner_password" || field === "identity_key" || field === "callsign") return field;
  if (status === 401) return "token";
  if (status === 404) return "channel";
  return status >= 500 || status === 421 ? "hub" : null;
}

/**
 * Seconds of a `Retry-After`: a number or a date; at most an hour.
 * @param {string | null} value
 * @param {number} now_ms
 */
function seconds(value, now_ms) {
  if (!value) return null;
  const number = Number(value);
  const found = Number.isFinite(number) ? number : (Date.parse(value) - now_ms) / 1000;
  return Number.isFinite(found) ? Math.min(Math.max(found, 0), 3600) : null;
}
