// An agent: a real MCP client, connected to a hub by Streamable HTTP.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

/**
 * Connects an agent to a hub, and disconnects it after `use`.
 * @template T
 * @param {import("./hub.js").Hub} hub
 * @param {(agent: Agent) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withAgent(hub, use) {
  const agent = new Agent(hub);
  await agent.connect();
  try {
    return await use(agent);
  } finally {
    await agent.client.close().catch(() => {});
  }
}

/** A connected MCP client. */
export class Agent {
  constructor(hub) {
    this.hub = hub;
    this.client = new Client({ name: "pages-test", version: "1.0.0" });
  }

  /** Connects; again with a new client, as after the end of a hub. */
  async connect() {
    this.client = new Client({ name: "pages-test", version: "1.0.0" });
    await this.client.connect(new StreamableHTTPClientTransport(new URL(`${this.hub.origin}/mcp`)));
  }

  /** Calls a tool and returns its structured result; a refusal is an error. */
  async tool(name, args = {}) {
    const result = await this.client.callTool({ name, arguments: args }, undefined, { timeout: 60_000 });
    const text = /** @type {{text?: string}[]} */ (result.content).map(part => part.text ?? "").join("\n");
    if (result.isError) throw new Error(`${name}: ${text}`);
    return { text, ...(/** @type {object} */ (result.structuredContent ?? {})) };
  }

  /** Waits until a message with a text arrives, and returns it. */
  async receive(text, timeout_ms = 30_000) {
    const end = Date.now() + timeout_ms;
    const seen = [];
    while (Date.now() < end) {
      const { messages = [] } = /** @type {any} */ (await this.tool("wait", { timeout_seconds: 5 }));
      for (const message of messages) seen.push(message.text);
      const found = messages.find(message => message.text === text);
      if (found) return { ...found, all: seen };
    }
    throw new Error(`not received: ${text}; received ${JSON.stringify(seen)}`);
  }
}
