// Changes that are under way, each with a key: a second click does nothing, and a failure is shown where it happened.

/** The tasks of a page. */
export class Tasks {
  /** @type {Set<string>} */
  #running = new Set();
  /** @type {Map<string, unknown>} */
  #failed = new Map();
  #changed;

  /** @param {() => void} changed called after every change */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @param {string} key */
  isBusy(key) {
    return this.#running.has(key);
  }

  /**
   * Why the last run failed, or null.
   * @param {string} key
   */
  error(key) {
    return this.#failed.get(key) ?? null;
  }

  /** @param {string} key */
  clear(key) {
    if (this.#failed.delete(key)) this.#changed();
  }

  /**
   * Does some work unless it is already being done.
   * @template T
   * @param {string} key
   * @param {() => Promise<T>} work
   * @returns {Promise<{value: T} | null>} null if it failed, or is already being done
   */
  async run(key, work) {
    if (this.#running.has(key)) return null;
    this.#running.add(key);
    this.#failed.delete(key);
    this.#changed();
    try {
      return { value: await work() };
    } catch (error) {
      this.#failed.set(key, error);
      return null;
    } finally {
      this.#running.delete(key);
      this.#changed();
    }
  }
}
