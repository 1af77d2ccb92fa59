// Something that is loaded from the hub and shown: its value, and whether the last load failed.

/** @template T */
export class Resource {
  /** What was loaded last. A failed load keeps it. @type {T | null} */
  value = null;
  /** Why the last load failed. @type {unknown} */
  error = null;
  loading = false;

  #load;
  #changed;
  #round = 0;

  /**
   * @param {() => Promise<T>} load
   * @param {() => void} changed called after every change
   */
  constructor(load, changed) {
    this.#load = load;
    this.#changed = changed;
  }

  /** Loads it. If several loads overlap, the one that began last counts. */
  async reload() {
    const round = ++this.#round;
    this.loading = true;
    this.#changed();
    try {
      const value = await this.#load();
      if (round !== this.#round) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (round !== this.#round) return;
      this.error = error;
    }
    this.loading = false;
    this.#changed();
  }
}
