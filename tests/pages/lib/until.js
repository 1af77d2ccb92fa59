// Waiting for a condition, without a fixed pause.

/** Waits until `condition` returns something true, and returns it. */
export async function until(what, condition, timeout_ms = 20_000) {
  const end = Date.now() + timeout_ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`timed out after ${timeout_ms} ms: ${what}`);
    await new Promise(resolve => { setTimeout(resolve, 10); });
  }
}
