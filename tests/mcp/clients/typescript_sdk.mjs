// @modelcontextprotocol/sdk
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { drive } from "./lines.mjs";

const client = new Client({ name: "rogerrat-test", version: "1.0.0" });
const transport = new StreamableHTTPClientTransport(new URL(process.argv[2]));
const call = (ask, options) => client.callTool(ask, undefined, options);
await drive(client, transport, call, () => transport.protocolVersion);
