// The list of messages: a window of at most 500 entries of the model, which keeps the reader's place whatever arrives.
import { t, tn } from "../lib/i18n.js";
import { icon } from "./icon.js";
import { Item } from "./item.js";

/** @typedef {import("./types.js").ChatModel} ChatModel */
/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").ChangeDetail} ChangeDetail */

const maxShown = 500;
const step = 100;
/** A reader within this distance of the end follows it. */
const follow_px = 64;

export class MessageList {
  /**
   * @param {ChatModel} model
   * @param {import("./item.js").ItemContext} context
   */
  constructor(model, context) {
    this.model = model;
    this.context = context;
    /** @type {Map<string, Item>} */
    this.items = new Map();
    /** @type {string | null} */
    this.firstKey = null;
    /** @type {string | null} last shown key while later entries are not shown; null if the end is shown */
    this.lastKey = null;
    /** Whether nothing loaded is above the window. */
    this.fromStart = true;
    this.following = true;
    this.placed = false;
    this.newBelow = 0;
    this.me = "";

    this.element = document.createElement("div");
    this.element.className = "log";
    this.element.tabIndex = -1;
    this.earlier = document.createElement("div");
    this.earlier.className = "earlier";
    this.earlierButton = this.#buttonForEarlier();
    this.list = document.createElement("ol");
    this.list.className = "messages";
    this.list.setAttribute("aria-live", "off");
    this.list.setAttribute("aria-label", t("chat.log"));
    this.empty = document.createElement("div");
    this.empty.className = "empty";
    this.element.append(this.earlier, this.list, this.empty);

    this.jump = document.createElement("button");
    this.jump.type = "button";
    this.jump.className = "jump";
    this.jump.hidden = true;
    this.jump.addEventListener("click", () => this.toNew());

    this.seer = new IntersectionObserver(found => this.#see(found), { root: this.element, threshold: [0, 0.25, 0.5, 0.75, 1] });
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => { if (this.following) this.#toEnd(); }).observe(this.element);
    new ResizeObserver(() => { if (this.following && this.placed) this.#toEnd(); }).observe(this.list);
  }

  /** @param {ChangeDetail} detail */
  changed(detail) {
    if (detail.parts.has("entries") || detail.parts.has("channel")) this.#update(detail);
    if (!this.items.size) this.context.drawEmpty(this.empty);
    if (detail.parts.has("earlier") || detail.parts.has("entries")) this.#drawEarlier();
    if (detail.parts.has("unread") || detail.parts.has("entries")) this.#drawJump();
  }

  /** @param {ChangeDetail} detail */
  #update(detail) {
    // Who one is decides how rows look.
    if (detail.parts.has("channel") && this.me !== this.model.channel.me) {
      this.me = this.model.channel.me;
      for (const item of this.items.values()) item.entry = null;
    }
    const end = this.following && this.lastKey === null;
    const known = this.items.size;
    this.#keepingPlace(() => this.#show(detail), !end);
    if (!this.placed && this.items.size) return this.#place();
    if (!end) return;
    const added = this.items.size - known;
    const tall = detail.live.map(live => this.items.get(live.key)?.element).find(row => row && row.offsetHeight > this.element.clientHeight * 0.9);
    if (tall && added) {
      this.element.scrollTop = tall.offsetTop - 8;
      this.following = this.#distance() <= follow_px;
    } else this.#toEnd();
  }

  /** Draws the messages again that have more than a text. */
  drawLate() {
    for (const { entry } of this.items.values()) if (entry?.type === "message" && (entry.approval || entry.message.wants || entry.message.state)) this.items.get(entry.key)?.redraw();
    const end = this.following && this.lastKey === null;
    this.#keepingPlace(() => this.#show(null), !end);
    if (end) this.#toEnd();
  }

  /**
   * The range of entries to show, after the model changed.
   * @param {ChangeDetail | null} detail
   * @returns {[number, number]}
   */
  #range(detail) {
    const entries = this.model.entries;
    let low = this.firstKey === null ? -1 : entries.findIndex(entry => entry.key === this.firstKey);
    let high = entries.length;
    if (this.lastKey !== null) {
      const at = entries.findIndex(entry => entry.key === this.lastKey);
      if (at >= 0) high = at + 1;
      else this.lastKey = null;
    }
    if (low < 0) low = Math.max(0, high - maxShown);
    // What arrives before a message that is still on its way goes above it: it must not fall out of the window.
    if (this.fromStart) low = 0;
    // What was loaded at the start is shown if the window has room for it.
    if (detail?.prepended && low > 0 && low <= detail.prepended) low = Math.max(0, low - detail.prepended, high - maxShown);
    if (high - low > maxShown) {
      if (this.following || !this.placed) low = high - maxShown;
      else high = low + maxShown;
    }
    return [low, high];
  }

  /** @param {ChangeDetail | null} detail */
  #show(detail) {
    const [low, high] = this.#range(detail);
    this.#draw(low, high);
  }

  /**
   * @param {number} low
   * @param {number} high
   */
  #draw(low, high) {
    const entries = this.model.entries;
    // What leaves goes first: then what stays is in its place already, and is not moved.
    const kept = new Set();
    for (let at = low; at < high; at += 1) kept.add(entries[at].key);
    for (const [key, item] of this.items) {
      if (kept.has(key)) continue;
      this.seer.unobserve(item.element);
      item.element.remove();
      this.items.delete(key);
    }
    /** @type {Entry | null} */
    let before = null;
    let place = this.list.firstElementChild;
    for (let at = low; at < high; at += 1) {
      const entry = entries[at];
      let item = this.items.get(entry.key);
      if (!item) {
        item = new Item(this.context);
        this.items.set(entry.key, item);
      }
      item.draw(entry, before);
      if (item.element === place) place = place.nextElementSibling;
      else this.list.insertBefore(item.element, place);
      if (entry.type === "message" && !entry.seen && !entry.mine && !item.watched) {
        item.watched = true;
        this.seer.observe(item.element);
      }
      before = entry;
    }
    this.firstKey = entries[low]?.key ?? null;
    this.fromStart = low === 0;
    this.lastKey = high < entries.length ? entries[high - 1]?.key ?? null : null;
    const oldest = entries.slice(low, high).find(entry => entry.type === "message" && entry.id !== null);
    this.model.keepFrom(oldest?.type === "message" ? oldest.id : null);
    this.empty.hidden = this.items.size > 0;
  }

