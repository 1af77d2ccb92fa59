// What the page computes from the answers of the hub: the order of the rows, rates from counters, the body of a ban.

/** @typedef {import("./monitor.js").Channel} Channel */
/** @typedef {"id" | "agent_count" | "member_count" | "message_count" | "held_count" | "created_at" | "last_activity_at"} Column */
/** @typedef {{by: Column, descending: boolean}} Sorting */
/** @typedef {{text: string, online: boolean, bands: boolean}} Filter */
/** @typedef {{at: number, value: number}} Point A value at a time in milliseconds since the epoch. */
/** @typedef {"here" | "callsign" | "identity" | "address"} Kind What is banned. */

/** The columns, and whether their first sort is descending. */
export const COLUMNS = /** @type {[Column, boolean][]} */ ([
  ["id", false], ["agent_count", true], ["member_count", true], ["message_count", true], ["held_count", true],
  ["created_at", true], ["last_activity_at", true],
]);

/**
 * The next sorting after a click on a column's header.
 * @param {Sorting} now
 * @param {Column} column
 * @returns {Sorting}
 */
export function sortedBy(now, column) {
  if (now.by === column) return { by: column, descending: !now.descending };
  return { by: column, descending: COLUMNS.find(([name]) => name === column)?.[1] ?? false };
}

/**
 * @param {Channel} channel
 * @param {Filter} filter
 */
export function matches(channel, { text, online, bands }) {
  const wanted = text.trim().toLowerCase();
  const found = wanted === "" || channel.id.includes(wanted) || channel.roster.some(callsign => callsign.includes(wanted));
  return found && (!online || (channel.agent_count ?? 0) > 0) && (bands || !channel.is_band);
}

/**
 * The ids of the matching channels in order. Equal values are ordered by id, so that rows do not swap for no reason. What is not known counts as less than 0.
 * @param {Channel[]} channels
 * @param {Sorting} sorting
 * @param {Filter} filter
 * @returns {string[]}
 */
export function ordered(channels, { by, descending }, filter) {
  const direction = descending ? -1 : 1;
  const order = (/** @type {string | number} */ a, /** @type {string | number} */ b) => (a < b ? -1 : a > b ? 1 : 0);
  return channels
    .filter(channel => matches(channel, filter))
    .sort((a, b) => direction * order(a[by] ?? -1, b[by] ?? -1) || order(a.id, b.id))
    .map(channel => channel.id);
}

/**
 * The shown order with as few moves as possible: rows that remain keep their places, new ones follow at the end.
 * @param {string[]} shown
 * @param {string[]} wanted
 * @returns {string[]}
 */
export function held(shown, wanted) {
  const remaining = new Set(wanted);
  const kept = shown.filter(id => remaining.delete(id));
  return [...kept, ...remaining];
}

/** The size of a chart, in its own units. */
export const WIDTH = 240, HEIGHT = 48;
const EDGE = 2;
/** The time a chart shows, in milliseconds. */
export const WINDOW_MS = 600_000;
/** The number of samples kept: ten minutes of one sample in five seconds. */
export const SAMPLES = 120;
/** Samples further apart than this belong to different lines, in milliseconds: nothing was measured between them. */
const BREAK_MS = 20_000;

/**
 * Adds a sample and drops those that are too old or too many.
 * @template {{at: number}} T
 * @param {T[]} samples oldest first
 * @param {T} sample
 * @returns {T[]}
 */
export function withSample(samples, sample) {
  return [...samples.filter(old => old.at > sample.at - WINDOW_MS && old.at < sample.at), sample].slice(-SAMPLES);
}

/**
 * Counts per minute from a counter that only grows. A counter that became smaller was reset by a restart of the hub.
 * @param {Point[]} totals oldest first
 * @returns {Point[]}
 */
export function perMinute(totals) {
  return totals.slice(1).flatMap((now, before) => {
    const earlier = totals[before];
    const elapsed = now.at - earlier.at;
    if (elapsed <= 0 || elapsed > BREAK_MS || now.value < earlier.value) return [];
    return [{ at: now.at, value: (now.value - earlier.value) * 60_000 / elapsed }];
  });
}

/**
 * The chart's lines: the points between two breaks, as coordinates.
 * @param {Point[]} points oldest first
 * @param {number} now in milliseconds since the epoch
 * @returns {string[]} the `points` attributes
 */
export function lines(points, now) {
  const top = Math.max(1, ...points.map(point => point.value));
  /** @type {string[][]} */
  const runs = [];
  points.forEach((point, index) => {
    const x = Math.max(0, WIDTH - (now - point.at) * WIDTH / WINDOW_MS);
    const y = HEIGHT - EDGE - point.value / top * (HEIGHT - 2 * EDGE);
    if (index === 0 || point.at - points[index - 1].at > BREAK_MS) runs.push([]);
    runs[runs.length - 1].push(`${x.toFixed(1)},${y.toFixed(1)}`);
  });
  // A single point would be an invisible line.
  return runs.map(run => (run.length === 1 ? [run[0], run[0]] : run).join(" "));
}

/**
 * The body of `POST /api/admin/bans`.
 * @param {{kind: Kind, target: string, channel: string, seconds: number, reason: string}} form
 * @returns {Record<string, string | number>}
 */
export function banBody({ kind, target, channel, seconds, reason }) {
  const field = kind === "here" ? "callsign" : kind;
  return {
    [field]: target.trim(),
    ...(kind === "here" ? { channel_id: channel.trim() } : {}),
    ...(seconds > 0 ? { seconds } : {}),
    ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
  };
}
