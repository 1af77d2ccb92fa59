// Who may hold a connection open: over HTTP/1.1 a browser has six to one host for all of its tabs, and sends need some, too.

/** How many connections all tabs of a browser hold open together, each with a stream or a long poll. */
const HELD = 3;

/** How long other tabs have to say what they hold (ms), where the browser has no locks. */
const ANSWER_MS = 250;

/** The right to hold one connection open. @typedef {{release: () => void}} Slot */

/** `take` returns null if other tabs hold all slots. @typedef {{take: () => Promise<Slot | null>}} Slots */

/** Slots without a limit. @type {Slots} */
export const ALWAYS = { take: async () => ({ release() {} }) };

/**
 * The slots of this browser. There is no limit where the hub is reached by HTTP/2 or later, which carries all requests
 * over one connection.
 * @returns {Slots}
 */
export function browserSlots() {
  /** @type {Slots | null} */
  let slots = null;
  return {
    take: () => {
      slots ??= isMultiplexed() ? ALWAYS : navigator.locks ? lockSlots(navigator.locks) : channelSlots();
      return slots.take();
    },
  };
}

function isMultiplexed() {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return entries.some(entry => /^h[23]/u.test(/** @type {PerformanceResourceTiming} */ (entry).nextHopProtocol));
}

/**
 * Slots as locks: the browser frees those of a tab that ends.
 * @param {Pick<LockManager, "request">} locks
 * @returns {Slots}
 */
export function lockSlots(locks) {
  const lock = (/** @type {string} */ name) => new Promise((/** @type {(slot: Slot | null) => void} */ done, fail) => {
    locks.request(name, { ifAvailable: true }, held => (held
      ? new Promise((/** @type {(value: void) => void} */ release) => { done({ release }); })
      : done(null))).catch(fail);
  });
  return {
    async take() {
      try {
        for (let at = 0; at < HELD; at += 1) {
          const slot = await lock(`rogerrat-connection-${at}`);
          if (slot) return slot;
        }
        return null;
      } catch {
        // Storage is blocked, and locks with it.
        return ALWAYS.take();
      }
    },
  };
}

/**
 * Slots where there are no locks, over plain http in a network: each tab asks the others what they hold. Two that ask at
 * the same time may hold one too many.
 * @param {() => BroadcastChannel} [open]
 * @returns {Slots}
 */
export function channelSlots(open = () => new BroadcastChannel("rogerrat-connections")) {
  /** @type {BroadcastChannel} */
  let tabs;
  try {
    tabs = open();
  } catch {
    return ALWAYS;
  }
  let held = 0, others = 0;
  tabs.onmessage = ({ data }) => {
    if (data === "who" && held > 0) tabs.postMessage(held);
    else if (Number.isSafeInteger(data)) others += data;
  };
  return {
    async take() {
      others = 0;
      tabs.postMessage("who");
      await new Promise(done => { setTimeout(done, ANSWER_MS); });
      if (others + held >= HELD) return null;
      held += 1;
      return { release: () => { held -= 1; } };
    },
  };
}
