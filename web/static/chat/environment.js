// The browser as the engine sees it: network, clock, storage, visibility. Tests replace each of them.

/** @import { Environment, Clock, Signals } from "./types.js" */

import { lasting, ofTab } from "../lib/storage.js";
import { deviceVault } from "./secrets.js";
import { browserSlots } from "./slots.js";

/** @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  setTimeout: (run, after_ms) => setTimeout(run, after_ms),
  clearTimeout: timer => clearTimeout(timer),
};

/**
 * What the page reports. A tap counts only through the connection's own controls, so it is not listened for here.
 * @returns {Signals}
 */
function pageSignals() {
  return {
    visible: () => document.visibilityState === "visible",
    online: () => navigator.onLine !== false,
    listen(listener) {
      const end = new AbortController();
      const options = { signal: end.signal };
      document.addEventListener("visibilitychange", () => {
        listener(document.visibilityState === "visible" ? "visible" : "hidden");
      }, options);
      // Chromium freezes pages: `resume` is the sure sign that timers were held.
      document.addEventListener("resume", () => listener("pageshow"), options);
      addEventListener("pageshow", event => event.persisted && listener("pageshow"), options);
      addEventListener("pagehide", () => listener("pagehide"), options);
      addEventListener("online", () => listener("online"), options);
      addEventListener("offline", () => listener("offline"), options);
      return () => end.abort();
    },
  };
}

/** @returns {Required<Environment>} */
export function browserEnvironment() {
  return {
    fetch: (input, init) => fetch(input, init),
    clock: systemClock,
    session: ofTab,
    lasting,
    vault: deviceVault(),
    random: bytes => crypto.getRandomValues(/** @type {Uint8Array<ArrayBuffer>} */ (bytes)),
    signals: pageSignals(),
    slots: browserSlots(),
    base: "",
  };
}
