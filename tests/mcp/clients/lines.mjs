// A client that calls the tools it is told on its input, one JSON line each.
import { createInterface } from "node:readline";

const say = (answer) => console.log(JSON.stringify(answer));

export async function drive(client, transport, call, version) {
  await client.connect(transport);
  const { tools } = await client.listTools();
  say({ version: version(), tools: tools.map((tool) => tool.name) });
  for await (const line of createInterface({ input: process.stdin })) {
    const ask = JSON.parse(line);
    const heard = [];
    // The limit of a minute stays as it is: progress is what keeps the call alive.
    const options = { onprogress: ({ progress }) => heard.push(progress), resetTimeoutOnProgress: true };
    const result = await call({ name: ask.tool, arguments: ask.arguments }, options);
    say({ data: result.structuredContent, is_error: result.isError === true, progress: heard });
  }
  process.exit(0);
}
