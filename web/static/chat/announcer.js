// Announces new messages to screen readers, once, outside the list.
import { t, tn } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";

const length = 200;
const burst_ms = 2000;

export class Announcer {
  constructor() {
    this.element = document.createElement("div");
    this.element.className = "visually-hidden";
    this.element.setAttribute("role", "log");
    this.element.setAttribute("aria-live", "polite");
    this.element.setAttribute("aria-relevant", "additions");
    this.element.setAttribute("aria-label", t("chat.announcer"));
    /** @type {import("./types.js").MessageEntry[]} */
    this.waiting = [];
    this.last = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.on = true;
  }

  /** @param {import("./types.js").MessageEntry[]} live messages of others that arrived while the page is open */
  messages(live) {
    if (!live.length || !this.on) return;
    this.waiting.push(...live);
    if (this.timer !== undefined) return;
    // The first message is announced at once; those that follow closely are collected.
    const wait = Math.max(150, this.last + burst_ms - Date.now());
    this.timer = setTimeout(() => this.#flush(), wait);
  }

  #flush() {
    this.timer = undefined;
    this.last = Date.now();
    const messages = this.waiting.splice(0);
    if (messages.length > 2) return this.say(tn("chat.announce.many", messages.length));
    for (const { message } of messages) {
      const text = visible(message.text).slice(0, length) || t("chat.quote.files");
      this.say(t(message.to === "all" ? "chat.announce" : "chat.announce.direct", { name: visible(message.display ?? message.from), text }));
      if (message.suggested_replies?.length) this.say(t("chat.announce.replies", { list: message.suggested_replies.map(visible).join(", ") }));
    }
  }

  /** @param {string} text */
  say(text) {
    const line = document.createElement("p");
    line.textContent = text;
    this.element.append(line);
    while (this.element.childElementCount > 20) this.element.firstElementChild?.remove();
  }
}
