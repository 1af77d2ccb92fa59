// Finds messages in what is loaded: by words, sender, thread, unread, files. The results lead to the message.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { t, tn } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { formatClock, formatDay, sameDay } from "./format.js";
import { icon } from "./icon.js";
import { search } from "./search.js";

/** @typedef {import("./types.js").SearchFilter} Filter */

export class SearchPanel {
  /**
   * @param {import("./types.js").ChatModel} model
   * @param {{reveal: (id: number) => void}} context
   */
  constructor(model, context) {
    this.model = model;
    this.context = context;
    /** @type {Filter} */
    this.filter = {};
    this.element = document.createElement("div");
    this.element.className = "panel-content search";
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {Filter} [filter] */
  open(filter) {
    if (filter) this.filter = filter;
    this.draw();
    queueMicrotask(() => this.element.querySelector("input")?.focus());
  }

  /** @param {Filter} change */
  #set(change) {
    this.filter = { ...this.filter, ...change };
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), 120);
  }

  draw() {
    const { filter, model } = this;
    const names = new Set(model.entries.flatMap(entry => entry.type === "message" ? [entry.message.from] : []));
    const threads = new Set(model.entries.flatMap(entry => entry.type === "message" && entry.message.thread ? [entry.message.thread] : []));
    const active = Boolean(filter.text?.trim() || filter.from || filter.thread || filter.unread || filter.files);
    const found = active ? search(model.entries, { ...filter, text: filter.text?.trim() ?? "" }) : [];
    render(html`
      <form role="search" @submit=${(/** @type {Event} */ event) => event.preventDefault()}>
        <label class="visually-hidden" for="search-text">${t("chat.search")}</label>
        <input id="search-text" type="search" autocomplete="off" enterkeyhint="search" placeholder=${t("chat.search.placeholder")} .value=${live(filter.text ?? "")}
          @input=${(/** @type {Event} */ event) => this.#set({ text: /** @type {HTMLInputElement} */ (event.target).value })}>
        <div class="filters">
          ${this.#select("from", t("chat.search.from"), t("chat.search.from_any"), [...names].sort())}
          ${threads.size ? this.#select("thread", t("chat.search.thread"), t("chat.search.thread_any"), [...threads].sort()) : nothing}
          ${this.#toggle("unread", t("chat.search.unread"))}
          ${this.#toggle("files", t("chat.search.files"))}
        </div>
      </form>
      <p class="muted found" role="status">${active ? found.length ? tn("chat.search.found", found.length) : t("chat.search.nothing") : t("chat.search.scope")}</p>
      <ol class="results">${found.map(entry => html`<li><button type="button" @click=${() => { if (entry.id !== null) this.context.reveal(entry.id); }}>
        <span class="result-head"><b><bdi>${entry.mine ? t("chat.you") : visible(entry.message.display ?? entry.message.from)}</bdi></b>
          <time datetime=${new Date(entry.message.at).toISOString()}>${sameDay(entry.message.at, Date.now()) ? "" : `${formatDay(entry.message.at)}, `}${formatClock(entry.message.at)}</time></span>
        <span class="result-text">${entry.message.attachments?.length ? icon("attach") : nothing} ${around(entry.message.text, filter.text ?? "")}</span></button></li>`)}</ol>`, this.element);
  }

  /**
   * @param {"from" | "thread"} field
   * @param {string} label
   * @param {string} any
   * @param {string[]} values
   */
  #select(field, label, any, values) {
    const now = this.filter[field] ?? "";
    return html`<label class="select"><span class="visually-hidden">${label}</span><span class="select-text" aria-hidden="true">${now ? visible(now) : any}</span>
      <select .value=${live(now)} @change=${(/** @type {Event} */ event) => this.#set({ [field]: /** @type {HTMLSelectElement} */ (event.target).value || undefined })}>
        <option value="">${any}</option>${values.map(value => html`<option value=${value} ?selected=${value === now}>${visible(value)}</option>`)}</select>${icon("down")}</label>`;
  }

  /**
   * @param {"unread" | "files"} field
   * @param {string} label
   */
  #toggle(field, label) {
    const on = Boolean(this.filter[field]);
    return html`<button type="button" class="toggle" aria-pressed=${on} @click=${() => { this.#set({ [field]: !on }); }}>${on ? icon("check") : nothing}${label}</button>`;
  }
}

/**
 * The part of the text around the first hit, with the hits marked.
 * @param {string} text
 * @param {string} words
 */
function around(text, words) {
  const wanted = words.trim().split(/\s+/u).filter(Boolean).map(word => word.replace(/[\\^$.*+?()[\]{}|]/gu, "\\$&"));
  const flat = text.replace(/\s+/gu, " ");
  if (!wanted.length) return visible(flat.slice(0, 160));
  const pattern = new RegExp(`(${wanted.join("|")})`, "giu");
  const first = Math.max(0, flat.search(pattern) - 40);
  const part = `${first ? "…" : ""}${flat.slice(first, first + 180)}`;
  return part.split(pattern).map((piece, at) => at % 2 ? html`<mark>${visible(piece)}</mark>` : visible(piece));
}