  /**
   * Changes the list and keeps what is on screen where it is.
   * @param {() => void} change
   * @param {boolean} keep
   */
  #keepingPlace(change, keep) {
    const anchor = keep ? this.#anchor() : null;
    const before = anchor?.getBoundingClientRect().top ?? 0;
    change();
    if (!anchor?.isConnected) return;
    const moved = anchor.getBoundingClientRect().top - before;
    if (moved) this.element.scrollTop += moved;
  }

  /** The first row on screen. Rows are in order, so it is found by halves. */
  #anchor() {
    const rows = this.list.children;
    const top = this.element.getBoundingClientRect().top;
    let low = 0;
    let high = rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].getBoundingClientRect().bottom > top) high = middle;
      else low = middle + 1;
    }
    return rows[low] ?? null;
  }

  /** The first position: at the line of new messages, else at the end. */
  #place() {
    this.placed = true;
    const line = this.list.querySelector(".unread-line");
    if (!(line instanceof HTMLElement)) return this.#toEnd();
    this.element.scrollTop = line.offsetTop - 48;
    this.following = this.#distance() <= follow_px;
  }

  #distance() {
    return this.element.scrollHeight - this.element.clientHeight - this.element.scrollTop;
  }

  #toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
    this.following = true;
  }

  #scrolled() {
    const atEnd = this.#distance() <= follow_px;
    this.following = atEnd && this.lastKey === null;
    if (this.lastKey !== null && this.#distance() < 600) this.#extend(step);
    else if (this.element.scrollTop < 300) this.#extend(-step);
    this.#drawJump();
  }

  /**
   * Moves the window by a number of entries, down or (negative) up.
   * @param {number} by
   */
  #extend(by) {
    const entries = this.model.entries;
    let [low, high] = this.#range(null);
    if (by > 0) {
      high = Math.min(entries.length, high + by);
      low = Math.max(low, high - maxShown);
    } else {
      if (low === 0) return false;
      low = Math.max(0, low + by);
      high = Math.min(high, low + maxShown);
    }
    this.#keepingPlace(() => this.#draw(low, high), true);
    this.#drawEarlier();
    return true;
  }

  /** Follows the end from now on, as after a message of one's own. */
  follow() {
    this.firstKey = this.lastKey === null ? this.firstKey : null;
    this.lastKey = null;
    this.following = true;
    this.#draw(...this.#range(null));
    this.#toEnd();
    this.#drawJump();
  }

  /** Shows the messages that came meanwhile, from the first unread one if it is not shown yet. */
  toNew() {
    this.lastKey = null;
    this.firstKey = null;
    this.following = true;
    this.#draw(...this.#range(null));
    const unread = this.model.firstUnread;
    const row = unread === null ? undefined : this.#rowOf(unread);
    if (row && row.offsetTop > this.element.scrollTop + this.element.clientHeight / 2 && this.newBelow > 1) {
      this.element.scrollTop = row.offsetTop - 48;
      this.following = this.#distance() <= follow_px;
    } else {
      // Who jumps over messages has chosen not to read them one by one.
      this.#toEnd();
      this.model.markRead();
    }
    this.#drawJump();
  }

  /**
   * Shows a message, loading the part of the model around it; false if the model does not have it.
   * @param {number} id
   */
  reveal(id) {
    const at = this.model.entries.findIndex(entry => entry.type === "message" && entry.id === id);
    if (at < 0) return false;
    if (!this.#rowOf(id)) {
      const low = Math.max(0, at - maxShown / 2);
      this.#draw(low, Math.min(this.model.entries.length, low + maxShown));
    }
    const row = this.#rowOf(id);
    if (!row) return false;
    this.following = false;
    row.scrollIntoView({ block: "center" });
    row.classList.remove("flash");
    void row.offsetWidth;
    row.classList.add("flash");
    this.focusRow(row);
    return true;
  }

  /**
   * The focus to the message before or after the focused one.
   * @param {1 | -1} by
   */
  move(by) {
    const rows = [...this.list.querySelectorAll("article")];
    const now = rows.findIndex(row => row.contains(document.activeElement));
    const next = rows[now < 0 ? (by < 0 ? rows.length - 1 : 0) : now + by];
    if (next) this.focusRow(next);
  }

  /** @param {HTMLElement} row */
  focusRow(row) {
    const target = row.tagName === "ARTICLE" ? row : row.querySelector("article");
    if (!target) return;
    target.tabIndex = -1;
    target.focus({ preventScroll: false });
  }

  /** @param {number} id */
  #rowOf(id) {
    const entry = this.model.entries.find(one => one.type === "message" && one.id === id);
    return entry && this.items.get(entry.key)?.element;
  }

  #drawEarlier() {
    const { state } = this.model.earlier;
    const inMemory = this.firstKey !== null && this.model.entries[0]?.key !== this.firstKey;
    const isLoading = state === "loading" && !inMemory;
    const name = isLoading ? "chat.earlier.loading" : inMemory || state === "some" ? "chat.earlier" : state === "failed" ? "chat.earlier.failed" : "";
    const text = name ? t(name) : state === "none" && this.items.size ? t("chat.earlier.none") : "";
    // The button stays: it may have the focus, or be pressed at this moment.
    const button = name ? this.earlierButton : null;
    if (button) {
      button.textContent = text;
      button.setAttribute("aria-disabled", String(isLoading));
      if (!button.isConnected) this.earlier.replaceChildren(button);
    } else if (this.earlier.textContent !== text || this.earlierButton.isConnected) this.earlier.replaceChildren(text);
  }

  #buttonForEarlier() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet small";
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      if (!this.#extend(-step)) void this.model.loadEarlier().catch(() => undefined);
    });
    return button;
  }

  #drawJump() {
    const hidden = this.following || !this.items.size || this.#distance() <= follow_px && this.lastKey === null;
    this.newBelow = this.model.unread;
    this.jump.hidden = hidden;
    if (hidden) return;
    const text = document.createElement("span");
    text.textContent = this.newBelow ? tn("chat.jump.new", this.newBelow) : t("chat.jump.end");
    this.jump.classList.toggle("has-new", this.newBelow > 0);
    this.jump.replaceChildren(text, icon("end"));
  }

  /** @param {IntersectionObserverEntry[]} found */
  #see(found) {
    for (const one of found) {
      const id = Number(/** @type {HTMLElement} */ (one.target).dataset.id);
      if (!id) continue;
      const seen = one.isIntersecting && (one.intersectionRatio >= 0.5 || one.intersectionRect.height >= (one.rootBounds?.height ?? 0) / 2);
      if (seen) this.model.seen(id);
      else this.model.unseen(id);
    }
  }
}
