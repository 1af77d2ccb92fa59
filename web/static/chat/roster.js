// Who is on the channel, from whatever the hub said last.

/** @import { Member } from "./types.js" */

/** A recipient that has had unread messages for this long (ms) is worth a warning. */
const UNHEARD_MS = 600_000;

export class Roster {
  /** @type {readonly Member[]} */
  list = [];
  /** @type {Map<string, Member>} */
  #byName = new Map();
  #me = "";

  /** @param {string} me */
  setMe(me) {
    this.#me = me;
    this.#sort([...this.#byName.values()].map(member => ({ ...member, me: member.callsign === me })));
  }

  /** The names online, as `hello` and `wait` tell them. @param {readonly string[]} names */
  online(names) {
    const there = new Set(names);
    const members = new Map([...this.#byName].map(([name, member]) => [name, { ...member, online: there.has(name) }]));
    for (const name of there) if (!members.has(name)) members.set(name, memberOf({ callsign: name, online: true }, this.#me));
    this.#sort([...members.values()]);
  }

  /**
   * @param {any} data the reply of the roster, or an event with the rows that changed
   * @param {boolean} isWhole
   */
  apply(data, isWhole) {
    const rows = (/** @type {unknown} */ value) => (Array.isArray(value) ? value : []).filter(one => typeof one?.callsign === "string");
    const members = isWhole ? new Map() : new Map(this.#byName);
    for (const one of rows(data?.roster_all)) {
      const { verified, state, note } = this.#byName.get(one.callsign) ?? {};
      members.set(one.callsign, memberOf({ verified, note: state === one.state && note, ...one }, this.#me));
    }
    // Only `members` has what is verified, and the note of a state. A state that a row leaves out has ended.
    for (const { callsign, ...said } of rows(data?.members)) {
      const known = members.get(callsign);
      if (known) Object.assign(known, saidOf(said));
    }
    for (const name of Array.isArray(data?.removed) ? data.removed : []) members.delete(name);
    this.#sort([...members.values()]);
  }

  /** @param {Member[]} members */
  #sort(members) {
    members.sort((a, b) => Number(b.online) - Number(a.online) || (a.callsign < b.callsign ? -1 : 1));
    this.#byName = new Map(members.map(member => [member.callsign, member]));
    this.list = members;
  }

  /** A status with the state of its sender. @param {import("./types.js").Message} status */
  stated({ from, ...said }) {
    const known = this.#byName.get(from);
    if (!known || !said.state) return false;
    this.#sort(this.list.map(member => (member === known ? { ...member, ...saidOf({ ...said, note: said.text }) } : member)));
    return true;
  }

  /** @param {string} callsign */
  isOnline(callsign) {
    return this.#byName.get(callsign)?.online === true;
  }

  /**
   * @param {string} callsign
   * @param {number} now_ms
   * @returns {number | null} minutes
   */
  unheard(callsign, now_ms) {
    const oldest = this.#byName.get(callsign)?.oldest_unread_at ?? null;
    return oldest !== null && now_ms - oldest >= UNHEARD_MS ? Math.floor((now_ms - oldest) / 60_000) : null;
  }
}

/** @param {any} one @returns {Pick<Member, "verified" | "state" | "note" | "until">} */
function saidOf({ verified, state, note, until }) {
  const text = (/** @type {unknown} */ value) => (typeof value === "string" && value ? value : null);
  return { verified: text(verified), state: text(state), note: text(note), until: Number.isFinite(until) ? until : null };
}

/**
 * @param {any} one
 * @param {string} me
 * @returns {Member}
 */
function memberOf(one, me) {
  const number = (/** @type {unknown} */ value) => (typeof value === "number" && Number.isFinite(value) ? value : null);
  const { reach } = one;
  return {
    callsign: one.callsign,
    online: one.online === true,
    idx: number(one.idx),
    reach: reach === "stream" || reach === "poll" || reach === "away" ? reach : null,
    seen_at: number(one.seen_at),
    unread: number(one.unread),
    oldest_unread_at: number(one.oldest_unread_at),
    ...saidOf(one),
    me: one.callsign === me,
  };
}
