// The browser's storage, replaced by memory of the page where it is blocked or full.

/** @typedef {{get: (key: string) => string | null, set: (key: string, value: string) => void, remove: (key: string) => void}} Store */

/**
 * @param {() => Storage} browser
 * @returns {Store}
 */
function store(browser) {
  /** Values that the browser did not take. @type {Map<string, string>} */
  const own = new Map();
  /** @template T @param {(storage: Storage) => T} use @returns {T | null} */
  const attempt = (use) => {
    try {
      return use(browser());
    } catch {
      return null;
    }
  };
  return {
    get: (key) => own.get(key) ?? attempt((storage) => storage.getItem(key)),
    set(key, value) {
      own.delete(key);
      const stored = attempt((storage) => {
        storage.setItem(key, value);
        return true;
      });
      if (!stored) own.set(key, value);
    },
    remove(key) {
      own.delete(key);
      attempt((storage) => storage.removeItem(key));
    },
  };
}

/** Lasts beyond the tab. Never for secrets: theme, language, names, and what this device has read. */
export const lasting = store(() => window.localStorage);

/** Lasts as long as the tab, over reloads. */
export const ofTab = store(() => window.sessionStorage);
