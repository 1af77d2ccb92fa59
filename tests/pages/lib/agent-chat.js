// The original command of agent-chatroom, from PyPI, which `tests/pages/run` installs.

import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

/** Where it is; undefined if it is not installed. */
export const AGENT_CHAT = process.env.AGENT_CHAT;

const env = { ...process.env, PYTHONUNBUFFERED: "1" };
const access = (hub, password) => ["--url", hub.origin, "--password", password];

/** Sends a message with it. */
export async function send(hub, password, name, text) {
  await promisify(execFile)(AGENT_CHAT ?? "", ["send", ...access(hub, password), "--agent-name", name, "--message", text], { env });
}

/**
 * Listens with it, and ends it after `use`.
 * @template T
 * @param {(lines: string[]) => Promise<T>} use with the lines that it has printed, without their times
 */
export async function withListener(hub, password, use) {
  const child = spawn(AGENT_CHAT ?? "", ["listen", ...access(hub, password)], { env, stdio: ["ignore", "pipe", "ignore"] });
  /** @type {string[]} */
  const lines = [];
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", text => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.map(line => line.slice(line.indexOf("] ") + 2)));
  });
  try {
    return await use(lines);
  } finally {
    child.kill("SIGKILL");
  }
}
