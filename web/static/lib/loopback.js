// Addresses that only this machine can open.

/** @param {string} origin */
export function isLoopback(origin) {
  try {
    const { hostname } = new URL(origin);
    return hostname === "localhost" || hostname.endsWith(".localhost") || hostname.startsWith("127.") || hostname === "[::1]";
  } catch {
    return false;
  }
}
