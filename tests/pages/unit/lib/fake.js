// A world for the engine without a browser: a clock that only moves when told, storage, signals, and a scripted hub.

import { memoryVault } from "./vault.js";

/** Lets everything that needs no timer run. */
export async function settle() {
  for (let round = 0; round < 20; round += 1) await new Promise(done => setImmediate(done));
}

/** A clock that moves when told. */
export class FakeClock {
  #now;
  #timers = new Map();
  #next = 1;

  constructor(now = 1_800_000_000_000) {
    this.#now = now;
  }

  now = () => this.#now;
  setTimeout = (run, after_ms) => {
    const id = this.#next++;
    this.#timers.set(id, { at: this.#now + Math.max(0, after_ms || 0), run });
    return id;
  };
  clearTimeout = id => void this.#timers.delete(id);

  get timers() {
    return this.#timers.size;
  }

  /** Moves on, and runs what is due, in order. */
  async pass(ms) {
    const until = this.#now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= until).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].run();
      await settle();
    }
    this.#now = until;
    await settle();
  }
}

/** @returns {import("../../../../web/static/chat/types.js").KeyValue & {map: Map<string, string>}} */
export function memoryStore() {
  const map = new Map();
  return {
    map,
    get: key => map.get(key) ?? null,
    set: (key, value) => { map.set(key, value); return true; },
    remove: key => void map.delete(key),
  };
}

/** What a page would report. */
export class FakeSignals {
  #listeners = new Set();
  isVisible = true;
  isOnline = true;
  visible = () => this.isVisible;
  online = () => this.isOnline;
  listen = listener => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  say(what) {
    if (what === "visible" || what === "hidden") this.isVisible = what === "visible";
    if (what === "online" || what === "offline") this.isOnline = what === "online";
    for (const listener of [...this.#listeners]) listener(what);
  }
}

/** A generator of bytes that are the same in every run. */
export function seeded(seed = 1) {
  let state = seed >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return {
    next,
    below: limit => next() % limit,
    random: bytes => {
      for (let at = 0; at < bytes.length; at += 1) bytes[at] = next() & 255;
      return bytes;
    },
  };
}

/** One tab of one device. */
export function fakeWorld({ fetch, clock = new FakeClock(), seed = 1, session = memoryStore(), lasting = memoryStore() }) {
  const signals = new FakeSignals();
  const environment = { fetch, clock, session, lasting, vault: memoryVault(), random: seeded(seed).random, signals, base: "" };
  return { clock, signals, session, lasting, environment };
}
