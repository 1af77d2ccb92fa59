// A client that calls a tool for each JSON line of its input.
import { createInterface } from "node:readline";

const write = (value) => console.log(JSON.stringify(value));

export async function drive(client, transport, call, version) {
  await client.connect(transport);
  const { tools } = await client.listTools();
  write({ version: version(), tools: tools.map((tool) => tool.name) });
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    const steps = [];
    // The default timeout of a minute stays: progress keeps the call alive.
    const options = { onprogress: ({ progress }) => steps.push(progress), resetTimeoutOnProgress: true };
    const result = await call({ name: request.tool, arguments: request.arguments }, options);
    const bytes = Buffer.byteLength(JSON.stringify(result));
    write({ data: result.structuredContent, text: result.content[0]?.text, is_error: result.isError === true, progress: steps, bytes });
  }
  process.exit(0);
}
