// @modelcontextprotocol/client
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { drive } from "./lines.mjs";

const client = new Client({ name: "rogerrat-test", version: "1.0.0" });
const transport = new StreamableHTTPClientTransport(new URL(process.argv[2]));
await drive(client, transport, (ask, options) => client.callTool(ask, options), () => transport.protocolVersion);
