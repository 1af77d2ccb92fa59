// Reads server-sent events from the body of a fetch. EventSource cannot send headers, and a secret must not be in a URL.

/** Longest event, in characters. The hub's largest is a message of 8,192 characters and its names. */
const MAX_EVENT = 4 * 1024 * 1024;

/**
 * One event. `id` is its own id, or null if it has none; `data` is its lines joined by line feeds.
 * @typedef {object} ServerEvent
 * @property {string} event
 * @property {string} data
 * @property {string | null} id
 */

/**
 * Parses text in chunks of any size (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
 */
export class EventParser {
  #rest = "";
  #afterReturn = false;
  #first = true;
  /** @type {string[]} */
  #data = [];
  #size = 0;
  #event = "";
  /** @type {string | null} */
  #id = null;
  #onEvent;
  #onRetry;

  /**
   * @param {(event: ServerEvent) => void} onEvent
   * @param {(milliseconds: number) => void} [onRetry]
   */
  constructor(onEvent, onRetry = () => {}) {
    this.#onEvent = onEvent;
    this.#onRetry = onRetry;
  }

  /**
   * @param {string} chunk
   * @throws {RangeError} if an event is longer than 4 Mi characters
   */
  push(chunk) {
    let text = chunk;
    if (this.#first && text) {
      this.#first = false;
      if (text[0] === "\uFEFF") text = text.slice(1);
    }
    // A carriage return at the end of a chunk ended its line; a line feed at the start of the next belongs to it.
    if (this.#afterReturn && text) {
      this.#afterReturn = false;
      if (text[0] === "\n") text = text.slice(1);
    }
    if (!/[\r\n]/u.test(text)) {
      this.#rest += text;
    } else {
      this.#afterReturn = text.endsWith("\r");
      const lines = (this.#rest + text).split(/\r\n|\r|\n/u);
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#line(line);
    }
    if (this.#rest.length + this.#size > MAX_EVENT) throw new RangeError("an event of the stream is too long");
  }

  /** @param {string} line */
  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "data") {
      this.#data.push(value);
      this.#size += value.length + 1;
    } else if (field === "event") {
      this.#event = value;
    } else if (field === "id") {
      if (!value.includes("\0")) this.#id = value;
    } else if (field === "retry" && /^[0-9]{1,9}$/u.test(value)) {
      this.#onRetry(Number(value));
    }
  }

  #dispatch() {
    if (this.#data.length) {
      this.#onEvent({ event: this.#event || "message", data: this.#data.join("\n"), id: this.#id });
    }
    this.#data = [];
    this.#size = 0;
    this.#event = "";
    this.#id = null;
  }
}

/**
 * Reads a body to its end. Every chunk is reported, also one without an event: it proves that the link is alive.
 * @param {ReadableStream<Uint8Array>} body
 * @param {{onEvent: (event: ServerEvent) => void, onRetry?: (milliseconds: number) => void, onBytes?: () => void,
 *   signal?: AbortSignal}} handlers `signal` ends the reading
 */
export async function readEvents(body, { onEvent, onRetry, onBytes = () => {}, signal }) {
  const reader = body.getReader();
  // An aborted fetch should end its body, but Node.js forgets to once it has collected the request.
  const cancel = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", cancel, { once: true });
  if (signal?.aborted) cancel();
  const decoder = new TextDecoder();
  const parser = new EventParser(onEvent, onRetry);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal?.aborted) return;
      onBytes();
      parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}
