// Notices when nobody has used the page for a while.

const CHECK_MS = 15_000;

/**
 * Calls `idle` once after `limit_ms` without a key, a pointer or a touch in the page. The clock of the wall is compared,
 * because timers stop while the machine sleeps.
 * @param {number} limit_ms
 * @param {() => void} idle
 * @returns {() => void} stops watching
 */
export function whenIdle(limit_ms, idle) {
  const stop = new AbortController();
  let last = Date.now();
  const used = () => { last = Date.now(); };
  for (const event of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
    document.addEventListener(event, used, { passive: true, capture: true, signal: stop.signal });
  }
  const end = () => {
    clearInterval(timer);
    stop.abort();
  };
  const check = () => {
    if (Date.now() - last < limit_ms) return;
    end();
    idle();
  };
  const timer = setInterval(check, CHECK_MS);
  document.addEventListener("visibilitychange", check, { signal: stop.signal });
  return end;
}
