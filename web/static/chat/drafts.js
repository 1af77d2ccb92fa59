// The draft of a channel: written to the tab's storage while typing, and at once when the page goes.

/** @import { Clock, Draft, KeyValue } from "./types.js" */

import { TAB_KEYS } from "./keys.js";

/** Pause after the last key (ms). */
const PAUSE_MS = 300;

/** @returns {Draft} */
function emptyDraft() {
  return { text: "", to: "all", reply_to: null, thread: null, priority: "default" };
}

export class Drafts {
  #key;
  #clock;
  #tab;
  /** @type {Draft | null} */
  #waiting = null;
  /** @type {unknown} */
  #timer = null;
  /** Whether the channel was left or forgotten: nothing is written after that. */
  #isEnded = false;

  /** @param {{channel: string, clock: Clock, tab: KeyValue}} parts */
  constructor({ channel, clock, tab }) {
    this.#key = TAB_KEYS.draft(channel);
    this.#clock = clock;
    this.#tab = tab;
  }

  /** @returns {Draft} */
  load() {
    if (this.#waiting) return this.#waiting;
    const draft = emptyDraft();
    try {
      const kept = JSON.parse(this.#tab.get(this.#key) ?? "null");
      if (typeof kept?.text === "string") draft.text = kept.text;
      if (typeof kept?.to === "string") draft.to = kept.to;
      if (Number.isSafeInteger(kept?.reply_to)) draft.reply_to = kept.reply_to;
      if (typeof kept?.thread === "string") draft.thread = kept.thread;
      if (["min", "low", "high", "urgent"].includes(kept?.priority)) draft.priority = kept.priority;
    } catch { /* not ours */ }
    return draft;
  }

  /** @param {Draft} draft */
  save(draft) {
    if (this.#isEnded) return;
    this.#waiting = draft;
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.flush(), PAUSE_MS);
  }

  flush() {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    const draft = this.#waiting;
    this.#waiting = null;
    if (!draft) return;
    const isEmpty = !draft.text && draft.to === "all" && !draft.reply_to && !draft.thread && draft.priority === "default";
    if (isEmpty) this.#tab.remove(this.#key);
    else this.#tab.set(this.#key, JSON.stringify(draft));
  }

  /** Removes the draft, for good. */
  end() {
    this.#isEnded = true;
    this.#waiting = null;
    this.flush();
    this.#tab.remove(this.#key);
  }
}
