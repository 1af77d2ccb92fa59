// A proxy between a browser and a hub that does to connections what networks do.

import http from "node:http";
import { once } from "node:events";

/**
 * Starts a proxy in front of a hub, and ends it after `use`.
 * @template T
 * @param {import("./hub.js").Hub} hub
 * @param {(proxy: Proxy) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withProxy(hub, use) {
  const proxy = new Proxy(hub);
  await proxy.start();
  try {
    return await use(proxy);
  } finally {
    await proxy.end();
  }
}

/** The proxy and what it does at present. */
export class Proxy {
  /** Keeps responses back until they end, for requests for which this returns true. */
  holdsBack = (/** @type {http.IncomingMessage} */ _request) => false;
  /** Destroys the connection of a request for which this returns true, without an answer. */
  drops = (/** @type {http.IncomingMessage} */ _request) => false;
  /** Forwards the request, then destroys the connection instead of answering it. */
  swallows = (/** @type {http.IncomingMessage} */ _request) => false;
  /** Ends each response that is this many milliseconds old; 0 for never. */
  cutAfter_ms = 0;
  /** Every request: method and path. */
  requests = /** @type {string[]} */ ([]);

  /** @type {Set<import("node:net").Socket>} */
  #sockets = new Set();
  /** @type {Set<http.ClientRequest>} */
  #onward = new Set();

  constructor(hub) {
    this.hub = hub;
    this.server = http.createServer((request, response) => this.#forward(request, response));
    this.server.on("connection", socket => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  get origin() {
    const address = /** @type {import("node:net").AddressInfo} */ (this.server.address());
    return `http://127.0.0.1:${address.port}`;
  }

  async start() {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
  }

  async end() {
    this.server.close();
    this.cutAll();
  }

  /** Loses the hub's side of every open response: those who wait for it are not told. */
  loseAll() {
    for (const onward of this.#onward) {
      onward.removeAllListeners("error").on("error", () => {});
      onward.destroy();
    }
  }

  /** Destroys every connection. */
  cutAll() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
  #forward(request, response) {
    this.requests.push(`${request.method} ${request.url}`);
    if (this.drops(request)) return request.socket.destroy();
    const isSwallowed = this.swallows(request);
    const onward = http.request({
      host: "127.0.0.1", port: this.hub.port, method: request.method, path: request.url, headers: request.headers, agent: false,
    });
    this.#onward.add(onward);
    onward.on("close", () => this.#onward.delete(onward));
    onward.on("response", answer => {
      answer.on("error", () => {});
      if (isSwallowed) {
        answer.resume();
        answer.on("end", () => request.socket.destroy());
        return;
      }
      const cut = this.cutAfter_ms > 0 ? setTimeout(() => request.socket.destroy(), this.cutAfter_ms) : undefined;
      response.on("close", () => clearTimeout(cut));
      if (!this.holdsBack(request)) {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
        return;
      }
      /** @type {Buffer[]} */
      const kept = [];
      answer.on("data", piece => kept.push(piece));
      answer.on("end", () => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        response.end(Buffer.concat(kept));
      });
    });
    onward.on("error", () => request.socket.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  }
}
