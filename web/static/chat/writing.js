// What the user writes: outgoing entries of the log, their ticks, and answers to suggested replies.

/** @import { Message, Outgoing, Receipt } from "./types.js" */
/** @import { Sent } from "./transport.js" */
/** @import { Incoming, Parts } from "./incoming.js" */
/** @import { OutboxItem } from "./outbox.js" */

import { tickOf } from "./receipts.js";

export class Writing {
  #parts;
  #incoming;

  /**
   * @param {Parts} parts
   * @param {Incoming} incoming
   */
  constructor(parts, incoming) {
    this.#parts = parts;
    this.#incoming = incoming;
  }

  /** Shows what a reload left in the outbox. */
  restore() {
    for (const item of this.#parts.outbox.items) this.#show(item);
  }

  /** @param {Outgoing} outgoing */
  send(outgoing) {
    const item = this.#parts.outbox.add(outgoing);
    if (!this.#parts.log.getOutgoing(item.key)) this.#show(item);
    return item.key;
  }

  /** @param {OutboxItem} item */
  #show(item) {
    const { log, approvals, changes } = this.#parts;
    const { suggested_reply_of: answered, text } = item.outgoing;
    if (answered && item.state !== "failed") approvals.pending(answered, text, item.key);
    const message = { ...messageOf(item), from: this.#incoming.me };
    log.addOutgoing(this.#incoming.entry({ key: item.key, message, mine: true, seen: true, live: false, tick: "waiting" }));
    this.changed(item);
    changes.note("entries", "outbox");
  }

  /** @param {OutboxItem} item */
  changed(item) {
    const { log, approvals, changes } = this.#parts;
    const isFailed = item.state === "failed";
    const { problem, retry_at } = item;
    log.updateOutgoing(item.key, { tick: isFailed ? "failed" : "waiting", problem, retry_at });
    if (isFailed) {
      if (item.outgoing.suggested_reply_of) approvals.failed(item.outgoing.suggested_reply_of, problem?.code === "unknown_recipient");
      this.#incoming.releaseOwn();
    }
    changes.note("entries", "outbox");
  }

  /** @param {OutboxItem} item */
  removed(item) {
    const { log, approvals, changes } = this.#parts;
    log.removeOutgoing(item.key);
    if (item.outgoing.suggested_reply_of) approvals.withdrawn(item.outgoing.suggested_reply_of);
    this.#incoming.releaseOwn();
    changes.note("entries", "outbox");
  }

  /**
   * @param {OutboxItem} item
   * @param {Sent} reply
   */
  sent(item, { id, at, queued }) {
    const { log, approvals, receipts, tasks, changes } = this.#parts;
    const tick = queued ? "away" : "accepted";
    if (id === null || item.outgoing.kind === "status") {
      // A status is not kept, and has no place in the log. A message without an id comes with the reads.
      log.removeOutgoing(item.key);
    } else {
      const entry = log.removeOutgoing(item.key);
      const message = { ...messageOf(item), from: this.#incoming.me, id, at };
      approvals.sent(message, item.key, false);
      tasks.seen(message, true);
      if (entry && !log.has(id)) log.add([{ ...entry, id, message, task: tasks.get(id), tick, problem: null, retry_at: null }]);
      else {
        // It came back before the answer, where its sender could not be told.
        log.markSeen([id]);
        log.update(id, { tick, mine: true, seen: true, live: false });
      }
      receipts.watch(id);
    }
    this.#incoming.releaseOwn();
    changes.note("entries", "outbox");
  }

  /**
   * @param {number} id
   * @param {string} text
   * @param {boolean} hold
   * @returns {string | null}
   */
  reply(id, text, hold) {
    const { log, approvals } = this.#parts;
    const entry = log.get(id);
    if (!entry || entry.mine || !entry.message.suggested_replies?.includes(text) || !approvals.isOpen(id)) return null;
    const { from, thread } = entry.message;
    const to = this.#incoming.canAddress ? from : "all";
    const send = () => this.send({ to, text, reply_to: id, thread: thread ?? null, suggested_reply_of: id });
    if (!hold) return send();
    approvals.hold(id, text, send);
    return "held";
  }

  /** The answer to a message changed. @param {number} id */
  approvalChanged(id) {
    const { log, approvals, changes } = this.#parts;
    const entry = log.get(id);
    if (!entry) return;
    log.update(id, { approval: approvals.of(entry.message, entry.mine) });
    changes.note("entries");
  }

  /**
   * @param {number} id
   * @param {Receipt[]} receipts
   * @param {boolean} isWhole whether all recipients are known
   * @returns {boolean | null} null when nothing more can change
   */
  applyReceipts(id, receipts, isWhole) {
    const { log, changes } = this.#parts;
    const entry = log.get(id);
    if (!entry?.mine) return null;
    // An event has only the recipients whose state changed.
    const all = new Map([...entry.receipts, ...receipts].map(receipt => [receipt.to, receipt]));
    const merged = [...all.values()];
    const { to } = entry.message;
    const known = tickOf(to, merged, entry.tick ?? "accepted");
    // A broadcast is read when all have read it.
    const isKnown = isWhole || to !== "all";
    const tick = isKnown || known !== "read" && known !== "expired" ? known : "delivered";
    const isDone = tick === "read" || tick === "expired";
    const same = tick === entry.tick && JSON.stringify(merged) === JSON.stringify(entry.receipts);
    if (!same) {
      log.update(id, { tick, receipts: merged });
      changes.note("entries");
    }
    return isDone ? null : !same;
  }
}

/**
 * @param {OutboxItem} item
 * @returns {Message}
 */
function messageOf({ outgoing, created_at }) {
  const { to, text, kind, priority, reply_to, thread, attachments = [], wants, deadline_seconds = 0, state } = outgoing;
  return {
    id: 0, from: "", to, text, at: created_at,
    ...(kind ? { kind } : {}),
    ...(priority && priority !== "default" ? { priority } : {}),
    ...(reply_to ? { reply_to } : {}),
    ...(thread ? { thread } : {}),
    ...(wants ? { wants, deadline: created_at + deadline_seconds * 1000 } : {}),
    ...(state ? { state } : {}),
    ...(attachments.length ? { attachments: attachments.map((file, n) => ({
      mime: file.mime, filename: file.filename ?? null, bytes: Math.floor(file.data_base64.replace(/=+$/u, "").length * 3 / 4), n,
    })) } : {}),
    own: true,
  };
}
