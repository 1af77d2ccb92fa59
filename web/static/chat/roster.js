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
   * The reply of the roster, or an event of it: whole, or only members that changed (`members`).
   * @param {any} data
   */
  apply(data) {
    const whole = Array.isArray(data?.roster_all) ? data.roster_all : null;
    const some = Array.isArray(data?.members) ? data.members : data?.callsign ? [data] : [];
    const list = (whole ?? some).filter((/** @type {any} */ one) => typeof one?.callsign === "string");
    const members = whole ? new Map() : new Map(this.#byName);
    for (const one of list) members.set(one.callsign, memberOf(one, this.#me));
    for (const one of Array.isArray(data?.roster_with_index) ? data.roster_with_index : []) {
      const known = members.get(one?.callsign);
      if (known && Number.isSafeInteger(one.idx)) known.idx = one.idx;
    }
    for (const name of Array.isArray(data?.gone) ? data.gone : []) members.delete(name);
    this.#sort([...members.values()]);
  }

  /** @param {Member[]} members */
  #sort(members) {
    members.sort((a, b) => Number(b.online) - Number(a.online) || (a.callsign < b.callsign ? -1 : 1));
    this.#byName = new Map(members.map(member => [member.callsign, member]));
    this.list = members;
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

/**
 * @param {any} one
 * @param {string} me
 * @returns {Member}
 */
function memberOf(one, me) {
  const number = (/** @type {unknown} */ value) => (typeof value === "number" && Number.isFinite(value) ? value : null);
  const reach = one.reach ?? one.reads ?? null;
  return {
    callsign: one.callsign,
    online: one.online === true,
    idx: number(one.idx),
    reach: reach === "stream" || reach === "poll" || reach === "away" ? reach : null,
    seen_at: number(one.seen_at),
    unread: number(one.unread),
    oldest_unread_at: number(one.oldest_unread_at),
    verified: typeof one.verified === "string" ? one.verified : null,
    me: one.callsign === me,
  };
}
