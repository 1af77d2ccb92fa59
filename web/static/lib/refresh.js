// Repeats a task while the page is visible.

/**
 * Runs a task now, then at an interval while the page is visible, and when it becomes visible again.
 *
 * @param {number} interval_ms
 * @param {() => unknown} task
 * @returns {() => void} stops it
 */
export function whileVisible(interval_ms, task) {
  /** @type {number | undefined} */
  let timer;
  const run = () => {
    clearTimeout(timer);
    if (document.visibilityState !== "visible") return;
    Promise.resolve(task()).finally(() => {
      clearTimeout(timer);
      timer = window.setTimeout(run, interval_ms);
    });
  };
  document.addEventListener("visibilitychange", run);
  run();
  return () => {
    document.removeEventListener("visibilitychange", run);
    clearTimeout(timer);
  };
}
