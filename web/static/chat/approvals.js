// Answers to messages with suggested replies: each is answered once, from whichever device.

/** @import { Approval, Clock, Message } from "./types.js" */

/** How long an answer with a destructive word is held back (ms). */
const HOLD_MS = 3_000;

/** Answers that are remembered. */
const MAX_ANSWERS = 2_000;

export class Approvals {
  /** What is known of the answer to a message. @type {Map<number, Approval & {timer: unknown}>} */
  #answers = new Map();
  /** The replies that each message suggested. @type {Map<number, readonly string[]>} */
  #suggested = new Map();
  /** Own replies to messages that are not loaded. @type {Map<number, {text: string, key: string, elsewhere: boolean}[]>} */
  #early = new Map();
  #clock;
  #changed;

  /** @param {{clock: Clock, changed: (id: number) => void}} parts `changed` with the id of the message that was answered */
  constructor({ clock, changed }) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /**
   * @param {Message} message
   * @param {boolean} mine
   * @returns {Approval | null}
   */
  of(message, mine) {
    if (mine || !message.suggested_replies?.length) return null;
    const { id, suggested_replies } = message;
    put(this.#suggested, id, suggested_replies);
    const early = this.#early.get(id);
    this.#early.delete(id);
    const answer = this.#answers.has(id) ? undefined : early?.find(({ text }) => suggested_replies.includes(text));
    if (answer) {
      put(this.#answers, id, {
        state: "sent", answer: answer.text, elsewhere: answer.elsewhere, held_until: null, answer_key: answer.key, timer: null,
      });
    }
    const known = this.#answers.get(id);
    if (!known) return { state: "open", answer: null, elsewhere: false, held_until: null, answer_key: null };
    const { timer, ...approval } = known;
    return approval;
  }

  /** Whether a message may be answered now. @param {number} id */
  isOpen(id) {
    const state = this.#answers.get(id)?.state;
    return state === undefined || state === "failed";
  }

  /**
   * @param {number} id
   * @param {string} answer
   * @param {() => string} send queues the answer and returns its key
   */
  hold(id, answer, send) {
    const timer = this.#clock.setTimeout(() => {
      const held = this.#answers.get(id);
      if (held?.state !== "held") return;
      try {
        this.pending(id, answer, send());
      } catch {
        this.failed(id);
      }
    }, HOLD_MS);
    this.#put(id, { state: "held", answer, elsewhere: false, held_until: this.#clock.now() + HOLD_MS, answer_key: null, timer });
  }

  /** @param {number} id */
  undo(id) {
    const held = this.#answers.get(id);
    if (held?.state !== "held") return false;
    this.#clock.clearTimeout(held.timer);
    this.#answers.delete(id);
    this.#changed(id);
    return true;
  }

  /**
   * @param {number} id
   * @param {string} answer
   * @param {string} key
   */
  pending(id, answer, key) {
    this.#put(id, { state: "pending", answer, elsewhere: false, held_until: null, answer_key: key, timer: null });
  }

  /**
   * @param {number} id
   * @param {boolean} [isGone] whether nobody is there any more who could be answered
   */
  failed(id, isGone = false) {
    const known = this.#answers.get(id);
    if (known && known.state !== "sent") this.#put(id, { ...known, state: isGone ? "expired" : "failed", held_until: null });
  }

  /** The answer was taken out of the outbox. @param {number} id */
  withdrawn(id) {
    const known = this.#answers.get(id);
    if (!known || known.state === "sent" || known.state === "expired") return;
    this.#answers.delete(id);
    this.#changed(id);
  }

  /**
   * An own message reached the hub, from here or from another device.
   * @param {Message} message
   * @param {string} key of its entry
   * @param {boolean} elsewhere
   */
  sent(message, key, elsewhere) {
    const { reply_to: id, text } = message;
    if (!id) return;
    const suggested = this.#suggested.get(id);
    if (!suggested) {
      put(this.#early, id, [...(this.#early.get(id) ?? []).slice(-7), { text, key, elsewhere }]);
      return;
    }
    // An own reply in other words is a question back, not an answer.
    if (!suggested.includes(text)) return;
    const known = this.#answers.get(id);
    // The first answer counts, and one that is on its way here does not hide that the other device was faster.
    if (known?.state === "sent" || known && known.answer_key !== key && !elsewhere) return;
    if (known?.state === "held") this.#clock.clearTimeout(known.timer);
    this.#put(id, { state: "sent", answer: text, elsewhere, held_until: null, answer_key: key, timer: null });
  }

  /**
   * @param {number} id
   * @param {Approval & {timer: unknown}} approval
   */
  #put(id, approval) {
    put(this.#answers, id, approval);
    this.#changed(id);
  }

  close() {
    for (const { timer } of this.#answers.values()) if (timer !== null) this.#clock.clearTimeout(timer);
  }
}

/**
 * Puts into a map that is bounded: the oldest goes.
 * @template V
 * @param {Map<number, V>} map
 * @param {number} id
 * @param {V} value
 */
function put(map, id, value) {
  map.set(id, value);
  const [oldest] = map.keys();
  if (map.size > MAX_ANSWERS) map.delete(oldest);
}
