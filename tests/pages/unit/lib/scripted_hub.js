// A hub in memory, for tests on a fake clock: just enough of the API that the engine's rules can be seen, with faults on
// demand. What the real hub does is tested by `engine.test.js`.

import { EventParser } from "../../../../web/static/chat/stream.js";

/** One stream that is open on the scripted hub. */
class OpenStream {
  isOpen = true;

  constructor(hub, options, controller) {
    this.hub = hub;
    this.options = options;
    this.controller = controller;
  }

  write(text) {
    if (this.isOpen) this.controller.enqueue(new TextEncoder().encode(text));
  }

  event(event, data, id) {
    this.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n${id ? `id: ${id}\n` : ""}\n`);
  }

  message(message) {
    this.event("message", message, message.id);
  }

  /** The connection breaks. */
  cut() {
    if (!this.isOpen) return;
    this.close();
    this.controller.error(new TypeError("terminated"));
  }

  /** The hub ends it. */
  end() {
    if (!this.isOpen) return;
    this.close();
    this.controller.close();
  }

  close() {
    this.isOpen = false;
    this.hub.streams.delete(this);
  }
}

/** Answers like a hub with one channel and one member of interest, `me`. */
export class ScriptedHub {
  messages = [];
  streams = new Set();
  polls = [];
  requests = [];
  acks = [];
  cursors = new Map();
  joins = 0;
  keys = new Map();
  /** Called first for each request; what it returns or throws is the answer. */
  fault = (_request) => undefined;
  /** More facts about the channel. */
  info = {};
  /** Whether streams say `hello`. */
  streamsPass = true;
  online = ["bob", "me"];
  /** The rows of its tasks. */
  board = [];
  #last = 1000;

  constructor(clock) {
    this.clock = clock;
  }

  get stream() {
    return [...this.streams].at(-1);
  }

  /** A message of a peer, delivered to what is open. */
  says(text, fields = {}) {
    const message = { id: ++this.#last, from: "bob", to: "all", text, at: this.clock.now(), ...fields };
    if (message.kind !== "status") this.messages.push(message);
    for (const stream of this.streams) if (stream.hasHello) stream.message(message);
    for (const poll of this.polls.splice(0)) poll([message]);
    return message;
  }

  fetch = async (path, init) => {
    const url = new URL(path, "http://hub");
    const request = {
      method: init.method, path: url.pathname.replace(/^\/api\/channels\/[^/]+/, ""), query: Object.fromEntries(url.searchParams),
      body: init.body ? JSON.parse(init.body) : undefined, headers: init.headers, signal: init.signal,
    };
    this.requests.push(request);
    if (init.signal?.aborted) throw new DOMException("aborted", "AbortError");
    const fault = await this.fault(request);
    if (fault instanceof Response) return fault;
    if (fault === "hang") return this.#hang(init.signal);
    if (fault) throw fault;
    return this.#answer(request);
  };

  #hang(signal) {
    return new Promise((_, fail) => signal.addEventListener("abort", () => fail(new DOMException("aborted", "AbortError"))));
  }

  async #answer(request) {
    const route = `${request.method} ${request.path}`;
    switch (route) {
      case "GET ": return json({ exists: true, is_band: false, ...this.info });
      case "POST /join":
        this.joins += 1;
        return json({ session_id: `session-${this.joins}`, callsign: "me", trust_posture: "untrusted", retention: "none", history: this.messages.slice(-20) });
      case "GET /history": {
        const before = Number(request.query.before ?? Infinity);
        return json({ history: this.messages.filter(({ id }) => id < before).slice(-Number(request.query.n)) });
      }
      case "GET /consumers": return json({ consumers: [...this.cursors].map(([name, cursor]) => ({ name, cursor, waiting: false })) });
      case "GET /tasks": return json({ tasks: this.board, for_you: 0 });
      case "GET /roster": return json({ roster_all: this.online.map((callsign, at) => ({ callsign, online: true, idx: at + 1 })) });
      case "POST /ack":
        this.acks.push(request.body.upto);
        this.cursors.set(request.body.consumer, request.body.upto);
        return json({ acked: 1, cursor: request.body.upto });
      case "POST /send": return json(this.#send(request.body));
      case "POST /stream": return this.#open(request);
      case "GET /wait": return this.#wait(request);
      case "POST /leave": return json({ ok: true });
      default: return json({ error: `unknown ${route}`, code: "not_found" }, 404);
    }
  }

  #send(body) {
    const known = this.keys.get(body.client_msg_id);
    if (known) return { ok: true, id: known.id, at: known.at, duplicate: true };
    const message = { id: ++this.#last, from: "me", to: body.to, text: body.message, at: this.clock.now() };
    if (body.reply_to) message.reply_to = body.reply_to;
    this.keys.set(body.client_msg_id, message);
    this.messages.push(message);
    for (const stream of this.streams) stream.message({ ...message, own: true });
    return { ok: true, id: message.id, at: message.at, queued: false };
  }

  /** What a read of a consumer has to bring. */
  due({ consumer, since }) {
    const from = Number(since ?? this.cursors.get(consumer) ?? 0);
    return this.messages.filter(({ id, from: sender }) => id > from && sender !== "me");
  }

  #open(request) {
    const { body, signal } = request;
    if (!this.cursors.has(body.consumer)) this.cursors.set(body.consumer, 0);
    const readable = new ReadableStream({
      start: controller => {
        const stream = new OpenStream(this, body, controller);
        this.streams.add(stream);
        signal?.addEventListener("abort", () => {
          if (!stream.isOpen) return;
          stream.close();
          controller.error(new DOMException("aborted", "AbortError"));
        });
        if (!this.streamsPass) return;
        const due = this.due(body);
        stream.hasHello = true;
        stream.write("retry: 2000\n");
        stream.event("hello", { channel_id: "c", callsign: "me", roster: this.online, backlog_count: due.length });
        for (const message of due) stream.message(message);
      },
    });
    return new Response(readable, { headers: { "content-type": "text/event-stream" } });
  }

  #wait(request) {
    const { query, signal } = request;
    if (!this.cursors.has(query.consumer)) this.cursors.set(query.consumer, 0);
    const leased = this.leased ??= new Set();
    const due = this.due(query).filter(({ id }) => !leased.has(id));
    const answer = messages => {
      for (const { id } of messages) leased.add(id);
      return json({ messages, timed_out: !messages.length, roster: this.online });
    };
    if (due.length) return answer(due);
    return new Promise((done, fail) => {
      const poll = messages => {
        this.clock.clearTimeout(timer);
        done(answer(messages));
      };
      const timer = this.clock.setTimeout(() => {
        this.polls.splice(this.polls.indexOf(poll), 1);
        done(answer([]));
      }, Number(query.timeout) * 1000);
      this.polls.push(poll);
      signal?.addEventListener("abort", () => {
        this.clock.clearTimeout(timer);
        const at = this.polls.indexOf(poll);
        if (at >= 0) this.polls.splice(at, 1);
        fail(new DOMException("aborted", "AbortError"));
      });
    });
  }
}

export function json(body, status = 200, headers = {}) {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
}

/** A refusal in the hub's form. */
export function refuse(status, code, error = code, more = {}, headers = {}) {
  return json({ error, code, ...more }, status, headers);
}

/** All events of a text, for comparisons. */
export function eventsOf(text) {
  const events = [];
  new EventParser(event => events.push(event)).push(text);
  return events;
}
