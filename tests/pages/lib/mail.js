// A mail server for journeys: it takes every e-mail and keeps it.

import { once } from "node:events";
import net from "node:net";

import { until } from "./until.js";

/** Starts a mail server, and ends it after `use`. @template T @param {(mails: MailServer) => Promise<T>} use @returns {Promise<T>} */
export async function withMailServer(use) {
  const mails = new MailServer();
  await mails.start();
  try {
    return await use(mails);
  } finally {
    mails.end();
  }
}

/** The text of an English e-mail: quoted-printable ends lines early and writes characters as hexadecimal numbers. @param {string} text */
const decoded = text => !/^content-transfer-encoding: quoted-printable/imu.test(text) ? text
  : text.replaceAll("=\r\n", "").replace(/=([0-9A-F]{2})/gu, (_, hex) => String.fromCharCode(parseInt(hex, 16)));

/** A mail server on this machine, without encryption. */
export class MailServer {
  /** @type {{to: string, text: string}[]} */
  received = [];
  port = 0;
  #server = net.createServer(socket => this.#serve(socket));
  /** @type {Set<net.Socket>} */
  #open = new Set();

  async start() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = /** @type {net.AddressInfo} */ (this.#server.address()).port;
  }

  end() {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  /** The flags and variables of a hub that sends through this server. */
  get options() {
    const env = { ROGERRAT_EMAIL__SMTP: `smtp://127.0.0.1:${this.port}?tls=none`, ROGERRAT_EMAIL__FROM: "hub@example.org" };
    return { flags: ["--origin", "http://localhost:7"], env };
  }

  /** The `n`th e-mail, from 0. @param {number} n */
  async mail(n) {
    return until("an e-mail arrives", () => this.received[n]);
  }

  /** The link in an e-mail, at the hub's own address. @param {number} n @param {import("./hub.js").Hub} hub */
  async link(n, hub) {
    const link = /http:\/\/localhost:7(\/account\S+)/.exec((await this.mail(n)).text)?.[1] ?? "";
    hub.secrets.add(link.split("=")[1]);
    return hub.origin + link;
  }

  /** @param {net.Socket} socket */
  #serve(socket) {
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket)).on("error", () => {});
    let rest = "", to = "", isData = false;
    /** @param {string} line */
    const say = line => socket.write(`${line}\r\n`);
    say("220 mail.example.org");
    socket.setEncoding("utf8").on("data", piece => {
      rest += piece;
      for (;;) {
        const end = rest.indexOf(isData ? "\r\n.\r\n" : "\r\n");
        if (end < 0) return;
        const text = rest.slice(0, end);
        rest = rest.slice(end + (isData ? 5 : 2));
        if (isData) this.received.push({ to, text: decoded(text) });
        else if (/^rcpt/iu.test(text)) to = /<(.*)>/u.exec(text)?.[1] ?? "";
        isData = !isData && /^data/iu.test(text);
        say(isData ? "354 go on" : /^quit/iu.test(text) ? "221 bye" : "250 ok");
      }
    });
  }
}
