// One row of the log: a message, a gap, or the line of new messages; drawn again only when its entry or its neighbour changed.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t, formatTime } from "../lib/i18n.js";
import { formatDay, sameDay } from "./format.js";
import { messageView, messageBody } from "./message.js";
import { icon } from "./icon.js";

/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").MessageEntry} MessageEntry */

/**
 * What a row needs of the page around it.
 * @typedef {object} ItemContext
 * @property {import("./types.js").ChatModel} model
 * @property {(id: number) => MessageEntry | null} find
 * @property {(id: number) => void} reveal
 * @property {(entry: MessageEntry) => void} replyTo
 * @property {(entry: MessageEntry, from: HTMLElement) => unknown} menu
 * @property {(entry: MessageEntry) => void} edit takes a message that was not sent back into the composer
 * @property {(thread: string) => unknown} showThread
 * @property {(place: HTMLElement) => void} drawEmpty
 * @property {(task: import("./tasks.js").Task, to: string) => void} answerTask
 * @property {() => void} drawLate what is shown of tasks and suggested replies has changed beside the model
 * @property {(text: string) => void} say to screen readers
 */

/** Messages of one sender within this time are one block. */
const block_ms = 5 * 60_000;

export class Item {
  /** @param {ItemContext} context */
  constructor(context) {
    this.context = context;
    this.element = document.createElement("li");
    /** @type {Entry | null} */
    this.entry = null;
    this.continued = false;
    this.newDay = false;
    this.watched = false;
    /** Whether something that the entry does not hold has changed. */
    this.stale = false;
    /** @type {HTMLElement | null} */
    this.body = null;
  }

  /**
   * @param {Entry} entry
   * @param {Entry | null} before
   */
  draw(entry, before) {
    const continued = entry.type === "message" && before?.type === "message" && continues(entry, before);
    const newDay = entry.type === "message" && (!before || (before.type === "message" && !sameDay(entry.message.at, before.message.at)));
    if (!this.stale && this.entry === entry && this.continued === continued && this.newDay === newDay) return;
    this.stale = false;
    this.continued = continued;
    this.newDay = newDay;
    const old = this.entry;
    this.entry = entry;
    if (entry.type !== "message") return this.#drawLine(entry);
    const { message } = entry;
    if (!this.body || old?.type !== "message" || old.message.text !== message.text || old.id !== entry.id) this.body = messageBody(entry, this.context);
    this.element.className = rowClass(entry, continued, this.context.model.channel.me);
    if (entry.id !== null) this.element.dataset.id = String(entry.id);
    render(html`${newDay ? html`<div class="day"><span>${formatDay(message.at)}</span></div>` : nothing}${messageView(entry, this.body, continued, this.context)}`, this.element);
  }

  /** Something that the entry does not hold has changed: it is drawn at the next call, though the entry is the same. */
  redraw() {
    this.stale = true;
  }

  /** @param {Exclude<Entry, MessageEntry>} entry */
  #drawLine(entry) {
    this.element.className = entry.type === "unread" ? "line unread-line" : "line gap-line";
    if (entry.type === "unread") render(html`<span>${t("chat.unread_line")}</span>`, this.element);
    else render(html`<span role="note">${icon("alert")} ${t(`chat.gap.${entry.reason}`)} <small>${formatTime(entry.from)} – ${formatTime(entry.to)}</small></span>`, this.element);
  }
}

/**
 * @param {MessageEntry} entry
 * @param {MessageEntry} before
 */
function continues(entry, before) {
  const one = entry.message;
  const other = before.message;
  return one.from === other.from && one.to === other.to && one.display === other.display && one.thread === other.thread && one.verified === other.verified
    && !one.reply_to && entry.mine === before.mine && one.at - other.at < block_ms && sameDay(one.at, other.at)
    && !(one.priority && one.priority !== "default") && !one.wants;
}

/**
 * @param {MessageEntry} entry
 * @param {boolean} continued
 * @param {string} me
 */
function rowClass(entry, continued, me) {
  const { message } = entry;
  const names = ["row", entry.mine ? "mine" : "theirs"];
  if (continued) names.push("continued");
  if (message.to !== "all") names.push("direct");
  if (message.to === me && !entry.mine) names.push("to-me");
  if (message.priority && message.priority !== "default") names.push(`priority-${message.priority}`);
  if (entry.tick === "failed") names.push("failed");
  return names.join(" ");
}
