// Where the secrets of a channel are: in memory, in the tab's storage, and on the device only if the user wants it.

/** @import { Credentials, KeyValue, Remembered, Vault, Clock } from "./types.js" */

import { TAB_KEYS, forgetChannel } from "./keys.js";

const DATABASE = "rogerrat", STORE = "channels";

const FIELDS = /** @type {const} */ (["token", "identity_key", "callsign", "owner_password", "name"]);

/**
 * @param {unknown} value what a storage held
 * @param {string} channel
 * @returns {Credentials | null}
 */
function readCredentials(value, channel) {
  if (typeof value !== "object" || value === null) return null;
  /** @type {Credentials} */
  const found = { channel };
  for (const field of FIELDS) {
    const text = /** @type {Record<string, unknown>} */ (value)[field];
    if (typeof text === "string" && text && text.length <= 512) found[field] = text;
  }
  if (/** @type {any} */ (value).same_member === true) found.same_member = true;
  return found;
}

/** The secrets of one channel in this tab. */
export class Secrets {
  #channel;
  #tab;
  #lasting;
  #vault;
  #clock;
  /** @type {Credentials | null} */
  #credentials = null;
  /** The channel's session with the callsign it belongs to. @type {{id: string, callsign: string} | null} */
  #session = null;
  /** Whether the device keeps the credentials. */
  remembered = false;
  /** Whether the tab keeps them; not after "forget". */
  #isKept = true;
  /** Changes of the device's storage, one after the other: a late write must not undo a removal. */
  #work = Promise.resolve();

  /** @param {{channel: string, tab: KeyValue, lasting: KeyValue, vault: Vault, clock: Clock}} parts */
  constructor({ channel, tab, lasting, vault, clock }) {
    this.#channel = channel;
    this.#tab = tab;
    this.#lasting = lasting;
    this.#vault = vault;
    this.#clock = clock;
    this.#credentials = readCredentials(parse(tab.get(TAB_KEYS.credentials(channel))), channel);
    const session = parse(tab.get(TAB_KEYS.session(channel)));
    if (typeof session?.id === "string" && typeof session?.callsign === "string") this.#session = session;
  }

  get credentials() {
    return this.#credentials;
  }

  get session() {
    return this.#session;
  }

  /** Loads what the device remembers, if the tab has nothing. */
  async load() {
    const entry = await this.#vault.get(this.#channel).catch(() => null);
    this.remembered = entry !== null;
    if (!this.#credentials && entry) this.#credentials = readCredentials(entry.credentials, this.#channel);
    return this.#credentials;
  }

  /** @param {Credentials} credentials */
  set(credentials) {
    const other = this.#credentials && changed(this.#credentials, credentials);
    this.#credentials = credentials;
    this.#isKept = true;
    this.#tab.set(TAB_KEYS.credentials(this.#channel), JSON.stringify(credentials));
    if (other) this.setSession(null);
    if (this.remembered) this.remember(true).catch(() => {});
  }

  /** @param {{id: string, callsign: string} | null} session */
  setSession(session) {
    this.#session = session;
    if (session && this.#isKept) this.#tab.set(TAB_KEYS.session(this.#channel), JSON.stringify(session));
    else this.#tab.remove(TAB_KEYS.session(this.#channel));
  }

  /**
   * @template T
   * @param {() => Promise<T>} step
   * @returns {Promise<T>}
   */
  #next(step) {
    const result = this.#work.then(step);
    this.#work = result.then(() => {}, () => {});
    return result;
  }

  /** @param {boolean} on */
  async remember(on) {
    await this.#next(async () => {
      const credentials = this.#credentials;
      if (!on) {
        await this.#vault.remove(this.#channel);
      } else if (credentials) {
        const now = this.#clock.now();
        const known = await this.#vault.get(this.#channel).catch(() => null);
        await this.#vault.put({ channel: this.#channel, credentials, used_at: now, remembered_at: known?.remembered_at ?? now });
      }
      this.remembered = on && credentials !== null;
    });
  }

  /** Removes everything of the channel from the tab and the device; memory keeps what a connected page needs. */
  async forget() {
    this.#isKept = false;
    await forgetChannel(this.#channel, {
      session: this.#tab,
      lasting: this.#lasting,
      vault: {
        remove: channel => this.#next(async () => {
          await this.#vault.remove(channel);
          this.remembered = false;
        }),
      },
    });
  }

  /** Forgets in memory, too. */
  async clear() {
    this.#credentials = null;
    this.#session = null;
    await this.forget();
  }
}

/**
 * @param {Credentials} before
 * @param {Credentials} after
 */
function changed(before, after) {
  return before.identity_key !== after.identity_key || before.callsign !== after.callsign;
}

/** @param {string | null} text */
function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/**
 * The remembered channels of this device. Where IndexedDB is blocked, lists are empty and `put` fails.
 * @returns {Vault}
 */
export function deviceVault() {
  /** @type {Promise<IDBDatabase> | null} */
  let opening = null;
  const open = () => (opening ??= new Promise((done, fail) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "channel" });
    request.onsuccess = () => {
      // Another tab that deletes or upgrades the database must not wait for this one.
      request.result.onversionchange = () => {
        request.result.close();
        opening = null;
      };
      done(request.result);
    };
    request.onerror = () => fail(request.error);
    request.onblocked = () => fail(new Error("the device's storage is blocked"));
  }));
  /**
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest<T>} use
   * @returns {Promise<T>}
   */
  const run = async (mode, use) => {
    try {
      const database = await open();
      return await new Promise((done, fail) => {
        const transaction = database.transaction(STORE, mode);
        const request = use(transaction.objectStore(STORE));
        transaction.oncomplete = () => done(request.result);
        transaction.onerror = transaction.onabort = () => fail(transaction.error ?? request.error);
      });
    } catch (error) {
      opening = null;
      throw error;
    }
  };
  const valid = (/** @type {any} */ entry) => {
    const credentials = typeof entry?.channel === "string" ? readCredentials(entry.credentials, entry.channel) : null;
    return credentials ? /** @type {Remembered} */ ({ ...entry, credentials }) : null;
  };
  return {
    async list() {
      const all = await run("readonly", store => store.getAll()).catch(() => []);
      return all.flatMap(entry => valid(entry) ?? []).sort((a, b) => b.used_at - a.used_at);
    },
    get: async channel => valid(await run("readonly", store => store.get(channel)).catch(() => null)),
    put: async entry => void await run("readwrite", store => store.put(entry)),
    remove: async channel => void await run("readwrite", store => store.delete(channel)).catch(() => {}),
  };
}
