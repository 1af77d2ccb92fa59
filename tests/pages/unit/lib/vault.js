// A vault in memory: what a device would remember.

/** @returns {import("../../../../web/static/chat/types.js").Vault} */
export function memoryVault() {
  const entries = new Map();
  return {
    list: async () => [...entries.values()].sort((a, b) => b.used_at - a.used_at),
    get: async channel => entries.get(channel) ?? null,
    put: async entry => void entries.set(entry.channel, structuredClone(entry)),
    remove: async channel => void entries.delete(channel),
  };
}
