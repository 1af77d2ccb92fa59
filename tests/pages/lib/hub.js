// A hub: the real executable in a process of its own, with its own data directory, on a free port.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { until } from "./until.js";

const executable = process.env.ROGERRAT ?? new URL("../../../target/debug/rogerrat", import.meta.url).pathname;

/**
 * `limits` leaves the rate limits on, which are off otherwise; `scheme` is what the flags make of it.
 * @typedef {{flags?: string[], env?: Record<string, string>, limits?: boolean, scheme?: "http" | "https"}} HubOptions
 */

/**
 * Starts a hub, and ends it after `use`.
 * @template T
 * @param {HubOptions} options
 * @param {(hub: Hub) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withHub(options, use) {
  const hub = new Hub(await mkdtemp(join(tmpdir(), "rogerrat-pages-")), options);
  try {
    await hub.start();
    return await use(hub);
  } finally {
    await hub.end();
  }
}

/** A running hub. */
export class Hub {
  /** Strings that must never be in a URL, a header that names one, or a line of the log. */
  secrets = new Set();
  /** The banner that it printed at the start. */
  banner = "";
  port = 0;
  /** @type {import("node:child_process").ChildProcess | null} */
  #process = null;

  /** @param {string} folder @param {HubOptions} options */
  constructor(folder, options) {
    this.folder = folder;
    this.options = options;
  }

  get origin() {
    return `${this.options.scheme ?? "http"}://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#process?.pid;
  }

  /** Starts the process; again on the same port and with the same data, if it ran before. */
  async start() {
    const { flags = [], env = {}, limits = false } = this.options;
    const log = await open(join(this.folder, "log"), "a");
    const all = ["serve", "--port", `${this.port}`, "--data-dir", join(this.folder, "data"), ...flags];
    if (!limits) all.push("--rate-limit", "off");
    this.banner = "";
    const child = spawn(executable, all, {
      env: { PATH: process.env.PATH, HOME: this.folder, ...env },
      stdio: ["ignore", "pipe", log.fd],
    });
    this.#process = child;
    child.stdout.setEncoding("utf8").on("data", text => { this.banner += text; });
    await until("the hub has started", async () => {
      if (child.exitCode !== null) throw new Error(`the hub ended: ${this.banner}${await this.log()}`);
      const port = /https?:\/\/[^\s/]*:(\d+)/.exec(this.banner);
      if (!port) return false;
      this.port ||= Number(port[1]);
      return fetch(`${this.origin}/readyz`).then(answer => answer.ok, () => false);
    });
    await log.close();
  }

  /** Sends a signal and waits for the exit. */
  async stop(signal = "SIGTERM") {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(/** @type {NodeJS.Signals} */ (signal));
    await ended;
  }

  /** Kills it, as a crash would. */
  async kill() {
    await this.stop("SIGKILL");
  }

  async end() {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Everything it has logged. */
  async log() {
    return readFile(join(this.folder, "log"), "utf8");
  }

  /** Sends a request and returns status and parsed body. */
  async ask(method, path, body, headers = {}) {
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await fetch(this.origin + path, {
      method, headers: { ...type, ...headers }, body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text, headers: answer.headers };
  }

  /** Like `ask`, but a refusal is an error. */
  async call(method, path, body, headers = {}) {
    const answer = await this.ask(method, path, body, headers);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Creates a channel. */
  async channel(settings = {}, headers = {}) {
    const created = await this.call("POST", "/api/channels", settings, headers);
    this.secrets.add(created.join_token);
    if (created.owner_password) this.secrets.add(created.owner_password);
    return new Channel(this, created.channel_id, created.join_token, created);
  }

  /** Opens an account. */
  async account() {
    const account = await this.call("POST", "/api/account");
    this.secrets.add(account.session_token).add(account.recovery_token);
    return account;
  }
}

/** A channel of a hub. */
export class Channel {
  constructor(hub, id, token, created) {
    this.hub = hub;
    this.id = id;
    this.token = token;
    this.created = created;
  }

  get base() {
    return `/api/channels/${this.id}`;
  }

  /** The URL of its chat page, for a callsign. */
  url(callsign, more = {}) {
    return `${this.hub.origin}/remote/${this.id}#${new URLSearchParams({ t: this.token, cs: callsign, ...more })}`;
  }

  /** Joins as a member that the test plays. */
  async join(callsign, more = {}) {
    const joined = await this.hub.call("POST", `${this.base}/join`, { callsign, ...more }, { authorization: `Bearer ${this.token}` });
    this.hub.secrets.add(joined.session_id);
    return new Member(this, joined);
  }
}

/** A member whom the test plays. */
export class Member {
  constructor(channel, joined) {
    this.channel = channel;
    this.joined = joined;
    this.callsign = joined.callsign;
  }

  get headers() {
    return { authorization: `Bearer ${this.channel.token}`, "x-session-id": this.joined.session_id };
  }

  call(method, path, body) {
    return this.channel.hub.call(method, this.channel.base + path, body, this.headers);
  }

  /** Sends a text, or a whole body. */
  send(message, more = {}) {
    const body = typeof message === "string" ? { to: "all", message, ...more } : { to: "all", ...message };
    return this.call("POST", "/send", body);
  }

  /** Reads what is due at once. */
  async listen(query = "") {
    return (await this.call("GET", `/listen${query}`)).messages;
  }

  /** Waits for messages until one satisfies the condition. */
  async receive(what, condition, timeout_ms = 20_000) {
    const end = Date.now() + timeout_ms;
    const seen = [];
    while (Date.now() < end) {
      const { messages } = await this.call("GET", "/wait?timeout=5");
      seen.push(...messages.map(message => message.text));
      const found = messages.find(condition);
      if (found) return found;
    }
    throw new Error(`not received: ${what}; received ${JSON.stringify(seen)}`);
  }

  history(query = "") {
    return this.call("GET", `/history${query}`);
  }

  receipts(id) {
    return this.call("GET", `/messages/${id}/receipts`);
  }
}
